"""The whole suite ends early when its long files begin early (tests/support/order.py, which `make test` goes by)."""

from tests.architecture.tree import ROOT
from tests.support.order import LONGEST_FIRST, turn


def test_every_file_that_begins_first_is_there_and_named_once() -> None:
    """A file that is renamed would lose its place without a word."""
    assert [file for file in LONGEST_FIRST if not (ROOT / file).is_file()] == []
    assert len(set(LONGEST_FIRST)) == len(LONGEST_FIRST)


def test_long_files_come_first_then_those_that_wait_for_a_database_then_the_rest() -> None:
    files = ["pure.py", "waits.py", *reversed(LONGEST_FIRST)]
    assert sorted(files, key=lambda file: turn(file, {"waits.py"})) == [*LONGEST_FIRST, "waits.py", "pure.py"]


def test_files_of_the_same_kind_stay_in_the_order_in_which_chance_has_put_them() -> None:
    assert turn("one.py", set()) == turn("another.py", set())
