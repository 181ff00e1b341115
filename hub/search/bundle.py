"""The searchset Bundle, joined from stored JSON: no resource is parsed or written again on the way out.

https://hl7.org/fhir/R4/bundle.html#searchset
"""

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import orjson

from hub.errors import Issue
from hub.search.asked import Pair, Search

READABLE = "/:,"
"""Legal in a query as they are (RFC 3986 section 3.4); a reference stays legible."""


def searchset(
    *,
    base: str,
    search: Search,
    entries: Sequence[tuple[str, bytes]],
    total: int | None,
    next_page: str | None,
    self_query: Sequence[Pair] | None = None,
    previous_page: str | None = None,
    outcome: bytes | None = None,
) -> bytes:
    """One page of a search as JSON.

    entries     (full URL, the resource's JSON as stored), in order
    total       how many match in all that this caller may see; None if not counted
    next_page, previous_page   opaque texts of `hub.search.page.encode`
    self_query  the self link's pairs; what the search used unless given
    outcome     an OperationOutcome as JSON that goes along, e.g. on `ignored_issues`
    """
    made: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset"}
    if total is not None:
        made["total"] = total
    url = f"{base.rstrip('/')}/{search.type}"
    used = search.used if self_query is None else self_query
    pages = (("self", used), ("previous", _page(previous_page)), ("next", _page(next_page)))
    made["link"] = [{"relation": relation, "url": _url(url, pairs)} for relation, pairs in pages if pairs is not None]
    made_entries = [_match(full_url, json) for full_url, json in entries]
    if outcome is not None:
        made_entries.append({"resource": orjson.Fragment(outcome), "search": {"mode": "outcome"}})
    if made_entries:  # JSON of R4 has no empty arrays
        made["entry"] = made_entries
    return orjson.dumps(made)


def ignored_issues(search: Search) -> tuple[Issue, ...]:
    """What to tell about parameters that were left out of account (severity: warning)."""
    return tuple(Issue(code="not-supported", text=f"The search parameter {name} was left out of account.") for name in search.ignored)


def query(pairs: Sequence[Pair]) -> str:
    """The pairs as a query, values as they were sent, percent-encoded."""
    return "&".join(f"{quote(name, safe=READABLE)}={quote(value, safe=READABLE)}" for name, value in pairs)


def _url(url: str, pairs: Sequence[Pair]) -> str:
    return f"{url}?{query(pairs)}" if pairs else url


def _page(text: str | None) -> tuple[Pair, ...] | None:
    return None if text is None else (("_page", text),)


def _match(full_url: str, json: bytes) -> dict[str, Any]:
    return {"fullUrl": full_url, "resource": orjson.Fragment(json), "search": {"mode": "match"}}
