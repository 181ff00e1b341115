"""What is kept of an Observation and of the devices it names: what was measured, by which unit, and nobody's words.

A subject is kept as the fact that there was one: its place says `masked`, as https://hl7.org/fhir/R4/extension-data-absent-reason.html
has it. Ids and references are rewritten: they may be made of anybody's name.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from adapters import json_payload
from adapters.fhir.bundle import Entry
from adapters.fhir.terms import codings, is_known_name, names_in
from adapters.fhir.times import kept_times
from adapters.fhir.values import is_label
from adapters.json_fields import is_number
from adapters.json_values import Json, listed, part
from adapters.limits import DEPTH_MAX, FIELD_CHARS_MAX

DATA_ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
MASKED: Json = {"identifier": {"_value": {"extension": [{"url": DATA_ABSENT, "valueCode": "masked"}]}}}
REFERRED: Json = {"reference": "Patient/masked"}
DEVICE_ID, CLOCK_ID = "device", "clock"
_SAMPLES = frozenset("0123456789-+.eE LU\u00a0\t\n\r")
_QUANTITY = ("value", "comparator", "system", "code")
_OID = "urn:oid:"
_CONCEPTS = ("method", "bodySite")


def concept(value: Any) -> Json:
    """Its codings, with the display where that is a name of what is measured."""
    found = []
    for coding in codings(value):
        kept = {"system": coding["system"], "code": coding["code"]}
        names = [name for name in names_in(coding.get("display")) if is_known_name(name)]
        found.append(kept | ({"display": " ".join(names)} if names else {}))
    return {"coding": found}


def observation(fields: Json, *, components: Sequence[Any] | None = None, device: Json | None = None) -> Json:
    """An Observation without what names anybody. `components`: those of it that are kept; `device`: the reference in the kept form."""
    made: Json = {"resourceType": "Observation", "meta": meta(fields)}
    if type(fields.get("status")) is str:
        made["status"] = fields["status"][:FIELD_CHARS_MAX]
    made["category"] = [concept(one) for one in listed(fields, "category")]
    made["code"] = concept(fields.get("code"))
    if type(fields.get("subject")) is dict and fields["subject"]:
        made["subject"] = subject(fields["subject"])
    made |= kept_times(fields)
    value = valued(fields)
    made |= value
    made["interpretation"] = [concept(one) for one in listed(fields, "interpretation")]
    made |= {name: concept(fields[name]) for name in _CONCEPTS if name in fields}
    made["extension"] = extensions(fields)
    found = listed(fields, "component") if components is None else components
    made["component"] = [component(one) for one in found if type(one) is dict]
    if device is not None:
        made["device"] = device
    return {name: one for name, one in made.items() if one not in ([], {}) or name in value}


def without_value(fields: Json) -> Json:
    """An Observation that holds components only."""
    return {name: value for name, value in fields.items() if not _is_value(name)}


def component(fields: Json) -> Json:
    made = {"code": concept(fields.get("code"))} | valued(fields)
    found = extensions(fields)
    interpretation = [concept(one) for one in listed(fields, "interpretation")]
    return made | ({"extension": found} if found else {}) | ({"interpretation": interpretation} if interpretation else {})


def subject(fields: Json) -> Json:
    identified = part(fields, "identifier")
    return MASKED if identified.get("value") or "_value" in identified else REFERRED


def meta(fields: Json) -> Json:
    given = part(fields, "meta")
    made: Json = {name: given[name] for name in ("versionId", "lastUpdated") if _short(given.get(name))}
    if _short(given.get("source")) and given["source"].startswith(_OID):
        made["source"] = given["source"]
    made["profile"] = [url for url in listed(given, "profile") if _short(url)]
    made["security"] = concept({"coding": listed(given, "security")})["coding"]
    return {name: value for name, value in made.items() if value}


def valued(fields: Json) -> Json:
    """The value, of a text not a word; which kind of value there was stays to be seen."""
    made: Json = {}
    for name, value in fields.items():
        if not _is_value(name):
            continue
        if name == "valueQuantity":
            made[name] = quantity(value)
        elif name == "valueSampledData":
            made[name] = sampled(value)
        elif name in {"valueCodeableConcept", "dataAbsentReason"}:
            made[name] = concept(value)
        elif name == "valueDateTime" and _short(value):
            made[name] = value
        else:
            made[name] = None
    return made


def _is_value(name: str) -> bool:
    return name.startswith("value") or name == "dataAbsentReason"


def quantity(value: Any) -> Json:
    fields = value if type(value) is dict else {}
    made = {name: fields[name] for name in _QUANTITY if is_number(fields.get(name)) or _short(fields.get(name))}
    return made | ({"unit": fields["unit"]} if is_label(fields.get("unit")) else {})


def sampled(value: Any) -> Json:
    fields = value if type(value) is dict else {}
    made: Json = {"origin": quantity(fields.get("origin"))} | {name: one for name, one in fields.items() if is_number(one)}
    data = fields.get("data")
    return made | ({"data": data} if type(data) is str and _SAMPLES.issuperset(data) else {})


def extensions(fields: Json, depth: int = DEPTH_MAX) -> list[Json]:
    """Those with a number, a code or a range; texts and references are left out."""
    found = []
    for one in listed(fields, "extension") if depth else ():
        if type(one) is not dict or not _short(one.get("url")):
            continue
        inner = extensions(one, depth - 1)
        value = {name: kept for name, given in one.items() if name.startswith("value") and (kept := _extended(given)) is not None}
        if inner or value:
            found.append({"url": one["url"]} | value | ({"extension": inner} if inner else {}))
    return found


def _extended(value: Any) -> Any:
    if is_number(value) or type(value) is bool:
        return value
    if type(value) is not dict:
        return None
    if "coding" in value:
        return concept(value)
    if "low" in value or "high" in value:
        return {name: quantity(value[name]) for name in ("low", "high") if name in value}
    return quantity(value) if "value" in value else None


def device(fields: Json) -> Json:
    """A Device with what identifies the unit."""
    made: Json = {"resourceType": "Device", "id": DEVICE_ID, "meta": meta(fields)}
    made["identifier"] = [_identifier(one) for one in listed(fields, "identifier") if type(one) is dict]
    made |= {name: fields[name] for name in ("manufacturer", "modelNumber", "serialNumber") if _short(fields.get(name))}
    return {name: value for name, value in made.items() if value not in ([], {})}


def metric(id: str) -> Json:
    """A DeviceMetric of the unit, by the id that the unit's gateway gives it."""
    return {"resourceType": "DeviceMetric", "id": id, "source": {"reference": f"Device/{DEVICE_ID}"}}


def _identifier(fields: Json) -> Json:
    return {name: fields[name] for name in ("system", "value") if _short(fields.get(name))}


def bundle(kind: str | None, entries: Iterable[tuple[Json, Mapping[str, Any]]]) -> bytes:
    """As the payload had them: a Bundle of resources with their requests, or, of what came alone, the one resource."""
    found = list(entries)
    if kind is None and len(found) == 1:
        return json_payload.dumps(found[0][0])
    made = [_entry(resource, request) for resource, request in found]
    return json_payload.dumps({"resourceType": "Bundle", "type": kind if kind in _KINDS else "collection", "entry": made})


_KINDS = frozenset({"transaction", "batch", "collection", "searchset", "history", "document", "message"})


_ASKED = frozenset({"POST", "PUT", "Observation", "Device"})
"""Of a request; a condition on an Observation may be made of a person's identifier."""


def _entry(resource: Json, request: Mapping[str, Any]) -> Json:
    id = resource.get("id", "observation")
    asked = {name: request[name] for name in ("method", "url") if _short(request.get(name)) and request[name] in _ASKED}
    if resource["resourceType"] == "Device" and _short(request.get("ifNoneExist")):
        asked["ifNoneExist"] = request["ifNoneExist"]
    made: Json = {"fullUrl": f"{resource['resourceType']}/{id}", "resource": resource}
    return made | ({"request": asked} if asked else {})


def bare(entry: Entry) -> bytes:
    """What is shown of a resource that is not read."""
    return json_payload.dumps({"resourceType": entry.type[:FIELD_CHARS_MAX]})


def _short(value: Any) -> bool:
    return type(value) is str and 0 < len(value) <= FIELD_CHARS_MAX
