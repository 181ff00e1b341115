"""Writes `rows.json` from HL7's SearchParameters and StructureDefinitions: run by hand, never by the hub.

    python -m hub.search.definitions.generate [COMPARTMENTS]

Each FHIRPath expression of a search parameter becomes the JSON paths it leads to, with the type of what stands there;
what a search of this type cannot look at (a string where a date is searched) is left out.

COMPARTMENTS  JSON, compartment -> type -> codes, as HL7's CompartmentDefinitions of 4.0.1 say it (Maven
              `org.hl7.fhir.r4`, Apache-2.0, carries them as annotations); without it those of `rows.json` stay

HL7's definitions are in the public domain (CC0). Same definitions, same bytes.
"""

import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from fhir_profiles.definitions import RESOURCE_TYPES, Definition, Element, Type, definition, required_codes

Json = dict[str, Any]

HERE: Final = Path(__file__).parent
SOURCE: Final = Path(__file__).parents[3] / "fhir_profiles" / "definitions" / "search_parameters.json"

NO_PART_OF_R4: Final = frozenset({"DeviceDefinition-classification", "DetectedIssue-status", "ServiceRequest-order-detail"})
"""What the package adds to the parameters that HL7 published with 4.0.1."""
SWAPPED: Final = "DocumentReference-relationship"
"""Published with the definition of each component beside the expression of the other."""
WITHOUT_ENDPOINT: Final = frozenset({"OperationOutcome", "Parameters"})
"""R4: they have no REST endpoint, and are never stored."""
ANY_TARGET: Final = "Resource"
ANY_TARGETS_MIN: Final = 100

KINDS: Final[Mapping[str, frozenset[str]]] = {
    "date": frozenset({"date", "dateTime", "instant", "Period", "Timing"}),
    "token": frozenset({"CodeableConcept", "Coding", "code", "string", "id", "uri", "canonical", "boolean", "Identifier", "ContactPoint"}),
    "string": frozenset({"string", "markdown", "HumanName", "Address"}),
    "reference": frozenset({"Reference", "canonical", "uri"}),
    "quantity": frozenset({"Quantity", "Age", "Duration", "Money", "Range", "SampledData"}),
    "number": frozenset({"decimal", "integer", "positiveInt", "unsignedInt", "Range"}),
    "uri": frozenset({"uri", "url", "canonical", "oid"}),
}
"""The types of elements that a search type can look at. SampledData is looked at and never matches: it has no one value."""

_STEP: Final = re.compile(r"(\w+)(?:\(([^()]*(?:\(\))?[^()]*)\))?(?:\[0\])?")
_CAST: Final = re.compile(r"\((\S+) as (\w+)\)")
_WHERE: Final = re.compile(r"(\w+)='([^']+)'")
_RESOLVE: Final = re.compile(r"resolve\(\) is (\w+)")


class Found(NamedTuple):
    """A place: JSON names from the resource down (with a condition in brackets), and what stands there."""

    path: tuple[str, ...]
    type: Type
    inside: str | None
    systems: frozenset[str]
    only: str | None


def main(compartments: Mapping[str, Any] | None) -> None:
    rows = {type: dict(sorted(_type(type).items())) for type in sorted(RESOURCE_TYPES - WITHOUT_ENDPOINT)}
    if compartments is None:
        compartments = json.loads((HERE / "rows.json").read_text())["compartments"]
    content = {"types": rows, "categories": _categorised(rows), "compartments": compartments}
    (HERE / "rows.json").write_text(_lines(content, 3) + "\n", encoding="utf-8")


def _type(type: str) -> Json:
    everything = [one for one in json.loads(SOURCE.read_text()) if one["url"].rpartition("/")[2] not in NO_PART_OF_R4]
    mine = [one for one in everything if type in one["base"] and "expression" in one]
    codes = {one["url"]: one["code"] for one in everything}
    return {one["code"]: row for one in mine if (row := _row(type, one, codes))}


def _categorised(types: Iterable[str]) -> list[str]:
    """Types whose `category` is a concept, searched or not: a Consent may speak of it."""
    named = {type: definition(type).named.get("category") for type in types}
    return [type for type, one in named.items() if one is not None and one.type.code == "CodeableConcept"]


def _row(type: str, parameter: Json, codes: Mapping[str, str]) -> Json | None:
    if parameter["type"] == "composite":
        return _composite(type, parameter, codes)
    if parameter["type"] not in KINDS:
        return None
    if "deceased.exists()" in parameter["expression"]:
        return {"type": "token", "paths": [["deceasedBoolean", "boolean"], ["deceasedDateTime", "dateTime"]]}
    found = _places(type, parameter["expression"], KINDS[parameter["type"]])
    if not found:
        return None
    row: Json = {"type": parameter["type"], "paths": [[".".join(one.path), one.type.code] for one in found]}
    if parameter["type"] == "reference":
        row["targets"] = _targets(found, parameter.get("target", []))
    systems = sorted(frozenset().union(*(one.systems for one in found)))
    if parameter["type"] == "token" and systems:
        row["systems"] = systems
    return row


def _composite(type: str, parameter: Json, codes: Mapping[str, str]) -> Json:
    bases = list(_alternatives(type, parameter["expression"]))
    defined = [part["definition"] for part in parameter["component"]]
    if parameter["url"].endswith(SWAPPED):
        defined.reverse()
    parts = [
        {"code": codes[url], "paths": _component(type, bases, part["expression"])}
        for url, part in zip(defined, parameter["component"], strict=True)
    ]
    roots = [[".".join(found.path) for found in _walk(type, base)] or [""] for base in bases]
    return {"type": "composite", "roots": sorted({root for one in roots for root in one}), "components": parts}


def _component(type: str, bases: list[str], expression: str) -> list[list[str]]:
    """Paths from the element that the parameter repeats over; those of the resource itself begin with a slash."""
    made: list[list[str]] = []
    for base in bases:
        for alternative in expression.replace("DateTime", "dateTime").split(" | "):
            absolute = alternative.startswith("%resource.")
            prefix = type if absolute else base
            rest = alternative.removeprefix("%resource.")
            depth = 0 if absolute or base == type else len(base.split(".")) - 1
            for found in _walk(type, f"{prefix}.{rest}"):
                path = ("/" if absolute else "") + ".".join(found.path[depth:])
                if [path, found.type.code] not in made and found.type.code != "SampledData":
                    made.append([path, found.type.code])
    return made


def _alternatives(type: str, expression: str) -> Iterator[str]:
    for part in expression.split(" | "):
        plain = _CAST.sub(r"\1.ofType(\2)", part.strip())
        name = re.match(r"\w+", plain)
        first = name.group() if name else ""
        if first == type:
            yield plain
        elif first == "Resource":
            yield type + plain.removeprefix("Resource")
        elif first[:1].islower():  # InsurancePlan-name is published without its type
            yield f"{type}.{plain}"


def _places(type: str, expression: str, kinds: frozenset[str]) -> list[Found]:
    found = [one for plain in _alternatives(type, expression) for one in _walk(type, plain)]
    return [one for place, one in enumerate(found) if one.type.code in kinds and one not in found[:place]]


def _walk(type: str, expression: str) -> list[Found]:
    steps = _STEP.findall(expression)[1:]
    places = [Found((), Type(code=type), type, frozenset(), None)]
    for name, argument in steps:
        places = list(_step(places, name, argument))
    return places if steps else []


def _step(places: Iterable[Found], name: str, argument: str) -> Iterator[Found]:
    for place in places:
        if name in ("ofType", "as"):
            if place.type.code == argument:
                yield place
        elif name == "where":
            yield _where(place, argument)
        else:
            yield from _inside(place, name)


def _where(place: Found, condition: str) -> Found:
    resolved, equal = _RESOLVE.fullmatch(condition), _WHERE.fullmatch(condition)
    if resolved:
        return place._replace(only=resolved.group(1))
    if equal is None:
        raise ValueError(condition)
    return place._replace(path=(*place.path[:-1], f"{place.path[-1]}[{equal.group(1)}={equal.group(2)}]"))


def _inside(place: Found, name: str) -> Iterator[Found]:
    around: Definition = definition(place.inside or place.type.code)
    element = next((one for one in around.elements if one.name == name), None)
    if element is None:
        raise ValueError(f"{around.name}.{name}")
    for type in element.types or (Type(code="BackboneElement"),):
        yield Found((*place.path, element.json_name(type)), type, element.structure, _systems(element, type), place.only)


def _systems(element: Element, type: Type) -> frozenset[str]:
    """The systems that an element of type code has by definition: those of the value set it is bound to."""
    if type.code != "code" or element.binding is None or element.binding.strength != "required":
        return frozenset()
    return frozenset(required_codes(element.binding.value_set) or ())


def _targets(found: list[Found], said: list[str]) -> list[str]:
    """What the elements may refer to, as far as the parameter looks at it; [] is any type."""
    only = {one.only for one in found if one.only}
    allowed = {target for one in found for target in one.type.targets}
    if only:
        allowed = only if ANY_TARGET in allowed else allowed & only or only
    elif said and len(said) < ANY_TARGETS_MIN:
        allowed = set(said) if ANY_TARGET in allowed or not allowed else allowed & set(said) or set(said)
    return [] if ANY_TARGET in allowed or len(allowed) >= ANY_TARGETS_MIN else sorted(allowed)


def _lines(content: Any, levels: int) -> str:
    if not levels or not content or not isinstance(content, dict):
        return json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return "{\n" + ",\n".join(f"{json.dumps(key)}:{_lines(item, levels - 1)}" for key, item in content.items()) + "\n}"


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text()) if sys.argv[1:] else None)
