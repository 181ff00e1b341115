"""What a load consists of: who there is, which devices they wear, and which payloads their vendors send. Pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Final

from hub.demo import payloads, signals
from hub.demo.cast import DeviceKind
from hub.demo.chance import chance
from hub.demo.people import Person, people

PAIRED_FROM: Final = date(2020, 1, 1)
"""All devices are paired from here on, without end, so that any load finds the pairings of an earlier one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Demo:
    """What was asked for. `until`: the first day that has no readings any more (Europe/Paris)."""

    seed: int
    patients: int
    days: int
    until: date

    @property
    def first(self) -> date:
        return self.until - timedelta(days=self.days)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of device.

    adapter           which adapter reads its payloads
    maker, product    go to Device.manufacturer and its name
    days              how many days one payload covers
    identifier        the unit, in the adapter's own space
    payload           identifier, patient and days -> bytes as the vendor sends them
    """

    adapter: str
    maker: str
    product: str
    days: int
    identifier: Callable[[Random], str]
    payload: Callable[[str, Person, Sequence[date]], bytes]


def _hex(random: Random, octets: int) -> str:
    return random.randbytes(octets).hex()


def _eui64(random: Random) -> str:
    """The first octet says "locally administered": such an address is assigned to no maker."""
    return "-".join(f"{octet:02X}" for octet in (0x02, *random.randbytes(7)))


def _serial(random: Random) -> str:
    return "-".join(_hex(random, octets) for octets in (4, 2, 2, 2, 6)).upper()


def _weights(device: str, one: Person, days: Sequence[date]) -> bytes:
    return payloads.withings_weights(device, (made for day in days for made in signals.weighings(one, day)))


def _pressures(device: str, one: Person, days: Sequence[date]) -> bytes:
    return payloads.withings_pressures(device, (made for day in days for made in signals.pressures(one, day)))


def _glucose(device: str, one: Person, days: Sequence[date]) -> bytes:
    return payloads.libreview(device, [made for day in days for made in signals.glucose(one, day)])


def _frames(device: str, one: Person, days: Sequence[date]) -> bytes:
    return payloads.gatt(device, (made for day in days for made in signals.pressures(one, day)))


KINDS: Mapping[DeviceKind, Kind] = {
    "withings-scale": Kind(
        adapter="withings", maker="Withings", product="Body+ (demo)", days=90, identifier=lambda r: _hex(r, 20), payload=_weights
    ),
    "withings-cuff": Kind(
        adapter="withings", maker="Withings", product="BPM Connect (demo)", days=90, identifier=lambda r: _hex(r, 20), payload=_pressures
    ),
    "libre-sensor": Kind(
        adapter="libreview", maker="Abbott", product="FreeStyle Libre 3 (demo)", days=10, identifier=_serial, payload=_glucose
    ),
    "ble-cuff": Kind(adapter="gatt", maker="Brassard de démonstration", product="BD-1 (demo)", days=90, identifier=_eui64, payload=_frames),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A unit that a patient of the demo wears."""

    one: Person
    kind: Kind
    identifier: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One payload of one device; `body` makes it when it is wanted."""

    device: Device
    days: tuple[date, ...]

    def body(self) -> bytes:
        return self.device.kind.payload(self.device.identifier, self.device.one, self.days)


def devices(one: Person) -> Iterator[Device]:
    for name in one.role.devices:
        kind = KINDS[name]
        yield Device(one=one, kind=kind, identifier=kind.identifier(chance(one.seed, one.number, "unit", name)))


def batches(demo: Demo) -> Iterator[Batch]:
    """Every payload of a load, patient by patient."""
    for one in people(demo.seed, demo.patients):
        for device in devices(one):
            for start in range(0, demo.days, device.kind.days):
                length = min(device.kind.days, demo.days - start)
                yield Batch(device=device, days=tuple(demo.first + timedelta(days=start + n) for n in range(length)))


def paired_from_us() -> int:
    return int(datetime.combine(PAIRED_FROM, datetime.min.time(), UTC).timestamp()) * 1_000_000
