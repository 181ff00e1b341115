"""Sessions of people who signed in: sealed notes, known by a keyed hash of their cookie, over at once on every process.

OpenID Connect Core 1.0 section 2 (auth_time, acr, amr); OWASP ASVS 5.0 chapter 7.
"""

from dataclasses import dataclass

from hub import outcomes
from hub.notebook import Notebook
from hub.people.accounts import Accounts
from hub.services import Services
from hub.store.protocol import NoteWrite, Unavailable
from security.browser_session import SECRET, SESSION_US, new_secret
from security.people.account import Account

SESSIONS = "person-session"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """`cookie`: what the browser holds; never stored. `acr`, `amr`: how the person proved who they are."""

    cookie: str
    account: Account
    auth_us: int
    expires_us: int
    acr: str
    amr: tuple[str, ...]


async def begun(services: Services, account: Account, acr: str, amr: tuple[str, ...]) -> tuple[SignedIn, NoteWrite]:
    """A new session, and what has to be committed for it with the record of the sign-in."""
    sessions, cookie = Notebook(services, SESSIONS), new_secret()
    signed = SignedIn(cookie=cookie, account=account, auth_us=sessions.now_us, expires_us=sessions.now_us + SESSION_US, acr=acr, amr=amr)
    content = {"account": account.id, "auth_us": signed.auth_us, "acr": acr, "amr": list(amr)}
    return signed, await sessions.write(await sessions.read(cookie), content, signed.expires_us)


async def signed_in(services: Services, cookie: str | None) -> SignedIn | None:
    """Whose session it is, with the account as it is now; None if there is none, it is over, or the account was ended.

    Raises FhirError transient.
    """
    if cookie is None or SECRET.fullmatch(cookie) is None:
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


async def ended(services: Services, signed: SignedIn) -> NoteWrite:
    """What has to be committed so that it is over on every process."""
    sessions = Notebook(services, SESSIONS)
    return await sessions.write(await sessions.read(signed.cookie), {}, signed.expires_us)
