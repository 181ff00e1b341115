"""Authorization requests that wait for their person: checked, sealed, known by a secret that stands for them, good once.

https://www.rfc-editor.org/rfc/rfc9126 (those that were pushed wait for the browser first)
"""

from dataclasses import dataclass
from typing import Final

from hub.notebook import Notebook, Page
from hub.services import Services
from hub.store.protocol import NoteWrite
from security.browser_session import SECRET, new_secret
from security.oauth.authorization_request import AuthorizationRequest

REQUESTS: Final = "oauth-request"
WAITING_US: Final = 900_000_000
"""For a person who first has to sign in, or to set up a second factor."""
PUSHED_S: Final = 90
"""RFC 9126 section 2.2: short, for the browser comes at once."""
REQUEST_URI: Final = "urn:ietf:params:oauth:request_uri:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """`pushed`: by PAR, and no browser has come with it yet. `begun_us`: when the request came."""

    request: AuthorizationRequest
    pushed: bool
    begun_us: int
    page: Page


async def begun(services: Services, request: AuthorizationRequest, *, pushed: bool) -> tuple[str, NoteWrite]:
    """The secret by which it is found, and what has to be committed for it."""
    notes, secret = Notebook(services, REQUESTS), new_secret()
    content = {"request": request.to_document(), "pushed": pushed, "begun_us": notes.now_us}
    until_us = notes.now_us + (PUSHED_S * 1_000_000 if pushed else WAITING_US)
    return secret, await notes.write(await notes.read(secret), content, until_us)


async def waiting(services: Services, secret: str, *, pushed: bool = False) -> Waiting | None:
    """What waits, pushed or for its person; None for anything that is unknown, over or answered. Raises Unavailable."""
    if SECRET.fullmatch(secret) is None:
        return None
    page = await Notebook(services, REQUESTS).read(secret)
    if not page.content or page.content["pushed"] != pushed:
        return None
    request = AuthorizationRequest.from_document(page.content["request"])
    return Waiting(request=request, pushed=pushed, begun_us=page.content["begun_us"], page=page)


async def answered(services: Services, found: Waiting) -> NoteWrite:
    """To be committed with the answer: whoever answers second meets a Conflict."""
    notes = Notebook(services, REQUESTS)
    return await notes.write(found.page, {}, notes.now_us + WAITING_US)
