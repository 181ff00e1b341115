"""What this authorization server says about itself.

https://hl7.org/fhir/smart-app-launch/STU2.2/conformance.html#using-well-known
"""

from security.oauth.jwks import KEY_TYPE
from security.oauth.token_endpoint import GRANT_TYPE

TOKEN_PATH = "/oauth/token"  # noqa: S105 (a path)
FHIR_PATH = "/fhir"
SMART_CONFIGURATION_PATH = f"{FHIR_PATH}/.well-known/smart-configuration"

CAPABILITIES = ("client-confidential-asymmetric", "permission-v1", "permission-v2")
SCOPES = ("system/*.cruds", "system/*.rs", "system/*.read", "system/*.write", "system/AuditEvent.rs")
"""A selection, as SMART allows: the grammar is served whole."""


def token_url(base_url: str) -> str:
    """The absolute URL of the token endpoint of a hub at `base_url` (scheme and authority, maybe a path before /fhir)."""
    return base_url.rstrip("/") + TOKEN_PATH


def fhir_base(base_url: str) -> str:
    """The absolute FHIR base of a hub at `base_url`; `aud` of its access tokens."""
    return base_url.rstrip("/") + FHIR_PATH


def smart_configuration(base_url: str) -> dict[str, str | list[str]]:
    """The body of {FHIR base}/.well-known/smart-configuration, the same for any Accept header.

    Only what exists: no authorization endpoint, hence no launch; no issuer and no jwks_uri, which SMART keeps for
    sso-openid-connect. S256 is listed because SMART demands it of every server.
    """
    return {
        "token_endpoint": token_url(base_url),
        "grant_types_supported": [GRANT_TYPE],
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": list(KEY_TYPE),
        "scopes_supported": list(SCOPES),
        "capabilities": list(CAPABILITIES),
        "code_challenge_methods_supported": ["S256"],
    }
