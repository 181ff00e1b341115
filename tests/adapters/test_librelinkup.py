"""LibreLinkUp answers: DEVICES 2.3 and the public sample in shared/samples."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.contract import Unreadable
from adapters.kit.rules import place_free
from adapters.librelinkup import adapter
from adapters.reading import Quantity, Reading
from tests.support.payloads import SAMPLES, needs_samples

GRAPH = Path(__file__).parent / "fixtures" / "librelinkup" / "graph.json"
SENSOR = {"sn": "SENSOR1234", "a": 1_772_340_000}
POINT = {"FactoryTimestamp": "3/1/2026 6:30:00 AM", "Timestamp": "3/1/2026 7:30:00 AM", "type": 0, "ValueInMgPerDl": 104}


def parse(*points: Any, sensor: Any = SENSOR) -> list[Any]:
    answer = {"status": 0, "data": {"connection": {"sensor": sensor}, "graphData": list(points)}}
    return list(adapter.decode(json.dumps(answer).encode()))


def point(**fields: Any) -> Any:
    return parse({**POINT, **fields})[0]


def test_a_point_of_the_graph_is_a_value_of_the_sensor() -> None:
    item = point()
    assert isinstance(item, Reading)
    assert (item.value, item.device, item.source_id) == (Quantity(value="104", unit="mg/dL"), "SENSOR1234", "0")
    assert (item.quality, item.context, item.pointer) == ((), {}, "/data/graphData/0")


def test_the_factory_time_is_utc_and_the_other_the_wearers_clock() -> None:
    """DEVICES 2.3: FactoryTimestamp UTC beside Timestamp local, US format."""
    time = point().time
    assert (time.kind, time.text, time.instant) == ("offset", "3/1/2026 6:30:00 AM", datetime(2026, 3, 1, 6, 30, tzinfo=UTC))
    assert time.instant.isoformat() == "2026-03-01T07:30:00+01:00"


@pytest.mark.parametrize("local", ["3/1/2026 6:30:00 AM", "3/1/2026 7:37:00 AM", "3/3/2026 7:30:00 AM", None, "soon"])
def test_a_difference_that_is_no_zone_is_not_used(local: str | None) -> None:
    time = point(Timestamp=local).time
    assert (time.kind, time.instant) == ("utc", datetime(2026, 3, 1, 6, 30, tzinfo=UTC))


@pytest.mark.parametrize(
    ("written", "hour", "day"),
    [("2/3/2026 12:00:00 AM", 0, 3), ("2/3/2026 12:00:00 PM", 12, 3), ("2/3/2026 11:59:00 PM", 23, 3), ("2/13/2026 1:00:00 AM", 1, 13)],
)
def test_the_month_comes_first_and_twelve_is_midnight_or_noon(written: str, hour: int, day: int) -> None:
    instant = point(FactoryTimestamp=written, Timestamp=None).time.instant
    assert (instant.month, instant.day, instant.hour) == (2, day, hour)


@pytest.mark.parametrize(
    ("written", "code"),
    [
        (None, "no-time"),
        ("13/2/2026 1:00:00 AM", "time-not-readable"),
        ("2/30/2026 1:00:00 AM", "time-not-readable"),
        ("2/3/2026 0:00:00 AM", "time-not-readable"),
        ("2026-03-01T06:30:00Z", "time-not-readable"),
    ],
)
def test_another_form_of_time_waits(written: str | None, code: str) -> None:
    assert point(FactoryTimestamp=written).code == code


def test_a_point_of_before_the_sensor_is_not_said_to_be_its() -> None:
    """The graph has twelve hours; a sensor may have been changed in them."""
    assert point(FactoryTimestamp="3/1/2026 4:30:00 AM").device is None


@pytest.mark.parametrize("sensor", [None, {"sn": "SENSOR1234"}, {"a": 1_772_340_000}, {"sn": "", "a": 1_772_340_000}])
def test_without_a_sensor_and_its_start_the_sender_names_the_device(sensor: Any) -> None:
    assert parse(POINT, sensor=sensor)[0].device is None


@pytest.mark.parametrize(("units", "ucum"), [(0, "mmol/L"), (1, "mg/dL")])
def test_the_value_has_the_unit_it_is_shown_in(units: int, ucum: str) -> None:
    assert point(ValueInMgPerDl=None, Value=6.1, GlucoseUnits=units).value == Quantity(value="6.1", unit=ucum)


@pytest.mark.parametrize(
    ("fields", "flag"),
    [
        ({"ValueInMgPerDl": 40}, "at-lower-limit"),
        ({"ValueInMgPerDl": 500}, "at-upper-limit"),
        ({"isLow": True}, "at-lower-limit"),
        ({"isHigh": True}, "at-upper-limit"),
    ],
)
def test_at_the_limit_the_number_stays_and_is_flagged(fields: dict[str, Any], flag: str) -> None:
    assert point(**fields).quality == (flag,)


@pytest.mark.parametrize(
    ("arrow", "code"),
    [(0, "not-determinable"), (1, "falling-fast"), (2, "falling"), (3, "steady"), (4, "rising"), (5, "rising-fast")],
)
def test_an_arrow_is_a_trend(arrow: int, code: str) -> None:
    assert point(TrendArrow=arrow).context["trend"].code == code


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"TrendArrow": 6}, "unknown-trend"),
        ({"TrendArrow": True}, "unknown-trend"),
        ({"type": 9}, "unknown-type"),
        ({"type": None}, "unknown-type"),
        ({"ValueInMgPerDl": "104"}, "value-not-a-number"),
        ({"ValueInMgPerDl": None}, "unit-unknown"),
        ({"ValueInMgPerDl": None, "GlucoseUnits": 1}, "value-missing"),
    ],
)
def test_a_point_in_doubt_waits(fields: dict[str, Any], code: str) -> None:
    item = point(**fields)
    assert (item.code, item.keep) == (code, True)


def test_the_current_value_stands_there_twice_and_is_one_reading() -> None:
    first, second = list(adapter.decode(GRAPH.read_bytes()))[:2]
    assert (first.pointer, second.pointer) == ("/data/connection/glucoseMeasurement", "/data/connection/glucoseItem")
    assert place_free(first) == place_free(second)


def test_the_logbook_has_points_without_a_sensor() -> None:
    (item,) = adapter.decode(json.dumps({"status": 0, "data": [{**POINT, "type": 2}]}).encode())
    assert isinstance(item, Reading)
    assert (item.pointer, item.device, item.source_id) == ("/data/0", None, "2")


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (b"[]", "not-librelinkup"),
        (b'{"status": 0}', "not-librelinkup"),
        (b'{"status": 0, "data": {}}', "not-librelinkup"),
        (b'{"status": 4, "error": {"message": "missing or malformed jwt"}}', "vendor-error"),
    ],
)
def test_another_answer_is_refused_as_a_whole(payload: bytes, code: str) -> None:
    with pytest.raises(Unreadable) as refusal:
        adapter.decode(payload)
    assert refusal.value.code == code


def test_names_and_token_are_not_kept() -> None:
    items = list(adapter.decode(GRAPH.read_bytes()))
    assert len(items) == 6
    assert not any(word in str(items) for word in ("ovelace", "Ada", "p-1", "eyJ"))


@settings(deadline=None)
@given(data=st.data())
def test_order_portions_and_repetition_change_nothing(data: st.DataObject) -> None:
    points = json.loads(GRAPH.read_bytes())["data"]["graphData"]
    whole = {str(place_free(item)) for item in parse(*points)}
    shuffled = data.draw(st.permutations([*points, *points[:2]]))
    cut = data.draw(st.integers(0, len(shuffled)))
    assert {str(place_free(item)) for item in (*parse(*shuffled[:cut]), *parse(*shuffled[cut:]))} == whole


@needs_samples
def test_the_public_sample_is_read_whole() -> None:
    """141 points and the current value twice, 70 to 214 mg/dL, an hour ahead of UTC (Germany in winter)."""
    items = list(adapter.decode((SAMPLES / "librelinkup" / "graph.json").read_bytes()))
    readings = [item for item in items if isinstance(item, Reading)]
    assert len(readings) == len(items) == 143
    assert {item.device for item in readings} == {"ABCDEF1234"}
    values = [int(item.value.value) for item in readings if isinstance(item.value, Quantity)]
    assert (min(values), max(values), len(values)) == (70, 214, 143)
    current, first = readings[0], readings[2]
    assert current.time is not None
    assert first.time is not None
    assert (current.value, current.context["trend"].code) == (Quantity(value="115", unit="mg/dL"), "steady")
    assert current.time.instant == datetime(2022, 12, 30, 16, 47, 40, tzinfo=UTC)
    assert (first.value, first.time.text) == (Quantity(value="173", unit="mg/dL"), "12/30/2022 4:50:40 AM")
    assert all(item.time and item.time.instant and item.time.instant.utcoffset() for item in readings)
    assert not any(b"John" in item.raw or b"eyJ" in item.raw for item in readings)
