"""Result parameters: how the answer is shaped, not what it contains.

https://hl7.org/fhir/R4/search.html#Summary: `_sort`, `_count`, `_total`, `_summary`, `_elements`, `_contained`; and
`_page`, ours, in next links.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from hub.search.parameters import ResourceType
from hub.search.understood import BadName
from hub.search.value import BadValue

Total = Literal["none", "estimate", "accurate"]
Summary = Literal["count", "true", "text", "data"]
Sort = tuple[tuple[str, bool], ...]
"""(parameter code, descending), most significant first."""

COUNT_MAX = 1_000
COUNT_DEFAULT = 50
COUNT_DIGITS_MAX = 9
SORT_KEYS_MAX = 8
TOTALS: Mapping[str, Total] = {"none": "none", "estimate": "estimate", "accurate": "accurate"}
SUMMARIES: Mapping[str, Summary | None] = {"true": "true", "text": "text", "data": "data", "count": "count", "false": None}
ELEMENTS_MAX = 64
_ELEMENT = re.compile(r"[A-Za-z][A-Za-z0-9]{0,63}")
SORTABLE = frozenset({"string", "token", "date", "id", "number", "quantity", "uri"})
PASSED_OVER = frozenset({"_format", "_pretty"})
"""They shape any answer (https://hl7.org/fhir/R4/http.html#parameters) and are read before a search is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The result parameters of a search; None and () where they were not given."""

    sort: Sort = ()
    count: int | None = None
    total: Total | None = None
    summary: Summary | None = None
    elements: tuple[str, ...] = ()
    page: str | None = None


def with_parameter(result: Result, name: str, value: str, row: ResourceType) -> tuple[Result, str]:
    """`result` with one more parameter of RESULT_PARAMETERS, and the value that is really used. Raises BadValue."""
    return RESULT_PARAMETERS[name](result, value, row)


def _count(result: Result, value: str, _row: ResourceType) -> tuple[Result, str]:
    if not (value.isascii() and value.isdigit() and len(value) <= COUNT_DIGITS_MAX):
        raise BadValue("must be a whole number, 0 for the total alone")
    count = min(int(value), COUNT_MAX)
    return replace(result, count=count), str(count)


def _total(result: Result, value: str, _row: ResourceType) -> tuple[Result, str]:
    if value not in TOTALS:
        raise BadValue(f"must be one of {', '.join(TOTALS)}")
    return replace(result, total=TOTALS[value]), value


def _summary(result: Result, value: str, _row: ResourceType) -> tuple[Result, str]:
    if value not in SUMMARIES:
        raise BadValue(f"must be one of {', '.join(SUMMARIES)}")
    return replace(result, summary=SUMMARIES[value]), value


def _elements(result: Result, value: str, _row: ResourceType) -> tuple[Result, str]:
    names = tuple(value.split(","))
    if len(names) > ELEMENTS_MAX or not all(_ELEMENT.fullmatch(name) for name in names):
        raise BadValue(f"must be names of elements of the resource itself, separated by commas, at most {ELEMENTS_MAX}")
    return replace(result, elements=names), value


def _contained(result: Result, value: str, _row: ResourceType) -> tuple[Result, str]:
    if value in ("true", "both"):
        raise BadName("is offered as false only: contained resources come inside those that contain them")
    if value != "false":
        raise BadValue("must be false")
    return result, value


def _sort(result: Result, value: str, row: ResourceType) -> tuple[Result, str]:
    keys = tuple((key.removeprefix("-"), key.startswith("-")) for key in value.split(","))
    if len(keys) > SORT_KEYS_MAX:
        raise BadValue(f"takes at most {SORT_KEYS_MAX} keys")
    if any(code not in row.parameters or row.parameters[code].type not in SORTABLE for code, _ in keys):
        known = sorted(code for code, one in row.parameters.items() if one.type in SORTABLE)
        raise BadValue(f"takes {', '.join(known)}, each with an optional - before it, separated by commas")
    return replace(result, sort=keys), value


def _page(result: Result, value: str, _row: ResourceType) -> tuple[Result, str]:
    return replace(result, page=value), value


Reader = Callable[[Result, str, ResourceType], tuple[Result, str]]
RESULT_PARAMETERS: Mapping[str, Reader] = {
    "_count": _count,
    "_total": _total,
    "_summary": _summary,
    "_elements": _elements,
    "_contained": _contained,
    "_sort": _sort,
    "_page": _page,
}
