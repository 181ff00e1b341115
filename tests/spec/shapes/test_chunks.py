"""Chunks of a fixed length: what goes in comes out, at its time, to the digit. gematik HDDT, Retrieving Data; DEVICES 1.6."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from fhir_profiles.shapes.chunks import (
    HOUR_US,
    MISSING,
    STEP_LEAST_US,
    STEPS_MAX,
    Chunk,
    Reading,
    Series,
    Window,
    chunk,
    window_of,
    windows,
)

SECOND_US = 1_000_000
HOURS = st.sampled_from([1, 2, 3, 4, 6, 8, 12, 24])
WINDOW = window_of(1_772_323_200 * SECOND_US, 1)


def read_back(made: Chunk) -> list[Reading]:
    """As a receiver reads SampledData: one value a step, from the start on."""
    start, step = made.window.start_us, made.step_us
    return [Reading(start + place * step, text) for place, text in enumerate(made.texts) if text != MISSING]


@st.composite
def readings(draw: st.DrawFn, *, window: Window = WINDOW, unit_us: int = SECOND_US) -> list[Reading]:
    """At different times within the window, in order."""
    last = (window.end_us - window.start_us) // unit_us - 1
    offsets = draw(st.lists(st.integers(0, last), min_size=1, max_size=60, unique=True).map(sorted))
    texts = draw(st.lists(st.sampled_from(["L", "U", "101", "99.0", "250.55"]), min_size=len(offsets), max_size=len(offsets)))
    return [Reading(window.start_us + offset * unit_us, text) for offset, text in zip(offsets, texts, strict=True)]


@given(readings())
def test_what_has_second_times_in_an_hour_comes_back_as_it_was(given: list[Reading]) -> None:
    made = chunk(WINDOW, given)
    assert (read_back(made), made.moved_us, made.crowded) == (given, 0, 0)


@given(HOURS, st.sampled_from([1, 5, 15]), st.data())
def test_values_at_whole_minutes_come_back_as_they_were_whatever_the_length(hours: int, minutes: int, data: st.DataObject) -> None:
    """Every sensor's grid divides a day of minutes, and 1,440 steps are few."""
    window = window_of(1_772_323_200 * SECOND_US, hours)
    given = data.draw(readings(window=window, unit_us=60 * SECOND_US * minutes))
    assert read_back(chunk(window, given)) == given


@given(HOURS, st.integers(0, 299_999_999), st.lists(st.integers(-20, 20), min_size=2, max_size=200))
def test_a_sensor_that_jitters_has_each_value_once_within_half_a_step(hours: int, phase_us: int, jitter: list[int]) -> None:
    """Five minutes, more or less some seconds."""
    window = window_of(1_772_323_200 * SECOND_US, hours)
    times = sorted({window.start_us + phase_us + 300 * SECOND_US * index + apart * SECOND_US for index, apart in enumerate(jitter)})
    given = [Reading(at, str(index)) for index, at in enumerate(times) if window.start_us <= at < window.end_us]
    made = chunk(window, given)
    assert [one.text for one in read_back(made)] == [one.text for one in given]
    assert all(abs(back.at_us - one.at_us) <= made.moved_us for back, one in zip(read_back(made), given, strict=True))
    assert made.moved_us <= max(made.step_us, SECOND_US)


@given(st.lists(st.integers(0, HOUR_US - 1), max_size=40).map(sorted))
def test_times_to_the_microsecond_are_never_more_than_a_chunk_can_hold(offsets: list[int]) -> None:
    """STYLE rule 8: what has no place is counted, and memory has a bound."""
    given = [Reading(WINDOW.start_us + offset, str(index)) for index, offset in enumerate(offsets)]
    made = chunk(WINDOW, given)
    assert len(made.texts) <= max(STEPS_MAX, HOUR_US // STEP_LEAST_US + 1)
    assert len(read_back(made)) + made.crowded == len(given)
    assert all(WINDOW.start_us <= one.at_us < WINDOW.end_us for one in read_back(made))


@given(HOURS, st.lists(st.integers(0, 5 * 24 * HOUR_US), min_size=1, max_size=20).map(sorted), st.lists(st.integers(0, 5 * 24 * HOUR_US)))
def test_windows_cover_each_reading_once_and_none_is_longer_than_it_may_be(hours: int, times: list[int], changes: list[int]) -> None:
    found = list(windows(Series(readings=[Reading(at, "1") for at in times], changes_us=changes), hours))
    assert all(0 < one.end_us - one.start_us <= hours * HOUR_US for one in found)
    assert all(one.end_us <= other.start_us for one, other in itertools.pairwise(found))
    assert all(sum(one.start_us <= at < one.end_us for one in found) == 1 for at in times)
    cuts = {one.start_us for one in found} | {one.end_us for one in found}
    assert all(change in cuts for change in changes if times[0] < change < times[-1] and change % (hours * HOUR_US))


@given(HOURS, st.integers(0, 2**50))
def test_the_window_of_a_moment_does_not_depend_on_what_was_asked(hours: int, at: int) -> None:
    window = window_of(at, hours)
    assert window.start_us <= at < window.end_us
    assert window == window_of(window.start_us, hours) == window_of(window.end_us - 1, hours)
    assert window.start_us % (hours * HOUR_US) == 0
