"""Criteria of conditional interactions: one text for all that ask the same. https://hl7.org/fhir/R4/http.html#ccreate"""

import subprocess
import sys

import pytest

from hub.errors import FhirError
from hub.search.conditional import canonical, criteria

BASE = "http://hub.example/fhir"


def text(query: str, type: str = "Observation") -> str:
    return canonical(criteria(type, query, base=BASE, where="If-None-Exist"))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("code=a&status=final", "status=final&code=a"),
        ("code=a&code=a", "code=a"),
        ("code=a,b", "code=b,a"),
        ("identifier=urn%3Ax%7C1", "identifier=urn:x|1"),
        ("?identifier=urn:x|1", "identifier=urn:x|1"),
        ("date=eq2026-01-01", "date=2026-01-01"),
        ("date=2026-01-01T10:00:00Z", "date=2026-01-01T11:00:00%2B01:00"),
        (f"patient={BASE}/Patient/x", "patient=Patient/x"),
        ("identifier=a%5C,b", "identifier=a%5C%2Cb"),
        ("code=a&_format=json", "code=a"),
    ],
)
def test_what_asks_the_same_has_the_same_text(one: str, other: str) -> None:
    """Order, repetition, escapes, prefixes and our own base make no difference."""
    assert text(one) == text(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("code=a&code=b", "code=a,b"),
        ("code=a", "code=x|a"),
        ("code=a", "category=a"),
        ("code=a", "code:not=a"),
        ("date=ge2026-01-01", "date=2026-01-01"),
        ("identifier=a%5C,b", "identifier=a,b"),
        ("code=|a", "code=a"),
    ],
)
def test_what_asks_something_else_has_another_text(one: str, other: str) -> None:
    assert text(one) != text(other)


def test_the_type_is_part_of_it() -> None:
    assert text("identifier=x", "Patient") != text("identifier=x", "Device")


@pytest.mark.parametrize(
    "query", ["", "_count=1", "code=", "code=a&_sort=date", "nonsense=1", "code=%ff", "code=a&_include=Observation:subject"]
)
def test_criteria_are_search_parameters_with_values_and_nothing_else(query: str) -> None:
    with pytest.raises(FhirError):
        text(query)


def test_where_a_resource_may_be_created_it_alone_must_tell_whether_it_matches() -> None:
    """A chain may begin to match by what happens to another resource: no claim could say."""
    with pytest.raises(FhirError) as refused:
        criteria("Observation", "patient.name=x", base=BASE, where="If-None-Exist", creates=True)
    assert refused.value.code == "not-supported"


def test_the_text_is_the_same_in_every_process() -> None:
    """Python orders sets differently in each process; claims of two hubs must still meet."""
    code = (
        "from hub.search.conditional import canonical, criteria;"
        "print(canonical(criteria('Observation', 'patient=a,b,c&code=x|1,y|2', base='', where='w')))"
    )
    made = {subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout for _ in range(4)}
    assert len(made) == 1
