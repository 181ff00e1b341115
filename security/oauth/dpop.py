"""DPoP: a proof that whoever sends a request holds the key that its token is bound to.

https://www.rfc-editor.org/rfc/rfc9449. Pure but for what `hashlib` computes: clock and the memory of used proofs are the caller's.
"""

import hmac
import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, Literal
from urllib.parse import SplitResult, urlsplit

from security.oauth.compact import Malformed, Unverified, peek_with_key, signature_holds
from security.oauth.public_keys import UnusableKey, public_key

ProofAlgorithm = Literal["ES256", "ES384", "RS256"]
PROOF_ALGORITHMS: Final[tuple[ProofAlgorithm, ...]] = ("ES256", "ES384", "RS256")
"""`dpop_signing_alg_values_supported`; nothing symmetric, and not none (section 4.3)."""
TYP: Final = "dpop+jwt"
PROOF_MAX_CHARS: Final = 4_096
JTI_MAX_CHARS: Final = 255
AGE_MAX_S: Final = 60
"""How long after it was made a proof is good; for so long its jti is remembered (section 11.1)."""
AHEAD_MAX_S: Final = 5
NONCE_S: Final = 60
"""A nonce is good for so long, and as long again (section 8)."""

_S: Final = 1_000_000
_UNRESERVED: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_ENCODED: Final = re.compile("%[0-9A-Fa-f]{2}")
_PORTS: Final = {"https": 443, "http": 80}


class BadProof(Exception):
    """The text is for the client's developer: our words only. `nonce`: it is but a fresh nonce that is missing."""

    def __init__(self, text: str, *, nonce: bool = False) -> None:
        super().__init__(text)
        self.nonce = nonce


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """Proved: whoever made it holds the key of thumbprint `jkt`. Still to do: use up `key` until `exp_us`."""

    jkt: str
    key: bytes
    exp_us: int


@dataclass(frozen=True, slots=True)
class Nonces:
    """Nonces that need no store: a time that only the hub can have written.

    key       secret, the same in every process
    required  refuse proofs without one; one that is there is looked at in any case
    """

    key: bytes
    required: bool = False

    def current(self, now_us: int) -> str:
        return self._of(now_us // _S // NONCE_S)

    def check(self, nonce: object, now_us: int) -> None:
        """Raises BadProof."""
        if nonce is None and not self.required:
            return
        turn = now_us // _S // NONCE_S
        good = [self._of(turn), self._of(turn - 1)]
        if not isinstance(nonce, str) or not any(hmac.compare_digest(nonce.encode("utf-8", "replace"), one.encode()) for one in good):
            raise BadProof("the proof needs the nonce of the DPoP-Nonce header", nonce=True)

    def _of(self, turn: int) -> str:
        said = turn.to_bytes(8, "big")
        return _base64url(said + hmac.digest(self.key, b"dpop-nonce" + said, "sha256")[:16])


def verify(proof: str, *, method: str, url: str, now_us: int, nonces: Nonces, token: str | None = None) -> Proof:
    """Section 4.3, but for its last point, which is the store's. Raises BadProof.

    url    of the request, absolute; query and fragment do not count
    token  the access token that comes with the request, at a resource
    """
    try:
        unverified, jwk = peek_with_key(proof, max_chars=PROOF_MAX_CHARS)
    except Malformed as error:
        raise BadProof(f"the proof cannot be read: {error}") from None
    algorithm = _algorithm(unverified)
    try:
        key = public_key(jwk, algorithm)
    except UnusableKey as error:
        raise BadProof(str(error)) from None
    if not signature_holds(proof, key, algorithm):
        raise BadProof("the signature of the proof does not fit its key")
    claims = unverified.claims
    _check_request(claims, method, url)
    made_us, jti = _made(claims, now_us), _jti(claims)
    if token is not None and claims.get("ath") != token_hash(token):
        raise BadProof("ath is not the hash of the access token")
    nonces.check(claims.get("nonce"), now_us)
    jkt = key.thumbprint()
    return Proof(jkt=jkt, key=_proof_key(jkt, jti), exp_us=made_us + (AGE_MAX_S + AHEAD_MAX_S) * _S)


def token_hash(token: str) -> str:
    """`ath`: base64url of the SHA-256 of the token's ASCII text."""
    return _base64url(sha256(token.encode("ascii", "replace")).digest())


def same_url(one: str, other: str) -> bool:
    """The same target, without query and fragment, after the normalisation of RFC 3986 sections 6.2.2 and 6.2.3."""
    try:
        return _normal(urlsplit(one)) == _normal(urlsplit(other))
    except ValueError:
        return False


def _algorithm(unverified: Unverified) -> ProofAlgorithm:
    if unverified.header.get("typ") != TYP:
        raise BadProof(f"typ must be {TYP}")
    for algorithm in PROOF_ALGORITHMS:
        if unverified.header.get("alg") == algorithm:
            return algorithm
    raise BadProof(f"alg must be one of {' '.join(PROOF_ALGORITHMS)}")


def _check_request(claims: Mapping[str, Any], method: str, url: str) -> None:
    if claims.get("htm") != method:
        raise BadProof("htm is not the method of the request")
    htu = claims.get("htu")
    if not isinstance(htu, str) or not same_url(htu, url):
        raise BadProof("htu is not the URL of the request")


def _made(claims: Mapping[str, Any], now_us: int) -> int:
    iat = claims.get("iat")
    if isinstance(iat, bool) or not isinstance(iat, int | float):
        raise BadProof("iat is missing")
    now_s = now_us / _S
    if not now_s - AGE_MAX_S <= iat <= now_s + AHEAD_MAX_S:
        raise BadProof(f"the proof is older than {AGE_MAX_S} s, or its iat lies in the future")
    return int(iat * _S)


def _jti(claims: Mapping[str, Any]) -> str:
    jti = claims.get("jti")
    if not isinstance(jti, str) or not 0 < len(jti) <= JTI_MAX_CHARS:
        raise BadProof(f"jti must be a text of 1 to {JTI_MAX_CHARS} characters")
    return jti


def _proof_key(jkt: str, jti: str) -> bytes:
    """32 bytes that name this proof: what only shares a name with an assertion's jti, or another key's, is another."""
    return sha256(b"dpop\0" + jkt.encode() + b"\0" + jti.encode("utf-8", "surrogatepass")).digest()


def _normal(url: SplitResult) -> tuple[str, str, int | None, str]:
    if url.username is not None or url.password is not None:
        raise ValueError("no user in a URL")
    path = _ENCODED.sub(_decoded, url.path) or "/"
    return url.scheme, (url.hostname or "").lower(), url.port or _PORTS.get(url.scheme), path


def _decoded(found: re.Match[str]) -> str:
    letter = chr(int(found[0][1:], 16))
    return letter if letter in _UNRESERVED else found[0].upper()


def _base64url(octets: bytes) -> str:
    return urlsafe_b64encode(octets).rstrip(b"=").decode("ascii")
