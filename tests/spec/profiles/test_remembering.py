"""Concepts found right are remembered; what is found is the same as if they were not.

https://hl7.org/fhir/R4/profiling.html, docs/adr/0011-invariants-and-profiles-compiled.md.
"""

from typing import Any

from fhir_profiles.profiles.remembering import BYTES_MAX, REMEMBERED_MAX, remembering
from fhir_profiles.profiles.run import Run

CODE = {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]}


class Looking:
    """A check that notes what it looks at, and finds fault with what has no coding."""

    def __init__(self) -> None:
        self.looked: list[Any] = []

    def __call__(self, value: Any, path: Any, run: Run) -> None:
        self.looked.append(value["code"])
        if "coding" not in value["code"]:
            run.add("error", "value", path, "wrong")
        elif run.advice:
            run.add("warning", "value", path, "could be better")


def run(*, advice: bool = False) -> Run:
    return Run({}, lambda _: None, advice=advice, top="Observation")


def test_what_was_right_is_not_looked_at_again() -> None:
    """ADR 11: compiled once, and a code that comes with each of a million readings is checked once."""
    looking = Looking()
    check = remembering("code", looking)
    for _ in range(3):
        check({"code": dict(CODE)}, (), run())
    assert looking.looked == [CODE]


def test_what_is_wrong_is_told_each_time() -> None:
    """FHIR.md 4b: every issue with its place, for everybody who sends it."""
    check = remembering("code", Looking())
    for _ in range(3):
        one = run()
        check({"code": {"text": "x"}}, (), one)
        assert len(one.findings) == 1


def test_advice_is_given_on_what_is_right() -> None:
    """$validate tells more than a write refuses."""
    check = remembering("code", Looking())
    check({"code": CODE}, (), run())
    one = run(advice=True)
    check({"code": CODE}, (), one)
    assert [finding.severity for finding in one.findings] == ["warning"]


def test_what_may_depend_on_more_is_looked_at_each_time() -> None:
    """An extension may refer to what is contained in this resource and not in the next."""
    looking = Looking()
    check = remembering("code", looking)
    extended = {**CODE, "extension": [{"url": "urn:x", "valueReference": {"reference": "#a"}}]}
    large = {**CODE, "text": "x" * BYTES_MAX}
    for value in (extended, extended, large, large):
        check({"code": value}, (), run())
    assert looking.looked == [extended, extended, large, large]


def test_nobody_can_fill_the_memory_with_codes() -> None:
    """Bounded, whatever comes."""
    looking = Looking()
    check = remembering("code", looking)
    for number in range(REMEMBERED_MAX + 2):
        check({"code": {"coding": [{"code": str(number)}]}}, (), run())
    check({"code": {"coding": [{"code": "0"}]}}, (), run())
    assert len(looking.looked) == REMEMBERED_MAX + 3
