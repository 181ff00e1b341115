"""`ValueSet.compose.include.filter`: which concepts of a code system does a value set take?

https://hl7.org/fhir/R4/valueset-filter-operator.html. One row an operator.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from fhir_profiles.terminology.code_systems import CodeSystem, Concept
from fhir_profiles.terminology.errors import TerminologyError

Test = Callable[[Concept], bool]
Operator = Callable[[CodeSystem, str, str], Test]
"""(system, property, value) -> the test of a concept, made once for all of them"""


def _is_a(system: CodeSystem, _property: str, value: str) -> Test:
    kinds = system.descendants(value)
    return lambda concept: concept.code in kinds


def _descends(system: CodeSystem, _property: str, value: str) -> Test:
    kinds = system.descendants(value) - {value}
    return lambda concept: concept.code in kinds


def _generalizes(system: CodeSystem, _property: str, value: str) -> Test:
    above = system.ancestors(value)
    return lambda concept: concept.code in above


def _in(_system: CodeSystem, property: str, value: str) -> Test:
    values = frozenset(value.split(","))
    return lambda concept: not values.isdisjoint(_texts(concept, property))


def _exists(_system: CodeSystem, property: str, value: str) -> Test:
    return lambda concept: bool(_texts(concept, property)) == (value == "true")


def _equals(_system: CodeSystem, property: str, value: str) -> Test:
    return lambda concept: value in _texts(concept, property)


def _not(operator: Operator) -> Operator:
    def inverse(system: CodeSystem, property: str, value: str) -> Test:
        test = operator(system, property, value)
        return lambda concept: not test(concept)

    return inverse


OPERATORS: Final[Mapping[str, Operator]] = MappingProxyType(
    {
        "=": _equals,
        "is-a": _is_a,
        "descendent-of": _descends,
        "is-not-a": _not(_is_a),
        "generalizes": _generalizes,
        "in": _in,
        "not-in": _not(_in),
        "exists": _exists,
    }
)


def passing(system: CodeSystem, filters: Sequence[Mapping[str, Any]]) -> Test:
    """Whether a concept meets all of these filters. Raises TerminologyError for an operator that is not evaluated."""
    tests = [_test(system, one) for one in filters]
    return lambda concept: all(test(concept) for test in tests)


def _test(system: CodeSystem, filter: Mapping[str, Any]) -> Test:
    operator = OPERATORS.get(filter["op"])
    if operator is None:  # a regular expression of a client may take any time
        raise TerminologyError("not-supported", "a filter with this operator is not evaluated here")
    return operator(system, filter["property"], filter["value"])


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
