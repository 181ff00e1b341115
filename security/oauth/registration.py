"""What may be registered: an app described by a person, or by itself (RFC 7591), made a `Client`; and shown again. Pure.

https://www.rfc-editor.org/rfc/rfc7591#section-2, https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html#register-app-with-ehr.
The names of RFC 7591 are used wherever a registration is shown.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

from security.oauth.addresses import origin, origins_of, redirect_uri, web_url
from security.oauth.clients import (
    GRANT_CLIENT_CREDENTIALS,
    GRANT_CODE,
    GRANT_DEVICE,
    GRANT_REFRESH,
    App,
    Client,
)
from security.oauth.scope_request import ScopeRequest
from security.scopes import Query, ScopeSyntax

CheckScopeQuery = Callable[[str, Query], None]

NAME_MAX_CHARS: Final = 80
CONTACT_MAX_CHARS: Final = 200
REDIRECT_URIS_MAX, ORIGINS_MAX = 10, 10
APP_GRANTS: Final = (GRANT_CODE, GRANT_REFRESH, GRANT_DEVICE, GRANT_CLIENT_CREDENTIALS)
BEGINNING: Final = frozenset({GRANT_CODE, GRANT_DEVICE})
"""By which a person lets an app act."""


class BadRedirectUri(ValueError):
    """RFC 7591 section 3.2.2 has a word of its own for it."""


def checked(client: Client, check_scope_query: CheckScopeQuery) -> Client:
    """The same client in canonical form, if it may be registered. Raises ValueError with a text for who registers it."""
    _check_name(client.name)
    if client.app is None:
        raise ValueError("this is no app")
    scopes = checked_scopes(client.scopes, client.grants, check_scope_query)
    _check_grants(client)
    return replace(client, scopes=scopes, app=checked_app(client.app, client.grants))


def checked_app(app: App, grants: Sequence[str]) -> App:
    """Addresses checked; the pages that may call are those it is led back to, unless it names others. Raises ValueError."""
    if (GRANT_CODE in grants) != bool(app.redirect_uris):
        raise BadRedirectUri("an app has redirect URIs if it is led back to by a browser (authorization_code), and none otherwise")
    if len(app.redirect_uris) > REDIRECT_URIS_MAX or len(app.origins) > ORIGINS_MAX:
        raise ValueError(f"an app has at most {REDIRECT_URIS_MAX} redirect URIs and {ORIGINS_MAX} origins")
    _check_redirect_uris(app.redirect_uris)
    for url in (app.launch_url, app.homepage, app.policy_uri, app.logo_uri):
        if url is not None:
            web_url(url)
    if app.contact is not None and not (0 < len(app.contact) <= CONTACT_MAX_CHARS and app.contact.isprintable()):
        raise ValueError(f"a contact is a printable text of at most {CONTACT_MAX_CHARS} characters")
    origins = tuple(origin(one) for one in app.origins) or origins_of(app.redirect_uris)
    return replace(app, redirect_uris=tuple(dict.fromkeys(app.redirect_uris)), origins=origins)


def _check_redirect_uris(uris: Sequence[str]) -> None:
    try:
        for uri in uris:
            redirect_uri(uri)
    except ValueError as error:
        raise BadRedirectUri(str(error)) from None


def checked_scopes(text: str, grants: Sequence[str], check_scope_query: CheckScopeQuery) -> str:
    """Canonical scopes that fit the grants and can be enforced. Raises ValueError."""
    try:
        asked = ScopeRequest.registered(text)
    except ScopeSyntax as error:
        raise ValueError(f"scope: {error}") from None
    for scope in asked.resources.items:
        if scope.query:
            _check_query(scope.resource_type, scope.query, check_scope_query)
    levels = {scope.level for scope in asked.resources.items}
    if ("system" in levels) != (GRANT_CLIENT_CREDENTIALS in grants):
        raise ValueError("system scopes go with client_credentials, the one not without the other")
    if not BEGINNING & set(grants) and (levels - {"system"} or asked.context):
        raise ValueError("patient and user scopes and the words of a session need a person: authorization_code or the device grant")
    if "offline_access" in asked.context and GRANT_REFRESH not in grants:
        raise ValueError("offline_access needs the grant refresh_token")
    if not asked.resources.items and not asked.context:
        raise ValueError("scope is empty")
    return asked.text()


def narrowed(client: Client, scope: str, check_scope_query: CheckScopeQuery) -> Client:
    """The client with fewer scopes than it asked for. Raises ValueError where they are not inside."""
    wanted = ScopeRequest.registered(checked_scopes(scope, client.grants, check_scope_query))
    if wanted.within(client.allowed) != wanted:
        raise ValueError("the scopes go beyond what the registration has; narrow them only")
    return replace(client, scopes=wanted.text())


def metadata(client: Client) -> dict[str, Any]:
    """A registration in the words of RFC 7591 section 2, RFC 9126 section 6 and RFC 9449 section 5.2. No secret, no hash of one."""
    app = client.app or App()
    said: dict[str, Any] = {
        "client_name": client.name,
        "scope": client.scopes,
        "grant_types": list(client.grants),
        "token_endpoint_auth_method": client.authentication,
        "redirect_uris": list(app.redirect_uris),
        "response_types": ["code"] if GRANT_CODE in client.grants else [],
        "initiate_login_uri": app.launch_url,
        "client_uri": app.homepage,
        "policy_uri": app.policy_uri,
        "logo_uri": app.logo_uri,
        "contacts": [app.contact] if app.contact else None,
        "jwks": client.jwks,
        "jwks_uri": client.jwks_uri,
        "require_pushed_authorization_requests": app.par_required,
        "dpop_bound_access_tokens": client.binding == "dpop",
        "tls_client_certificate_bound_access_tokens": client.binding == "mtls",
    }
    return {name: value for name, value in said.items() if value is not None}


def _check_grants(client: Client) -> None:
    if not client.grants or not set(client.grants) <= set(APP_GRANTS):
        raise ValueError(f"grant types are {', '.join(APP_GRANTS)}")
    if GRANT_REFRESH in client.grants and not BEGINNING & set(client.grants):
        raise ValueError("refresh_token goes with authorization_code or the device grant")
    if client.binding == "mtls" and client.authentication == "none" and client.certificate is None:
        raise ValueError("tokens bound to a certificate need one")


def _check_name(name: str) -> None:
    """People read it on the consent screen: no control character, and nothing that turns the direction of writing."""
    if not 0 < len(name.strip()) <= NAME_MAX_CHARS or not name.isprintable():
        raise ValueError(f"the name is a printable text of at most {NAME_MAX_CHARS} characters")


def _check_query(resource_type: str, query: Query, check_scope_query: CheckScopeQuery) -> None:
    try:
        check_scope_query(resource_type, query)
    except ValueError as error:
        raise ValueError("a scope query cannot be enforced on its resource type") from error
