"""The searchset Bundle, joined from stored JSON: no resource is parsed or written again on the way out.

https://hl7.org/fhir/R4/bundle.html#searchset
"""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple
from urllib.parse import quote

import orjson

from hub.errors import Issue
from hub.search.asked import Pair, Search

READABLE = "/:,"
"""Legal in a query as they are (RFC 3986 section 3.4); a reference stays legible."""


Mode = Literal["match", "include"]
"""https://hl7.org/fhir/R4/valueset-search-entry-mode.html"""


class Entry(NamedTuple):
    """A resource as it leaves: its full URL, its JSON as stored, and why it is there."""

    url: str
    json: bytes
    mode: Mode = "match"


def searchset(
    *,
    url: str,
    used: Sequence[Pair],
    entries: Sequence[Entry],
    total: int | None,
    pages: Sequence[tuple[str, str]] = (),
    outcome: bytes | None = None,
) -> bytes:
    """One page of a search as JSON.

    url      what was searched, without a query
    used     the pairs that took effect: the self link
    entries  in order
    total    how many match in all that this caller may see; None if not counted
    pages    relation and opaque text (`hub.search.page.encode`) of the other pages
    outcome  an OperationOutcome as JSON that goes along, e.g. on `ignored_issues`
    """
    made: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset"}
    if total is not None:
        made["total"] = total
    made["link"] = linked(url, used, pages)
    made_entries: list[dict[str, Any]] = [_entry(one) for one in entries]
    if outcome is not None:
        made_entries.append({"resource": orjson.Fragment(outcome), "search": {"mode": "outcome"}})
    if made_entries:  # JSON of R4 has no empty arrays
        made["entry"] = made_entries
    return orjson.dumps(made)


def linked(url: str, used: Sequence[Pair], pages: Sequence[tuple[str, str]]) -> list[dict[str, str]]:
    """Bundle.link: what took effect, and the other pages."""
    links = [("self", used), *((relation, (("_page", text),)) for relation, text in pages)]
    return [{"relation": relation, "url": _url(url, pairs)} for relation, pairs in links]


def ignored_issues(search: Search) -> tuple[Issue, ...]:
    """What to tell about parameters that were left out of account (severity: warning)."""
    return tuple(Issue(code="not-supported", text=f"The search parameter {name} was left out of account.") for name in search.ignored)


def query(pairs: Sequence[Pair]) -> str:
    """The pairs as a query, values as they were sent, percent-encoded."""
    return "&".join(f"{quote(name, safe=READABLE)}={quote(value, safe=READABLE)}" for name, value in pairs)


def _url(url: str, pairs: Sequence[Pair]) -> str:
    return f"{url}?{query(pairs)}" if pairs else url


def _entry(one: Entry) -> dict[str, Any]:
    return {"fullUrl": one.url, "resource": orjson.Fragment(one.json), "search": {"mode": one.mode}}
