"""What a request for a history asks: parameters read once, and the Bundle of what was found.

https://hl7.org/fhir/R4/http.html#history, https://hl7.org/fhir/R4/bundle.html#history. `_sort` is that of later releases:
`-_lastUpdated`, newest first, is what R4 asks for.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple, NoReturn

import orjson

from hub.errors import FhirError, Issue, IssueCode
from hub.search.asked import Pair
from hub.search.bundle import linked
from hub.search.parse import place, shown
from hub.search.result import COUNT_DEFAULT, COUNT_DIGITS_MAX, COUNT_MAX, PASSED_OVER
from hub.search.times import date_range

SORTS: Mapping[str, bool] = {"-_lastUpdated": True, "_lastUpdated": False}
NOT_OFFERED = frozenset({"_list"})
Method = Literal["POST", "PUT", "DELETE"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryAsked:
    """since_us   versions made at that time or later
    at         versions that were current at some moment of this half-open range
    used       the pairs that took effect; `ignored`: names left out of account
    page       the text of a page link, which stands alone
    """

    since_us: int | None = None
    at: tuple[int, int] | None = None
    count: int = COUNT_DEFAULT
    descending: bool = True
    total: bool = False
    page: str | None = None
    used: tuple[Pair, ...] = ()
    ignored: tuple[str, ...] = ()


def parse_history(pairs: Sequence[Pair], *, lenient: bool) -> HistoryAsked:
    """Raises FhirError; never repeats a value."""
    asked = HistoryAsked()
    for name, value in pairs:
        if name in PASSED_OVER or not value:
            continue
        if name not in PARAMETERS:
            if not lenient or name in NOT_OFFERED:
                _refuse("not-supported", name, "is not offered for a history")
            asked = replace(asked, ignored=(*asked.ignored, shown(name)))
            continue
        if name in dict(asked.used):
            _refuse("invalid", name, "may be given once")
        asked = replace(PARAMETERS[name](asked, value), used=(*asked.used, (name, value)))
    if asked.page is not None and len(asked.used) > 1:
        _refuse("invalid", "_page", "is used as the link gave it, without other parameters")
    return asked


def _since(asked: HistoryAsked, value: str) -> HistoryAsked:
    return replace(asked, since_us=_range("_since", value)[0])


def _at(asked: HistoryAsked, value: str) -> HistoryAsked:
    return replace(asked, at=_range("_at", value))


def _range(name: str, value: str) -> tuple[int, int]:
    try:
        start_us, end_us = date_range(value)
    except ValueError:
        _refuse("invalid", name, "must be a date, a dateTime or an instant; write the + of a zone as %2B")
    return start_us, end_us


def _count(asked: HistoryAsked, value: str) -> HistoryAsked:
    if not (value.isascii() and value.isdigit() and len(value) <= COUNT_DIGITS_MAX):
        _refuse("invalid", "_count", "must be a whole number, 0 for the total alone")
    return replace(asked, count=min(int(value), COUNT_MAX))


def _sort(asked: HistoryAsked, value: str) -> HistoryAsked:
    if value not in SORTS:
        _refuse("invalid", "_sort", "must be -_lastUpdated or _lastUpdated")
    return replace(asked, descending=SORTS[value])


def _total(asked: HistoryAsked, value: str) -> HistoryAsked:
    if value not in ("none", "estimate", "accurate"):
        _refuse("invalid", "_total", "must be one of none, estimate, accurate")
    return replace(asked, total=value != "none")


def _page(asked: HistoryAsked, value: str) -> HistoryAsked:
    return replace(asked, page=value)


PARAMETERS: Mapping[str, Callable[[HistoryAsked, str], HistoryAsked]] = {
    "_since": _since,
    "_at": _at,
    "_count": _count,
    "_sort": _sort,
    "_total": _total,
    "_page": _page,
}


def _refuse(code: IssueCode, name: str, why: str) -> NoReturn:
    raise FhirError(code, f"The parameter {shown(name)} {why}.", expression=place(name))


def ignored_issues(asked: HistoryAsked) -> tuple[Issue, ...]:
    return tuple(Issue(code="not-supported", text=f"The parameter {name} was left out of account.") for name in asked.ignored)


class Entry(NamedTuple):
    """One version as it leaves. `json` is None for a deletion; `method` and `url` (under the base) are what made it."""

    full_url: str
    json: bytes | None
    method: Method
    url: str
    created: bool
    version: int
    last_modified: str


def history_bundle(
    *, url: str, used: Sequence[Pair], entries: Sequence[Entry], total: int | None, pages: Sequence[tuple[str, str]], outcome: bytes | None
) -> bytes:
    """As JSON, from stored JSON: nothing is parsed or written again on the way out."""
    made: dict[str, Any] = {"resourceType": "Bundle", "type": "history"}
    if total is not None:
        made["total"] = total
    made["link"] = linked(url, used, pages)
    made_entries = [_entry(one) for one in entries]
    if outcome is not None:
        made_entries.append(_said(outcome))
    if made_entries:  # JSON of R4 has no empty arrays
        made["entry"] = made_entries
    return orjson.dumps(made)


def _entry(one: Entry) -> dict[str, Any]:
    resource = {} if one.json is None else {"resource": orjson.Fragment(one.json)}
    status = "204" if one.json is None else "201" if one.created else "200"
    return {
        "fullUrl": one.full_url,
        **resource,
        "request": {"method": one.method, "url": one.url},
        "response": {"status": status, "etag": f'W/"{one.version}"', "lastModified": one.last_modified},
    }


def _said(outcome: bytes) -> dict[str, Any]:
    """bundle.html, bdl-3 and bdl-4: every entry of a history has request and response, this one's too."""
    return {
        "request": {"method": "GET", "url": "_history"},
        "response": {"status": "200", "outcome": orjson.Fragment(outcome)},
    }
