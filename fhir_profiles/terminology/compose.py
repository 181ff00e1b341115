"""What a value set holds: every concept where it can be listed, else whether one concept is in it.

https://hl7.org/fhir/R4/valueset.html#compositions. Within one include all its parts must hold; several includes are
alternatives; an exclude takes away.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from fhir_profiles.terminology.code_systems import CodeSystem
from fhir_profiles.terminology.errors import TerminologyError
from fhir_profiles.terminology.filters import passing
from fhir_profiles.terminology.grammars import GRAMMARS
from fhir_profiles.terminology.terms import SHIPPED, Terms, canonical_of

DEPTH_MAX: Final = 8
"""Value sets made of value sets; also what stops a circle."""
LOOKED_AT_MAX: Final = 200_000
"""Concepts and parts that one question may look at: three times what the largest shipped value set takes."""

ValueSet = Mapping[str, Any]
Part = Mapping[str, Any]


class Entry(NamedTuple):
    """One concept of a value set."""

    system: str
    code: str
    display: str | None
    abstract: bool = False
    inactive: bool = False

    @property
    def key(self) -> tuple[str, str]:
        return self.system, self.code


def entries(value_set: ValueSet, terms: Terms = SHIPPED) -> tuple[Entry, ...]:
    """Every concept, in the order in which the value set names them. Raises TerminologyError where they cannot be listed."""
    return Composition(terms).entries(value_set)


def holds(value_set: ValueSet, system: str, code: str, terms: Terms = SHIPPED) -> bool | None:
    """Is this concept in the value set? None: that rests on a code system that is not known."""
    return Composition(terms).holds(value_set, system, code)


class Composition:
    """One question about value sets. What it looks at is counted, and each value set inside is listed once."""

    def __init__(self, terms: Terms = SHIPPED) -> None:
        self.terms = terms
        self._looked_at = 0
        self._listed: dict[str, tuple[Entry, ...]] = {}
        self._held: dict[tuple[str, str, str], bool | None] = {}

    def entries(self, value_set: ValueSet, depth: int = 0) -> tuple[Entry, ...]:
        """As the function of this name."""
        compose = value_set.get("compose")
        if compose is None:
            return _expanded(value_set)
        found = {entry.key: entry for part in compose.get("include", ()) for entry in self._of_part(part, depth)}
        gone = {entry.key for part in compose.get("exclude", ()) for entry in self._of_part(part, depth)}
        return tuple(entry for key, entry in found.items() if key not in gone)

    def holds(self, value_set: ValueSet, system: str, code: str, depth: int = 0) -> bool | None:
        """As the function of this name."""
        compose = value_set.get("compose")
        if compose is None:
            return (system, code) in {entry.key for entry in _expanded(value_set)}
        included = _any(self._part_holds(part, system, code, depth) for part in compose.get("include", ()))
        excluded = _any(self._part_holds(part, system, code, depth) for part in compose.get("exclude", ()))
        return _all(iter((included, None if excluded is None else not excluded)))

    def _look(self, at: int) -> None:
        self._looked_at += at
        if self._looked_at > LOOKED_AT_MAX:
            raise TerminologyError("too-costly", "the answer takes more concepts than can be looked at for one question; ask for less")

    def _inner(self, canonical: str, depth: int) -> ValueSet:
        inner = self.terms.value_set(canonical)
        if inner is None:
            raise TerminologyError("not-supported", "the value set is made of another one that is not known here")
        if depth >= DEPTH_MAX:
            raise TerminologyError("invalid", f"value sets are made of each other more than {DEPTH_MAX} deep")
        return inner

    def _inside(self, canonical: str, depth: int) -> tuple[Entry, ...]:
        """The concepts of a value set of which another one is made."""
        inner = self._inner(canonical, depth)
        if canonical not in self._listed:
            self._listed[canonical] = self.entries(inner, depth + 1)
        return self._listed[canonical]

    def _of_part(self, part: Part, depth: int) -> Iterator[Entry]:
        """The concepts of one include or exclude."""
        inner = [self._inside(canonical, depth) for canonical in part.get("valueSet", ())]
        self._look(1 + sum(map(len, inner)))
        allowed = None if not inner else frozenset.intersection(*(frozenset(entry.key for entry in one) for one in inner))
        of_system = self._of_system(part) if "system" in part else iter(inner[0] if inner else ())
        return (entry for entry in of_system if allowed is None or entry.key in allowed)

    def _of_system(self, part: Part) -> Iterator[Entry]:
        url = part["system"]
        system = self.terms.code_system(canonical_of(part))
        if "concept" in part:
            self._look(len(part["concept"]))
            yield from (_named(url, one, system) for one in part["concept"])
            return
        if system is None or not system.complete:
            raise TerminologyError("not-supported", "the value set takes in a code system whose concepts are not known here")
        self._look(len(system.concepts))
        passes = passing(system, part.get("filter", ()))
        for concept in system.concepts.values():
            if passes(concept):
                yield Entry(url, concept.code, concept.display, concept.abstract, concept.inactive)

    def _part_holds(self, part: Part, system: str, code: str, depth: int) -> bool | None:
        self._look(1)
        inner = [self._inside_holds(canonical, system, code, depth) for canonical in part.get("valueSet", ())]
        of_system = [self._system_holds(part, system, code)] if "system" in part else []
        answers = (*inner, *of_system)
        return _all(iter(answers)) if answers else False

    def _inside_holds(self, canonical: str, system: str, code: str, depth: int) -> bool | None:
        inner, key = self.terms.value_set(canonical), (canonical, system, code)
        if inner is None or depth >= DEPTH_MAX:
            return None
        if key not in self._held:
            self._held[key] = self.holds(inner, system, code, depth + 1)
        return self._held[key]

    def _system_holds(self, part: Part, url: str, code: str) -> bool | None:
        if part["system"] != url:
            return False
        if "concept" in part:
            self._look(len(part["concept"]))
            return any(named["code"] == code for named in part["concept"])
        system = self.terms.code_system(canonical_of(part))
        if system is None:
            grammar = None if "filter" in part else GRAMMARS.get(url)
            return None if grammar is None else grammar(code)
        concept = system.concepts.get(code)
        if concept is None:
            return False if system.complete else None
        try:
            return passing(system, part.get("filter", ()))(concept)
        except TerminologyError:
            return None


def _any(answers: Iterator[bool | None]) -> bool | None:
    """One yes is enough; without one, not knowing is stronger than no."""
    unknown = False
    for answer in answers:
        if answer:
            return True
        unknown = unknown or answer is None
    return None if unknown else False


def _all(answers: Iterator[bool | None]) -> bool | None:
    inverse = _any(None if answer is None else not answer for answer in answers)
    return None if inverse is None else not inverse


def _expanded(value_set: ValueSet) -> tuple[Entry, ...]:
    """A value set that only brings its expansion."""
    if "expansion" not in value_set:
        return ()
    return tuple(_contained(value_set["expansion"].get("contains", ())))


def _contained(contains: Any) -> Iterator[Entry]:
    for one in contains:
        if "code" in one and "system" in one:
            yield Entry(one["system"], one["code"], one.get("display"), one.get("abstract", False), one.get("inactive", False))
        yield from _contained(one.get("contains", ()))


def _named(url: str, named: Mapping[str, Any], system: CodeSystem | None) -> Entry:
    """A concept that the value set names itself."""
    concept = None if system is None else system.concepts.get(named["code"])
    if concept is None:
        return Entry(url, named["code"], named.get("display"))
    return Entry(url, named["code"], named.get("display") or concept.display, concept.abstract, concept.inactive)
