"""What a person does with a command: clients, devices, pairings. Each act and its record commit together.

Recorded under the operating-system user and the reason given (DESIGN 4); no act asks a patient's consent, for the
operator sees no data, and each reading is decided anew when it comes in.
"""

import os
import pwd
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import orjson

from fhir_profiles.canonical import BASE
from fhir_profiles.device import device as device_resource
from hub.errors import FhirError
from hub.ingest.devices import binding, bindings, device_token
from hub.ingest.parts import paired_note, parts_of
from hub.ingest.registry import Registry
from hub.ingest.wearing import WHOLE, Binding, Use, contradict, overlap
from hub.recording import Recording, RequestFacts, Touched, write_of
from hub.repository.pairings import erased, readable
from hub.repository.patientless import patientless
from hub.repository.reading import patient_reference
from hub.repository.redoing import redoing
from hub.store.protocol import Claim, ClientWrite, NoteWrite, PairDevice, Pairing, Replace, Stored, Unit
from hub.vault import PAIRING_TYPE
from hub.wiring import Hub
from security.oauth.binding import MUST, must_be_bound
from security.oauth.clients import Client

T = TypeVar("T")

CHANGED = "others wrote to this device again and again, and nothing was changed; see hub device list, and try again"
HELD = (
    "a write that has not ended holds what is known of this device or this patient, perhaps that of a hub that was killed; nothing was "
    "changed. Try again in a minute: then the database has given such a write up"
)
UNKNOWN_MANUFACTURER = "unknown"
"""What the manifest of a format says that any maker may send."""
CLIENT_SYSTEM = f"{BASE}/client"


class OperatorError(Exception):
    """What a person asked for cannot be done; the text says why and what to do."""


def user_name() -> str:
    """The operating-system user: from the process, not from the environment, which anybody can set."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Paired:
    """For people and scripts: what `hub device pair` did."""

    pairing: str
    device: str
    registered: bool


class Operator:
    """`user`: who acts, where that is not whoever runs this process."""

    def __init__(self, hub: Hub, reason: str | None = None, *, user: str | None = None) -> None:
        self._user = user
        self._hub = hub
        self._services = hub.services
        self._reason = reason

    def recording(self, kind: str, *, path: str | None = None, query: str = "") -> Recording:
        """`path` and `query`: what it is done to, where that is no resource, as a request for it would say it."""
        who = self._user or user_name()
        facts = RequestFacts(request_id=self._services.new_id(), interaction=kind, user=who, reason=self._reason, path=path, query=query)
        return Recording(kind, None, facts, self._services)

    async def add_client(self, client: Client, organization_name: str | None) -> Client:
        """Register a client; without an organisation it gets one of its own, so that none is shared by accident."""
        async with self.recording("client-add", path=f"/clients/{client.client_id}") as recording:
            return await self._added(client, organization_name, recording)

    async def _added(self, client: Client, organization_name: str | None, recording: Recording, notes: Sequence[NoteWrite] = ()) -> Client:
        """With `notes`, in one transaction with the record. Raises OperatorError, Conflict."""
        services = self._services
        if must_be_bound(client, production=services.settings.profile == "production") and client.binding == "none":
            raise OperatorError(MUST)
        inserts: tuple[Stored, ...] = ()
        if not client.organization:
            stored = await self._made("Organization", services.new_id(), organization_of(client, organization_name))
            inserts = (stored,)
            client = replace(client, organization=stored.row)
            recording.touch(_operated(stored, None))
        elif await services.resolve(*client.organization.split("/", 1)) is None:
            raise OperatorError(f"{client.organization} is not stored in this hub; create it, or leave --organization out.")
        unit = Unit(inserts=inserts, clients=(ClientWrite(new=client),), notes=notes)
        await recording.commit(unit, writes=[write_of(stored) for stored in inserts])
        return client

    async def revoke_client(self, client_id: str) -> bool:
        """Revoking twice keeps the first time."""
        now_us = self._services.clock()
        await self.change_client(
            "client-revoke", client_id, lambda client: replace(client, revoked_us=client.revoked_us or now_us), revoked_too=True
        )
        return True

    async def change_client(self, kind: str, client_id: str, change: Callable[[Client], Client], *, revoked_too: bool = False) -> Client:
        """Change a registration and record it, in one transaction. `change` raises ValueError with a text for the person."""
        registry = Registry(self._services, self._hub.oauth)
        async with self.recording(kind, path=f"/clients/{client_id}") as recording:
            try:
                return await registry.change(client_id, change, recording, revoked_too=revoked_too)
            except ValueError as error:
                raise OperatorError(str(error)) from error

    async def pair(
        self,
        *,
        system: str,
        manufacturer: str,
        product: str,
        identifier: str,
        patient: str,
        from_us: int | None,
        to_us: int | None,
        use: Use = WHOLE,
    ) -> Paired:
        """Bind a unit to a patient for a period; a unit that is new is registered first."""

        async def step(recording: Recording) -> Paired:
            return await self._pair(recording, system, manufacturer, product, identifier, patient, from_us, to_us, use)

        return await self._redone("pair", device_token(self._services, system, identifier), step)

    async def _redone(self, kind: str, device: bytes, step: Callable[[Recording], Awaitable[T]]) -> T:
        """One act over a device, made again while others write to it. Raises OperatorError where they do not come to an end."""
        try:
            async with self.recording(kind) as recording:

                async def once() -> T:
                    recording.forget()
                    return await step(recording)

                return await redoing(once, lambda: (device.hex(),), self._services.turns, changed=CHANGED)
        except FhirError as error:
            raise OperatorError(HELD if error.code == "lock-error" else str(error)) from error

    async def _pair(
        self,
        recording: Recording,
        system: str,
        manufacturer: str,
        product: str,
        identifier: str,
        patient: str,
        from_us: int | None,
        to_us: int | None,
        use: Use,
    ) -> Paired:
        services = self._services
        token, row = device_token(services, system, identifier), ""
        patient_token = await self._patient(patient)
        unit = Unit()
        row = await services.store.claim(token) or ""
        before = await services.store.current(row, deleted=True) if row else None
        if registered := before is None or bool(before.deleted):
            known = None if manufacturer == UNKNOWN_MANUFACTURER else manufacturer
            content = device_resource(identifier_system=system, identifier=identifier, manufacturer=known, name=product)
            unit = await self._registered(content, token, before)
            row = (unit.inserts or [one.new for one in unit.replaces])[0].row
        unit.notes = [await self._repaired(token)]
        pairing = await self._pairing(token, row, patient, patient_token, from_us, to_us, use)
        others = [one for one in await services.store.pairings(token) if one.id != pairing.id]
        (made,) = await bindings(services, [pairing])
        for other in await bindings(services, others):
            refuse_contradiction(made, other)
        parts = await parts_of(services, row)
        gone = await erased(services, [row, *parts], (one.patient for one in others))
        patients = tuple(sorted({patient_token, *(one.patient for one in others)} - gone))
        recording.touch(Touched(reference=row, version=None, patient=patient_token, patient_reference=patient, basis="operator"))
        paired = PairDevice(pairing=pairing, device_row=row, device_patients=patients, parts=parts, erased=tuple(sorted(gone)))
        unit.pairings = (paired,)
        await recording.commit(unit, writes=[write_of(stored) for stored in (*unit.inserts, *(one.new for one in unit.replaces))])
        return Paired(pairing=pairing.id, device=row, registered=registered)

    async def _registered(self, content: Mapping[str, Any], token: bytes, before: Stored | None) -> Unit:
        """A unit's Device, new or brought back from its tombstone; who wore it before is still asked before it is shown."""
        if before is None:
            made = await self._made("Device", self._services.new_id(), content)
            return Unit(inserts=(made,), claims=(Claim(key=token, value=made.row),))
        made = await self._made("Device", before.id, content, before.version + 1)
        return Unit(replaces=(Replace(new=made._replace(others=before.others), old=before),))

    async def unpair(self, *, system: str, identifier: str, to_us: int, patient: str | None = None, user_index: int | None = None) -> int:
        """End the pairings of a unit that are open at `to_us`; what was read before stays where it is.

        patient, user_index  only those of this patient, of this index; needed where several patients have the unit
        """
        token = device_token(self._services, system, identifier)

        async def step(recording: Recording) -> int:
            return await self._unpair(recording, token, to_us, patient, user_index)

        return await self._redone("unpair", token, step)

    async def _unpair(self, recording: Recording, token: bytes, to_us: int, patient: str | None, user_index: int | None) -> int:
        services = self._services
        note = await self._repaired(token)
        row = await services.store.claim(token)
        known = await services.store.pairings(token)
        told = [(one, said, binding(one, said)) for one, said in await readable(services, known)]
        ended = [(one, said) for one, said, of in told if overlap(of, to_us, to_us + 1) and _is_meant(of, patient, user_index)]
        if row is None or not ended:
            raise OperatorError("this device has no such pairing that is open at that time")
        if patient is None and user_index is None and len({one.patient for one, _ in ended}) > 1:
            raise OperatorError("several patients have this device at that time; say whose pairing ends with --patient or --user-index")
        wearers = {pairing.patient for pairing in known}
        still = tuple(sorted(wearers - await erased(services, [], wearers)))
        changes = []
        for pairing, references in ended:
            recording.touch(
                Touched(
                    reference=row,
                    version=None,
                    patient=pairing.patient,
                    patient_reference=references["patient"],
                    basis="operator",
                )
            )
            changes.append(PairDevice(pairing=replace(pairing, to_us=to_us), device_row=row, device_patients=still))
        await recording.commit(Unit(pairings=changes, notes=[note]), writes=())
        return len(ended)

    async def pairings(self, limit: int) -> list[dict[str, Any]]:
        """Every pairing with its references and its `user` or `shared`, for people."""
        async with self.recording("device-list") as recording:
            found = []
            for pairing, references in await readable(self._services, await self._services.store.all_pairings(limit)):
                recording.touch(
                    Touched(
                        reference=references["device"],
                        version=None,
                        patient=pairing.patient,
                        patient_reference=references["patient"],
                        basis="operator",
                    )
                )
                found.append({**references, "pairing": pairing.id, "from_us": pairing.from_us, "to_us": pairing.to_us})
        return found

    async def _patient(self, reference: str) -> bytes:
        type, _, id = reference.partition("/")
        token = self._services.blind.patient(id)
        if type != "Patient" or await self._services.store.grant(token) is None:
            raise OperatorError("this patient is not stored in this hub; write it as Patient/ID")
        return token

    async def _made(self, type: str, id: str, content: Mapping[str, Any], version: int = 1) -> Stored:
        """A resource of the operator's, sealed with the system key."""
        services = self._services
        services.check(content)
        made = patientless(services, await services.vault.key(None), f"{type}/{id}", version, content, id, services.clock())
        return made._replace(revived=version > 1)

    async def _repaired(self, token: bytes) -> NoteWrite:
        """The note that whoever changes the pairings of this unit writes, so that nobody decides by what is no longer so."""
        return await paired_note(self._services, token)

    async def _pairing(
        self, token: bytes, row: str, patient: str, patient_token: bytes, from_us: int | None, to_us: int | None, use: Use
    ) -> Pairing:
        services = self._services
        # The same device, patient, use and beginning is the same pairing: pairing twice changes its end, and makes no second.
        named = "" if use.whole else f"|{use.user_index}|{use.shared}"
        id = services.blind.id("pairing", f"{token.hex()}|{patient_token.hex()}|{from_us}{named}")
        key = await services.vault.key(patient_token)
        used = {"user": use.user_index} if use.user_index is not None else {"shared": True} if use.shared else {}
        plain = orjson.dumps({"device": row, "patient": patient, **used})
        return Pairing(
            id=id,
            device=token,
            patient=patient_token,
            from_us=from_us,
            to_us=to_us,
            sealed=services.vault.seal(key, PAIRING_TYPE, id, 1, patient_token, plain),
            key_version=key.version,
        )


def organization_of(client: Client, name: str | None) -> dict[str, Any]:
    """The organisation that a client brings with it, findable by the client's id."""
    return {
        "resourceType": "Organization",
        "identifier": [{"system": CLIENT_SYSTEM, "value": client.client_id}],
        "active": True,
        "name": name or client.name,
    }


def refuse_contradiction(made: Binding, other: Binding) -> None:
    """Raises OperatorError where a reading could have two owners."""
    if not contradict(made, other):
        return
    if made.use.whole or other.use.whole:
        raise OperatorError(
            "the device is paired with another patient, or in another way, in this period; end that pairing first. "
            "Several people who use one device are paired with --user-index, or with --shared where it does not tell them apart"
        )
    raise OperatorError("another patient has this user index of the device in this period; end that pairing first")


def _is_meant(binding: Binding, patient: str | None, user_index: int | None) -> bool:
    return patient in (None, binding.patient_reference) and user_index in (None, binding.use.user_index)


def _operated(stored: Stored, content: Mapping[str, Any] | None) -> Touched:
    return Touched(
        reference=stored.row,
        version=stored.version,
        patient=stored.patient,
        patient_reference=None if content is None else patient_reference(content),
        basis="operator",
    )


__all__: Sequence[str] = ("Operator", "OperatorError", "Paired", "user_name")
