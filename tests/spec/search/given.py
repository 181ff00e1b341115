"""What the tests of search share: token functions without a key, rows from resources, one-line searches."""

import hashlib
from collections.abc import Mapping
from typing import Any

from hub.search.compile import Narrowing, matches, narrow
from hub.search.index import index
from hub.search.parse import Search, parse_search
from hub.search.predicate import Row, holds
from hub.search.times import date_range

BASE = "https://hub.example/fhir"
NOW_US = date_range("2026-11-22T12:00:00Z").start_us


def token(space: str, value: str) -> bytes:
    return hashlib.sha256(f"{space}\0{value}".encode("utf-8", "surrogatepass")).digest()[:12]


def patient_token(id: str) -> bytes:
    return token("patients", id)


def row_of(resource: Mapping[str, Any]) -> Row:
    """The row as the repository stores it."""
    found = index(resource, token=token, patient_token=patient_token, base=BASE)
    updated = resource.get("meta", {}).get("lastUpdated")
    return Row(
        type=resource["resourceType"],
        id=resource["id"],
        p=None if found.patient is None else patient_token(found.patient),
        k=found.k,
        g=found.g,
        lu=0 if updated is None else date_range(updated).start_us,
        d=found.start_us,
        e=found.end_us,
    )


def search(type: str, *pairs: tuple[str, str], lenient: bool = False) -> Search:
    return parse_search(type, pairs, lenient=lenient, base=BASE)


def narrowed(asked: Search) -> Narrowing:
    return narrow(asked, token=token, patient_token=patient_token, now_us=NOW_US)


def opened_matches(asked: Search, resource: Mapping[str, Any]) -> bool:
    return matches(asked, resource, now_us=NOW_US, base=BASE)


def found(resource: Mapping[str, Any], *pairs: tuple[str, str]) -> bool:
    """Is the resource a result of the search? Checks on the way that the tokens never contradict it."""
    asked = search(resource["resourceType"], *pairs)
    said, narrowing = opened_matches(asked, resource), narrowed(asked)
    held = holds(narrowing.predicate, row_of(resource))
    assert held or not said, "a match that the tokens exclude would never be found"
    assert held is said or not narrowing.exact, "tokens called exact would be counted wrongly"
    return said
