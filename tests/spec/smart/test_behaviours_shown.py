"""docs/smart.md is complete. SMART App Launch 2.2, the behaviours of SECURITY 1.3 (those on bulk data apart)."""

import pytest

from tests.spec.smart.blackbox.behaviours import BEHAVIOURS
from tests.spec.smart.blackbox.table import PAGE, page, shown


@pytest.mark.parametrize("number", range(1, 59))
def test_each_behaviour_has_a_test(number: int) -> None:
    """SECURITY 1.3: none is missing."""
    assert number in BEHAVIOURS
    assert [one.name for one in shown() if one.number == number]


def test_the_page_is_what_the_suite_is() -> None:
    """Written by `python -m tests.spec.smart.blackbox.table`."""
    assert PAGE.read_text() == page()


def test_no_test_names_a_behaviour_that_there_is_not() -> None:
    """SECURITY 1.3: 59 to 70 are those of bulk data."""
    assert {one.number for one in shown()} - set(BEHAVIOURS) == {None}
