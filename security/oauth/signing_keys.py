"""The keys that sign access tokens: one signs, the ones before it still verify until their tokens have expired.

https://www.rfc-editor.org/rfc/rfc7517, https://www.rfc-editor.org/rfc/rfc7638 (kid = thumbprint)
"""

from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import ECKey


class SigningKey:
    """A private key on P-256 for ES256. Its text form shows the kid only."""

    def __init__(self, private: ECKey) -> None:
        if private.curve_name != "P-256" or not private.is_private:
            raise ValueError("access tokens are signed with a private key on P-256")
        self.private = private
        self.public = ECKey.import_key(private.public_key)
        self.kid = private.thumbprint()

    @staticmethod
    def generate() -> "SigningKey":
        return SigningKey(ECKey.generate_key("P-256", private=True))

    def to_pem(self) -> bytes:
        """The private key as PEM (PKCS 8), unencrypted: who stores it must seal it."""
        return self.private.as_pem(private=True)

    @staticmethod
    def from_pem(pem: bytes) -> "SigningKey":
        """The inverse of `to_pem`. Raises ValueError."""
        try:
            return SigningKey(ECKey.import_key(pem))
        except JoseError as error:
            raise ValueError("not a private key on P-256") from error

    def public_jwk(self) -> dict[str, Any]:
        return dict(self.public.as_dict(private=False, kid=self.kid, use="sig", alg="ES256"))

    def __repr__(self) -> str:
        return f"SigningKey(kid={self.kid!r})"


class SigningKeys:
    """The key that signs and those that only verify. Rotation gives a new set, the old one stays as it was."""

    def __init__(self, current: SigningKey, *retired: SigningKey) -> None:
        self.current = current
        self.retired = retired
        self._public = {key.kid: key.public for key in (current, *retired)}

    def verifying(self, kid: str) -> ECKey | None:
        """The public key of this name; None means that we have no such key."""
        return self._public.get(kid)

    def rotated(self, new: SigningKey) -> "SigningKeys":
        """`new` signs from now on; tokens signed before keep verifying."""
        return SigningKeys(new, self.current, *self.retired)

    def without(self, kid: str) -> "SigningKeys":
        """Withdraw a retired key; its tokens verify no longer. Raises ValueError for the key that signs."""
        if kid == self.current.kid:
            raise ValueError("the key that signs cannot be withdrawn; rotate first")
        return SigningKeys(self.current, *(key for key in self.retired if key.kid != kid))

    def jwks(self) -> dict[str, Any]:
        """The public keys, for who has to verify our tokens."""
        return {"keys": [key.public_jwk() for key in (self.current, *self.retired)]}
