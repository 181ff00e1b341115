"""$validate-code: is this a concept of that value set, or of that code system, and is it called what was said?

https://hl7.org/fhir/R4/valueset-operation-validate-code.html, https://hl7.org/fhir/R4/codesystem-operation-validate-code.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fhir_profiles.terminology.code_systems import CodeSystem, Concept
from fhir_profiles.terminology.compose import Composition, Entry
from fhir_profiles.terminology.errors import TerminologyError
from fhir_profiles.terminology.terms import SHIPPED, Terms

ValueSet = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One coding. `abstract`: a concept that only groups others will do."""

    system: str | None
    code: str
    version: str | None = None
    display: str | None = None
    abstract: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`message` says why not, `display` what the concept is called."""

    result: bool
    message: str | None = None
    display: str | None = None


def in_code_system(asked: Asked, terms: Terms = SHIPPED) -> Verdict:
    """Raises TerminologyError if the code system is not known, or only part of it."""
    canonical = asked.system if asked.version is None else f"{asked.system}|{asked.version}"
    system = None if canonical is None else terms.code_system(canonical)
    if system is None:
        raise TerminologyError("not-supported", "this code system, or this version of it, is not known here")
    return of_code_system(system, asked)


def of_code_system(system: CodeSystem, asked: Asked) -> Verdict:
    """Whether this very code system has the code. Raises TerminologyError if only part of it is known."""
    concept = system.concepts.get(asked.code)
    if concept is None and not system.complete:
        raise TerminologyError("not-supported", "only part of this code system is known here, and the code is not in that part")
    if concept is None:
        return Verdict(result=False, message="The code system does not have this code.")
    return _judged(asked, concept)


def in_value_set(value_set: ValueSet, asked: Asked, terms: Terms = SHIPPED) -> Verdict:
    """Raises TerminologyError where the answer rests on a code system that is not known."""
    return _in_value_set(Composition(terms), value_set, asked)


def any_in_value_set(value_set: ValueSet, codings: tuple[Asked, ...], terms: Terms = SHIPPED) -> Verdict:
    """A CodeableConcept is in a value set if one of its codings is. Not knowing about one matters only if no other is in it."""
    unknown: TerminologyError | None = None
    verdict = Verdict(result=False, message="None of the codings is in the value set.")
    composition = Composition(terms)
    for asked in codings:
        try:
            verdict = _in_value_set(composition, value_set, asked)
        except TerminologyError as error:
            unknown = error
        else:
            if verdict.result:
                return verdict
    if unknown is not None:
        raise unknown
    return verdict


def _in_value_set(composition: Composition, value_set: ValueSet, asked: Asked) -> Verdict:
    if asked.system is None:
        return _without_system(composition, value_set, asked)
    if asked.version is not None and composition.terms.code_system(f"{asked.system}|{asked.version}") is None:
        raise TerminologyError("not-supported", "this version of the code system is not known here")
    held = composition.holds(value_set, asked.system, asked.code)
    if held is None:
        raise TerminologyError("not-supported", "whether the code is in the value set rests on a code system that is not known here")
    if not held:
        return Verdict(result=False, message="The value set does not have this code of this code system.")
    return _judged(asked, _named(composition, value_set, asked.system, asked.code))


def _without_system(composition: Composition, value_set: ValueSet, asked: Asked) -> Verdict:
    """A bare code: its system is that of the one entry with this code."""
    found = [entry for entry in composition.entries(value_set) if entry.code == asked.code]
    if not found:
        return Verdict(result=False, message="The value set does not have this code.")
    if len({entry.system for entry in found}) > 1:
        return Verdict(result=False, message="The value set has this code of several code systems: say which system is meant.")
    return _judged(asked, found[0])


def _named(composition: Composition, value_set: ValueSet, system: str, code: str) -> Entry | Concept:
    """How the value set names the concept, else how its code system does."""
    try:
        return next(entry for entry in composition.entries(value_set) if entry.key == (system, code))
    except (TerminologyError, StopIteration):
        known = composition.terms.code_system(system)
        concept = None if known is None else known.concepts.get(code)
        return concept or Entry(system, code, None)


def _judged(asked: Asked, concept: Entry | Concept) -> Verdict:
    if concept.abstract and not asked.abstract:
        return Verdict(result=False, message="The concept only groups others (abstract): choose one of those.", display=concept.display)
    if asked.display is not None and concept.display is not None and _words(asked.display) != _words(concept.display):
        return Verdict(result=False, message="The code is right, but the concept is called something else.", display=concept.display)
    return Verdict(result=True, display=concept.display)


def _words(text: str) -> list[str]:
    return text.casefold().split()
