"""FHIR capabilities: what this hub offers, derived from the tables that make it so.

https://hl7.org/fhir/R4/http.html#capabilities, https://hl7.org/fhir/R4/capabilitystatement.html
"""

from collections.abc import Mapping
from functools import cache, lru_cache
from importlib.metadata import version
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from fhir_profiles.canonical import BASE
from fhir_profiles.profiles.library import shipped
from hub.errors import FhirError
from hub.guard import error_response
from hub.http import json_response
from hub.rendering import FHIR_JSON, FHIR_XML, Wanted, render, wanted
from hub.search.follow import canonical_types
from hub.search.parameters import RESOURCE_TYPES, Parameter, ResourceType
from hub.settings import Settings
from security.oauth.brands import brand_metadata
from security.oauth.metadata import authorization_server, fhir_base
from security.oauth.metadata import smart_configuration as smart

PUBLISHED = "2026-11-22"
READ_ONLY = frozenset({"AuditEvent"})
OAUTH_URIS = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"
SMART_SERVICE = "http://terminology.hl7.org/CodeSystem/restful-security-service"
OPEN = {"Cache-Control": "public, max-age=300"}
"""Discovery and metadata are for everybody."""
SYSTEM = ("transaction", "batch", "search-system", "history-system")
"""Interactions that name no type."""
PATCHES = ("application/json-patch+json", FHIR_JSON, FHIR_XML)
DEFINED = "http://hl7.org/fhir/OperationDefinition/"
OF_ANY = ("validate", "meta", "meta-add", "meta-delete")
OF_TYPE: Mapping[str, tuple[str, ...]] = {
    "Patient": ("everything", "measures"),
    "Observation": ("lastn", "stats"),
    "ValueSet": ("expand", "validate-code"),
    "CodeSystem": ("validate-code",),
}
"""Operations, as `hub.routes` has them; a test holds the two together."""
OURS: Mapping[str, str] = {"measures": f"{BASE}/OperationDefinition/"}
"""Where those are defined that are not HL7's."""
SEARCH_TYPES = {"id": "token"}
OAUTH_ENDPOINTS = (("token", "token"), ("authorize", "authorization"), ("introspect", "introspection"), ("revoke", "revocation"))
"""Names of the extension oauth-uris, and of RFC 8414."""
DOCUMENTED: Mapping[str, str] = {
    "Binary": "Read as its bytes unless FHIR is asked for by name; created and updated by bytes too, whose they are in X-Security-Context.",
}
"""What no element says of a type."""


async def capabilities(request: Request) -> Response:
    try:
        asked = wanted(request)
    except FhirError as error:
        return render(error_response(error), Wanted())
    state = request.app.state
    return render(json_response(_statement(state.base_url), headers=OPEN), asked)


async def smart_configuration(request: Request) -> Response:
    state = request.app.state
    body = orjson.dumps({**smart(state.base_url, **offered(state.services.settings)), **brand_metadata(state.brand, state.base_url)})
    return Response(body, media_type="application/json", headers=OPEN)


def offered(settings: Settings) -> Mapping[str, bool]:
    """What the documents of discovery say of the way in which this hub is served (`security.oauth.metadata`)."""
    certificates = settings.tls_client_ca is not None or bool(settings.proxy_networks)
    return {"registration": settings.registration, "certificates": certificates}


@lru_cache(4)
def _statement(base_url: str) -> bytes:
    return orjson.dumps(statement(base_url))


def statement(base_url: str) -> dict[str, Any]:
    """The CapabilityStatement as JSON."""
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": PUBLISHED,
        "kind": "instance",
        "software": {"name": "HDS hub", "version": version("hds-hub")},
        "implementation": {"description": "FHIR hub for data from connected health devices", "url": fhir_base(base_url)},
        "fhirVersion": "4.0.1",
        "format": [FHIR_JSON, FHIR_XML, "json", "xml"],
        "patchFormat": list(PATCHES),
        "rest": [
            {
                "mode": "server",
                "documentation": "With _explain=true an administrator's search says how it ran (an OperationOutcome among the entries).",
                "security": _security(base_url),
                "resource": [_resource(one) for one in RESOURCE_TYPES.values()],
                "interaction": [{"code": code} for code in SYSTEM],
            }
        ],
    }


def _security(base_url: str) -> dict[str, Any]:
    """Pages of apps that are registered with their origins may call (`hub.cors`)."""
    endpoints = authorization_server(base_url)
    uris = [{"url": name, "valueUri": endpoints[f"{endpoint}_endpoint"]} for name, endpoint in OAUTH_ENDPOINTS]
    return {
        "cors": True,
        "service": [{"coding": [{"system": SMART_SERVICE, "code": "SMART-on-FHIR"}]}],
        "extension": [{"url": OAUTH_URIS, "extension": uris}],
    }


def _resource(type: ResourceType) -> dict[str, Any]:
    log = type.name in READ_ONLY
    reading = ["read", "vread", "history-instance", *(() if log else ("history-type",)), "search-type"]
    writing = [] if log else ["create", "update", "patch", "delete"]
    made: dict[str, Any] = {
        "type": type.name,
        "interaction": [{"code": code} for code in (*reading, *writing)],
        "searchParam": [
            {"name": one.code, "type": SEARCH_TYPES.get(one.type, one.type)}
            for one in sorted(type.parameters.values(), key=lambda one: one.code)
        ],
    }
    made |= {
        name: values
        for name, values in (
            ("documentation", DOCUMENTED.get(type.name)),
            ("supportedProfile", _profiles().get(type.name)),
            ("searchInclude", _includes(type)),
            ("searchRevInclude", _reverse_includes()[type.name]),
            ("operation", _operations(type.name)),
        )
        if values
    }
    if writing:
        made |= {
            "versioning": "versioned",
            "readHistory": True,
            "conditionalRead": "full-support",
            "updateCreate": False,
            "conditionalCreate": True,
            "conditionalUpdate": True,
            "conditionalDelete": "single",
        }
    return made


def _operations(type: str) -> list[dict[str, str]]:
    any_type = OF_ANY[:2] if type in READ_ONLY else OF_ANY
    named = [(name, f"Resource-{name}") for name in any_type] + [(name, f"{type}-{name}") for name in OF_TYPE.get(type, ())]
    return [{"name": name, "definition": OURS.get(name, DEFINED) + definition} for name, definition in named]


@cache
def _profiles() -> Mapping[str, list[str]]:
    """By type the profiles that the hub ships: what claims one is held against it."""
    found: dict[str, list[str]] = {}
    for url, definition in sorted(shipped().items()):
        if definition["kind"] == "resource":
            found.setdefault(definition["type"], []).append(url)
    return found


def _includes(type: ResourceType) -> list[str]:
    """https://hl7.org/fhir/R4/search.html#include"""
    return ["*", *sorted(f"{type.name}:{one.code}" for one in _followed(type))] if _followed(type) else []


@cache
def _reverse_includes() -> Mapping[str, list[str]]:
    """For each type the references that may lead to it."""
    found: dict[str, list[str]] = {name: [] for name in RESOURCE_TYPES}
    for source in RESOURCE_TYPES.values():
        for one in _followed(source):
            for target in canonical_types(one) or one.targets or RESOURCE_TYPES:
                found[target].append(f"{source.name}:{one.code}")
    return {name: sorted(values) for name, values in found.items()}


def _followed(type: ResourceType) -> list[Parameter]:
    return [one for one in type.parameters.values() if one.type == "reference"]
