"""User-access brands: whose hub this is, for apps that show people where their data can be had.

https://hl7.org/fhir/smart-app-launch/STU2.2/brands.html. One brand, one portal, one endpoint.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

BRANDS_PATH = "/brands"
URI = "urn:ietf:rfc:3986"
EXTENSIONS = "http://hl7.org/fhir/StructureDefinition"
TERMINOLOGY = "http://terminology.hl7.org/CodeSystem"
ORGANIZATION, ENDPOINT = "Organization/brand", "Endpoint/fhir"

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Brand:
    """What people know the hub by. URLs are absolute.

    identifier    a URI that stands for the organisation wherever it is published
    website       for people; portal: where they manage their access; developers: where an app's makers read how to connect
    logo, logo_terms  URL of a picture, and of the terms under which it may be shown
    categories    codes of http://terminology.hl7.org/CodeSystem/organization-type
    updated       when anything of it changed last, as a FHIR instant
    """

    name: str
    identifier: str
    website: str
    portal_name: str
    portal: str
    developers: str
    fhir_base: str
    updated: str
    aliases: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    description: str | None = None
    logo: str | None = None
    logo_terms: str | None = None


def brand_identifier(brand: Brand) -> Json:
    """`user_access_brand_identifier`: the one that exactly one Organization of the Bundle has."""
    return {"system": URI, "value": brand.identifier}


def brand_metadata(brand: Brand, base_url: str) -> Json:
    """What .well-known/smart-configuration says of it."""
    return {"user_access_brand_bundle": base_url.rstrip("/") + BRANDS_PATH, "user_access_brand_identifier": brand_identifier(brand)}


def bundle(brand: Brand, url: str) -> Json:
    """The Bundle of the brand and its endpoint. `url`: where it is published, below which its entries are named."""
    entries = ((ORGANIZATION, _organization(brand)), (ENDPOINT, _endpoint(brand)))
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "timestamp": brand.updated,
        "entry": [{"fullUrl": f"{url}/{name}", "resource": resource} for name, resource in entries],
    }


def _organization(brand: Brand) -> Json:
    type = [{"coding": [{"system": f"{TERMINOLOGY}/organization-type", "code": code}]} for code in brand.categories]
    return {
        "resourceType": "Organization",
        "id": ORGANIZATION.partition("/")[2],
        "extension": [*_brand_details(brand), _portal_details(brand)],
        "identifier": [brand_identifier(brand)],
        "active": True,
        **({"type": type} if type else {}),
        "name": brand.name,
        **({"alias": list(brand.aliases)} if brand.aliases else {}),
        "telecom": [{"system": "url", "value": brand.website}],
        "endpoint": [{"reference": ENDPOINT, "display": _endpoint_name(brand)}],
    }


def _brand_details(brand: Brand) -> list[Json]:
    urls = (("brandLogo", brand.logo), ("brandLogoLicense", brand.logo_terms if brand.logo else None))
    parts = [_part(name, "valueUrl", value) for name, value in urls if value]
    return [_extension("organization-brand", parts)] if parts else []


def _portal_details(brand: Brand) -> Json:
    described = [_part("portalDescription", "valueMarkdown", brand.description)] if brand.description else []
    endpoint = {"reference": ENDPOINT, "display": _endpoint_name(brand)}
    parts = [
        _part("portalName", "valueString", brand.portal_name),
        *described,
        _part("portalUrl", "valueUrl", brand.portal),
        _part("portalEndpoint", "valueReference", endpoint),
    ]
    return _extension("organization-portal", parts)


def _endpoint(brand: Brand) -> Json:
    none = {"system": f"{TERMINOLOGY}/endpoint-payload-type", "code": "none"}
    return {
        "resourceType": "Endpoint",
        "id": ENDPOINT.partition("/")[2],
        "extension": [{"url": f"{EXTENSIONS}/endpoint-fhir-version", "valueCode": "4.0.1"}],
        "status": "active",
        "connectionType": {"system": f"{TERMINOLOGY}/endpoint-connection-type", "code": "hl7-fhir-rest"},
        "name": _endpoint_name(brand),
        "managingOrganization": {"reference": ORGANIZATION, "display": brand.name},
        "contact": [{"system": "url", "value": brand.developers}],
        "payloadType": [{"coding": [none]}],
        "address": brand.fhir_base,
    }


def _endpoint_name(brand: Brand) -> str:
    return f"FHIR R4 endpoint of {brand.name}"


def _part(name: str, kind: str, value: str | Mapping[str, str]) -> Json:
    return {"url": name, kind: value}


def _extension(name: str, parts: list[Json]) -> Json:
    return {"url": f"{EXTENSIONS}/{name}", "extension": parts}
