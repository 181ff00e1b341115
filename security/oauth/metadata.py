"""What this authorization server says about itself: three documents, each complete and true.

https://hl7.org/fhir/smart-app-launch/STU2.2/conformance.html#using-well-known, https://www.rfc-editor.org/rfc/rfc8414,
https://openid.net/specs/openid-connect-discovery-1_0.html. What is listed here exists; tests hold the lists to the tables that serve it.
"""

from typing import Any, Final

from security.oauth.clients import GRANT_CLIENT_CREDENTIALS, GRANT_CODE, GRANT_DEVICE, GRANT_REFRESH
from security.oauth.device_flow import DEVICE_AUTHORIZATION_PATH
from security.oauth.dpop import PROOF_ALGORITHMS
from security.oauth.dynamic_registration import REGISTRATION_PATH
from security.oauth.jwks import KEY_TYPE

TOKEN_PATH = "/oauth/token"  # noqa: S105 (a path)
FHIR_PATH = "/fhir"
SMART_CONFIGURATION_PATH = f"{FHIR_PATH}/.well-known/smart-configuration"
OPENID_CONFIGURATION_PATH = "/.well-known/openid-configuration"
AUTHORIZATION_SERVER_PATH = "/.well-known/oauth-authorization-server"

CAPABILITIES: Final = (
    *("launch-ehr", "launch-standalone", "authorize-post"),
    *("client-public", "client-confidential-symmetric", "client-confidential-asymmetric"),
    "sso-openid-connect",
    *("context-banner", "context-ehr-patient", "context-ehr-encounter", "context-standalone-patient", "context-standalone-encounter"),
    *("permission-offline", "permission-online", "permission-patient", "permission-user", "permission-v1", "permission-v2"),
)
IDENTITY_SCOPES: Final = ("openid", "fhirUser", "profile")
SCOPES: Final = (
    *IDENTITY_SCOPES,
    *("launch", "launch/patient", "launch/encounter", "offline_access", "online_access"),
    *("patient/*.cruds", "patient/*.rs", "patient/*.read", "patient/*.write", "user/*.cruds", "user/*.rs", "user/*.read", "user/*.write"),
    *("user/AuditEvent.rs", "system/*.cruds", "system/*.rs", "system/*.read", "system/*.write", "system/AuditEvent.rs"),
)
"""A selection, as SMART allows: the grammar is served whole."""
GRANTS: Final = (GRANT_CODE, GRANT_REFRESH, GRANT_CLIENT_CREDENTIALS, GRANT_DEVICE)
METHODS: Final = ("private_key_jwt", "client_secret_basic", "none")
"""At the token endpoint, where a public client only says its name."""
BY_CERTIFICATE: Final = "tls_client_auth"
"""Where the hub sees the certificates of its clients (RFC 8705 section 2)."""
CLAIMS: Final = ("iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "at_hash", "fhirUser")

ENDPOINTS: Final = {
    "authorization_endpoint": "/oauth/authorize",
    "token_endpoint": TOKEN_PATH,
    "pushed_authorization_request_endpoint": "/oauth/par",
    "introspection_endpoint": "/oauth/introspect",
    "revocation_endpoint": "/oauth/revoke",
    "device_authorization_endpoint": DEVICE_AUTHORIZATION_PATH,
    "jwks_uri": "/oauth/jwks",
}
MANAGEMENT_PATH: Final = "/account/apps"
USERINFO_PATH: Final = "/oauth/userinfo"

Json = dict[str, Any]


def token_url(base_url: str) -> str:
    """The absolute URL of the token endpoint of a hub at `base_url` (scheme and authority, maybe a path before /fhir)."""
    return base_url.rstrip("/") + TOKEN_PATH


def fhir_base(base_url: str) -> str:
    """The absolute FHIR base of a hub at `base_url`; `aud` of its access tokens."""
    return base_url.rstrip("/") + FHIR_PATH


def smart_configuration(base_url: str, *, registration: bool = False, certificates: bool = False) -> Json:
    """The body of {FHIR base}/.well-known/smart-configuration, the same for any Accept header."""
    return {
        **authorization_server(base_url, registration=registration, certificates=certificates),
        "capabilities": list(CAPABILITIES),
        "management_endpoint": base_url.rstrip("/") + MANAGEMENT_PATH,
    }


def authorization_server(base_url: str, *, registration: bool = False, certificates: bool = False) -> Json:
    """RFC 8414; the other two say the same and more.

    registration  apps may register themselves
    certificates  the hub sees the TLS certificates of its clients: at its own door, or a proxy says them
    """
    base, algorithms = base_url.rstrip("/"), list(KEY_TYPE)
    methods = [*METHODS, BY_CERTIFICATE] if certificates else list(METHODS)
    proving = {
        f"{endpoint}_endpoint_auth_{what}_supported": said
        for endpoint in ("introspection", "revocation")
        for what, said in (
            ("methods", [one for one in methods if one != "none" or endpoint == "revocation"]),
            ("signing_alg_values", algorithms),
        )
    }
    return {
        "issuer": base,
        **{name: base + path for name, path in ENDPOINTS.items()},
        **({"registration_endpoint": base + REGISTRATION_PATH} if registration else {}),
        "grant_types_supported": list(GRANTS),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "scopes_supported": list(SCOPES),
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": methods,
        "token_endpoint_auth_signing_alg_values_supported": algorithms,
        **proving,
        "dpop_signing_alg_values_supported": list(PROOF_ALGORITHMS),
        "tls_client_certificate_bound_access_tokens": certificates,
        "authorization_response_iss_parameter_supported": True,
        "require_pushed_authorization_requests": False,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "ui_locales_supported": ["en", "fr"],
    }


def openid_configuration(base_url: str, *, registration: bool = False, certificates: bool = False) -> Json:
    """OpenID Connect Discovery 1.0 section 3."""
    return {
        **authorization_server(base_url, registration=registration, certificates=certificates),
        "userinfo_endpoint": base_url.rstrip("/") + USERINFO_PATH,
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "claims_supported": list(CLAIMS),
        "claim_types_supported": ["normal"],
        "claims_parameter_supported": False,
        "prompt_values_supported": ["none", "login", "consent", "select_account"],
        "display_values_supported": ["page"],
    }
