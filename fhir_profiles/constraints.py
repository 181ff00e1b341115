"""The invariants of R4's base definitions, compiled once (`fhir_profiles.fhirpath`), and run only where they can matter.

https://hl7.org/fhir/R4/conformance-rules.html#constraints. The expressions are HL7's own (`fhir_profiles.definitions`). An
invariant that holds where none of the elements it speaks of is there costs a look at the names and nothing else.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, Final

from fhir_profiles.definitions import Definition
from fhir_profiles.definitions import Invariant as Defined
from fhir_profiles.fhirpath import Compiled, compile_
from fhir_profiles.invariants import Element, Invariant

LEFT_OUT: Final[Mapping[str, str]] = MappingProxyType(
    {
        "ele-1": "the walk refuses, at every element, what is empty or has nothing but an id (`structure`): no expression is needed",
        "ext-1": "written by hand, for every extension passes it",
        "txt-1": "the narrative's own check says more",
        "txt-2": "the narrative's own check says more",
        **dict.fromkeys(["ref-1", "dom-2", "dom-3", "dom-4", "dom-5"], "said by `references`, with the place of what is wrong"),
        "eld-19": "speaks of characters that published definitions of R4 use",
        "eld-20": "speaks of characters that published definitions of R4 use",
        "sdf-8": "compares with the resource around it; checked where a profile is compiled",
        "sdf-8a": "compares with the resource around it; checked where a profile is compiled",
        "sdf-9": "forbids labels that published definitions of R4 bear",
    }
)
"""Invariants that are not run, and why."""
_SCOPE: Final = "http://terminology.hl7.org/CodeSystem/consentscope"
_FOR_SCOPE: Final = "patient.exists() or scope.coding.where(system='{system}' and code='{code}').exists().not()"
CORRECTED: Final[Mapping[str, str]] = MappingProxyType(
    {
        # published with the system 'something', so that they can never be broken; the codes are those of one system
        **{
            key: _FOR_SCOPE.format(system=_SCOPE, code=code)
            for key, code in {"ppc-2": "patient-privacy", "ppc-3": "research", "ppc-4": "adr", "ppc-5": "treatment"}.items()
        },
        # published so that any category counts, and so that a concept is compared with a text
        "con-3": (
            "clinicalStatus.exists() or verificationStatus.coding.where(system='http://terminology.hl7.org/CodeSystem/condition-ver-status'"
            " and code='entered-in-error').exists() or category.coding.where(system='http://terminology.hl7.org/CodeSystem/condition-category'"
            " and code='problem-list-item').empty()"
        ),
        # published with the type Boolean of FHIRPath, which no element has: the answer is a boolean of FHIR
        "que-7": "operator = 'exists' implies (answer is boolean)",
    }
)
"""What is run in place of expressions that cannot mean what the sentence published beside them says."""
_WHOLE: Final[Mapping[str, str]] = MappingProxyType(
    {"name.matches('[A-Z]([A-Za-z0-9_]){0,254}')": "name.matches('^[A-Z]([A-Za-z0-9_]){0,254}$')"}
)
"""The naming rule of all conformance resources (csd-0, vsd-0, …) speaks of the whole name; a part of it always matches something."""
DEEP: Final = frozenset({"descendants", "children", "repeat"})
"""Functions that lead to elements which the expression does not name from here."""
_WORD: Final = re.compile(r"[A-Za-z][A-Za-z0-9]*")


def constraints(structure: Definition, known: frozenset[str]) -> tuple[Invariant, ...]:
    """Those of the structure, and of its elements, that are errors. `known`: keys that are checked by other means."""
    return tuple(_all(structure, "error", known))


def advice(structure: Definition) -> tuple[Invariant, ...]:
    """Those that are warnings: best practice, rules for names."""
    return tuple(_all(structure, "warning", frozenset()))


def _all(structure: Definition, severity: str, known: frozenset[str]) -> Iterator[Invariant]:
    def runs(one: Defined) -> bool:
        return one.severity == severity and one.key not in known and one.key not in LEFT_OUT

    yield from (_compiled(structure, one) for one in structure.invariants if runs(one))
    for name, (element, type) in structure.named.items():
        of = element.structure or type.profile or type.code
        yield from (_of_element(name, of, one) for one in element.invariants if runs(one))


def _compiled(structure: Definition, defined: Defined) -> Invariant:
    words = frozenset(_WORD.findall(_meant(defined)))
    names = frozenset(name for name, (element, _) in structure.named.items() if element.name in words or name in words)
    expression, type = _meant(defined), None if structure.kind == "resource" else structure.name
    named = bool(names) and DEEP.isdisjoint(words)

    def holds(value: Element) -> bool:
        return (named and names.isdisjoint(value) and _true_of_nothing(expression, type)) or _holds(expression, type, value)

    return Invariant(defined.key, holds, defined.human)


def _meant(defined: Defined) -> str:
    return CORRECTED.get(defined.key) or _WHOLE.get(defined.expression, defined.expression)


def _of_element(name: str, type: str, defined: Defined) -> Invariant:
    """A constraint on what stands under one JSON name of the structure: each of its repetitions has to meet it."""

    def holds(value: Element) -> bool:
        found = value.get(name, ())
        return all(_holds(_meant(defined), type, one) for one in (found if isinstance(found, list) else [found]))

    return Invariant(defined.key, holds, defined.human)


def _holds(expression: str, type: str | None, value: Any) -> bool:
    """Raises FhirPathError where it cannot be decided: no resource of R4 leads there (a test makes sure), so it is no yes."""
    compiled = _of(expression)
    return compiled.holds(value) if type is None else compiled.holds(value, type=type, root=value)


@cache
def _of(expression: str) -> Compiled:
    """Compiled when it is first needed: there are hundreds, and a hub meets a few."""
    return compile_(expression)


@cache
def _true_of_nothing(expression: str, type: str | None) -> bool:
    return _holds(expression, type, {})
