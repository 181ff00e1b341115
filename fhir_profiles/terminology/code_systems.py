"""One code system: its concepts, which of them may be used, and which is a kind of which.

https://hl7.org/fhir/R4/codesystem.html. A code system that does not say what its hierarchy means (`hierarchyMeaning`) is
taken to mean is-a, as HL7's own value sets take it.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

ABSTRACT: Final = frozenset({"notSelectable", "abstract"})
"""Properties that say of a concept that it only groups others. https://hl7.org/fhir/R4/codesystem.html#defined-props"""
INACTIVE: Final = frozenset({"retired", "inactive"})
"""Values of the property `status`; what is only deprecated may still be used."""
NO_KIND: Final = frozenset({"part-of", "grouped-by", "classified-with"})
"""Hierarchies in which a concept is no kind of the one above."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Concept:
    code: str
    display: str | None
    abstract: bool
    inactive: bool
    properties: Mapping[str, tuple[Any, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeSystem:
    """`complete`: it has every concept; a code that is not among them is none of this system."""

    url: str
    version: str | None
    complete: bool
    concepts: Mapping[str, Concept]
    parents: Mapping[str, frozenset[str]]
    children: Mapping[str, frozenset[str]]

    def descendants(self, code: str) -> frozenset[str]:
        """The concept and every kind of it."""
        return _reached(code, self.children)

    def ancestors(self, code: str) -> frozenset[str]:
        """The concept and everything it is a kind of."""
        return _reached(code, self.parents)


def read(resource: Mapping[str, Any]) -> CodeSystem:
    """From a CodeSystem resource."""
    concepts: dict[str, Concept] = {}
    links = set[tuple[str, str]]()
    for concept, above in _walk(resource.get("concept", ()), None):
        properties = _properties(concept)
        code = concept["code"]
        concepts[code] = Concept(
            code=code,
            display=concept.get("display"),
            abstract=any(value is True for name in ABSTRACT for value in properties.get(name, ())),
            inactive=not INACTIVE.isdisjoint(value for value in properties.get("status", ()) if isinstance(value, str)),
            properties=MappingProxyType(properties),
        )
        links.update((code, parent) for parent in (*properties.get("parent", ()), *(() if above is None else (above,))))
        links.update((child, code) for child in properties.get("child", ()))
    if resource.get("hierarchyMeaning") in NO_KIND:
        links.clear()
    return CodeSystem(
        url=resource.get("url", ""),
        version=resource.get("version"),
        complete=resource.get("content") == "complete",
        concepts=MappingProxyType(concepts),
        parents=_gathered(links),
        children=_gathered((parent, child) for child, parent in links),
    )


def _walk(concepts: Iterable[Mapping[str, Any]], above: str | None) -> Iterator[tuple[Mapping[str, Any], str | None]]:
    for concept in concepts:
        yield concept, above
        yield from _walk(concept.get("concept", ()), concept["code"])


def _properties(concept: Mapping[str, Any]) -> dict[str, tuple[Any, ...]]:
    properties: dict[str, tuple[Any, ...]] = {}
    for one in concept.get("property", ()):
        value = next((value for name, value in one.items() if name.startswith("value")), None)
        properties[one["code"]] = (*properties.get(one["code"], ()), value)
    return properties


def _gathered(pairs: Iterable[tuple[str, str]]) -> Mapping[str, frozenset[str]]:
    gathered: dict[str, set[str]] = {}
    for one, other in pairs:
        gathered.setdefault(one, set()).add(other)
    return MappingProxyType({one: frozenset(others) for one, others in gathered.items()})


def _reached(code: str, steps: Mapping[str, frozenset[str]]) -> frozenset[str]:
    reached, waiting = {code}, [code]
    while waiting:
        new = steps.get(waiting.pop(), frozenset()) - reached
        reached |= new
        waiting.extend(new)
    return frozenset(reached)
