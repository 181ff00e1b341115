"""Composites: https://hl7.org/fhir/R4/search.html#composite; FHIR.md 0.1 (what others get wrong) and 4b.9."""

from typing import Any

import pytest

from hub.errors import FhirError
from hub.search.parameters import RESOURCE_TYPES
from tests.spec.search.given import found, search

LOINC, UCUM = "http://loinc.org", "http://unitsofmeasure.org"
SYSTOLIC, DIASTOLIC, PANEL = "8480-6", "8462-4", "85354-9"


def coded(code: str) -> dict[str, Any]:
    return {"coding": [{"system": LOINC, "code": code}]}


def measured(code: str, value: int) -> dict[str, Any]:
    return {"code": coded(code), "valueQuantity": {"value": value, "unit": "mmHg", "system": UCUM, "code": "mm[Hg]"}}


PRESSURE = {"resourceType": "Observation", "id": "o", "code": coded(PANEL), "component": [measured(SYSTOLIC, 150), measured(DIASTOLIC, 80)]}


@pytest.mark.parametrize(
    ("code", "value", "hit"),
    [
        (SYSTOLIC, "150", True),
        (SYSTOLIC, "gt140", True),
        (f"{LOINC}|{SYSTOLIC}", f"gt140|{UCUM}|mm[Hg]", True),
        (SYSTOLIC, f"gt18|{UCUM}|kPa", True),
        (DIASTOLIC, "80", True),
        (SYSTOLIC, "80", False),
        (DIASTOLIC, "150", False),
        (DIASTOLIC, "gt140", False),
        (SYSTOLIC, "lt100", False),
        (f"urn:other|{SYSTOLIC}", "150", False),
        ("1-1", "150", False),
    ],
)
@pytest.mark.parametrize("parameter", ["component-code-value-quantity", "combo-code-value-quantity"])
def test_the_code_of_one_component_never_pairs_with_the_value_of_another(parameter: str, code: str, value: str, hit: bool) -> None:
    """R4 #composite: "matches on the same element": systolic above 140, not systolic here and above 140 there."""
    assert found(PRESSURE, (parameter, f"{code}${value}")) is hit


def test_a_value_at_the_root_is_for_the_code_at_the_root() -> None:
    weight = {"resourceType": "Observation", "id": "o", **measured("29463-7", 80), "component": [measured(SYSTOLIC, 150)]}
    assert found(weight, ("code-value-quantity", "29463-7$80"))
    assert not found(weight, ("code-value-quantity", "29463-7$150"))
    assert not found(weight, ("code-value-quantity", f"{SYSTOLIC}$150"))
    assert found(weight, ("combo-code-value-quantity", "29463-7$80"))
    assert found(weight, ("combo-code-value-quantity", f"{SYSTOLIC}$150"))
    assert not found(weight, ("combo-code-value-quantity", "29463-7$150"))


def test_alternatives_are_whole_tuples() -> None:
    """R4 #combining: a comma parts tuples, `$` the parts of one."""
    assert found(PRESSURE, ("component-code-value-quantity", f"{SYSTOLIC}$80,{DIASTOLIC}$80"))
    assert not found(PRESSURE, ("component-code-value-quantity", f"{SYSTOLIC}$80,{DIASTOLIC}$150"))
    both = (("component-code-value-quantity", f"{SYSTOLIC}$150"), ("component-code-value-quantity", f"{DIASTOLIC}$80"))
    assert found(PRESSURE, *both)


COMPOSITES = [(type, code) for type, rows in RESOURCE_TYPES.items() for code, row in rows.parameters.items() if row.type == "composite"]


@pytest.mark.parametrize("value", ["a", "a$", "$a", "a$b$c$d"])
def test_a_tuple_that_is_not_whole_is_refused(value: str) -> None:
    """R4 #errors; for every composite that R4 has."""
    assert len(COMPOSITES) > 40
    for type, code in COMPOSITES:
        with pytest.raises(FhirError) as refused:
            search(type, (code, value))
        assert refused.value.issues[0].expression == f"http.{code}"
