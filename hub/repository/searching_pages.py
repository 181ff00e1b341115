"""Through the matches of a planned search from a place on, forwards or backwards; and how a page is cut from them.

https://hl7.org/fhir/R4/http.html#paging. The place of a page is the sort values and the id of a resource at its rim,
never a number of rows, so that what others write meanwhile makes neither gaps nor doubles.
"""

from collections.abc import Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any

from hub.repository.searching_plan import Plan
from hub.repository.searching_rows import Match, NamesOthersError, Rows
from hub.search.asked import Search
from hub.search.page import Cursor, Position
from hub.search.sort import key, opened_sort_values
from hub.store.protocol import Order, Snapshot

Placed = tuple[Position, Match]


@dataclass(frozen=True, slots=True, kw_only=True)
class Walked:
    """Matches with their places, nearest first. `total`: of all, where the way led through all of them."""

    found: Sequence[Placed] = ()
    total: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """`after` and `before`: the positions from which the neighbouring pages go on, None where there is none."""

    matches: tuple[Match, ...] = ()
    after: Position | None = None
    before: Position | None = None


def is_backwards(cursor: Cursor | None) -> bool:
    return cursor is not None and cursor.direction == "previous"


def along(searches: Sequence[Search], cursor: Cursor | None) -> Iterator[tuple[Search, Cursor | None]]:
    """Searches by type, in order, each with the place from which to go on: those before it have been passed already.

    A place among several types begins with its type.
    """
    if cursor is None or not cursor.position:
        yield from ((search, None) for search in searches)
        return
    last, backwards = str(cursor.position[0]), is_backwards(cursor)
    for search in reversed(searches) if backwards else searches:
        if search.type == last:
            yield search, replace(cursor, position=cursor.position[1:])
        elif (search.type < last) is backwards:
            yield search, replace(cursor, position=())


async def walk(plan: Plan, cursor: Cursor | None, wanted: int, snapshot: Snapshot, rows: Rows) -> Walked:
    """At most `wanted` matches from the place of the cursor; from the beginning (or the end) without one."""
    way = _sorted_walk if plan.order is None else _ordered_walk
    try:
        return await way(plan, cursor, wanted, snapshot, rows)
    except NamesOthersError:
        plan.tally.clear()
        return await way(replace(plan, exact=False), cursor, wanted, snapshot, rows)


def cut(found: Sequence[Placed], size: int, cursor: Cursor | None) -> Page:
    """`found` holds one more than the page where there is more that way; the other way there is where we come from."""
    more, found = len(found) > size, found[:size]
    if not found:
        return Page()
    matches, first, last = tuple(match for _, match in found), found[0][0], found[-1][0]
    if is_backwards(cursor):
        return Page(matches=matches[::-1], after=first, before=last if more else None)
    came = cursor is not None and bool(cursor.position)
    return Page(matches=matches, after=last if more else None, before=first if came else None)


async def _ordered_walk(plan: Plan, cursor: Cursor | None, wanted: int, snapshot: Snapshot, rows: Rows) -> Walked:
    order = _from(plan.order or Order(field="id"), cursor)
    found: list[Placed] = []
    limit = wanted if plan.exact else None
    async with aclosing(rows.matches(plan, order, limit, snapshot, first=wanted)) as matches:
        async for match in matches:
            found.append((_position(match, order), match))
            if len(found) == wanted:
                break
    return Walked(found=found)


async def _sorted_walk(plan: Plan, cursor: Cursor | None, wanted: int, snapshot: Snapshot, rows: Rows) -> Walked:
    """A sort key that only the opened resource shows: all that is visible is opened, and no more kept than is wanted."""
    search, backwards = plan.search, is_backwards(cursor)
    last = key(search, cursor.position) if cursor is not None and cursor.position else None
    kept: list[tuple[Any, Placed]] = []
    total = 0
    async with aclosing(rows.matches(plan, Order(field="id"), None, snapshot)) as matches:
        async for match in matches:
            total += 1
            values = opened_sort_values(search, match.content)
            place = key(search, values)
            if last is not None and not (place < last if backwards else last < place):
                continue
            kept.append((place, (values, match)))
            if len(kept) > 2 * wanted:
                _keep(kept, wanted, backwards=backwards)
    _keep(kept, wanted, backwards=backwards)
    return Walked(found=[placed for _, placed in kept], total=total)


def _keep(kept: list[tuple[Any, Placed]], wanted: int, *, backwards: bool) -> None:
    kept.sort(key=lambda one: one[0], reverse=backwards)
    del kept[wanted:]


def _from(order: Order, cursor: Cursor | None) -> Order:
    if cursor is None:
        return order
    after = (cursor.position[0], str(cursor.position[-1])) if cursor.position else None
    return replace(order, after=after, backwards=is_backwards(cursor))


def _position(match: Match, order: Order) -> Position:
    stored = match.stored
    if order.field == "id":
        return (None, stored.id)
    return (stored.start_us if order.field == "d" else stored.updated_us, stored.id)
