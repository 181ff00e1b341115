"""Readings that take each other's place: in what order they go, and what goes together. Pure.

A grid of intervals that was read one step off is a chain: each reading goes where the next one is, and the last one to a free place. Two
records taken for each other are a circle. Readings that meet at one place are a tree. Whoever goes first would be taken for a
correction of who is still there; so each goes after whoever holds its place, or with it in one transaction.
"""

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Final, Literal

UNIT_ROWS: Final = 500
"""Of one transaction, at most: a moved reading is four versions, a recording's twelve."""

Stuck = Literal["place-held", "circle-too-long"]
"""place-held       its place is held by a reading that stays and cannot be read anew, or by one that is stuck itself
circle-too-long  more readings than one transaction takes go round in a circle: none of them can go first"""


@dataclass(slots=True)
class Chains:
    """`chains`: each in units, one transaction each, in the order in which they go. `stuck`: what stays, by why."""

    chains: list[list[list[str]]] = field(default_factory=list)
    stuck: dict[str, Stuck] = field(default_factory=dict)


def chains(becomes: Mapping[str, str], held: AbstractSet[str], unit_rows: int = UNIT_ROWS) -> Chains:
    """All that move, sorted out; what meets nobody on the move is in no chain.

    becomes  each row that moves, and where to
    held     those whose place somebody holds who stays
    """
    links = {row: place for row, place in becomes.items() if place in becomes}
    comers: dict[str, list[str]] = {}
    for row, place in sorted(links.items()):
        comers.setdefault(place, []).append(row)
    made, seen = Chains(), set[str]()
    for row in sorted({*links, *links.values()}):
        if row in seen:
            continue
        first = _first(row, links)
        order = list(_in_order(first, comers))
        seen.update(order)
        if not held.isdisjoint(order):
            made.stuck |= dict.fromkeys(order, "place-held")
        elif len(first) > unit_rows:
            made.stuck |= dict.fromkeys(order, "circle-too-long")
        else:
            made.chains.append([order[start : start + unit_rows] for start in range(0, len(order), unit_rows)])
    made.stuck |= dict.fromkeys(sorted(held - seen), "place-held")
    return made


def _first(row: str, links: Mapping[str, str]) -> list[str]:
    """Who goes first: the one whose place nobody on the move holds, or all of a circle at once."""
    way: dict[str, None] = {}
    while row in links and row not in way:
        way[row] = None
        row = links[row]
    if row not in way:
        return [row]
    steps = list(way)
    return steps[steps.index(row) :]


def _in_order(first: list[str], comers: Mapping[str, list[str]]) -> Iterator[str]:
    """They, then who takes their place, and so on."""
    seen, going = set(first), first
    while going:
        yield from going
        going = [one for place in going for one in comers.get(place, ()) if one not in seen]
        seen.update(going)
