"""How a unit does, by its product's limits. DEVICES 1.6 (silence, expiry), 6.5 (clock, battery); docs/adr/0015."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.device_facts import DeviceFacts
from adapters.reading import DeviceTime
from fhir_profiles import r4
from fhir_profiles.clock import coincident_time_stamp, gateway_device, zone_and_drift
from fhir_profiles.product import Product
from hub.units.judge import counts, findings
from hub.units.listing import UnitView
from hub.units.said import after, clock_is_news, said_of
from hub.units.state import UnitState

HOUR_US = 3_600_000_000
NOW_US = 1_795_348_800_000_000
"""2026-11-22T12:00:00Z"""
NOW = datetime.fromtimestamp(NOW_US / 1_000_000, UTC)
PRODUCT = Product(key="p", manufacturer="A", model="B", name="C", silence_s=24 * 3_600, drift_s=120, battery_low=20)
VIEW = UnitView(
    row="Device/d",
    reference="Device/d",
    identifier="u",
    name="C",
    manufacturer="A",
    model="B",
    status="active",
    standing=(),
    versions={},
    expires=None,
    product=PRODUCT,
    state=UnitState(seen_us=NOW_US - HOUR_US, known_us=NOW_US - 1_000 * HOUR_US),
    paired=True,
    since_us=NOW_US - 500 * HOUR_US,
    updated_us=NOW_US - 1_000 * HOUR_US,
)


def seen(hours_ago: int | None, **more: Any) -> UnitView:
    us = None if hours_ago is None else NOW_US - hours_ago * HOUR_US
    return replace(VIEW, state=replace(VIEW.state, seen_us=us), **more)


@pytest.mark.parametrize(
    ("view", "told"),
    [
        (seen(1), ()),
        (seen(24), ()),
        (seen(25), ("silent",)),
        (seen(None), ("silent",)),
        (seen(None, since_us=NOW_US - HOUR_US), ()),
        (seen(25, paired=False, since_us=None), ()),
        (seen(25, status="inactive"), ()),
        (seen(25, status="unknown"), ("silent",)),
        (seen(40, product=None), ()),
        (seen(50, product=None), ("silent",)),
        (seen(1, expires="2026-11-24T12:00:00Z"), ("expiring",)),
        (seen(1, expires="2026-11-24T12:00:01Z"), ()),
        (seen(1, expires="2026-11-22T12:00:00Z"), ("expired",)),
        (seen(1, expires="2026-11-22"), ("expiring",)),
    ],
)
def test_silence_and_expiry(view: UnitView, told: tuple[str, ...]) -> None:
    """A unit that nobody has is not silent, and one that is new with somebody has had no time to speak."""
    assert findings(view, NOW_US) == told


@pytest.mark.parametrize(
    ("ahead_s", "told"),
    [
        (None, ()),
        (120, ()),
        (121, ("drifting",)),
        (-121, ("drifting",)),
        (3_600, ("other-zone",)),
        (-5 * 3_600 - 1_800, ("other-zone",)),
        (3_600 + 300, ("drifting", "other-zone")),
        (600, ("drifting",)),
    ],
)
def test_a_clock_that_is_off_by_half_hours_is_in_another_zone_and_does_not_drift(ahead_s: int | None, told: tuple[str, ...]) -> None:
    view = replace(VIEW, state=replace(VIEW.state, clock_ahead_s=ahead_s))
    assert findings(view, NOW_US) == told


def test_whole_half_hours_and_what_is_left() -> None:
    assert [zone_and_drift(one) for one in (0, 95, -95, 1_795, 3_605, -3_595)] == [
        (0, 0),
        (0, 95),
        (0, -95),
        (1_800, -5),
        (3_600, 5),
        (-3_600, 5),
    ]


@pytest.mark.parametrize(
    ("percent", "level", "low"), [(21, None, False), (20, "high", True), (0, None, True), (None, "low", True), (None, "high", False)]
)
def test_a_battery_is_low_by_the_products_limit(percent: int | None, level: str | None, low: bool) -> None:
    view = replace(VIEW, state=replace(VIEW.state, battery_percent=percent, battery_level=level))
    assert ("low-battery" in findings(view, NOW_US)) is low


def test_counts_name_nobody() -> None:
    assert counts([seen(1), seen(30), seen(1, paired=False)], NOW_US) == {
        "registered": 3,
        "paired": 2,
        "silent": 1,
        "drifting": 0,
        "other-zone": 0,
        "low-battery": 0,
        "expiring": 0,
        "expired": 0,
    }


def utc(moment: datetime) -> DeviceTime:
    return DeviceTime(kind="utc", text=moment.isoformat(), instant=moment)


def test_an_older_word_does_not_take_the_place_of_a_newer_one() -> None:
    """DEVICES 6.5: never "latest wins" by arrival."""
    new = said_of([DeviceFacts(device="u", battery_percent=10, said_at=utc(NOW), pointer="")], NOW_US)
    old = said_of([DeviceFacts(device="u", battery_percent=90, clock_ahead_s=5, said_at=utc(NOW - timedelta(days=1)), pointer="")], NOW_US)
    state = after(after(UnitState(), seen_us=None, said=new, received_us=NOW_US), seen_us=None, said=old, received_us=NOW_US)
    assert (state.battery_percent, state.clock_ahead_s, state.seen_us) == (10, 5, NOW_US)


@given(
    st.lists(
        st.builds(
            DeviceFacts,
            device=st.just("u"),
            battery_percent=st.none() | st.integers(0, 100),
            battery_level=st.none() | st.sampled_from(["low", "medium", "high"]),
            clock_ahead_s=st.none() | st.integers(-7_200, 7_200),
            said_at=st.integers(0, 3).map(lambda hours: utc(NOW - timedelta(hours=hours))),
            pointer=st.just(""),
        ),
        max_size=5,
    ),
    st.randoms(use_true_random=False),
)
def test_whatever_the_order_in_which_things_are_said_the_state_is_the_same(facts: list[DeviceFacts], chance: Random) -> None:
    """DEVICES 6.5, late and out of order."""
    shuffled = chance.sample(facts, len(facts))
    assert heard(facts) == heard(shuffled) == heard([*shuffled, *facts])


def heard(facts: list[DeviceFacts]) -> UnitState:
    state = UnitState()
    for one in facts:
        state = after(state, seen_us=None, said=said_of([one], NOW_US), received_us=NOW_US)
    return state


def test_what_lies_in_the_future_was_not_seen_yet_and_a_wall_clock_is_no_moment() -> None:
    wall = DeviceTime(kind="local", text="2030-01-01T00:00:00", wall=datetime(2030, 1, 1))  # noqa: DTZ001 - a wall clock
    said = said_of([DeviceFacts(device="u", last_seen=utc(NOW + timedelta(days=1)), said_at=wall, pointer="")], NOW_US)
    assert (said.seen_us, said.at_us) == (NOW_US, NOW_US)


def test_the_last_word_of_each_counts_and_a_long_text_is_no_version() -> None:
    said = said_of(
        [
            DeviceFacts(device="u", firmware="1", hardware="A", pointer=""),
            DeviceFacts(device="u", firmware="2", software="x" * 500, pointer=""),
        ],
        NOW_US,
    )
    assert said.versions == {"firmware": "2", "hardware": "A"}


def test_a_clock_is_news_when_it_moved_or_a_day_has_passed() -> None:
    state = UnitState(clock_ahead_s=10, clock_us=NOW_US)
    assert clock_is_news(state)
    told = replace(state, told_ahead_s=8, told_us=NOW_US - HOUR_US)
    assert not clock_is_news(told)
    assert clock_is_news(replace(told, told_ahead_s=5))
    assert clock_is_news(replace(told, told_us=NOW_US - 24 * HOUR_US))
    assert not clock_is_news(UnitState())


def test_a_comparison_of_clocks_is_phds_coincident_time_stamp() -> None:
    """http://hl7.org/fhir/uv/phd/StructureDefinition/PhdCoincidentTimeStampObservation"""
    made = coincident_time_stamp(device="Device/d", gateway="Device/g", at=NOW, ahead_s=-61)
    assert r4.check(made) == ()
    assert (made["effectiveDateTime"], made["valueDateTime"]) == ("2026-11-22T12:00:00.000Z", "2026-11-22T11:58:59.000Z")
    assert (made["subject"], made["device"], made["code"]["coding"][0]["code"]) == (
        {"reference": "Device/d"},
        {"reference": "Device/g"},
        "67975",
    )
    assert r4.check(gateway_device()) == ()
