"""Readings of a sensor -> chunks of a fixed length with a value at each step, as SampledData wants it. Pure.

gematik HDDT, Retrieving Data: chunks have a fixed size; LO and HI are L and U; a change of the calibration or of the device ends a
chunk; the last one may be incomplete. https://hl7.org/fhir/R4/datatypes.html#SampledData: what is missing within is E.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import gcd
from typing import Final, NamedTuple

HOUR_US: Final = 3_600_000_000
MILLISECOND_US: Final = 1_000
STEPS_MAX: Final = 8_640
"""Of one chunk: ten seconds over a day. Steps that name each time exactly are taken up to here, rounded ones beyond."""
STEP_US: Final = 60_000_000
"""What the usual distance of the readings is rounded to."""
STEP_LEAST_US: Final = 1_000_000
"""No shorter step is tried where readings crowd each other: a chunk has 86,400 of these at most."""
MISSING, BELOW, ABOVE = "E", "L", "U"


class Reading(NamedTuple):
    """One value: when, its decimal text, L, U or E."""

    at_us: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A stretch of time that becomes one chunk, and whether it has its full length."""

    start_us: int
    end_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Values from the start on, a step apart.

    moved_us  how far the farthest reading lies from its place
    crowded   readings for which there was no place: another value has their time
    full      the next value, at the usual distance, would lie in the next chunk
    """

    window: Window
    step_us: int
    texts: tuple[str, ...]
    moved_us: int = 0
    crowded: int = 0
    full: bool = False

    @property
    def is_empty(self) -> bool:
        return not self.texts


@dataclass(slots=True, kw_only=True)
class Series:
    """The readings of one sensor in the order of time, and when its calibration changed."""

    readings: list[Reading] = field(default_factory=list)
    changes_us: Sequence[int] = ()


def window_of(at_us: int, hours: int) -> Window:
    """The one in which a moment lies: windows begin with the day of UTC, so that asking twice gives the same ones."""
    length = hours * HOUR_US
    start = at_us // length * length
    return Window(start_us=start, end_us=start + length)


def windows(series: Series, hours: int) -> Iterator[Window]:
    """Those in which there are readings, and those between them; cut where the calibration or the sensor changed."""
    if not series.readings:
        return
    first, last = series.readings[0].at_us, series.readings[-1].at_us
    at = window_of(first, hours)
    while at.start_us <= last:
        cuts = sorted({one for one in series.changes_us if at.start_us < one < at.end_us})
        bounds = [at.start_us, *cuts, at.end_us]
        for start, end in pairwise(bounds):
            if start <= last and first < end:
                yield Window(start_us=start, end_us=end)
        at = window_of(at.end_us, hours)


def chunk(window: Window, readings: Sequence[Reading]) -> Chunk:
    """The readings of a window, each in its place; where two would share one, the steps are shorter."""
    if not readings:
        return Chunk(window=window, step_us=0, texts=())
    offsets = [one.at_us - window.start_us for one in readings]
    last = window.end_us - window.start_us - 1
    step = _step(offsets, window)
    places = _places(offsets, step, last)
    while len(set(places)) < len(set(offsets)) and step // 2 >= STEP_LEAST_US:
        step //= 2
        places = _places(offsets, step, last)
    return _filled(window, step, list(zip(places, offsets, readings, strict=True)))


def _filled(window: Window, step: int, placed: Sequence[tuple[int, int, Reading]]) -> Chunk:
    texts = [MISSING] * (max(place for place, _, _ in placed) + 1)
    moved = crowded = 0
    for place, offset, reading in placed:
        if texts[place] not in (MISSING, reading.text):
            crowded += 1
            continue
        texts[place] = reading.text
        moved = max(moved, abs(offset - place * step))
    usual, last = usual_us([offset for _, offset, _ in placed]), placed[-1][2].at_us
    full = usual is not None and last + usual >= window.end_us
    return Chunk(window=window, step_us=step, texts=tuple(texts), moved_us=moved, crowded=crowded, full=full)


def _places(offsets: Sequence[int], step: int, last: int) -> list[int]:
    """The nearest step that still lies within the window."""
    return [min((offset + step // 2) // step, last // step) for offset in offsets]


def _step(offsets: Sequence[int], window: Window) -> int:
    """The longest step that names each time exactly, if there are not too many of them; else the usual distance."""
    exact = gcd(*offsets) or HOUR_US
    if (window.end_us - window.start_us) // exact <= STEPS_MAX:
        return exact
    return usual_us(offsets) or STEP_US


def usual_us(times: Sequence[int]) -> int | None:
    """How far the readings lie apart for the most part; None for one alone."""
    apart = Counter(_rounded(later - earlier) for earlier, later in pairwise(times))
    return min(apart, key=lambda one: (-apart[one], one)) if apart else None


def _rounded(apart_us: int) -> int:
    return max(STEP_US, (apart_us + STEP_US // 2) // STEP_US * STEP_US)
