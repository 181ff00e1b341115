"""https://hl7.org/fhir/R4/datatypes.html#dateTime and #Period as ranges of microseconds."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from security.period import OPEN_END_US, OPEN_START_US, data_range, date_range, period_range
from tests.spec.consent.given import us


def utc(*parts: int) -> int:
    return us(datetime(*parts, tzinfo=UTC))


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2024", utc(2024, 1, 1), utc(2025, 1, 1)),
        ("2024-02", utc(2024, 2, 1), utc(2024, 3, 1)),
        ("2024-12", utc(2024, 12, 1), utc(2025, 1, 1)),
        ("2024-02-29", utc(2024, 2, 29), utc(2024, 3, 1)),
        ("2024-02-29T10:20", utc(2024, 2, 29, 10, 20), utc(2024, 2, 29, 10, 21)),
        ("2024-02-29T10:20:30Z", utc(2024, 2, 29, 10, 20, 30), utc(2024, 2, 29, 10, 20, 31)),
        ("2024-02-29T10:20:30", utc(2024, 2, 29, 10, 20, 30), utc(2024, 2, 29, 10, 20, 31)),
        ("2024-02-29T00:20:30+01:00", utc(2024, 2, 28, 23, 20, 30), utc(2024, 2, 28, 23, 20, 31)),
        ("2024-02-29T10:20:30-09:30", utc(2024, 2, 29, 19, 50, 30), utc(2024, 2, 29, 19, 50, 31)),
        ("2024-02-29T10:20:30.5Z", utc(2024, 2, 29, 10, 20, 30, 500_000), utc(2024, 2, 29, 10, 20, 30, 600_000)),
        ("2024-02-29T10:20:30.123456789Z", utc(2024, 2, 29, 10, 20, 30, 123_456), utc(2024, 2, 29, 10, 20, 30, 123_457)),
        ("2016-12-31T23:59:60Z", utc(2017, 1, 1), utc(2017, 1, 1, 0, 0, 1)),
    ],
)
def test_a_date_stands_for_the_whole_of_it(text: str, start: int, end: int) -> None:
    """Reading 1: a partial date stands for the whole of it; no zone means UTC."""
    assert date_range(text) == (start, end)


def test_the_last_year_has_an_end() -> None:
    """R4 dates reach to 9999; the moment after is outside of what a calendar library takes."""
    assert date_range("9999")[1] == date_range("9999-12-31T23:59:59.999999Z")[1] < OPEN_END_US
    assert date_range("0001")[0] > OPEN_START_US


@pytest.mark.parametrize(
    "text", ["", "26", "2026-13", "2026-02-30", "2026-02-03T25:00:00Z", "2026-02-03T10:00:00+15:00", "0000", "2026-1-1", "٢٠٢٦", 2026, None]
)
def test_what_is_no_date_is_refused_without_repeating_it(text: object) -> None:
    """The error may reach a log."""
    with pytest.raises(ValueError) as error:
        date_range(text)
    assert "2026" not in str(error.value)


@given(
    st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29)),  # noqa: DTZ001 - the zone is drawn beside it
    st.integers(-14 * 60, 14 * 60),
    st.sampled_from(["seconds", "milliseconds", "microseconds"]),
)
def test_any_moment_in_any_zone_is_where_the_calendar_puts_it(moment: datetime, offset_minutes: int, precision: str) -> None:
    """Against the standard library's own reading of RFC 3339."""
    sign, (hours, minutes) = "-" if offset_minutes < 0 else "+", divmod(abs(offset_minutes), 60)
    text = f"{moment.isoformat(timespec=precision)}{sign}{hours:02}:{minutes:02}"
    start, end = date_range(text)
    assert start == us(datetime.fromisoformat(text))
    assert timedelta(microseconds=end - start) in (timedelta(seconds=1), timedelta(milliseconds=1), timedelta(microseconds=1))


def test_absent_sides_of_a_period_are_open() -> None:
    """https://hl7.org/fhir/R4/datatypes.html#Period: the end is inclusive, hence the moment after the day."""
    assert period_range({"start": "2026"}) == (utc(2026, 1, 1), OPEN_END_US)
    assert period_range({"end": "2026-03-31"}) == (OPEN_START_US, utc(2026, 4, 1))


@pytest.mark.parametrize("value", ["soon", {"start": "soon"}, {"start": "2026", "end": "2025"}, {"event": ["soon"]}, 7])
def test_data_whose_time_cannot_be_read_counts_as_of_any_time(value: object) -> None:
    """It lies inside no bounded period and touches every one: closed for a permit, closed for a deny."""
    assert data_range(value) == (OPEN_START_US, OPEN_END_US)


@pytest.mark.parametrize("value", [{}, {"code": {"text": "daily"}}, {"repeat": {"boundsDuration": {"value": 3}}}])
def test_a_timing_or_period_without_any_date_is_undated(value: object) -> None:
    """Reading 7: undated data is in no period."""
    assert data_range(value) is None


@pytest.mark.parametrize("value", [{}, {"id": "p"}, {"start": "2026", "_end": {}}, {"start": "2026", "end": "2025"}, "2026", None])
def test_a_rules_period_must_be_readable_as_a_whole(value: object) -> None:
    """A side that is said to be unknown is not an open one."""
    with pytest.raises(ValueError):
        period_range(value)
