"""How a client proves itself, at whichever endpoint: by the one method that it is registered with, and by one method in a request.

https://www.rfc-editor.org/rfc/rfc6749#section-2.3, https://www.rfc-editor.org/rfc/rfc7523#section-2.2,
https://www.rfc-editor.org/rfc/rfc8705#section-2, https://hl7.org/fhir/smart-app-launch/STU2.2/client-confidential-asymmetric.html

Stores, clock and network come in as `ProofDependencies`. Who has not proved itself never learns whether there is such a client.
"""

import hmac
import secrets
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final, Protocol
from urllib.parse import unquote_plus

from security.oauth.assertion import CLIENT_ID_MAX_CHARS, UNPROVED, VerifiedAssertion, unverified_client_id, unverified_kid, verify
from security.oauth.clients import Authentication, Client
from security.oauth.errors import JwksUnavailable, OAuthError
from security.oauth.jwks import Proves

CLIENT_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_FIELDS: Final = ("client_assertion", "client_assertion_type")
BASIC_CHALLENGE: Final = 'Basic realm="hub", charset="UTF-8"'
"""https://www.rfc-editor.org/rfc/rfc7617#section-2.1"""
BASIC_MAX_CHARS: Final = 2_048
SECRET_BYTES: Final = 32
NOBODYS: Final = bytes(32)
"""Compared with where there is no client, so that the same work is done."""
NAMELESS: Final = "the client does not say who it is: client_id, client_assertion or the Basic scheme is missing"


class FetchJwks(Protocol):
    """The keys of a client registered with a URL, afresh if the set at hand has no key `kid`; raises JwksUnavailable.

    proves  was what has come signed with a key of this set? Asked of a set that must not be used any more, to know whether another
            call is worth it
    """

    def __call__(self, client: Client, kid: str | None, proves: Proves) -> Awaitable[Mapping[str, Any]]: ...


class ProofDependencies(Protocol):
    """What is needed from outside.

    find_client  the registration, revoked or not; None when there is none
    consume_jti  remember this key until `exp_us`; False when it is remembered already. One atomic step in the store
    token_urls   what `aud` of an assertion may be
    now_us       microseconds since 1970 UTC
    """

    @property
    def find_client(self) -> Callable[[str], Awaitable[Client | None]]: ...
    @property
    def fetch_jwks(self) -> FetchJwks: ...
    @property
    def consume_jti(self) -> Callable[[bytes, int], Awaitable[bool]]: ...
    @property
    def token_urls(self) -> tuple[str, ...]: ...
    @property
    def now_us(self) -> Callable[[], int]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Presented:
    """What a request shows to prove who sends it.

    authorization  the lines of that header
    form           its parameters, each once (see `parse_form`)
    certificate    base64url SHA-256 of the certificate of the connection (RFC 8705 `x5t#S256`), if there is one
    """

    form: Mapping[str, str]
    authorization: tuple[str, ...] = ()
    certificate: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvedClient:
    """Proved: the request comes from this client, which is approved and not revoked. Of a public client: it says so.

    kid          the key of private_key_jwt, with which the tokens end; None for the other methods
    certificate  of the connection, whether or not it was the proof: tokens may be bound to it
    """

    client: Client
    method: Authentication
    kid: str | None = None
    certificate: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Basic:
    client_id: str
    secret: str = field(repr=False)


async def prove(presented: Presented, dependencies: ProofDependencies) -> ProvedClient:
    """The client behind a request; an assertion's jti is used up by it.

    Raises OAuthError: invalid_client where nothing is proved, invalid_request where a request tries two methods or none that there is.
    """
    basic = _basic(presented.authorization)
    _check_one_method(basic, presented.form)
    if basic is not None:
        return await _by_secret(basic, presented, dependencies)
    if any(name in presented.form for name in ASSERTION_FIELDS):
        return await _by_assertion(presented, dependencies)
    return await _by_name(presented, dependencies)


def new_client_secret() -> tuple[str, bytes]:
    """A secret, 256 bits from the operating system, and what is kept of it."""
    secret = secrets.token_urlsafe(SECRET_BYTES)
    return secret, secret_hash(secret)


def secret_hash(secret: str) -> bytes:
    """SHA-256 is enough: nobody can guess 256 bits, so nothing is gained by making each guess slow."""
    return sha256(secret.encode("utf-8", "surrogatepass")).digest()


def jti_key(verified: VerifiedAssertion) -> bytes:
    """32 bytes that name this jti of this client; a jti need be unique for its issuer only (RFC 7523 section 3)."""
    issuer = verified.client_id.encode("utf-8", "surrogatepass")
    return sha256(len(issuer).to_bytes(4, "big") + issuer + verified.jti.encode("utf-8", "surrogatepass")).digest()


def _check_one_method(basic: _Basic | None, form: Mapping[str, str]) -> None:
    if "client_secret" in form:
        raise OAuthError("invalid_request", "client_secret is not used here: a secret goes into the Authorization header (Basic)")
    if basic is not None and any(name in form for name in ASSERTION_FIELDS):
        raise OAuthError("invalid_request", "a request proves its client by one method, not by two")


async def _by_secret(basic: _Basic, presented: Presented, dependencies: ProofDependencies) -> ProvedClient:
    """RFC 6749 section 2.3.1. Client, method and secret are looked at in any case, and one answer is given for each."""
    client = await _found(basic.client_id, dependencies)
    known = client.secret_hash if client is not None and client.authentication == "client_secret_basic" else None
    same = hmac.compare_digest(secret_hash(basic.secret), known or NOBODYS)
    if client is None or known is None or not same or presented.form.get("client_id", basic.client_id) != basic.client_id:
        raise _refused(UNPROVED, basic=True)
    return ProvedClient(client=client, method="client_secret_basic", certificate=presented.certificate)


async def _by_assertion(presented: Presented, dependencies: ProofDependencies) -> ProvedClient:
    assertion = _assertion(presented.form)
    client_id = unverified_client_id(assertion)
    if presented.form.get("client_id", client_id) != client_id:  # RFC 7521 section 4.2
        raise _refused("client_id is not the one of the assertion")
    client = await _found(client_id, dependencies)
    if client is None or client.authentication != "private_key_jwt":
        raise _refused(UNPROVED)
    jwks = await _jwks(client, assertion, dependencies)
    verified = verify(assertion, client=client, jwks=jwks, token_urls=dependencies.token_urls, now_us=dependencies.now_us())
    if not await dependencies.consume_jti(jti_key(verified), verified.exp_us):
        raise _refused("this jti has been used before")
    return ProvedClient(client=client, method="private_key_jwt", kid=verified.kid, certificate=presented.certificate)


async def _by_name(presented: Presented, dependencies: ProofDependencies) -> ProvedClient:
    """The connection's certificate proves it, or nothing does: a public client's code is bound to it by PKCE."""
    client_id = presented.form.get("client_id", "")
    if not client_id:
        raise _refused(NAMELESS)
    client = await _found(client_id, dependencies)
    if client is not None and client.authentication == "none":
        return ProvedClient(client=client, method="none", certificate=presented.certificate)
    if client is None or client.authentication != "tls_client_auth" or not _same(client.certificate, presented.certificate):
        raise _refused(UNPROVED)
    return ProvedClient(client=client, method="tls_client_auth", certificate=presented.certificate)


async def _found(client_id: str, dependencies: ProofDependencies) -> Client | None:
    """As if it were not there while nobody has approved it, and once it is revoked."""
    if not 0 < len(client_id) <= CLIENT_ID_MAX_CHARS:
        return None
    client = await dependencies.find_client(client_id)
    return None if client is None or client.pending or client.revoked_us is not None else client


async def _jwks(client: Client, assertion: str, dependencies: ProofDependencies) -> Mapping[str, Any]:
    good = client.good_jwks(dependencies.now_us())
    if good is not None:
        return good

    def proves(jwks: Mapping[str, Any]) -> bool:
        with suppress(OAuthError):
            verify(assertion, client=client, jwks=jwks, token_urls=dependencies.token_urls, now_us=dependencies.now_us())
            return True
        return False

    try:
        return await dependencies.fetch_jwks(client, unverified_kid(assertion), proves)
    except JwksUnavailable as error:
        raise _refused(UNPROVED) from error


def _assertion(form: Mapping[str, str]) -> str:
    if form.get("client_assertion_type") != CLIENT_ASSERTION_TYPE:
        raise _refused(f"client_assertion_type must be {CLIENT_ASSERTION_TYPE}")
    assertion = form.get("client_assertion")
    if assertion is None:
        raise _refused("client_assertion is missing")
    return assertion


def _basic(lines: tuple[str, ...]) -> _Basic | None:
    """RFC 7617 with the form encoding of RFC 6749 section 2.3.1 around both parts. Raises OAuthError."""
    if not lines:
        return None
    scheme, _, encoded = lines[0].partition(" ")
    if len(lines) > 1 or len(lines[0]) > BASIC_MAX_CHARS:
        raise OAuthError("invalid_request", "the Authorization header comes once, and is short")
    if scheme.lower() != "basic":
        raise _refused("a client proves itself by the Basic scheme or without an Authorization header", basic=True)
    try:
        named, colon, secret = b64decode(encoded.strip(), validate=True).decode("utf-8").partition(":")
        client_id, secret = (unquote_plus(part, errors="strict") for part in (named, secret))
    except (NotBase64, ValueError):
        raise _refused("the Basic credentials cannot be read", basic=True) from None
    if not colon or not client_id or not secret:
        raise _refused("the Basic credentials are client_id and secret, both form-encoded, with a colon between them", basic=True)
    return _Basic(client_id=client_id, secret=secret)


def _same(registered: str | None, shown: str | None) -> bool:
    return registered is not None and shown is not None and hmac.compare_digest(registered.encode(), shown.encode("utf-8", "replace"))


def _refused(description: str, *, basic: bool = False) -> OAuthError:
    """RFC 6749 section 5.2: who tried the Authorization header is told by which scheme."""
    return OAuthError("invalid_client", description, challenge=BASIC_CHALLENGE if basic else None)
