"""The order of results: by fields of the stored row where they say it, else by the opened resources.

https://hl7.org/fhir/R4/search.html#sort. What is missing sorts last, up or down; the id parts what is equal, so that
the order is total and pages have neither gaps nor doubles.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from hub.search.asked import Search
from hub.search.elements import texts, typed
from hub.search.parameters import RESOURCE_TYPES, Parameter
from hub.search.predicate import Row
from hub.search.result import Sort
from hub.search.types.date import ranges
from hub.search.types.quantity import magnitude
from hub.search.types.token import pairs
from hub.search.value import Resource
from hub.search.words import readings

SortField = Literal["d", "lu", "id"]
SortValue = int | float | str | None
"""As JSON can carry it, in a page cursor."""

FIELDS: Mapping[str, SortField] = {"de": "d", "lu": "lu", "id": "id"}
LATEST_FIRST: Mapping[str, Sort] = {"Observation": (("date", True),), "AuditEvent": (("date", True),)}
"""Types whose readers want the newest first; all others come by id."""


def order(search: Search) -> Sort:
    """The sort keys in force: those asked for, or the type's own; always ends with `_id`."""
    keys = search.sort or LATEST_FIRST.get(search.type, ())
    ids = [place for place, (code, _) in enumerate(keys) if code == "_id"]
    return keys[: ids[0] + 1] if ids else (*keys, ("_id", False))


def row_order(search: Search) -> tuple[tuple[SortField, bool], ...] | None:
    """(field, descending) for the database, or None if only opened resources tell the order."""
    rows = RESOURCE_TYPES[search.type].parameters
    fields = [(FIELDS.get(rows[code].where), descending) for code, descending in order(search)]
    said = tuple((field, descending) for field, descending in fields if field is not None)
    return said if len(said) == len(fields) else None


def sort_values(search: Search, row: Row) -> tuple[SortValue, ...]:
    """A row's values of `row_order`, the id last: the position of a page cursor. Raises ValueError without row order."""
    fields = row_order(search)
    if fields is None:
        raise ValueError("this search is sorted after opening")
    return tuple(getattr(row, field) for field, _ in fields)


def opened_sort_values(search: Search, resource: Resource) -> tuple[SortValue, ...]:
    """An opened resource's values of `order`, the id last. Of several values the first in the order counts."""
    rows = RESOURCE_TYPES[search.type].parameters
    return tuple(_chosen(_values(rows[code], resource), descending) for code, descending in order(search))


def key(search: Search, values: Sequence[SortValue]) -> tuple[Any, ...]:
    """What `sorted` takes, for values of one of the two functions above."""
    return tuple(_comparable(value, descending) for value, (_, descending) in zip(values, order(search), strict=True))


def sort_key(search: Search, row: Row) -> tuple[Any, ...]:
    return key(search, sort_values(search, row))


def opened_sort_key(search: Search, resource: Resource) -> tuple[Any, ...]:
    return key(search, opened_sort_values(search, resource))


class _Descending(str):
    """A text that compares the other way round."""

    __slots__ = ()

    def __lt__(self, other: str) -> bool:
        return str.__gt__(self, other)


def _comparable(value: SortValue, descending: bool) -> tuple[bool, Any]:
    if value is None:
        return (True, 0)
    if not descending:
        return (False, value)
    return (False, _Descending(value) if isinstance(value, str) else -value)


def _chosen(values: Sequence[SortValue], descending: bool) -> SortValue:
    return min(values, key=lambda value: _comparable(value, descending), default=None)


def _values(parameter: Parameter, resource: Resource) -> list[SortValue]:
    """Strings sort as they are searched, codes by code, identifiers by value, quantities in their canonical unit."""
    found: Iterator[SortValue]
    match parameter.type:
        case "date":
            return [one.start_us for one in ranges(parameter, resource)]
        case "string":
            found = (readings(text)[-1] for kind, one in typed(parameter, resource) for text in texts(kind, one) if readings(text))
        case "token":
            found = (code for _, code in pairs(parameter, resource))
        case "number" | "quantity":
            return [one for kind, element in typed(parameter, resource) if (one := magnitude(kind, element)) is not None]
        case _:
            found = (str(element) for _, element in typed(parameter, resource))
    return [one for one in found if one]
