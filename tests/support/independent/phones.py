"""What phones export and relay: Apple Health's XML, frames of Bluetooth sensors."""

import json
import struct
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from tests.support.independent.said import OURS, SNOMED, Said, at, coded, loinc, mdc, ours, quantity

_APPLE: Final = {
    "HKQuantityTypeIdentifierHeartRate": (loinc("8867-4"), "/min"),
    "HKQuantityTypeIdentifierActiveEnergyBurned": (loinc("41981-2"), "kcal"),
    "HKQuantityTypeIdentifierAppleExerciseTime": (loinc("55411-3"), "min"),
    "HKQuantityTypeIdentifierAppleStandTime": (ours("stand-duration"), "min"),
}
_SLEEP: Final = {"HKCategoryValueSleepAnalysisInBed": "in-bed", "HKCategoryValueSleepAnalysisAsleepCore": "light"}
_PASCAL: Final = {0: "mm[Hg]", 1: "kPa"}
_TICK_MS: Final = Decimal(1000) / 1024
_FINGER, _FINGER_TYPE = f"{SNOMED}|7569003", 4


def apple_health(payload: bytes) -> Iterator[Said]:
    """https://developer.apple.com/documentation/healthkit/data_types: a Record has type, unit and value; each time says its offset.

    Core sleep is what Apple calls light sleep.
    """
    for record in ET.fromstring(payload).iter("Record"):  # noqa: S314 -- a file of ours
        start, end = (at(_apple_time(record.attrib[name])) for name in ("startDate", "endDate"))
        code, unit = _APPLE.get(record.attrib["type"], (ours("sleep-stage"), ""))
        value = record.attrib["value"]
        said = quantity(value, unit) if unit else coded(f"{OURS}/sleep-stage", _SLEEP[value])
        yield Said(code=code, value=said, start=start, end=end if end != start else "")


def gatt(payload: bytes) -> Iterator[Said]:
    """Bluetooth GATT Specification Supplement, https://www.bluetooth.com/specifications/gss/: 2A35, 2A1C, 2A37 by their flags.

    SFLOAT has a mantissa of twelve bits and an exponent of four, FLOAT one of 24 and eight (IEEE 11073-20601). A frame without a time of
    the device's has that at which the phone received it.
    """
    for frame in json.loads(payload):
        read = {"2A35": _pressure, "2A1C": _temperature, "2A37": _heart_rate}[frame["characteristic"]]
        for one in read(bytes.fromhex(frame["hex"])):
            yield replace(one, start=one.start or at(frame["receivedAt"]), device=frame["deviceInfo"]["serialNumber"])


def _pressure(octets: bytes) -> Iterator[Said]:
    """Flags: 1 kPa, 2 time stamp, 4 pulse rate, 8 user, 16 status. A year of 0 is not known, so that there is no time of the device's."""
    if len(octets) < 7:
        yield Said(code="gatt|2A35", value="too short")
        return
    flags, place = octets[0], 7
    unit = _PASCAL[flags & 1]
    parts = [(loinc(code), quantity(_sfloat(octets[1 + 2 * one :]), unit)) for one, code in enumerate(("8480-6", "8462-4", "8478-0"))]
    start = ""
    if flags & 2:
        start, place = _date_time(octets[place:]), place + 7
    yield Said(code=loinc("85354-9"), parts=tuple(sorted(parts)), start=start)
    if flags & 4:
        yield Said(code=loinc("8867-4"), value=quantity(_sfloat(octets[place:]), "/min"), start=start)


def _temperature(octets: bytes) -> Iterator[Said]:
    """Flags: 1 Fahrenheit, 2 time stamp, 4 type."""
    flags = octets[0]
    mantissa, exponent = int.from_bytes(octets[1:4], "little", signed=True), octets[4] - 256 if octets[4] > 127 else octets[4]
    unit = "[degF]" if flags & 1 else "Cel"
    site = _FINGER if flags & 4 and octets[-1] == _FINGER_TYPE else ""
    start = _date_time(octets[5:]) if flags & 2 else ""
    yield Said(code=loinc("8310-5"), value=quantity(f"{Decimal(mantissa).scaleb(exponent):f}", unit), start=start, site=site)


def _heart_rate(octets: bytes) -> Iterator[Said]:
    """Flags: 1 sixteen bits, 8 energy expended in kJ, 16 RR intervals in 1/1024 s."""
    flags, place = octets[0], 2
    rate = octets[1]
    if flags & 1:
        rate, place = struct.unpack_from("<H", octets, 1)[0], 3
    yield Said(code=loinc("8867-4"), value=quantity(rate, "/min"))
    if flags & 8:
        energy = struct.unpack_from("<H", octets, place)[0]
        place += 2
        yield Said(code=ours("energy-expended"), value=quantity(energy, "kJ"))
    if flags & 16:
        for (interval,) in struct.iter_unpack("<H", octets[place:]):
            yield Said(code=mdc("147240"), value=quantity(f"{interval * _TICK_MS:f}", "ms"))


def _date_time(octets: bytes) -> str:
    year, month, day, hour, minute, second = struct.unpack_from("<HBBBBB", octets)
    return at(datetime(year, month, day, hour, minute, second)) if year else ""  # noqa: DTZ001 -- a wall clock


def _sfloat(octets: bytes) -> str:
    (bits,) = struct.unpack_from("<H", octets)
    mantissa, exponent = bits & 0x0FFF, bits >> 12
    mantissa, exponent = mantissa - 0x1000 if mantissa > 0x07FF else mantissa, exponent - 16 if exponent > 7 else exponent
    return f"{Decimal(mantissa).scaleb(exponent):f}"


def _apple_time(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S %z").astimezone(UTC)
