"""Data points of Open mHealth -> readings. One item per data point, or per body where the header was left out."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from adapters import json_payload
from adapters.contract import Unreadable
from adapters.iso_time import device_time
from adapters.json_payload import Number
from adapters.json_values import Json, check_count, kept, number, part, word
from adapters.open_mhealth.mapping import (
    BODY_WORDS,
    FIELD,
    FIELDS,
    GLUCOSE,
    HEADER_FIELDS,
    LOCATION,
    POSTURE,
    PROVENANCE_FIELDS,
    SCHEMA_FIELDS,
    SELF_REPORTED,
    SPECIMEN,
    STATISTICS,
    Field,
)
from adapters.open_mhealth.times import frame, kept_frame
from adapters.reading import Coded, Item, Quantity, Reading, Value
from adapters.refusal import ItemRefused, check_length

NO_COMPONENTS: Mapping[str, Value] = {}
PRESSURES_WANTED = 2


def parse(payload: bytes) -> Iterable[Item]:
    """Read one data point, one body or a list of either. Raises Unreadable before the first item."""
    document = json_payload.load_exact(payload)
    if type(document) is list:
        check_count(len(document))
        return _items(document)
    if type(document) is not dict or not ("body" in document or "effective_time_frame" in document):
        raise Unreadable(
            "not-open-mhealth", "This is no data point of Open mHealth: it needs `header` and `body`, or `effective_time_frame`."
        )
    return iter([_item(document, "")])


def _items(points: list[Any]) -> Iterator[Item]:
    for index, point in enumerate(points):
        yield _item(point, f"/{index}")


def _item(point: Any, at: str) -> Item:
    if type(point) is not dict:
        refused = ItemRefused("not-a-record", "An entry must be a data point, which is an object.", keep=False)
        return refused.item(pointer=at, raw=json_payload.excerpt(point))
    header, body, whole = part(point, "header"), part(point, "body") if "body" in point else point, "body" in point
    found = [FIELD[name] for name in FIELD if name in body]
    raw, pointer = _raw(header, body, found, whole=whole), f"{at}/body" if whole else at or "/effective_time_frame"
    try:
        check_length(raw)
        return _reading(header, body, found, raw, pointer)
    except ItemRefused as refused:
        return refused.item(pointer=pointer, raw=raw)


def _raw(header: Json, body: Json, found: list[Field], *, whole: bool) -> bytes:
    """What is kept of a data point: neither whose it is nor notes."""
    kept_body: Json = {"effective_time_frame": kept_frame(body)} | kept(body, BODY_WORDS)
    for field in found:
        given = body[field.name]
        kept_body[field.name] = kept(given, ("value", "unit")) if type(given) is dict else given if type(given) is not list else None
    if not whole:
        return json_payload.dumps(kept_body)
    kept_header: Json = kept(header, HEADER_FIELDS)
    if schema := kept(part(header, "schema_id"), SCHEMA_FIELDS):
        kept_header["schema_id"] = schema
    if provenance := kept(part(header, "acquisition_provenance"), PROVENANCE_FIELDS):
        kept_header["acquisition_provenance"] = provenance
    return json_payload.dumps({"header": kept_header, "body": kept_body})


def _reading(header: Json, body: Json, found: list[Field], raw: bytes, pointer: str) -> Reading:
    measure = _measure(body, found)
    if any(name in body for name in STATISTICS):
        raise ItemRefused("statistic-not-a-reading", "The value is a statistic over a period; it is kept and not stored as a reading.")
    time, end = frame(body)
    values = {field.component or "": _quantity(field, body[field.name]) for field in found}
    return Reading(
        measure=measure,
        device=None,
        time=time,
        end=end,
        value=values.get(""),
        components=NO_COMPONENTS if "" in values else values,
        source_id=word(header, "uuid", code="no-record-id") or word(header, "id", code="no-record-id"),
        modified=_modified(header),
        pointer=pointer,
        raw=raw,
        manual=_modality(header) in SELF_REPORTED,
        context=_context(body),
    )


def _measure(body: Json, found: list[Field]) -> str:
    """Return the measure that a body is about. The body decides: a header may be missing, and its schema has many versions."""
    measures = {field.measure for field in found}
    if len(measures) != 1:
        known = ", ".join(dict.fromkeys(field.name for field in FIELDS))
        raise ItemRefused("unknown-measure", f"The body must have the value of exactly one measure: {known}. It is kept.")
    if found[0].component and len(found) != PRESSURES_WANTED:
        raise ItemRefused("half-a-pressure", "A blood pressure needs a systolic and a diastolic value.")
    specimen = word(body, "specimen_source", code="unknown-measure") if found[0].name == GLUCOSE else None
    if specimen is not None and specimen not in SPECIMEN:
        raise ItemRefused("unknown-measure", "Glucose in this specimen has no measure in this version; it is kept.")
    return found[0].measure if specimen is None else SPECIMEN[specimen]


def _quantity(field: Field, given: Any) -> Quantity:
    if field.bare is not None and type(given) in (int, Number):
        return Quantity(value=number(given), unit=field.bare)
    fields = given if type(given) is dict else {}
    unit = fields.get("unit")
    ucum = field.units.get(unit) if type(unit) is str else None
    if ucum is None:
        raise ItemRefused("unit-unknown", f"The unit of `{field.name}` is missing or none that its schema allows.")
    return Quantity(value=number(fields.get("value")), unit=ucum)


def _modality(header: Json) -> str | None:
    given = header.get("modality", part(header, "acquisition_provenance").get("modality"))
    return given if type(given) is str else None


def _modified(header: Json) -> datetime | None:
    """When the source made the data point; None where it does not say so with a zone."""
    places = (header, part(header, "acquisition_provenance"))
    given = next((place["source_creation_date_time"] for place in places if "source_creation_date_time" in place), None)
    if type(given) is not str:
        return None
    try:
        return device_time(given).instant
    except ItemRefused:
        return None


def _context(body: Json) -> Mapping[str, Coded]:
    context: dict[str, Coded] = {}
    posture, place = body.get("body_posture"), body.get("measurement_location")
    if type(posture) is str and posture in POSTURE:
        context["posture"] = POSTURE[posture]
    if type(place) is str and place in LOCATION:
        context["body-site"] = LOCATION[place]
    return context
