"""The OpenAPI 3.1 document, made of the route table, the resource types and their search parameters.

https://spec.openapis.org/oas/v3.1.0. Paths with `{type}` stand for every type. Types that a device hub lives on have a path of
their own for search and create, with their parameters by name; OpenAPI takes the more concrete path first.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from typing import Any, Protocol

from adapters.discovery import adapters
from hub.native import BINARY, CONTEXT
from hub.reference.described import Answer, Described
from hub.reference.interactions import described
from hub.reference.schemas import ref, resource_of, schemas, words
from hub.reference.searching import RESULTS, example, search_type
from hub.reference.statuses import REFUSED
from hub.rendering import FHIR_JSON
from hub.search.definitions import COMPARTMENTS
from hub.search.parameters import ResourceType
from hub.search.result import RESULT_PARAMETERS
from hub.sender import CHALLENGES
from security.oauth.metadata import SCOPES, token_url

Json = dict[str, Any]

OPENAPI = "3.1.0"
SPECIFICATION = "https://hl7.org/fhir/R4/"
FORM = "application/x-www-form-urlencoded"
DETAILED = words(
    "Patient Practitioner PractitionerRole Organization Location RelatedPerson Device DeviceMetric DeviceDefinition DeviceUseStatement "
    "DeviceRequest Observation DiagnosticReport Condition MedicationAdministration MedicationStatement CarePlan CareTeam Encounter "
    "EpisodeOfCare Goal Flag DetectedIssue RiskAssessment Communication Consent Provenance AuditEvent Group List DocumentReference Binary "
    "Questionnaire QuestionnaireResponse ServiceRequest Task Media Subscription Bundle"
)
"""Types that a device hub lives on."""
COLLECTION = "/fhir/{type}"
OF_BYTES = (COLLECTION, f"{COLLECTION}/{{id}}", f"{COLLECTION}/{{id}}/_history/{{version_id}}")
"""Where a Binary is read and written as its bytes, too."""
IN_OAUTH_WORDS = frozenset(
    {
        *("token", "credential-enrol", "client-register", "device-authorization", "par", "introspect", "revoke", "launch-open"),
        *("client-configuration", "client-configuration-change", "client-configuration-delete"),
    }
)
"""Interactions whose errors are those of RFC 6749."""
PROVING = frozenset({"token", "par"})
"""Interactions that take a DPoP proof without a token: what they give is bound to its key."""
PROOF, NONCE, CHALLENGE = "DPoP", "DPoP-Nonce", "WWW-Authenticate"
BYTES: Json = {"*/*": {"schema": {"type": "string", "format": "binary"}}}
HEADERS: Mapping[str, str] = {
    "If-Match": 'W/"1"',
    "If-None-Match": 'W/"1"',
    "If-Modified-Since": "Sun, 22 Nov 2026 12:00:00 GMT",
    "Idempotency-Key": '"8e03978e-40d5-43dd-bc93-6894a57f9324"',
    "If-None-Exist": "identifier=http://example.org/ids|A-1",
    "Prefer": "return=representation",
    "X-Provenance": '{"resourceType": "Provenance"}',
    CONTEXT: "Patient/0000000000000000000000",
    PROOF: "eyJ0eXAiOiJkcG9wK2p3dCJ9.eyJodG0iOiJQT1NUIn0.c2lnbmF0dXJl",
}
QUERY: Mapping[str, str] = {
    "_summary": "true",
    "_elements": "status,code",
    "_count": "50",
    "_since": "2026-01-01T00:00:00Z",
    "_at": "2026-01",
    "_page": "",
    "_type": "Patient,Observation",
    "_explain": "false",
    "device": "A-1",
    "hook": "7LSlXBMXCgOdbtjh2PuNQF",
    "timeZone": "Europe/Paris",
    "lang": "fr",
    "finding": "silent",
    "sought": "diary",
    "next": "/account",
    "code": "3q2-7w0aT4JH1mXcY8rZbVdEfGhIjKlMnOpQrStUvWx",
    "request": "kQ7w0aT4JH1mXcY8rZbVdEfGhIjKlMnOpQrStUvWxYz",
    "app": "carnet-de-tension",
    "done": "withdrawn",
    "error": "access_denied",
    "iss": "https://provider.example",
    "invitation": "3q2-7w0aT4JH1mXcY8rZbVdEfGhIjKlMnOpQrStUvWx",
    "state": "9Xb4pQ1sWc7LkJ2hGf5dTa8rNe3mYv6uZo0iPqRtSxA",
}
SENDERS: Json = {
    CHALLENGE: {
        "description": (
            "How the hub wants to be asked: Bearer or DPoP with the algorithms of proofs; with error invalid_token, invalid_dpop_proof or "
            "use_dpop_nonce where there was a token. Of OAuth endpoints: Basic, for clients that tried a secret."
        ),
        "schema": {"type": "string"},
        "example": CHALLENGES,
    },
    NONCE: {
        "description": "With use_dpop_nonce: what the member nonce of the next proof has to be (RFC 9449 section 8).",
        "schema": {"type": "string"},
    },
}
"""Headers of refusals that are about who sends."""


class Row(Protocol):
    """What is read of a row of the route table."""

    @property
    def method(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def interaction(self) -> str: ...
    @property
    def guard(self) -> str: ...


def openapi(rows: Sequence[Row], types: Mapping[str, ResourceType], base_url: str) -> Json:
    return {
        "openapi": OPENAPI,
        "info": {
            "title": "HDS hub",
            "version": version("hds-hub"),
            "summary": "FHIR R4 (4.0.1) for data from connected health devices",
            "description": "What patients have not permitted does not exist for the caller: no status, count or text tells of it.",
        },
        "servers": [{"url": base_url}],
        "externalDocs": {"url": f"{base_url}/docs", "description": "The same for people"},
        "tags": [{"name": name} for name in ("FHIR", "Access", "Devices", "Service")],
        "paths": _paths(rows, types),
        "components": _components(rows, types, base_url),
    }


def detailed(types: Mapping[str, ResourceType]) -> list[ResourceType]:
    return [types[name] for name in DETAILED if name in types]


def _paths(rows: Sequence[Row], types: Mapping[str, ResourceType]) -> Json:
    made: Json = {}
    for row in rows:
        made.setdefault(row.path, {"parameters": _in_path(row.path)} if "{" in row.path else {})[row.method.lower()] = _operation(row)
    for type in detailed(types):
        for row in rows:
            if _has_own_path(row, type):
                path = row.path.replace("{type}", type.name)
                made.setdefault(path, {"parameters": _in_path(path)} if "{" in path else {})[row.method.lower()] = _operation(row, type)
    return made


def _has_own_path(row: Row, type: ResourceType) -> bool:
    if type.name == BINARY and row.path in OF_BYTES:
        return True
    return row.path in (COLLECTION, f"{COLLECTION}/_search") and row.method in ("GET", "POST")


def _in_path(path: str) -> list[Json]:
    return [ref("parameters", f"path-{name}") for name in re.findall(r"\{(\w+)\}", path)]


def _operation(row: Row, type: ResourceType | None = None) -> Json:
    said = described(row.interaction)
    made: Json = {
        "operationId": "-".join(part for part in (row.interaction, row.method.lower(), type and type.name, _depth(row)) if part),
        "tags": [_tag(row)],
        "summary": said.title.en if type is None else f"{type.name}: {said.title.en}",
        "parameters": [
            *_given(row, said),
            *_context(said, type),
            *(_of_type(type) if type and _searches(row) and row.method != "POST" else ()),
        ],
        "responses": _responses(row, said, type),
    }
    if row.guard == "fhir":
        made["security"] = [{"smart": []}, {"dpop": []}]
    if said.spec:
        made["externalDocs"] = {"url": said.spec if "://" in said.spec else SPECIFICATION + said.spec}
    body = _body(row, said, type)
    return {**made, "requestBody": body} if body is not None else made


def _depth(row: Row) -> str:
    """Tells apart routes that answer the same interaction at several paths."""
    if row.path.startswith(COLLECTION) and row.interaction != "operation":
        return ""
    return re.sub(r"[{}.$]", "", row.path.strip("/")).replace("/", "-")


def _tag(row: Row) -> str:
    if row.path.startswith(("/oauth", "/fhir/.well-known")):
        return "Access"
    if row.path.startswith("/fhir"):
        return "FHIR"
    return "Devices" if row.guard == "fhir" else "Service"


def _searches(row: Row) -> bool:
    return "search" in described(row.interaction).query


def _given(row: Row, said: Described) -> list[Json]:
    """Parameters of the URL and the headers, by reference."""
    query = [name for name in said.query if name in QUERY]
    results = (
        [name for name in RESULT_PARAMETERS if name in RESULTS and name not in query] if _searches(row) and row.method != "POST" else []
    )
    every = ["_format", "_pretty"] if row.path.startswith("/fhir") and row.interaction != "smart-configuration" else []
    proof = [PROOF] if row.guard == "fhir" or row.interaction in PROVING else []
    return [ref("parameters", name) for name in (*said.headers, *proof, *query, *results, *every)]


def _context(said: Described, type: ResourceType | None) -> list[Json]:
    """https://hl7.org/fhir/R4/binary.html#rest"""
    return [ref("parameters", CONTEXT)] if type is not None and type.name == BINARY and said.body == "resource" else []


def _of_type(type: ResourceType) -> Iterable[Json]:
    for one in sorted(type.parameters.values(), key=lambda one: one.code):
        yield {
            "name": one.code,
            "in": "query",
            "schema": ref("schemas", f"search-{search_type(one.type)}"),
            "example": example(type.name, one),
        }


def _content(answer: Answer, type: ResourceType | None) -> Json | None:
    """Media type -> schema."""
    fhir = {
        "resource": resource_of(type.name) if type else ref("schemas", "AnyResource"),
        "bundle": ref("schemas", "Bundle"),
        "outcome": ref("schemas", "OperationOutcome"),
        "statement": resource_of("CapabilityStatement") if type else ref("schemas", "AnyResource"),
    }
    if answer in fhir:
        return {FHIR_JSON: {"schema": fhir[answer]}}
    others: Mapping[str, Json] = {
        "token": {"application/json": {"schema": ref("schemas", "Token")}},
        "configuration": {"application/json": {"schema": {"type": "object"}}},
        "openapi": {"application/json": {"schema": {"type": "object"}}},
        "fates": {
            "application/json": {"schema": {"type": "array", "items": ref("schemas", "Fate")}},
            "application/x-ndjson": {"schema": {"type": "string"}},
        },
        "fate": {"application/json": {"schema": ref("schemas", "Fate")}},
        "waiting": {"application/json": {"schema": {"type": "object"}}},
        "discarded": {"application/json": {"schema": ref("schemas", "Discarded")}},
        "registration": {"application/json": {"schema": {"type": "object"}}},
        "items": {"application/json": {"schema": {"type": "array", "items": {"type": "object"}}}},
        "text": {"text/plain": {"schema": {"type": "string"}}},
        "page": {"text/html": {"schema": {"type": "string"}}},
    }
    return others.get(answer)


def _responses(row: Row, said: Described, type: ResourceType | None) -> Json:
    made: Json = {}
    for status, answer in said.done.items():
        content = _content(answer, type)
        if content and type is not None and type.name == BINARY and row.interaction in ("read", "vread"):
            content |= BYTES
        made[str(status)] = {"description": "Done" if status < 300 else "Not modified", **({"content": content} if content else {})}  # noqa: PLR2004
        if answer in ("resource", "bundle") and row.guard == "fhir":
            headers = ("ETag", "Last-Modified", "X-Request-Id") if answer == "resource" else ("X-Request-Id",)
            made[str(status)]["headers"] = {name: ref("headers", name) for name in headers}
    kind = "proof-" if row.interaction in PROVING else "token-" if row.interaction in IN_OAUTH_WORDS else ""
    return {**made, **{str(status): ref("responses", f"{kind}{status}") for status in sorted(set(said.refused))}}


def _body(row: Row, said: Described, type: ResourceType | None) -> Json | None:
    """Only methods that carry one have one."""
    if row.method not in ("POST", "PUT", "PATCH"):
        return None
    contents: Mapping[str, Json] = {
        "resource": {FHIR_JSON: {"schema": resource_of(type.name) if type else ref("schemas", "Resource")}},
        "bundle": {FHIR_JSON: {"schema": ref("schemas", "Bundle")}},
        "parameters": {FHIR_JSON: {"schema": ref("schemas", "AnyResource")}},
        "patch": {
            "application/json-patch+json": {"schema": ref("schemas", "JsonPatch")},
            FHIR_JSON: {"schema": ref("schemas", "AnyResource")},
        },
        "search": {FORM: {"schema": {"type": "object", "additionalProperties": {"type": "string"}}}},
        "token": {FORM: {"schema": ref("schemas", "TokenRequest")}},
        "oauth": {FORM: {"schema": ref("schemas", "OAuthForm")}},
        "payload": {"application/octet-stream": {}},
        "registration": {"application/json": {"schema": {"type": "object"}}},
        "assignment": {"application/json": {"schema": ref("schemas", "Assignment")}},
        "reason": {"application/json": {"schema": ref("schemas", "Reason")}},
    }
    if type is not None and type.name == BINARY:
        contents = {**contents, "resource": {**contents["resource"], **BYTES}}
    optional = said.body in ("search", "parameters")  # what is asked may stand in the query instead
    return {"required": not optional, "content": contents[said.body]} if said.body in contents else None


def _components(rows: Sequence[Row], types: Mapping[str, ResourceType], base_url: str) -> Json:
    return {
        "schemas": schemas(types),
        "parameters": {**_path_parameters(rows), **_query_parameters(), **_header_parameters()},
        "headers": {name: {"schema": {"type": "string"}} for name in ("ETag", "Last-Modified", "X-Request-Id")} | SENDERS,
        "responses": _refusals(),
        "securitySchemes": {
            "smart": {
                "type": "oauth2",
                "description": "SMART Backend Services: a token for an assertion signed with the client's key (private_key_jwt).",
                "flows": {"clientCredentials": {"tokenUrl": token_url(base_url), "scopes": dict.fromkeys(SCOPES, "")}},
            },
            "dpop": {
                "type": "http",
                "scheme": PROOF,
                "description": (
                    "RFC 9449: the same tokens, bound to a key of the client by a proof at the token endpoint. Each request then has "
                    "the header DPoP with a proof of its own. A bound token is refused as a bearer token, and a bearer token by this "
                    "scheme; some registrations get no others than bound ones."
                ),
            },
        },
    }


def _refusals() -> Json:
    """By status: an OperationOutcome, an error of RFC 6749 (token-), the same where a DPoP proof is taken (proof-)."""
    outcome = {FHIR_JSON: {"schema": ref("schemas", "OperationOutcome")}}
    token = {"application/json": {"schema": ref("schemas", "TokenError")}}
    kinds: Mapping[str, tuple[Json, Mapping[int, tuple[str, ...]]]] = {
        "": (outcome, {401: (CHALLENGE, NONCE)}),
        "token-": (token, {401: (CHALLENGE,)}),
        "proof-": (token, {400: (NONCE,), 401: (CHALLENGE,)}),
    }
    return {
        f"{kind}{status}": {
            "description": said.en,
            "content": content,
            **({"headers": {name: ref("headers", name) for name in headers[status]}} if status in headers else {}),
        }
        for kind, (content, headers) in kinds.items()
        for status, said in REFUSED.items()
    }


def _path_parameters(rows: Sequence[Row]) -> Json:
    known: Mapping[str, Json] = {
        "type": ref("schemas", "ResourceType"),
        "id": ref("schemas", "Id"),
        "compartment": {"type": "string", "enum": sorted(COMPARTMENTS)},
        "within": {"type": "string", "example": "Observation"},
        "version_id": {"type": "string", "pattern": "^[0-9]{1,9}$"},
        "adapter": {"type": "string", "enum": sorted(adapters())},
    }
    names = {name for row in rows for name in re.findall(r"\{(\w+)\}", row.path)}
    return {
        f"path-{name}": {"name": name, "in": "path", "required": True, "schema": known.get(name, {"type": "string"})}
        for name in sorted(names)
    }


def _query_parameters() -> Json:
    results = {
        name: {"name": name, "in": "query", "description": row.how.en, "schema": {"type": "string"}, "example": row.example}
        for name, row in RESULTS.items()
        if name in RESULT_PARAMETERS or name in QUERY
    }
    others = {name: {"name": name, "in": "query", "schema": {"type": "string"}, "example": value} for name, value in QUERY.items()}
    every = {
        "_format": {"name": "_format", "in": "query", "schema": {"type": "string"}, "example": "json"},
        "_pretty": {"name": "_pretty", "in": "query", "schema": {"type": "string"}},
    }
    return {**others, **results, **every}


def _header_parameters() -> Json:
    made: Json = {name: {"name": name, "in": "header", "schema": {"type": "string"}, "example": value} for name, value in HEADERS.items()}
    made[PROOF]["description"] = (
        "A proof of RFC 9449, made for this method and URL, good for a minute and once; with a token also for that token (ath). With "
        "Authorization: DPoP it has to be there; at the token endpoint it binds the token, at PAR the code."
    )
    return made
