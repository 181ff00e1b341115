"""A request to /oauth/authorize: everything about it that needs no person.

RFC 6749 section 4.1.1, RFC 7636 (PKCE, S256 alone, for every client), RFC 9126 (PAR), OpenID Connect Core 1.0 section 3.1.2,
https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html#obtain-authorization-code

Two ways to refuse: until the redirect_uri is known to be the client's nothing is sent there (`Untrusted`, a page for the person);
from then on the app is told (`Refused`, RFC 6749 section 4.1.2.1).
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

from security.grounds import FHIR_USER
from security.oauth.assertion import CLIENT_ID_MAX_CHARS
from security.oauth.clients import GRANT_CODE, GRANT_REFRESH, Client
from security.oauth.redirect_uri import answer_at, is_registered
from security.oauth.roles import LAUNCHING
from security.oauth.scope_request import ScopeRequest
from security.scopes import CONTEXT_SCOPES, Query, ScopeSyntax

AuthorizeErrorCode = Literal[
    "invalid_request",
    "unauthorized_client",
    "access_denied",
    "unsupported_response_type",
    "invalid_scope",
    "server_error",
    "temporarily_unavailable",
    "login_required",
    "consent_required",
    "interaction_required",
    "request_not_supported",
    "request_uri_not_supported",
    "registration_not_supported",
    "invalid_target",
]
"""RFC 6749 section 4.1.2.1, OpenID Connect Core section 3.1.2.6, RFC 8707 section 2."""

CHALLENGE: Final = re.compile(r"[A-Za-z0-9_-]{43}")
"""SHA-256 in base64url (RFC 7636 section 4.2)."""
STATE_MAX_CHARS, NONCE_MAX_CHARS, LAUNCH_MAX_CHARS = 2_048, 1_024, 256
PROMPTS: Final = frozenset({"none", "login", "consent", "select_account"})
MAX_AGE: Final = re.compile(r"[0-9]{1,9}")
THUMBPRINT: Final = CHALLENGE
"""Of a DPoP key (RFC 9449 section 10)."""
ONCE = "a parameter is given more than once"
UNTRUSTED: Final = (
    "The app that sent you here is not known, or wants the answer at an address that was not registered for it. Nothing was sent there."
)
"""One text for an unknown app and for an unknown address."""

OF_DATA: Final = frozenset({*LAUNCHING.split(), FHIR_USER})
"""Words that something of FHIR comes with: a patient, or the resource that the person is."""
GOING_ON: Final = frozenset({"offline_access", "online_access"})
"""Either asks for a refresh token."""

Pairs = Iterable[tuple[str, str]]


class Untrusted(Exception):
    """Nothing is sent to the redirect_uri (RFC 6749 section 4.1.2.1). The text is for the person, and repeats nothing that was sent."""

    def __init__(self) -> None:
        super().__init__(UNTRUSTED)


class Refused(Exception):
    """Told to the app at its redirect_uri. `description`: for its developer, our words only."""

    def __init__(self, error: AuthorizeErrorCode, description: str) -> None:
        super().__init__(f"{error}: {description}")
        self.error: AuthorizeErrorCode = error
        self.description = description


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationRequest:
    """Checked, but for the person.

    scope           canonical text of `ScopeRequest`: what was asked for, as far as the client is registered for it
    code_challenge  of PKCE, method S256
    launch          id of the launch that the EHR began; None: standalone
    prompt, max_age_s  how fresh the sign-in has to be (OpenID Connect Core section 3.1.2.1)
    jkt             thumbprint of the DPoP key that the code is bound to; None: to none
    """

    client_id: str
    redirect_uri: str
    scope: str
    state: str
    code_challenge: str
    nonce: str | None = None
    launch: str | None = None
    prompt: tuple[str, ...] = ()
    max_age_s: int | None = None
    jkt: str | None = None

    @property
    def asked(self) -> ScopeRequest:
        return ScopeRequest.parse(self.scope)

    def to_document(self) -> dict[str, Any]:
        """Plain JSON, to be sealed; `from_document` is its inverse."""
        return asdict(self)

    @staticmethod
    def from_document(document: Mapping[str, Any]) -> "AuthorizationRequest":
        """A field that is missing or unknown is an error (TypeError), never a default."""
        return AuthorizationRequest(**{**document, "prompt": tuple(document["prompt"])})


@dataclass(frozen=True, slots=True, kw_only=True)
class Answering:
    """Where the answer goes, once that is trusted; every answer names who gives it (RFC 9207), so that apps notice a mix-up."""

    redirect_uri: str
    state: str | None
    issuer: str

    def granted(self, code: str) -> str:
        """The URL with the code."""
        return answer_at(self.redirect_uri, {"code": code, **self._always()})

    def refused(self, refusal: Refused) -> str:
        return answer_at(self.redirect_uri, {"error": refusal.error, "error_description": refusal.description, **self._always()})

    def _always(self) -> dict[str, str]:
        return {**({} if self.state is None else {"state": self.state}), "iss": self.issuer}


def client_id_of(pairs: Pairs) -> str | None:
    """Of whom the request says it comes, if it says so once."""
    named = [value for name, value in pairs if name == "client_id"]
    return named[0] if len(named) == 1 and 0 < len(named[0]) <= CLIENT_ID_MAX_CHARS else None


def trusted(pairs: Pairs, client: Client | None, issuer: str) -> Answering:
    """Where to answer. Raises Untrusted.

    pairs   the parameters as they came
    client  the registration that client_id names, if there is one
    """
    sent = list(pairs)
    uris, states = ([value for name, value in sent if name == wanted] for wanted in ("redirect_uri", "state"))
    if client is None or client.revoked_us is not None or client.pending or len(uris) != 1 or not is_registered(client, uris[0]):
        raise Untrusted
    state = states[0] if len(states) == 1 and 0 < len(states[0]) <= STATE_MAX_CHARS else None
    return Answering(redirect_uri=uris[0], state=state, issuer=issuer)


def checked(
    pairs: Pairs, client: Client, *, audience: str, check_scope_query: Callable[[str, Query], None], pushed: bool = False
) -> AuthorizationRequest:
    """The request, whose client and redirect_uri are trusted (see `trusted`). Raises Refused.

    audience  the FHIR base
    pushed    it came by PAR, or rests on what did
    """
    form = single(pairs)
    _check_kind(form, client, pushed=pushed)
    scope = _scope(form.get("scope"), client, check_scope_query)
    _check_audience(form, audience, scope)
    return AuthorizationRequest(
        client_id=client.client_id,
        redirect_uri=form["redirect_uri"],
        scope=scope.text(),
        state=_text(form, "state", STATE_MAX_CHARS, needed="state is needed: it binds the answer to who asked (SMART)") or "",
        code_challenge=_challenge(form),
        nonce=_text(form, "nonce", NONCE_MAX_CHARS),
        launch=_launch(form),
        prompt=_prompt(form.get("prompt", "")),
        max_age_s=_max_age(form.get("max_age")),
        jkt=_thumbprint(form.get("dpop_jkt")),
    )


def single(pairs: Pairs) -> dict[str, str]:
    """Each parameter once; one without a value counts as left out (RFC 6749 section 3.1). Raises Refused."""
    sent = list(pairs)
    form = dict(sent)
    if len(form) != len(sent):
        raise Refused("invalid_request", ONCE)
    return {name: value for name, value in form.items() if value}


def _check_kind(form: Mapping[str, str], client: Client, *, pushed: bool) -> None:
    if "request" in form:
        raise Refused("request_not_supported", "send the parameters themselves, or push them (RFC 9126)")
    if "request_uri" in form:
        raise Refused("request_uri_not_supported", "request_uri must be one that this server gave for pushed parameters")
    if "registration" in form:
        raise Refused("registration_not_supported", "register beforehand")
    if form.get("response_type") is None:
        raise Refused("invalid_request", "response_type is missing")
    if form["response_type"] != "code":
        raise Refused("unsupported_response_type", "response_type must be code")
    if form.get("response_mode", "query") != "query":
        raise Refused("invalid_request", "response_mode must be query")
    if GRANT_CODE not in client.grants:
        raise Refused("unauthorized_client", "this client is not registered for authorization_code")
    if client.app is not None and client.app.par_required and not pushed:
        raise Refused("invalid_request", "this client has to push its parameters (RFC 9126)")


def _challenge(form: Mapping[str, str]) -> str:
    if form.get("code_challenge_method") != "S256":
        raise Refused("invalid_request", "code_challenge_method must be S256")
    challenge = form.get("code_challenge", "")
    if not CHALLENGE.fullmatch(challenge):
        raise Refused("invalid_request", "code_challenge must be a SHA-256 in base64url")
    return challenge


def _check_audience(form: Mapping[str, str], audience: str, scope: ScopeRequest) -> None:
    """SMART: for whom the token shall be; otherwise a false server could have tokens of the real one made out.

    Who asks for an identity alone, as any OpenID client does, gets no token that a server of data would take, and need not say it.
    """
    same, said = {audience, f"{audience}/"}, "" if scope.resources.items or scope.context & OF_DATA else audience
    if form.get("aud", said) not in same:
        raise Refused("invalid_request", "aud must be the FHIR base URL of this server")
    if form.get("resource", audience) not in same:
        raise Refused("invalid_target", "resource must be the FHIR base URL of this server")


def _launch(form: Mapping[str, str]) -> str | None:
    launch, words = form.get("launch"), form.get("scope", "").split(" ")
    if launch is None and "launch" in words:
        raise Refused("invalid_request", "the scope launch goes with the parameter launch that the EHR gave")
    if launch is not None and "launch" not in words:
        raise Refused("invalid_scope", "the parameter launch goes with the scope launch")
    return _text(form, "launch", LAUNCH_MAX_CHARS)


def _scope(text: str | None, client: Client, check_scope_query: Callable[[str, Query], None]) -> ScopeRequest:
    if text is None:
        raise Refused("invalid_scope", "scope is missing")
    try:
        granted = ScopeRequest.parse(" ".join(_understood(text.split(" ")))).within(registered(client))
    except ScopeSyntax as error:
        raise Refused("invalid_scope", str(error)) from None
    if not granted.resources.items and not granted.context:
        raise Refused("invalid_scope", "none of the requested scopes is registered for this client")
    check_queries(granted, check_scope_query)
    return granted


def registered(client: Client) -> ScopeRequest:
    """What the client may ask a person for: nothing that goes on where it takes no refresh tokens."""
    allowed = client.allowed
    return allowed if GRANT_REFRESH in client.grants else ScopeRequest(allowed.resources, allowed.context - GOING_ON)


def check_queries(scope: ScopeRequest, check_scope_query: Callable[[str, Query], None]) -> None:
    """Better no token than one whose query would be left out. Raises Refused."""
    for one in scope.resources.items:
        try:
            if one.query:
                check_scope_query(one.resource_type, one.query)
        except ValueError as error:
            raise Refused("invalid_scope", "a scope query cannot be enforced on its resource type") from error


def _understood(words: Collection[str]) -> list[str]:
    """OpenID Connect Core section 3.1.2.1: words that are not understood are ignored; what looks like a resource scope is none of them.

    system/ scopes are left out: no person may give them (`security.oauth.roles`).
    """
    return [word for word in words if (word in CONTEXT_SCOPES or "/" in word) and not word.startswith("system/")]


def _prompt(text: str) -> tuple[str, ...]:
    words = tuple(dict.fromkeys(text.split()))
    if not PROMPTS.issuperset(words) or ("none" in words and len(words) > 1):
        raise Refused("invalid_request", "prompt is none, or some of login, consent, select_account")
    return words


def _max_age(text: str | None) -> int | None:
    if text is not None and not MAX_AGE.fullmatch(text):
        raise Refused("invalid_request", "max_age is a number of seconds")
    return None if text is None else int(text)


def _thumbprint(text: str | None) -> str | None:
    if text is not None and not THUMBPRINT.fullmatch(text):
        raise Refused("invalid_request", "dpop_jkt is a SHA-256 thumbprint in base64url")
    return text


def _text(form: Mapping[str, str], name: str, max_chars: int, *, needed: str | None = None) -> str | None:
    value = form.get(name)
    if value is None and needed is not None:
        raise Refused("invalid_request", needed)
    if value is not None and len(value) > max_chars:
        raise Refused("invalid_request", f"{name} is longer than {max_chars} characters")
    return value
