"""Device resources: which unit they are, and what they say of it."""

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from adapters.device_facts import DeviceFacts
from adapters.fhir.bundle import Bundle, Entry
from adapters.fhir.terms import codings, names_in
from adapters.fhir.times import zoned
from adapters.json_fields import word
from adapters.json_values import Json, listed
from adapters.reading import DeviceTime
from adapters.refusal import ItemRefused
from fhir_profiles.canonical import MDC
from fhir_profiles.shapes.tables import PHD_IDENTIFIERS

(EUI_64_SYSTEM,) = (system for system, type in PHD_IDENTIFIERS.items() if type == "SYSID")
EUI_48_SYSTEMS = frozenset(system for system, type in PHD_IDENTIFIERS.items() if type in {"BTMAC", "ETHMAC"})
VERSIONS = {"531976": "firmware", "531975": "software", "531974": "hardware"}
"""Device.version.type in MDC: IEEE 11073-20601 MDC_ID_PROD_SPEC_FW, _SW, _HW."""
CLOCK = "67975"
"""MDC_ATTR_TIME_ABS: what the device's own clock showed when the gateway looked, the coincident time stamp of HL7's PHD guide."""
PARENTS_MAX = 8
FACTS_MARKS = (b'"Device"', b"<Device", b'"67975"')
"""A payload without any of these has no Device and no clock. A letter of JSON may be escaped; then a fact is missed, no reading."""
_EUI_64 = re.compile(r"[0-9A-F]{16}")
_EUI_48 = re.compile(r"[0-9A-F]{12}")

Identify = Callable[[Json], str | None]
"""A Device -> the unit's identifier in an adapter's space; None if it has none. Raises ItemRefused for one that cannot be read."""


def eui64(text: str) -> str | None:
    """An EUI-64 as HL7's PHD guide writes it, pairs in capitals with dashes; None for what is none."""
    return _dashed(text, _EUI_64)


def _dashed(text: str, form: re.Pattern[str]) -> str | None:
    digits = re.sub(r"[-:. ]", "", text).upper()
    if form.fullmatch(digits) is None or len(set(digits)) == 1:
        return None
    return "-".join(digits[place : place + 2] for place in range(0, len(digits), 2))


def identifiers(fields: Json) -> Iterator[tuple[str, str]]:
    """System and value of each identifier that has both."""
    for one in listed(fields, "identifier"):
        if type(one) is dict and (system := word(one, "system")) and (value := word(one, "value")):
            yield system, value


def system_id(fields: Json) -> str | None:
    """The EUI-64 under which the unit goes in IEEE 11073. Raises ItemRefused: device-not-readable."""
    for system, value in identifiers(fields):
        if system.lower() == EUI_64_SYSTEM:
            found = eui64(value)
            if found is None:
                raise ItemRefused(
                    "device-not-readable", "A system identifier has 16 hexadecimal digits that are not all alike.", keep=False
                )
            return found
    return None


def unit_of(bundle: Bundle, fields: Json, identify: Identify) -> tuple[str | None, Json | None]:
    """The unit that measured, and the Device that says so.

    An identifier at the reference itself counts; a DeviceMetric leads to its source, a part of a device to what it is part of.
    Raises ItemRefused as `identify` does.
    """
    reference = fields.get("device")
    if type(reference) is dict and type(reference.get("identifier")) is dict:
        logical: Json = {"resourceType": "Device", "identifier": [reference["identifier"]]}
        if (found := identify(logical)) is not None:
            return found, logical
    resource = bundle.follow(reference, inside=fields)
    for _ in range(PARENTS_MAX):
        if resource is None:
            return None, None
        found = identify(resource) if resource.get("resourceType") == "Device" else None
        if found is not None:
            return found, resource
        above = "source" if resource.get("resourceType") == "DeviceMetric" else "parent"
        resource = bundle.follow(resource.get(above), inside=resource)
    return None, None


def is_clock(fields: Json) -> bool:
    """Is it an Observation of a device's clock, which measures nobody?"""
    return any(coding["system"] == MDC and coding["code"] == CLOCK for coding in codings(fields.get("code")))


def facts(bundle: Bundle, identify: Identify) -> Iterator[DeviceFacts]:
    """What a Bundle says of devices: names, versions, and how their clocks stood."""
    for entry in bundle.entries:
        try:
            if entry.type == "Device":
                yield from described(entry, identify(entry.resource))
            elif entry.type == "Observation" and is_clock(entry.resource):
                yield from clock(bundle, entry, identify)
        except ItemRefused:
            continue


def described(entry: Entry, unit: str | None) -> Iterator[DeviceFacts]:
    """Nothing of a Device that says nothing of the unit, such as a channel."""
    fields = entry.resource
    said: dict[str, Any] = {
        "kind": _kind(fields),
        "manufacturer": _printable(fields, "manufacturer"),
        "model": _printable(fields, "modelNumber"),
        "serial_number": _printable(fields, "serialNumber"),
        "identifiers": tuple(_words(fields)),
        **_versions(fields),
    }
    if any(said.values()):
        yield DeviceFacts(device=unit, pointer=entry.pointer or "/identifier", **said)


def clock(bundle: Bundle, entry: Entry, identify: Identify) -> Iterator[DeviceFacts]:
    """Both times have an offset; what is compared is what the clocks on the wall showed in the same zone."""
    fields = entry.resource
    device = bundle.follow(fields.get("subject"), inside=fields)
    said = _time(fields, "effectiveDateTime")
    if device is None or said is None or said.instant is None:
        return
    shown = _time(fields, "valueDateTime")
    ahead = None if shown is None or shown.instant is None else _ahead(shown.instant, said.instant)
    yield DeviceFacts(device=identify(device), clock_ahead_s=ahead, said_at=said, pointer=entry.pointer or "/valueDateTime")


def _ahead(shown: datetime, said: datetime) -> int:
    return int((shown - said).total_seconds())


def _time(fields: Json, name: str) -> DeviceTime | None:
    text = word(fields, name)
    return None if text is None else zoned(text)


def _kind(fields: Json) -> str | None:
    """The first specialization by its reference identifier."""
    for one in listed(fields, "specialization"):
        for coding in codings(one.get("systemType") if type(one) is dict else None):
            for name in names_in(coding.get("display")):
                if name.startswith("MDC_"):
                    return name
    return None


def _versions(fields: Json) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for one in listed(fields, "version"):
        for coding in codings(one.get("type") if type(one) is dict else None):
            if coding["system"] == MDC and coding["code"] in VERSIONS and (value := _printable(one, "value")):
                found.setdefault(VERSIONS[coding["code"]], value)
    return found


def _words(fields: Json) -> Iterator[str]:
    for system, value in identifiers(fields):
        if system.lower() == EUI_64_SYSTEM and (long := eui64(value)):
            yield f"EUI-64 {long}"
        elif system in EUI_48_SYSTEMS and (short := _dashed(value, _EUI_48)):
            yield f"EUI-48 {short}"


def _printable(fields: Json, name: str) -> str | None:
    found = word(fields, name)
    return found if found is not None and found.isprintable() else None
