"""Conformance resources that come with the hub: read and searched like any others, and nobody's to write.

https://hl7.org/fhir/R4/conformance-module.html, https://hl7.org/fhir/R4/references.html#canonical
"""

from collections.abc import Callable
from typing import Any

import pytest

from fhir_profiles import shipped
from tests.support.backstage import Backstage
from tests.support.caller import Caller, resources
from tests.support.outcomes import refused

Json = dict[str, Any]
GENDERS = "http://hl7.org/fhir/ValueSet/administrative-gender"
OURS = "http://hds-hub.invalid/fhir/StructureDefinition/ans-heart-rate"
EACH = {
    "StructureDefinition": ("Observation", "http://hl7.org/fhir/StructureDefinition/Observation"),
    "ValueSet": ("administrative-gender", GENDERS),
    "CodeSystem": ("administrative-gender", "http://hl7.org/fhir/administrative-gender"),
    "SearchParameter": ("Observation-code-value-concept", "http://hl7.org/fhir/SearchParameter/Observation-code-value-concept"),
}
CONFORMANCE = " ".join(f"system/{type}.cruds" for type in (*EACH, "Questionnaire"))
TYPES = sorted(EACH)


@pytest.fixture(scope="module")
def author(another: Callable[..., Caller]) -> Caller:
    """May write conformance resources, and bring ids."""
    return another(CONFORMANCE, importer=True).narrowed(CONFORMANCE)


def value_set(**changed: Any) -> Json:
    return {"resourceType": "ValueSet", "url": "urn:example:of-mine", "status": "active", **changed}


@pytest.mark.parametrize("type", TYPES)
def test_what_is_shipped_is_read_with_its_version(ehr: Caller, type: str) -> None:
    """https://hl7.org/fhir/R4/http.html#read"""
    id, url = EACH[type]
    answer = ehr.get(f"{type}/{id}")
    assert (answer.status_code, answer.headers["etag"]) == (200, 'W/"1"')
    assert (answer.json()["id"], answer.json()["url"]) == (id, url)
    assert ehr.get(f"{type}/{id}", headers={"If-None-Match": 'W/"1"'}).status_code == 304


@pytest.mark.parametrize("type", TYPES)
def test_what_is_shipped_has_a_history(ehr: Caller, type: str) -> None:
    """https://hl7.org/fhir/R4/http.html#history, #vread"""
    id, _ = EACH[type]
    assert [one["resource"]["id"] for one in ehr.search(f"{type}/{id}/_history")["entry"]] == [id]
    assert ehr.get(f"{type}/{id}/_history/1").json()["id"] == id


@pytest.mark.parametrize("type", TYPES)
def test_what_is_shipped_is_found_by_its_url(ehr: Caller, type: str) -> None:
    """https://hl7.org/fhir/R4/references.html#canonical: by url, which is how others refer to it."""
    id, url = EACH[type]
    assert ehr.found(f"{type}?url={url}") == [id]
    assert ehr.found(f"{type}?_id={id}") == [id]
    assert ehr.found(f"{type}?url={url}x") == []


@pytest.mark.parametrize("type", TYPES)
def test_everything_that_is_shipped_is_there(ehr: Caller, type: str) -> None:
    """https://hl7.org/fhir/R4/search.html#total: exact for what a caller may see."""
    there = {one["url"] for one in shipped.resources() if one["resourceType"] == type}
    found = {one["url"] for page in ehr.pages(f"{type}?_count=100&_elements=url") for one in resources(page)}
    assert there <= found
    assert ehr.search(f"{type}?_summary=count")["total"] >= len(there)


def test_search_parameters_are_found_by_their_base(ehr: Caller) -> None:
    bundle = ehr.search("SearchParameter?base=Observation&_count=100&_sort=code")
    assert {"code-value-quantity", "component-code-value-quantity", "patient"} <= {one["code"] for one in resources(bundle)}
    assert all("Observation" in one["base"] for one in resources(bundle))


def test_our_profiles_are_found_by_their_type(ehr: Caller) -> None:
    found = [one["url"] for one in resources(ehr.search("StructureDefinition?type=Observation&derivation=constraint&_count=100"))]
    assert OURS in found


def test_what_is_shipped_is_there_in_xml(ehr: Caller) -> None:
    """https://hl7.org/fhir/R4/xml.html"""
    answer = ehr.get("StructureDefinition/Observation", headers={"Accept": "application/fhir+xml"})
    assert answer.status_code == 200
    assert answer.text.startswith("<")


def test_reading_what_is_shipped_takes_a_scope_and_leaves_a_record(
    ehr: Caller, backstage: Backstage, another: Callable[..., Caller]
) -> None:
    """Laws 1 and 2 of the design know no exception."""
    refused(another("system/Observation.rs").get("ValueSet/administrative-gender"), 403, "forbidden")
    answer = ehr.get("ValueSet/administrative-gender")
    (record,) = backstage.records(answer.headers["x-request-id"])
    assert record.kind == "read"
    assert "ValueSet/administrative-gender" in str(record.event["entity"])


def test_the_load_is_in_the_log(auditor: Caller) -> None:
    """Who put them there: the hub, under the operating-system user that started it."""
    pages = auditor.pages("AuditEvent?entity=ValueSet/administrative-gender&_count=1000")  # whoever has read it since is in the log, too
    found = [one for page in pages for one in resources(page)]
    assert any(one["subtype"][-1]["code"] == "conformance-load" for one in found)


@pytest.mark.parametrize("type", TYPES)
def test_what_is_shipped_cannot_be_updated(author: Caller, type: str) -> None:
    """https://hl7.org/fhir/R4/http.html#update: with the scope, as an importer, even with what is there already."""
    id, _ = EACH[type]
    there = author.get(f"{type}/{id}").json()
    for content in (there, {**there, "status": "retired"}, {**there, "url": "urn:example:other"}):
        refused(author.put(f"{type}/{id}", content), 403, "forbidden", expression=f"{type}.id")
    assert author.get(f"{type}/{id}").json() == there


def test_what_is_shipped_cannot_be_patched_or_deleted(author: Caller) -> None:
    """https://hl7.org/fhir/R4/http.html#patch, #delete"""
    patch = [{"op": "replace", "path": "/status", "value": "retired"}]
    answer = author.request("PATCH", "ValueSet/administrative-gender", json=patch, headers={"Content-Type": "application/json-patch+json"})
    refused(answer, 403, "forbidden")
    refused(author.request("DELETE", "ValueSet/administrative-gender"), 403, "forbidden")
    meta = {"resourceType": "Parameters", "parameter": [{"name": "meta", "valueMeta": {"tag": [{"code": "mine"}]}}]}
    refused(author.post("ValueSet/administrative-gender/$meta-add", meta), 403, "forbidden")
    assert author.get("ValueSet/administrative-gender").json()["meta"]["versionId"] == "1"


def test_what_is_shipped_cannot_be_changed_by_criteria(author: Caller) -> None:
    """https://hl7.org/fhir/R4/http.html#cond-update"""
    patch = [{"op": "replace", "path": "/status", "value": "retired"}]
    json_patch = {"Content-Type": "application/json-patch+json"}
    refused(author.put(f"ValueSet?url={GENDERS}", value_set(url=GENDERS)), 403, "forbidden")
    refused(author.request("DELETE", f"ValueSet?url={GENDERS}"), 403, "forbidden")
    refused(author.request("PATCH", f"ValueSet?url={GENDERS}", json=patch, headers=json_patch), 403, "forbidden")


def test_a_reserved_id_cannot_be_brought_with_criteria_that_match_nothing(author: Caller) -> None:
    content = value_set(id="administrative-gender", url="urn:example:brought")
    refused(author.put("ValueSet?url=urn:example:brought", content), 403, "forbidden")


@pytest.mark.parametrize("version", [None, "4.0.1", "5.0.0"])
@pytest.mark.parametrize("type", TYPES)
def test_nothing_else_takes_a_url_that_is_shipped(author: Caller, type: str, version: str | None) -> None:
    """Whoever relies on the url must find there what the hub goes by: in no version, and as no type."""
    url = EACH[type][1]
    content = value_set(url=url) if version is None else value_set(url=url, version=version)
    refused(author.post("ValueSet", content), 409, "duplicate", expression="ValueSet.url")
    refused(author.post("ValueSet", {**content, "url": f"{url}|{version}"}), 409, "duplicate", expression="ValueSet.url")
    refused(author.put("ValueSet/of-mine", {**content, "id": "of-mine"}), 409, "duplicate", expression="ValueSet.url")


def test_a_resource_of_ones_own_cannot_move_to_a_url_that_is_shipped(author: Caller) -> None:
    mine = author.create(value_set(url="urn:example:moving"))
    refused(author.put(f"ValueSet/{mine['id']}", {**mine, "url": GENDERS}), 409, "duplicate", expression="ValueSet.url")
    assert author.get(f"ValueSet/{mine['id']}").json() == mine


def test_a_conditional_create_finds_what_is_shipped(author: Caller) -> None:
    """https://hl7.org/fhir/R4/http.html#ccreate: a match is answered, and nothing is created."""
    answer = author.post("ValueSet", value_set(url=GENDERS), headers={"If-None-Exist": f"url={GENDERS}"})
    assert (answer.status_code, answer.json()["id"]) == (200, "administrative-gender")


@pytest.mark.parametrize(
    "request_",
    [
        {"method": "DELETE", "url": "ValueSet/administrative-gender"},
        {"method": "PUT", "url": "ValueSet/administrative-gender"},
        {"method": "POST", "url": "ValueSet"},
    ],
    ids=lambda one: str(one["method"]),
)
def test_a_transaction_that_touches_what_is_shipped_does_nothing(author: Caller, request_: Json) -> None:
    """https://hl7.org/fhir/R4/http.html#trules: all or nothing."""
    url = f"urn:example:beside-{request_['method']}"
    beside = {"resource": value_set(url=url), "request": {"method": "POST", "url": "ValueSet"}}
    entry: Json = {"request": request_}
    if request_["method"] != "DELETE":
        entry["resource"] = value_set(url=GENDERS, **({"id": "administrative-gender"} if request_["method"] == "PUT" else {}))
    answer = author.post("", {"resourceType": "Bundle", "type": "transaction", "entry": [beside, entry]})
    status, code = (409, "duplicate") if request_["method"] == "POST" else (403, "forbidden")
    issue = refused(answer, status, code)[0]
    assert issue["expression"][0].startswith("Bundle.entry[1]")
    assert author.found(f"ValueSet?url={url}") == []


def test_an_id_that_is_reserved_for_one_type_is_free_for_others(author: Caller) -> None:
    made = author.put(
        "Questionnaire/administrative-gender", {"resourceType": "Questionnaire", "id": "administrative-gender", "status": "draft"}
    )
    assert made.status_code == 201
