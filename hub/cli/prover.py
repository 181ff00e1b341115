"""A DPoP key of a command, and the headers of its requests. https://www.rfc-editor.org/rfc/rfc9449"""

import secrets
import time
from pathlib import Path

import httpx
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from hub.cli.key_files import write_private
from hub.cli.saying import fail
from security.oauth.client import dpop_proof

NONCE = "DPoP-Nonce"


class Prover:
    """`nonce`: the one that the hub sent last, if it asks for any."""

    def __init__(self, key: ECKey) -> None:
        self._key = key
        self._nonce: str | None = None

    @staticmethod
    def fresh() -> "Prover":
        """With a key that ends with this process, and the tokens bound to it with it."""
        return Prover(ECKey.generate_key("P-256", private=True))

    @staticmethod
    def of_file(path: Path) -> "Prover":
        """With the key of this file (PEM, P-256), which is made if it is not there."""
        if not path.exists():
            key = ECKey.generate_key("P-256", private=True)
            write_private(path, key.as_pem(private=True))
            return Prover(key)
        try:
            key = ECKey.import_key(path.read_bytes())
        except (OSError, JoseError, ValueError) as error:
            fail(f"the DPoP key cannot be used: {type(error).__name__}")
        if key.curve_name != "P-256" or not key.is_private:
            fail("the DPoP key is not a private key on P-256")
        return Prover(key)

    def proof(self, method: str, url: str, token: str | None = None) -> dict[str, str]:
        """The header DPoP of one request."""
        now_us, jti = time.time_ns() // 1_000, secrets.token_urlsafe(16)
        return {"DPoP": dpop_proof(self._key, method, url.partition("?")[0], now_us, jti, token=token, nonce=self._nonce)}

    def headers(self, method: str, url: str, token: str) -> dict[str, str]:
        """Of a request that bears a token bound to this key."""
        return {"Authorization": f"DPoP {token}", **self.proof(method, url, token)}

    def asked_again(self, answer: httpx.Response) -> bool:
        """Is it but a nonce that the hub misses? Then the same is sent again, with it."""
        nonce = answer.headers.get(NONCE)
        if answer.status_code not in (400, 401) or nonce in (None, self._nonce):
            return False
        self._nonce = nonce
        return True
