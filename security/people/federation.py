"""Signing in with another OpenID provider: what is asked of it, and what its answer has to prove. Pure.

OpenID Connect Core 1.0 sections 3.1.2 and 3.1.3.7, RFC 7636 (PKCE), RFC 9207 (whose answer it is). Pro Santé Connect is such a provider.
"""

from base64 import urlsafe_b64encode
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from hashlib import sha256, sha384
from hmac import compare_digest
from typing import Any, Final, Literal, get_args
from urllib.parse import urlencode

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey
from joserfc.util import base64_to_int

from security.oauth.compact import Malformed, peek, signature_holds
from security.people.rpps import is_rpps

IdAlgorithm = Literal["RS256", "ES256", "RS384", "ES384"]
Match = Literal["linked", "rpps"]
Proof = Literal["client_secret_basic", "client_secret_post", "private_key_jwt", "none"]

ID_TOKEN_MAX_CHARS: Final = 16_384
CLOCK_SKEW_S: Final = 60
AGE_MAX_S: Final = 600
"""An id_token of an authentication that began minutes ago is minutes old."""
SUB_MAX_CHARS: Final = 255
RSA_BITS: Final = range(2_048, 8_193)
CURVES: Final[Mapping[str, str]] = {"ES256": "P-256", "ES384": "P-384"}
NATIONAL_RPPS: Final = "8"
"""First digit of SubjectNameID of Pro Santé Connect where an RPPS number follows."""
NEVER: Final = frozenset({"none", "HS256", "HS384", "HS512"})


class NotProved(Exception):
    """The answer of a provider proves nobody. The text is for the log: it repeats nothing of the answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """Another issuer whose word counts here, as somebody who runs the hub has configured it.

    name        in the addresses of this hub; title: what its button says
    issuer      exactly as it stands in its tokens; everything else is read from its discovery document
    origins     where its pages lie, beside the issuer's own origin: a form of ours may lead there
    acr_values  one of these has to be in the id_token, and counts as a second factor; none: its word is one factor
    match       linked: an account that (iss, sub) was linked with by command. rpps: besides, the one with the RPPS number of `rpps_claim`
    """

    name: str
    title: str
    issuer: str
    client_id: str
    authentication: Proof
    secret: str | None = None
    key: bytes | None = None
    scopes: tuple[str, ...] = ("openid",)
    acr_values: tuple[str, ...] = ()
    algorithms: tuple[IdAlgorithm, ...] = ("RS256", "ES256")
    origins: tuple[str, ...] = ()
    match: Match = "linked"
    rpps_claim: str = "SubjectNameID"

    def __repr__(self) -> str:
        return f"Provider({self.name})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoints:
    """Of a provider's discovery document (OpenID Connect Discovery 1.0 section 3)."""

    authorization: str
    token: str
    jwks: str
    names_itself: bool

    @staticmethod
    def of(document: object, provider: Provider) -> "Endpoints":
        """Raises NotProved: a document that speaks of another issuer is nobody's (section 4.3)."""
        if not isinstance(document, dict) or document.get("issuer") != provider.issuer:
            raise NotProved("the discovery document is not this issuer's")
        found = [document.get(name) for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")]
        if not all(isinstance(one, str) and one.startswith(("https://", "http://")) for one in found):
            raise NotProved("the discovery document lacks an endpoint")
        authorization, token, jwks = (str(one) for one in found)
        names_itself = document.get("authorization_response_iss_parameter_supported") is True
        return Endpoints(authorization=authorization, token=token, jwks=jwks, names_itself=names_itself)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proved:
    """Who the provider says it is, after everything was checked."""

    issuer: str
    subject: str
    acr: str | None
    amr: tuple[str, ...]
    auth_us: int | None
    rpps: str | None


def authorization_url(
    provider: Provider, endpoints: Endpoints, *, redirect_uri: str, state: str, nonce: str, verifier: str, language: str
) -> str:
    """Where the browser is sent (section 3.1.2.1), with PKCE S256 (RFC 7636)."""
    given = {
        "response_type": "code",
        "client_id": provider.client_id,
        "redirect_uri": redirect_uri,
        "scope": " ".join(provider.scopes),
        "state": state,
        "nonce": nonce,
        "code_challenge": _unpadded(sha256(verifier.encode()).digest()),
        "code_challenge_method": "S256",
        "ui_locales": language,
        **({"acr_values": " ".join(provider.acr_values)} if provider.acr_values else {}),
    }
    return f"{endpoints.authorization}{'&' if '?' in endpoints.authorization else '?'}{urlencode(given)}"


def check_answer(provider: Provider, endpoints: Endpoints, iss: str | None) -> None:
    """RFC 9207 section 2.4: the answer names its issuer, and it is the one that was asked. Raises NotProved (mix-up)."""
    if (iss is None and endpoints.names_itself) or (iss is not None and iss != provider.issuer):
        raise NotProved("the answer is of another issuer")


def proved(token: str, *, provider: Provider, jwks: Mapping[str, Any], nonce: str, access_token: str | None, now_us: int) -> Proved:
    """Who is proved by the id_token, checked as section 3.1.3.7 asks. Raises NotProved."""
    try:
        unverified = peek(token, max_chars=ID_TOKEN_MAX_CHARS)
    except Malformed as error:
        raise NotProved(f"the id_token cannot be read: {error}") from None
    algorithm = next((one for one in provider.algorithms if unverified.header.get("alg") == one), None)
    if algorithm is None:
        raise NotProved("the id_token is signed by an algorithm that is not allowed")
    key = _key(jwks, unverified.header.get("kid"), algorithm)
    if not signature_holds(token, key, algorithm):
        raise NotProved("the signature of the id_token does not hold")
    claims = unverified.claims
    _check_parties(claims, provider)
    _check_times(claims, now_us)
    if not _same(claims.get("nonce"), nonce):
        raise NotProved("the nonce is not the one that was sent")
    _check_at_hash(claims, access_token, algorithm)
    return _proved(claims, provider)


def rpps_of(value: object) -> str | None:
    """The RPPS number that a claim holds: alone, or after the digit 8 that says so."""
    text = value if isinstance(value, str) else ""
    if text.startswith(NATIONAL_RPPS) and is_rpps(text[1:]):
        return text[1:]
    return text if is_rpps(text) else None


def _proved(claims: Mapping[str, Any], provider: Provider) -> Proved:
    subject, acr, amr, auth_s = claims.get("sub"), claims.get("acr"), claims.get("amr", []), claims.get("auth_time")
    if not isinstance(subject, str) or not 0 < len(subject) <= SUB_MAX_CHARS:
        raise NotProved("the id_token names nobody")
    if provider.acr_values and acr not in provider.acr_values:
        raise NotProved("the level of the authentication is not one that is asked for")
    return Proved(
        issuer=provider.issuer,
        subject=subject,
        acr=acr if isinstance(acr, str) else None,
        amr=tuple(one for one in amr if isinstance(one, str)) if isinstance(amr, list) else (),
        auth_us=auth_s * 1_000_000 if isinstance(auth_s, int) and not isinstance(auth_s, bool) else None,
        rpps=rpps_of(claims.get(provider.rpps_claim)),
    )


def _check_parties(claims: Mapping[str, Any], provider: Provider) -> None:
    audience = claims.get("aud")
    named: Collection[object] = audience if isinstance(audience, list) else [audience]
    if claims.get("iss") != provider.issuer:
        raise NotProved("the id_token is of another issuer")
    if provider.client_id not in named or any(not isinstance(one, str) for one in named):
        raise NotProved("the id_token is for somebody else")
    if (len(named) > 1 or "azp" in claims) and claims.get("azp") != provider.client_id:
        raise NotProved("the id_token was made for another party")


def _check_times(claims: Mapping[str, Any], now_us: int) -> None:
    now_s = now_us // 1_000_000
    exp, iat = claims.get("exp"), claims.get("iat")
    if not all(isinstance(one, int | float) and not isinstance(one, bool) for one in (exp, iat)):
        raise NotProved("the id_token says no times")
    if not now_s < exp + CLOCK_SKEW_S or not now_s - AGE_MAX_S < iat <= now_s + CLOCK_SKEW_S:  # type: ignore[operator]
        raise NotProved("the id_token is over, or not of now")


def _check_at_hash(claims: Mapping[str, Any], access_token: str | None, algorithm: IdAlgorithm) -> None:
    """Section 3.1.3.8: if it is there, the access token is the one that came along."""
    if "at_hash" not in claims:
        return
    digest = (sha256 if algorithm.endswith("256") else sha384)((access_token or "").encode()).digest()
    if not _same(claims["at_hash"], _unpadded(digest[: len(digest) // 2])):
        raise NotProved("the access token is not the one that the id_token came with")


def _key(jwks: Mapping[str, Any], kid: str | None, algorithm: IdAlgorithm) -> ECKey | RSAKey:
    """The one key that fits: of the algorithm's kind, for signatures, of this name if one is given. Raises NotProved."""
    kty = "RSA" if algorithm.startswith("RS") else "EC"
    keys = jwks.get("keys")
    fitting = [
        one
        for one in (keys if isinstance(keys, list) else [])
        if isinstance(one, dict)
        and one.get("kty") == kty
        and one.get("use", "sig") == "sig"
        and one.get("alg", algorithm) == algorithm
        and (kid is None or one.get("kid") == kid)
    ]
    if len(fitting) != 1:
        raise NotProved(f"{len(fitting)} keys of the provider fit")
    try:
        return _imported(fitting[0], algorithm)
    except (JoseError, ValueError, TypeError, KeyError):
        raise NotProved("the key of the provider cannot be read") from None


def _imported(one: Mapping[str, Any], algorithm: IdAlgorithm) -> ECKey | RSAKey:
    if algorithm.startswith("RS"):
        if base64_to_int(one["n"]).bit_length() not in RSA_BITS:
            raise ValueError("an RSA key of this size is not used")
        return RSAKey.import_key({name: one[name] for name in ("kty", "n", "e")})
    key = ECKey.import_key({name: one[name] for name in ("kty", "crv", "x", "y")})
    if key.curve_name != CURVES[algorithm]:
        raise ValueError("another curve")
    return key


def _same(found: object, expected: str) -> bool:
    return isinstance(found, str) and compare_digest(found.encode(), expected.encode())


def _unpadded(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode("ascii").rstrip("=")


ALGORITHMS: Final[tuple[IdAlgorithm, ...]] = get_args(IdAlgorithm)
PROOFS: Final[tuple[Proof, ...]] = get_args(Proof)
MATCHES: Final[tuple[Match, ...]] = get_args(Match)
