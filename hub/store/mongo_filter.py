"""Predicates as MongoDB filters. Pure; the naive twin is `hub.search.predicate.holds`."""

from collections.abc import Mapping
from typing import Any

from hub.search.predicate import (
    AllOf,
    AnyOf,
    Between,
    HasGlobal,
    HasToken,
    IdIs,
    Naming,
    Not,
    PatientIs,
    Patientless,
    Predicate,
)

Filter = dict[str, Any]

NOTHING_FILTER: Filter = {"_id": {"$in": []}}
RESOURCE_FIELDS: Mapping[str, str] = {"d": "d", "e": "e", "lu": "lu", "k": "k", "g": "g", "p": "p", "q": "q"}
RECORD_FIELDS: Mapping[str, str] = {"d": "t", "e": "t", "lu": "t", "k": "k", "g": "k", "p": "p", "q": "q"}
"""AuditEvents lie in the log: their time is `t`, an instant, and all their tokens are in `k`, and none has a `q`."""
SETS: Mapping[type, str] = {HasToken: "k", HasGlobal: "g", PatientIs: "p", Naming: "q"}
RECORDED_PRECISION_US = 1_000
"""AuditEvent.recorded is written to the millisecond, so its range ends one millisecond after `t`."""


def mongo_filter(predicate: Predicate, type: str, fields: Mapping[str, str] = RESOURCE_FIELDS) -> Filter:
    """One filter document. `type` turns logical ids into row ids."""
    match predicate:
        case HasToken(any_of) | HasGlobal(any_of) | PatientIs(any_of) | Naming(any_of):
            return _in(fields[SETS[predicate.__class__]], any_of)
        case Patientless():
            return {fields["p"]: None}
        case IdIs(any_of):
            return _in("_id", frozenset(row_id(type, id, fields) for id in any_of))
        case Between(field, low, high):
            shift = RECORDED_PRECISION_US if fields is RECORD_FIELDS and field == "e" else 0
            return _between(fields[field], _minus(low, shift), _minus(high, shift))
        case AllOf(parts):
            return _all([mongo_filter(part, type, fields) for part in parts])
        case AnyOf(parts):
            return _any([mongo_filter(part, type, fields) for part in parts])
        case Not(part):
            return {"$nor": [mongo_filter(part, type, fields)]}


def row_id(type: str, id: str, fields: Mapping[str, str]) -> str:
    """Rows of the log bear the bare id, all others type and id."""
    return id if fields is RECORD_FIELDS else f"{type}/{id}"


def _in(field: str, values: frozenset[Any]) -> Filter:
    if not values:
        return NOTHING_FILTER
    if len(values) == 1:
        return {field: next(iter(values))}
    return {field: {"$in": sorted(values)}}


def _minus(value: int | None, shift: int) -> int | None:
    return None if value is None else value - shift


def _between(field: str, low: int | None, high: int | None) -> Filter:
    bounds: Filter = {"$ne": None} if low is None and high is None else {}
    if low is not None:
        bounds["$gte"] = low
    if high is not None:
        bounds["$lt"] = high
    return {field: bounds}


def _all(parts: list[Filter]) -> Filter:
    """Merge where no field is named twice: MongoDB plans a flat filter better than a nested one."""
    kept = [part for part in parts if part]
    keys = [key for part in kept for key in part]
    if len(set(keys)) == len(keys):
        return {key: value for part in kept for key, value in part.items()}
    return {"$and": kept}


def _any(parts: list[Filter]) -> Filter:
    if not parts:
        return NOTHING_FILTER
    if any(not part for part in parts):
        return {}
    parts = _alike(parts)
    return parts[0] if len(parts) == 1 else {"$or": parts}


def _alike(parts: list[Filter]) -> list[Filter]:
    """Values of one field asked for in several parts become one set, whose ranges MongoDB walks in the order of an index."""
    values: dict[str, list[Any]] = {}
    others: list[Filter] = []
    for part in parts:
        (field, asked), *more = part.items()
        if more or field.startswith("$") or (isinstance(asked, dict) and asked.keys() != {"$in"}):
            others.append(part)
        else:
            values.setdefault(field, []).extend(asked["$in"] if isinstance(asked, dict) else [asked])
    sets: list[Filter] = [{field: those[0] if len(those) == 1 else {"$in": those}} for field, those in values.items()]
    return [*sets, *others]


def compartment_filter(patient: bytes, restriction: Predicate, but: frozenset[str]) -> Filter:
    """Everything of one patient that the restriction lets through, of whatever type but these."""
    return {"$and": [{"p": patient, "t": {"$exists": True, "$nin": sorted(but)}}, mongo_filter(restriction, "")]}
