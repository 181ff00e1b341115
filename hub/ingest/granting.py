"""From an invitation to a link: the patient grants at the vendor's own page, and the tokens come back to this hub alone.

https://www.rfc-editor.org/rfc/rfc6749#section-4.1, https://www.rfc-editor.org/rfc/rfc9700#section-4.7 (state bound to the browser),
https://www.rfc-editor.org/rfc/rfc7636 where the vendor has it. Invitation and state are notes, sealed under the patient's key; both
are used up in the transaction that writes the link, so a code that comes twice makes one link.
"""

from base64 import urlsafe_b64encode
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

from hub.errors import FhirError
from hub.ingest.clouds import CLOUDS, Cloud
from hub.ingest.clouds.feed import CloudRefused
from hub.ingest.links import Link, Links
from hub.ingest.polling import At
from hub.notebook import Notebook, Page
from hub.outbound import Outbound, Unreachable
from hub.recording import Recording
from hub.services import Services
from hub.store.protocol import Conflict, Unit
from security.browser_session import SECRET, new_secret

INVITATIONS, STATES = "cloud-invitation", "cloud-state"
INVITED_US = 48 * 3_600_000_000
"""For so long a link that was handed to a patient is good."""
STATE_US = 900_000_000
"""A quarter of an hour at the vendor's page."""
OVER = "This link is not good, or not any more; ask for another one."
REFUSED = "The vendor gave no permission; nothing was kept. You may try again."


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """What an operator prepared. `user`, `reason`: who, for the record.

    since_us  from when on the cloud is read; None: from where the last link left off, else from `invited_us` on
    """

    cloud: str
    client: str
    patient: str
    feeds: tuple[str, ...] = ()
    since_us: int | None
    invited_us: int
    device: str | None = None
    user: str
    reason: str | None = None

    @property
    def row(self) -> Cloud:
        return CLOUDS[self.cloud]


class Granting:
    def __init__(self, services: Services) -> None:
        self._services = services
        self._invitations, self._states = Notebook(services, INVITATIONS), Notebook(services, STATES)

    async def invite(self, invitation: Invitation, recording: Recording) -> str:
        """The word that stands in the address; durable, with its record, when it returns."""
        word, patient = new_secret(), self._patient(invitation)
        page = await self._invitations.read(word, patient)
        recording.aim_patient(patient)
        note = await self._invitations.write(page, asdict(invitation), self._services.clock() + INVITED_US)
        await recording.commit(Unit(notes=(note,)), writes=())
        return word

    async def invitation(self, word: str) -> tuple[Page, Invitation]:
        """Raises FhirError not-found; the same whether it was never there, is over or was used."""
        page = await self._read(self._invitations, word)
        return page, Invitation(**{**page.content, "feeds": tuple(page.content["feeds"])})

    async def begin(self, word: str, cookie: str, at: At, redirect_uri: str, recording: Recording) -> str:
        """The address of the vendor's page. `cookie`: what this browser holds; only it can end what it begins."""
        _, invitation = await self.invitation(word)
        state, verifier = new_secret(), new_secret() if invitation.row.consent.pkce else ""
        patient = self._patient(invitation)
        page = await self._states.read(state, patient)
        content = {"word": word, "cookie": digest(cookie), "verifier": verifier}
        recording.aim_patient(patient)
        note = await self._states.write(page, content, self._services.clock() + STATE_US)
        await recording.commit(Unit(notes=(note,)), writes=())
        return authorization_url(invitation.row, at, redirect_uri, state, verifier)

    async def invited_by(self, state: str) -> Invitation:
        """Of which invitation it is. Raises FhirError not-found."""
        states = await self._read(self._states, state)
        return (await self.invitation(states.content["word"]))[1]

    async def finish(
        self, state: str, code: str, cookie: str, at: dict[str, At], redirect_uri: str, outbound: Outbound, recording: Recording
    ) -> Link:
        """The link that a code makes. Raises FhirError."""
        states = await self._read(self._states, state)
        if states.content["cookie"] != digest(cookie):
            raise FhirError("not-found", OVER)
        invited, invitation = await self.invitation(states.content["word"])
        recording.aim_patient(self._patient(invitation))
        made = await self._linked(invitation, at[invitation.cloud], code, redirect_uri, states.content["verifier"], outbound)
        links, over = Links(self._services), self._services.clock() + STATE_US
        page, link = await links.begun(made, invitation.feeds, invitation.since_us, invitation.invited_us)
        notes = (
            await self._states.write(states, {}, over),
            await self._invitations.write(invited, {}, over),
            await links.write(page, link),
        )
        try:
            await recording.commit(Unit(notes=notes), writes=())
        except Conflict:
            raise FhirError("not-found", OVER) from None
        return link

    async def _linked(self, invitation: Invitation, at: At, code: str, redirect_uri: str, verifier: str, outbound: Outbound) -> Link:
        """Without cursors."""
        row, now_us = invitation.row, self._services.clock()
        call = row.consent.exchanging(at.base, at.own, code, redirect_uri, verifier)
        try:
            tokens, user = row.consent.granted((await outbound.call(call.url, form=call.form)).body, now_us)
            if user is None and row.consent.account is not None:
                who = row.consent.account.ask(at.base, tokens.access)
                user = row.consent.account.name((await outbound.call(who.url, token=who.token)).body)
        except (CloudRefused, Unreachable) as error:
            raise FhirError("business-rule", REFUSED) from error
        return Link(
            cloud=invitation.cloud,
            user=user or self._services.new_id(),
            client=invitation.client,
            patient=invitation.patient,
            tokens=tokens,
            device=invitation.device,
        )

    async def _read(self, notebook: Notebook, word: str) -> Page:
        if SECRET.fullmatch(word) is None:
            raise FhirError("not-found", OVER)
        try:
            page = await notebook.read(word)
        except KeyError:  # the patient's key is gone
            raise FhirError("not-found", OVER) from None
        if not page.content:
            raise FhirError("not-found", OVER)
        return page

    def _patient(self, invitation: Invitation) -> bytes:
        return self._services.blind.patient(invitation.patient.removeprefix("Patient/"))


def digest(cookie: str) -> str:
    return sha256(cookie.encode()).hexdigest()


def authorization_url(row: Cloud, at: At, redirect_uri: str, state: str, verifier: str) -> str:
    """https://www.rfc-editor.org/rfc/rfc6749#section-4.1.1, https://www.rfc-editor.org/rfc/rfc7636#section-4.3"""
    asked: dict[str, Any] = {
        "response_type": "code",
        "client_id": at.own.client_id,
        "redirect_uri": redirect_uri,
        "scope": row.consent.scope,
        "state": state,
    }
    if verifier:
        challenge = urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        asked |= {"code_challenge": challenge, "code_challenge_method": "S256"}
    return f"{row.consent.page(at.base)}?{urlencode(asked)}"
