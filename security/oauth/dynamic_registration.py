"""An app that registers itself: what it may say of itself, read strictly. Nothing of it counts before somebody has approved it. Pure.

https://www.rfc-editor.org/rfc/rfc7591#section-2 and section 3.2.2. Names that are not known are passed over, as the clause asks; of
those that are known each has to have its own form, so that nobody is told 201 about something else than was sent.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from security.oauth.addresses import origins_of, web_url
from security.oauth.clients import GRANT_CODE, App, Authentication, Binding, Client
from security.oauth.jwks import registrable
from security.oauth.registration import APP_GRANTS, BadRedirectUri, CheckScopeQuery, checked

RegistrationErrorCode = Literal["invalid_redirect_uri", "invalid_client_metadata", "invalid_software_statement"]

REGISTRATION_PATH: Final = "/oauth/clients"
METHODS: Final[tuple[Authentication, ...]] = ("none", "client_secret_basic", "private_key_jwt")
DEFAULT_METHOD: Final = "client_secret_basic"
"""RFC 7591 section 2."""
CONTACTS_MAX: Final = 1
PURPOSE: Final = "TREAT"
"""Of what it does by itself; what it does for a person has the purpose of the person's role. Whoever approves it may give another."""

LESS_ALONE: Final = (
    "a registration may have fewer scopes and redirect URIs later, stricter requests and tokens, and other keys; for anything else "
    "register anew, or ask who runs the hub"
)
ENDED_KEYS: Final = (
    "jwks: a key of this registration was ended, so its kid names no other key here, and the keys do not move to a URL, where it might "
    "be again; give the others under names of their own, or register anew"
)


class RegistrationRefused(Exception):
    """RFC 7591 section 3.2.2. The text is for the app's developer and repeats nothing that was sent."""

    def __init__(self, error: RegistrationErrorCode, description: str) -> None:
        super().__init__(f"{error}: {description}")
        self.error: RegistrationErrorCode = error
        self.description = description


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    """What came, asked for by name and form. Raises RegistrationRefused."""

    members: Mapping[str, Any]

    def text(self, name: str) -> str | None:
        value = self.members.get(name)
        if value is not None and not isinstance(value, str):
            raise RegistrationRefused("invalid_client_metadata", f"{name} must be a text")
        return value

    def texts(self, name: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
        value = self.members.get(name)
        if value is None:
            return default
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise RegistrationRefused("invalid_client_metadata", f"{name} must be a list of texts")
        return tuple(value)

    def flag(self, name: str) -> bool:
        value = self.members.get(name, False)
        if not isinstance(value, bool):
            raise RegistrationRefused("invalid_client_metadata", f"{name} must be true or false")
        return value


def described(members: object, *, client_id: str, secret_hash: bytes, now_us: int, check_scope_query: CheckScopeQuery) -> Client:
    """The client that somebody describes, pending. Raises RegistrationRefused.

    secret_hash  of a secret made for it, in case it wants one
    """
    if not isinstance(members, dict):
        raise RegistrationRefused("invalid_client_metadata", "the body is not a JSON object")
    if members.get("software_statement") is not None:
        raise RegistrationRefused("invalid_software_statement", "software statements are not accepted: nobody is trusted to sign them here")
    said = _Said(members=members)
    method = _method(said)
    fields = {
        "client_id": client_id,
        "name": said.text("client_name") or "",
        "scopes": said.text("scope") or "",
        "authentication": method,
        "secret_hash": secret_hash if method == "client_secret_basic" else None,
        "grants": _grants(said),
        "app": _app(said),
        "binding": _binding(said),
        **_keys(said, method),
    }
    return _checked(fields, now_us, check_scope_query)


def changed_by_itself(client: Client, wanted: Client) -> Client:
    """A registration that is less now, or has other keys, as its app describes it. Raises RegistrationRefused for anything else.

    Names, pages and addresses are what somebody looks at before approving it, and what people are shown: they stay. What whoever
    approved it has given it (an organisation, a purpose) stays too.
    """
    app, other = client.app or App(), wanted.app or App()
    less = wanted.allowed.within(client.allowed) == wanted.allowed and set(other.redirect_uris) <= set(app.redirect_uris)
    bound = wanted.binding == client.binding or (client.binding, wanted.binding) == ("none", "dpop")
    tighter = bound and other.par_required >= app.par_required
    if not less or not tighter or _looked_at(wanted) != _looked_at(client):
        raise RegistrationRefused("invalid_client_metadata", LESS_ALONE)
    if _brings_back(client, wanted):
        raise RegistrationRefused("invalid_client_metadata", ENDED_KEYS)
    given_up = set(origins_of(app.redirect_uris)) - set(origins_of(other.redirect_uris))
    origins = tuple(one for one in app.origins if one not in given_up)
    kept = replace(app, redirect_uris=other.redirect_uris, origins=origins, par_required=other.par_required)
    return replace(
        client,
        scopes=wanted.scopes,
        jwks=wanted.jwks,
        jwks_uri=wanted.jwks_uri,
        binding=wanted.binding,
        app=None if client.app is None else kept,
    )


def _brings_back(client: Client, wanted: Client) -> bool:
    """Might a key be good again that was ended (`security.oauth.rotation`), or another be told that it is and never be?"""
    ended = {one.kid for one in client.key_ends}
    if not ended or wanted.jwks is None:
        return bool(ended)
    known = () if client.jwks is None else client.jwks["keys"]
    return any(one["kid"] in ended and one not in known for one in wanted.jwks["keys"])


def _looked_at(client: Client) -> tuple[object, ...]:
    app = client.app or App()
    pages = (app.launch_url, app.homepage, app.policy_uri, app.logo_uri, app.contact)
    return (client.name, client.authentication, client.grants, bool(app.redirect_uris), *pages)


def _checked(fields: Mapping[str, Any], now_us: int, check_scope_query: CheckScopeQuery) -> Client:
    nobodys = {"organization": "", "purpose": PURPOSE, "consent_default": "opt-in", "recorder": False, "importer": False}
    try:
        return checked(Client(**{**nobodys, **fields, "created_us": now_us, "pending": True}), check_scope_query)
    except BadRedirectUri as error:
        raise RegistrationRefused("invalid_redirect_uri", str(error)) from error
    except ValueError as error:
        raise RegistrationRefused("invalid_client_metadata", str(error)) from error


def _method(said: _Said) -> Authentication:
    method = said.text("token_endpoint_auth_method") or DEFAULT_METHOD
    if method not in METHODS:
        raise RegistrationRefused("invalid_client_metadata", f"token_endpoint_auth_method is one of {', '.join(METHODS)}")
    return method


def _grants(said: _Said) -> tuple[str, ...]:
    grants = said.texts("grant_types", (GRANT_CODE,))
    if not grants or not set(grants) <= set(APP_GRANTS):
        raise RegistrationRefused("invalid_client_metadata", f"grant_types are of {', '.join(APP_GRANTS)}")
    wanted = ("code",) if GRANT_CODE in grants else ()
    if said.texts("response_types", wanted) != wanted:
        raise RegistrationRefused("invalid_client_metadata", "response_types must be code, and go with authorization_code")
    return tuple(dict.fromkeys(grants))


def _app(said: _Said) -> App:
    contacts = said.texts("contacts")
    if len(contacts) > CONTACTS_MAX:
        raise RegistrationRefused("invalid_client_metadata", "contacts: one is enough")
    return App(
        redirect_uris=said.texts("redirect_uris"),
        launch_url=said.text("initiate_login_uri"),
        homepage=said.text("client_uri"),
        policy_uri=said.text("policy_uri"),
        logo_uri=said.text("logo_uri"),
        contact=contacts[0] if contacts else None,
        par_required=said.flag("require_pushed_authorization_requests"),
    )


def _binding(said: _Said) -> Binding:
    if said.flag("tls_client_certificate_bound_access_tokens"):
        raise RegistrationRefused("invalid_client_metadata", "certificates are registered by whoever runs the hub")
    return "dpop" if said.flag("dpop_bound_access_tokens") else "none"


def _keys(said: _Said, method: Authentication) -> dict[str, Any]:
    """Inline or at a URL, exactly one of the two, and only for who signs with them."""
    jwks, uri = said.members.get("jwks"), said.text("jwks_uri")
    if method != "private_key_jwt":
        if jwks is not None or uri is not None:
            raise RegistrationRefused("invalid_client_metadata", "jwks and jwks_uri go with private_key_jwt")
        return {"jwks": None, "jwks_uri": None}
    try:
        return {"jwks": None if jwks is None else registrable(jwks), "jwks_uri": None if uri is None else web_url(uri)}
    except ValueError as error:
        raise RegistrationRefused("invalid_client_metadata", f"jwks: {error}") from None
