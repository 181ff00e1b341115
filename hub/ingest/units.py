"""Credentials of single units: what one may send, how one is made, and the one-time code by which a unit enrols itself.

docs/guides/units.md. A credential is a registration like a client's, so that everything that holds of clients holds of it: it
proves itself with its own key (RFC 7523), is looked up at each request, and its keys are changed beside each other.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from adapters.contract import Manifest
from adapters.discovery import adapters
from adapters.reading import Item
from fhir_profiles.building import BUILDERS
from hub.errors import FhirError
from hub.ingest.devices import device_token
from hub.ingest.fates import Answer
from hub.notebook import Notebook, Page
from hub.services import Services
from hub.store.protocol import NoteWrite
from hub.vault import UNIT_TYPE
from security.context import AccessContext, UnitOf
from security.oauth.clients import Client
from security.scopes import Scopes, ScopeSyntax, narrow

ANOTHER_UNIT = "another-unit"
ANOTHER_UNIT_HINT = "This credential is a single unit's and sends that unit's readings only; a gateway needs a client of its own."
CODE_BYTES = 20
"""Of one-time codes: 160 bits from the operating system, so that nobody guesses one while it is good."""
INVITED, CREDENTIALS = "enrolment", "credentials"
"""Kinds of notes: a code that waits to be used, and the mark that whoever gives a unit a credential writes."""
NO_SCOPE = "the client may not create any of the types that readings become; give it system/Observation.c"


def require_adapter(caller: AccessContext, adapter: str) -> None:
    """Raises FhirError forbidden where a unit's credential is used for another adapter."""
    if caller.unit is not None and caller.unit.adapter != adapter:
        raise FhirError("forbidden", f"another-adapter: this unit's credential is for {caller.unit.adapter}.")


class OnlyOwn:
    """Refuses what a unit's credential sends of other units. Whoever is no unit may send of all."""

    def __init__(self, services: Services, caller: AccessContext, manifest: Manifest) -> None:
        self._services, self._unit, self._system = services, caller.unit, manifest.identifier_system
        self._own: dict[str, bool] = {}
        require_adapter(caller, manifest.name)

    def may_speak_of(self, device: str | None) -> bool:
        if self._unit is None or device is None:
            return True
        if device not in self._own:
            self._own[device] = device_token(self._services, self._system, device) == self._unit.device
        return self._own[device]

    def refusal(self, item: Item, device: str | None) -> Answer | None:
        """`device`: of which unit it is, if anything says so; what does not say it waits as it would from anybody."""
        if self.may_speak_of(device):
            return None
        return Answer(fate="refused", pointer=item.pointer, code=ANOTHER_UNIT, hint=ANOTHER_UNIT_HINT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A unit that is to have a credential: whose it is, what it sends through, which one it is, whether it signs each batch."""

    owner: Client
    adapter: str
    identifier: str
    signs: bool

    def token(self, services: Services) -> bytes:
        return device_token(services, adapters()[self.adapter].manifest.identifier_system, self.identifier)


async def credential(services: Services, unit: Unit, jwks: Mapping[str, Any]) -> Client:
    """A new registration for the unit with these public keys. Raises ValueError where its owner may send nothing in."""
    client_id = f"unit-{services.new_id()}"
    key = await services.vault.key(None)
    sealed = services.vault.seal(key, UNIT_TYPE, client_id, 1, None, unit.identifier.encode())
    bound = UnitOf(owner=unit.owner.client_id, adapter=unit.adapter, device=unit.token(services), sealed=sealed, key_version=key.version)
    made = Client(
        client_id=client_id,
        name=f"a unit of {unit.owner.name}",
        scopes=_scopes(unit.owner),
        organization=unit.owner.organization,
        purpose=unit.owner.purpose,
        consent_default=unit.owner.consent_default,
        recorder=False,
        importer=False,
        jwks=jwks,
        jwks_uri=None,
        created_us=services.clock(),
        unit=bound,
        signs=unit.signs,
    )
    return made.under(unit.owner)


async def identifier_of(services: Services, client: Client) -> str:
    """What the vendor calls the unit, for people."""
    if client.unit is None:
        raise ValueError("this is no unit's credential")
    key = await services.vault.key(None)
    return services.vault.open_sealed(key, UNIT_TYPE, client.client_id, 1, None, client.unit.sealed).decode()


def _scopes(owner: Client) -> str:
    """To create what readings become, as far as the owner may; nothing is ever read."""
    wanted = " ".join(f"system/{type}.c" for type in sorted(BUILDERS))
    try:
        return narrow(Scopes.parse(wanted), owner.granted).text()
    except ScopeSyntax:
        raise ValueError(NO_SCOPE) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """What a one-time code stands for. Nobody has the code but whom it was given to: its note lies under a keyed hash of it.

    credential   of the unit that gets new keys; None: it gets its first ones
    overlap_us   how long its old keys stay good
    """

    owner: str
    adapter: str
    identifier: str
    signs: bool
    credential: str | None = None
    overlap_us: int = 0


class Invitations:
    def __init__(self, services: Services) -> None:
        self._services, self._notebook = services, Notebook(services, INVITED)

    async def invite(self, code: str, invitation: Invitation, expires_us: int) -> NoteWrite:
        content = {name: getattr(invitation, name) for name in Invitation.__dataclass_fields__}
        return await self._notebook.write(await self._notebook.read(code), content, expires_us)

    async def find(self, code: str) -> tuple[Page, Invitation | None]:
        """None for a code that nobody gave, one that was used, and one that has expired."""
        page = await self._notebook.read(plain_code(code))
        return page, Invitation(**page.content) if page.content.get("owner") else None

    async def used(self, page: Page) -> NoteWrite:
        """Of two who use it at once, one meets the other's mark; it is forgotten when it would have expired."""
        return await self._notebook.write(page, {}, None if page.note is None else page.note.expires_us)


def new_code(random: bytes) -> str:
    """To be typed or scanned: CODE_BYTES random bytes in letters and digits, in groups of four."""
    letters = base64.b32encode(random).decode()
    return "-".join(letters[start : start + 4] for start in range(0, len(letters), 4))


def plain_code(code: str) -> str:
    """As it was given, however it was typed."""
    letters = "".join(letter for letter in code.upper() if letter.isalnum())
    return "-".join(letters[start : start + 4] for start in range(0, len(letters), 4))


async def credential_mark(services: Services, device: bytes) -> NoteWrite:
    """For `Unit.notes` of whoever gives a unit a credential: two at once do not both do it."""
    notebook = Notebook(services, CREDENTIALS)
    return await notebook.write(await notebook.read(device.hex()), {})
