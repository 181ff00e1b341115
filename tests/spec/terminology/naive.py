"""A second reading of value sets, in the plainest way, that shares no code with the hub's."""

from collections.abc import Iterator, Mapping
from typing import Any

Resources = Mapping[str, Mapping[str, Any]]
Key = tuple[str, str]
PAIRS: dict[int, list[Key]] = {}


class Unlisted(Exception):
    pass


def members(url: str, value_sets: Resources, code_systems: Resources) -> frozenset[Key] | None:
    try:
        keys = _members(url, value_sets, code_systems)
    except Unlisted:
        return None
    systems = {system for system, _ in keys} & code_systems.keys()
    return frozenset(keys.difference(*(groups(code_systems[system]) for system in systems)))


def _members(url: str, value_sets: Resources, code_systems: Resources) -> set[Key]:
    url = url.partition("|")[0]
    if url not in value_sets:
        raise Unlisted
    compose = value_sets[url]["compose"]
    keys: set[Key] = set()
    for include in compose["include"]:
        keys |= _part(include, value_sets, code_systems)
    for exclude in compose.get("exclude", []):
        keys -= _part(exclude, value_sets, code_systems)
    return keys


def _part(part: Mapping[str, Any], value_sets: Resources, code_systems: Resources) -> set[Key]:
    sets: list[set[Key]] = [_members(url, value_sets, code_systems) for url in part.get("valueSet", [])]
    if "system" in part:
        sets.append({(part["system"], code) for code in _codes(part, code_systems.get(part["system"]))})
    return set.intersection(*sets)


def _codes(part: Mapping[str, Any], system: Mapping[str, Any] | None) -> Iterator[str]:
    if "concept" in part:
        yield from (concept["code"] for concept in part["concept"])
        return
    if system is None or system["content"] != "complete" or part.get("version", system.get("version")) != system.get("version"):
        raise Unlisted
    for concept in _all(system["concept"]):
        if all(_passes(system, concept, one) for one in part.get("filter", [])):
            yield concept["code"]


def _passes(system: Mapping[str, Any], concept: Mapping[str, Any], one: Mapping[str, Any]) -> bool:
    if one["op"] == "is-a":
        return one["value"] in above(system, concept["code"])
    if one["op"] == "descendent-of":
        return one["value"] in above(system, concept["code"]) - {concept["code"]}
    if one["op"] == "is-not-a":
        return one["value"] not in above(system, concept["code"])
    raise Unlisted


def above(system: Mapping[str, Any], code: str) -> set[str]:
    """The code, and whatever stands above it by nesting or by a property."""
    found = {code}
    while True:
        more = found | {above for below, above in _pairs(system) if below in found}
        if more == found:
            return found
        found = more


def _pairs(system: Mapping[str, Any]) -> list[Key]:
    """(kind, concept) for every step of the hierarchy."""
    if id(system) not in PAIRS:
        PAIRS[id(system)] = [pair for concept in _all(system["concept"]) for pair in _steps(concept)]
    return PAIRS[id(system)]


def _steps(concept: Mapping[str, Any]) -> Iterator[Key]:
    yield from ((inner["code"], concept["code"]) for inner in concept.get("concept", []))
    for one in concept.get("property", []):
        if one["code"] == "child":
            yield one["valueCode"], concept["code"]
        if one["code"] == "parent":
            yield concept["code"], one["valueCode"]


def _all(concepts: list[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    for concept in concepts:
        yield concept
        yield from _all(concept.get("concept", []))


def groups(system: Mapping[str, Any]) -> set[Key]:
    """What only groups others."""
    marks = ("abstract", "notSelectable")
    return {
        (system["url"], concept["code"])
        for concept in _all(system["concept"])
        if any(one["code"] in marks and one["valueBoolean"] for one in concept.get("property", []))
    }
