"""The searchset Bundle: https://hl7.org/fhir/R4/bundle.html#searchset, https://hl7.org/fhir/R4/search.html#conformance"""

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.search.bundle import Entry, ignored_issues, query, searchset
from tests.spec.search.given import BASE, search


def bundle(*pairs: tuple[str, str], lenient: bool = False, type: str = "Patient", **more: Any) -> dict[str, Any]:
    given = {"entries": [], "total": None, "used": search(type, *pairs, lenient=lenient).used, **more}
    made: dict[str, Any] = orjson.loads(searchset(url=f"{BASE}/{type}", **given))
    return made


def links(made: dict[str, Any]) -> dict[str, str]:
    return {link["relation"]: link["url"] for link in made["link"]}


def test_entries_are_joined_as_stored() -> None:
    """The stored bytes pass through: decimals keep their digits, no resource is parsed."""
    stored = b'{"resourceType":"Patient","id":"1","extension":[{"url":"u","valueDecimal":116.0}]}'
    made = searchset(url=f"{BASE}/Patient", used=(), entries=[Entry(f"{BASE}/Patient/1", stored)], total=1)
    assert stored in made
    assert orjson.loads(made)["entry"] == [{"fullUrl": f"{BASE}/Patient/1", "resource": orjson.loads(stored), "search": {"mode": "match"}}]


def test_a_bundle_without_entries_has_no_empty_array() -> None:
    """https://hl7.org/fhir/R4/json.html: arrays are never empty."""
    assert bundle() == {"resourceType": "Bundle", "type": "searchset", "link": [{"relation": "self", "url": f"{BASE}/Patient"}]}


@pytest.mark.parametrize("total", [None, 0, 7])
def test_total_is_there_only_if_it_was_counted(total: int | None) -> None:
    """R4 #total: 0 is a total, unknown is none."""
    assert bundle(total=total).get("total") == total


def test_next_and_previous_are_opaque() -> None:
    """Law 4: a link we make repeats nothing of the query."""
    made = links(bundle(("name", "secret"), pages=[("previous", "xyz"), ("next", "abc")]))
    assert made["next"] == f"{BASE}/Patient?_page=abc"
    assert made["previous"] == f"{BASE}/Patient?_page=xyz"
    assert "next" not in links(bundle(("name", "secret")))


def test_the_self_link_tells_what_was_used_and_nothing_else() -> None:
    """R4 #conformance: parameters that were ignored are not in it."""
    made = links(bundle(("name", r"a\,b"), ("foo", "x"), ("family", ""), ("_count", "9999"), ("_format", "json"), lenient=True))
    assert parse_qsl(urlsplit(made["self"]).query) == [("name", r"a\,b"), ("_count", "1000")]


def test_what_is_there_by_inclusion_says_so() -> None:
    """search.html#include: search.mode tells matches from what goes along."""
    made = bundle(entries=[Entry(f"{BASE}/Patient/1", b"{}"), Entry(f"{BASE}/Device/1", b"{}", "include")])
    assert [one["search"]["mode"] for one in made["entry"]] == ["match", "include"]


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)


@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=4))
def test_the_self_link_reads_back_as_what_was_sent(pairs: list[tuple[str, str]]) -> None:
    """Percent-encoding and decoding are inverse, for any text."""
    written = query(pairs)
    assert parse_qsl(written, keep_blank_values=True) == pairs
    assert written.isascii()
    assert not set(written) & set(' |"<>#+')


def test_what_was_left_out_of_account_is_told() -> None:
    """R4 #errors: an OperationOutcome goes along with the results, with search.mode outcome."""
    asked = search("Patient", ("foo", "secret"), ("family", ""), lenient=True)
    issues = ignored_issues(asked)
    assert [issue.text for issue in issues] == [
        "The search parameter 'foo' was left out of account.",
        "The search parameter 'family' was left out of account.",
    ]
    outcome = b'{"resourceType":"OperationOutcome"}'
    made = bundle(outcome=outcome, entries=[Entry(f"{BASE}/Patient/1", b"{}")])
    assert made["entry"][-1] == {"resource": {"resourceType": "OperationOutcome"}, "search": {"mode": "outcome"}}
    assert ignored_issues(search("Patient")) == ()
