"""What is remembered of a request while its person is asked: who that is, and which patient was chosen.

Who opens a request first is its person: nobody else answers it, in another browser or by a link that was sent on. It is a sealed note under
the request's own secret, and goes when the request goes.
"""

from dataclasses import dataclass
from typing import Final

from hub.errors import FhirError
from hub.notebook import Notebook, Page
from hub.people.visit import Visit
from hub.recording import Recording
from hub.repository.redoing import redoing
from hub.store.protocol import NoteWrite, Unit

CONSENTS: Final = "oauth-consent"
KEPT_US: Final = 1_800_000_000
"""Longer than a request waits."""
SOMEBODY_ELSES: Final = "This request was opened by another account. Go back to the app and begin there again."
NOT_OPENED: Final = "Open the page of this request first; its form alone does nothing."


@dataclass(frozen=True, slots=True, kw_only=True)
class Consenting:
    """`patient`: id of the one that was chosen, if one was."""

    account: str | None
    patient: str | None
    page: Page


async def consenting(visit: Visit, secret: str) -> Consenting:
    """As it is. Raises FhirError forbidden where it is somebody else's."""
    page = await Notebook(visit.services, CONSENTS).read(secret)
    found = Consenting(account=page.content.get("account"), patient=page.content.get("patient"), page=page)
    if found.account not in (None, visit.signed.account.id):
        raise FhirError("forbidden", SOMEBODY_ELSES)
    return found


async def opened(visit: Visit, secret: str, recording: Recording) -> Consenting:
    """From now on it is this person's. Raises FhirError forbidden, conflict."""

    async def attempt() -> Consenting:
        found = await consenting(visit, secret)
        return found if found.account is not None else await _written(visit, found, None, recording)

    return await redoing(attempt, lambda: (f"consent {secret}",), visit.services.turns)


async def own(visit: Visit, secret: str) -> Consenting:
    """Of who has opened it. Raises FhirError forbidden."""
    found = await consenting(visit, secret)
    if found.account is None:
        raise FhirError("forbidden", NOT_OPENED)
    return found


async def chosen(visit: Visit, found: Consenting, patient: str | None, recording: Recording) -> None:
    """Another patient than before, or none. Raises Conflict where the same person was faster in another window."""
    await _written(visit, found, patient, recording)


async def released(visit: Visit, found: Consenting) -> NoteWrite:
    """It is nobody's again: whoever signs in next may open it."""
    notes = Notebook(visit.services, CONSENTS)
    return await notes.write(found.page, {}, notes.now_us + KEPT_US)


async def _written(visit: Visit, found: Consenting, patient: str | None, recording: Recording) -> Consenting:
    notes, account = Notebook(visit.services, CONSENTS), visit.signed.account.id
    note = await notes.write(found.page, {"account": account, "patient": patient}, notes.now_us + KEPT_US)
    await recording.commit(Unit(notes=(note,)), writes=())
    return Consenting(account=account, patient=patient, page=found.page)
