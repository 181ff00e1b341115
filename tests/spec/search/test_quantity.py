"""Numbers and quantities: https://hl7.org/fhir/R4/search.html#number, #quantity, #prefix; FHIR.md 4b.9."""

from decimal import Decimal
from itertools import product
from typing import Any

import pytest

from hub.errors import FhirError
from tests.spec.search.given import found, search

UCUM = "http://unitsofmeasure.org"
PREFIXES = ("", "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap")
PRECISIONS = ("100", "100.0", "100.00", "1e2", "1.00e2", "0.5", "-3", "0")
AMOUNTS = """
    95 99.4 99.5 99.94 99.95 99.996 100 100.004 100.04 100.05 100.5 105 110 111 90 89 0.45 0.54 -3 -3.2 0
"""
VALUES = tuple(map(Decimal, AMOUNTS.split()))
HALVES = {"100": "0.5", "100.0": "0.05", "100.00": "0.005", "1e2": "5", "1.00e2": "0.5", "0.5": "0.05", "-3": "0.5", "0": "0.5"}
"""The examples of the specification, and by their rule the others: half of what the last digit stands for."""


def probability(value: Decimal) -> dict[str, Any]:
    return {"resourceType": "RiskAssessment", "id": "r", "prediction": [{"probabilityDecimal": value}]}


def measured(value: Any, code: str = "mg", system: str | None = UCUM, **more: Any) -> dict[str, Any]:
    quantity = {"value": value, "code": code, **({} if system is None else {"system": system}), **more}
    return {"resourceType": "Observation", "id": "o", "valueQuantity": quantity}


def expected(prefix: str, searched: str, value: Decimal) -> bool:
    """In the words of R4: eq and ne by the implied range, ap by a tenth, all others against the exact number."""
    exact, half = Decimal(searched), Decimal(HALVES[searched])
    return {
        "eq": exact - half <= value < exact + half,
        "ne": not exact - half <= value < exact + half,
        "gt": value > exact,
        "lt": value < exact,
        "ge": value >= exact,
        "le": value <= exact,
        "sa": value > exact,
        "eb": value < exact,
        "ap": abs(value - exact) <= abs(exact) / 10,
    }[prefix or "eq"]


@pytest.mark.parametrize(("prefix", "searched"), list(product(PREFIXES, PRECISIONS)))
def test_every_prefix_at_every_precision_compares_as_r4_says(prefix: str, searched: str) -> None:
    """R4 #number: 100 is from 99.5 up to 100.5, 100.00 from 99.995 up to 100.005, 1e2 from 95 up to 105. A quantity is a number too."""
    for value in VALUES:
        wanted = expected(prefix, searched, value)
        assert found(probability(value), ("probability", prefix + searched)) is wanted, value
        assert found(measured(value), ("value-quantity", f"{prefix}{searched}|{UCUM}|mg")) is wanted, value


@pytest.mark.parametrize(
    ("asked", "hit"),
    [
        ("5|http://unitsofmeasure.org|mg", True),
        ("0.005|http://unitsofmeasure.org|g", True),
        ("5000|http://unitsofmeasure.org|ug", True),
        ("gt0.004|http://unitsofmeasure.org|g", True),
        ("5|http://unitsofmeasure.org|g", False),
        ("5|http://unitsofmeasure.org|mm", False),
        ("5||mg", True),
        ("5||milligram", True),
        ("0.005||g", False),
        ("5|urn:other|mg", False),
        ("5", True),
        ("6", False),
    ],
)
def test_units_of_ucum_are_converted_and_others_compared_as_written(asked: str, hit: bool) -> None:
    """R4 #quantity: the canonical unit where there is one; `||unit` is the code or what people read."""
    assert found(measured(5, unit="milligram"), ("value-quantity", asked)) is hit


def test_a_unit_of_another_system_is_compared_with_its_own_kind() -> None:
    tablets = measured(2, "TAB", "urn:forms")
    assert found(tablets, ("value-quantity", "2|urn:forms|TAB"))
    assert not found(tablets, ("value-quantity", f"2|{UCUM}|TAB"))
    assert not found(measured(2, "TAB", None), ("value-quantity", "2|urn:forms|TAB"))


@pytest.mark.parametrize(
    ("comparator", "hits", "misses"),
    [
        ("<", ("lt5", "lt4", "le5", "ne5"), ("5", "gt5", "ge5", "sa5")),
        (">", ("gt5", "gt6", "ge5", "sa5", "ne5"), ("5", "lt5", "le5", "eb5")),
    ],
)
def test_below_a_limit_of_detection_is_below_it(comparator: str, hits: tuple[str, ...], misses: tuple[str, ...]) -> None:
    """datatypes.html#quantity: "<5" is somewhere below five, so it may be below four; it is never equal to five."""
    reading = measured(5, comparator=comparator)
    assert [one for one in hits if not found(reading, ("value-quantity", one))] == []
    assert [one for one in misses if found(reading, ("value-quantity", one))] == []


def test_a_repeating_number_differs_when_some_value_does() -> None:
    """docs/search.md: `ne` on a repeating element matches when some value differs; a resource without one matches no prefix."""
    twice = {"resourceType": "RiskAssessment", "id": "r", "prediction": [{"probabilityDecimal": 1}, {"probabilityDecimal": 2}]}
    assert found(twice, ("probability", "ne1"))
    assert not found({"resourceType": "RiskAssessment", "id": "r"}, ("probability", "ne1"))


@pytest.mark.parametrize("value", ["", "abc", "1.", ".5", "1,5x", "0x10", "1|2", "1|2|3|4", "gtgt1", "1e999", "NaN", "Infinity", "١"])
def test_what_is_no_number_is_refused(value: str) -> None:
    """R4 #errors."""
    if not value:
        assert search("Observation", ("value-quantity", value)).criteria == ()
        return
    with pytest.raises(FhirError) as refused:
        search("Observation", ("value-quantity", value))
    assert refused.value.code == "invalid"
    assert refused.value.issues[0].expression == "http.value-quantity"
