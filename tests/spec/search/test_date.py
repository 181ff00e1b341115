"""Dates: https://hl7.org/fhir/R4/search.html#date and #prefix, readings as docs/search.md states them."""

from datetime import UTC, datetime
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.search.times import OPEN_END_US, OPEN_START_US, date_range, element_range
from tests.spec.search import oracle
from tests.spec.search.given import found, row_of

PREFIXES = ("", "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap")
PRECISIONS = (
    "2026",
    "2026-01",
    "2026-12",
    "2025-12-31",
    "2026-01-01",
    "2026-01-31",
    "2024",
    "2024-02",
    "2024-02-29",
    "2024-12-31",
    "2026-01-01T00:00Z",
    "2025-12-31T23:59",
    "2026-01-01T00:00:00Z",
    "2026-01-01T00:59:59+01:00",
    "2026-01-31T23:30:00-05:00",
    "2026-01-01T00:00:00.5Z",
    "2026-01-01T00:00:00.500Z",
    "2026-01-01T00:00:00.499999Z",
    "2025-12-31T23:59:59.999+00:00",
)
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAY = st.datetimes(min_value=datetime(2023, 1, 1), max_value=datetime(2027, 1, 1))  # noqa: DTZ001
ZONES = st.sampled_from(["Z", "+01:00", "-05:30", "+14:00"])
FORMS = ("%Y", "%Y-%m", "%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S.%f")


@st.composite
def written_dates(draw: st.DrawFn) -> str:
    """A date at any precision; times mostly with a zone."""
    form = draw(st.sampled_from(FORMS))
    text = draw(DAY).strftime(form)
    if form.endswith("%f"):
        text = text[: len(text) - draw(st.integers(0, 5))]
    return text + draw(ZONES | st.just("")) if "T" in form else text


def observation(**effective: Any) -> dict[str, Any]:
    return {"resourceType": "Observation", "id": "o", "status": "final", **effective}


def by_oracle(prefix: str, searched: str, target: oracle.Span) -> bool:
    return oracle.matches(prefix or "eq", oracle.span(searched), target, NOW)


@pytest.mark.parametrize(("prefix", "searched"), list(product(PREFIXES, PRECISIONS)))
def test_every_prefix_at_every_precision_agrees_with_the_specifications_words(prefix: str, searched: str) -> None:
    """R4 #prefix: the table of comparisons between the searched range and the resource's."""
    for written in PRECISIONS:
        resource = observation(effectiveDateTime=written)
        assert found(resource, ("date", prefix + searched)) is by_oracle(prefix, searched, oracle.span(written)), written


@given(st.sampled_from(PREFIXES), written_dates(), written_dates())
def test_any_date_against_any_date_agrees_with_the_specifications_words(prefix: str, searched: str, written: str) -> None:
    """R4 #prefix, at random."""
    assert found(observation(effectiveDateTime=written), ("date", prefix + searched)) is by_oracle(prefix, searched, oracle.span(written))


@given(st.sampled_from(PREFIXES), written_dates(), st.none() | written_dates(), st.none() | written_dates())
def test_a_period_is_compared_by_its_whole_extent(prefix: str, searched: str, start: str | None, end: str | None) -> None:
    """R4 #date: a missing end of a Period lies beyond any actual date."""
    target = oracle.Span(oracle.span(start).first if start else oracle.BEGINNING, oracle.span(end).after if end else oracle.END)
    if target.first >= target.after or not (start or end):
        return
    period = {name: text for name, text in (("start", start), ("end", end)) if text}
    assert found(observation(effectivePeriod=period), ("date", prefix + searched)) is by_oracle(prefix, searched, target)


def test_greater_than_a_month_is_the_next_month_or_later() -> None:
    """docs/search.md: gt compares with the end of what is searched."""
    assert not found(observation(effectiveDateTime="2026-01-31T23:59:59Z"), ("date", "gt2026-01"))
    assert found(observation(effectiveDateTime="2026-02-01T00:00:00Z"), ("date", "gt2026-01"))


def test_a_day_is_searched_in_utc() -> None:
    """docs/search.md: no zone means UTC."""
    late = observation(effectiveDateTime="2026-01-01T23:30:00-05:00")
    assert not found(late, ("date", "2026-01-01"))
    assert found(late, ("date", "2026-01-02"))


def test_two_dates_hold_together() -> None:
    """R4 #combining: repeated parameters are joined by AND."""
    inside, outside = observation(effectiveDateTime="2026-01-15"), observation(effectiveDateTime="2026-02-15")
    both = (("date", "ge2026-01-01"), ("date", "lt2026-02-01"))
    assert found(inside, *both)
    assert not found(outside, *both)


def test_values_parted_by_commas_are_alternatives() -> None:
    """R4 #combining: commas are OR."""
    assert found(observation(effectiveDateTime="2026-02-15"), ("date", "2025,2026-02"))
    assert not found(observation(effectiveDateTime="2026-03-15"), ("date", "2025,2026-02"))


@pytest.mark.parametrize("prefix", PREFIXES)
def test_without_a_date_nothing_matches_not_even_ne(prefix: str) -> None:
    """docs/search.md: a resource without a value never matches `ne`."""
    assert not found(observation(), ("date", prefix + "2026"))
    assert not found(observation(effectiveTiming={"code": {"text": "morning"}}), ("date", prefix + "2026"))


@pytest.mark.parametrize(
    ("effective", "missing"),
    [
        ({}, True),
        ({"effectiveDateTime": "2026"}, False),
        ({"effectivePeriod": {"end": "2026"}}, False),
        ({"effectiveTiming": {"code": {"text": "x"}}}, True),
    ],
)
def test_missing_asks_for_the_date_itself(effective: dict[str, Any], missing: bool) -> None:
    """R4 #modifiers :missing."""
    assert found(observation(**effective), ("date:missing", "true")) is missing
    assert found(observation(**effective), ("date:missing", "false")) is not missing


def test_a_timing_counts_by_its_outer_limits() -> None:
    """R4 #date: details of a Timing are ignored, only the outer limits matter."""
    timing = observation(effectiveTiming={"event": ["2026-01-01", "2026-03-01"], "repeat": {"boundsPeriod": {"end": "2026-03-10"}}})
    assert row_of(timing).d == OPEN_START_US
    assert found(timing, ("date", "eb2026-03-11"))
    assert not found(timing, ("date", "eb2026-03-10"))
    events = observation(effectiveTiming={"event": ["2026-03-01", "2026-01-01"]})
    assert found(events, ("date", "2026"))
    assert not found(events, ("date", "2026-01"))


def test_an_instant_is_found_at_its_second() -> None:
    """The searched second contains each of its milliseconds."""
    assert found(observation(effectiveInstant="2026-01-01T00:00:00.250Z"), ("date", "2026-01-01T00:00:00Z"))
    assert not found(observation(effectiveInstant="2026-01-01T00:00:01.000Z"), ("date", "2026-01-01T00:00:00Z"))


@pytest.mark.parametrize(("updated", "hit"), [("2026-01-31T23:59:59.999Z", False), ("2026-02-01T00:00:00.000Z", True)])
def test_last_updated_is_a_moment(updated: str, hit: bool) -> None:
    """R4 #lastUpdated: an instant; all prefixes as for any date."""
    resource = {"resourceType": "Organization", "id": "o", "meta": {"lastUpdated": updated}}
    for value in ("gt2026-01", "sa2026-01", "ge2026-02", "ne2026-01", "2026-02"):
        assert found(resource, ("_lastUpdated", value)) is hit, value
    for value in ("lt2026-02", "eb2026-02", "le2026-01", "2026-01", "ne2026-02"):
        assert found(resource, ("_lastUpdated", value)) is not hit, value


@given(st.sampled_from(PREFIXES), written_dates(), DAY)
def test_any_search_of_last_updated_agrees_with_the_specifications_words(prefix: str, searched: str, moment: datetime) -> None:
    """R4 #prefix, for a target that is one moment."""
    first = moment.replace(tzinfo=UTC)
    target = oracle.Span(first, first.replace(microsecond=first.microsecond) + oracle.timedelta(microseconds=1))
    resource = {"resourceType": "Device", "id": "d", "meta": {"lastUpdated": first.isoformat(timespec="microseconds")}}
    assert found(resource, ("_lastUpdated", prefix + searched)) is by_oracle(prefix, searched, target)


def test_approximately_widens_with_the_distance_from_now() -> None:
    """R4 #prefix ap: a tenth of the distance between now and the value."""
    hundred_days_ago = "ap2026-08-14"
    assert found(observation(effectiveDateTime="2026-08-05"), ("date", hundred_days_ago))
    assert not found(observation(effectiveDateTime="2026-08-02"), ("date", hundred_days_ago))


BIRTHS = st.dates(min_value=datetime(1700, 1, 1).date(), max_value=datetime(2300, 1, 1).date())  # noqa: DTZ001


@given(st.sampled_from(PREFIXES), BIRTHS, st.integers(0, 2), BIRTHS, st.integers(0, 2))
def test_birth_dates_agree_with_the_specifications_words(prefix: str, searched: Any, cut: int, born: Any, kept: int) -> None:
    """The tokens of years, months and days never contradict the range comparison."""
    value, written = searched.isoformat()[: (4, 7, 10)[cut]], born.isoformat()[: (4, 7, 10)[kept]]
    patient = {"resourceType": "Patient", "id": "p", "birthDate": written}
    assert found(patient, ("birthdate", prefix + value)) is by_oracle(prefix, value, oracle.span(written))


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("born", ["1980", "1980-03", "1980-03-05", "0001-01-01", "9999-12-31"])
def test_a_time_of_day_compares_with_a_birth_date(prefix: str, born: str) -> None:
    """A minute contains no date, so it equals none; it may lie before or after one."""
    patient = {"resourceType": "Patient", "id": "p", "birthDate": born}
    if prefix in ("", "eq"):
        assert not found(patient, ("birthdate", prefix + "1980-03-05T10:00"))
    if prefix == "ne":
        assert found(patient, ("birthdate", prefix + "1980-03-05T10:00"))
    found(patient, ("birthdate", prefix + "1980-03-05T10:00"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "26",
        "2026-1",
        "2026-13",
        "2026-02-30",
        "0000",
        "2026-01-01T24:00Z",
        "2026-01-01T10Z",
        "2026-01-01T10:60Z",
        "2026-01-01T10:00:61Z",
        "2026-01-01T10:00:00+15:00",
        "2026-01-01T10:00:00 01:00",
        "2026-01-01T10:00:00.Z",
        "２０２６",
        "2026-01-01Z",
        "2026\n",
    ],
)
def test_what_is_no_date_is_refused(text: str) -> None:
    """https://hl7.org/fhir/R4/datatypes.html#dateTime"""
    with pytest.raises(ValueError):
        date_range(text)


def test_a_leap_second_is_read() -> None:
    """R4's pattern for dateTime allows second 60."""
    assert date_range("2016-12-31T23:59:60Z") == date_range("2017-01-01T00:00:00Z")


def test_the_first_and_the_last_year_have_ranges() -> None:
    """No overflow at either end, and open ends lie beyond both."""
    assert date_range("0001-01-01T00:00:00+14:00").start_us > OPEN_START_US
    assert date_range("9999").end_us == date_range("9999-12-31T23:59:59.999999Z").end_us < OPEN_END_US


def test_a_period_that_ends_before_it_starts_is_no_period() -> None:
    """R4 invariant per-1."""
    with pytest.raises(ValueError):
        element_range({"start": "2026-02", "end": "2026-01"})
    assert element_range({"start": "2026-01", "end": "2026-01"}) == date_range("2026-01")
