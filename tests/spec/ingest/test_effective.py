"""The device's time -> effectiveDateTime. https://hl7.org/fhir/R4/datatypes.html#dateTime"""

import re
from datetime import UTC, datetime, timedelta, timezone
from importlib.resources import files
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from adapters.reading import DeviceTime
from hub.ingest.doubt import Doubt
from hub.ingest.effective import FUTURE_TOLERANCE_US, effective, effective_us

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FHIR_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-](0\d|1[0-3]):[0-5]\d|[+-]14:00)")
OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
WALLS = st.datetimes(datetime.fromisoformat("1900-01-02"), datetime.fromisoformat("2100-12-30"))
FOREVER_US = 10**16


def us(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1)


def utc(instant: datetime | None) -> DeviceTime:
    return DeviceTime(kind="utc", text="1", instant=instant)


def offset(instant: datetime | None) -> DeviceTime:
    return DeviceTime(kind="offset", text="1", instant=instant)


def local(wall: str) -> DeviceTime:
    return DeviceTime(kind="local", text="1", wall=datetime.fromisoformat(wall))


def later(wall: str, *, hours: int) -> DeviceTime:
    return DeviceTime(kind="local", text="1", wall=datetime.fromisoformat(wall) + timedelta(hours=hours))


def stated(name: str) -> ZoneInfo:
    """The zone from the same data as the hub's; that of the machine may be older."""
    with files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file)


def resolved(time: DeviceTime | None, zone: str | None = None, *, received_us: int = us(NOW)) -> str:
    """The dateTime, or the code of the doubt."""
    answer = effective(time, time_zone=zone, received_us=received_us)
    return answer.code if isinstance(answer, Doubt) else answer


def test_an_instant_in_utc_is_written_in_utc() -> None:
    assert resolved(utc(datetime(2015, 5, 31, 6, 6, 23, tzinfo=UTC))) == "2015-05-31T06:06:23Z"


def test_a_local_time_with_offset_keeps_its_offset() -> None:
    """HL7 PHD: local time and offset are what the person saw; neither is given up for the other."""
    there = timezone(timedelta(hours=-7))
    assert resolved(offset(datetime(2015, 5, 30, 23, 6, 23, tzinfo=there))) == "2015-05-30T23:06:23-07:00"


def test_offset_zero_is_not_rewritten() -> None:
    assert resolved(offset(datetime(2015, 5, 30, 23, 6, 23, tzinfo=UTC))) == "2015-05-30T23:06:23+00:00"


@pytest.mark.parametrize(
    ("wall", "zone", "expected"),
    [
        ("2024-05-06T07:08:09", "Europe/Paris", "2024-05-06T07:08:09+02:00"),
        ("2024-01-06T07:08:09", "Europe/Paris", "2024-01-06T07:08:09+01:00"),
        ("1961-04-12T22:30:00", "Europe/Paris", "1961-04-12T22:30:00+01:00"),  # no summer time in France then
        ("1961-07-01T12:00:00", "Europe/Paris", "1961-07-01T12:00:00+01:00"),
        ("2024-07-01T12:00:00", "America/Los_Angeles", "2024-07-01T12:00:00-07:00"),
        ("1961-04-12T22:30:00", "America/Los_Angeles", "1961-04-12T22:30:00-08:00"),
        ("1961-07-01T12:00:00", "America/Los_Angeles", "1961-07-01T12:00:00-07:00"),
        ("2024-05-06T07:08:09", "Asia/Kathmandu", "2024-05-06T07:08:09+05:45"),
        ("2024-05-06T07:08:09", "Pacific/Kiritimati", "2024-05-06T07:08:09+14:00"),
        ("2024-05-06T07:08:09", "UTC", "2024-05-06T07:08:09+00:00"),
    ],
)
def test_a_wall_clock_is_resolved_with_the_zone_that_is_stated(wall: str, zone: str, expected: str) -> None:
    assert resolved(local(wall), zone) == expected


def test_an_offset_that_fhir_cannot_write_is_written_in_utc() -> None:
    """Paris was 9 min 21 s ahead of Greenwich until 1911; FHIR's offsets have whole minutes."""
    assert resolved(local("1905-01-01T12:00:00"), "Europe/Paris") == "1905-01-01T11:50:39Z"


@pytest.mark.parametrize(
    ("microsecond", "text", "length_us"),
    [(0, "2024-05-06T07:08:09Z", 1_000_000), (120_000, "2024-05-06T07:08:09.120Z", 1_000), (120_001, "2024-05-06T07:08:09.120001Z", 1)],
)
def test_precision_is_kept_and_is_the_length_of_the_period(microsecond: int, text: str, length_us: int) -> None:
    """https://hl7.org/fhir/R4/search.html#date: a time with seconds means that whole second."""
    moment = datetime(2024, 5, 6, 7, 8, 9, microsecond, tzinfo=UTC)
    assert resolved(utc(moment)) == text
    assert effective_us(text) == (us(moment), us(moment) + length_us)


@pytest.mark.parametrize(
    ("wall", "zone"),
    [
        ("2024-10-27T02:30:00", "Europe/Paris"),
        ("2024-11-03T01:30:00", "America/Los_Angeles"),
        ("1961-09-24T01:30:00", "America/Los_Angeles"),
    ],
)
def test_the_repeated_hour_waits(wall: str, zone: str) -> None:
    """DESIGN 7: the repeated hour at the end of summer time goes to quarantine."""
    assert resolved(local(wall), zone) == "time-ambiguous"
    assert FHIR_DATE_TIME.fullmatch(resolved(later(wall, hours=1), zone))


@pytest.mark.parametrize("fold", [0, 1])
def test_both_readings_of_the_repeated_hour_are_told_apart_by_their_offset(fold: int) -> None:
    moment = datetime(2024, 10, 27, 2, 30, fold=fold, tzinfo=ZoneInfo("Europe/Paris"))
    assert resolved(offset(moment)) == f"2024-10-27T02:30:00+0{2 - fold}:00"


@pytest.mark.parametrize(("wall", "zone"), [("2024-03-31T02:30:00", "Europe/Paris"), ("2024-03-10T02:30:00", "America/Los_Angeles")])
def test_the_skipped_hour_waits(wall: str, zone: str) -> None:
    """A clock that shows a time which never was is set to another zone."""
    assert resolved(local(wall), zone) == "time-nonexistent"
    assert FHIR_DATE_TIME.fullmatch(resolved(later(wall, hours=1), zone))


@pytest.mark.parametrize(
    "zone",
    ["Etc/GMT+5", "UTC+11", "GMT+0100", "+02:00", "CET?", "", "../UTC", "Europe", "Europe/", "europe/paris", "localtime", "Europe/Paris\n"],
)
def test_what_names_no_region_is_no_zone(zone: str) -> None:
    """POSIX inverts the sign: `UTC+11` is eleven hours behind. Whoever writes such a thing may mean either."""
    assert resolved(local("2024-05-06T07:08:09"), zone) == "time-zone-unknown"


def test_no_zone_is_invented() -> None:
    assert resolved(local("2024-05-06T07:08:09"), None) == "time-zone-missing"


def test_a_zone_that_is_stated_changes_no_instant() -> None:
    moment = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)
    assert resolved(utc(moment), "America/Los_Angeles") == resolved(utc(moment), None)


@pytest.mark.parametrize(
    "time",
    [
        None,
        utc(None),
        offset(None),
        utc(datetime.fromisoformat("2024-01-01")),
        DeviceTime(kind="local", text="1"),
        DeviceTime(kind="local", text="1", wall=NOW),
    ],
)
def test_a_reading_without_time_waits(time: DeviceTime | None) -> None:
    assert resolved(time, "Europe/Paris") == "no-time"


def test_a_counter_is_no_time() -> None:
    assert resolved(DeviceTime(kind="ticks", text="4711")) == "time-without-calendar"


@pytest.mark.parametrize(
    ("time", "doubted"),
    [
        (utc(EPOCH), True),
        (utc(datetime(1970, 12, 31, 23, 59, 59, tzinfo=UTC)), True),
        (offset(datetime(1969, 12, 31, 19, tzinfo=timezone(timedelta(hours=-5)))), True),
        (local("1970-01-01T01:00:00"), True),
        (utc(datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)), False),
        (utc(datetime(1971, 1, 1, tzinfo=UTC)), False),
    ],
)
def test_a_clock_that_counts_from_1970_was_never_set(time: DeviceTime, doubted: bool) -> None:
    """DEVICES 6.4. Such a clock goes on counting, so the whole year waits, on the wall and in UTC."""
    assert (resolved(time, "Europe/Paris") == "time-not-set") is doubted


@pytest.mark.parametrize(("hours", "doubted"), [(14, False), (-14, False), (14.5, True), (-14.5, True), (23, True)])
def test_an_offset_that_no_place_has_waits(hours: float, doubted: bool) -> None:
    """datatypes.html#dateTime: up to 14:00."""
    moment = datetime(2024, 5, 6, 7, 8, 9, tzinfo=timezone(timedelta(hours=hours)))
    assert (resolved(offset(moment)) == "offset-impossible") is doubted


@pytest.mark.parametrize(("ahead_us", "doubted"), [(0, False), (FUTURE_TOLERANCE_US, False), (FUTURE_TOLERANCE_US + 1, True)])
def test_a_clock_may_run_ahead_by_ten_minutes(ahead_us: int, doubted: bool) -> None:
    moment = NOW + timedelta(microseconds=ahead_us)
    assert (resolved(utc(moment)) == "time-in-future") is doubted


def test_the_future_is_judged_by_the_instant_not_by_the_wall_clock() -> None:
    """09:35 in Los Angeles is in the evening of Paris."""
    assert resolved(local("2026-11-22T09:35:00"), "Asia/Tokyo") == "2026-11-22T09:35:00+09:00"
    assert resolved(local("2026-11-22T09:35:00"), "America/Los_Angeles") == "time-in-future"


@pytest.mark.parametrize(("year", "doubted"), [(1899, True), (1900, False), (2100, False), (2101, True), (1, True), (9999, True)])
def test_years_have_bounds(year: int, doubted: bool) -> None:
    for time in (
        utc(datetime(year, 6, 1, tzinfo=UTC)),
        local(f"{year:04}-06-01"),
        offset(datetime(year, 6, 1, tzinfo=timezone(timedelta(hours=14)))),
    ):
        assert (resolved(time, "Europe/Paris", received_us=FOREVER_US) == "time-out-of-range") is doubted


@given(wall=WALLS, zone=OFFSETS)
def test_an_instant_survives_the_writing(wall: datetime, zone: timezone) -> None:
    """Whatever offset and precision: the text denotes the same instant, in the form that FHIR asks for."""
    moment = wall.replace(tzinfo=zone)
    assume(1970 not in (wall.year, moment.astimezone(UTC).year))  # a clock that nobody has set
    for time in (utc(moment), offset(moment)):
        text = resolved(time, received_us=FOREVER_US)
        assert FHIR_DATE_TIME.fullmatch(text)
        assert datetime.fromisoformat(text) == moment
        assert effective_us(text)[0] == us(moment)


@given(wall=WALLS, zone=st.sampled_from(["Europe/Paris", "America/Los_Angeles", "Australia/Lord_Howe", "Europe/Dublin"]))
def test_a_wall_clock_is_resolved_to_the_one_instant_that_shows_it(wall: datetime, zone: str) -> None:
    """Naive twin: go through all instants around and ask what the clocks showed."""
    shows = stated(zone)
    candidates = {wall - timedelta(minutes=minutes) for minutes in range(-14 * 60, 15 * 60, 30)}
    shown = [moment for moment in candidates if moment.replace(tzinfo=UTC).astimezone(shows).replace(tzinfo=None) == wall]
    assume(
        wall.year > 1940 and abs((wall - datetime.fromisoformat("1970-07-01")).days) > 200
    )  # not the year of unset clocks; before, offsets were not multiples of half an hour
    answer = resolved(local(wall.isoformat()), zone, received_us=FOREVER_US)
    match shown:
        case [moment]:
            assert datetime.fromisoformat(answer) == moment.replace(tzinfo=UTC)
        case []:
            assert answer == "time-nonexistent"
        case _:
            assert answer == "time-ambiguous"


@pytest.mark.parametrize(
    "text", ["", "2024", "2024-05-06", "2024-05-06T07:08Z", "2024-05-06T07:08:09", "2024-05-06 07:08:09Z", "2024-13-06T07:08:09Z"]
)
def test_only_what_a_measurement_carries_has_a_period(text: str) -> None:
    with pytest.raises(ValueError, match=r"effective|month"):
        effective_us(text)
