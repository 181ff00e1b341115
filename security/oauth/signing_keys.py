"""The keys that sign tokens at one moment: ES256 for access tokens, RS256 for id_tokens, each with those that only verify.

https://www.rfc-editor.org/rfc/rfc7517, https://www.rfc-editor.org/rfc/rfc7638 (kid = thumbprint). When each begins and ends is said by
`security.oauth.key_schedule`. A key of one kind never verifies a token of the other (RFC 8725 section 3.1).
"""

from collections.abc import Mapping
from typing import Any, Final, Literal

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

SigningAlgorithm = Literal["ES256", "RS256"]
ACCESS: Final[SigningAlgorithm] = "ES256"
"""Of access tokens: small and quick, for they come with each request."""
IDENTITY: Final[SigningAlgorithm] = "RS256"
"""Of id_tokens: the one that OpenID Connect Core section 15.1 asks of every provider, and SMART of its tokens."""
ALGORITHMS: Final[tuple[SigningAlgorithm, ...]] = (ACCESS, IDENTITY)
RSA_BITS: Final = 2_048


class SigningKey:
    """A private key, P-256 for ES256 or RSA for RS256. Its text form shows the kid only."""

    def __init__(self, private: ECKey | RSAKey) -> None:
        if not private.is_private:
            raise ValueError("tokens are signed with a private key")
        self.private = private
        self.algorithm = _algorithm(private)
        self.public = RSAKey.import_key(private.public_key) if isinstance(private, RSAKey) else ECKey.import_key(private.public_key)
        self.kid = private.thumbprint()

    @staticmethod
    def generate(algorithm: SigningAlgorithm = ACCESS) -> "SigningKey":
        """A new key; of RSA it takes some tenths of a second."""
        if algorithm == IDENTITY:
            return SigningKey(RSAKey.generate_key(RSA_BITS, private=True))
        return SigningKey(ECKey.generate_key("P-256", private=True))

    def to_pem(self) -> bytes:
        """The private key as PEM (PKCS 8), unencrypted: who stores it must seal it."""
        return self.private.as_pem(private=True)

    @staticmethod
    def from_pem(pem: bytes, algorithm: SigningAlgorithm = ACCESS) -> "SigningKey":
        """The inverse of `to_pem`, for what was sealed since. Raises ValueError."""
        try:
            return SigningKey(_private(pem, algorithm))
        except (JoseError, ValueError, TypeError) as error:
            raise ValueError(f"not a private key for {algorithm}") from error

    def public_jwk(self) -> dict[str, Any]:
        """Bare, as SMART asks: no certificate beside it."""
        return dict(self.public.as_dict(private=False, kid=self.kid, use="sig", alg=self.algorithm))

    def __repr__(self) -> str:
        return f"SigningKey(kid={self.kid!r})"


class SigningKeys:
    """The keys of one moment. Another moment has another set; this one stays as it is.

    current     signs access tokens
    others      verify only, of either kind: announced already, or signed with before
    identity    signs id_tokens; ValueError where there is none
    withdrawals how many keys were withdrawn so far: whoever remembers what was verified forgets it when this changes
    """

    def __init__(self, current: SigningKey, *others: SigningKey, identity: SigningKey | None = None, withdrawals: int = 0) -> None:
        if current.algorithm != ACCESS or (identity is not None and identity.algorithm != IDENTITY):
            raise ValueError("access tokens are signed with ES256, id_tokens with RS256")
        self.current = current
        self.others = others
        self.withdrawals = withdrawals
        self._identity = identity
        self._all = (current, *(() if identity is None else (identity,)), *others)
        self._public: Mapping[SigningAlgorithm, Mapping[str, ECKey | RSAKey]] = {
            algorithm: {key.kid: key.public for key in self._all if key.algorithm == algorithm} for algorithm in ALGORITHMS
        }

    @property
    def identity(self) -> SigningKey:
        if self._identity is None:
            raise ValueError("there is no key for id_tokens")
        return self._identity

    def knows(self, kid: str) -> bool:
        """Is there a key of this name, of whichever kind?"""
        return any(kid in known for known in self._public.values())

    def verifying(self, kid: str, algorithm: SigningAlgorithm = ACCESS) -> ECKey | RSAKey | None:
        """The public key of this name and kind; None means that we have no such key."""
        return self._public[algorithm].get(kid)

    def jwks(self) -> dict[str, Any]:
        """The public keys of both kinds, for who has to verify our tokens."""
        return {"keys": [key.public_jwk() for key in self._all]}


def _private(pem: bytes, algorithm: SigningAlgorithm) -> ECKey | RSAKey:
    """Raises JoseError, ValueError, TypeError.

    Are the factors of an RSA key primes? That was so when it was made, and the seal says that it is still the same key: asking again takes
    35 ms, with every look at what signs now.
    """
    found = load_pem_private_key(pem, None, unsafe_skip_rsa_key_validation=True)
    if algorithm == IDENTITY and isinstance(found, RSAPrivateKey):
        return RSAKey.import_key(found)
    if algorithm == ACCESS and isinstance(found, EllipticCurvePrivateKey):
        return ECKey.import_key(found)
    raise ValueError("a key of another kind")


def _algorithm(private: ECKey | RSAKey) -> SigningAlgorithm:
    if isinstance(private, RSAKey):
        if private.raw_value.key_size < RSA_BITS:
            raise ValueError(f"RSA keys have {RSA_BITS} bits or more")
        return IDENTITY
    if private.curve_name != "P-256":
        raise ValueError("ES256 takes keys on P-256 only")
    return ACCESS
