"""A Binary read as its bytes. https://hl7.org/fhir/R4/binary.html#rest; RFC 9110 12.5.1, 13.1.2, 13.1.3; laws 1 to 3."""

import base64
from typing import Any

import httpx
import pytest

from fhir_profiles.xml import from_xml
from hub import numbers
from tests.support.backstage import Backstage
from tests.support.caller import FHIR_JSON, Caller
from tests.support.outcomes import issues, refused
from tests.support.resources import ABSENT, observation, patient

Json = dict[str, Any]

FHIR_XML, PDF = "application/fhir+xml", "application/pdf"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"
HAPI = "application/fhir+xml;q=1.0, application/fhir+json;q=1.0, application/xml+fhir;q=0.9, application/json+fhir;q=0.9"
AXIOS = "application/json, text/plain, */*"
CURVE = b"%PDF-1.4\n\x00\xff\r\nnot really"


def binary(about: str, data: bytes = CURVE, content_type: str = PDF, **more: Any) -> Json:
    made = {"resourceType": "Binary", "contentType": content_type, "securityContext": {"reference": about}, **more}
    return {**made, "data": base64.b64encode(data).decode()} if data else made


@pytest.fixture(scope="module")
def person(ehr: Caller) -> str:
    return f"Patient/{ehr.create(patient())['id']}"


@pytest.fixture(scope="module")
def report(ehr: Caller, person: str) -> Json:
    """Version 2."""
    return updated(ehr, store(ehr, binary(person, b"draft")), binary(person))


def store(caller: Caller, resource: Json) -> Json:
    answer = caller.post("Binary", resource)
    assert answer.status_code == 201, answer.text
    made: Json = answer.json()
    return made


def updated(caller: Caller, stored: Json, changed: Json) -> Json:
    answer = caller.put(f"Binary/{stored['id']}", {**changed, "id": stored["id"]})
    assert answer.status_code == 200, answer.text
    made: Json = answer.json()
    return made


def ask(caller: Caller, stored: Json, accept: str | None = None, method: str = "GET", **headers: str) -> httpx.Response:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return caller.request(method, f"Binary/{stored['id']}", headers=sent if accept is None else {**sent, "Accept": accept})


@pytest.mark.parametrize(
    "accept",
    [
        "*/*",
        "",
        PDF,
        "application/*",
        BROWSER,
        AXIOS,
        f"{PDF}, {FHIR_JSON};q=0.5",
        f"{FHIR_JSON};q=0, */*",
        f"{FHIR_JSON};q=0.5, {PDF};q=0.6",
    ],
)
def test_who_does_not_ask_for_fhir_gets_the_bytes(ehr: Caller, report: Json, accept: str) -> None:
    """binary.html: unless a FHIR type is specified, the content is returned, in the content type that the resource states."""
    answer = ask(ehr, report, accept)
    assert (answer.status_code, answer.headers["content-type"], answer.content) == (200, PDF, CURVE)
    assert answer.headers["content-length"] == str(len(CURVE))


@pytest.mark.parametrize("accept", ["image/png", "text/html", "nonsense", f"{PDF};q=0, image/png"])
def test_who_accepts_neither_the_content_nor_fhir_gets_the_bytes_all_the_same(ehr: Caller, report: Json, accept: str) -> None:
    """binary.html names FHIR types alone as what keeps the content back; RFC 9110 12.5.1: a server may disregard Accept."""
    answer = ask(ehr, report, accept)
    assert (answer.status_code, answer.headers["content-type"], answer.content) == (200, PDF, CURVE)


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        (FHIR_JSON, FHIR_JSON),
        (FHIR_XML, FHIR_XML),
        (HAPI, FHIR_XML),
        ("application/json", FHIR_JSON),
        ("text/xml", FHIR_XML),
        ("application/json+fhir", FHIR_JSON),
        (f"{FHIR_JSON}, */*", FHIR_JSON),
        (f"{PDF};q=0.9, {FHIR_XML}", FHIR_XML),
        (f"{PDF}, {FHIR_XML}", FHIR_XML),
        (f"{FHIR_JSON};q=0.9, */*;q=0.8", FHIR_JSON),
        ("application/json, image/png", FHIR_JSON),
    ],
)
def test_who_asks_for_fhir_gets_the_resource(ehr: Caller, report: Json, accept: str, content_type: str) -> None:
    """http.html#mime-type; between equal weights a FHIR type has been specified, so it is FHIR."""
    answer = ask(ehr, report, accept)
    assert (answer.status_code, answer.headers["content-type"]) == (200, content_type)
    assert (answer.json() if content_type == FHIR_JSON else from_xml(answer.content, decimal=numbers.number)) == report


@pytest.mark.parametrize(
    "query", ["_format=json", "_format=application/fhir%2Bjson", "_summary=false", "_elements=contentType,data,securityContext"]
)
def test_who_asks_for_a_format_or_for_elements_asks_for_the_resource(ehr: Caller, report: Json, query: str) -> None:
    """http.html#parameters: _format takes the place of Accept; elements are those of a resource."""
    answer = ehr.get(f"Binary/{report['id']}?{query}", headers={"Accept": "*/*"})
    assert answer.json()["data"] == report["data"]


def test_a_summary_leaves_the_data_out(ehr: Caller, report: Json) -> None:
    """search.html#summary: data is no summary element."""
    answer = ehr.get(f"Binary/{report['id']}?_summary=true").json()
    assert (answer["contentType"], answer["securityContext"], "data" in answer) == (PDF, report["securityContext"], False)
    found = ehr.search(f"Binary?_id={report['id']}&_summary=true")
    assert [entry["resource"]["contentType"] for entry in found["entry"]] == [PDF]


@pytest.mark.parametrize("accept", [f"{FHIR_JSON}; fhirVersion=5.0", f"{FHIR_XML};q=0"])
@pytest.mark.parametrize("id", ["stored", ABSENT])
def test_who_asks_for_fhir_that_there_is_not_is_told_so_whatever_is_there(ehr: Caller, report: Json, accept: str, id: str) -> None:
    """http.html#mime-type: 406; law 3: before anything is looked up."""
    refused(ehr.get(f"Binary/{report['id'] if id == 'stored' else id}", headers={"Accept": accept}), 406, "not-supported")


def test_a_format_of_fhir_that_cannot_be_written_is_refused(ehr: Caller, report: Json) -> None:
    refused(ehr.get(f"Binary/{report['id']}?_format=pdf", headers={"Accept": PDF}), 406, "not-supported", expression="http._format")


@pytest.mark.parametrize(("accept", "bytes_come"), [("application/json", True), (FHIR_JSON, False), (f"{FHIR_JSON};q=0.1, */*", True)])
def test_a_generic_name_means_the_content_where_that_is_its_type(ehr: Caller, person: str, accept: str, bytes_come: bool) -> None:
    """binary.html: only the names of FHIR's own formats say that FHIR is meant."""
    stored = store(ehr, binary(person, b"[1, 2.50]", "application/json"))
    answer = ask(ehr, stored, accept)
    assert (answer.content == b"[1, 2.50]") is bytes_come
    assert answer.headers["content-type"] == ("application/json" if bytes_come else FHIR_JSON)


@pytest.mark.parametrize("content_type", [FHIR_JSON, "text/plain", "text/plain; charset=iso-8859-15", 'multipart/mixed; boundary="a b"'])
def test_the_content_comes_under_the_very_name_that_was_stored(ehr: Caller, person: str, content_type: str) -> None:
    """binary.html: nothing is added to it, nor is it written anew, even where it calls itself FHIR."""
    stored = store(ehr, binary(person, b'{ "a" : 1.0 }', content_type))
    answer = ehr.get(f"Binary/{stored['id']}?_pretty=true", headers={"Accept": "*/*"})
    assert (answer.headers["content-type"], answer.content) == (content_type, b'{ "a" : 1.0 }')


@pytest.mark.parametrize("content_type", ["json", "text/html; a=\x00", "text/html; a=été"])
def test_what_is_no_media_type_is_not_claimed_in_a_header(ehr: Caller, person: str, content_type: str) -> None:
    """RFC 9110 8.3: what R4 takes for a format, or an odd parameter, may be more than a header is made of."""
    answer = ask(ehr, store(ehr, binary(person, content_type=content_type)), "*/*")
    assert (answer.status_code, answer.headers["content-type"], answer.content) == (200, "application/octet-stream", CURVE)


@pytest.mark.parametrize("content_type", ["text/html", "image/svg+xml", PDF])
def test_nothing_that_is_stored_runs_in_a_browser_or_stays_in_a_cache(ehr: Caller, person: str, content_type: str) -> None:
    """CSP 3 sandbox, RFC 6266 attachment, nosniff, RFC 9111 5.2.2: a page that was stored is no page of the hub's."""
    headers = ask(ehr, store(ehr, binary(person, b"<svg onload='x()'/>", content_type)), BROWSER).headers
    assert headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-disposition"] == "attachment"
    assert headers["cache-control"] == "private, no-store"
    assert headers["vary"].startswith("Accept")


def test_a_binary_without_data_has_no_bytes(ehr: Caller, person: str) -> None:
    """binary.html: data is 0..1."""
    answer = ask(ehr, store(ehr, binary(person, b"")), "*/*")
    assert (answer.status_code, answer.headers["content-type"], answer.content) == (200, PDF, b"")


def test_whose_the_bytes_are_is_said_beside_them(ehr: Caller, report: Json, person: str) -> None:
    """binary.html: the security context of what is served natively is in X-Security-Context."""
    assert ask(ehr, report, "*/*").headers["x-security-context"] == person


def test_a_version_is_read_as_bytes_too(ehr: Caller, report: Json) -> None:
    """http.html#vread."""
    answer = ehr.get(f"Binary/{report['id']}/_history/1", headers={"Accept": "*/*"})
    assert (answer.content, answer.headers["etag"]) == (b"draft", 'W/"1"')
    assert ehr.get(f"Binary/{report['id']}/_history/1", headers={"Accept": FHIR_JSON}).json()["meta"]["versionId"] == "1"


def test_head_says_what_get_would_say(ehr: Caller, report: Json) -> None:
    """RFC 9110 9.3.2."""
    got, headed = (ask(ehr, report, PDF, method) for method in ("GET", "HEAD"))
    own = ("date", "x-request-id")
    assert headed.content == b""
    assert {k: v for k, v in headed.headers.items() if k not in own} == {k: v for k, v in got.headers.items() if k not in own}


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_who_has_the_version_gets_no_bytes(ehr: Caller, report: Json, method: str) -> None:
    """RFC 9110 15.4.5, http.html#cread."""
    first = ask(ehr, report, "*/*")
    for condition in ({"If_None_Match": first.headers["etag"]}, {"If_Modified_Since": first.headers["last-modified"]}):
        answer = ask(ehr, report, "*/*", method, **condition)
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", 'W/"2"')
        assert "content-type" not in answer.headers
    assert ask(ehr, report, "*/*", If_None_Match='W/"1"').content == CURVE


def test_bytes_are_not_given_in_parts(ehr: Caller, report: Json) -> None:
    """RFC 9110 14.2: a server may ignore Range; half of what was asked for is never called all of it."""
    answer = ask(ehr, report, "*/*", Range="bytes=0-3")
    assert (answer.status_code, answer.content) == (200, CURVE)


@pytest.mark.parametrize("accept", ["*/*", PDF, FHIR_JSON, FHIR_XML, "image/png"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_what_may_not_be_seen_is_not_there(ehr: Caller, stranger: Caller, backstage: Backstage, accept: str, method: str) -> None:
    """Law 3: hidden and absent alike, to the header; law 2: the refusal is found under whose it is."""
    owner = ehr.create(patient())["id"]
    stored = store(ehr, binary(f"Observation/{ehr.create(observation(owner))['id']}"))
    for path in ("", "/_history/1"):
        headers = {"Accept": accept}
        hidden, absent = (stranger.request(method, f"Binary/{id}{path}", headers=headers) for id in (stored["id"], ABSENT))
        assert (hidden.status_code, hidden.content) == (absent.status_code, absent.content) == (404, absent.content)
        own = ("date", "x-request-id")
        assert {k: v for k, v in hidden.headers.items() if k not in own} == {k: v for k, v in absent.headers.items() if k not in own}
        recorded = backstage.records(hidden.headers["x-request-id"])
        assert {(one.outcome, one.patient) for one in recorded} == {("4", None), ("4", backstage.patient_token(owner))}
    assert ask(ehr, stored, accept, method).status_code == 200


def test_bytes_are_recorded_like_any_other_read(ehr: Caller, report: Json, person: str, backstage: Backstage) -> None:
    """Law 2."""
    answer = ask(ehr, report, "*/*")
    assert [(one.kind, one.outcome, one.patient) for one in backstage.records(answer.headers["x-request-id"])] == [
        ("read", "0", None),
        ("read", "0", backstage.patient_token(person.partition("/")[2])),
    ]


def test_what_is_deleted_is_gone_as_bytes_too(ehr: Caller, person: str) -> None:
    """http.html#read: 410, as an OperationOutcome whatever was accepted."""
    stored = store(ehr, binary(person))
    ehr.request("DELETE", f"Binary/{stored['id']}")
    refused(ask(ehr, stored, PDF), 410, "deleted")


@pytest.mark.parametrize("caller", ["no token", "no scope"])
def test_bytes_ask_for_the_same_token_and_scope(ehr: Caller, http: httpx.Client, report: Json, caller: str) -> None:
    """Law 1."""
    if caller == "no scope":
        refused(ask(ehr.narrowed("system/Observation.rs"), report, PDF), 403, "forbidden")
    else:
        answer = http.get(f"/fhir/Binary/{report['id']}", headers={"Accept": PDF})
        assert (answer.status_code, [one["code"] for one in issues(answer)]) == (401, ["login"])


@pytest.mark.parametrize("type", ["batch", "transaction"])
def test_in_a_bundle_a_binary_is_a_resource(ehr: Caller, report: Json, type: str) -> None:
    """binary.html: in a Bundle it is represented as FHIR, whatever the Bundle was asked with."""
    entry = {"request": {"method": "GET", "url": f"Binary/{report['id']}"}}
    answer = ehr.post("/fhir", {"resourceType": "Bundle", "type": type, "entry": [entry]}, headers={"Accept": "*/*"})
    assert answer.json()["entry"][0]["resource"] == report
    assert [one["resource"] for one in ehr.search(f"Binary?_id={report['id']}", headers={"Accept": "*/*"})["entry"]] == [report]
