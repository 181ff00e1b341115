"""RFC 3339, 5.6, and ISO 8601 as phones and clouds write it."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from adapters.iso_time import device_time
from adapters.refusal import ItemRefused

PARIS_SUMMER = timezone(timedelta(hours=2))


@pytest.mark.parametrize(
    ("text", "kind", "instant"),
    [
        ("2024-06-01T08:10:05Z", "utc", datetime(2024, 6, 1, 8, 10, 5, tzinfo=UTC)),
        ("2024-06-01T08:10:05.123Z", "utc", datetime(2024, 6, 1, 8, 10, 5, 123000, tzinfo=UTC)),
        ("2024-06-01T08:10:05.123456789Z", "utc", datetime(2024, 6, 1, 8, 10, 5, 123456, tzinfo=UTC)),
        ("2024-06-01T08:10:05+02:00", "offset", datetime(2024, 6, 1, 8, 10, 5, tzinfo=PARIS_SUMMER)),
        ("2024-06-01T08:10:05+0200", "offset", datetime(2024, 6, 1, 8, 10, 5, tzinfo=PARIS_SUMMER)),
        ("2024-06-01 08:10:05 +0200", "offset", datetime(2024, 6, 1, 8, 10, 5, tzinfo=PARIS_SUMMER)),
        ("2024-06-01T08:10+00:00", "offset", datetime(2024, 6, 1, 8, 10, tzinfo=UTC)),
    ],
)
def test_what_the_text_says_of_the_zone_is_the_kind_of_time(text: str, kind: str, instant: datetime) -> None:
    """An offset of zero that was written as an offset stays one: the sender may have meant local time in Reykjavik."""
    time = device_time(text)
    assert (time.kind, time.text, time.instant, time.wall) == (kind, text, instant, None)
    assert time.instant is not None
    assert time.instant.utcoffset() == instant.utcoffset()


@pytest.mark.parametrize("text", ["2024-06-01T08:10:05", "2024-06-01 08:10:05", "2024-06-01T08:10"])
def test_a_time_without_zone_is_a_wall_clock_and_gets_none(text: str) -> None:
    time = device_time(text)
    assert (time.kind, time.instant, time.wall and time.wall.tzinfo) == ("local", None, None)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2024-06-01",
        "08:10:05",
        "2024-13-01T00:00:00Z",
        "2023-02-29T00:00:00Z",
        "2024-06-01T24:00:00Z",
        "2024-06-01T23:59:60Z",
        "2024-06-01T08:10:05+99:00",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59Z",
        "2024-06-01T08:10:05 Europe/Paris",
        "٢٠٢٤-06-01T08:10:05Z",
        "2024-06-01T08:10:05Z\n",
    ],
)
def test_what_is_no_time_is_refused(text: Any) -> None:
    with pytest.raises(ItemRefused) as refused:
        device_time(text)
    assert refused.value.code == "time-not-readable"


def test_a_leap_day_is_a_day() -> None:
    assert device_time("2024-02-29T12:00:00Z").instant == datetime(2024, 2, 29, 12, tzinfo=UTC)
