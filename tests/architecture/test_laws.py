"""docs/laws.md names places and tests that exist, several for each law. DESIGN 2."""

import re

import pytest

from tests.architecture.tree import ROOT, functions_of, rows_of

PAGE = (ROOT / "docs/laws.md").read_text()
SECTIONS = dict(re.findall(r"^## (\d)\. .+?\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
ROW = re.compile(r"\| `([\w/]+\.(?:py|toml))` \| [^|]+ \| `([\w/]+\.py)::(\w+)`(?: \*new\*)? \|")
ROWS_MIN = 4


@pytest.mark.parametrize("law", [str(number) for number in range(1, 8)])
def test_each_law_was_broken_in_several_places_and_each_time_a_test_noticed(law: str) -> None:
    found = list(rows_of(SECTIONS[law]))
    assert len(found) >= ROWS_MIN
    assert [row for row in found if not ROW.fullmatch(row)] == []


def test_every_place_and_every_test_that_is_named_exists() -> None:
    named = ROW.findall(PAGE)
    assert [place for place, _, _ in named if not (ROOT / place).is_file()] == []
    assert sorted({f"{path}::{name}" for _, path, name in named if name not in functions_of(path)}) == []
