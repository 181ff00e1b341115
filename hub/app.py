"""The running application: the only place where routes meet services."""

from collections.abc import Mapping
from functools import partial
from ipaddress import ip_network
from typing import Any

import structlog
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route

from hub import outcomes
from hub.authenticate import Authenticator
from hub.authorizations import Authorizations
from hub.cors import Cors
from hub.desk import DESK
from hub.errors import FhirError
from hub.guard import FHIR_BASE, Entries, Guarded, error_response, facts_of, names_operation, request_ids
from hub.ingest.polling import At
from hub.ingest.registered import registered
from hub.instants import now_us
from hub.issuers import Issuers, issuers_of
from hub.oauth.brands import brand_of
from hub.oauth.origins import AppOrigins
from hub.outbound import JwksCache, Outbound, OutboundPolicy
from hub.page_guard import GuardedPage, Kind
from hub.people.discovery import Discovery
from hub.people.providers import providers_of
from hub.people.visit import PERSON
from hub.proxied import Proxied, Watched
from hub.recording import Recording
from hub.rendering import render, wanted_of_refused
from hub.routes import ROUTES, RouteRow
from hub.search.parameters import resource_type
from hub.search.scope_query import check_scope_query
from hub.sender import Senders
from hub.services import random_id
from hub.settings import Settings
from hub.shelf import Shelf, Straight
from hub.wiring import Hub
from security.oauth.clients import Client
from security.oauth.dpop import Nonces
from security.oauth.jwks import Proves
from security.oauth.metadata import token_url
from security.oauth.token_endpoint import TokenDependencies

log = structlog.get_logger()

BASE_WITH_SLASH = f"{FHIR_BASE}/"
KINDS: Mapping[str, Kind[Any]] = {"desk": DESK, "person": PERSON}
"""Of the pages, by the guard of their row."""


def create_app(hub: Hub) -> Starlette:
    """The ASGI application for one hub: Starlette alone, for FastAPI would wrap each request three times for nothing we use."""
    app = Starlette()
    # A redirect would repeat the caller's query in a URL of ours, before anybody is authenticated or anything recorded.
    app.router.redirect_slashes = False
    app.state.hub = hub
    app.state.services = hub.services
    app.state.base_url = hub.base_url
    app.state.routes = ROUTES
    app.state.heads_fault = hub.heads_fault
    app.state.oauth = hub.oauth
    app.state.brand = brand_of(hub.services.settings, hub.base_url)
    app.state.token_dependencies = token_dependencies(hub)
    app.state.clouds = clouds_of(hub.services.settings)
    app.state.openid_providers = providers_of(hub.services.settings.openid_providers)
    app.state.outbound = Outbound(outbound_policy(hub.services.settings))
    app.state.discovery = Discovery(app.state.outbound, app.state.openid_providers, now_us=now_us)
    app.state.senders = senders = senders_of(hub)
    authenticator = Authenticator(
        hub.oauth,
        Authorizations(hub.services),
        hub.keyring,
        senders=senders,
        issuers=issuers_known(hub),
        issuer=hub.base_url,
        audience=hub.services.base_url,
        clock=now_us,
        changes=lambda: hub.services.store.changes,
    )
    guards = {row: Guarded(row.interaction, row.endpoint, hub.services, authenticator) for row in ROUTES if row.guard == "fhir"}
    pages: dict[RouteRow, GuardedPage[Any]] = {
        row: GuardedPage(row.interaction, row.endpoint, hub, KINDS[row.guard]) for row in ROUTES if row.guard in KINDS
    }
    routes = [
        Route(path, guards.get(row) or pages.get(row) or row.endpoint, methods=[row.method])
        for row in ROUTES
        # Clients write the base with a slash and without.
        for path in (row.path, *((BASE_WITH_SLASH,) if row.path == FHIR_BASE else ()))
    ]
    shelf = Shelf(routes)
    app.router.routes.extend((shelf, *routes))
    # A Bundle has no Bundle of interactions inside; `?_type=…` is what there is of the base.
    inner = [row for row in guards if row.path.startswith(BASE_WITH_SLASH) or (row.path == FHIR_BASE and row.method == "GET")]
    paths = {row: BASE_WITH_SLASH if row.path == FHIR_BASE else row.path for row in inner}
    app.state.entries = Entries([(Route(paths[row], guards[row], methods=[row.method]), guards[row]) for row in inner])
    for status in (404, 405):
        app.add_exception_handler(status, partial(_no_route, hub=hub, status=status))
    app.add_middleware(Straight, shelf=shelf, is_safe=lambda endpoint: isinstance(endpoint, Guarded))
    app.add_middleware(Cors, origins=hub.services.settings.cors_origins, registered=AppOrigins(hub.oauth, now_us))
    app.state.proxies = watched = Watched(unnamed=hub.services.settings.has_unnamed_proxy)
    app.add_middleware(Proxied, networks=[ip_network(network) for network in hub.services.settings.proxy_networks], watched=watched)
    return app


def clouds_of(settings: Settings) -> dict[str, At]:
    """For the pages on which patients link accounts. A secret that cannot be read here is no reason not to serve."""
    try:
        return registered(settings)
    except OSError as error:
        log.warning("cloud_secret_unreadable", error=type(error).__name__)
        return {}


def senders_of(hub: Hub) -> Senders:
    settings = hub.services.settings
    return Senders(
        origin=hub.base_url,
        consume_jti=hub.oauth.consume_jti,
        clock=now_us,
        nonces=Nonces(key=hub.nonce_key, required=settings.dpop_nonce),
        production=settings.profile == "production",
    )


def issuers_known(hub: Hub) -> Issuers:
    """Raises BadIssuers."""
    settings = hub.services.settings
    cache = JwksCache(Outbound(outbound_policy(settings)).fetch_jwks, now_us=now_us)
    return Issuers(issuers_of(settings.issuers, hub.base_url), cache.get, now_us)


def token_dependencies(hub: Hub) -> TokenDependencies:
    outbound = Outbound(outbound_policy(hub.services.settings))
    cache = JwksCache(outbound.fetch_jwks, now_us=now_us)

    async def fetch_jwks(client: Client, kid: str | None, proves: Proves) -> dict[str, object]:
        return await cache.get(client.jwks_uri or "", kid, proves)

    return TokenDependencies(
        find_client=hub.oauth.find_client,
        fetch_jwks=fetch_jwks,
        consume_jti=hub.oauth.consume_jti,
        check_scope_query=check_scope_query,
        signing_keys=lambda: hub.signing_keys,
        issuer=hub.base_url,
        audience=hub.services.base_url,
        token_urls=(token_url(hub.base_url), hub.base_url),  # RFC 9126 section 2: the issuer stands for all of its endpoints
        now_us=now_us,
        new_id=random_id,
    )


def outbound_policy(settings: Settings) -> OutboundPolicy:
    return OutboundPolicy(
        allowed_networks=tuple(ip_network(network) for network in settings.jwks_networks),
        allow_loopback_http=settings.jwks_allow_loopback,
    )


async def _no_route(request: Request, _: Exception, *, hub: Hub, status: int) -> Response:
    """Unknown paths and methods; recorded like every other refusal."""
    error = _nowhere(request.url.path, status)
    facts = facts_of(request, "unknown", hub.services)
    if request.url.path.startswith(("/fhir", "/ingest", "/quarantine", "/confirm")):
        try:
            await Recording("unknown", None, facts, hub.services).refused(error)
        except FhirError as failure:
            error = failure
    headers = request_ids(facts)
    if error.code == "method-not-allowed":
        headers["Allow"] = ", ".join(_methods(request))
    response = render(error_response(error), wanted_of_refused(request))
    response.headers.update(headers)
    return response


def _nowhere(path: str, status: int) -> FhirError:
    if path.startswith(FHIR_BASE) and names_operation(path):
        return outcomes.unknown_operation()
    if status == 405:  # noqa: PLR2004
        return FhirError("method-not-allowed", "This path does not offer this method; see /fhir/metadata.")
    return FhirError("not-found", "There is nothing at this path; the FHIR base is /fhir.")


def _methods(request: Request) -> list[str]:
    """What the path offers. https://www.rfc-editor.org/rfc/rfc9110#section-15.5.6: a 405 must say so."""
    matched = [(route, *route.matches(request.scope)) for route in request.app.router.routes if isinstance(route, Route)]
    return sorted(
        {method for route, match, found in matched if match is not Match.NONE and _is_of_a_type(found) for method in route.methods or ()}
    )


def _is_of_a_type(found: Mapping[str, Any]) -> bool:
    """A path such as /fhir/metadata has the form of a type's and is none."""
    type = found.get("path_params", {}).get("type")
    return type is None or resource_type(type) is not None
