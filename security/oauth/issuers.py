"""Tokens of other authorization servers, accepted as configured and in no other way. Pure: key sets and time come in as arguments.

https://www.rfc-editor.org/rfc/rfc9068#section-4, https://www.rfc-editor.org/rfc/rfc8725. A token of another issuer stands for one client
that is registered here, with scopes of level system within that registration and below the issuer's ceiling. It never speaks for a person.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, get_args
from urllib.parse import urlsplit

from security.oauth.access_token import AUTHORIZATION_CLAIM, TOKEN_MAX_CHARS, InvalidToken, TokenClaims
from security.oauth.compact import Malformed, Unverified, peek, signature_holds
from security.oauth.public_keys import PublicAlgorithm, UnusableKey, public_key
from security.scopes import Scopes, ScopeSyntax

KTY: Final[Mapping[PublicAlgorithm, str]] = {"ES256": "EC", "ES384": "EC", "RS256": "RSA", "RS384": "RSA"}
LIFETIME_MAX_S: Final = 3_600
AHEAD_MAX_S: Final = 5
TYPES: Final = ("at+jwt", "application/at+jwt")
"""RFC 9068 section 4; an issuer that writes another type is configured with it."""
SYSTEM: Final = "system/"
_S: Final = 1_000_000
_TEXTS: Final = ("issuer", "audience", "jwks_uri", "scopes")
_OPTIONAL: Final = {"client_claim": "client_id", "scope_claim": "scope", "purpose_claim": "", "typ": ""}


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """One row of HUB_ISSUERS.

    issuer, audience  what `iss` and `aud` have to be
    algorithms        those that its tokens may be signed with
    jwks_uri          where its keys are; never taken from a token
    clients           value of `client_claim` to the client_id of a registration here
    scopes            the most that its tokens may do here, canonical text
    purposes          value of `purpose_claim` to a code of v3-ActReason; empty: tokens need not say why
    typ               header type, in small letters
    """

    issuer: str
    audience: str
    jwks_uri: str
    algorithms: tuple[PublicAlgorithm, ...]
    clients: Mapping[str, str]
    scopes: str
    client_claim: str
    scope_claim: str
    purpose_claim: str
    purposes: Mapping[str, str]
    typ: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignToken:
    """A verified token of another issuer. `scopes` lie below the issuer's ceiling; the registration narrows them further.

    issuer, subject  who vouches, and under which name it knows the client; both as configured
    purpose  what the token says it is for; None: nothing, and the registration's holds
    """

    issuer: str
    subject: str
    client_id: str
    scopes: Scopes
    purpose: str | None
    jti: str
    exp_us: int
    iat_us: int
    cnf: Mapping[str, str]

    def claims(self, registered: Scopes, purpose: str) -> TokenClaims:
        """As a token of ours for this client. Raises InvalidToken where nothing is left, or the purpose is another."""
        scopes = self.scopes.within(registered)
        if not scopes.items or self.purpose not in (None, purpose):
            raise InvalidToken
        return TokenClaims(
            client_id=self.client_id,
            scopes=scopes,
            purpose=purpose,
            jti=self.jti,
            iat_us=self.iat_us,
            exp_us=self.exp_us,
            cnf=self.cnf,
        )


def read_issuers(document: object, own: str) -> tuple[Issuer, ...]:
    """The rows of the file. Raises ValueError with a text for the operator. `own`: the hub's own issuer, which none of them may be."""
    if not isinstance(document, list):
        raise ValueError("the file of issuers is a list of objects")  # noqa: TRY004 (one kind for whatever is wrong with the file)
    found = tuple(_issuer(one, number) for number, one in enumerate(document, 1))
    names = [one.issuer for one in found]
    if len(set(names)) != len(names) or own in names:
        raise ValueError("each issuer comes once, and the hub itself is none of them")
    return found


def unverified_issuer(token: str) -> str | None:
    """Who the token says it comes from; None where it is no token."""
    try:
        issuer = peek(token, max_chars=TOKEN_MAX_CHARS).claims.get("iss")
    except Malformed:
        return None
    return issuer if isinstance(issuer, str) else None


def verify(token: str, *, issuer: Issuer, jwks: Mapping[str, Any], now_us: int) -> ForeignToken:
    """Raises InvalidToken for whatever is not as configured."""
    try:
        unverified = peek(token, max_chars=TOKEN_MAX_CHARS)
        algorithm = _algorithm(unverified, issuer)
        key = public_key(_named(jwks, unverified.header.get("kid", ""), algorithm), algorithm)
    except (Malformed, UnusableKey):
        raise InvalidToken from None
    if unverified.header.get("typ", "").lower() not in issuer.typ or not signature_holds(token, key, algorithm):
        raise InvalidToken
    claims = unverified.claims
    audience = claims.get("aud")
    if claims.get("iss") != issuer.issuer or issuer.audience not in (audience if isinstance(audience, list) else [audience]):
        raise InvalidToken
    if AUTHORIZATION_CLAIM in claims:
        raise InvalidToken
    iat_us, exp_us = _times(claims, now_us)
    return ForeignToken(
        issuer=issuer.issuer,
        subject=str(claims.get(issuer.client_claim)),
        client_id=_mapped(issuer.clients, claims.get(issuer.client_claim)),
        scopes=_scopes(claims.get(issuer.scope_claim), issuer),
        purpose=_mapped(issuer.purposes, claims.get(issuer.purpose_claim)) if issuer.purposes else None,
        jti=_jti(claims, token),
        iat_us=iat_us,
        exp_us=exp_us,
        cnf=_cnf(claims),
    )


def _algorithm(unverified: Unverified, issuer: Issuer) -> PublicAlgorithm:
    for algorithm in issuer.algorithms:
        if unverified.header.get("alg") == algorithm:
            return algorithm
    raise InvalidToken


def _named(jwks: Mapping[str, Any], kid: str, algorithm: PublicAlgorithm) -> Mapping[str, Any]:
    """Exactly one key of this name and kind, meant for signatures."""
    keys = jwks.get("keys")
    found = [one for one in keys if isinstance(one, dict)] if isinstance(keys, list) else []
    fitting = [one for one in found if one.get("kid") == kid and one.get("kty") == KTY[algorithm]]
    if not kid or len(fitting) != 1 or fitting[0].get("use", "sig") != "sig" or fitting[0].get("alg", algorithm) != algorithm:
        raise InvalidToken
    return fitting[0]


def _times(claims: Mapping[str, Any], now_us: int) -> tuple[int, int]:
    """`iat` and `exp` in microseconds: an hour apart at most, so that nothing is good for longer than somebody would notice."""
    times = [claims.get("iat"), claims.get("exp"), claims.get("nbf", claims.get("iat"))]
    if any(isinstance(one, bool) or not isinstance(one, int | float) for one in times):
        raise InvalidToken
    iat, exp, nbf = (float(one or 0) for one in times)
    now_s = now_us / _S
    if not max(iat, nbf) <= now_s + AHEAD_MAX_S or not now_s < exp or exp - iat > LIFETIME_MAX_S:
        raise InvalidToken
    return int(iat * _S), int(exp * _S)


def _mapped(table: Mapping[str, str], value: object) -> str:
    found = table.get(value) if isinstance(value, str) else None
    if found is None:
        raise InvalidToken
    return found


def _scopes(said: object, issuer: Issuer) -> Scopes:
    """Words of level system; all others mean nothing here."""
    words = said.split(" ") if isinstance(said, str) else said if isinstance(said, list) else []
    text = " ".join(word for word in words if isinstance(word, str) and word.startswith(SYSTEM))
    try:
        return Scopes.parse(text).within(Scopes.parse(issuer.scopes))
    except ScopeSyntax:
        raise InvalidToken from None


def _jti(claims: Mapping[str, Any], token: str) -> str:
    """For the record; of a token without one the hash of it."""
    jti = claims.get("jti")
    return jti if isinstance(jti, str) and 0 < len(jti) <= 255 else sha256(token.encode()).hexdigest()  # noqa: PLR2004


def _cnf(claims: Mapping[str, Any]) -> Mapping[str, str]:
    """A way of binding that the hub does not know is no reason to do without."""
    cnf = claims.get("cnf", {})
    if not isinstance(cnf, dict) or not all(isinstance(value, str) for value in cnf.values()) or not cnf.keys() <= {"jkt", "x5t#S256"}:
        raise InvalidToken
    return cnf


def _issuer(row: object, number: int) -> Issuer:
    if not isinstance(row, dict) or not row.keys() <= {*_TEXTS, *_OPTIONAL, "algorithms", "clients", "purposes"}:
        raise ValueError(f"row {number}: an object with the members of docs/keys-and-tokens.md and no others")
    texts: dict[str, Any] = {name: row.get(name) for name in _TEXTS} | {name: row.get(name, default) for name, default in _OPTIONAL.items()}
    if not all(isinstance(one, str) for one in texts.values()) or not all(texts[name] for name in _TEXTS):
        raise ValueError(f"row {number}: {', '.join(_TEXTS)} are texts, and needed")
    algorithms = row.get("algorithms")
    if not isinstance(algorithms, list) or not algorithms or not set(algorithms) <= set(get_args(PublicAlgorithm)):
        raise ValueError(f"row {number}: algorithms are of {', '.join(get_args(PublicAlgorithm))}")
    if urlsplit(texts["jwks_uri"]).scheme not in ("https", "http"):
        raise ValueError(f"row {number}: jwks_uri is an https URL")
    tables = {name: _table(row.get(name, {}), f"row {number}: {name}") for name in ("clients", "purposes")}
    if not tables["clients"] or bool(tables["purposes"]) != bool(texts["purpose_claim"]):
        raise ValueError(f"row {number}: clients maps names to registered clients; purposes and purpose_claim go together")
    typ = texts.pop("typ")
    return Issuer(
        **{**texts, "scopes": _ceiling(texts["scopes"], number)},
        algorithms=tuple(algorithms),
        clients=tables["clients"],
        purposes=tables["purposes"],
        typ=(typ.lower(),) if typ else TYPES,
    )


def _ceiling(text: str, number: int) -> str:
    try:
        scopes = Scopes.parse(text)
    except ScopeSyntax as error:
        raise ValueError(f"row {number}: scopes: {error}") from None
    if any(scope.level != "system" for scope in scopes.items):
        raise ValueError(f"row {number}: tokens of others speak for no person: scopes are system scopes")
    return scopes.text()


def _table(found: object, where: str) -> Mapping[str, str]:
    if not isinstance(found, dict) or not all(isinstance(value, str) and value for value in found.values()):
        raise ValueError(f"{where} is an object of texts")
    return found
