"""Who sits at the console: links that are good once, and the sessions they begin. Both are notes, sealed, and go by themselves.

Until people have accounts of their own, whoever may run commands beside the hub may open its console: the operating
system says who that is, and the log names them.
"""

from dataclasses import dataclass

from hub import outcomes
from hub.errors import FhirError
from hub.notebook import Notebook, Page
from hub.recording import Recording
from hub.services import Services
from hub.store.protocol import Conflict, Unavailable, Unit
from security.browser_session import CODE_US, SECRET, SESSION_US, new_secret

CODES, SESSIONS = "console-code", "console-session"
NOT_GOOD = "This link is not good, or not any more; have another one printed with `hub console open`."


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """`cookie`: what the browser holds; never stored. `user`, `reason`: as the command that printed the link was given them."""

    cookie: str
    user: str
    reason: str | None
    expires_us: int


async def new_code(services: Services, user: str, reason: str | None, recording: Recording) -> str:
    """A code that begins one session within five minutes."""
    code, codes = new_secret(), Notebook(services, CODES)
    page = await codes.read(code)
    note = await codes.write(page, {"user": user, "reason": reason}, codes.now_us + CODE_US)
    await recording.commit(Unit(notes=(note,)), writes=())
    return code


async def who_of(services: Services, code: str) -> tuple[str, str | None] | None:
    """Whom the code stands for, if it is still good. Raises FhirError transient."""
    if SECRET.fullmatch(code) is None:
        return None
    content = (await _read(services, CODES, code)).content
    return (content["user"], content["reason"]) if content.get("user") else None


async def begin(services: Services, code: str, recording: Recording) -> Session:
    """The session that a code begins. Raises FhirError login if it is not good, or another browser was faster."""
    codes, sessions = Notebook(services, CODES), Notebook(services, SESSIONS)
    found = await codes.read(code)
    if SECRET.fullmatch(code) is None or not found.content.get("user"):
        raise FhirError("login", NOT_GOOD)
    cookie, expires_us = new_secret(), sessions.now_us + SESSION_US
    session = Session(cookie=cookie, user=found.content["user"], reason=found.content["reason"], expires_us=expires_us)
    begun = await sessions.write(await sessions.read(cookie), {"user": session.user, "reason": session.reason}, expires_us)
    used = await codes.write(found, {}, codes.now_us + CODE_US)
    try:
        await recording.commit(Unit(notes=(used, begun)), writes=())
    except Conflict:
        raise FhirError("login", NOT_GOOD) from None
    return session


async def session_of(services: Services, cookie: str | None) -> Session | None:
    """The session of a cookie, on every process; None if there is none, or it is over. Raises FhirError transient."""
    if cookie is None:
        return None
    page = await _read(services, SESSIONS, cookie)
    if page.note is None or page.note.expires_us is None or not page.content.get("user"):
        return None
    return Session(cookie=cookie, user=page.content["user"], reason=page.content["reason"], expires_us=page.note.expires_us)


async def end(services: Services, session: Session, recording: Recording) -> None:
    """Over at once, everywhere. Ending it twice is no mistake."""
    sessions = Notebook(services, SESSIONS)
    page = await sessions.read(session.cookie)
    if not page.content:
        return
    ended = await sessions.write(page, {}, session.expires_us)
    try:
        await recording.commit(Unit(notes=(ended,)), writes=())
    except Conflict:
        await end(services, session, recording)


async def _read(services: Services, kind: str, secret: str) -> Page:
    try:
        return await Notebook(services, kind).read(secret)
    except Unavailable as error:
        raise outcomes.unavailable() from error
