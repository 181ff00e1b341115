"""One page of a planned search: cut behind the position of a cursor, forwards or backwards.

https://hl7.org/fhir/R4/http.html#paging. The place of a page is the sort values and the id of a resource at its rim,
never a number of rows, so that what others write meanwhile makes neither gaps nor doubles.
"""

from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any

from hub.repository.searching_plan import Plan
from hub.repository.searching_rows import Match, Rows
from hub.search.page import Cursor, Position
from hub.search.sort import key, opened_sort_values
from hub.store.protocol import Order, Snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """`after` and `before`: the positions from which the neighbouring pages go on, None where there is none.

    total  how many match in all, where the page could not be made without counting them
    """

    matches: tuple[Match, ...] = ()
    after: Position | None = None
    before: Position | None = None
    total: int | None = None


async def page(plan: Plan, cursor: Cursor | None, snapshot: Snapshot, rows: Rows) -> Page:
    if plan.order is None:
        return await _sorted_page(plan, cursor, snapshot, rows)
    order, wanted = _from(plan.order, cursor), plan.search.page_size + 1
    found: list[Match] = []
    limit = wanted if plan.exact else None
    async with aclosing(rows.matches(plan, order, limit, snapshot, first=wanted)) as matches:
        async for match in matches:
            found.append(match)
            if len(found) == wanted:
                break
    places = [_position(match, order) for match in found]
    return _cut(found, places, plan.search.page_size, cursor)


async def _sorted_page(plan: Plan, cursor: Cursor | None, snapshot: Snapshot, rows: Rows) -> Page:
    """A sort key that only the opened resource shows: all that is visible is opened, and no more kept than the page."""
    search, wanted = plan.search, plan.search.page_size + 1
    backwards = _backwards(cursor)
    last = key(search, cursor.position) if cursor is not None and cursor.position else None
    kept: list[tuple[Any, Match, Position]] = []
    total = 0
    async with aclosing(rows.matches(plan, Order(field="id"), None, snapshot)) as matches:
        async for match in matches:
            total += 1
            values = opened_sort_values(search, match.content)
            place = key(search, values)
            if last is not None and not (place < last if backwards else last < place):
                continue
            kept.append((place, match, values))
            if len(kept) > 2 * wanted:
                _keep(kept, wanted, backwards=backwards)
    _keep(kept, wanted, backwards=backwards)
    made = _cut([match for _, match, _ in kept], [values for *_, values in kept], search.page_size, cursor)
    return replace(made, total=total)


def _keep(kept: list[tuple[Any, Match, Position]], wanted: int, *, backwards: bool) -> None:
    kept.sort(key=lambda one: one[0], reverse=backwards)
    del kept[wanted:]


def _from(order: Order, cursor: Cursor | None) -> Order:
    if cursor is None or not cursor.position:
        return order
    return replace(order, after=(cursor.position[0], str(cursor.position[-1])), backwards=_backwards(cursor))


def _backwards(cursor: Cursor | None) -> bool:
    return cursor is not None and cursor.direction == "previous"


def _position(match: Match, order: Order) -> Position:
    stored = match.stored
    if order.field == "id":
        return (None, stored.id)
    return (stored.start_us if order.field == "d" else stored.updated_us, stored.id)


def _cut(found: Sequence[Match], places: Sequence[Position], size: int, cursor: Cursor | None) -> Page:
    """`found` holds one more than the page where there is more that way; the other way there is where we come from."""
    more, found, places = len(found) > size, found[:size], places[:size]
    if not found:
        return Page()
    if _backwards(cursor):
        return Page(matches=tuple(reversed(found)), after=places[0], before=places[-1] if more else None)
    came = cursor is not None and bool(cursor.position)
    return Page(matches=tuple(found), after=places[-1] if more else None, before=places[0] if came else None)
