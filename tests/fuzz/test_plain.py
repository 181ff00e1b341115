"""Unguided fuzzing finds what is wrong with a parser, counts what it did, and goes on from there."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.fuzz.parsers import plain
from tests.fuzz.parsers.targets import Target, target


def broken(name: str, looks: str = "run") -> Target:
    """A parser that falls over a digit nine."""

    def run(payload: bytes) -> None:
        if b"9" in payload:
            raise AssertionError("a nine")

    known = target(name)
    made: dict[str, Any] = {field: getattr(known, field) for field in known.__slots__}
    return Target(**{**made, looks: run})


def test_what_a_parser_falls_over_is_found_with_its_shortest_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The input is kept so that it can become a test."""
    monkeypatch.setattr(plain, "target", broken)
    figures = plain.share("mqtt-topics", tmp_path, 2_000)
    assert figures.executions == 2_000
    assert [what.partition(" |")[0] for what in figures.findings] == ["AssertionError: a nine"]
    (kept,) = [path for path in (tmp_path / plain.FOLDER / "findings").iterdir() if not path.suffix]
    assert b"9" in kept.read_bytes()


@pytest.mark.parametrize("closely", [True, False])
def test_what_shows_only_when_looked_at_closely_is_found_when_asked_to_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, closely: bool
) -> None:
    """What costs too much for every payload is otherwise looked at in one of sixteen."""
    monkeypatch.setattr(plain, "target", partial(broken, looks="closely"))
    assert bool(plain.share("mqtt-topics", tmp_path, 2_000, closely=closely).findings) == closely


def test_a_second_share_goes_on_where_the_first_one_ended(tmp_path: Path) -> None:
    """Other inputs, and both are counted."""
    first = plain.share("pings", tmp_path, 300)
    second = plain.share("pings", tmp_path, 300)
    assert (first.executions, second.executions, second.findings) == (300, 600, {})


def test_it_begins_with_what_the_guided_runs_have_kept(tmp_path: Path) -> None:
    """What reached a branch once is changed further."""
    corpus = tmp_path / "corpus" / "pings"
    corpus.mkdir(parents=True)
    (corpus / "kept").write_bytes(b"userid=kept&x=1")
    assert b"userid=kept&x=1" in plain.corpus_of("pings", tmp_path)
