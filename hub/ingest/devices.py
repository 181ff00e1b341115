"""Who wore which device when: pairings looked up once per batch, and made by `hub device pair`."""

from collections.abc import Iterable
from dataclasses import dataclass

from hub.repository.pairings import open_pairing
from hub.services import Services
from hub.store.protocol import Pairing


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """A pairing opened: the device and the patient by reference, for the period [from_us, to_us)."""

    patient: bytes
    patient_reference: str
    device_reference: str
    from_us: int | None
    to_us: int | None

    def covers(self, first_us: int, last_us: int) -> bool:
        """What lasts has to lie within the pairing as a whole: the rest may be somebody else's."""
        return (self.from_us is None or first_us >= self.from_us) and (self.to_us is None or last_us < self.to_us)


def device_token(services: Services, system: str, identifier: str) -> bytes:
    """The pseudonym of a unit; unique in `claims`, so that one unit is one Device."""
    return services.blind.token("device-unit", f"{system}|{identifier}")


class Bindings:
    """The pairings of the devices in one batch."""

    def __init__(self, services: Services, system: str) -> None:
        self._services = services
        self._system = system
        self._of: dict[str, list[Binding]] = {}

    @property
    def patients(self) -> frozenset[bytes]:
        return frozenset(binding.patient for bindings in self._of.values() for binding in bindings)

    async def load(self, identifiers: Iterable[str | None]) -> None:
        for identifier in identifiers:
            if identifier is not None:
                found = await self._services.store.pairings(device_token(self._services, self._system, identifier))
                self._of[identifier] = [await self._opened(pairing) for pairing in found]

    def worn_by(self, identifier: str, first_us: int, last_us: int) -> Binding | None:
        """The one who had the device then. Two at once is nobody: the hub never guesses."""
        worn = [binding for binding in self._of.get(identifier, ()) if binding.covers(first_us, last_us)]
        if len(worn) == 1:
            return worn[0]
        return worn[0] if len({binding.patient for binding in worn}) == 1 else None

    async def _opened(self, pairing: Pairing) -> Binding:
        references = await open_pairing(self._services, pairing)
        return Binding(
            patient=pairing.patient,
            patient_reference=references["patient"],
            device_reference=references["device"],
            from_us=pairing.from_us,
            to_us=pairing.to_us,
        )
