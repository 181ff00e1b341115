"""Negotiation, limits, and the form of every error.

https://hl7.org/fhir/R4/http.html#mime-type, #Status-Codes; https://hl7.org/fhir/R4/operationoutcome.html; FHIR.md 4b (1, 11).
"""

import json

import httpx
import pytest

from tests.support.caller import Caller
from tests.support.outcomes import refused
from tests.support.resources import ABSENT, organization

BODY_BYTES_MAX = 4_000_000
"""HUB_MAX_BODY_BYTES, its default."""
DEPTH_MAX = 60


@pytest.mark.parametrize(
    "accept", ["application/fhir+json", "application/json", "application/fhir+json; fhirVersion=4.0", "*/*", "application/*"]
)
def test_json_by_any_of_its_names_is_what_the_hub_writes(ehr: Caller, accept: str) -> None:
    """http.html#mime-type: application/fhir+json; servers shall accept application/json as well."""
    made = ehr.create(organization())
    answer = ehr.get(f"Organization/{made['id']}", headers={"Accept": accept})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/fhir+json")


@pytest.mark.parametrize("accept", ["text/html", "application/fhir+turtle", "nonsense", "image/*"])
@pytest.mark.parametrize("path", ["Organization", f"Organization/{ABSENT}", f"Organization/{ABSENT}/_history/1", "metadata"])
def test_another_format_is_refused_honestly(ehr: Caller, accept: str, path: str) -> None:
    """http.html#mime-type: 406 for a format that the server cannot write."""
    refused(ehr.get(path, headers={"Accept": accept}), 406, "not-supported")


@pytest.mark.parametrize("format", ["json", "application/json", "application/fhir%2Bjson", "application/fhir+json", "text/json"])
def test_format_overrides_accept(ehr: Caller, format: str) -> None:
    """http.html#parameters: _format takes the place of Accept."""
    made = ehr.create(organization())
    answer = ehr.get(f"Organization/{made['id']}?_format={format}", headers={"Accept": "application/fhir+xml"})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/fhir+json")


@pytest.mark.parametrize("format", ["ttl", "html", "text/html", "text/turtle", "nonsense", ""])
@pytest.mark.parametrize("path", ["Organization", f"Organization/{ABSENT}", "metadata"])
def test_another_format_by_parameter_is_refused(ehr: Caller, format: str, path: str) -> None:
    refused(ehr.get(f"{path}?_format={format}"), 406, "not-supported")


@pytest.mark.parametrize(
    "content_type", ["application/fhir+json", "application/json", "application/fhir+json; charset=utf-8", "APPLICATION/FHIR+JSON"]
)
def test_json_is_read(ehr: Caller, content_type: str) -> None:
    assert ehr.post("Organization", organization(), headers={"Content-Type": content_type}).status_code == 201


@pytest.mark.parametrize("content_type", ["application/fhir+turtle", "text/plain", "application/x-www-form-urlencoded", "", "nonsense"])
def test_another_media_type_is_refused(ehr: Caller, content_type: str) -> None:
    """http.html#mime-type: 415 Unsupported Media Type."""
    refused(ehr.post("Organization", organization(), headers={"Content-Type": content_type}), 415, "not-supported")
    refused(ehr.put(f"Organization/{ABSENT}", organization(id=ABSENT), headers={"Content-Type": content_type}), 415, "not-supported")


MALFORMED = {
    "empty": b"",
    "not json": b"nonsense",
    "cut off": b'{"resourceType": "Organization"',
    "a list": b"[]",
    "null": b"null",
    "a text": b'"Organization"',
    "not utf-8": b'{"resourceType": "Organization", "name": "\xff"}',
    "utf-16": '{"resourceType": "Organization"}'.encode("utf-16"),
    "NaN": b'{"resourceType": "Organization", "name": NaN}',
    "Infinity": b'{"resourceType": "Organization", "x": 1.0, "name": -Infinity}',
    "huge number": b'{"resourceType": "Organization", "name": 1.0e999}',
    "huge integer": b'{"resourceType": "Organization", "name": ' + b"9" * 5_000 + b"}",
    "lone surrogate": rb'{"resourceType": "Organization", "name": "\ud800"}',
    "control character": b'{"resourceType": "Organization", "name": "\x01"}',
    "type is a list": b'{"resourceType": ["Organization"], "name": "x"}',
    "comment": b'{"resourceType": "Organization" /* x */}',
}


@pytest.mark.parametrize("what", MALFORMED)
@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_body_that_is_no_resource_is_a_bad_request(ehr: Caller, method: str, what: str) -> None:
    """http.html#create: 400 when the resource cannot be parsed; never 5xx for a client's fault."""
    path = "Organization" if method == "POST" else f"Organization/{ABSENT}"
    answer = ehr.request(method, path, content=MALFORMED[what], headers={"Content-Type": "application/fhir+json"})
    refused(answer, 400, "structure")


TWICE = {
    "at the top": (b'{"resourceType": "Organization", "name": "a", "name": "b"}', "Organization.name"),
    "the same value": (b'{"resourceType": "Organization", "active": true, "active" : true}', "Organization.active"),
    "inside": (
        b'{"resourceType": "Organization", "contact": [{"name": {"text": "a"}}, {"name": {"text": "a", "text": "b"}}]}',
        "Organization.contact[1].name.text",
    ),
    "written otherwise": (rb'{"resourceType": "Organization", "name": "\u0022:", "n\u0061me": "b"}', "Organization.name"),
    "in a string too": (rb'{"resourceType": "Organization", "name": "\":", "name" : "b"}', "Organization.name"),
}


@pytest.mark.parametrize("what", TWICE)
@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_name_that_an_object_has_twice_is_refused(ehr: Caller, method: str, what: str) -> None:
    """json.html: property names shall be unique. Taking one value and dropping the other would be a guess, of a subject or a dose."""
    body, place = TWICE[what]
    path = "Organization" if method == "POST" else f"Organization/{ABSENT}"
    refused(ehr.request(method, path, content=body, headers={"Content-Type": "application/fhir+json"}), 400, "structure", expression=place)


def test_what_only_looks_like_a_name_twice_is_read(ehr: Caller) -> None:
    """A string may hold anything; the same name in two objects is no repetition."""
    body = rb'{"resourceType": "Organization", "name": "\"name\": \"name\" : \u0022name\u0022:", "contact": [{"name": {"text": "name"}}]}'
    answer = ehr.post("Organization", body)
    assert answer.status_code == 201, answer.text
    assert answer.json()["name"] == '"name": "name" : "name":'


def test_a_patch_that_says_something_twice_is_refused(ehr: Caller) -> None:
    body = b'[{"op": "replace", "path": "/name", "path": "/alias", "value": "x"}]'
    answer = ehr.request("PATCH", f"Organization/{ABSENT}", content=body, headers={"Content-Type": "application/json-patch+json"})
    refused(answer, 400, "structure")


@pytest.mark.parametrize("what", ["lists", "objects", "extensions"])
@pytest.mark.parametrize("depth", [DEPTH_MAX + 1, 100_000])
def test_a_body_nested_too_deeply_is_a_bad_request(ehr: Caller, what: str, depth: int) -> None:
    """FHIR.md 4b (11): a depth limit; a parser must not be made to overflow."""
    inner = {"lists": "[" * depth + "]" * depth, "objects": '{"a":' * depth + "1" + "}" * depth}
    extension = '{"url":"u","extension":[' * (depth // 2) + "{}" + "]}" * (depth // 2)
    body = f'{{"resourceType": "Organization", "name": "x", "extension": {inner.get(what, f"[{extension}]")}}}'
    refused(ehr.post("Organization", body), 400, "structure")


def test_a_body_that_is_too_long_is_refused(ehr: Caller) -> None:
    """http.html#Status-Codes: 413, with the limit in words."""
    issue = refused(ehr.post("Organization", b" " * (BODY_BYTES_MAX + 1)), 413, "too-long")[0]
    assert str(BODY_BYTES_MAX) in issue["diagnostics"]


def test_a_body_that_does_not_say_its_length_is_cut_off_at_the_limit(ehr: Caller) -> None:
    """A chunked body is counted while it comes in."""
    chunks = (b" " * 100_000 for _ in range(50))
    answer = ehr.request("POST", "Organization", content=chunks, headers={"Content-Type": "application/fhir+json"})
    refused(answer, 413, "too-long")


def test_a_body_as_long_as_allowed_is_read(ehr: Caller) -> None:
    body = json.dumps(organization()).encode()
    answer = ehr.post("Organization", body + b" " * (BODY_BYTES_MAX - len(body)))
    assert answer.status_code == 201


@pytest.mark.parametrize("path", ["/fhir/Organization/a/b", "/nowhere", "/fhir/Organization/a/_history/1/x"])
def test_what_is_not_there_is_not_found(ehr: Caller, path: str) -> None:
    refused(ehr.get(path), 404, "not-found")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/fhir/$export"),
        ("GET", "Patient/$export"),
        ("GET", f"Group/{ABSENT}/$export"),
        ("GET", "ConceptMap/$translate"),
        ("POST", "ConceptMap/$translate"),
        ("GET", "/fhir/$everything"),
        ("GET", f"Encounter/{ABSENT}/$everything"),
        ("POST", "Nonsense/$nonsense"),
    ],
)
def test_an_operation_that_is_not_offered_is_refused_as_one(ehr: Caller, method: str, path: str) -> None:
    """operations.html: 404 for an operation that the server does not have, and not as if it were an id."""
    answer = ehr.request(method, path)
    refused(answer, 404, "not-supported")
    assert "operation" in answer.json()["issue"][0]["diagnostics"]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", f"Organization/{ABSENT}/_history/1", "GET, HEAD"),
        ("GET", "Organization/_search", None),
        ("POST", f"Organization/{ABSENT}", "DELETE, GET, HEAD, PATCH, PUT"),
        ("DELETE", f"Organization/{ABSENT}/_history", "GET, HEAD"),
        ("OPTIONS", "Organization", "DELETE, GET, HEAD, PATCH, POST, PUT"),
        ("OPTIONS", "metadata", "GET, HEAD"),
        ("OPTIONS", "_history", "GET, HEAD"),
    ],
)
def test_a_method_that_the_path_does_not_offer_is_refused(ehr: Caller, method: str, path: str, allowed: str | None) -> None:
    """RFC 9110 15.5.6: 405 with Allow. GET …/_search reads the id "_search", which nothing can have."""
    answer = ehr.request(method, path)
    if allowed is None:
        refused(answer, 404, "not-found")
        return
    refused(answer, 405, "not-supported")
    assert answer.headers["allow"] == allowed


@pytest.mark.parametrize("token", [None, "nonsense"])
@pytest.mark.parametrize(
    "path", ["Organization", f"Organization/{ABSENT}", "Nonsense", "Organization?nonsense=1", f"Organization/{ABSENT}?_format=ttl"]
)
def test_without_a_valid_token_nothing_else_is_looked_at(http: httpx.Client, token: str | None, path: str) -> None:
    """RFC 6750 3: 401 with a challenge, before anything is said of the request itself."""
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    answer = http.get(f"/fhir/{path}", headers=headers)
    refused(answer, 401, "login")
    assert answer.headers["www-authenticate"].startswith('Bearer realm="fhir"')
    assert ('error="invalid_token"' in answer.headers["www-authenticate"]) is (token is not None)
