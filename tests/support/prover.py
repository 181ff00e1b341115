"""A client that sends its tokens with DPoP proofs (RFC 9449)."""

import secrets
import time
from dataclasses import dataclass, field
from typing import Any

import httpx
from joserfc.jwk import ECKey

from security.oauth.client import dpop_proof
from tests.support.backstage import Account
from tests.support.caller import Caller
from tests.support.fixtures import Running


@dataclass(frozen=True, slots=True, kw_only=True)
class Prover:
    """`caller`: the same client without proofs. `token_`: instead of one of its own."""

    caller: Caller
    key: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256", private=True))
    token_: str | None = None
    _kept: list[str] = field(default_factory=list)

    @property
    def http(self) -> httpx.Client:
        return self.caller.http

    @property
    def token(self) -> str:
        if self.token_ is not None:
            return self.token_
        if not self._kept:
            answer = self.ask_token()
            assert answer.status_code == 200, answer.text
            self._kept.append(answer.json()["access_token"])
        return self._kept[0]

    def proof(self, method: str, path: str, *, at_s: float | None = None, **more: Any) -> str:
        url = f"{str(self.http.base_url).rstrip('/')}{path.partition('?')[0]}"
        return dpop_proof(self.key, method, url, int((at_s or time.time()) * 1_000_000), secrets.token_urlsafe(16), **more)

    def ask_token(self, *, proof: str | None = None) -> httpx.Response:
        return self.caller.ask_token(headers={"DPoP": proof or self.proof("POST", "/oauth/token")})

    def request(self, method: str, path: str, **more: Any) -> httpx.Response:
        headers = {"Authorization": f"DPoP {self.token}", "DPoP": self.proof(method, path, token=self.token)}
        return self.http.request(method, path, headers=headers, **more)


def prover_of(running: Running, account: Account) -> Prover:
    return Prover(caller=running.caller(account))
