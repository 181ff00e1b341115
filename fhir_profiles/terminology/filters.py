"""`ValueSet.compose.include.filter`: which concepts of a code system does a value set take?

https://hl7.org/fhir/R4/valueset-filter-operator.html. One row an operator.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from fhir_profiles.terminology.code_systems import CodeSystem, Concept
from fhir_profiles.terminology.errors import TerminologyError

Test = Callable[[CodeSystem, Concept, str, str], bool]


def _is_a(system: CodeSystem, concept: Concept, _property: str, value: str) -> bool:
    return value in system.ancestors(concept.code)


def _descends(system: CodeSystem, concept: Concept, _property: str, value: str) -> bool:
    return concept.code != value and value in system.ancestors(concept.code)


def _generalizes(system: CodeSystem, concept: Concept, _property: str, value: str) -> bool:
    return concept.code in system.ancestors(value)


def _texts(concept: Concept, property: str) -> tuple[str, ...]:
    if property in ("concept", "code"):
        return (concept.code,)
    if property == "display":
        return () if concept.display is None else (concept.display,)
    return tuple(_text(value) for value in concept.properties.get(property, ()))


def _text(value: Any) -> str:
    """A property as the value of a filter writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value.get("code", "")) if isinstance(value, dict) else str(value)


def _in(_system: CodeSystem, concept: Concept, property: str, value: str) -> bool:
    return any(text in value.split(",") for text in _texts(concept, property))


def _exists(_system: CodeSystem, concept: Concept, property: str, value: str) -> bool:
    return bool(_texts(concept, property)) == (value == "true")


def _equals(_system: CodeSystem, concept: Concept, property: str, value: str) -> bool:
    return value in _texts(concept, property)


OPERATORS: Final[Mapping[str, Test]] = MappingProxyType(
    {
        "=": _equals,
        "is-a": _is_a,
        "descendent-of": _descends,
        "is-not-a": lambda *asked: not _is_a(*asked),
        "generalizes": _generalizes,
        "in": _in,
        "not-in": lambda *asked: not _in(*asked),
        "exists": _exists,
    }
)


def passes(system: CodeSystem, concept: Concept, filters: list[Mapping[str, Any]]) -> bool:
    """Does the concept meet all of these filters? Raises TerminologyError for an operator that is not evaluated."""
    for one in filters:
        test = OPERATORS.get(one["op"])
        if test is None:  # a regular expression of a client may take any time
            raise TerminologyError("not-supported", "a filter with this operator is not evaluated here")
        if not test(system, concept, one["property"], one["value"]):
            return False
    return True
