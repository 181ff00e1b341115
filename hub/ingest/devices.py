"""Who wore which device when: pairings looked up once per batch, and made by `hub device pair`."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import chain
from typing import Any

from fhir_profiles.measurement import Measurement
from hub.ingest.wearing import NOBODY, Binding, Holder, Use, holder
from hub.repository.pairings import readable
from hub.services import Services
from hub.store.protocol import Pairing
from hub.units.registered import unit_token as device_token

__all__ = ["Binding", "Bindings", "bind", "binding", "bindings", "device_token"]


class Bindings:
    """The pairings of the devices in one batch."""

    def __init__(self, services: Services, system: str) -> None:
        self._services = services
        self._system = system
        self._of: dict[str, list[Binding]] = {}
        self.read: dict[bytes, frozenset[Pairing]] = {}
        """By the unit's token, as they were read: for `Decided.pairings`."""

    def forget(self) -> None:
        """They are asked anew."""
        self._of.clear()
        self.read = {}

    @property
    def patients(self) -> frozenset[bytes]:
        return frozenset(binding.patient for bindings in self._of.values() for binding in bindings)

    async def load(self, identifiers: Iterable[str | None]) -> None:
        for identifier in identifiers:
            if identifier is not None:
                token = device_token(self._services, self._system, identifier)
                found = await self._services.store.pairings(token)
                self.read[token] = frozenset(found)
                self._of[identifier] = await bindings(self._services, found)

    def worn_by(self, identifier: str, user: int | None, first_us: int, last_us: int) -> Holder:
        """The one who had the device then, or those of whom it was one: the hub never guesses."""
        found = self._of.get(identifier)
        return holder(found, user, first_us, last_us) if found else NOBODY

    def all(self) -> Iterable[Binding]:
        """Every pairing of the devices in the batch."""
        return chain.from_iterable(self._of.values())

    @property
    def units(self) -> frozenset[str]:
        """Their Devices."""
        return frozenset(binding.device_reference for binding in self.all())

    def wearing(self, identifier: str, at_us: int) -> frozenset[bytes]:
        """Everybody who has the unit then, however they share it."""
        return frozenset(one.patient for one in self._of.get(identifier, ()) if one.covers(at_us, at_us))


async def bindings(services: Services, pairings: Iterable[Pairing]) -> list[Binding]:
    """Opened; those of whoever was erased are nobody's any more."""
    return [binding(pairing, said) for pairing, said in await readable(services, pairings)]


def binding(pairing: Pairing, references: Mapping[str, Any]) -> Binding:
    return Binding(
        patient=pairing.patient,
        patient_reference=references["patient"],
        device_reference=references["device"],
        from_us=pairing.from_us,
        to_us=pairing.to_us,
        use=Use(user_index=references.get("user"), shared=references.get("shared", False)),
    )


def bind(measured: Measurement, binding: Binding, source: str, *, manual: bool) -> Measurement:
    """The measurement with its patient and, unless a person typed it in, its device; and who read it (`adapter_uri`)."""
    device = None if manual else binding.device_reference
    return replace(measured, patient=binding.patient_reference, device=device, source=source)
