"""HTTP push: a request that comes again, a type that the adapter does not read, a client that sends too much. DEVICES 6.5."""

import gzip
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.backstage import Backstage
from tests.support.caller import Caller
from tests.support.outcomes import refused
from tests.support.payloads import WEIGHT, group, identifier_system, libreview, weight, withings
from tests.support.resources import patient

Json = dict[str, Any]
KEY = "Idempotency-Key"


@pytest.fixture
def unit(ehr: Caller, backstage: Backstage) -> str:
    """A scale of somebody's."""
    person = ehr.create(patient())["id"]
    backstage.pair(identifier_system("withings"), f"P-{person}", f"Patient/{person}", from_us=0)
    return f"P-{person}"


def key(unit: str, more: str = "") -> dict[str, str]:
    return {KEY: f'"{unit}{more}"'}


def test_the_same_request_again_gets_the_answer_it_got(ehr: Caller, unit: str) -> None:
    """draft-ietf-httpapi-idempotency-key-header-07 section 2.6: not done again, so the fates are those of the first time."""
    first, second = (ehr.ingest("withings", weight(70_000), device=unit, headers=key(unit)) for _ in range(2))
    assert first.json()[0]["fate"] == "stored"
    assert (second.status_code, second.content) == (200, first.content)
    assert ("idempotency-replayed" in first.headers, second.headers["idempotency-replayed"]) == (False, "true")


def test_without_a_key_the_same_request_again_is_a_duplicate(ehr: Caller, unit: str) -> None:
    assert [ehr.fates("withings", weight(70_000), device=unit)[0]["fate"] for _ in range(2)] == ["stored", "duplicate"]


def test_the_key_speaks_of_what_is_inside_and_not_of_how_it_was_packed(ehr: Caller, unit: str) -> None:
    first = ehr.ingest("withings", weight(70_000), device=unit, headers=key(unit))
    packed = {**key(unit), "Content-Encoding": "gzip", "Accept": "application/x-ndjson"}
    again = ehr.ingest("withings", gzip.compress(weight(70_000)), device=unit, headers=packed)
    assert (again.headers["content-type"], [again.json()]) == ("application/x-ndjson", first.json())


@pytest.mark.parametrize(("body", "query"), [(weight(71_000), {}), (weight(70_000), {"timeZone": "UTC"})])
def test_a_key_used_for_something_else_is_refused(ehr: Caller, unit: str, body: bytes, query: dict[str, str]) -> None:
    """Section 2.7: 422 where a key comes with another payload; nothing of it is stored."""
    assert ehr.ingest("withings", weight(70_000), device=unit, headers=key(unit)).status_code == 200
    answer = ehr.ingest("withings", body, headers=key(unit), **{"device": unit, **query})
    refused(answer, 422, "business-rule", expression=f"http.{KEY}")
    assert ehr.fates("withings", body, device=unit)[0]["fate"] in ("corrected", "duplicate")


def test_keys_are_each_clients_own(ehr: Caller, vendor: Caller, unit: str) -> None:
    assert ehr.ingest("withings", weight(70_000), device=unit, headers=key(unit)).json()[0]["fate"] == "stored"
    assert vendor.ingest("withings", weight(71_000, 2), device=unit, headers=key(unit)).json()[0]["fate"] == "stored"


def test_a_refusal_is_not_kept(ehr: Caller, unit: str) -> None:
    """What could not be read may be sent again under the same key, mended."""
    refused(ehr.ingest("withings", b"{", device=unit, headers=key(unit)), 400, "structure")
    assert ehr.ingest("withings", weight(70_000), device=unit, headers=key(unit)).json()[0]["fate"] == "stored"


@pytest.mark.parametrize("bad", ['"', '""', "a b", '"' + "x" * 256 + '"', '"a" "b"'])
def test_a_key_that_is_none_is_refused(ehr: Caller, unit: str, bad: str) -> None:
    """RFC 8941 section 3.3.3: a string in quotes; the same without is taken too."""
    refused(ehr.ingest("withings", weight(70_000), device=unit, headers={KEY: bad}), 400, "invalid", expression=f"http.{KEY}")


def test_an_answer_that_comes_again_has_a_record_of_its_own(ehr: Caller, backstage: Backstage, unit: str) -> None:
    """Law 2."""
    ehr.ingest("withings", weight(70_000), device=unit, headers=key(unit))
    again = ehr.ingest("withings", weight(70_000), device=unit, headers=key(unit))
    assert [one.kind for one in backstage.records(again.headers["x-request-id"])] == ["ingest"]


def test_what_is_remembered_says_nothing_in_clear(ehr: Caller, backstage: Backstage, unit: str) -> None:
    """Law 4: neither key nor answer."""
    made = ehr.ingest("withings", weight(70_000), device=unit, headers=key(unit)).json()[0]["resource"]
    notes = str(list(backstage.admin["hub"]["notes"].find({})))
    assert "answer" in notes
    assert unit not in notes
    assert made.partition("/")[2] not in notes


@pytest.mark.parametrize("type", ["text/csv", "application/xml", "application/x-www-form-urlencoded"])
def test_a_type_that_the_adapter_does_not_read_is_refused(ehr: Caller, unit: str, type: str) -> None:
    """RFC 9110 15.5.16; what it reads is in the answer."""
    (issue,) = refused(ehr.ingest("withings", weight(70_000), device=unit, headers={"Content-Type": type}), 415, "not-supported")
    assert "application/json" in issue["diagnostics"]


@pytest.mark.parametrize("type", ["application/json; charset=utf-8", "APPLICATION/JSON", "application/octet-stream", ""])
def test_its_own_type_or_none_is_taken(ehr: Caller, unit: str, type: str) -> None:
    headers = {"Content-Type": type} if type else {}
    assert ehr.ingest("withings", weight(70_000), device=unit, headers=headers).status_code == 200


def test_a_client_that_sends_too_often_is_asked_to_come_back(another: Callable[..., Caller], unit: str) -> None:
    """RFC 6585 section 4: 429 with Retry-After; nothing of the request was done."""
    sender = another("system/Observation.c", requests_per_minute=2)
    answers = [sender.ingest("withings", weight(70_000, number), device=unit) for number in range(3)]
    assert [answer.status_code for answer in answers[:2]] == [200, 200]
    refused(answers[2], 429, "throttled")
    assert 1 <= int(answers[2].headers["retry-after"]) <= 30


def test_a_batch_larger_than_the_quota_goes_through_once_and_the_next_one_waits(another: Callable[..., Caller], unit: str) -> None:
    """A batch that was too large for ever could never be sent. Five items at two a minute: the sixth in about two minutes."""
    sender = another("system/Observation.c", items_per_minute=2)
    five = withings(*(group(number, (WEIGHT, 70, 0)) for number in range(5)))
    assert len(sender.fates("withings", five, device=unit)) == 5
    answer = sender.ingest("withings", weight(70_000, 9), device=unit)
    refused(answer, 429, "throttled")
    assert 90 < int(answer.headers["retry-after"]) <= 120


def test_the_quota_of_one_client_is_not_anothers(another: Callable[..., Caller], ehr: Caller, unit: str) -> None:
    sender = another("system/Observation.c", requests_per_minute=1)
    assert [sender.ingest("withings", weight(1), device=unit).status_code for _ in range(2)] == [200, 429]
    assert ehr.ingest("withings", weight(1), device=unit).status_code == 200


def test_a_request_that_was_asked_to_come_back_is_recorded(another: Callable[..., Caller], backstage: Backstage, unit: str) -> None:
    """Law 2."""
    sender = another("system/Observation.c", requests_per_minute=1)
    _, answer = (sender.ingest("withings", weight(1), device=unit) for _ in range(2))
    assert [(one.kind, one.outcome) for one in backstage.records(answer.headers["x-request-id"])] == [("ingest", "4")]


def test_a_payload_beyond_the_limit_is_told_the_limit(ehr: Caller) -> None:
    """RFC 9110 15.5.14; DEVICES 6.5: 413 with the limit."""
    (issue,) = refused(ehr.ingest("libreview", libreview("x") + b" " * 16_000_000, timeZone="UTC"), 413, "too-long")
    assert "16000000" in issue["diagnostics"]
