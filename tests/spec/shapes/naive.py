"""The published rules of each shape, checked a second time and naively: no profile, no compiler, plain reading of JSON.

Written from the guides alone: HL7 PHD (PhdBaseObservation, PhdDevice, their notes), ANS Mesures de santé 3.1.1 (the errors 422 of the
feed and the list of codes), gematik HDDT 1.0.1 (the profiles and "Retrieving Data").
"""

import re
from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]
MDC, LOINC, UCUM = "urn:iso:std:iso:11073:10101", "http://loinc.org", "http://unitsofmeasure.org"
PHD_IDENTIFIER = re.compile(r"[0-9A-Z]+-[A-Za-z0-9.-]+-[0-9]+-[0-9]+(\.[0-9]+)?[+-][0-9]+(\.\.[0-9]+(\.[0-9]+)?)?(-[0-9]+)*")
SYSID = "urn:oid:1.2.840.10004.1.1.1.0.0.1.0.0.1.2680"

ANS_CODES = {
    ("mesures-fr-observation-body-weight", "29463-7", "kg"),
    ("mesures-fr-observation-bodyheight", "8302-2", "cm"),
    ("mesures-fr-observation-heartrate", "8867-4", "/min"),
    ("mesures-fr-observation-bp", "85354-9", "mm[Hg]"),
    ("mesures-fr-observation-body-temperature", "8310-5", "Cel"),
    ("mesures-observation-waist-circumference", "8280-0", "cm"),
    ("mesures-observation-glucose", "2339-0", "mg/dL"),
    ("mesures-observation-glucose", "C159776", "mg/dL"),
    ("mesures-observation-glucose", "MED-972", "%"),
    ("mesures-observation-hb1ac", "4548-4", "%"),
    ("mesures-observation-steps-by-day", "41950-7", "1/(24.h)"),
    ("mesures-observation-pain-severity", "72514-3", "1"),
    ("mesures-observation-head-circumference", "8287-5", "cm"),
    ("mesures-fr-observation-oxygen-sat", "2708-6", "%"),
    ("mesures-fr-observation-resp-rate", "9279-1", "/min"),
}
DAYS = {"C159776", "MED-972"}
IF_NONE_EXIST = re.compile(r"identifier=urn:oid:([0-9]+(?:[.][0-9]+)+)[|]([a-zA-Z0-9]+(?:-?[a-zA-Z0-9]+)+)")
"""The expression of the guide, its nested brackets read as what they mean."""


def codes(concept: Json | None, system: str | None = None) -> set[str]:
    return {one["code"] for one in (concept or {}).get("coding", ()) if system in (None, one.get("system")) and "code" in one}


def broken(rules: Iterator[tuple[str, bool]]) -> Iterator[str]:
    """The faults among them: what it is called, whether it is there."""
    return (fault for fault, there in rules if there)


def phd_observation(one: Json, devices: dict[str, Json]) -> Iterator[str]:
    """Faults."""
    yield from broken(_phd_whole(one, devices))
    for part in (one, *one.get("component", ())):
        quantity, samples = part.get("valueQuantity"), part.get("valueSampledData")
        if quantity is not None and not ({"value", "system", "code"} <= set(quantity) and quantity["system"] == UCUM):
            yield "a quantity without UCUM"
        if part is not one and not codes(part["code"], MDC):
            yield "a component without MDC code"
        if samples is not None and not {"origin", "period", "factor", "dimensions"} <= set(samples):
            yield "samples without their scaling"


def _phd_whole(one: Json, devices: dict[str, Json]) -> Iterator[tuple[str, bool]]:
    yield "no category phd", "phd" not in {code for category in one.get("category", ()) for code in codes(category)}
    yield "no MDC code", not codes(one["code"], MDC)
    yield "not one gateway", len([each for each in one.get("extension", ()) if each["url"].endswith("/observation-gatewayDevice")]) != 1
    yield "its device is not there", one.get("device", {}).get("reference") not in devices
    yield "no subject or no time", "subject" not in one or not {"effectiveDateTime", "effectivePeriod"} & set(one)
    keys = [each["value"] for each in one.get("identifier", ()) if each["system"].endswith("/PhdBaseObservation")]
    yield "no identifier for a conditional create", len(keys) != 1 or not PHD_IDENTIFIER.fullmatch(keys[0])
    yield "a value and the reason why there is none", any(name.startswith("value") for name in one) and "dataAbsentReason" in one
    yield "another status", one["status"] not in ("final", "preliminary")


def phd_device(one: Json) -> Iterator[str]:
    if codes(one["type"], MDC) & {"65573", "531981"} == set():
        yield "neither a device nor a gateway"
    if not one.get("identifier"):
        yield "no identifier"
    for each in one["identifier"]:
        if each["system"] == SYSID and not (
            re.fullmatch(r"([0-9A-F]{2}-){7}[0-9A-F]{2}", each["value"]) and codes(each["type"]) == {"SYSID"}
        ):
            yield "a system id that is not an EUI-64 in dashes"
    if codes(one["type"], MDC) & {"65573"}:
        if not {"manufacturer", "modelNumber", "specialization"} <= set(one):
            yield "no manufacturer, model or specialization"
        for each in one.get("specialization", ()):
            if not codes(each["systemType"], MDC) or not ("version" in each or "_version" in each):
                yield "a specialization without code or version"


def ans_bundle(bundle: Json, oid: str) -> Iterator[str]:
    """The errors of the feed, by the words of its table."""
    entries = bundle.get("entry", [])
    if bundle.get("type") != "transaction":
        yield "No bundle provided"
    if any(one["request"]["method"] != "POST" or one["resource"]["resourceType"] not in ("Observation", "Device") for one in entries):
        yield "Resource is not acceptable"
    devices = [one for one in entries if one["request"]["url"] == "Device"]
    observations = [one for one in entries if one["request"]["url"] == "Observation"]
    if len(devices) != 1 or "ifNoneExist" not in devices[0]["request"]:
        yield "one conditional creation of a device"
    if not IF_NONE_EXIST.fullmatch(devices[0]["request"]["ifNoneExist"]):
        yield "a valid IfNoneExist"
    if len(observations) != 1:
        yield "one observation creation"
    if any(not one.get("fullUrl", "").startswith("urn:uuid:") for one in entries):
        yield "fullUrl"
    yield from broken(_ans_observation(observations[0]["resource"], devices[0]["resource"], oid))


def _ans_observation(one: Json, device: Json, oid: str) -> Iterator[tuple[str, bool]]:
    yield "Observation and Device not linked by id", one.get("device", {}).get("reference") != f"Device/{device['id']}"
    yield "must provide meta.profile value", not one["meta"].get("profile") or not device["meta"].get("profile")
    yield "oid doesn't belong to root editor oid", one["meta"].get("source") != oid
    yield "Bmi observation cannot be created", "39156-5" in codes(one["code"])
    yield "Observation.subject.identifier is mandatory", not {"system", "value"} <= set(one["subject"].get("identifier", {}))
    (profile,) = (url.rpartition("/")[2] for url in one["meta"]["profile"])
    wanted = [(code, unit) for name, code, unit in ANS_CODES if name == profile and code in codes(one["code"])]
    yield "code and profile do not belong together", len(wanted) != 1
    code, unit = wanted[0]
    quantities = [part.get("valueQuantity", {}) for part in one.get("component", ())] or [one.get("valueQuantity", {})]
    yield "value quantity not provided", any("value" not in each for each in quantities)
    yield "another unit", any((each.get("code"), each.get("system")) != (unit, UCUM) for each in quantities)
    urls = [each["url"].rpartition("/")[2] for each in one.get("extension", ())]
    yield "Observation.extension.moment is mandatory", code == "2339-0" and "mesures-moment-of-measurement" not in urls
    yield "Observation.extension.numberOfDays is mandatory", code in DAYS and "mesures-number-of-days" not in urls
    yield "Observation.extension.numberOfDays cannot be added", code not in DAYS and "mesures-number-of-days" in urls
    yield "no category vital-signs", "vital-signs" not in {each for category in one["category"] for each in codes(category)}


HDDT_UNITS = {
    **dict.fromkeys(("2339-0", "2345-7", "41653-7", "99504-3"), "mg/dL"),
    **dict.fromkeys(("15074-8", "14749-6", "14743-9", "105272-9"), "mmol/L"),
}
SAMPLE = re.compile(r"[ELU]|-?[0-9]+(\.[0-9]+)?")


def hddt_observation(one: Json, along: dict[str, Json]) -> Iterator[str]:
    known = codes(one["code"], LOINC)
    if "reference" in one.get("subject", {}) or "performer" in one or "encounter" in one:
        yield "it names somebody"
    if one.get("device", {}).get("reference") not in along:
        yield "its device is not there"
    if "85354-9" in known:
        if len(one["component"]) not in (2, 3) or any(
            each["valueQuantity"]["code"] != "mm[Hg]" for each in one["component"] if "valueQuantity" in each
        ):
            yield "not two or three pressures in mm[Hg]"
        return
    (unit,) = {HDDT_UNITS[code] for code in known if code in HDDT_UNITS}
    if "valueQuantity" in one and (one["valueQuantity"]["code"], one["valueQuantity"]["system"]) != (unit, UCUM):
        yield "a unit of another code"
    if known & {"99504-3", "105272-9"}:
        yield from _hddt_chunk(one, unit)
    elif "effectiveDateTime" not in one or not ("valueQuantity" in one or "dataAbsentReason" in one):
        yield "no time, or neither value nor reason"


def _hddt_chunk(one: Json, unit: str) -> Iterator[str]:
    if not {"start", "end"} <= set(one.get("effectivePeriod", {})):
        yield "no period"
    data = one.get("valueSampledData")
    if data is None:
        if codes(one.get("dataAbsentReason")) != {"temp-unknown"} or one["status"] != "preliminary":
            yield "no data, and not preliminary and temporarily unknown"
        return
    if "dataAbsentReason" in one:
        yield "data and the reason why there is none"
    if (data["origin"]["code"], data["origin"]["system"]) != (unit, UCUM) or data["dimensions"] != 1:
        yield "samples in another unit"
    if not all(SAMPLE.fullmatch(each) for each in data["data"].split(" ")):
        yield "samples that are none"


def hddt_along(one: Json) -> Iterator[str]:
    if one["resourceType"] == "Device":
        if not codes(one["type"], "http://snomed.info/sct") or "patient" in one or "owner" in one:
            yield "no type, or it names somebody"
        return
    if "reference" not in one.get("source", {}) or any("state" not in each for each in one.get("calibration", ())):
        yield "a sensor without device, or a calibration without state"
