"""HL7's own test suite of FHIRPath for R4, from the package of their test cases. https://hl7.org/fhirpath/N1/, docs/adr/0011

Where the hub answers something else it says why, test by test; the list is exact. It is written for later versions too: what N1 does
not have is refused.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final
from xml.etree import ElementTree as ET

import pytest

from fhir_profiles.fhirpath import Environment, FhirPathError, FhirPathSyntaxError, Node, Quantity, Temporal, compile_
from tests.e2e.examples.given import CASES, cases, read

SUITE: Final = f"{CASES}fhirpath/tests-fhir-r4.xml"
TESTS_MIN: Final = 900
ENVIRONMENT: Final = Environment(clock=lambda: datetime.now(UTC))
LATER: Final = re.compile(r"(?:matchesFull|encode|decode|escape|unescape|sort|lowBoundary|highBoundary|comparable|precision)\(")
"""Functions of later versions than N1."""

LENIENT = "refused only where types are checked before anything is evaluated, which N1 leaves open"
EMPTY = "empty where the suite wants an error"
DIFFERENT: Final[Mapping[str, str]] = {
    **dict.fromkeys(["testSimpleFail", "testSimpleWithWrongContext", "testPolymorphismB", "testPolymorphismAsB"], LENIENT),
    **dict.fromkeys(["testDollarOrderNotAllowed", "testPolymorphicsB", "testFHIRPathAsFunction21"], LENIENT),
    **dict.fromkeys(["testFHIRPathAsFunction23", "testFHIRPathAsFunction24"], LENIENT),
    **dict.fromkeys(["testPlusDate14", "testPlusDate16", "testPlusDate17", "testMinus6"], EMPTY),
    "testIif6": "N1 section 4.5: a single item counts as true",
    "testIif10": "N1 asks nothing of what iif is called on",
    "testQuantityLiteralWeekToString": "a week is written as the unit of UCUM that it is",
    "testQuantity4": "quantities of two units are compared exactly",
    "testPlusDate19": "a tenth of a second is not nothing",
    "testType22": "a type that System does not have is refused when it is read",
    **dict.fromkeys(["testConformsTo1", "testConformsTo2", "testConformsTo3"], "profiles are lent by the environment, and here none are"),
    **dict.fromkeys(["testFHIRPathAsFunction11", "testFHIRPathAsFunction16"], "a code is a string: https://hl7.org/fhir/R4/datatypes.html"),
}
"""By name, what the hub does where the suite says otherwise."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """`outputs`: type and text of each; none where the suite says nothing. `invalid`: it has to be refused."""

    name: str
    expression: str
    content: Any
    outputs: tuple[tuple[str | None, str], ...]
    predicate: bool
    invalid: bool


@pytest.fixture(scope="module")
def suite() -> list[Case]:
    with cases() as archive:
        names = set(archive.namelist())
        contents: dict[str | None, Any] = {None: {}}

        def content(name: str | None) -> Any:
            if name not in contents:
                path = next(path for path in (f"{CASES}{name}", f"{CASES}examples/{name}") if path in names)
                contents[name] = read(path, archive.read(path))
            return contents[name]

        tests = ET.fromstring(archive.read(SUITE)).iter("test")  # noqa: S314 -- from a package that is known by its checksum
        return [_case(one, content(one.get("inputfile"))) for one in tests]


def _case(test: ET.Element, content: Any) -> Case:
    expression = test.find("expression")
    assert expression is not None
    return Case(
        name=str(test.get("name")),
        expression=expression.text or "",
        content=content,
        outputs=tuple((output.get("type"), output.text or "") for output in test.findall("output")),
        predicate=test.get("predicate") == "true",
        invalid=expression.get("invalid") is not None,
    )


def test_every_test_of_the_suite_is_passed_or_is_named_with_its_reason(suite: list[Case]) -> None:
    """A test that begins to pass is taken from the list."""
    asked = [case for case in suite if LATER.search(case.expression) is None]
    assert len(asked) + 100 >= len(suite) >= TESTS_MIN
    assert {case.name for case in asked if not passes(case)} == set(DIFFERENT)


def test_what_n1_does_not_have_is_refused_when_it_is_read(suite: list[Case]) -> None:
    for case in suite:
        if LATER.search(case.expression) is not None:
            with pytest.raises(FhirPathSyntaxError):
                compile_(case.expression)


def passes(case: Case) -> bool:
    try:
        found = compile_(case.expression).nodes(case.content, environment=ENVIRONMENT)
    except FhirPathError:
        return case.invalid
    texts = [str(bool(found)).lower()] if case.predicate else [text(item) for item in found]
    if case.invalid or len(texts) != len(case.outputs):
        return False
    return all(same(type, wanted, got) for (type, wanted), got in zip(case.outputs, texts, strict=True))


def same(type: str | None, wanted: str, got: str) -> bool:
    """Moments bear an @ in some of the outputs; a decimal may have more digits."""
    match type:
        case "decimal":
            return Decimal(wanted) == Decimal(got)
        case "date" | "dateTime" | "time":
            return wanted.strip().lstrip("@").removeprefix("T") == got.removeprefix("T")
        case "string":
            return wanted == got
        case _:
            return wanted.strip() == got


def text(item: Any) -> str:
    value = item.system() if isinstance(item, Node) else item
    match value:
        case bool():
            return str(value).lower()
        case Temporal():
            return value.text
        case Quantity():
            return value.text()
        case _:
            return str(value.value if isinstance(value, Node) else value)
