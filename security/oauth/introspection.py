"""What introspection says of a token that is good.

https://www.rfc-editor.org/rfc/rfc7662#section-2.2, https://hl7.org/fhir/smart-app-launch/STU2.2/token-introspection.html
"""

from collections.abc import Mapping
from typing import Any, Final

from security.oauth.access_token import TokenClaims
from security.oauth.authorization import Authorization
from security.oauth.binding import token_type
from security.oauth.id_token import who
from security.oauth.person_token import launch_context
from security.oauth.scope_request import ScopeRequest

INACTIVE: Final[Mapping[str, Any]] = {"active": False}
"""Of everything else, whatever the cause, and nothing beside it (RFC 7662 section 2.2)."""

_S = 1_000_000


def of_access_token(claims: TokenClaims, authorization: Authorization | None, *, issuer: str, audience: str) -> dict[str, Any]:
    """The claims, and what went out with the token: launch context, and who the person is where the app was told."""
    scope = ScopeRequest(claims.scopes, claims.context)
    return {
        "active": True,
        "scope": scope.text(),
        "client_id": claims.client_id,
        "token_type": token_type(claims.cnf),
        "exp": claims.exp_us // _S,
        "iat": claims.iat_us // _S,
        "iss": issuer,
        "aud": audience,
        "jti": claims.jti,
        "purpose_of_use": claims.purpose,
        "sub": claims.client_id,
        **({"cnf": dict(claims.cnf)} if claims.cnf else {}),
        **({} if authorization is None else _of_person(authorization, scope, audience)),
    }


def of_refresh_token(authorization: Authorization, *, issuer: str, audience: str) -> dict[str, Any]:
    scope = ScopeRequest.parse(authorization.scope)
    return {
        "active": True,
        "scope": scope.text(),
        "client_id": authorization.client_id,
        "exp": authorization.expires_us // _S,
        "iss": issuer,
        **_of_person(authorization, scope, audience),
    }


def _of_person(authorization: Authorization, scope: ScopeRequest, fhir_base: str) -> dict[str, Any]:
    known = {"acr": authorization.acr, "amr": list(authorization.amr) or None}
    return {
        **launch_context(authorization),
        **who(authorization, scope.context, fhir_base),
        "auth_time": authorization.auth_us // _S,
        **{name: value for name, value in known.items() if value is not None},
    }
