"""The kit's rules see what is wrong, and only that."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from adapters.kit.rules import faults, parses_alone, place_free
from adapters.reading import Absent, Coded, DeviceTime, Quantity, Reading, Rejected, Samples

WALL, INSTANT = datetime(2024, 5, 6, 7, 8), datetime(2024, 5, 6, 7, 8, tzinfo=UTC)  # noqa: DTZ001
GOOD = Reading(
    measure="body-weight",
    device="scale-1",
    time=DeviceTime(kind="utc", text="1714979280", instant=INSTANT),
    value=Quantity(value="74.126", unit="kg"),
    pointer="/0",
    raw=b"{}",
    quality=("scan", "user-index:1"),
)
STRIP = replace(GOOD, measure="ecg-lead-i", value=Samples(data="1 -2.5 E L U", period_ms="2", unit="uV", lower="-9"), end=GOOD.time)
REFUSED = Rejected(code="no-time", hint="Send a time.", pointer="row 3", raw=b"x")


@pytest.mark.parametrize("item", [GOOD, REFUSED, replace(GOOD, device=None, time=None, value=Absent(reason="error")), STRIP])
def test_a_good_item_has_no_faults(item: Any) -> None:
    assert faults(item) == ()


@pytest.mark.parametrize(
    "changes",
    [
        {"value": None},
        {"value": Samples(data="1  2", period_ms="2", unit="uV")},
        {"value": Samples(data="1,5", period_ms="2", unit="uV")},
        {"value": Samples(data="1", period_ms="2 ms", unit="uV")},
        {"value": Samples(data="1", period_ms="2", unit="")},
        {"value": Samples(data="1", period_ms="2", unit="uV", lower="x")},
        {"value": Samples(data=" ".join("0" * 60_001), period_ms="2", unit="uV")},
        {"end": DeviceTime(kind="local", text="1")},
        {"time": None, "end": DeviceTime(kind="utc", text="1", instant=INSTANT)},
        {"components": {"mean": Absent(reason="error")}},
        {"value": Quantity(value="1e3", unit="kg")},
        {"value": Quantity(value="074", unit="kg")},
        {"value": Quantity(value=".5", unit="kg")},
        {"value": Quantity(value="5", unit="")},
        {"value": Coded(system="", code="x", display="x")},
        {"measure": "BodyWeight"},
        {"context": {"Body Site": Coded(system="s", code="c", display="d")}},
        {"quality": ("Too Loose",)},
        {"modified": WALL},
        {"source_id": ""},
        {"device": " x"},
        {"device": ""},
        {"device": "x" * 257},
        {"pointer": "nowhere"},
        {"raw": b""},
        {"raw": b"x" * (512 * 1024 + 1)},
        {"time": DeviceTime(kind="utc", text="x")},
        {"time": DeviceTime(kind="utc", text="x", instant=WALL)},
        {"time": DeviceTime(kind="local", text="x", wall=INSTANT)},
        {"time": DeviceTime(kind="local", text="x", wall=WALL, instant=INSTANT)},
        {"time": DeviceTime(kind="local", text="", wall=WALL)},
        {"time": DeviceTime(kind="local", text="x", wall=WALL.replace(year=1))},
        {"time": DeviceTime(kind="ticks", text="5", wall=WALL)},
    ],
    ids=str,
)
def test_each_fault_of_a_reading_is_seen(changes: dict[str, Any]) -> None:
    assert faults(replace(GOOD, **changes))


@pytest.mark.parametrize("changes", [{"code": "No Time"}, {"hint": " "}, {"raw": b""}])
def test_each_fault_of_a_refusal_is_seen(changes: dict[str, Any]) -> None:
    assert faults(replace(REFUSED, **changes))


def test_an_item_parses_alone_if_its_raw_bytes_give_it_again_at_whatever_place() -> None:
    assert parses_alone(lambda raw: [replace(GOOD, pointer="/7", raw=raw)], GOOD)
    assert not parses_alone(lambda raw: [replace(GOOD, device="other", raw=raw)], GOOD)
    assert not parses_alone(lambda _: [], GOOD)


def test_items_that_differ_in_place_only_are_equal_without_it() -> None:
    assert place_free(GOOD) == place_free(replace(GOOD, pointer="/5"))
