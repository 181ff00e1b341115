"""A question about the history as MongoDB filters, and the order of what several of them find. Pure.

Current versions, tombstones and older versions lie apart; each is read by its own index in one order, and what is read is
merged (`hub.store.schema`).
"""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from typing import Any

from hub.search.predicate import Predicate
from hub.store.documents import history_id
from hub.store.mongo_filter import RESOURCE_FIELDS, Filter, mongo_filter
from hub.store.protocol import Histories, Place, Stored
from hub.store.schema import MAIN_INDEX

TOMBSTONE_FIELDS: Mapping[str, str] = {**RESOURCE_FIELDS, "k": "y", "g": "y"}
"""A tombstone keeps its tokens where no search looks for them."""

Source = tuple[str, Filter, list[tuple[str, int]]]
"""Collection, filter, sort."""
Read = tuple[Stored, bool]
"""A version, and whether it is the current one."""


def sources(asked: Histories) -> list[Source]:
    """What is to be read; together it is the answer."""
    way = -1 if asked.descending else 1
    if asked.row is not None:
        past = {"_id": {"$gt": f"{asked.row}/", "$lt": f"{asked.row}0"}}
        return [
            ("resources", _and([{"_id": asked.row}, _when(asked, past=False)]), [("_id", way)]),
            ("history", _and([past, _when(asked, past=True), _beyond_version(asked)]), [("_id", way)]),
        ]
    order = [("lu", way), ("_id", way)]
    return [
        ("resources", _all(asked, "t", RESOURCE_FIELDS, past=False), order),
        ("resources", _all(asked, "x", TOMBSTONE_FIELDS, past=False), order),
        ("history", _all(asked, "t", RESOURCE_FIELDS, past=True), order),
    ]


def ever(type: str, of_type: bytes, patient: bytes) -> list[tuple[str, Filter, str]]:
    """Where rows of a type are found that one patient has, or had: collection, filter, and the index, never that of the whole type."""
    return [("resources", {"k": of_type, "p": patient, "t": type}, MAIN_INDEX), ("history", {"p": patient, "t": type}, "p_1")]


def place(stored: Stored) -> Place:
    return stored.updated_us, stored.row, stored.version


def key(asked: Histories, at: Place) -> tuple[Any, ...]:
    """By it everything is in one order: of one resource its versions, of many the time, ties by name and version."""
    updated_us, row, version = at
    return (version,) if asked.row is not None else (updated_us, history_id(row, version))


async def merged(asked: Histories, reading: Sequence[AsyncGenerator[Read, None]]) -> AsyncGenerator[Read, None]:
    """In order, and strictly after the place from which to go on."""
    first: Callable[..., Any] = max if asked.descending else min
    start = None if asked.after is None else key(asked, asked.after)
    heads = [(one, read) for one in reading if (read := await _next(one)) is not None]
    while heads:
        index = first(range(len(heads)), key=lambda place_: key(asked, place(heads[place_][1][0])))
        source, read = heads[index]
        at = key(asked, place(read[0]))
        if start is None or (at < start if asked.descending else at > start):
            yield read
        following = await _next(source)
        heads[index : index + 1] = [] if following is None else [(source, following)]


async def _next(source: AsyncGenerator[Read, None]) -> Read | None:
    return await anext(source, None)


def _all(asked: Histories, type_field: str, fields: Mapping[str, str], *, past: bool) -> Filter:
    """Of the types that a scope covers, what the caller may see, in the time asked for."""
    within: Filter = {"q": {"$not": {"$elemMatch": {"$nin": sorted(asked.others_within)}}}}
    if asked.own is not None:
        within = {"$or": [within, {type_field: "Patient", "p": asked.own}]}
    return _and(
        [
            _types(asked.types, type_field, fields),
            mongo_filter(asked.restriction, "", fields),
            within,
            _when(asked, past=past),
            _beyond(asked, past=past),
        ]
    )


def _types(types: Mapping[str, Predicate], type_field: str, fields: Mapping[str, str]) -> Filter:
    """Types of like conditions together: one list of types is what the index can go through in order."""
    branches: dict[str, tuple[Filter, list[str]]] = {}
    for type, predicate in types.items():
        condition = mongo_filter(predicate, type, fields)
        branches.setdefault(repr(condition), (condition, []))[1].append(type)
    made = [_and([{type_field: {"$in": sorted(names)}}, condition]) for condition, names in branches.values()]
    return made[0] if len(made) == 1 else {"$or": made}


def _when(asked: Histories, *, past: bool) -> Filter:
    """A version was current from its own time until the next one's."""
    parts: list[Filter] = []
    if asked.since_us is not None:
        parts.append({"lu": {"$gte": asked.since_us}})
    if asked.at is not None:
        start_us, end_us = asked.at
        parts.append({"lu": {"$lt": end_us}, **({"u": {"$gt": start_us}} if past else {})})
    return _and(parts)


def _beyond(asked: Histories, *, past: bool) -> Filter:
    """Where to go on. The row of a current version may be the same as the last one's: `merged` is strict."""
    if asked.after is None:
        return {}
    updated_us, row, version = asked.after
    op = "$lt" if asked.descending else "$gt"
    tied = {"_id": {op: history_id(row, version)}} if past else {"_id": {f"{op}e": row}}
    return {"lu": {f"{op}e": updated_us}, "$or": [{"lu": {op: updated_us}}, tied]}


def _beyond_version(asked: Histories) -> Filter:
    if asked.after is None or asked.row is None:
        return {}
    return {"_id": {"$lt" if asked.descending else "$gt": history_id(asked.row, asked.after[2])}}


def _and(parts: Sequence[Filter]) -> Filter:
    kept = [part for part in parts if part]
    return kept[0] if len(kept) == 1 else {"$and": kept} if kept else {}
