"""The hub broken on purpose, one place at a time: what the differential test must notice."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from hub.repository import searching, searching_join, searching_pages
from hub.repository.searching_include import Includes
from hub.repository.searching_join import Joins
from hub.repository.searching_rows import Rows
from hub.repository.visibility import Visibility
from hub.search import intervals, sort
from hub.search.asked import Criterion
from hub.search.elements import elements
from hub.search.predicate import EVERYTHING, Between
from hub.search.types import date
from hub.search.types.composite import CompositeValue
from hub.store import mongo_find
from security.consent import BY_POLICY

Patch = pytest.MonkeyPatch


def number_prefix(patch: Patch) -> None:
    """gt finds what is equal."""
    patch.setitem(intervals.COMPARE, "gt", lambda found, asked: found.high is None or found.high >= asked.exact)  # type: ignore[arg-type]


def date_prefix(patch: Patch) -> None:
    """ge finds what ends just before, in the query and on what was opened."""
    patch.setitem(date.COMPARE, "ge", lambda found, searched: found.end_us >= searched.start_us)  # type: ignore[arg-type]
    patch.setitem(date.EFFECTIVE, "ge", lambda s: Between("e", low=s.start_us))  # type: ignore[arg-type]


def composite_tuple(patch: Patch) -> None:
    """The code of one component pairs with the value of another."""

    def matches(self: Any, parameter: Any, resource: Any, opened: Any) -> bool:
        found = [element for root in parameter.roots for element in elements(resource, root)]
        parts = list(zip(self.values, parameter.components, strict=True))
        return all(any(value.matches(one.parameter, element, opened) for element in found) for value, one in parts)

    patch.setattr(CompositeValue, "test", lambda self, parameter, opened: lambda one: matches(self, parameter, one, opened))


def not_modifier(patch: Patch) -> None:
    """`:not` finds what it should leave out."""
    patch.setattr(Criterion, "negated", property(lambda self: self.modifier == "not-in"))


def chain_consent(patch: Patch) -> None:
    """A chain looks at what the caller may not see."""
    plan = Joins._plan

    async def unrestricted(self: Any, *given: Any) -> Any:
        made = await plan(self, *given)
        return replace(made, exact=False, finding=replace(made.finding, restriction=EVERYTHING, others_within=None))

    patch.setattr(Joins, "_plan", unrestricted)
    patch.setattr(Rows, "_basis", lambda *_: "scope")


def page_seam(patch: Patch) -> None:
    """A page begins with the last of the one before."""
    patch.setattr(mongo_find, "_past", lambda way: "$gte" if way > 0 else "$lte")
    patch.setattr(mongo_find, "_beyond", _with_the_last(mongo_find._beyond))


def _with_the_last(beyond: Callable[..., Any]) -> Callable[..., Any]:
    def changed(type: str, order: Any, fields: Any) -> Any:
        return _without_doubled_e(beyond(type, order, fields))

    return changed


def _without_doubled_e(node: Any) -> Any:
    if isinstance(node, dict):
        return {str(name).replace("tee", "te"): _without_doubled_e(value) for name, value in node.items()}
    return [_without_doubled_e(one) for one in node] if isinstance(node, list) else node


def page_back(patch: Patch) -> None:
    """Previous pages come the wrong way round."""
    cut = searching_pages.cut

    def turned(found: Any, size: int, cursor: Any) -> Any:
        page = cut(found, size, cursor)
        return replace(page, matches=page.matches[::-1]) if searching_pages.is_backwards(cursor) else page

    patch.setattr(searching, "cut", turned)


def missing_first(patch: Patch) -> None:
    """What is missing sorts first."""
    comparable = sort._comparable
    patch.setattr(sort, "_comparable", lambda value, down: (value is not None, comparable(value, down)))


def include_consent(patch: Patch) -> None:
    """What is included is not asked for at all."""
    patch.setattr(Visibility, "decide", lambda *_, **__: BY_POLICY[True])


def include_iterate(patch: Patch) -> None:
    """`:iterate` goes one hop."""
    along = Includes.along

    async def once(self: Any, includes: Any, *given: Any) -> Any:
        return await along(self, [replace(one, iterate=False) for one in includes], *given)

    patch.setattr(Includes, "along", once)


def total_of_others(patch: Patch) -> None:
    """The total counts what patients hide who are named besides."""

    real = searching.apart

    def undivided(plan: Any) -> Any:
        return replace(real(plan)[0], others_within=None), ()

    patch.setattr(searching, "apart", undivided)
    patch.setattr(searching_join, "apart", undivided)


BREAKS: Mapping[str, Callable[[Patch], None]] = {
    one.__name__: one
    for one in (
        number_prefix,
        date_prefix,
        composite_tuple,
        not_modifier,
        chain_consent,
        page_seam,
        page_back,
        missing_first,
        include_consent,
        include_iterate,
        total_of_others,
    )
}
