"""For any parameter a value, a resource that it finds and one that it does not: made from the row and HL7's definitions."""

from collections.abc import Mapping
from typing import Any

from hub.search.grammar import escape
from hub.search.parameters import RESOURCE_TYPES, Parameter
from hub.search.systems import UCUM
from tests.spec.search.generation import Json, put

SYSTEM = "urn:example"
FIRST, SECOND = "alpha", "beta"


def _coded(name: str) -> Json:
    return {"system": SYSTEM, "code": name}


def _day(name: str) -> str:
    return {FIRST: "2026-01-05", SECOND: "2027-03-04"}[name]


def _amount(name: str) -> int:
    return {FIRST: 5, SECOND: 7}[name]


def _measured(name: str) -> Json:
    return {"value": _amount(name), "system": UCUM, "code": "mg"}


def element(kind: str, name: str, row: Parameter) -> Any:
    """What stands there and is called by one of two names."""
    simple: Mapping[str, Any] = {
        "CodeableConcept": {"coding": [_coded(name)]},
        "Coding": _coded(name),
        "boolean": name == FIRST,
        "Identifier": {"system": SYSTEM, "value": name},
        "ContactPoint": {"system": "email", "value": name},
        "HumanName": {"family": name},
        "Address": {"city": name},
        "date": _day(name),
        "dateTime": _day(name),
        "instant": f"{_day(name)}T10:00:00Z",
        "Period": {"start": _day(name), "end": _day(name)},
        "Timing": {"event": [_day(name)]},
        "Quantity": _measured(name),
        "Age": _measured(name),
        "Duration": _measured(name),
        "Money": {"value": _amount(name), "currency": "EUR"},
        "Range": {"low": _measured(name), "high": _measured(name)},
        "decimal": _amount(name),
        "integer": _amount(name),
        "canonical": f"http://example.org/{name}",
        "uri": f"http://example.org/{name}",
        "url": f"http://example.org/{name}",
        "Reference": {"reference": f"{(row.targets or ('Basic',))[0]}/{name}"},
    }
    return simple.get(kind, name)


def value(row: Parameter, kind: str, name: str) -> str:
    """The value of a search for it."""
    match row.type:
        case "date":
            return _day(name)
        case "number":
            return str(_amount(name))
        case "quantity":
            return f"{_amount(name)}|urn:iso:std:iso:4217|EUR" if kind == "Money" else f"{_amount(name) / 1000}|{UCUM}|g"
        case "reference" if kind == "Reference":
            return f"{(row.targets or ('Basic',))[0]}/{name}"
        case "token" if kind == "boolean":
            return "true" if name == FIRST else "false"
        case "token" if kind in ("CodeableConcept", "Coding", "Identifier"):
            return f"{SYSTEM}|{name}"
        case "composite":
            return "$".join(value(one.parameter, one.parameter.kinds[0], name) for one in row.components)
        case _:
            return escape(element(kind, name, row)) if kind in ("canonical", "uri", "url") else name


def example(type: str, code: str, place: int) -> tuple[str, Json, Json]:
    """(value, what it finds, what it does not) at one of the parameter's paths."""
    row = RESOURCE_TYPES[type].parameters[code]
    searched = value(row, row.kinds[place], FIRST)
    return searched, _resource(type, row, place, FIRST), _resource(type, row, place, SECOND)


def _resource(type: str, row: Parameter, place: int, name: str) -> Json:
    made: Json = {"resourceType": type, "id": "x"}
    if row.type == "composite":
        for one in row.components:
            path = one.parameter.paths[0] if one.absolute else (*row.roots[place], *one.parameter.paths[0])
            put(made, type, path, element(one.parameter.kinds[0], name, one.parameter))
        return made
    put(made, type, row.paths[place], element(row.kinds[place], name, row), only=row.only[place] if row.only else None)
    return made


def places(row: Parameter) -> list[int]:
    """Paths at which something can be found; `deceased` says true of a date and false of none."""
    return [place for place, kind in enumerate(row.kinds) if kind != "SampledData" and row.code not in ("deceased", "_id", "_lastUpdated")]
