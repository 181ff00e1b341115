"""What a value set holds: every concept where it can be listed, else whether one concept is in it.

https://hl7.org/fhir/R4/valueset.html#compositions. Within one include all its parts must hold; several includes are
alternatives; an exclude takes away.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from fhir_profiles.terminology import library
from fhir_profiles.terminology.errors import TerminologyError
from fhir_profiles.terminology.filters import passes
from fhir_profiles.terminology.grammars import GRAMMARS

DEPTH_MAX: Final = 8
"""Value sets made of value sets; also what stops a circle."""

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


def entries(value_set: ValueSet, depth: int = 0) -> tuple[Entry, ...]:
    """Every concept, in the order in which the value set names them. Raises TerminologyError where they cannot be listed."""
    compose = value_set.get("compose")
    if compose is None:
        return _expanded(value_set)
    found = {entry.key: entry for part in compose.get("include", ()) for entry in _listed(part, depth)}
    gone = {entry.key for part in compose.get("exclude", ()) for entry in _listed(part, depth)}
    return tuple(entry for key, entry in found.items() if key not in gone)


def holds(value_set: ValueSet, system: str, code: str, depth: int = 0) -> bool | None:
    """Is this concept in the value set? None: that rests on a code system that is not shipped."""
    compose = value_set.get("compose")
    if compose is None:
        return (system, code) in {entry.key for entry in _expanded(value_set)}
    included = _any(_part_holds(part, system, code, depth) for part in compose.get("include", ()))
    excluded = _any(_part_holds(part, system, code, depth) for part in compose.get("exclude", ()))
    return _all(iter((included, None if excluded is None else not excluded)))


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


def _inner(canonical: str, depth: int) -> ValueSet:
    inner = library.value_set(canonical)
    if inner is None:
        raise TerminologyError("not-supported", "the value set is made of another one that is not shipped with the hub")
    if depth >= DEPTH_MAX:
        raise TerminologyError("invalid", f"value sets are made of each other more than {DEPTH_MAX} deep")
    return inner


def _listed(part: Part, depth: int) -> Iterator[Entry]:
    """The concepts of one include or exclude."""
    inner = [entries(_inner(canonical, depth), depth + 1) for canonical in part.get("valueSet", ())]
    allowed = None if not inner else frozenset.intersection(*(frozenset(entry.key for entry in one) for one in inner))
    of_system = _of_system(part) if "system" in part else iter(inner[0] if inner else ())
    return (entry for entry in of_system if allowed is None or entry.key in allowed)


def _of_system(part: Part) -> Iterator[Entry]:
    url = part["system"]
    system = library.code_system(_canonical(part))
    if "concept" in part:
        for named in part["concept"]:
            concept = None if system is None else system.concepts.get(named["code"])
            if concept is None:
                yield Entry(url, named["code"], named.get("display"))
            else:
                yield Entry(url, named["code"], named.get("display") or concept.display, concept.abstract, concept.inactive)
        return
    if system is None or not system.complete:
        raise TerminologyError("not-supported", "the value set takes in a code system whose concepts are not shipped with the hub")
    for concept in system.concepts.values():
        if passes(system, concept, part.get("filter", [])):
            yield Entry(url, concept.code, concept.display, concept.abstract, concept.inactive)


def _canonical(part: Part) -> str:
    return f"{part['system']}|{part['version']}" if "version" in part else str(part["system"])


def _part_holds(part: Part, system: str, code: str, depth: int) -> bool | None:
    asked = [holds(inner, system, code, depth + 1) for inner in _known(part, depth)]
    unknown = [None] * (len(part.get("valueSet", ())) - len(asked))
    of_system = [_system_holds(part, system, code)] if "system" in part else []
    answers = (*asked, *unknown, *of_system)
    return _all(iter(answers)) if answers else False


def _known(part: Part, depth: int) -> Iterator[ValueSet]:
    for canonical in part.get("valueSet", ()):
        if depth < DEPTH_MAX and (inner := library.value_set(canonical)) is not None:
            yield inner


def _system_holds(part: Part, url: str, code: str) -> bool | None:
    if part["system"] != url:
        return False
    if "concept" in part:
        return any(named["code"] == code for named in part["concept"])
    system = library.code_system(_canonical(part))
    if system is None:
        grammar = None if "filter" in part else GRAMMARS.get(url)
        return None if grammar is None else grammar(code)
    concept = system.concepts.get(code)
    if concept is None:
        return False if system.complete else None
    try:
        return passes(system, concept, part.get("filter", []))
    except TerminologyError:
        return None
