"""Paging: full pages, links that are opaque, bound to the caller, and stable while others write.

https://hl7.org/fhir/R4/http.html#paging; DESIGN 6.
"""

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from hub.search.page import Cursor, decode, encode
from security.pages import open_page, seal_page
from tests.support.backstage import Backstage
from tests.support.caller import Caller, ids, link
from tests.support.outcomes import refused
from tests.support.resources import consent, observation, patient, purpose

Json = dict[str, Any]


@pytest.fixture
def person(ehr: Caller) -> Json:
    """With ten readings, one for each day."""
    made = ehr.create(patient("Zqpagecanary"))
    for day in range(10, 20):
        ehr.create(observation(made["id"], at=f"2026-01-{day}"))
    return made


def cursor_text(bundle: Json) -> str:
    return dict(parse_qsl(urlsplit(link(bundle, "next") or "").query))["_page"]


@pytest.mark.parametrize("count", [1, 3, 5, 9])
@pytest.mark.parametrize("sort", ["date", "-date", "_id", "_lastUpdated", "code,date", "status"])
def test_pages_are_full_without_gaps_or_doubles(ehr: Caller, person: Json, count: int, sort: str) -> None:
    """http.html#paging: every match on exactly one page; all pages but the last are full."""
    pages = [ids(page) for page in ehr.pages(f"Observation?patient={person['id']}&_sort={sort}&_count={count}")]
    assert [len(page) for page in pages[:-1]] == [count] * (len(pages) - 1)
    found = [id for page in pages for id in page]
    assert len(found) == len(set(found)) == 10


@pytest.mark.parametrize("count", [10, 11, 1000])
def test_the_last_page_has_no_next_link(ehr: Caller, person: Json, count: int) -> None:
    assert link(ehr.search(f"Observation?patient={person['id']}&_count={count}"), "next") is None


def backwards(caller: Caller, bundle: Json) -> list[list[str]]:
    """Ids of this page and of all before it, by the previous links, in order."""
    made = [ids(bundle)]
    while (before := link(bundle, "previous")) is not None:
        bundle = caller.search(before)
        made.insert(0, ids(bundle))
    return made


@pytest.mark.parametrize("count", [1, 3, 5, 9])
@pytest.mark.parametrize("sort", ["date", "-date", "_id", "-_id", "_lastUpdated", "code,date", "status", "-code,-_id", "date,-_id"])
def test_the_way_back_shows_what_the_way_there_did(ehr: Caller, person: Json, count: int, sort: str) -> None:
    """http.html#paging: previous undoes next, down to the first page, which has no previous one."""
    undated = observation(person["id"], category="survey")
    del undated["effectiveDateTime"]
    for _ in range(2):
        ehr.create(undated)
    pages = ehr.pages(f"Observation?patient={person['id']}&_sort={sort}&_count={count}")
    there = [id for page in pages for id in ids(page)]
    back = backwards(ehr, pages[-1])
    assert [id for page in back for id in page] == there
    assert [len(page) for page in back[1:-1]] == [count] * (len(back) - 2)


def test_from_any_page_there_is_a_way_to_the_first_and_on(ehr: Caller, person: Json) -> None:
    """http.html#paging: first; a page reached backwards has a next one again."""
    first, second, third, *_ = ehr.pages(f"Observation?patient={person['id']}&_count=3")
    assert link(first, "first") is None
    assert ids(ehr.search(link(third, "first") or "")) == ids(first)
    returned = ehr.search(link(third, "previous") or "")
    assert ids(returned) == ids(second)
    assert ids(ehr.search(link(returned, "next") or "")) == ids(third)


def test_what_is_added_meanwhile_pushes_nothing_off_the_way_back(ehr: Caller, person: Json) -> None:
    """DESIGN 6: stable under concurrent writes, in either direction."""
    pages = ehr.pages(f"Observation?patient={person['id']}&_sort=-date&_count=3")
    for day in ("01", "15", "30"):
        ehr.create(observation(person["id"], at=f"2026-01-{day}"))
    back = [id for page in backwards(ehr, pages[-1]) for id in page]
    there = [id for page in pages for id in ids(page)]
    assert [id for id in back if id in there] == there
    assert len(back) == len(set(back))


def test_only_what_may_be_seen_fills_a_page(ehr: Caller, stranger: Caller, person: Json) -> None:
    """STYLE 4 (8): three permitted among many, two to the page: pages are full and the total is 3."""
    agreed = consent(person["id"], provision={"dataPeriod": {"start": "2026-01-12", "end": "2026-01-14"}, "action": []})
    del agreed["provision"]["action"]
    ehr.create(agreed)
    pages = stranger.pages(f"Observation?patient={person['id']}&_count=2&_total=accurate")
    assert [len(ids(page)) for page in pages] == [2, 1]
    assert [page["total"] for page in pages] == [3, 3]


@pytest.mark.parametrize("sort", ["date", "-date", "code,date"])
def test_what_others_write_meanwhile_leaves_no_gap_and_no_double(ehr: Caller, person: Json, sort: str) -> None:
    """DESIGN 6: stable under concurrent writes. What was there at the beginning and stays is shown once."""
    before = set(ehr.found(f"Observation?patient={person['id']}&_count=100"))
    bundle = ehr.search(f"Observation?patient={person['id']}&_sort={sort}&_count=3")
    found = ids(bundle)
    for day in ("01", "15", "30"):
        ehr.create(observation(person["id"], at=f"2026-01-{day}"))
        following = link(bundle, "next")
        assert following
        bundle = ehr.search(following)
        found += ids(bundle)
    while (following := link(bundle, "next")) is not None:
        bundle = ehr.search(following)
        found += ids(bundle)
    assert len(found) == len(set(found))
    assert before <= set(found)


def test_a_link_tells_nothing(ehr: Caller, person: Json) -> None:
    """Law 4: nothing that identifies a person stands in the URLs that we make; the link is ciphertext."""
    ehr.create(patient("Zqpagecanary"))
    bundle = ehr.search("Patient?name=Zqpagecanary&_count=1")
    following = link(bundle, "next") or ""
    assert "canary" not in following
    assert urlsplit(following).query.partition("=")[0] == "_page"
    again = link(ehr.search("Patient?name=Zqpagecanary&_count=1"), "next")
    assert following != again


def test_following_a_link_twice_gives_the_same_page(ehr: Caller, person: Json) -> None:
    following = link(ehr.search(f"Observation?patient={person['id']}&_count=3"), "next") or ""
    assert ids(ehr.search(following)) == ids(ehr.search(following))


def test_a_link_is_for_the_caller_who_got_it(ehr: Caller, reader: Caller, person: Json) -> None:
    """SECURITY 2.4 (10): used by somebody else, even of the same organisation, it does not exist."""
    following = link(ehr.search(f"Observation?patient={person['id']}&_count=3"), "next") or ""
    refused(reader.get(following), 404, "not-found")
    assert ehr.get(following).status_code == 200


@pytest.mark.parametrize("how", ["altered", "cut off", "made up", "of another type", "empty signature", "too long"])
def test_a_link_that_we_did_not_make_does_not_exist(ehr: Caller, person: Json, how: str) -> None:
    """DESIGN 6: sealed, so that a client can neither read nor alter where it goes on; one answer for every reason."""
    text = cursor_text(ehr.search(f"Observation?patient={person['id']}&_count=3"))
    type, forged = {
        "altered": ("Observation", text[:40] + ("A" if text[40] != "A" else "B") + text[41:]),
        "cut off": ("Observation", text[:-5]),
        "made up": ("Observation", "bm9uc2Vuc2U"),
        "of another type": ("Patient", text),
        "empty signature": ("Observation", "A"),
        "too long": ("Observation", "A" * 5_000),
    }[how]
    refused(ehr.get(f"{type}?_page={forged}"), 404, "not-found")


def test_a_link_expires(ehr: Caller, backstage: Backstage, person: Json) -> None:
    """HUB_PAGE_LINK_LIFETIME_S: the same link, sealed with an end that has passed, does not exist any more."""
    text = cursor_text(ehr.search(f"Observation?patient={person['id']}&_count=3"))
    key = backstage.hub.services.page_key
    cursor = decode(text, lambda sealed: open_page(key, sealed), type="Observation", caller=f"{ehr.account.id} TREAT", now_us=0)
    assert ehr.get(f"Observation?_page={sealed(key, cursor, cursor.expires_us)}").status_code == 200
    refused(ehr.get(f"Observation?_page={sealed(key, cursor, cursor.started_us)}"), 404, "not-found")


def sealed(key: bytes, cursor: Cursor, expires_us: int) -> str:
    made = Cursor(
        type=cursor.type,
        pairs=cursor.pairs,
        position=cursor.position,
        caller=cursor.caller,
        started_us=cursor.started_us,
        expires_us=expires_us,
    )
    return encode(made, lambda plain: seal_page(key, plain))


def test_a_link_goes_alone(ehr: Caller, person: Json) -> None:
    """What a link continues cannot be changed on the way."""
    following = link(ehr.search(f"Observation?patient={person['id']}&_count=3"), "next") or ""
    refused(ehr.get(f"{following}&code=x"), 400, "invalid")
    refused(ehr.get(f"{following}&_count=1"), 400, "invalid")


def test_withdrawal_takes_effect_on_the_next_page(ehr: Caller, researcher: Caller, person: Json) -> None:
    """SECURITY 2.5: a link is no permission; every page is decided anew. GDPR Art. 7(3)."""
    agreed = ehr.create(consent(person["id"], provision={"purpose": [purpose("HRESCH")]}))
    first = researcher.search(f"Observation?patient={person['id']}&_count=3&_total=accurate")
    assert (len(ids(first)), first["total"]) == (3, 10)
    ehr.update(agreed, status="inactive")
    second = researcher.search(link(first, "next") or "")
    assert (ids(second), second["total"]) == ([], 0)


def test_a_narrower_token_narrows_the_next_page(ehr: Caller, person: Json) -> None:
    """DESIGN 6: the scope too is asked anew: the link was made under a wider one."""
    following = link(ehr.search(f"Observation?patient={person['id']}&_count=3"), "next") or ""
    refused(ehr.narrowed("system/Patient.rs").get(following), 403, "forbidden")
    assert ids(ehr.narrowed("system/Observation.rs?category=laboratory").search(following)) == []
