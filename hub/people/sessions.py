"""Sessions of people who signed in: sealed notes, known by a keyed hash of their cookie, over at once on every process.

OpenID Connect Core 1.0 section 2 (auth_time, acr, amr); OWASP ASVS 5.0 chapter 7.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hub import outcomes
from hub.notebook import Notebook
from hub.people.accounts import Accounts
from hub.services import Services
from hub.store.protocol import NoteWrite, Unavailable
from security.browser_session import SESSION_US, new_secret
from security.people.account import Account

SESSIONS, LISTS = "person-session", "person-sessions-of"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """`cookie`: what the browser holds; never stored. `acr`, `amr`: how the person proved who they are."""

    cookie: str
    account: Account
    auth_us: int
    expires_us: int
    acr: str
    amr: tuple[str, ...]


async def begun(
    services: Services, account: Account, acr: str, amr: tuple[str, ...], *, auth_us: int | None = None
) -> tuple[SignedIn, NoteWrite]:
    """A new session, and what has to be committed for it with the record of the sign-in. `auth_us`: when, if that was before, elsewhere."""
    sessions, cookie = Notebook(services, SESSIONS), new_secret()
    proved_us = min(auth_us or sessions.now_us, sessions.now_us)
    signed = SignedIn(cookie=cookie, account=account, auth_us=proved_us, expires_us=sessions.now_us + SESSION_US, acr=acr, amr=amr)
    content = {"account": account.id, "auth_us": signed.auth_us, "acr": acr, "amr": list(amr)}
    return signed, await sessions.write(await sessions.read(cookie), content, signed.expires_us)


async def signed_in(services: Services, cookie: str | None) -> SignedIn | None:
    """Whose session it is, with the account as it is now; None if there is none, it is over, or the account was ended.

    Raises FhirError transient.
    """
    if cookie is None:
        return None
    try:
        page = await Notebook(services, SESSIONS).read(cookie)
        if not page.content or page.note is None or page.note.expires_us is None:
            return None
        filed = await Accounts(services).find(page.content["account"])
    except Unavailable as error:
        raise outcomes.unavailable() from error
    if filed is None or filed.account.disabled_us is not None:
        return None
    return SignedIn(
        cookie=cookie,
        account=filed.account,
        auth_us=page.content["auth_us"],
        expires_us=page.note.expires_us,
        acr=page.content["acr"],
        amr=tuple(page.content["amr"]),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A session as its person sees it; `id` tells it apart and opens nothing."""

    id: str
    auth_us: int
    expires_us: int
    amr: tuple[str, ...]
    browser: str


async def listed(services: Services, signed: SignedIn, browser: str) -> NoteWrite:
    """To be committed with a session that begins, so that its person sees it and can end it."""
    lists = Notebook(services, LISTS)
    page = await lists.read(signed.account.id)
    alive = {key: one for key, one in page.content.items() if one["expires_us"] > lists.now_us}
    key = Notebook(services, SESSIONS).key(signed.cookie).hex()
    alive[key] = {"auth_us": signed.auth_us, "expires_us": signed.expires_us, "amr": list(signed.amr), "browser": browser}
    return await lists.write(page, alive, max(one["expires_us"] for one in alive.values()))


async def sessions_of(services: Services, account: str) -> list[Listed]:
    """Those that are not over, the latest first."""
    found = (await Notebook(services, LISTS).read(account)).content
    alive = [(key, one) for key, one in found.items() if (await Notebook(services, SESSIONS).at(bytes.fromhex(key))).content]
    return sorted((_listed(key, one) for key, one in alive), key=lambda one: one.auth_us, reverse=True)


async def all_ended(services: Services, account: str, *, but: SignedIn | None = None, only: str | None = None) -> tuple[NoteWrite, ...]:
    """What has to be committed so that every session of the account is over on every process.

    but, only  a session that goes on; the id of the one that alone is to end
    """
    sessions, lists = Notebook(services, SESSIONS), Notebook(services, LISTS)
    kept = id_of(services, but) if but is not None else None
    found = (await lists.read(account)).content
    pages = [await sessions.at(bytes.fromhex(key)) for key in found if key != kept and only in (None, key)]
    return tuple([await sessions.write(page, {}, sessions.now_us + SESSION_US) for page in pages if page.content])


def id_of(services: Services, signed: SignedIn) -> str:
    return Notebook(services, SESSIONS).key(signed.cookie).hex()


def _listed(key: str, one: Mapping[str, Any]) -> Listed:
    return Listed(id=key, auth_us=one["auth_us"], expires_us=one["expires_us"], amr=tuple(one["amr"]), browser=one["browser"])


async def ended(services: Services, signed: SignedIn) -> NoteWrite:
    """What has to be committed so that it is over on every process."""
    sessions = Notebook(services, SESSIONS)
    return await sessions.write(await sessions.read(signed.cookie), {}, signed.expires_us)
