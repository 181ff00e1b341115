"""How $lastn groups. https://hl7.org/fhir/R4/observation-operation-lastn.html

FHIR.md 2a: elsewhere $lastn needs an index of its own and breaks with two codings.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.errors import FhirError
from hub.repository.lastn import codings, grouped, last_by_code
from hub.search.parse import VALUES_MAX, Pair, parse_search
from tests.spec.search.given import opened_matches

CODES = ("loinc-a", "loinc-b", "mdc-a", "mdc-b")


@dataclass(frozen=True)
class Found:
    content: Any


def observation(number: int, *codes: str, text: str | None = None) -> Found:
    code: dict[str, Any] = {"coding": [{"system": "urn:test", "code": one} for one in codes]} if codes else {}
    return Found({"resourceType": "Observation", "id": str(number), "code": {**code, **({"text": text} if text else {})}})


async def last(history: Sequence[Found], most: int) -> list[list[str]] | None:
    """`history`: newest first."""

    async def find(pairs: Sequence[Pair], count: int) -> Sequence[Found]:
        search = parse_search("Observation", pairs, lenient=False)
        return list(islice((one for one in history if opened_matches(search, one.content)), count))

    groups = await last_by_code(find, most)
    return None if groups is None else [[one.content["id"] for one in group] for group in groups]


async def test_the_newest_n_of_each_code_newest_first() -> None:
    history = [observation(1, "a"), observation(2, "b"), observation(3, "a"), observation(4, "a"), observation(5, "b")]
    assert await last(history, 2) == [["1", "3"], ["2", "5"]]
    assert await last(history, 1) == [["1"], ["2"]]


async def test_translations_of_one_code_are_one_group() -> None:
    """Several codings: LOINC and MDC name one measurement, whichever of them an Observation carries."""
    history = [observation(1, "loinc"), observation(2, "loinc", "mdc"), observation(3, "mdc"), observation(4, "other")]
    assert await last(history, 3) == [["1", "2", "3"], ["4"]]


async def test_codes_without_codings_are_left_to_their_text() -> None:
    history = [observation(1, text="pouls"), observation(2, text="poids"), observation(3, text="pouls"), observation(4, text="pouls")]
    assert await last(history, 2) is None
    assert [[one.content["id"] for one in group] for group in grouped(history, 2)] == [["1", "3"], ["2"]]


async def test_more_kinds_than_one_question_can_name_are_refused() -> None:
    """Of five codings each: it is the codings that are named, and they are more than a question may have values."""
    history = [observation(number, *(f"code-{number}-{n}" for n in range(5))) for number in range(VALUES_MAX // 5 + 2)]
    with pytest.raises(FhirError, match="narrow"):
        await last(history, 1)


@settings(max_examples=40)
@given(st.lists(st.sets(st.sampled_from(CODES), min_size=1), max_size=12), st.integers(1, 4))
async def test_groups_hold_together_and_leave_no_code_out(history: list[set[str]], most: int) -> None:
    found = [observation(number, *sorted(codes)) for number, codes in enumerate(history)]
    groups = await last(found, most)
    assert groups is not None
    shown = [id for group in groups for id in group]
    assert len(shown) == len(set(shown))
    assert all(0 < len(group) <= most and group == sorted(group, key=int) for group in groups)
    for family in families(history):
        members = [number for number, codes in enumerate(history) if not codes.isdisjoint(family)]
        assert str(members[0]) in shown  # the newest of all that hang together is the newest of its group


def families(history: list[set[str]]) -> list[set[str]]:
    """Codes that hang together by any Observation of the history."""
    made: list[set[str]] = []
    for codes in history:
        joined = codes.union(*(family for family in made if not family.isdisjoint(codes)))
        made = [*(family for family in made if family.isdisjoint(codes)), joined]
    return made


@settings(max_examples=40)
@given(st.lists(st.sampled_from(CODES), max_size=15), st.integers(1, 4))
async def test_with_one_coding_each_it_is_a_plain_grouping(history: list[str], most: int) -> None:
    found = [observation(number, code) for number, code in enumerate(history)]
    expected: dict[str, list[str]] = {}
    for number, code in enumerate(history):
        expected.setdefault(code, []).append(str(number))
    assert await last(found, most) == [ids[:most] for ids in expected.values()]


def test_a_coding_is_written_as_a_search_value() -> None:
    """search.html#escaping"""
    content = {"code": {"coding": [{"system": "urn:a|b", "code": "x,y"}, {"code": "z"}, {"display": "nothing"}]}}
    assert codings(content) == {"urn:a\\|b|x\\,y", "|z"}
