"""POST /oauth/token: SMART Backend Services.

https://hl7.org/fhir/smart-app-launch/STU2.2/backend-services.html#obtain-access-token,
https://www.rfc-editor.org/rfc/rfc6749#section-4.4

Stores, keys, clock and network come in as `TokenDependencies`; nothing here knows what stands behind them.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from security.oauth.access_token import ACCESS_TOKEN_LIFETIME_S
from security.oauth.access_token import issue as issue_access_token
from security.oauth.binding import UNBOUND, token_type
from security.oauth.client_authentication import FetchJwks, Presented, ProvedClient, prove
from security.oauth.clients import Client
from security.oauth.errors import OAuthError
from security.oauth.signing_keys import SigningKeys
from security.scopes import Query, Scopes, ScopeSyntax, narrow

GRANT_TYPE = "client_credentials"


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenDependencies:
    """What the endpoint needs from outside.

    find_client        the registration, revoked or not; None when there is none
    fetch_jwks         the keys of a client registered with a URL; raises JwksUnavailable
    consume_jti        remember this key until `exp_us`; False when it is remembered already. One atomic step in the store
    check_scope_query  raises ValueError when the hub cannot enforce these parameters on this type ("*": on every type)
    signing_keys       asked for at each token, so that rotation needs no restart
    issuer             `iss` of the tokens
    audience           the FHIR base, `aud` of the tokens
    token_urls         what `aud` of an assertion may be
    now_us             microseconds since 1970 UTC
    new_id             a random id, never given before
    """

    find_client: Callable[[str], Awaitable[Client | None]]
    fetch_jwks: FetchJwks
    consume_jti: Callable[[bytes, int], Awaitable[bool]]
    check_scope_query: Callable[[str, Query], None]
    signing_keys: Callable[[], SigningKeys]
    issuer: str
    audience: str
    token_urls: tuple[str, ...]
    now_us: Callable[[], int]
    new_id: Callable[[], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenResponse:
    """A token given. `client_id` and `jti` are for the audit record and do not go out."""

    access_token: str
    scope: str
    client_id: str
    jti: str
    token_type: str = "Bearer"  # noqa: S105 (the word of RFC 6750)
    expires_in: int = ACCESS_TOKEN_LIFETIME_S

    def body(self) -> dict[str, str | int]:
        """The JSON object of RFC 6749 section 5.1."""
        return {
            "access_token": self.access_token,
            "token_type": self.token_type,
            "expires_in": self.expires_in,
            "scope": self.scope,
        }


Bind = Callable[[Client], Awaitable[Mapping[str, str]]]


async def unbound(_: Client) -> Mapping[str, str]:
    """No request here binds its token to anything."""
    return UNBOUND


async def issue(
    form: Mapping[str, str],
    *,
    dependencies: TokenDependencies,
    presented: Presented | None = None,
    bind: Bind = unbound,
) -> TokenResponse:
    """A token for a client that proves itself, with what of the asked scope is registered.

    form       the parameters of the request, each once (see `parse_form`)
    presented  what else the request shows, if there is more than the form
    bind       what the token of the proved client is bound to: `cnf` of RFC 7800

    Raises OAuthError; the client is proved before anything about its scopes is said.
    """
    _check_grant_type(form)
    proved = await prove(presented or Presented(form=form), dependencies)
    return await issue_to(proved, form, dependencies=dependencies, bind=bind)


async def issue_to(proved: ProvedClient, form: Mapping[str, str], *, dependencies: TokenDependencies, bind: Bind) -> TokenResponse:
    """The same for a client that has proved itself. Raises OAuthError."""
    client = proved.client
    if GRANT_TYPE not in client.grants:
        raise OAuthError("unauthorized_client", "this client is not registered for client_credentials")
    scope = _granted_scope(form, client, dependencies.check_scope_query).text()
    cnf = await bind(client)
    jti = dependencies.new_id()
    token = issue_access_token(
        key=dependencies.signing_keys().current,
        issuer=dependencies.issuer,
        audience=dependencies.audience,
        client_id=client.client_id,
        scope=scope,
        purpose=client.purpose,
        jti=jti,
        now_us=dependencies.now_us(),
        kid=proved.kid,
        cnf=cnf,
    )
    return TokenResponse(access_token=token, scope=scope, client_id=client.client_id, jti=jti, token_type=token_type(cnf))


def _check_grant_type(form: Mapping[str, str]) -> None:
    grant_type = form.get("grant_type")
    if grant_type is None:
        raise OAuthError("invalid_request", "grant_type is missing")
    if grant_type != GRANT_TYPE:
        raise OAuthError("unsupported_grant_type", f"grant_type must be {GRANT_TYPE}")


def _granted_scope(form: Mapping[str, str], client: Client, check_scope_query: Callable[[str, Query], None]) -> Scopes:
    """What of the request is registered, of level system, and can be enforced."""
    try:
        granted = narrow(_system_scopes(form.get("scope")), client.granted)
    except ScopeSyntax as error:
        raise OAuthError("invalid_scope", str(error)) from None
    for scope in granted.items:
        _check_query(scope.resource_type, scope.query, check_scope_query)
    return granted


def _system_scopes(text: str | None) -> Scopes:
    if text is None:
        raise ScopeSyntax("scope is missing")
    requested = Scopes.parse(text)
    if any(scope.level != "system" for scope in requested.items):
        raise ScopeSyntax("a backend service has neither patient nor user in context; ask for system scopes")
    return requested


def _check_query(resource_type: str, query: Query, check_scope_query: Callable[[str, Query], None]) -> None:
    """Better no token than one whose query would be left out (SMART asks for exactly that)."""
    if not query:
        return
    try:
        check_scope_query(resource_type, query)
    except ValueError as error:
        raise OAuthError("invalid_scope", "a scope query cannot be enforced on its resource type") from error
