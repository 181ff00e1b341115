"""Tokens of birth dates: year, month and day as far as they are written.

An equal search asks for the token of its own precision; a range asks for the years it touches, and the opened
resource decides. Years that nobody alive was born in share one token on either side, so that a range stays bounded.
"""

from collections.abc import Callable, Mapping
from datetime import date

from hub.search.times import DAY_US, Range

YEAR_MIN, YEAR_MAX = 1850, 2100
EARLY, LATE = YEAR_MIN - 1, YEAR_MAX + 1

_EPOCH = date(1970, 1, 1).toordinal()
_KINDS = {4: "y:", 7: "m:", 10: "d:"}


def row_texts(birth_date: str) -> frozenset[str]:
    """What a row carries: "1980-03" gives y:1980 and m:1980-03. `birth_date` is a FHIR date."""
    written = {kind + birth_date[:length] for length, kind in _KINDS.items() if length <= len(birth_date)}
    return frozenset(written) | {_year_text(_clamped(int(birth_date[:4])))}


def equal_texts(searched: str) -> frozenset[str]:
    """What `eq` asks for; empty for a time of day, which contains no date."""
    kind = _KINDS.get(len(searched))
    return frozenset() if kind is None else frozenset({kind + searched})


def range_texts(prefix: str, searched: Range) -> frozenset[str]:
    """The year tokens of every date that may match."""
    low, high = _YEARS[prefix](searched.start_us, searched.end_us)
    return frozenset(_year_text(year) for year in range(low, high + 1))


_YEARS: Mapping[str, Callable[[int, int], tuple[int, int]]] = {
    "ne": lambda _start, _end: (EARLY, LATE),
    "gt": lambda _start, end: (_year(end), LATE),
    "lt": lambda start, _end: (EARLY, _year(start - 1)),
    "ge": lambda start, _end: (_year(start), LATE),
    "le": lambda _start, end: (EARLY, _year(end - 1)),
    "sa": lambda _start, end: (_year(end), LATE),
    "eb": lambda start, _end: (EARLY, _year(start - 1)),
    "ap": lambda start, end: (_year(start), _year(end - 1)),
}


def _year(moment_us: int) -> int:
    day = moment_us // DAY_US + _EPOCH
    if day < 1 or day > date.max.toordinal():
        return EARLY if day < 1 else LATE
    return _clamped(date.fromordinal(day).year)


def _clamped(year: int) -> int:
    return min(max(year, EARLY), LATE)


def _year_text(year: int) -> str:
    """`y:early` and `y:late` can be no date's own text."""
    return {EARLY: "y:early", LATE: "y:late"}.get(year, f"y:{year}")
