"""Who sends a request, beside what its token says: the DPoP key that was proved, the certificate of the connection.

https://www.rfc-editor.org/rfc/rfc9449, https://www.rfc-editor.org/rfc/rfc8705. A token that is bound is refused to whoever does not show
the same; and the token of a client whose registration asks for more than the token has, is refused too.
"""

import hmac
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request

from hub.errors import CHALLENGE, CHALLENGE_INVALID, Unauthenticated
from security.oauth.binding import JKT, X5T, may_be_used
from security.oauth.clients import Client
from security.oauth.dpop import PROOF_ALGORITHMS, BadProof, Nonces, Proof, verify

BEARER: Final = "bearer"
DPOP: Final = "dpop"
ALGS: Final = f'algs="{" ".join(PROOF_ALGORITHMS)}"'
CHALLENGES: Final = f"{CHALLENGE}, DPoP {ALGS}"
"""Where there is no token: both ways in (RFC 9449 section 7.1)."""
CHALLENGE_DPOP: Final = f'DPoP realm="fhir", error="invalid_token", {ALGS}'
CHALLENGE_PROOF: Final = f'DPoP realm="fhir", error="invalid_dpop_proof", {ALGS}'
CHALLENGE_NONCE: Final = f'DPoP realm="fhir", error="use_dpop_nonce", {ALGS}'


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """What the Authorization header holds: its scheme in small letters, and the token."""

    scheme: str
    token: str


def credential(authorization: str | None) -> Credential:
    """Raises Unauthenticated for no header and for any other scheme."""
    scheme, _, token = (authorization or "").partition(" ")
    found = Credential(scheme=scheme.lower(), token=token.strip())
    if found.scheme not in (BEARER, DPOP) or not found.token:
        raise Unauthenticated(challenge=CHALLENGES)
    return found


def certificate_of(request: Request) -> str | None:
    """base64url SHA-256 of the certificate that the other side has proved to hold (RFC 8705 `x5t#S256`); None where there is none."""
    found = request.scope.get("extensions", {}).get("tls", {}).get(X5T)
    return found if isinstance(found, str) else None


class Senders:
    """One per process.

    origin       under which clients reach the hub; proofs are made for its URLs
    consume_jti  remember this key until then; False when it is remembered already. One atomic step in the store
    production   HUB_PROFILE
    """

    def __init__(
        self,
        *,
        origin: str,
        consume_jti: Callable[[bytes, int], Awaitable[bool]],
        clock: Callable[[], int],
        nonces: Nonces,
        production: bool,
    ) -> None:
        self._origin = origin.rstrip("/")
        self._consume_jti = consume_jti
        self._clock = clock
        self._nonces = nonces
        self.production = production

    @property
    def nonce(self) -> str:
        """To be sent as DPoP-Nonce with a refusal for the lack of one."""
        return self._nonces.current(self._clock())

    async def proved(self, request: Request, token: str | None = None) -> str | None:
        """Thumbprint of the key that the request proves, whose proof is used up by it; None without a proof. Raises BadProof, Unavailable.

        token  of a resource's request: the proof must be made for it
        """
        lines = request.headers.getlist("dpop")
        if not lines:
            return None
        if len(lines) > 1:
            raise BadProof("there is more than one DPoP header")
        proof = self._verified(lines[0], request, token)
        if not await self._consume_jti(proof.key, proof.exp_us):
            raise BadProof("this proof has been used before")
        return proof.jkt

    async def check(self, request: Request, shown: Credential, cnf: Mapping[str, str], client: Client) -> None:
        """Does this token come from whom it was given to, and is it what the client's registration asks for? Raises Unauthenticated."""
        if not may_be_used(client, cnf, production=self.production):
            raise Unauthenticated(challenge=CHALLENGE_INVALID, claimed=client.client_id)
        if X5T in cnf and not _same(cnf[X5T], certificate_of(request)):
            raise Unauthenticated(challenge=CHALLENGE_INVALID, claimed=client.client_id)
        if JKT in cnf or shown.scheme == DPOP:
            await self._check_key(request, shown, cnf.get(JKT), client)

    async def _check_key(self, request: Request, shown: Credential, jkt: str | None, client: Client) -> None:
        """RFC 9449 section 7: a bound token comes by the DPoP scheme with a proof made for it; by that scheme comes no other."""
        if jkt is None or shown.scheme != DPOP:
            raise Unauthenticated(challenge=CHALLENGE_DPOP, claimed=client.client_id)
        try:
            proved = await self.proved(request, shown.token)
        except BadProof as error:
            nonce = self.nonce if error.nonce else None
            challenge = CHALLENGE_NONCE if error.nonce else CHALLENGE_PROOF
            raise Unauthenticated(challenge=challenge, claimed=client.client_id, nonce=nonce) from None
        if not _same(jkt, proved):
            raise Unauthenticated(challenge=CHALLENGE_PROOF, claimed=client.client_id)

    def _verified(self, proof: str, request: Request, token: str | None) -> Proof:
        path = request.scope.get("raw_path") or request.scope["path"].encode()
        url = self._origin + bytes(path).decode("latin-1")
        return verify(proof, method=request.method, url=url, now_us=self._clock(), nonces=self._nonces, token=token)


def _same(one: str, other: str | None) -> bool:
    return other is not None and hmac.compare_digest(one.encode("utf-8", "replace"), other.encode("utf-8", "replace"))
