"""Each refusal says what is wrong, and where. FHIR.md 4b.11; https://hl7.org/fhir/R4/operationoutcome.html

`expression` is a path into the resource that was sent, `http.` and the name of a parameter or header, or the parameter of an
operation. It is there on every 4xx whose fault lies in one of these.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from hub.routes import ROUTES, RouteRow
from tests.spec.api.test_access_matrix import MALFORMED, REQUESTS, name_of
from tests.spec.api.test_transaction import bundle, entry
from tests.support.caller import FHIR_JSON, Caller
from tests.support.outcomes import issues
from tests.support.resources import ABSENT, observation, organization, patient

Json = dict[str, Any]
FORM = "application/x-www-form-urlencoded"
JSON_PATCH = "application/json-patch+json"
NOWHERE = frozenset({401, 403, 404, 405, 409, 410, 413})
"""Statuses whose fault is a token, a scope, a path, a state or a length: nothing to point at, though an entry of a Bundle may be named."""
WHOLE = (
    "The body is not well-formed",
    "The body must be a resource",
    "An object has a name twice",
    "The parameters are not valid UTF-8",
    "The query of the URL must give at least one",
    "is no query in valid UTF-8",
    "(name not shown)",
    "malformed",
)
"""What is said of a body that cannot be read, or of a parameter that is not there or that has no name to show."""


def located(answer: httpx.Response) -> list[Json]:
    """The issues of a refusal, each of which names its place if there is one."""
    assert 400 <= answer.status_code < 500, f"{answer.status_code} {answer.text[:300]}"
    found = issues(answer)
    for issue in found:
        assert issue["severity"] == "error"
        assert len(issue["diagnostics"]) > 10
        pointed = issue.get("expression") or answer.status_code in NOWHERE or any(text in issue["diagnostics"] for text in WHOLE)
        assert pointed, f"{answer.request.method} {answer.request.url} {answer.status_code} {issue}"
    return found


@dataclass(frozen=True, slots=True)
class Situation:
    """A request of the matrix made wrong: what is added to its URL and headers, and what replaces its body."""

    query: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: Callable[[Any], Any] | None = None


SITUATIONS: dict[str, Situation] = {
    "unknown parameter": Situation(query="nonsense=1"),
    "parameter twice": Situation(query="_count=1&_count=2"),
    "bad count": Situation(query="_count=x"),
    "bad summary": Situation(query="_summary=nonsense"),
    "bad elements": Situation(query="_elements=a.b"),
    "bad date": Situation(query="_lastUpdated=never"),
    "bad page link": Situation(query="_page=nonsense"),
    "bad format": Situation(query="_format=ttl"),
    "not UTF-8": Situation(query="a=%ff"),
    "too many parameters": Situation(query="&".join(["a=b"] * 120)),
    "not acceptable": Situation(headers={"Accept": "text/turtle"}),
    "another charset": Situation(headers={"Accept-Charset": "iso-8859-1"}),
    "media type": Situation(headers={"Content-Type": "text/plain"}),
    "no media type": Situation(headers={"Content-Type": ""}),
    "stale If-Match": Situation(headers={"If-Match": 'W/"77"'}),
    "bad If-Match": Situation(headers={"If-Match": "nonsense"}),
    "If-None-Match": Situation(headers={"If-None-Match": "*"}),
    "bad If-None-Exist": Situation(headers={"If-None-Exist": "nonsense=1"}),
    "empty If-None-Exist": Situation(headers={"If-None-Exist": ""}),
    "bad X-Provenance": Situation(headers={"X-Provenance": '{"resourceType": "Provenance"}'}),
    "no X-Provenance": Situation(headers={"X-Provenance": "nonsense"}),
    "no body": Situation(body=lambda _: b""),
    "nonsense": Situation(body=lambda _: b"{nonsense"),
    "a list": Situation(body=lambda _: b"[]"),
    "another type": Situation(body=lambda _: {"resourceType": "Basic", "code": {"text": "x"}}),
    "no type": Situation(body=lambda _: {"status": "final"}),
    "unknown element": Situation(body=lambda sent: {**sent, "nonsense": 1} if isinstance(sent, dict) else sent),
}
FHIR = [row for row in ROUTES if row.guard == "fhir" and row.path.startswith("/fhir")]


@dataclass(frozen=True, slots=True)
class Target:
    patient: str
    reading: str


@pytest.fixture(scope="module")
def seen(ehr: Caller) -> Target:
    made = ehr.create(patient())
    return Target(made["id"], ehr.create(observation(made["id"]))["id"])


def made_wrong(row: RouteRow, situation: Situation, on: Any, caller: Caller) -> httpx.Response:
    request = REQUESTS[name_of(row)]
    path, body = request.path(on), request.body(on)
    if situation.query:
        path += ("&" if "?" in path else "?") + situation.query
    if situation.body is not None and body is not None:
        body = situation.body(body)
    content = json.dumps(body).encode() if isinstance(body, dict) else body
    headers = {"Content-Type": request.content_type, **situation.headers}
    return caller.request(row.method, path, content=content, headers=headers)


@pytest.mark.parametrize("what", SITUATIONS)
@pytest.mark.parametrize("row", FHIR, ids=name_of)
def test_every_route_made_wrong_in_every_way_says_where(ehr: Caller, seen: Target, row: RouteRow, what: str) -> None:
    """FHIR.md 4b.11: never 5xx for a client's fault; what is refused is refused with its place."""
    fresh = Target(seen.patient, ehr.create(observation(seen.patient))["id"]) if "delete" in row.interaction else seen
    answer = made_wrong(row, SITUATIONS[what], fresh, ehr)
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        located(answer)


@pytest.mark.parametrize("name", [name for name in MALFORMED if MALFORMED[name][0].startswith("/fhir")])
def test_what_is_malformed_in_the_matrix_of_all_routes_says_where(ehr: Caller, name: str) -> None:
    path, body = MALFORMED[name]
    (row,) = [one for one in FHIR if name_of(one) == name]
    content_type = REQUESTS[name].content_type
    located(ehr.request(row.method, path, content=body, headers={"Content-Type": content_type}))


ONE: dict[str, tuple[str, str, Any, dict[str, str], int, str]] = {
    "read: summary": ("GET", f"Patient/{ABSENT}?_summary=count", None, {}, 400, "http._summary"),
    "read: elements": ("GET", f"Patient/{ABSENT}?_elements=nickname", None, {}, 400, "http._elements"),
    "read: Accept": ("GET", f"Patient/{ABSENT}", None, {"Accept": "text/turtle"}, 406, "http.Accept"),
    "read: Accept-Charset": ("GET", f"Patient/{ABSENT}", None, {"Accept-Charset": "koi8-r"}, 406, "http.Accept-Charset"),
    "read: _format": ("GET", f"Patient/{ABSENT}?_format=ttl", None, {}, 406, "http._format"),
    "create: Content-Type": ("POST", "Organization", organization(), {"Content-Type": "text/plain"}, 415, "http.Content-Type"),
    "create: type": ("POST", "Organization", patient(), {}, 400, "Organization"),
    "create: criteria": ("POST", "Organization", organization(), {"If-None-Exist": "nonsense=1"}, 400, "http.nonsense"),
    "create: no criteria": ("POST", "Organization", organization(), {"If-None-Exist": "_sort=name"}, 400, "http.If-None-Exist"),
    "create: chain": ("POST", "Patient", patient(), {"If-None-Exist": "organization.name=x"}, 400, "http.If-None-Exist"),
    "update: If-Match": ("PUT", "Organization/{made}", organization("y"), {"If-Match": 'W/"7"'}, 412, "http.If-Match"),
    "update: no If-Match": ("PUT", "Organization/{made}", organization("y"), {"If-Match": "x"}, 412, "http.If-Match"),
    "update: If-None-Match": ("PUT", "Organization/{made}", organization("y"), {"If-None-Match": "*"}, 412, "http.If-None-Match"),
    "update: criteria": ("PUT", "Organization?_sort=name&name=x", organization(), {}, 400, "http._sort"),
    "update: many": ("PUT", "Organization?identifier=urn:located|1", organization(), {}, 412, "http.identifier"),
    "delete: many": ("DELETE", "Organization?identifier=urn:located|1", None, {}, 412, "http.identifier"),
    "patch: a test": ("PATCH", "Organization/{made}", b'[{"op":"test","path":"/name","value":"x"}]', {}, 422, "Organization.name"),
    "patch: a place": ("PATCH", "Organization/{made}", b'[{"op":"remove","path":"/alias/3"}]', {}, 422, "Organization.alias[3]"),
    "patch: no value": ("PATCH", "Organization/{made}", b'[{"op":"add","path":"/x y"}]', {}, 400, "Organization"),
    "search: criteria": ("GET", "Organization?" + "&".join(["active=true"] * 40), None, {}, 400, "http.active"),
    "search: includes": ("GET", "Organization?" + "&".join(["_include=*"] * 40), None, {}, 400, "http._include"),
    "search: form": ("POST", "Organization/_search", b"{}", {}, 415, "http.Content-Type"),
    "history: name": ("GET", "Organization/_history?nonsense=1", None, {}, 400, "http.nonsense"),
    "everything: start": ("GET", f"Patient/{ABSENT}/$everything?start=x", None, {}, 400, "Parameters.parameter.where(name='start')"),
    "everything: name": ("GET", f"Patient/{ABSENT}/$everything?x=x", None, {}, 400, "Parameters.parameter.where(name='x')"),
    "lastn: nobody": ("GET", "Observation/$lastn", None, {}, 400, "Parameters.parameter.where(name='patient')"),
    "lastn: count": ("GET", "Observation/$lastn?patient=x&_count=1", None, {}, 400, "Parameters.parameter.where(name='_count')"),
    "expand: url": ("GET", "ValueSet/$expand?url=urn:nowhere", None, {}, 404, "Parameters.parameter.where(name='url')"),
    "meta": ("POST", "Organization/{made}/$meta-add", {"resourceType": "Parameters"}, {}, 400, "Parameters.parameter.where(name='meta')"),
    "validate": ("POST", "Organization/$validate", {"resourceType": "Parameters"}, {}, 400, "Parameters.parameter.where(name='resource')"),
    "bundle: type": ("POST", "/fhir", {"resourceType": "Bundle", "type": "document"}, {}, 400, "Bundle.type"),
    "bundle: method": ("POST", "/fhir", bundle(entry("DANCE", "x")), {}, 400, "Bundle.entry[0].request"),
}


NOBODY = {"reference": f"Patient/{ABSENT}"}
NOTHING = {"reference": f"Observation/{ABSENT}"}
TOLD = {"resourceType": "Provenance", "recorded": "2026-11-22T12:00:00Z", "agent": [{"who": {"display": "somebody"}}]}
ABOUT: dict[str, tuple[Json, str]] = {
    "subject": (observation(ABSENT), "Observation.subject.reference"),
    "performer": (
        {**observation(None, subject={"reference": "Patient/{seen}"}), "performer": [NOBODY]},
        "Observation.performer[0].reference",
    ),
    "wearer": ({"resourceType": "Device", "patient": NOBODY}, "Device.patient.reference"),
    "member": (
        {
            "resourceType": "Group",
            "type": "person",
            "actual": True,
            "member": [{"entity": {"reference": "Patient/{seen}"}}, {"entity": NOBODY}],
        },
        "Group.member[1].entity.reference",
    ),
    "target": ({**TOLD, "target": [{"reference": "Observation/{reading}"}, NOTHING]}, "Provenance.target"),
    "context": ({"resourceType": "Binary", "contentType": "text/plain", "securityContext": NOTHING}, "Binary.securityContext"),
}


@pytest.mark.parametrize("what", ABOUT)
def test_what_cannot_be_found_is_named_by_its_place(ehr: Caller, stranger: Caller, seen: Target, what: str) -> None:
    """The error that an integrator meets first: the reference that leads to nothing that this caller may see; hidden and absent alike."""
    resource, place = ABOUT[what]
    body = json.dumps(resource).replace("{seen}", seen.patient).replace("{reading}", seen.reading)
    (absent,) = located(ehr.post(resource["resourceType"], body))
    assert absent["expression"] == [place]
    only = json.dumps(resource).replace("{seen}", ABSENT).replace("{reading}", ABSENT)
    hidden = only.replace(f"Patient/{ABSENT}", f"Patient/{seen.patient}").replace(f"Observation/{ABSENT}", f"Observation/{seen.reading}")
    answers = [stranger.post(resource["resourceType"], one) for one in (only, hidden)]
    assert answers[0].status_code == answers[1].status_code == 422
    assert answers[0].content == answers[1].content


def test_a_resource_that_would_move_is_named_by_its_subject(ehr: Caller, seen: Target) -> None:
    made = ehr.create(observation(seen.patient))
    moved = {**made, "subject": {"reference": f"Patient/{ehr.create(patient())['id']}"}}
    assert located(ehr.put(f"Observation/{made['id']}", moved))[0]["expression"] == ["Observation.subject"]


@pytest.fixture(scope="module")
def made(ehr: Caller) -> Json:
    two = [ehr.create(organization("Située", identifier=[{"system": "urn:located", "value": "1"}])) for _ in range(2)]
    return two[0]


@pytest.mark.parametrize("what", ONE)
def test_the_place_is_that_of_the_fault(ehr: Caller, made: Json, what: str) -> None:
    """operationoutcome.html#OperationOutcome.issue.location: "For HTTP errors, will be "http." + the parameter name"."""
    method, path, body, headers, status, expression = ONE[what]
    if isinstance(body, dict) and method == "PUT" and "{made}" in path:
        body = {**body, "id": made["id"]}
    content = json.dumps(body).encode() if isinstance(body, dict) else body
    content_type = JSON_PATCH if method == "PATCH" else FHIR_JSON
    answer = ehr.request(method, path.format(made=made["id"]), content=content, headers={"Content-Type": content_type, **headers})
    assert answer.status_code == status, answer.text
    assert expression in located(answer)[0]["expression"]
