"""Formats: FHIR.md 4b (1). https://hl7.org/fhir/R4/http.html#mime-type, http.html#parameters, formats.html"""

import gzip
from codecs import BOM_UTF8
from typing import Any

import httpx
import pytest

from fhir_profiles.xml import from_xml, to_xml
from hub import numbers
from tests.support.caller import Caller
from tests.support.outcomes import refused
from tests.support.resources import ABSENT, HEART_RATE, observation, organization, patient

FHIR_JSON, FHIR_XML = "application/fhir+json", "application/fhir+xml"
XML_NAMES = [FHIR_XML, "application/xml", "text/xml", "application/xml+fhir"]
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"

Json = dict[str, Any]


def from_answer(answer: httpx.Response) -> Json:
    assert answer.headers["content-type"] == FHIR_XML
    return from_xml(answer.content, decimal=numbers.number)


def refused_in_xml(answer: httpx.Response, status: int, code: str) -> Json:
    assert answer.status_code == status, answer.text
    outcome = from_answer(answer)
    assert outcome["resourceType"] == "OperationOutcome"
    issue: Json = outcome["issue"][0]
    assert issue["code"] == code
    return issue


@pytest.fixture(scope="module")
def made(ehr: Caller) -> Json:
    return ehr.create(organization("Zoë & <Söhne>"))


@pytest.mark.parametrize("name", XML_NAMES)
def test_xml_is_answered_by_any_of_its_names(ehr: Caller, made: Json, name: str) -> None:
    """http.html#mime-type: application/fhir+xml; servers support the generic type too."""
    answer = ehr.get(f"Organization/{made['id']}", headers={"Accept": name})
    assert answer.status_code == 200
    assert from_answer(answer) == made
    assert answer.headers["etag"] == 'W/"1"'
    assert answer.headers["vary"].startswith("Accept")


@pytest.mark.parametrize("format", ["xml", *XML_NAMES, "application/fhir%2Bxml", "text/xml;charset=utf-8"])
def test_format_overrides_accept(ehr: Caller, made: Json, format: str) -> None:
    """http.html#parameters: _format is for clients that cannot set Accept, and takes its place."""
    answer = ehr.get(f"Organization/{made['id']}?_format={format}", headers={"Accept": FHIR_JSON})
    assert from_answer(answer) == made


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("application/fhir+xml, application/fhir+json", FHIR_XML),
        ("application/fhir+json, application/fhir+xml", FHIR_JSON),
        ("application/fhir+xml;q=0.5, application/fhir+json", FHIR_JSON),
        ("application/fhir+xml, application/fhir+json;q=0.9", FHIR_XML),
        ("application/fhir+xml;q=0.5, */*;q=0.1", FHIR_XML),
        ("application/fhir+json;q=0, */*", FHIR_XML),
        ("text/html, application/xml;q=0.9, */*;q=0.8", FHIR_XML),
        (BROWSER, FHIR_XML),
        ("text/*", FHIR_JSON),
        ("APPLICATION/FHIR+XML; Charset=UTF-8", FHIR_XML),
        ("application/fhir+xml; fhirVersion=4.0", FHIR_XML),
        ("application/fhir+xml; fhirVersion=3.0, application/fhir+json", FHIR_JSON),
        ("application/fhir+xml;charset=utf-16, application/fhir+json", FHIR_JSON),
        ("application/fhir+xml;q=nonsense, application/fhir+json", FHIR_JSON),
        ("", FHIR_JSON),
    ],
)
def test_the_format_of_the_highest_weight_is_taken(ehr: Caller, made: Json, accept: str, content_type: str) -> None:
    """RFC 9110 12.5.1, http.html#version-parameter."""
    answer = ehr.get(f"Organization/{made['id']}", headers={"Accept": accept})
    assert (answer.status_code, answer.headers["content-type"]) == (200, content_type)


@pytest.mark.parametrize(
    "headers",
    [
        {"Accept": "text/html"},
        {"Accept": "application/fhir+json; fhirVersion=5.0"},
        {"Accept": "application/fhir+xml; charset=iso-8859-1"},
        {"Accept": "application/fhir+xml;q=0, application/fhir+json;q=0"},
        {"Accept-Charset": "iso-8859-1"},
        {"Accept-Charset": "utf-8;q=0"},
    ],
    ids=str,
)
def test_what_the_hub_cannot_write_is_refused_honestly(ehr: Caller, made: Json, headers: dict[str, str]) -> None:
    """http.html#mime-type: 406; FHIR is UTF-8 and this is R4."""
    refused(ehr.get(f"Organization/{made['id']}", headers=headers), 406, "not-supported")


def test_a_page_and_a_person_get_the_same_bytes(ehr: Caller, made: Json) -> None:
    """formats.html: both formats say the same; a charset that is UTF-8 changes nothing."""
    plain = ehr.get(f"Organization/{made['id']}")
    for headers in ({"Accept": "application/fhir+json;charset=utf-8"}, {"Accept-Charset": "utf-8, iso-8859-1;q=0.5"}):
        assert ehr.get(f"Organization/{made['id']}", headers=headers).content == plain.content


def test_pretty_is_for_people(ehr: Caller, made: Json) -> None:
    """http.html#parameters: _pretty=true asks for white space and changes nothing else."""
    json = ehr.get(f"Organization/{made['id']}?_pretty=true")
    assert json.text.startswith('{\n  "')
    assert json.json() == made
    assert json.headers["content-length"] == str(len(json.content))
    xml = ehr.get(f"Organization/{made['id']}?_format=xml&_pretty=true")
    assert f'\n  <id value="{made["id"]}"/>\n' in xml.text
    assert from_answer(xml) == made
    assert ehr.get(f"Organization/{made['id']}?_pretty=false").content == ehr.get(f"Organization/{made['id']}").content


@pytest.mark.parametrize("content_type", [*XML_NAMES, "application/fhir+xml; charset=UTF-8", "application/fhir+xml; fhirVersion=4.0"])
def test_xml_is_read(ehr: Caller, content_type: str) -> None:
    """http.html#create: the body is a resource in either format; what is stored is the same."""
    content = organization("Clinique & Fils", address=[{"line": ["1 rue\nde l'Essai", "  étage 2"]}])
    answer = ehr.post("Organization", to_xml(content), headers={"Content-Type": content_type, "Accept": FHIR_JSON})
    assert answer.status_code == 201, answer.text
    stored = ehr.get(f"Organization/{answer.json()['id']}").json()
    assert {name: stored[name] for name in content} == content


def test_a_write_answers_in_the_format_that_is_accepted(ehr: Caller) -> None:
    """http.html#mime-type: Accept is about the answer, Content-Type about the body."""
    created = ehr.post("Organization", organization(), headers={"Accept": FHIR_XML})
    assert created.status_code == 201
    content = from_answer(created)
    body = to_xml({**content, "name": "Autre"})
    updated = ehr.put(f"Organization/{content['id']}", body, headers={"Content-Type": FHIR_XML, "Accept": FHIR_XML})
    assert updated.status_code == 200, updated.text
    assert (from_answer(updated)["name"], from_answer(updated)["meta"]["versionId"]) == ("Autre", "2")
    first = ehr.get(f"Organization/{content['id']}/_history/1", headers={"Accept": FHIR_XML})
    assert from_answer(first) == content
    told = ehr.post("Organization", organization(), headers={"Accept": FHIR_XML, "Prefer": "return=OperationOutcome"})
    assert from_answer(told)["issue"][0]["severity"] == "information"
    silent = ehr.post("Organization", organization(), headers={"Accept": FHIR_XML, "Prefer": "return=minimal"})
    assert (silent.status_code, silent.content) == (201, b"")


@pytest.mark.parametrize("written", ["116.0", "74.10", "-0.0", "1e2", "12345678901234567890.5", "100"])
def test_a_decimal_keeps_its_digits_through_both_formats(ehr: Caller, written: str) -> None:
    """datatypes.html#decimal: 116.0 stays 116.0, from XML to the store, and out again in either format."""
    body = (
        '<Observation xmlns="http://hl7.org/fhir"><status value="final"/><code><text value="x"/></code>'
        f'<subject><reference value="Location/{ABSENT}"/></subject><valueQuantity><value value="{written}"/></valueQuantity></Observation>'
    )
    answer = ehr.post("Observation", body.encode(), headers={"Content-Type": FHIR_XML})
    assert answer.status_code == 201, answer.text
    path = f"Observation/{answer.json()['id']}"
    assert f'"valueQuantity":{{"value":{written}}}' in ehr.get(path).text
    assert f'<valueQuantity><value value="{written}"/></valueQuantity>' in ehr.get(path, headers={"Accept": FHIR_XML}).text


def test_a_bundle_comes_in_either_format(ehr: Caller) -> None:
    """FHIR.md 4b (1): Bundles in each format, by GET and by POST _search, where _format may stand in the form."""
    person = ehr.create(patient(identifier=[{"system": "urn:example:formats", "value": "1"}]))
    query = "identifier=urn:example:formats|1"
    plain = ehr.search(f"Patient?{query}")
    assert [entry["resource"] for entry in plain["entry"]] == [person]
    by_get = from_answer(ehr.get(f"Patient?{query}", headers={"Accept": FHIR_XML}))
    assert [entry["resource"] for entry in by_get["entry"]] == [person]
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    by_form = ehr.request("POST", "Patient/_search", content=f"{query}&_format=xml&_pretty=true".encode(), headers=form)
    assert [entry["resource"] for entry in from_answer(by_form)["entry"]] == [person]
    assert by_form.text.count("\n") > 10
    refused(ehr.request("POST", "Patient/_search", content=f"{query}&_format=ttl".encode(), headers=form), 406, "not-supported")


@pytest.mark.parametrize("type", ["transaction", "batch"])
def test_transactions_and_histories_come_in_either_format(ehr: Caller, type: str) -> None:
    """FHIR.md 4b (1): Bundles in each format, those that are sent and those that are answered."""
    request = {"method": "POST", "url": "Organization"}
    sent = {"resourceType": "Bundle", "type": type, "entry": [{"resource": organization(f"En {type}"), "request": request}]}
    answer = ehr.post("/fhir", to_xml(sent), headers={"Content-Type": FHIR_XML, "Accept": FHIR_XML})
    assert answer.status_code == 200, answer.text
    told = from_answer(answer)
    assert (told["type"], told["entry"][0]["response"]["status"]) == (f"{type}-response", "201 Created")
    name = told["entry"][0]["response"]["location"].removeprefix(f"{ehr.base}/").partition("/_history")[0]
    history = from_answer(ehr.get(f"{name}/_history", headers={"Accept": FHIR_XML}))
    assert history == ehr.get(f"{name}/_history").json()
    assert history["entry"][0]["resource"]["name"] == f"En {type}"


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", f"Organization/{ABSENT}", 404, "not-found"),
        ("GET", "Nonsense/1", 404, "not-found"),
        ("GET", "/fhir/Organization/a/b/c", 404, "not-found"),
        ("GET", "Organization?nonsense=1", 400, "not-supported"),
        ("OPTIONS", "Organization", 405, "not-supported"),
        ("POST", "Organization", 400, "structure"),
    ],
)
def test_errors_are_told_in_the_format_that_is_asked_for(ehr: Caller, method: str, path: str, status: int, code: str) -> None:
    """http.html#mime-type: an OperationOutcome is a resource like any other, also where there is no route."""
    headers = {"Accept": FHIR_XML, "Content-Type": FHIR_JSON}
    refused_in_xml(ehr.request(method, path, content=b"{}" if method == "POST" else b"", headers=headers), status, code)
    query = "&" if "?" in path else "?"
    refused_in_xml(ehr.request(method, f"{path}{query}_format=xml", content=b"{}", headers={"Content-Type": FHIR_JSON}), status, code)


def test_a_refused_token_is_told_in_the_format_that_is_asked_for(http: httpx.Client) -> None:
    """RFC 6750 3: the challenge stands in the header, whatever the body looks like."""
    answer = http.get("/fhir/Organization", headers={"Accept": FHIR_XML})
    refused_in_xml(answer, 401, "login")
    assert "www-authenticate" in answer.headers


def test_the_capabilities_come_in_either_format_and_say_so(http: httpx.Client) -> None:
    """http.html#capabilities: for everybody, and CapabilityStatement.format names what can be had."""
    statement = from_answer(http.get("/fhir/metadata?_format=xml"))
    assert statement == http.get("/fhir/metadata").json()
    assert {FHIR_JSON, FHIR_XML} <= set(statement["format"])
    assert http.get("/fhir/metadata", headers={"Accept": FHIR_XML}).headers["cache-control"] == "public, max-age=300"


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/fhir+json; charset=iso-8859-1", b'{"resourceType":"Organization","name":"x"}'),
        ("application/fhir+json; fhirVersion=3.0", b'{"resourceType":"Organization","name":"x"}'),
        ("text/html", b"<p>x</p>"),
        ("application/fhir+turtle", b"[]"),
        ("application/xml; charset=utf-16", b"<x/>"),
    ],
)
def test_a_body_in_another_format_is_refused(ehr: Caller, content_type: str, body: bytes) -> None:
    """http.html#mime-type: 415, before anything of the body is looked at."""
    refused(ehr.post("Organization", body, headers={"Content-Type": content_type}), 415, "not-supported")


def test_elements_in_another_order_are_read_and_written_in_that_of_r4(ehr: Caller) -> None:
    """xml.html: the order of elements is that of the definition; who sends another one is understood all the same."""
    body = b'<Organization xmlns="http://hl7.org/fhir"><name value="x"/><active value="true"/></Organization>'
    answer = ehr.request("POST", "Organization", content=body, headers={"Content-Type": FHIR_XML, "Accept": FHIR_XML})
    assert answer.status_code == 201, answer.text
    assert answer.text.index("<active") < answer.text.index("<name")


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_a_byte_order_mark_is_passed_over(ehr: Caller, made: Json, method: str) -> None:
    """RFC 8259 8.1: a reader may ignore it; some toolkits write it, in XML too."""
    body, path = (b'{"resourceType": "Organization", "name": "x"}', "") if method == "POST" else (b"[]", f"/{made['id']}")
    sent = {"Content-Type": "application/fhir+json" if method == "POST" else "application/json-patch+json"}
    answer = ehr.request(method, f"Organization{path}", content=BOM_UTF8 + body, headers=sent)
    assert answer.status_code in (200, 201), answer.text


def test_a_packed_body_is_read(ehr: Caller) -> None:
    """RFC 9110 8.4: gzip, as the vendors' payloads may be; a search by POST too."""
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/fhir+json"}
    answer = ehr.request("POST", "Organization", content=gzip.compress(b'{"resourceType": "Organization", "name": "x"}'), headers=headers)
    assert (answer.status_code, answer.json()["name"]) == (201, "x")
    form = {"Content-Encoding": "gzip", "Content-Type": "application/x-www-form-urlencoded"}
    asked = ehr.request("POST", "Organization/_search", content=gzip.compress(f"_id={answer.json()['id']}".encode()), headers=form)
    assert [one["resource"] for one in asked.json()["entry"]] == [answer.json()]


@pytest.mark.parametrize(
    ("coding", "body", "status", "code"),
    [
        ("deflate", b'{"resourceType": "Organization"}', 415, "not-supported"),
        ("br", b"x", 415, "not-supported"),
        ("gzip, gzip", b"x", 415, "not-supported"),
        ("gzip", b'{"resourceType": "Organization"}', 400, "structure"),
        ("gzip", gzip.compress(b" " * 60_000_000), 413, "too-long"),
    ],
)
def test_a_body_that_is_packed_otherwise_is_refused(ehr: Caller, coding: str, body: bytes, status: int, code: str) -> None:
    """RFC 9110 15.5.16: 415 for a coding that is not taken; what unpacks beyond the limit never lies in memory."""
    headers = {"Content-Encoding": coding, "Content-Type": "application/fhir+json"}
    refused(ehr.request("POST", "Organization", content=body, headers=headers), status, code)


FHIR = b'xmlns="http://hl7.org/fhir"'
ATTACKS = {
    "billion laughs": b'<!DOCTYPE x [<!ENTITY a "aaaaa"><!ENTITY b "&a;&a;&a;&a;">]><Organization %s><name value="&b;"/></Organization>'
    % FHIR,
    "a file": b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><Organization %s><name value="&a;"/></Organization>' % FHIR,
    "an address": b'<!DOCTYPE x SYSTEM "http://127.0.0.1:1/x.dtd"><Organization %s><name value="x"/></Organization>' % FHIR,
    "depth": b"<Organization %s>" % FHIR + b'<extension url="u">' * 50_000,
    "a huge attribute": b'<Organization %s><name value="%s"/></Organization>' % (FHIR, b"x" * 2_000_000),
    "cut off": b'<Organization %s><name value="x"/>' % FHIR,
    "other encoding": b'<?xml version="1.0" encoding="iso-8859-1"?><Organization %s><name value="\xe9"/></Organization>' % FHIR,
    "other type": b'<Device %s><lotNumber value="x"/></Device>' % FHIR,
    "no namespace": b'<Organization><name value="x"/></Organization>',
    "json": b'{"resourceType":"Organization","name":"x"}',
    "empty": b"",
}


@pytest.mark.parametrize("what", ATTACKS)
def test_hostile_and_broken_xml_is_refused_with_a_reason(ehr: Caller, what: str) -> None:
    """FHIR.md 4b (11): never 5xx for a client's fault, and nothing of what was sent in the answer."""
    answer = ehr.post("Organization", ATTACKS[what], headers={"Content-Type": FHIR_XML, "Accept": FHIR_JSON})
    assert answer.status_code == 400, answer.text[:300]
    issue = answer.json()["issue"][0]
    assert issue["code"] in {"structure", "not-supported", "value"}
    assert "passwd" not in answer.text
    assert "xxx" not in answer.text


def test_a_wrong_value_in_xml_is_named_with_its_place(ehr: Caller) -> None:
    """operationoutcome.html: expression is FHIRPath, whatever format the body came in."""
    body = to_xml(observation(None, HEART_RATE)).replace(b'"final"', b'"done"')
    answer = ehr.post("Observation", body, headers={"Content-Type": FHIR_XML})
    assert refused(answer, 422, "code-invalid", expression="Observation.status")
    unknown = body.replace(b'"done"', b'"final"').replace(b"<status", b'<nickname value="x"/><status')
    assert refused(ehr.post("Observation", unknown, headers={"Content-Type": FHIR_XML}), 400, "structure", expression="Observation")
