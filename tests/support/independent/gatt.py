"""Values of Bluetooth's health characteristics, octet by octet, as a phone or gateway relays them."""

import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, Final

from tests.support.independent.said import MDC, SNOMED, Said, at, coded, loinc, mdc, ours, quantity

_TICK_MS: Final = Decimal(1000) / 1024
_FINGER: Final = f"{SNOMED}|7569003"
_FINGER_TYPE: Final = 4
_SPECIMEN: Final = {1: "2339-0", 3: "2339-0", 5: "2339-0", 7: "2339-0", 2: "2345-7", 4: "2345-7", 6: "2345-7", 8: "2345-7", 9: "99504-3"}
_SPECIMEN_MDC: Final = {1: "160184", 2: "160188", 3: "160192", 4: "160196", 5: "160200", 6: "160204", 7: "", 8: "160368", 9: "160212"}
_MEALS: Final = {1: "8417868", 2: "8417872", 3: "8417876"}
_TESTERS: Final = {1: "8417888"}
_HEALTH: Final = {5: "8417840"}
_FACTS: Final = ("2A29",)
_SESSION: Final = "2AAA"


@dataclass
class Octets:
    """What is left of a value; numbers are little-endian."""

    left: bytes
    known: dict[str, Any] = field(default_factory=dict)

    def number(self, size: int = 1, *, signed: bool = False) -> int:
        taken, self.left = self.left[:size], self.left[size:]
        assert len(taken) == size, "too short"
        return int.from_bytes(taken, "little", signed=signed)

    def sfloat(self, power: int = 0) -> str:
        """Mantissa of twelve bits, exponent of four."""
        bits = self.number(2)
        mantissa, exponent = bits & 0x0FFF, bits >> 12
        mantissa, exponent = mantissa - 0x1000 if mantissa > 0x07FF else mantissa, exponent - 16 if exponent > 7 else exponent
        return f"{Decimal(mantissa).scaleb(exponent + power):f}"

    def float32(self) -> str:
        mantissa = self.number(3, signed=True)
        return f"{Decimal(mantissa).scaleb(self.number(signed=True)):f}"

    def scaled(self, step: str) -> str:
        return f"{self.number(2) * Decimal(step):f}"

    def moment(self) -> datetime | None:
        """A year of 0 is not known."""
        year, month, day, hour, minute, second = struct.unpack("<HBBBBB", self.left[:7])
        self.left = self.left[7:]
        return datetime(year, month, day, hour, minute, second) if year else None  # noqa: DTZ001 -- a wall clock


def gatt(payload: bytes) -> Iterator[Said]:
    """Bluetooth GATT Specification Supplement, https://www.bluetooth.com/specifications/gss/: each value by its flags.

    SFLOAT and FLOAT are those of IEEE 11073-20601. A value without a time of the device's has that at which the phone received it; a
    context of glucose (2A34) that of the glucose with its sequence number; a CGM value (2AA7) counts from the start of the sensor (2AAA).
    The second packet of a body composition belongs to the one before it.
    """
    known: dict[str, Any] = {}
    frames = list(_frames(payload))
    for frame in sorted(frames, key=lambda one: _uuid(one) not in (_SESSION, "2A18")):
        device = _device(frame.get("deviceInfo", {}))
        for said in _value(frame, known.setdefault(device, {})):
            yield replace(said, start=said.start or at(frame.get("receivedAt")), device=device)


def _frames(payload: bytes) -> Iterator[dict[str, Any]]:
    try:
        read = json.loads(payload)
    except json.JSONDecodeError:
        yield from (json.loads(line) for line in payload.splitlines())
        return
    yield from read["frames"] if isinstance(read, dict) else read


def _uuid(frame: dict[str, Any]) -> str:
    return str(frame["characteristic"]).removesuffix("-0000-1000-8000-00805f9b34fb")[-4:].upper()


def _device(told: dict[str, str]) -> str:
    for name in ("systemId", "macAddress"):
        if name in told:
            text = told[name].replace(":", "").replace("-", "").upper()
            return "-".join(text[place : place + 2] for place in range(0, len(text), 2))
    return told.get("serialNumber", "")


def _value(frame: dict[str, Any], known: dict[str, Any]) -> Iterator[Said]:
    name = _uuid(frame)
    try:
        octets = Octets(bytes.fromhex(frame["hex"]), known)
        yield from list(_READ[name](octets)) if name in _READ else [Said(code=f"gatt|{name}")] if name not in _FACTS else []
    except (ValueError, AssertionError):
        yield Said(code=f"gatt|{name}", value="cannot be read")


def _blood_pressure(octets: Octets) -> Iterator[Said]:
    """Flags: 1 kPa, 2 time stamp, 4 pulse rate."""
    flags = octets.number()
    unit = "kPa" if flags & 1 else "mm[Hg]"
    parts = [(loinc(code), quantity(octets.sfloat(), unit)) for code in ("8480-6", "8462-4", "8478-0")]
    start = at(octets.moment() if flags & 2 else None)
    yield Said(code=loinc("85354-9"), parts=tuple(sorted(parts)), start=start)
    if flags & 4:
        yield Said(code=loinc("8867-4"), value=quantity(octets.sfloat(), "/min"), start=start)


def _temperature(octets: Octets) -> Iterator[Said]:
    """Flags: 1 Fahrenheit, 2 time stamp, 4 type of the place."""
    flags = octets.number()
    value = quantity(octets.float32(), "[degF]" if flags & 1 else "Cel")
    start = at(octets.moment() if flags & 2 else None)
    yield Said(code=loinc("8310-5"), value=value, start=start, site=_FINGER if flags & 4 and octets.number() == _FINGER_TYPE else "")


def _heart_rate(octets: Octets) -> Iterator[Said]:
    """Flags: 1 sixteen bits, 8 energy expended in kJ, 16 RR intervals in 1/1024 s."""
    flags = octets.number()
    yield Said(code=loinc("8867-4"), value=quantity(octets.number(2 if flags & 1 else 1), "/min"))
    if flags & 8:
        yield Said(code=ours("energy-expended"), value=quantity(octets.number(2), "kJ"))
    while flags & 16 and octets.left:
        yield Said(code=mdc("147240"), value=quantity(f"{octets.number(2) * _TICK_MS:f}", "ms"))


def _weight(octets: Octets) -> Iterator[Said]:
    """Flags: 1 pounds, 2 time stamp, 4 user, 8 body mass index and height. Steps of 5 g, 0.1 kg/m2 and 1 mm."""
    flags = octets.number()
    assert not flags & 1
    value = octets.scaled("0.005")
    start = at(octets.moment() if flags & 2 else None)
    octets.number(1 if flags & 4 else 0)
    yield Said(code=loinc("29463-7"), value=quantity(value, "kg"), start=start)
    if flags & 8:
        yield Said(code=loinc("39156-5"), value=quantity(octets.scaled("0.1"), "kg/m2"), start=start)
        yield Said(code=loinc("8302-2"), value=quantity(octets.scaled("0.001"), "m"), start=start)


_COMPOSITION: Final = (
    (0x008, ours("basal-metabolic-rate"), "1", "kJ/d"),
    (0x010, loinc("73965-6"), "0.1", "%"),
    (0x020, loinc("73964-9"), "0.005", "kg"),
    (0x040, loinc("91557-9"), "0.005", "kg"),
    (0x080, ours("soft-lean-mass"), "0.005", "kg"),
    (0x100, loinc("101683-1"), "0.005", "kg"),
    (0x200, ours("body-impedance"), "0.1", "Ohm"),
    (0x400, loinc("29463-7"), "0.005", "kg"),
    (0x800, loinc("8302-2"), "0.001", "m"),
)
_MORE_PACKETS: Final = 0x1000


def _body_composition(octets: Octets) -> Iterator[Said]:
    """Flags: 1 pounds, 2 time stamp, 4 user, then one for each figure in its order; 0x1000 the value goes on in another packet."""
    flags = octets.number(2)
    assert not flags & 1
    fat = octets.scaled("0.1")
    second = flags & _MORE_PACKETS and "composition" in octets.known
    start = octets.known["composition"] if second else at(octets.moment() if flags & 2 else None)
    octets.number(1 if flags & 4 else 0)
    octets.known["composition"] = start
    if not second:
        yield Said(code=loinc("41982-0"), value=quantity(fat, "%"), start=start)
    for flag, code, step, unit in _COMPOSITION:
        if flags & flag:
            yield Said(code=code, value=quantity(octets.scaled(step), unit), start=start)


def _glucose(octets: Octets) -> Iterator[Said]:
    """Flags: 1 time offset in minutes, 2 concentration with type and place, 4 mol/L instead of kg/L."""
    flags, sequence, base = octets.number(), octets.number(2), octets.moment()
    assert base
    start = at(base + timedelta(minutes=octets.number(2, signed=True) if flags & 1 else 0))
    octets.known[f"glucose {sequence}"] = start
    value = quantity(octets.sfloat(3), "mmol/L") if flags & 4 else quantity(octets.sfloat(5), "mg/dL")
    kind = octets.number()
    named = _SPECIMEN_MDC[kind & 0x0F]
    site = _FINGER if kind >> 4 == 1 else ""
    yield Said(code=mdc(named) if named else loinc(_SPECIMEN[kind & 0x0F]), value=value, start=start, site=site)


def _context(octets: Octets) -> Iterator[Said]:
    """Flags: 1 carbohydrate in kg, 2 meal, 4 tester and health, 8 exercise, 16 medication (kg or, with 32, L), 64 HbA1c, 128 more flags."""
    flags, sequence = octets.number(), octets.number(2)
    octets.number(1 if flags & 128 else 0)
    start = octets.known.get(f"glucose {sequence}")
    if start is None:
        yield Said(code="gatt|2A34", value="of no glucose")
        return
    if flags & 1:
        octets.number()
        yield Said(code=loinc("9059-7"), value=quantity(octets.sfloat(3), "g"), start=start)
    if flags & 2:
        yield Said(code=mdc("8417864"), value=coded(MDC, _MEALS[octets.number()]), start=start)
    if flags & 4:
        both = octets.number()
        yield Said(code=mdc("8417884"), value=coded(MDC, _TESTERS[both & 0x0F]), start=start)
        yield Said(code=mdc("8417820"), value=coded(MDC, _HEALTH[both >> 4]), start=start)
    if flags & 8:
        yield Said(code=loinc("55411-3"), value=quantity(octets.number(2), "s"), start=start)
        yield Said(code=mdc("8417760"), value=quantity(octets.number(), "%"), start=start)
    if flags & 16:
        octets.number()
        yield Said(code="gatt|medication", value=octets.sfloat(), start=start)
    if flags & 64:
        yield Said(code=loinc("4548-4"), value=quantity(octets.sfloat(), "%"), start=start)


def _session(octets: Octets) -> Iterator[Said]:
    """Date and time, zone in quarters of an hour, summer time in quarters too."""
    start, zone, summer = octets.moment(), octets.number(signed=True), octets.number()
    assert start
    octets.known["session"] = start.replace(tzinfo=timezone(timedelta(minutes=15 * (zone + summer))))
    return iter(())


def _cgm(octets: Octets) -> Iterator[Said]:
    """Size, flags, glucose in mg/dL, minutes since the start."""
    octets.number(2)
    value = quantity(octets.sfloat(), "mg/dL")
    yield Said(code=loinc("99504-3"), value=value, start=at(octets.known["session"] + timedelta(minutes=octets.number(2))))


def _oximetry(octets: Octets) -> Iterator[Said]:
    """Flags: 1 time stamp, 2 status of the measurement, 4 of the device, 8 pulse amplitude index."""
    flags = octets.number()
    saturation, rate = octets.sfloat(), octets.sfloat()
    start = at(octets.moment() if flags & 1 else None)
    octets.number(2 if flags & 2 else 0)
    octets.number(3 if flags & 4 else 0)
    yield Said(code=loinc("2708-6"), value=quantity(saturation, "%"), start=start)
    yield Said(code=mdc("149530"), value=quantity(rate, "/min"), start=start)
    if flags & 8:
        yield Said(code=loinc("61006-3"), value=quantity(octets.sfloat(), "%"), start=start)


_READ: Final = {
    "2A35": _blood_pressure,
    "2A1C": _temperature,
    "2A37": _heart_rate,
    "2A9D": _weight,
    "2A9C": _body_composition,
    "2A18": _glucose,
    "2A34": _context,
    "2AAA": _session,
    "2AA7": _cgm,
    "2A5E": _oximetry,
}
