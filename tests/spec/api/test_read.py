"""FHIR read. https://hl7.org/fhir/R4/http.html#read"""

import re
from email.utils import parsedate_to_datetime

import httpx
import pytest

from tests.support.caller import Caller
from tests.support.outcomes import refused
from tests.support.resources import ABSENT, device, observation, organization, patient, practitioner

DIV = '<div xmlns="http://www.w3.org/1999/xhtml">x</div>'


@pytest.mark.parametrize("resource", [organization(), practitioner(), device(), patient()], ids=lambda one: str(one["resourceType"]))
def test_what_was_created_is_read(ehr: Caller, resource: dict[str, object]) -> None:
    """http.html#read: the instance and its version id are returned."""
    made = ehr.create(resource)
    answer = ehr.get(f"{made['resourceType']}/{made['id']}")
    assert answer.status_code == 200
    assert answer.json() == made
    assert answer.headers["content-type"] == "application/fhir+json"


def test_the_version_is_the_etag_and_the_time_is_last_modified(ehr: Caller) -> None:
    """http.html#versioning: ETag is the versionId as a weak validator, Last-Modified is meta.lastUpdated."""
    made = ehr.create(organization())
    answer = ehr.get(f"Organization/{made['id']}")
    assert answer.headers["etag"] == f'W/"{made["meta"]["versionId"]}"'
    modified = parsedate_to_datetime(answer.headers["last-modified"])
    assert made["meta"]["lastUpdated"].startswith(f"{modified:%Y-%m-%dT%H:%M:%S}")


def test_nobody_between_keeps_the_answer(ehr: Caller) -> None:
    """ASVS 14.3.2: health data is not to be stored by caches."""
    made = ehr.create(organization())
    answer = ehr.get(f"Organization/{made['id']}")
    assert "no-store" in answer.headers["cache-control"]
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_head_answers_as_get_without_a_body(ehr: Caller) -> None:
    """http.html#head: HEAD is to be answered as GET, but for the body."""
    made = ehr.create(organization())
    got, headed = (ehr.request(method, f"Organization/{made['id']}") for method in ("GET", "HEAD"))
    assert (headed.status_code, headed.content) == (200, b"")
    for name in ("etag", "last-modified", "content-type", "content-length"):
        assert headed.headers[name] == got.headers[name]


@pytest.mark.parametrize(
    "written",
    ["116.0", "74.10", "0.30000000000000004", "12345678901234567890.5", "-0.0", "1e2", "5E-1", "100", "36.60"],
)
def test_a_decimal_keeps_its_digits(ehr: Caller, written: str) -> None:
    """datatypes.html#decimal: the precision of a decimal is significant, 0.010 is not 0.01."""
    body = f"""{{"resourceType": "Observation", "status": "final", "code": {{"text": "x"}},
        "subject": {{"reference": "Location/{ABSENT}"}}, "valueQuantity": {{"value": {written}}}}}"""
    made = ehr.post("Observation", body)
    assert made.status_code == 201, made.text
    answer = ehr.get(f"Observation/{made.json()['id']}")
    assert re.search(r'"valueQuantity":\{"value":([^}]*)\}', answer.text)[1] == written  # type: ignore[index]


def test_an_unknown_type_is_not_found(ehr: Caller) -> None:
    """http.html#read: 404 for a type that the server does not support."""
    refused(ehr.get(f"Nonsense/{ABSENT}"), 404, "not-found")
    refused(ehr.get(f"Basic/{ABSENT}"), 404, "not-found")
    refused(ehr.get(f"patient/{ABSENT}"), 404, "not-found")


@pytest.mark.parametrize("id", [ABSENT, "x", "a" * 64, "a" * 65, "a_b", "a%20b", "%00", "é", "a%2Fb", "1" * 4_000, "~x"])
def test_an_id_that_nothing_has_or_can_have_is_not_found(ehr: Caller, id: str) -> None:
    """http.html#read: 404 for an unknown resource. What cannot be an id names nothing either, and nothing fails over it."""
    answer = ehr.get(f"Observation/{id}")
    refused(answer, 404, "not-found")


def test_a_body_with_a_get_is_passed_over(ehr: Caller) -> None:
    """RFC 9110 9.3.1: content in a GET has no meaning."""
    made = ehr.create(organization())
    assert ehr.request("GET", f"Organization/{made['id']}", content=b"{nonsense").status_code == 200


def test_absent_answers_do_not_depend_on_the_id(ehr: Caller) -> None:
    """Law 3: nothing but the id asked for tells one absent thing from another."""
    first, second = ehr.get(f"Observation/{ABSENT}"), ehr.get(f"Observation/{'1' * 22}")
    assert (first.status_code, first.content) == (second.status_code, second.content)
    assert comparable(first) == comparable(second)


def comparable(answer: httpx.Response) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name not in ("date", "x-request-id")}


@pytest.mark.parametrize(("sent", "given_back"), [("ward-7/42", "ward-7/42"), ("x" * 129, None), ("a b", None), ('"><script>', None)])
def test_the_clients_own_request_id_comes_back_beside_ours(ehr: Caller, sent: str, given_back: str | None) -> None:
    """http.html#custom: where the server assigns another id, the client's is X-Correlation-Id; on errors and unknown paths too."""
    for path in (f"Observation/{ABSENT}", "Observation?date=never", "no/such/path/at/all"):
        answer = ehr.get(path, headers={"X-Request-Id": sent})
        assert answer.headers.get("x-correlation-id") == given_back
        assert answer.headers["x-request-id"] != sent


def test_each_answer_says_under_which_id_it_is_recorded(ehr: Caller) -> None:
    """The id of the request, by which its audit records are found; each request has its own."""
    made = ehr.create(observation(None, category="survey", subject={"reference": f"Location/{ABSENT}"}))
    answers = [ehr.get(f"Observation/{id}") for id in (made["id"], made["id"], ABSENT)]
    assert len({answer.headers["x-request-id"] for answer in answers}) == 3


def test_a_part_of_a_resource_is_read_and_marked_as_one(ehr: Caller) -> None:
    """search.html#summary and #elements hold for a read too; the version is that of the whole."""
    made = ehr.create(patient("Essai", gender="female", text={"status": "generated", "div": DIV}))
    for query, kept in (
        ("_summary=true", {"name", "gender"}),
        ("_summary=text", {"text"}),
        ("_summary=data", {"name", "gender"}),
        ("_elements=gender", {"gender"}),
    ):
        for path in (f"Patient/{made['id']}", f"Patient/{made['id']}/_history/1"):
            answer = ehr.get(f"{path}?{query}")
            assert answer.json().keys() - {"managingOrganization"} == {"resourceType", "id", "meta", *kept}, query
            assert answer.json()["meta"]["tag"][-1]["code"] == "SUBSETTED"
            assert answer.headers["etag"] == 'W/"1"'
    for query in ("_summary=false", "_format=json"):
        assert ehr.get(f"Patient/{made['id']}?{query}").json() == made


@pytest.mark.parametrize(
    "query", ["_summary=count", "_summary=nonsense", "_summary=", "_elements=nickname", "_elements=name.family", "_elements="]
)
@pytest.mark.parametrize("id", [None, ABSENT])
def test_a_part_that_there_is_not_is_refused(ehr: Caller, query: str, id: str | None) -> None:
    """search.html#summary: a count is of a search; whether the resource is there does not come into it."""
    refused(ehr.get(f"Patient/{id or ehr.create(patient())['id']}?{query}"), 400, "invalid")
