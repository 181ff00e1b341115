"""docs/conformance.md names tests that exist, for each of its points. FHIR.md 4b."""

import ast
import re
from collections.abc import Iterator
from itertools import takewhile

import pytest

from tests.architecture.tree import ROOT, parsed

PAGE = (ROOT / "docs/conformance.md").read_text()
NAMED = re.compile(r"`((?:spec|e2e|faults|fuzz)/[\w/]+\.py)::(\w+)`")
LATER = "Later work"
HEADS = 2
"""Lines of a table above its rows."""

SECTIONS = dict(re.findall(r"^## (\d+)\. .+?\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))


def rows(section: str) -> Iterator[str]:
    lines = section.strip().splitlines()
    yield from takewhile(lambda line: line.startswith("|"), lines[HEADS:])


def functions_of(path: str) -> set[str]:
    nodes = ast.walk(parsed(ROOT / "tests" / path))
    return {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_every_point_of_the_list_has_its_section() -> None:
    assert list(SECTIONS) == [str(number) for number in range(1, 15)]


@pytest.mark.parametrize("number", SECTIONS)
def test_each_row_names_a_test_or_says_that_it_is_later_work(number: str) -> None:
    found = list(rows(SECTIONS[number]))
    assert found
    assert [row for row in found if not NAMED.search(row) and LATER not in row] == []
    assert NAMED.search(SECTIONS[number])


def test_every_test_that_is_named_exists() -> None:
    named = NAMED.findall(PAGE)
    assert PAGE.count("::test_") == len(named)
    assert sorted({f"{path}::{name}" for path, name in named if name not in functions_of(path)}) == []
