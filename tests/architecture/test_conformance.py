"""docs/conformance.md names tests that exist, for each of its points. FHIR.md 4b."""

import re

import pytest

from tests.architecture.tree import ROOT, functions_of, rows_of

PAGE = (ROOT / "docs/conformance.md").read_text()
NAMED = re.compile(r"`((?:spec|e2e|faults|fuzz)/[\w/]+\.py)::(\w+)`")
LATER = "Later work"

SECTIONS = dict(re.findall(r"^## (\d+)\. .+?\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))


def test_every_point_of_the_list_has_its_section() -> None:
    assert list(SECTIONS) == [str(number) for number in range(1, 15)]


@pytest.mark.parametrize("number", SECTIONS)
def test_each_row_names_a_test_or_says_that_it_is_later_work(number: str) -> None:
    found = list(rows_of(SECTIONS[number]))
    assert found
    assert [row for row in found if not NAMED.search(row) and LATER not in row] == []
    assert NAMED.search(SECTIONS[number])


def test_every_test_that_is_named_exists() -> None:
    named = NAMED.findall(PAGE)
    assert PAGE.count("::test_") == len(named)
    assert sorted({f"{path}::{name}" for path, name in named if name not in functions_of(path)}) == []
