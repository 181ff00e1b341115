"""https://cloud.ouraring.com/v2/docs, usercollection/heartrate."""

import json
from pathlib import Path
from typing import Any

import pytest

from adapters.contract import Unreadable
from adapters.limits import ITEMS_MAX
from adapters.oura import adapter
from adapters.reading import Quantity, Reading

FIXTURE = Path(__file__).parent / "fixtures" / "oura" / "heartrate.json"
GOOD = {"timestamp": "2025-07-14T01:02:03+00:00", "bpm": 52, "source": "sleep"}


def parse(*records: Any) -> list[Any]:
    return list(adapter.decode(json.dumps({"data": records}).encode()))


def test_each_entry_is_a_heart_rate_at_its_own_time() -> None:
    first, second, third = adapter.decode(FIXTURE.read_bytes())
    assert isinstance(first, Reading)
    assert isinstance(second, Reading)
    assert (first.value, first.time and first.time.text) == (Quantity(value="52", unit="/min"), "2025-07-14T01:02:03+00:00")
    assert (second.value, second.time and second.time.kind) == (Quantity(value="71", unit="/min"), "offset")
    assert getattr(third, "code", None) == "time-not-readable"


@pytest.mark.parametrize(
    ("record", "code", "keep"),
    [
        ({"day": "2025-07-14", "score": 80}, "unknown-measure", True),
        (GOOD | {"bpm": None}, "value-not-a-number", True),
        (GOOD | {"bpm": "many"}, "value-not-a-number", True),
        (GOOD | {"timestamp": None}, "time-not-readable", True),
        (GOOD | {"timestamp": 5}, "no-time", True),
        (5, "not-a-record", False),
    ],
)
def test_what_cannot_be_read_costs_nothing_else(record: Any, code: str, keep: bool) -> None:
    refused, good = parse(record, GOOD)
    assert (refused.code, refused.keep) == (code, keep)
    assert isinstance(good, Reading)


@pytest.mark.parametrize("document", [1, [], {}, {"data": {}}])
def test_what_is_no_page_is_refused_as_a_whole(document: Any) -> None:
    with pytest.raises(Unreadable) as refusal:
        adapter.decode(json.dumps(document).encode())
    assert refusal.value.code == "not-oura"


def test_more_records_than_the_limit_are_refused_before_the_first_item() -> None:
    with pytest.raises(Unreadable) as refusal:
        adapter.decode(b'{"data":[' + b"0," * ITEMS_MAX + b"0]}")
    assert refusal.value.code == "too-many-items"
