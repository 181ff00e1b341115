"""Access tokens: short-lived, signed, in the shape of RFC 9068.

https://www.rfc-editor.org/rfc/rfc9068. A token says who may ask for what and why; whether the client still exists is
asked of the registry, not of the token.
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from security.oauth.compact import Malformed, peek, sign, signature_holds
from security.oauth.person import ROLES, Person
from security.oauth.scope_request import ScopeRequest
from security.oauth.signing_keys import ACCESS, SigningKey, SigningKeys
from security.scopes import Scopes, ScopeSyntax

ACCESS_TOKEN_LIFETIME_S = 300
"""SMART Backend Services recommends no more."""
TOKEN_MAX_CHARS = 8_192
TYP = "at+jwt"

KID_CLAIM = "client_kid"

AUTHORIZATION_CLAIM = "authorization"

_S = 1_000_000
_TEXT_CLAIMS = ("client_id", "scope", "jti", "purpose_of_use")


class InvalidToken(Exception):
    """The bearer token is not one that we issued for this use, or no longer. One kind and one text for every cause
    (RFC 6750 section 3.1, invalid_token).
    """

    def __init__(self) -> None:
        super().__init__("the access token is invalid or has expired")


@dataclass(frozen=True, slots=True, kw_only=True)
class Acting:
    """What a token says of the person who acts through the client, and in what context.

    authorization  id of what the person allowed
    patient        id of the patient in context; encounter: id
    """

    person: Person
    authorization: str
    patient: str | None = None
    encounter: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenClaims:
    """A verified access token.

    scopes   resource scopes; context: words such as openid, of a person's token
    acting   who acts through the client; None: the client itself
    cnf      what the token is bound to (RFC 7800): {"jkt": …} (RFC 9449) or {"x5t#S256": …} (RFC 8705); empty: to nothing

    purpose  code of http://terminology.hl7.org/CodeSystem/v3-ActReason
    jti      the token's own id, for the audit record
    kid      the client's key by which it was obtained: the token ends with it. None in tokens that do not say so
    iat_us, exp_us  microseconds since 1970 UTC; valid while now < exp_us
    """

    client_id: str
    scopes: Scopes
    purpose: str
    jti: str
    iat_us: int
    exp_us: int
    kid: str | None = None
    context: frozenset[str] = frozenset()
    acting: Acting | None = None
    cnf: Mapping[str, str] = field(default_factory=dict)


def issue(
    *,
    key: SigningKey,
    issuer: str,
    audience: str,
    client_id: str,
    scope: str,
    purpose: str,
    jti: str,
    now_us: int,
    kid: str | None = None,
    acting: Acting | None = None,
    cnf: Mapping[str, str] | None = None,
) -> str:
    """A signed token that lives ACCESS_TOKEN_LIFETIME_S. `audience` is the FHIR base; `scope` what was granted."""
    iat = now_us // _S
    claims = {
        "iss": issuer,
        "aud": audience,
        "sub": client_id if acting is None else acting.person.account,
        "client_id": client_id,
        "scope": scope,
        "iat": iat,
        "exp": iat + ACCESS_TOKEN_LIFETIME_S,
        "jti": jti,
        "purpose_of_use": purpose,
        **({} if kid is None else {KID_CLAIM: kid}),
        **({} if acting is None else _acting_claims(acting)),
        **({"cnf": dict(cnf)} if cnf else {}),
    }
    return sign({"typ": TYP, "kid": key.kid}, claims, key.private, ACCESS)


def verify(token: str, *, keys: SigningKeys, issuer: str, audience: str, now_us: int) -> TokenClaims:
    """The claims of a token that one of our keys signed for this audience. Raises InvalidToken for everything else."""
    try:
        unverified = peek(token, max_chars=TOKEN_MAX_CHARS)
    except Malformed:
        raise InvalidToken from None
    header, claims = unverified.header, unverified.claims
    key = keys.verifying(header.get("kid", ""))
    if key is None or header.get("typ") != TYP or not signature_holds(token, key, ACCESS):
        raise InvalidToken
    if claims.get("iss") != issuer or claims.get("aud") != audience:
        raise InvalidToken
    verified = _claims(claims)
    if now_us >= verified.exp_us:
        raise InvalidToken
    return verified


def kid_of(token: str) -> str | None:
    """Which key the token names, unproved; None where it is no token."""
    try:
        return peek(token, max_chars=TOKEN_MAX_CHARS).header.get("kid")
    except Malformed:
        return None


def _claims(claims: Mapping[str, Any]) -> TokenClaims:
    """Only what `issue` writes; a claim that is missing or of another type makes the token invalid."""
    texts = [claims.get(name) for name in _TEXT_CLAIMS]
    times = [claims.get(name) for name in ("iat", "exp")]
    if not all(isinstance(text, str) and text for text in texts) or not all(type(time) is int for time in times):
        raise InvalidToken
    client_id, scope, jti, purpose = map(str, texts)
    iat_us, exp_us = (int(time or 0) * _S for time in times)
    kid, acting = claims.get(KID_CLAIM), _acting(claims)
    subject = client_id if acting is None else acting.person.account
    if claims.get("sub") != subject or not isinstance(kid, str | None):
        raise InvalidToken
    try:
        asked = ScopeRequest.parse(scope)
    except ScopeSyntax:
        raise InvalidToken from None
    return TokenClaims(
        client_id=client_id,
        scopes=asked.resources,
        context=asked.context,
        purpose=purpose,
        jti=jti,
        iat_us=iat_us,
        exp_us=exp_us,
        kid=kid,
        acting=acting,
        cnf=_cnf(claims),
    )


def _acting_claims(acting: Acting) -> dict[str, str]:
    person = acting.person
    said = {
        AUTHORIZATION_CLAIM: acting.authorization,
        "role": person.role,
        "fhirUser": person.fhir_user,
        "organization": person.organization,
        "patient": acting.patient,
        "encounter": acting.encounter,
    }
    return {name: value for name, value in said.items() if value is not None}


def _acting(claims: Mapping[str, Any]) -> Acting | None:
    authorization = claims.get(AUTHORIZATION_CLAIM)
    if authorization is None:
        return None
    optional = [claims.get(name) for name in ("fhirUser", "patient", "encounter")]
    needed = [authorization, claims.get("sub"), claims.get("organization")]
    role = claims.get("role")
    if role not in ROLES or not all(isinstance(one, str) for one in needed) or not all(isinstance(one, str | None) for one in optional):
        raise InvalidToken
    person = Person(account=claims["sub"], role=role, fhir_user=optional[0], organization=claims["organization"])
    return Acting(person=person, authorization=authorization, patient=optional[1], encounter=optional[2])


def _cnf(claims: Mapping[str, Any]) -> Mapping[str, str]:
    cnf = claims.get("cnf", {})
    if not isinstance(cnf, dict) or not all(isinstance(value, str) for value in cnf.values()):
        raise InvalidToken
    return cnf


class TokenCache:
    """Tokens verified a moment ago, so that a client's burst of requests costs one signature check.

    Keyed by the hash of the token, never the token itself. Holds `maximum` entries and drops the least recently used.
    One cache belongs to one issuer, audience and set of keys: `clear` it when a key is withdrawn.
    """

    def __init__(self, maximum: int = 4_096) -> None:
        self._maximum = maximum
        self._entries: OrderedDict[bytes, TokenClaims] = OrderedDict()

    def get(self, token: str, now_us: int) -> TokenClaims | None:
        """The claims, if this token was verified and has not expired since."""
        key = _digest(token)
        claims = self._entries.get(key)
        if claims is None:
            return None
        if now_us >= claims.exp_us:
            del self._entries[key]
            return None
        self._entries.move_to_end(key)
        return claims

    def put(self, token: str, claims: TokenClaims) -> None:
        """Remember a token that `verify` accepted."""
        self._entries[_digest(token)] = claims
        if len(self._entries) > self._maximum:
            self._entries.popitem(last=False)

    def clear(self) -> None:
        self._entries.clear()

    def __len__(self) -> int:
        return len(self._entries)


def verify_cached(cache: TokenCache, token: str, *, keys: SigningKeys, issuer: str, audience: str, now_us: int) -> TokenClaims:
    """`verify`, skipping the signature check for a token seen before. Raises InvalidToken."""
    if len(token) > TOKEN_MAX_CHARS:
        raise InvalidToken
    known = cache.get(token, now_us)
    if known is not None:
        return known
    claims = verify(token, keys=keys, issuer=issuer, audience=audience, now_us=now_us)
    cache.put(token, claims)
    return claims


def _digest(token: str) -> bytes:
    return sha256(token.encode("utf-8", "surrogatepass")).digest()
