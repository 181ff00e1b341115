"""FHIR documents of devices, walked as plain JSON or XML."""

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from tests.support.independent.said import LOINC, MDC, OURS, Said, absent, at, coded, digits, loinc, mdc, quantity, strip

Json = dict[str, Any]

_PANELS = (f"{LOINC}|85354-9", f"{MDC}|150020")
_ANS_CODES = {"C159776": loinc("99504-3"), "8287-5": loinc("9843-4")}
_TERMS = {coded(MDC, "147474"): "MDC_ECG_SINUS_RHY"}
_MEAL = {"53049-3": "8417876"}
_CIED_TIMES = {
    "721216": range(721217, 721664),
    "721664": range(721665, 721921),
    "721921": range(721923, 722560),
}


def phd(payload: bytes) -> Iterator[Said]:
    """HL7 Personal Health Device, http://hl7.org/fhir/uv/phd: Numeric, Compound Numeric, RTSA and Coincident Time Stamp Observations.

    The first coding says what was measured; a panel of blood pressure has parts; a value that is missing has dataAbsentReason.
    """
    yield from _document(digits(payload))


def pocd(payload: bytes) -> Iterator[Said]:
    """HL7 Point of Care Devices, http://hl7.org/fhir/uv/pocd: of a sample array each component is a lead of its own.

    A value that is a code of IEEE 11073 is compared by its reference identifier, which stands beside it in the files.
    """
    text = payload.lstrip()
    read = _from_xml(ET.fromstring(text)) if text.startswith(b"<") else digits(payload)  # noqa: S314 -- a file of ours
    for said in _document(read):
        term = _TERMS.get(said.value)
        yield replace(said, value=coded(f"{OURS}/mdc-term", term)) if term else said


def ans(payload: bytes) -> Iterator[Said]:
    """ANS, Mesures de santé, https://interop.esante.gouv.fr/ig/fhir/mesures: one transaction for an Observation and its Device.

    The device is what the condition of its creation names. C159776 of the NCI Thesaurus is glucose of interstitial fluid; 4548-4 under the
    profile of glucose is an estimate from a sensor's days (97506-0); 8287-5 is a head's circumference; the moment of a glucose is a second
    statement, of IEEE 11073 like that of a meter.
    """
    read = digits(payload)
    for bundle in read if isinstance(read, list) else [read]:
        device = next((one["request"]["ifNoneExist"] for one in bundle["entry"] if one["resource"]["resourceType"] == "Device"), "")
        for one in bundle["entry"]:
            if one["resource"]["resourceType"] == "Observation":
                yield from _ans_observation(one["resource"], device.removeprefix("identifier="))


def cied(payload: bytes) -> Iterator[Said]:
    """HL7 CardX CIED, http://hl7.org/fhir/uv/cardx-cied, and the terms of IEEE 11073-10103 it is made of: a component is a statement.

    The date of a battery (721216), of a capacitor's charge (721664) and of a lead's measurements (721921 to 721922) are the times of the
    terms that follow them in the nomenclature, battery by battery; settings of a zone have the Observation's own time or none.
    """
    read = digits(payload)
    resources = [one["resource"] for one in read["entry"]] if read["resourceType"] == "Bundle" else [read]
    devices = [one for one in resources if one["resourceType"] == "Device"]
    device = "".join(f"{one['manufacturer']}/MODEL:{one['modelNumber']}/SERIAL:{one['serialNumber']}" for one in devices)
    for resource in resources:
        if resource["resourceType"] == "Observation":
            yield from _idco(resource, device)


def _idco(observation: Json, device: str) -> Iterator[Said]:
    parts = [(_number(part), _instance(part), part) for part in observation["component"]]
    dates = {(code, which): part["valueDateTime"] for code, which, part in parts if "valueDateTime" in part}
    for code, which, part in parts:
        if code in _CIED_TIMES or code == "721922":
            continue
        start = next((dates[key, which] for key, after in _CIED_TIMES.items() if int(code) in after and (key, which) in dates), None)
        lead = int(code) in _CIED_TIMES["721921"]
        yield Said(
            code=mdc(code),
            value=_value(part),
            start=at(start or observation.get("effectiveDateTime")),
            end=at(dates.get(("721922", which))) if lead and start else "",
            device=device,
            which=which,
        )


def _number(part: Json) -> str:
    return str(part["code"]["coding"][0]["code"])


def _instance(part: Json) -> str:
    return next((str(one["valueInteger"]) for one in part.get("extension", ()) if one["url"].endswith("/instance-idco")), "")


def _ans_observation(observation: Json, device: str) -> Iterator[Said]:
    (read,) = _observation(observation, {})
    code = observation["code"]["coding"][0]["code"]
    glucose = "lucose" in observation["meta"]["profile"][0]
    meant = loinc("97506-0") if glucose and code == "4548-4" else _ANS_CODES.get(code, loinc(code))
    yield Said(code=meant, value=read.value, start=read.start, parts=read.parts, device=device)
    for one in observation.get("extension", ()):
        if "moment" in one["url"].lower():
            moment = one["valueCodeableConcept"]["coding"][0]["code"]
            yield Said(code=mdc("8417864"), value=coded(MDC, _MEAL[moment]), start=read.start, device=device)


def _document(read: Any) -> Iterator[Said]:
    entries = read["entry"] if read["resourceType"] == "Bundle" else [{"resource": read}]
    resources = [one["resource"] for one in entries]
    known = {f"{one['resourceType']}/{one.get('id')}": one for one in resources}
    known |= {one["fullUrl"]: one["resource"] for one in entries if "fullUrl" in one}
    for resource in resources:
        if resource["resourceType"] == "Observation":
            yield from _observation(resource, known)


def _observation(observation: Json, known: dict[str, Json]) -> Iterator[Said]:
    period = observation.get("effectivePeriod", {"start": observation.get("effectiveDateTime")})
    place = {"start": at(period["start"]), "end": at(period.get("end")), "device": _device(observation, known)}
    code, parts = _code(observation), observation.get("component", ())
    if code in _PANELS:
        yield Said(code=code, parts=tuple(sorted((_code(part), _value(part)) for part in parts)), **place)
        return
    if any(name.startswith("value") or name == "dataAbsentReason" for name in observation):
        yield Said(code=code, value=_value(observation), **place)
    for part in parts:
        yield Said(code=_code(part), value=_value(part), **place)


def _device(observation: Json, known: dict[str, Json]) -> str:
    """The unit with a system identifier to which device, then source or parent lead."""
    name = observation.get("device", {}).get("reference", "")
    for _ in range(8):
        found = known.get(name, {})
        for one in found.get("identifier", ()):
            types = [coding["code"] for coding in one.get("type", {}).get("coding", ())]
            if "SYSID" in types or one.get("system") == "urn:oid:1.2.840.10004.1.1.1.0.0.1.0.0.1.2680":
                return str(one["value"]).replace(":", "-").upper()
        name = found.get("source", found.get("parent", {})).get("reference", "")
    return ""


def _code(body: Json) -> str:
    """IEEE 11073 first, as both guides want it, then LOINC."""
    named = [(one["system"], one["code"]) for one in body["code"]["coding"]]
    return "|".join(next((one for system in (MDC, LOINC) for one in named if one[0] == system), named[0]))


def _value(body: Json) -> str:
    if "valueQuantity" in body:
        amount = body["valueQuantity"]
        return quantity(amount["value"], amount.get("code", "1"))
    if "valueSampledData" in body:
        sampled = body["valueSampledData"]
        origin = sampled["origin"]
        return strip(
            sampled["data"], period=sampled["period"], origin=origin["value"], factor=sampled.get("factor", "1"), unit=origin["code"]
        )
    if "valueCodeableConcept" in body:
        one = body["valueCodeableConcept"]["coding"][0]
        return coded(one["system"], one["code"])
    if "dataAbsentReason" in body:
        return absent(body["dataAbsentReason"]["coding"][0]["code"])
    return next((str(body[name]) for name in ("valueString", "valueDateTime", "valueBoolean") if name in body), "")


def _from_xml(element: ET.Element) -> Json:
    """https://hl7.org/fhir/R4/xml.html, for the elements of these files: what may repeat is a list, an attribute `value` the value."""
    made: Json = {"resourceType": _name(element)} if _name(element)[0].isupper() else {}
    for child in element:
        name = _name(child)
        if name == "resource":
            made[name] = _from_xml(child[0])
            continue
        inner: Any = child.get("value") if child.get("value") is not None and not len(child) else _from_xml(child)
        if name in ("coding", "component", "identifier", "entry", "extension"):
            made.setdefault(name, []).append(inner)
        else:
            made[name] = inner
    return made


def _name(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]
