"""JSON Schemas of what goes in and comes out, no finer than a client needs: the definitions of R4 itself are what is checked.

https://spec.openapis.org/oas/v3.1.0#schema-object
"""

from collections.abc import Iterable, Mapping
from typing import Any

from hub.reference.searching import TYPES
from security.oauth.metadata import GRANTS

Json = dict[str, Any]


def words(text: str) -> list[str]:
    return text.split()


ISSUE_TYPES = words(
    "invalid structure required value invariant security login unknown expired forbidden suppressed processing not-supported "
    "duplicate multiple-matches not-found deleted too-long code-invalid extension too-costly business-rule conflict transient "
    "lock-error no-store exception timeout incomplete throttled informational"
)
"""https://hl7.org/fhir/R4/valueset-issue-type.html"""
STRING: Json = {"type": "string"}


def ref(kind: str, name: str) -> Json:
    return {"$ref": f"#/components/{kind}/{name}"}


def resource_of(type: str) -> Json:
    return {"allOf": [ref("schemas", "Resource"), {"properties": {"resourceType": {"const": type}}}]}


def schemas(types: Iterable[str]) -> Json:
    return {**_fhir(list(types)), **_others(), **{f"search-{name}": _search(name) for name in TYPES}}


def _search(name: str) -> Json:
    row = TYPES[name]
    return {"type": "string", "description": row.how.en, "examples": [row.example]}


def _object(properties: Mapping[str, Any], *required: str, **more: Any) -> Json:
    made: Json = {"type": "object", "properties": dict(properties), **more}
    return {**made, "required": list(required)} if required else made


def _array(items: Json, **more: Any) -> Json:
    return {"type": "array", "items": items, **more}


def _fhir(types: list[str]) -> Json:
    meta = _object({"versionId": STRING, "lastUpdated": {"type": "string", "format": "date-time"}})
    issue = _object(
        {
            "severity": {"enum": ["fatal", "error", "warning", "information"]},
            "code": {"enum": ISSUE_TYPES},
            "diagnostics": STRING,
            "expression": _array(STRING, minItems=1),
        },
        "severity",
        "code",
    )
    entry = _object(
        {"fullUrl": STRING, "resource": ref("schemas", "AnyResource"), "request": {"type": "object"}, "response": {"type": "object"}}
    )
    link = _object({"relation": STRING, "url": STRING}, "relation", "url")
    return {
        "ResourceType": {"type": "string", "enum": types},
        "Resource": _object({"resourceType": ref("schemas", "ResourceType"), "id": ref("schemas", "Id"), "meta": meta}, "resourceType"),
        "AnyResource": _object({"resourceType": STRING}, "resourceType"),
        "Id": {"type": "string", "pattern": "^[A-Za-z0-9.-]{1,64}$"},
        "OperationOutcome": _object(
            {"resourceType": {"const": "OperationOutcome"}, "issue": _array(issue, minItems=1)}, "resourceType", "issue"
        ),
        "Bundle": _object(
            {
                "resourceType": {"const": "Bundle"},
                "type": {"enum": ["searchset", "history", "batch", "transaction", "batch-response", "transaction-response"]},
                "total": {"type": "integer", "minimum": 0},
                "link": _array(link),
                "entry": _array(entry),
            },
            "resourceType",
            "type",
        ),
        "JsonPatch": _array(_object({"op": {"enum": ["add", "remove", "replace", "move", "copy", "test"]}, "path": STRING}, "op", "path")),
    }


def _others() -> Json:
    fate = _object(
        {
            "fate": {"enum": ["stored", "duplicate", "corrected", "quarantined", "refused"]},
            "pointer": STRING,
            "code": STRING,
            "hint": STRING,
            "resource": STRING,
        },
        "fate",
        "pointer",
    )
    return {
        "Fate": fate,
        "Assignment": _object({"patient": {"type": "string", "pattern": "^Patient/[A-Za-z0-9.-]{1,64}$"}}, "patient"),
        "Reason": _object({"reason": {"type": "string", "minLength": 1}}, "reason"),
        "Discarded": _object({"discarded": {"type": "integer", "minimum": 0}}, "discarded"),
        "Token": _object(
            {"access_token": STRING, "token_type": {"enum": ["Bearer", "DPoP"]}, "expires_in": {"type": "integer"}, "scope": STRING},
            "access_token",
            "token_type",
            "expires_in",
            "scope",
        ),
        "TokenRequest": _object(
            {
                "grant_type": {"enum": list(GRANTS)},
                "scope": STRING,
                "client_id": STRING,
                "client_assertion_type": {"const": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
                "client_assertion": STRING,
                "code": STRING,
                "redirect_uri": STRING,
                "code_verifier": STRING,
                "refresh_token": STRING,
            },
            "grant_type",
        ),
        "OAuthForm": {"type": "object", "additionalProperties": STRING},
        "TokenError": _object({"error": STRING, "error_description": STRING}, "error"),
    }
