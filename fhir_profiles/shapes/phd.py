"""HL7 Personal Health Device: Observations as a gateway would upload them. https://hl7.org/fhir/uv/phd/. Pure.

Each measurement has its MDC code, the category `phd`, the gateway that received it (the hub) and an identifier made of what it is,
for whoever stores it by conditional create. The digits and the scaling of the device stay as they are.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from fhir_profiles.canonical import MDC
from fhir_profiles.shapes.device import best_identifier, gateway, phd_device
from fhir_profiles.shapes.kept import About, Entry, Json, Kept, Left, NoPlace, Resource, Shaped
from fhir_profiles.shapes.parts import NO_LONGER_TRUE, absolute, codings, extension, flags, follow, named, span, with_extensions
from fhir_profiles.shapes.tables import PHD_CATEGORY, PHD_PROFILES, PHD_STATUS, PHD_STATUS_SYSTEM

GATEWAY: Final = "http://hl7.org/fhir/StructureDefinition/observation-gatewayDevice"
CONDITIONAL: Final = f"{PHD_PROFILES}PhdBaseObservation"
SUPPLEMENT: Final = "68193"
"""MDC_ATTR_SUPPLEMENTAL_TYPES"""
KINDS: Final = (
    ("valueQuantity", "PhdNumericObservation"),
    ("valueSampledData", "PhdRtsaObservation"),
    ("valueCodeableConcept", "PhdCodedEnumerationObservation"),
    ("valueString", "PhdStringObservation"),
)
COMPOUND_NUMERIC, COMPOUND, NUMERIC = "PhdCompoundNumericObservation", "PhdCompoundObservation", "PhdNumericObservation"
_BEGIN: Final = datetime(2000, 1, 1, tzinfo=UTC)
_PLACES: Final = re.compile(r"T[0-9:]+(\.[0-9]+)?(Z|[+-][0-9:]+)")
_QUARTER_S: Final = 900


def shaped(kept: Sequence[Kept], about: About, software: str) -> Shaped:
    """The Observations in order; their devices and the gateway along with them."""
    found, devices = Shaped(), dict[str, Entry]()
    receiver = Entry(url=f"urn:uuid:{named('gateway', about.base)}", resource=gateway(software))
    for one in kept:
        try:
            device = _device(one, devices)
            entry = _observation(one, device, about, receiver.url)
        except NoPlace as why:
            found.left.append(Left(reference=one.reference, text=str(why)))
            continue
        found.matches.append(entry)
        found.bring(device)
        found.bring(receiver)
    return found


def _device(kept: Kept, devices: dict[str, Entry]) -> Entry:
    """Made once for all that it measured."""
    if kept.device is None:
        raise NoPlace("it names no device that this caller may see")
    id = str(kept.device["id"])
    if id not in devices:
        devices[id] = Entry(url=f"urn:uuid:{named('phd', 'Device', id)}", resource=phd_device(kept.device))
    return devices[id]


def _observation(kept: Kept, device: Entry, about: About, receiver: str) -> Entry:
    stored = kept.observation
    if stored["status"] in NO_LONGER_TRUE:
        raise NoPlace("it was entered in error")
    types = codings(stored.get("code"), MDC)
    if not types:
        raise NoPlace("its code has none of ISO/IEEE 11073-10101 (MDC)")
    made: Json = absolute({name: one for name, one in stored.items() if name not in {"id", "meta", "text"}}, about.base)
    profile = PHD_PROFILES + _kind(stored)
    made["meta"] = _meta(stored, profile, about)
    made["category"] = [*stored.get("category", ()), {"coding": [{"system": PHD_CATEGORY.system, "code": PHD_CATEGORY.code}]}]
    made["code"] = {**stored["code"], "coding": _mdc_first(stored["code"]["coding"])}
    made["subject"] = {"reference": f"{about.base}/Patient/{about.patient['id']}"}
    made["device"] = {"reference": device.url}
    if extension(stored, GATEWAY) is None:
        with_extensions(made, [{"url": GATEWAY, "valueReference": {"reference": receiver}}])
    if extension_status := _status(stored):
        made["interpretation"] = [*made.get("interpretation", ()), *extension_status]
    if "valueSampledData" in stored:
        made["valueSampledData"] = {"factor": 1, **stored["valueSampledData"]}
    _identify(made, stored, device.resource, types[0], about)
    follow(made, profile)
    return Entry(url=f"urn:uuid:{named('phd', kept.reference)}", resource=made)


def _meta(stored: Resource, profile: str, about: About) -> Json:
    """The shape's profile first; security labels and what else was claimed stay."""
    meta = stored.get("meta", {})
    version = f"/_history/{meta['versionId']}" if "versionId" in meta else ""
    made: Json = {"profile": list(dict.fromkeys([profile, *meta.get("profile", ())]))}
    made["source"] = f"{about.base}/Observation/{stored['id']}{version}"
    if "security" in meta:
        made["security"] = meta["security"]
    return made


def _kind(stored: Resource) -> str:
    values = [one for one in stored.get("component", ()) if SUPPLEMENT not in codings(one.get("code"), MDC)]
    for name, kind in KINDS:
        if name in stored:
            return kind
    if values:
        return COMPOUND_NUMERIC if all(set(one) <= {"code", "valueQuantity", "dataAbsentReason"} for one in values) else COMPOUND
    if "dataAbsentReason" not in stored:
        raise NoPlace("its value is of a kind that a personal health device does not report")
    return NUMERIC


def _mdc_first(given: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return sorted(given, key=lambda one: one.get("system") != MDC)


def _status(stored: Resource) -> list[Json]:
    """The measurement status as far as our flags say it. HTEST is a security label, preliminary a status."""
    said = [PHD_STATUS[flag] for flag in flags(stored) if flag in PHD_STATUS]
    return [{"coding": [{"system": PHD_STATUS_SYSTEM, "code": code}]} for code in said]


def _identify(made: Json, stored: Resource, device: Resource, type: str, about: About) -> None:
    """The identifier for a conditional create, unless the device's own gateway made one already."""
    if any(one.get("system") == CONDITIONAL for one in stored.get("identifier", ())):
        return
    _, value = best_identifier(device)
    unit = re.sub(r"[^A-Za-z0-9]", "", value).upper()
    more = [code for one in stored.get("component", ()) for code in codings(one.get("valueCodeableConcept"), MDC) if _supplements(one)]
    key = "-".join([unit, str(about.patient["id"]), type, time_part(stored), *more])
    made["identifier"] = [*made.get("identifier", ()), {"system": CONDITIONAL, "value": key}]


def _supplements(component: Mapping[str, Any]) -> bool:
    return SUPPLEMENT in codings(component.get("code"), MDC)


def time_part(observation: Resource) -> str:
    """Seconds of the device's own clock since 2000 in its resolution, its offset in quarters of an hour, and how long it lasted.

    2021-11-22T11:56:30.567+01:00 is 690897390.567+4. https://hl7.org/fhir/uv/phd/GeneratingtheTimeStampPartIdentifier.html
    """
    between = span(observation)
    text = observation.get("effectiveDateTime") or observation["effectivePeriod"]["start"]
    found = _PLACES.search(text)
    fraction = "" if found is None else found[1] or ""
    local = datetime.fromisoformat(text)
    offset = local.utcoffset()
    since = int((local.replace(tzinfo=UTC, microsecond=0) - _BEGIN).total_seconds())
    zone = 0 if offset is None else int(offset.total_seconds()) // _QUARTER_S
    lasted = Decimal(between.end_us - between.start_us) / 1_000_000
    duration = "" if between.end_us == between.start_us else f"..{lasted:.{max(0, len(fraction) - 1)}f}"
    return f"{since}{fraction}{zone:+d}{duration}"
