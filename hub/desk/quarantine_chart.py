"""Causes over time as bars for an SVG: numbers in, places out. Pure; the page draws it, and says the same in a table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final, NamedTuple

DAYS: Final = 30
CAUSES_MAX: Final = 5
"""Of their own colour; all others together have the sixth."""
WIDTH, HEIGHT, TOP = 600, 150, 12
"""Of the drawing; above it there is room for a number."""
EPOCH: Final = date(1970, 1, 1)
OTHERS: Final = ""


class Seen(NamedTuple):
    """Items of one cause that came on one day (days since 1970, UTC)."""

    day: int
    code: str
    items: int


class Bar(NamedTuple):
    """A part of a day's bar. `place`: of its cause among the causes."""

    x: float
    y: float
    width: float
    height: float
    place: int
    day: str
    code: str
    items: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """causes  the most frequent first, OTHERS last if there are more; rows  a day with its number for each cause."""

    causes: Sequence[str]
    bars: Sequence[Bar]
    rows: Sequence[tuple[str, Sequence[int]]]
    most: int
    first: str
    last: str


def chart(seen: Sequence[Seen], now_us: int) -> Chart | None:
    """The last thirty days; None if nothing came in them."""
    today = (datetime.fromtimestamp(now_us / 1_000_000, UTC).date() - EPOCH).days
    first = today - DAYS + 1
    recent = [one for one in seen if first <= one.day <= today]
    if not recent:
        return None
    causes = _causes(recent)
    table = _table(recent, causes, first)
    most = max(sum(counts) for counts in table.values())
    return Chart(
        causes=causes,
        bars=[bar for number, (day, counts) in enumerate(table.items()) for bar in _bars(number, day, counts, causes, most)],
        rows=[(day, counts) for day, counts in table.items() if any(counts)],
        most=most,
        first=_written(first),
        last=_written(today),
    )


def _causes(seen: Sequence[Seen]) -> list[str]:
    totals: dict[str, int] = {}
    for one in seen:
        totals[one.code] = totals.get(one.code, 0) + one.items
    ordered = sorted(totals, key=lambda code: (-totals[code], code))
    return ordered if len(ordered) <= CAUSES_MAX + 1 else [*ordered[:CAUSES_MAX], OTHERS]


def _table(seen: Sequence[Seen], causes: Sequence[str], first: int) -> Mapping[str, list[int]]:
    table = {_written(first + number): [0] * len(causes) for number in range(DAYS)}
    for one in seen:
        place = causes.index(one.code) if one.code in causes else len(causes) - 1
        table[_written(one.day)][place] += one.items
    return table


def _bars(number: int, day: str, counts: Sequence[int], causes: Sequence[str], most: int) -> list[Bar]:
    step, made, base = WIDTH / DAYS, [], float(HEIGHT)
    for place, items in enumerate(counts):
        if items:
            height = max(items / most * (HEIGHT - TOP), 1.5)
            base -= height
            made.append(
                Bar(round(number * step + 1.5, 2), round(base, 2), round(step - 3, 2), round(height, 2), place, day, causes[place], items)
            )
    return made


def _written(day: int) -> str:
    return (EPOCH + timedelta(days=day)).isoformat()
