"""The route table: what the hub answers to, and how each answer is guarded.

Each row says who may ask: `open` needs no token; `fhir` needs one, gets a repository made for the caller and answers
errors as OperationOutcome; `desk` needs a session of the console and answers pages; `person` needs somebody who
signed in with an account. There is no row that reaches data without a repository.
"""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from starlette.responses import Response

from hub.account.apps import app, app_withdraw, apps
from hub.account.consent import authorize as consent
from hub.account.consent import authorize_form as consent_form
from hub.account.device import device, device_form
from hub.account.federated import federated, federated_back
from hub.account.home import account
from hub.account.invitation import invitation, invitation_taken
from hub.account.launch import launch, launch_form
from hub.account.second_factor import second_factor, second_factor_given
from hub.account.security import security, security_changed
from hub.account.sign_in import sign_in as person_sign_in
from hub.account.sign_in import sign_out as person_sign_out
from hub.account.sign_in import signed_in as person_signed_in
from hub.console.welcome import welcome
from hub.desk import clients as desk_clients
from hub.desk import keys as desk_keys
from hub.desk import users as desk_users
from hub.desk.confirm import confirm_page, confirm_page_assign, confirm_page_reject
from hub.desk.overview import overview
from hub.desk.quarantine import act as desk_quarantine_act
from hub.desk.quarantine import quarantine as desk_quarantine
from hub.desk.sign_in import sign_in, sign_out, signed_in
from hub.desk.units import units
from hub.ingest.confirm_routes import confirm_assign, confirm_list, confirm_reject
from hub.ingest.enrolment import register
from hub.ingest.quarantine_routes import counts, discard_many, discard_one, list_waiting, look, replay, replay_many
from hub.ingest.routes import ingest
from hub.ingest.webhooks import webhook, webhook_test
from hub.interactions.capabilities import capabilities, smart_configuration
from hub.interactions.create import create
from hub.interactions.delete import conditional_delete, delete
from hub.interactions.everything import everything
from hub.interactions.history import history_instance, history_system, history_type
from hub.interactions.lastn import lastn
from hub.interactions.measures import measures
from hub.interactions.meta import meta, meta_add, meta_delete, meta_of_type
from hub.interactions.patch import conditional_patch, patch
from hub.interactions.read import read
from hub.interactions.search_compartment import search_compartment
from hub.interactions.search_system import search_system
from hub.interactions.search_type import search_type
from hub.interactions.stats import stats
from hub.interactions.terminology import code_system_validate_code, value_set_expand, value_set_validate_code
from hub.interactions.transaction import bundle
from hub.interactions.update import conditional_update, update
from hub.interactions.validate import validate
from hub.interactions.vread import vread
from hub.linking import link_begin, link_callback, link_page
from hub.oauth import configuration
from hub.oauth.authorize import authorize
from hub.oauth.brands import brands
from hub.oauth.device_grant import device_authorization
from hub.oauth.discovery import oauth_authorization_server, openid_configuration
from hub.oauth.introspect import introspect
from hub.oauth.jwks import jwks
from hub.oauth.launch import launch as open_launch
from hub.oauth.par import par
from hub.oauth.register import register as register_client
from hub.oauth.revoke import revoke
from hub.oauth.token import token
from hub.oauth.userinfo import userinfo
from hub.probes import livez, readyz
from hub.reference.pages import docs, docs_type, openapi
from security.oauth.device_flow import DEVICE_AUTHORIZATION_PATH
from security.oauth.dynamic_registration import REGISTRATION_PATH

Guard = Literal["open", "fhir", "desk", "person"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteRow:
    """`interaction` is also what the audit record and the metrics call it."""

    method: str
    path: str
    interaction: str
    guard: Guard
    endpoint: Callable[..., Awaitable[Response]]


def _operation(method: str, path: str, endpoint: Callable[..., Awaitable[Response]]) -> RouteRow:
    return RouteRow(method=method, path=path, interaction="operation", guard="fhir", endpoint=endpoint)


def _on_type_and_instance(type: str, name: str, endpoint: Callable[..., Awaitable[Response]]) -> Iterator[RouteRow]:
    for path in (f"/fhir/{type}/{name}", f"/fhir/{type}/{{id}}/{name}"):
        yield _operation("GET", path, endpoint)
        yield _operation("POST", path, endpoint)


ENTRANCES: tuple[RouteRow, ...] = (
    # Open, for this is where a session comes from; each form is bound to the browser that was given it (hub.people.open_pages).
    RouteRow(method="GET", path="/account/sign-in", interaction="sign-in-page", guard="open", endpoint=person_sign_in),
    RouteRow(method="POST", path="/account/sign-in", interaction="sign-in", guard="open", endpoint=person_signed_in),
    RouteRow(method="GET", path="/account/second-factor", interaction="second-factor-page", guard="open", endpoint=second_factor),
    RouteRow(method="POST", path="/account/second-factor", interaction="second-factor", guard="open", endpoint=second_factor_given),
    RouteRow(method="GET", path="/account/invitation", interaction="invitation-page", guard="open", endpoint=invitation),
    RouteRow(method="POST", path="/account/invitation", interaction="invitation", guard="open", endpoint=invitation_taken),
    RouteRow(method="POST", path="/account/federated/{provider}", interaction="federated", guard="open", endpoint=federated),
    RouteRow(method="GET", path="/account/federated/{provider}", interaction="federated-back", guard="open", endpoint=federated_back),
    RouteRow(method="POST", path="/account/sign-out", interaction="sign-out", guard="person", endpoint=person_sign_out),
    RouteRow(method="GET", path="/account/security", interaction="account-security", guard="person", endpoint=security),
    RouteRow(method="POST", path="/account/security", interaction="account-security-change", guard="person", endpoint=security_changed),
)

ROUTES: tuple[RouteRow, ...] = (
    RouteRow(method="GET", path="/", interaction="welcome", guard="open", endpoint=welcome),
    RouteRow(method="GET", path="/docs", interaction="docs", guard="open", endpoint=docs),
    RouteRow(method="GET", path="/docs/{type}", interaction="docs-type", guard="open", endpoint=docs_type),
    RouteRow(method="GET", path="/openapi.json", interaction="openapi", guard="open", endpoint=openapi),
    RouteRow(method="GET", path="/livez", interaction="livez", guard="open", endpoint=livez),
    RouteRow(method="GET", path="/readyz", interaction="readyz", guard="open", endpoint=readyz),
    RouteRow(method="GET", path="/brands", interaction="brands", guard="open", endpoint=brands),
    RouteRow(method="POST", path="/oauth/token", interaction="token", guard="open", endpoint=token),
    # Open, for an app has no token yet: client and redirect_uri are looked at in the endpoint, the person signs in afterwards.
    RouteRow(method="GET", path="/oauth/authorize", interaction="authorize", guard="open", endpoint=authorize),
    RouteRow(method="POST", path="/oauth/authorize", interaction="authorize", guard="open", endpoint=authorize),
    # Open, for a client proves itself in the endpoint, as it does for a token.
    RouteRow(method="POST", path="/oauth/par", interaction="par", guard="open", endpoint=par),
    RouteRow(method="POST", path="/oauth/introspect", interaction="introspect", guard="open", endpoint=introspect),
    RouteRow(
        method="POST",
        path=DEVICE_AUTHORIZATION_PATH,
        interaction="device-authorization",
        guard="open",
        endpoint=device_authorization,
    ),
    RouteRow(method="POST", path="/oauth/launch", interaction="launch-open", guard="open", endpoint=open_launch),
    RouteRow(method="POST", path="/oauth/revoke", interaction="revoke", guard="open", endpoint=revoke),
    RouteRow(method="GET", path="/oauth/userinfo", interaction="userinfo", guard="fhir", endpoint=userinfo),
    RouteRow(method="POST", path="/oauth/userinfo", interaction="userinfo", guard="fhir", endpoint=userinfo),
    RouteRow(
        method="GET",
        path="/.well-known/openid-configuration",
        interaction="openid-configuration",
        guard="open",
        endpoint=openid_configuration,
    ),
    RouteRow(
        method="GET",
        path="/.well-known/oauth-authorization-server",
        interaction="oauth-authorization-server",
        guard="open",
        endpoint=oauth_authorization_server,
    ),
    RouteRow(method="GET", path="/oauth/jwks", interaction="jwks", guard="open", endpoint=jwks),
    # Open, for who registers has no client yet; an initial access token, where the settings ask for one, is looked at in the endpoint.
    RouteRow(method="POST", path=REGISTRATION_PATH, interaction="client-register", guard="open", endpoint=register_client),
    *(
        RouteRow(method=method, path=f"{REGISTRATION_PATH}/{{id}}", interaction=kind, guard="open", endpoint=endpoint)
        for method, kind, endpoint in (
            ("GET", configuration.READ, configuration.read),
            ("PUT", configuration.CHANGE, configuration.change),
            ("DELETE", configuration.DELETE, configuration.delete),
        )
    ),
    # Open, for who enrols has no token yet: the one-time code is looked at in the endpoint.
    RouteRow(method="POST", path="/oauth/register", interaction="credential-enrol", guard="open", endpoint=register),
    RouteRow(method="GET", path="/fhir/metadata", interaction="capabilities", guard="open", endpoint=capabilities),
    RouteRow(
        method="GET",
        path="/fhir/.well-known/smart-configuration",
        interaction="smart-configuration",
        guard="open",
        endpoint=smart_configuration,
    ),
    RouteRow(method="GET", path="/fhir", interaction="search-system", guard="fhir", endpoint=search_system),
    RouteRow(method="POST", path="/fhir", interaction="transaction", guard="fhir", endpoint=bundle),
    RouteRow(method="POST", path="/fhir/_search", interaction="search-system", guard="fhir", endpoint=search_system),
    *_on_type_and_instance("ValueSet", "$expand", value_set_expand),
    *_on_type_and_instance("ValueSet", "$validate-code", value_set_validate_code),
    *_on_type_and_instance("CodeSystem", "$validate-code", code_system_validate_code),
    _operation("GET", "/fhir/{type}/$validate", validate),
    _operation("POST", "/fhir/{type}/$validate", validate),
    _operation("POST", "/fhir/{type}/{id}/$validate", validate),
    _operation("GET", "/fhir/{type}/{id}/$validate", validate),
    _operation("GET", "/fhir/{type}/$meta", meta_of_type),
    _operation("GET", "/fhir/{type}/{id}/$meta", meta),
    _operation("GET", "/fhir/{type}/{id}/_history/{version_id}/$meta", meta),
    _operation("POST", "/fhir/{type}/{id}/$meta-add", meta_add),
    _operation("POST", "/fhir/{type}/{id}/$meta-delete", meta_delete),
    _operation("GET", "/fhir/Patient/{id}/$everything", everything),
    _operation("POST", "/fhir/Patient/{id}/$everything", everything),
    _operation("GET", "/fhir/Patient/{id}/$measures", measures),
    _operation("POST", "/fhir/Patient/{id}/$measures", measures),
    _operation("GET", "/fhir/Observation/$lastn", lastn),
    _operation("POST", "/fhir/Observation/$lastn", lastn),
    _operation("GET", "/fhir/Observation/$stats", stats),
    _operation("POST", "/fhir/Observation/$stats", stats),
    RouteRow(method="POST", path="/fhir/{type}/_search", interaction="search", guard="fhir", endpoint=search_type),
    RouteRow(method="GET", path="/fhir/_history", interaction="history-system", guard="fhir", endpoint=history_system),
    RouteRow(method="GET", path="/fhir/{type}/_history", interaction="history-type", guard="fhir", endpoint=history_type),
    RouteRow(method="GET", path="/fhir/{type}/{id}/_history", interaction="history-instance", guard="fhir", endpoint=history_instance),
    RouteRow(method="GET", path="/fhir/{type}/{id}/_history/{version_id}", interaction="vread", guard="fhir", endpoint=vread),
    RouteRow(method="PATCH", path="/fhir/{type}/{id}", interaction="patch", guard="fhir", endpoint=patch),
    RouteRow(method="PATCH", path="/fhir/{type}", interaction="conditional-patch", guard="fhir", endpoint=conditional_patch),
    RouteRow(method="DELETE", path="/fhir/{type}", interaction="conditional-delete", guard="fhir", endpoint=conditional_delete),
    RouteRow(
        method="GET", path="/fhir/{compartment}/{id}/{within}", interaction="search-compartment", guard="fhir", endpoint=search_compartment
    ),
    RouteRow(method="GET", path="/fhir/{type}/{id}", interaction="read", guard="fhir", endpoint=read),
    RouteRow(method="PUT", path="/fhir/{type}/{id}", interaction="update", guard="fhir", endpoint=update),
    RouteRow(method="DELETE", path="/fhir/{type}/{id}", interaction="delete", guard="fhir", endpoint=delete),
    RouteRow(method="PUT", path="/fhir/{type}", interaction="conditional-update", guard="fhir", endpoint=conditional_update),
    RouteRow(method="GET", path="/fhir/{type}", interaction="search", guard="fhir", endpoint=search_type),
    RouteRow(method="POST", path="/fhir/{type}", interaction="create", guard="fhir", endpoint=create),
    RouteRow(method="GET", path="/quarantine", interaction="quarantine-list", guard="fhir", endpoint=list_waiting),
    RouteRow(method="GET", path="/quarantine/counts", interaction="quarantine-counts", guard="fhir", endpoint=counts),
    RouteRow(method="GET", path="/quarantine/{id}", interaction="quarantine-item", guard="fhir", endpoint=look),
    RouteRow(method="POST", path="/quarantine/replay", interaction="quarantine-replay", guard="fhir", endpoint=replay_many),
    RouteRow(method="POST", path="/quarantine/discard", interaction="quarantine-discard", guard="fhir", endpoint=discard_many),
    RouteRow(method="POST", path="/quarantine/{id}/discard", interaction="quarantine-discard", guard="fhir", endpoint=discard_one),
    RouteRow(method="POST", path="/quarantine/{id}/replay", interaction="quarantine-replay", guard="fhir", endpoint=replay),
    RouteRow(method="GET", path="/confirm", interaction="confirm-list", guard="fhir", endpoint=confirm_list),
    RouteRow(method="POST", path="/confirm/{id}/assign", interaction="confirm-assign", guard="fhir", endpoint=confirm_assign),
    RouteRow(method="POST", path="/confirm/{id}/reject", interaction="confirm-reject", guard="fhir", endpoint=confirm_reject),
    RouteRow(method="POST", path="/ingest/{adapter}", interaction="ingest", guard="fhir", endpoint=ingest),
    # Open, for who calls has no token: the signature is looked at in the endpoint.
    RouteRow(method="POST", path="/webhooks/{adapter}", interaction="webhook", guard="open", endpoint=webhook),
    # Open, for a patient has no token: the word in the address and the browser's cookie are looked at in the endpoints.
    RouteRow(method="GET", path="/clouds/link", interaction="cloud-link-page", guard="open", endpoint=link_page),
    RouteRow(method="POST", path="/clouds/link", interaction="cloud-link", guard="open", endpoint=link_begin),
    RouteRow(method="GET", path="/clouds/callback", interaction="cloud-callback", guard="open", endpoint=link_callback),
    RouteRow(method="GET", path="/webhooks/{adapter}", interaction="webhook-test", guard="open", endpoint=webhook_test),
    # Open, for this is where a session comes from; the code of the link is looked at in the endpoint.
    RouteRow(method="GET", path="/console/sign-in", interaction="console-sign-in-page", guard="open", endpoint=sign_in),
    RouteRow(method="POST", path="/console/sign-in", interaction="console-sign-in", guard="open", endpoint=signed_in),
    RouteRow(method="POST", path="/console/sign-out", interaction="console-sign-out", guard="desk", endpoint=sign_out),
    RouteRow(method="GET", path="/account", interaction="account", guard="person", endpoint=account),
    RouteRow(method="GET", path="/account/apps", interaction="account-apps", guard="person", endpoint=apps),
    RouteRow(method="GET", path="/account/apps/{id}", interaction="account-app", guard="person", endpoint=app),
    RouteRow(method="POST", path="/account/apps/{id}/withdraw", interaction="account-app-withdraw", guard="person", endpoint=app_withdraw),
    RouteRow(method="GET", path="/account/authorize", interaction="account-authorize", guard="person", endpoint=consent),
    RouteRow(method="POST", path="/account/authorize", interaction="account-authorize-form", guard="person", endpoint=consent_form),
    RouteRow(method="GET", path="/account/device", interaction="account-device", guard="person", endpoint=device),
    RouteRow(method="POST", path="/account/device", interaction="account-device-form", guard="person", endpoint=device_form),
    RouteRow(method="GET", path="/account/launch", interaction="account-launch", guard="person", endpoint=launch),
    RouteRow(method="POST", path="/account/launch", interaction="account-launch-form", guard="person", endpoint=launch_form),
    RouteRow(method="GET", path="/console", interaction="console", guard="desk", endpoint=overview),
    RouteRow(method="GET", path="/console/confirm", interaction="console-confirm", guard="desk", endpoint=confirm_page),
    RouteRow(
        method="POST",
        path="/console/confirm/{id}/assign",
        interaction="console-confirm-assign",
        guard="desk",
        endpoint=confirm_page_assign,
    ),
    RouteRow(
        method="POST",
        path="/console/confirm/{id}/reject",
        interaction="console-confirm-reject",
        guard="desk",
        endpoint=confirm_page_reject,
    ),
    RouteRow(method="GET", path="/console/units", interaction="console-units", guard="desk", endpoint=units),
    *(
        RouteRow(method=method, path=f"/console/{path}", interaction=f"console-{interaction}", guard="desk", endpoint=endpoint)
        for method, path, interaction, endpoint in (
            ("GET", "clients", "clients", desk_clients.clients),
            ("GET", "clients/new", "client-new", desk_clients.new),
            ("POST", "clients/new", "client-register", desk_clients.register),
            ("GET", "clients/{id}", "client", desk_clients.client),
            ("GET", "clients/{id}/{act}", "client-ask", desk_clients.ask),
            ("POST", "clients/{id}/{act}", "client-act", desk_clients.do),
            ("GET", "users", "users", desk_users.users),
            ("GET", "users/new", "user-new", desk_users.new_user),
            ("POST", "users/new", "user-add", desk_users.add_user),
            ("GET", "users/{id}", "user", desk_users.user),
            ("GET", "users/{id}/{act}", "user-ask", desk_users.ask_user),
            ("POST", "users/{id}/{act}", "user-act", desk_users.do_user),
            ("GET", "keys", "keys", desk_keys.keys),
            ("GET", "keys/rotate", "keys-ask", desk_keys.ask_keys),
            ("POST", "keys/rotate", "keys-rotate", desk_keys.rotate_keys),
        )
    ),
    RouteRow(method="GET", path="/console/quarantine", interaction="console-quarantine", guard="desk", endpoint=desk_quarantine),
    RouteRow(method="POST", path="/console/quarantine", interaction="console-quarantine-act", guard="desk", endpoint=desk_quarantine_act),
    *ENTRANCES,
)
