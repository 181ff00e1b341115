"""Between the password and the session: a sealed note for ten minutes, known by a cookie of its own, that opens the second factor alone.

A session begins when everything has been proved that is asked of the account; until then there is none.
"""

import os
from dataclasses import dataclass

from hub.notebook import Notebook, Page
from hub.people.accounts import Accounts, Filed
from hub.services import Services
from hub.store.protocol import NoteWrite
from security.browser_session import SECRET, new_secret
from security.people.account import Account
from security.people.lockout import Means
from security.people.totp import SECRET_BYTES
from security.people.totp import new_secret as new_totp

STEPS = "person-step"
STEP_US = 600_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Who has proved the first factor.

    secret  what an app is to be enrolled with, if there is none yet
    next    where to go on afterwards
    by      what the first factor was
    """

    cookie: str
    filed: Filed
    page: Page
    secret: str | None
    next: str
    by: Means


async def begun(services: Services, account: Account, next: str, by: Means) -> tuple[str, NoteWrite]:
    """The cookie of a new step, and what has to be committed for it."""
    steps, cookie = Notebook(services, STEPS), new_secret()
    content = {
        "account": account.id,
        "since_us": account.password_changed_us,
        "secret": None if account.totp else new_totp(os.urandom(SECRET_BYTES)),
        "next": next,
        "by": by,
        "federated": [list(pair) for pair in account.federated],
    }
    return cookie, await steps.write(await steps.read(cookie), content, steps.now_us + STEP_US)


async def step_of(services: Services, cookie: str | None) -> Step | None:
    """None if there is none, it is over, or the account was changed since. Raises Unavailable."""
    if cookie is None or SECRET.fullmatch(cookie) is None:
        return None
    page = await Notebook(services, STEPS).read(cookie)
    filed = await Accounts(services).find(page.content["account"]) if page.content else None
    if filed is None or filed.account.disabled_us is not None or filed.account.password_changed_us != page.content["since_us"]:
        return None
    if any(tuple(pair) not in filed.account.federated for pair in page.content.get("federated", [])):
        return None  # a link was taken away, perhaps the one that it began with
    if (filed.account.totp is None) != (page.content["secret"] is not None):
        return None  # somebody has enrolled meanwhile
    by: Means = page.content.get("by", "password")  # before there was such a field it was a password
    return Step(cookie=cookie, filed=filed, page=page, secret=page.content["secret"], next=page.content["next"], by=by)


async def ended(services: Services, step: Step) -> NoteWrite:
    return await Notebook(services, STEPS).write(step.page, {}, Notebook(services, STEPS).now_us + STEP_US)
