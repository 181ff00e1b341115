"""User-access brands. https://hl7.org/fhir/smart-app-launch/STU2.2/brands.html"""

from typing import Any

import httpx
import pytest

from tests.spec.smart.blackbox.target import Target

ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
Json = dict[str, Any]


@pytest.fixture(scope="module")
def answer(discovered: Json, web: httpx.Client) -> httpx.Response:
    return web.get(discovered["user_access_brand_bundle"])


@pytest.fixture(scope="module")
def resources(answer: httpx.Response) -> list[Json]:
    return [entry["resource"] for entry in answer.json()["entry"]]


def of_type(resources: list[Json], type: str) -> list[Json]:
    return [one for one in resources if one["resourceType"] == type]


def test_brands_are_public(answer: httpx.Response) -> None:
    """54. SMART 2.2 brands: published at a URL that needs no authorization."""
    assert answer.status_code == 200
    assert answer.json()["resourceType"] == "Bundle"


@pytest.mark.parametrize("origin", ["https://somewhere.example", "null"])
def test_any_page_may_read_brands(discovered: Json, web: httpx.Client, origin: str) -> None:
    """55. SMART 2.2 brands: publishers SHALL support CORS for all GET requests to the artifacts."""
    got = web.get(discovered["user_access_brand_bundle"], headers={"Origin": origin})
    assert got.headers["access-control-allow-origin"] in ("*", origin)


def test_brands_that_have_not_changed_are_not_sent_again(discovered: Json, web: httpx.Client, answer: httpx.Response) -> None:
    """56. SMART 2.2 brands, caching: a weak ETag, and If-None-Match answered by 304."""
    tag = answer.headers["etag"]
    assert tag.startswith('W/"')
    again = web.get(discovered["user_access_brand_bundle"], headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")


def test_brands_are_a_collection_with_its_time(answer: httpx.Response) -> None:
    """57. SMART 2.2 brands: type collection; SHALL populate Bundle.timestamp."""
    assert answer.json()["type"] == "collection"
    assert answer.json()["timestamp"]


def test_each_endpoint_is_referenced_and_answers(resources: list[Json], web: httpx.Client, target: Target) -> None:
    """58. SMART 2.2 brands: a primary brand that references each FHIR endpoint; each address has a CapabilityStatement."""
    referenced = {one["reference"] for brand in of_type(resources, "Organization") for one in brand.get("endpoint", ())}
    endpoints = of_type(resources, "Endpoint")
    assert endpoints
    for endpoint in endpoints:
        assert any(reference.endswith((f"Endpoint/{endpoint['id']}", endpoint["id"])) for reference in referenced)
        assert web.get(f"{endpoint['address']}/metadata").json()["resourceType"] == "CapabilityStatement"
    assert target.fhir in {endpoint["address"] for endpoint in endpoints}


def test_the_identifier_names_exactly_one_brand(discovered: Json, resources: list[Json]) -> None:
    """Beyond: SMART 2.2 brands: the identifier of discovery matches exactly one Organization.identifier."""
    wanted = discovered["user_access_brand_identifier"]
    assert wanted["value"]
    brands = of_type(resources, "Organization")
    matching = [one for one in brands if any(all(item.get(name) == value for name, value in wanted.items()) for item in one["identifier"])]
    assert len(matching) == 1


def test_absent_reasons_are_the_two_that_are_allowed(answer: httpx.Response) -> None:
    """Beyond: SMART 2.2 brands: SHALL NOT use data absent reasons other than asked-declined or asked-unknown."""
    assert set(_reasons(answer.json())) <= {"asked-declined", "asked-unknown"}


def _reasons(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["valueCode"]] if node.get("url") == ABSENT else []
        return own + [reason for value in node.values() for reason in _reasons(value)]
    return [reason for item in node for reason in _reasons(item)] if isinstance(node, list) else []
