"""SMART App Launch 2.2, user-access brands: https://hl7.org/fhir/smart-app-launch/STU2.2/brands.html"""

from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from fhir_profiles.r4 import check
from hub.oauth.brands import brand_of
from hub.settings import Settings
from security.oauth.brands import bundle
from tests.support.process import PAGES

Json = dict[str, Any]
BASE = "https://hub.example.org"
WHOLE = {
    "brand_name": "Clinique du Lac",
    "brand_identifier": "https://lac.example.org",
    "brand_website": "https://lac.example.org/accueil",
    "brand_aliases": "Le Lac,CDL",
    "brand_categories": "prov,laboratory",
    "brand_logo": "https://lac.example.org/logo.svg",
    "brand_logo_terms": "https://lac.example.org/logo",
    "brand_portal_name": "Mon espace",
    "brand_portal_url": "https://espace.example.org",
    "brand_description": "Mesures des appareils confiés par la clinique.",
    "brand_developers_url": "https://lac.example.org/dev",
}
SETTINGS = {"defaults": {}, "whole": WHOLE}


def made(settings: dict[str, str]) -> Json:
    return bundle(brand_of(Settings(**settings), BASE), f"{BASE}/brands")  # type: ignore[arg-type]


def of_type(document: Json, type: str) -> list[Json]:
    return [one["resource"] for one in document["entry"] if one["resource"]["resourceType"] == type]


def parts(resource: Json, name: str) -> dict[str, Any]:
    """The sub-extensions of one extension, by name."""
    url = f"http://hl7.org/fhir/StructureDefinition/{name}"
    found = [one for one in resource["extension"] if one["url"] == url]
    return {part["url"]: next(value for key, value in part.items() if key != "url") for one in found for part in one["extension"]}


@pytest.fixture(scope="module")
def published(http: httpx.Client) -> httpx.Response:
    """As anybody gets it: no token, from a page of nobody we know."""
    return http.get("/brands", headers={"Origin": "https://elsewhere.example"})


def test_it_is_public_and_may_be_read_from_any_page(published: httpx.Response) -> None:
    """Managing CORS: for all GET requests to these artifacts."""
    assert published.status_code == 200
    assert published.headers["access-control-allow-origin"] == "*"
    assert published.headers["content-type"].partition(";")[0] == "application/fhir+json"


def test_it_is_a_collection_that_says_when_it_changed(published: httpx.Response) -> None:
    """User Access Brands Bundle: type and timestamp."""
    document = published.json()
    assert (document["resourceType"], document["type"]) == ("Bundle", "collection")
    assert document["timestamp"]


def test_who_has_it_already_is_told_so(http: httpx.Client, published: httpx.Response) -> None:
    """Caching Brand Bundles: a weak ETag, and If-None-Match; the browser may tell the page the tag."""
    etag = published.headers["etag"]
    assert etag.startswith('W/"')
    assert "ETag" in published.headers["access-control-expose-headers"]
    again = http.get("/brands", headers={"If-None-Match": f'"other", {etag}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
    assert http.get("/brands", headers={"If-None-Match": 'W/"other"'}).status_code == 200


def test_the_tag_changes_with_what_is_said() -> None:
    """RFC 9110 section 8.8.3: another representation has another tag."""
    assert made({}) != made({"brand_name": "Another"})


def test_discovery_names_the_bundle_and_the_one_brand_in_it(http: httpx.Client, published: httpx.Response) -> None:
    """Metadata in .well-known/smart-configuration: exactly one Organization.identifier matches the primary brand's."""
    discovered = http.get("/fhir/.well-known/smart-configuration").json()
    assert discovered["user_access_brand_bundle"] == str(published.url)
    wanted = discovered["user_access_brand_identifier"]
    matching = [one for one in of_type(published.json(), "Organization") if wanted in one["identifier"]]
    assert len(matching) == 1


def test_its_endpoint_answers_with_a_capability_statement(http: httpx.Client, published: httpx.Response) -> None:
    """Test kit, brands: every Endpoint is referenced, and what it names is a FHIR server."""
    (endpoint,) = of_type(published.json(), "Endpoint")
    assert http.get(f"{endpoint['address']}/metadata").json()["resourceType"] == "CapabilityStatement"


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_it_is_r4_and_everything_it_refers_to_is_in_it(settings: dict[str, str]) -> None:
    """Organization.endpoint: bundled; a portal's endpoints are among the organisation's."""
    document = made(settings)
    assert list(check(document)) == []
    names = {f"{one['resource']['resourceType']}/{one['resource']['id']}": one["fullUrl"] for one in document["entry"]}
    assert all(url == f"{BASE}/brands/{name}" for name, url in names.items())
    (organization,), (endpoint,) = of_type(document, "Organization"), of_type(document, "Endpoint")
    referred = {one["reference"] for one in organization["endpoint"]}
    assert parts(organization, "organization-portal")["portalEndpoint"]["reference"] in referred
    assert {*referred, endpoint["managingOrganization"]["reference"]} == set(names)


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_what_a_brand_must_have_it_has_whatever_is_set(settings: dict[str, str]) -> None:
    """User Access Brand: name, website, portal; nothing is said to be absent for a reason of our own."""
    document = made(settings)
    (organization,), (endpoint,) = of_type(document, "Organization"), of_type(document, "Endpoint")
    assert organization["name"]
    assert [one["system"] for one in organization["telecom"]] == ["url"]
    assert {"portalName", "portalUrl", "portalEndpoint"} <= set(parts(organization, "organization-portal"))
    assert endpoint["address"] == f"{BASE}/fhir"
    assert endpoint["contact"][0]["system"] == "url"
    assert endpoint["extension"][0]["valueCode"] == "4.0.1"
    assert "data-absent-reason" not in str(document)


def test_everything_that_can_be_set_is_said() -> None:
    """Must-Support: a publisher gives brands a way to say each of these."""
    (organization,), (endpoint,) = of_type(made(WHOLE), "Organization"), of_type(made(WHOLE), "Endpoint")
    assert organization["name"] == "Clinique du Lac"
    assert organization["identifier"] == [{"system": "urn:ietf:rfc:3986", "value": "https://lac.example.org"}]
    assert organization["alias"] == ["Le Lac", "CDL"]
    assert [one["coding"][0]["code"] for one in organization["type"]] == ["prov", "laboratory"]
    assert organization["telecom"][0]["value"] == WHOLE["brand_website"]
    logo = parts(organization, "organization-brand")
    assert logo == {"brandLogo": WHOLE["brand_logo"], "brandLogoLicense": WHOLE["brand_logo_terms"]}
    portal = parts(organization, "organization-portal")
    assert (portal["portalName"], portal["portalUrl"]) == ("Mon espace", "https://espace.example.org")
    assert portal["portalDescription"] == WHOLE["brand_description"]
    assert endpoint["contact"][0]["value"] == WHOLE["brand_developers_url"]


@pytest.mark.parametrize("value", ["yesterday", "2026-11-29", "2026-11-29T08:00:00", "2026-13-29T08:00Z"])
def test_when_it_changed_is_a_moment(value: str) -> None:
    """datatypes.html#instant: with a time and an offset."""
    with pytest.raises(ValidationError):
        Settings(brand_updated=value)


def test_a_page_of_ours_is_no_exception(http: httpx.Client) -> None:
    """Fetch: one answer for every origin, so that caches may keep one."""
    answer = http.get("/brands", headers={"Origin": PAGES})
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "origin" not in answer.headers.get("vary", "").lower()
