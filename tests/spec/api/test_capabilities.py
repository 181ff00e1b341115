"""FHIR capabilities: what the hub says it does, it does. https://hl7.org/fhir/R4/http.html#capabilities"""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from fhir_profiles.definitions import RESOURCE_TYPES as R4_TYPES
from fhir_profiles.r4 import check
from hub.routes import ROUTES
from tests.spec.search.examples import example
from tests.support.caller import Caller, ids, link
from tests.support.outcomes import refused
from tests.support.resources import ABSENT, LOINC, consent, device, observation, organization, patient, practitioner

Json = dict[str, Any]
PRESSURE = {"value": 120, "unit": "mmHg", "system": "http://unitsofmeasure.org", "code": "mm[Hg]"}

ANNOUNCED = ("Patient", "Practitioner", "Organization", "Device", "Observation", "Consent", "AuditEvent")
"""Types of which there is an example."""
SEARCHED = (*ANNOUNCED, "DiagnosticReport", "Condition", "Encounter", "Questionnaire", "ValueSet", "RiskAssessment", "Group", "Task")
"""Types whose parameters are asked for over HTTP; all others are in tests/spec/search/test_parameters.py."""


@pytest.fixture(scope="module")
def statement(http: httpx.Client) -> Json:
    """Without a token: https://hl7.org/fhir/R4/http.html#capabilities is for everybody."""
    answer = http.get("/fhir/metadata")
    assert answer.status_code == 200
    body: Json = answer.json()
    return body


def announced(statement: Json) -> dict[str, Json]:
    return {one["type"]: one for one in statement["rest"][0]["resource"]}


def test_it_is_a_capability_statement_of_r4(statement: Json) -> None:
    """capabilitystatement.html: an instance of FHIR 4.0.1 that speaks JSON and XML."""
    assert (statement["fhirVersion"], statement["kind"], statement["status"]) == ("4.0.1", "instance", "active")
    assert {"application/fhir+json", "application/fhir+xml"} <= set(statement["format"])
    assert check(statement) == ()


def test_it_names_the_types_of_the_hub(statement: Json) -> None:
    """resourcelist.html: every type of R4 but the two that are never stored."""
    assert set(announced(statement)) == R4_TYPES - {"OperationOutcome", "Parameters"}


def test_each_interaction_with_the_whole_system_that_is_announced_works(statement: Json, ehr: Caller) -> None:
    """capabilitystatement.html: rest.interaction."""
    nothing = {"resourceType": "Bundle", "type": "transaction"}
    asked: dict[str, tuple[str, str, Json | None]] = {
        "history-system": ("GET", "_history?_since=2126", None),
        "search-system": ("GET", "/fhir?_count=0", None),
        "transaction": ("POST", "/fhir", nothing),
        "batch": ("POST", "/fhir", {**nothing, "type": "batch"}),
    }
    assert {one["code"] for one in statement["rest"][0]["interaction"]} == set(asked)
    for method, path, body in asked.values():
        answer = ehr.post(path, body) if body else ehr.request(method, path)
        assert answer.status_code == 200, answer.text


def test_the_operations_that_are_announced_are_those_that_have_a_route(statement: Json) -> None:
    """capabilitystatement.html: rest.resource.operation, by the name and with the definition of R4, or ours."""
    paths = [row.path.split("/")[2:] for row in ROUTES if row.interaction == "operation"]
    routed = {(parts[0], parts[-1].removeprefix("$")) for parts in paths}
    for type, said in announced(statement).items():
        names = {one["name"] for one in said["operation"]}
        written = {"meta-add", "meta-delete"} if type == "AuditEvent" else set()
        assert names == {name for of, name in routed if of in (type, "{type}")} - written
        for one in said["operation"]:
            of = type if (type, one["name"]) in routed else "Resource"
            base = "http://hds-hub.invalid/fhir" if one["name"] == "measures" else "http://hl7.org/fhir"
            assert one["definition"] == f"{base}/OperationDefinition/{of}-{one['name']}"


def test_the_profiles_that_are_announced_are_followed(statement: Json, ehr: Caller) -> None:
    """capabilitystatement.html: supportedProfile; a resource that breaks one that it claims is refused."""
    said = announced(statement)["Observation"]["supportedProfile"]
    assert "http://hl7.org/fhir/StructureDefinition/vitalsigns" in said
    person = ehr.create(patient())
    for profile in said:
        wrong = {
            "resourceType": "Observation",
            "meta": {"profile": [profile]},
            "status": "final",
            "code": {"text": "x"},
            "subject": {"reference": f"Patient/{person['id']}"},
        }
        assert ehr.post("Observation", wrong).status_code == 422, profile


def test_the_forms_of_patches_that_are_announced_are_taken(statement: Json, ehr: Caller) -> None:
    """capabilitystatement.html: patchFormat. What cannot be read in a form that is known is 400, not 415."""
    made = ehr.create(organization())
    assert "application/json-patch+json" in statement["patchFormat"]
    for form in statement["patchFormat"]:
        refused(ehr.request("PATCH", f"Organization/{made['id']}", content=b"?", headers={"Content-Type": form}), 400, "structure")


def test_it_says_where_tokens_are_had(statement: Json, http: httpx.Client) -> None:
    """SMART App Launch 2.2, conformance: the token endpoint, also in the CapabilityStatement."""
    security = statement["rest"][0]["security"]
    assert security["service"][0]["coding"][0]["code"] == "SMART-on-FHIR"
    said = security["extension"][0]["extension"][0]["valueUri"]
    assert said == http.get("/fhir/.well-known/smart-configuration").json()["token_endpoint"]


def test_everybody_may_ask_from_any_page(http: httpx.Client) -> None:
    """SECURITY 1.3 (8, 9): CORS for discovery and metadata."""
    for path in ("/fhir/metadata", "/fhir/.well-known/smart-configuration"):
        answer = http.get(path, headers={"Origin": "https://app.example"})
        assert answer.headers["access-control-allow-origin"] == "*"


def test_it_counts_nothing_and_names_nobody(statement: Json, ehr: Caller, http: httpx.Client) -> None:
    """SECURITY 2.4 (68): the same statement before and after a patient came."""
    ehr.create(patient())
    assert http.get("/fhir/metadata").json() == statement


@pytest.fixture(scope="module")
def examples(ehr: Caller, auditor: Caller) -> dict[str, Json]:
    person = ehr.create(patient())
    made = [
        person,
        ehr.create(practitioner()),
        ehr.create(organization()),
        ehr.create(device()),
        ehr.create(observation(person["id"])),
        ehr.create(consent(person["id"])),
        auditor.search("AuditEvent?_count=1")["entry"][0]["resource"],
    ]
    return {one["resourceType"]: one for one in made}


def interactions(type: str, example: Json) -> Iterator[tuple[str, str, str, int]]:
    """(interaction, method, path, status when it works)"""
    yield "read", "GET", f"{type}/{example['id']}", 200
    yield "vread", "GET", f"{type}/{example['id']}/_history/{example['meta']['versionId']}", 200
    yield "search-type", "GET", f"{type}?_id={example['id']}", 200
    yield "history-instance", "GET", f"{type}/{example['id']}/_history", 200
    yield "history-type", "GET", f"{type}/_history?_count=1", 200
    yield "create", "POST", type, 201
    yield "update", "PUT", f"{type}/{example['id']}", 200
    yield "patch", "PATCH", f"{type}/{example['id']}", 200
    # Each example is needed by the next one: what a Patient still has keeps it.
    yield "delete", "DELETE", f"{type}/{example['id']}", 409 if type == "Patient" else 204


@pytest.mark.parametrize("type", ANNOUNCED)
def test_each_interaction_that_is_announced_works_and_no_other(
    type: str, statement: Json, examples: dict[str, Json], ehr: Caller, auditor: Caller
) -> None:
    """Law 6: the hub does it, or says clearly that it does not."""
    caller, example = auditor if type == "AuditEvent" else ehr, examples[type]
    said = {one["code"] for one in announced(statement)[type]["interaction"]}
    for code, method, path, status in interactions(type, example):
        body: dict[str, Any] = {"json": example} if method in ("POST", "PUT") else {}
        if method == "PATCH":
            body = {"content": b"[]", "headers": {"Content-Type": "application/json-patch+json"}}
        answer = caller.request(method, path, **body)
        assert (answer.status_code == status) is (code in said), (code, answer.status_code, answer.text[:200])


@pytest.mark.parametrize("type", SEARCHED)
def test_each_search_parameter_that_is_announced_is_taken(type: str, statement: Json, ehr: Caller, auditor: Caller) -> None:
    """capabilitystatement.html: searchParam is what the server takes; each answers 200 under strict handling."""
    caller = auditor if type == "AuditEvent" else ehr
    parameters = announced(statement)[type]["searchParam"]
    assert {one["name"] for one in parameters} >= {"_id", "_lastUpdated", "_profile", "_tag", "_security", "_source"}
    for parameter in parameters:
        answer = caller.get(f"{type}?{urlencode([asked(type, parameter['name'])])}", headers={"Prefer": "handling=strict"})
        assert answer.status_code == 200, (parameter, answer.text)
        assert f"{parameter['name']}=" in (link(answer.json(), "self") or "")


def asked(type: str, code: str) -> tuple[str, str]:
    known = {"_id": ABSENT, "_lastUpdated": "ge2020-01-01", "deceased": "true"}
    return code, known[code] if code in known else example(type, code, 0)[0]


@pytest.mark.parametrize("type", ANNOUNCED)
def test_includes_that_are_announced_are_references(type: str, statement: Json) -> None:
    """capabilitystatement.html: searchInclude and searchRevInclude, as `_include` and `_revinclude` take them."""
    said = announced(statement)[type]
    references = {one["name"] for one in said["searchParam"] if one["type"] == "reference"}
    assert {value.partition(":")[2] for value in said.get("searchInclude", []) if value != "*"} <= references
    assert all(value.partition(":")[0] == type for value in said.get("searchInclude", []) if value != "*")
    if type != "AuditEvent":
        assert "Provenance:target" in said["searchRevInclude"]
    for value in said["searchRevInclude"]:
        source, _, code = value.partition(":")
        assert {"name": code, "type": "reference"} in announced(statement)[source]["searchParam"]


@pytest.mark.parametrize("type", ANNOUNCED)
def test_what_is_not_announced_is_refused(type: str, statement: Json, ehr: Caller, auditor: Caller) -> None:
    """search.html#errors: a parameter that the server does not have is not passed over in silence."""
    caller = auditor if type == "AuditEvent" else ehr
    said = {one["name"] for one in announced(statement)[type]["searchParam"]}
    for name in {
        "_text",
        "_content",
        "_has",
        "_filter",
        "_query",
        "near",
        "phonetic",
        "_type",
    } - said:
        refused(caller.get(f"{type}?{name}=x"), 400, "not-supported")


def test_versions_are_announced_as_they_are(statement: Json) -> None:
    """capabilitystatement.html: versioned, with old versions readable; no update-as-create; what is conditional."""
    for type, said in announced(statement).items():
        if type == "AuditEvent":
            continue
        assert (said["versioning"], said["readHistory"]) == ("versioned", True)
        assert (said["updateCreate"], said["conditionalCreate"], said["conditionalUpdate"]) == (False, True, True)
        assert (said["conditionalRead"], said["conditionalDelete"]) == ("full-support", "single")


@pytest.mark.parametrize("type", ["Organization", "Practitioner", "Device", "Location"])
def test_what_is_announced_of_conditions_and_versions_is_so(type: str, ehr: Caller) -> None:
    """capabilitystatement.html: conditionalCreate, -Update, -Read, -Delete, updateCreate, readHistory, each of them tried."""
    key = f"identifier=urn:announced|{type}"
    resource = {"resourceType": type, "identifier": [{"system": "urn:announced", "value": type}]}
    resource |= {"name": "x"} if type in ("Organization", "Location") else {}
    created = [ehr.post(type, resource, headers={"If-None-Exist": key}) for _ in range(2)]
    assert [one.status_code for one in created] == [201, 200]
    path = f"{type}/{created[0].json()['id']}"
    updated = ehr.put(f"{type}?{key}", {**resource, "language": "fr"})
    assert (updated.status_code, updated.headers["etag"]) == (200, 'W/"2"')
    for known in ({"If-None-Match": 'W/"2"'}, {"If-Modified-Since": updated.headers["last-modified"]}):
        assert ehr.get(path, headers=known).status_code == 304
    assert ehr.get(f"{path}/_history/1").json() == created[0].json()
    refused(ehr.put(f"{type}/{ABSENT}", {**resource, "id": ABSENT}), 404, "not-found")
    ehr.create(resource)
    refused(ehr.request("DELETE", f"{type}?{key}"), 412, "multiple-matches")
    assert [ehr.request("DELETE", f"{type}?_id={id}").status_code for id in ehr.found(f"{type}?{key}")] == [204, 204]
    refused(ehr.get(path), 410, "deleted")


@pytest.mark.parametrize("mode", ["full", "normative", "terminology"])
def test_the_statement_is_the_same_in_every_mode(statement: Json, http: httpx.Client, mode: str) -> None:
    """http.html#capabilities: a server may ignore the mode, and answers with a CapabilityStatement then."""
    assert http.get(f"/fhir/metadata?mode={mode}").json() == statement


def test_parameters_have_the_types_of_the_specification(statement: Json) -> None:
    """https://hl7.org/fhir/R4/searchparameter-registry.html"""
    types = {(type, one["name"]): one["type"] for type, said in announced(statement).items() for one in said["searchParam"]}
    assert types["Observation", "code"] == types["Patient", "identifier"] == types["Patient", "_id"] == "token"
    assert types["Observation", "date"] == types["Patient", "birthdate"] == types["Patient", "_lastUpdated"] == "date"
    assert types["Observation", "subject"] == types["AuditEvent", "entity"] == "reference"
    assert types["Patient", "name"] == "string"


def test_each_parameter_finds_what_it_says(ehr: Caller) -> None:
    """One resource of each kind, found by each of its parameters."""
    organized = ehr.create(organization("Zzfindable", alias=["Zzalias"], active=True, identifier=[{"system": "urn:find", "value": "o"}]))
    person = ehr.create(
        patient(
            "Zzfamille",
            name=[{"family": "Zzfamille", "given": ["Zzprenom"]}],
            birthDate="1970-02-03",
            gender="female",
            active=False,
            identifier=[{"system": "urn:find", "value": "p"}],
            managingOrganization={"reference": ehr.account.organization},
        )
    )
    thing = ehr.create(
        device(
            "Zzappareil",
            manufacturer="Zzfabricant",
            modelNumber="Zzmodele",
            status="active",
            type={"coding": [{"system": "urn:t", "code": "zz"}]},
            identifier=[{"system": "urn:find", "value": "d"}],
            patient={"reference": f"Patient/{person['id']}"},
        )
    )
    reading = ehr.create(
        observation(
            person["id"],
            identifier=[{"system": "urn:find", "value": "r"}],
            device={"reference": f"Device/{thing['id']}"},
            performer=[{"reference": organized_reference(organized)}],
            component=[{"code": {"coding": [{"system": LOINC, "code": "8480-6"}]}, "valueQuantity": PRESSURE}],
        )
    )
    agreed = ehr.create(
        consent(person["id"], identifier=[{"system": "urn:find", "value": "c"}], provision={"period": {"start": "2026-01-01"}})
    )
    carer = ehr.create(practitioner("Zzsoignant", active=True, identifier=[{"system": "urn:find", "value": "s"}]))
    mine = f"patient={person['id']}"
    expected = {
        organized["id"]: [
            "Organization?name=zzfind",
            "Organization?name=Zzalias",
            "Organization?identifier=urn:find|o",
            "Organization?identifier=urn:find|o&active=true",
        ],
        person["id"]: [
            "Patient?name=zzprenom",
            "Patient?family=Zzfam",
            "Patient?given=zzp",
            "Patient?name=zzfamille&birthdate=1970-02-03",
            "Patient?name=zzfamille&gender=female",
            "Patient?name=zzfamille&active=false",
            f"Patient?name=zzfamille&organization={ehr.account.organization}",
            "Patient?identifier=urn:find|p",
        ],
        thing["id"]: [
            "Device?device-name=Zzapp",
            "Device?manufacturer=zzfab",
            "Device?model=zzmod",
            "Device?type=urn:t|zz",
            f"Device?{mine}",
            f"Device?{mine}&status=active",
            "Device?identifier=urn:find|d",
        ],
        reading["id"]: [
            f"Observation?{mine}",
            f"Observation?subject=Patient/{person['id']}",
            f"Observation?{mine}&code=http://loinc.org|8867-4",
            f"Observation?{mine}&component-code=8480-6",
            f"Observation?{mine}&combo-code=8480-6",
            f"Observation?{mine}&combo-code=8867-4",
            f"Observation?{mine}&category=vital-signs",
            f"Observation?{mine}&date=2026-03-01",
            f"Observation?device=Device/{thing['id']}",
            f"Observation?{mine}&status=final",
            "Observation?identifier=urn:find|r",
            f"Observation?performer={organized_reference(organized)}",
        ],
        agreed["id"]: [
            f"Consent?{mine}",
            f"Consent?{mine}&status=active",
            f"Consent?{mine}&scope=patient-privacy",
            f"Consent?{mine}&category=59284-0",
            f"Consent?{mine}&date=2026-01-01",
            f"Consent?{mine}&period=ge2026-06-01",
            "Consent?identifier=urn:find|c",
        ],
        carer["id"]: [
            "Practitioner?name=zzsoi",
            "Practitioner?family=zzsoignant",
            "Practitioner?identifier=urn:find|s",
            "Practitioner?identifier=urn:find|s&active=true",
        ],
    }
    for id, queries in expected.items():
        for query in queries:
            assert ids(ehr.search(query)) == [id], query


def organized_reference(resource: Json) -> str:
    return f"{resource['resourceType']}/{resource['id']}"
