"""/openapi.json says what runs, and all of it. https://spec.openapis.org/oas/v3.1.0; DESIGN 6."""

import re
from secrets import token_urlsafe
from typing import Any

import httpx
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from hub.instants import now_us
from hub.outcomes import R4_CODE, STATUS
from hub.reference.interactions import DESCRIBED
from hub.reference.openapi import DETAILED, QUERY
from hub.reference.schemas import ISSUE_TYPES
from hub.reference.searching import RESULTS, TYPES, example, search_type
from hub.reference.statuses import REFUSED
from hub.routes import ROUTES
from hub.search.parameters import RESOURCE_TYPES
from security.oauth.client import client_assertion, token_form
from tests.support.caller import FHIR_JSON, Caller
from tests.support.resources import ABSENT, patient

Json = dict[str, Any]

METHODS = ("get", "head", "post", "put", "patch", "delete")
SIZE_MAX = 600_000
PLACES = {
    "type": "Observation",
    "id": ABSENT,
    "version_id": "1",
    "adapter": "withings",
    "compartment": "Patient",
    "within": "Observation",
    "act": "revoke",
    "provider": "psc",
}
TYPES_HERE = [name for name in DETAILED if name in RESOURCE_TYPES]


@pytest.fixture(scope="module")
def document(http: httpx.Client) -> Json:
    answer = http.get("/openapi.json")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert len(answer.content) < SIZE_MAX
    made: Json = answer.json()
    return made


def operations(document: Json) -> dict[tuple[str, str], Json]:
    return {(method, path): one for path, item in document["paths"].items() for method, one in item.items() if method in METHODS}


def resolved(document: Json, node: Json) -> Json:
    if "$ref" not in node:
        return node
    found: Any = document
    for step in node["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    assert isinstance(found, dict)
    return found


def parameters(document: Json, method: str, path: str) -> dict[str, Json]:
    one = document["paths"][path][method]
    return {made["name"]: made for made in (resolved(document, part) for part in one["parameters"])}


def test_it_is_valid_openapi(document: Json) -> None:
    """OAS 3.1: the schema of the document itself, references and operation ids included."""
    assert document["openapi"] == "3.1.0"
    assert [str(error) for error in OpenAPIV31SpecValidator(document).iter_errors()] == []
    names = [one["operationId"] for one in operations(document).values()]
    assert len(names) == len(set(names))


def test_every_route_is_in_it_and_nothing_else(document: Json) -> None:
    """The route table and the document say the same, types with a path of their own aside."""
    rows = {(row.method.lower(), row.path) for row in ROUTES}
    said = {
        (method, path if (method, path) in rows else re.sub(f"^/fhir/({'|'.join(TYPES_HERE)})(?=/|$)", "/fhir/{type}", path))
        for method, path in operations(document)
    }
    assert said == rows


def test_every_route_is_described(document: Json) -> None:
    """A route without a sentence is a gap; a sentence without a route is a promise."""
    assert {row.interaction for row in ROUTES} <= set(DESCRIBED)


def test_every_operation_in_it_is_answered_as_it_says(document: Json, ehr: Caller, auditor: Caller) -> None:
    """Neither "no such path" nor "no such method"; and with a status that is written there."""
    for (method, path), one in operations(document).items():
        caller = auditor if "AuditEvent" in path else ehr
        body: Json = (
            {"content": b"{}", "headers": {"Content-Type": next(iter(one["requestBody"]["content"]))}} if "requestBody" in one else {}
        )
        answer = caller.request(method.upper(), path.format(**PLACES), **body)
        assert str(answer.status_code) in one["responses"], (method, path, answer.status_code, answer.text[:300])
        assert "no interaction" not in answer.text
        if "security" in one:
            assert str(caller.http.request(method.upper(), path.format(**PLACES)).status_code) == "401"


@pytest.mark.parametrize("type", TYPES_HERE)
def test_every_search_parameter_of_a_type_is_in_it_and_taken(type: str, document: Json, ehr: Caller, auditor: Caller) -> None:
    """Both ways: rows that the hub searches by are in the document; what is there finds or finds nothing, and is no error."""
    caller, rows = auditor if type == "AuditEvent" else ehr, RESOURCE_TYPES[type].parameters
    said = parameters(document, "get", f"/fhir/{type}")
    every = {"_format", "_pretty", "Prefer", "DPoP", *RESULTS}
    assert {name for name in said if name not in every} == set(rows)
    for name, one in said.items():
        if one["in"] != "query" or name in ("_page", "_pretty", "_format"):
            continue
        answer = caller.get(type, params={name: one["example"]}, headers={"Prefer": "handling=strict"})
        assert answer.status_code == 200, (name, one["example"], answer.text)


def test_every_type_and_every_kind_of_parameter_is_in_it(document: Json) -> None:
    """What has no path of its own is reached by {type}."""
    assert document["components"]["schemas"]["ResourceType"]["enum"] == list(RESOURCE_TYPES)
    assert {search_type(one.type) for type in RESOURCE_TYPES.values() for one in type.parameters.values()} <= set(TYPES)


def test_errors_in_it_are_those_of_the_hub(document: Json) -> None:
    """operationoutcome.html: statuses, and codes of R4 alone."""
    assert set(STATUS.values()) == set(REFUSED)
    assert {R4_CODE.get(code, code) for code in STATUS} <= set(ISSUE_TYPES)
    for (method, path), one in operations(document).items():
        refusals = {status: made for status, made in one["responses"].items() if int(status) >= 400 and "$ref" in made}
        for status, made in refusals.items():
            content = resolved(document, made)["content"]
            oauth = path.startswith("/oauth/") and path != "/oauth/userinfo"  # which is called with a token, as FHIR is
            assert set(content) >= ({"application/json"} if oauth else {FHIR_JSON}), (method, path, status)


def test_tokens_are_had_where_it_says(document: Json, http: httpx.Client) -> None:
    """SMART Backend Services: client credentials at the token endpoint of the discovery document."""
    flow = document["components"]["securitySchemes"]["smart"]["flows"]["clientCredentials"]
    discovered = http.get("/fhir/.well-known/smart-configuration").json()
    assert flow["tokenUrl"] == discovered["token_endpoint"]
    assert list(flow["scopes"]) == discovered["scopes_supported"]
    guarded = {(row.method.lower(), row.path) for row in ROUTES if row.guard == "fhir"}
    assert {key for key, one in operations(document).items() if "security" in one} >= guarded


def test_a_bound_token_is_asked_for_as_it_says(document: Json, ehr: Caller) -> None:
    """RFC 9449 section 7.1: each way in of a challenge is a security scheme; what needs a token may be had by either, with a proof."""
    schemes = document["components"]["securitySchemes"]
    assert (schemes["dpop"]["type"], schemes["dpop"]["scheme"]) == ("http", "DPoP")
    said = document["components"]["headers"]["WWW-Authenticate"]["example"]
    for (method, path), one in operations(document).items():
        takes_proof = "DPoP" in parameters(document, method, path)
        assert takes_proof == ("security" in one or path in ("/oauth/token", "/oauth/par")), (method, path)
        if "security" in one:
            assert one["security"] == [{"smart": []}, {"dpop": []}]
            refused = ehr.http.request(method.upper(), path.format(**PLACES))
            assert refused.headers["www-authenticate"] == said
            assert resolved(document, one["responses"]["401"])["headers"].keys() == {"WWW-Authenticate", "DPoP-Nonce"}


def test_a_proof_that_is_none_is_refused_where_it_says(document: Json, ehr: Caller) -> None:
    """RFC 9449 sections 5, 8 and 10: at the token endpoint and at PAR, whose 400 may bear a nonce; a token is of one of two types."""
    assert document["components"]["schemas"]["Token"]["properties"]["token_type"]["enum"] == ["Bearer", "DPoP"]
    for path in ("/oauth/token", "/oauth/par"):
        refusal = resolved(document, document["paths"][path]["post"]["responses"]["400"])
        assert refusal["headers"].keys() == {"DPoP-Nonce"}
    endpoint = str(ehr.http.base_url.join("/oauth/token"))
    assertion = client_assertion(ehr.account.id, ehr.account.key, endpoint, now_us(), token_urlsafe(16))
    example = document["components"]["parameters"]["DPoP"]["example"]
    answer = ehr.http.post("/oauth/token", data=token_form(assertion), headers={"DPoP": example})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_dpop_proof")


def test_examples_are_of_the_type_they_stand_for() -> None:
    """reference: of a type that the parameter may point to."""
    for type in RESOURCE_TYPES.values():
        for one in type.parameters.values():
            value = example(type.name, one)
            assert value
            if one.type == "reference" and one.targets:
                assert value.partition("/")[0] in one.targets


def test_parameters_of_a_url_are_ones_that_can_be_described() -> None:
    """A name in a row that nothing explains would be left out in silence."""
    assert {name for row in DESCRIBED.values() for name in row.query} <= {*QUERY, "search", "operation"}


def test_an_operation_whose_parameters_stand_in_the_query_needs_no_body(document: Json, ehr: Caller) -> None:
    """operations.html#executing: so the description says, and so it is."""
    assert document["paths"]["/fhir/Patient/{id}/$everything"]["post"]["requestBody"]["required"] is False
    person = ehr.create(patient())
    assert ehr.request("POST", f"Patient/{person['id']}/$everything?_count=1").status_code == 200
