"""A hub inside the test's own process: the whole application behind HTTP, with clock and ids in the test's hand.

For what needs determinism or a fault inside; everything else drives the hub as a process (tests/support/process.py).
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx

from hub.app import create_app
from hub.instants import now_us
from hub.operator import Operator
from hub.settings import Settings
from hub.store.embedded import Endpoint
from hub.wiring import Hub, open_hub
from security.blind import fhir_id
from security.oauth.access_token import issue
from security.oauth.signing_keys import ACCESS, SigningAlgorithm, SigningKey
from tests.support.backstage import Account

ORIGIN = "http://hub.example"
START_US = 1_795_348_800_000_000
"""2026-11-22T12:00:00Z"""
STEP_US = 1_000_000


@dataclass(slots=True)
class Turn:
    """Clock and source of ids: both depend on the number of the turn alone, not on what happened before."""

    number: int = 0
    drawn: int = 0

    def take(self, number: int) -> None:
        self.number, self.drawn = number, 0

    def clock(self) -> int:
        return START_US + self.number * STEP_US

    def new_id(self) -> str:
        self.drawn += 1
        return fhir_id(sha256(f"{self.number}/{self.drawn}".encode()).digest()[:16])


@dataclass(frozen=True, slots=True, kw_only=True)
class InProcess:
    """`http` reaches the application without a network."""

    hub: Hub
    http: httpx.AsyncClient
    turn: Turn
    tokens: dict[str, str] = field(default_factory=dict)

    async def register(self, account: Account) -> Account:
        client = await Operator(self.hub).add_client(account.client, None)
        return Account(client=client, key=account.key)

    def authorization(self, account: Account, scope: str) -> Mapping[str, str]:
        """The header of a token that the hub itself has signed, without asking its token endpoint."""
        token = issue(
            key=self.hub.signing_keys.current,
            issuer=self.hub.base_url,
            audience=self.hub.services.base_url,
            client_id=account.id,
            scope=scope,
            purpose=account.client.purpose,
            jti="token-of-tests",
            now_us=now_us(),
        )
        return {"Authorization": f"Bearer {token}"}


_generate = SigningKey.generate
_identity_key = cache(_generate)


def _first_key(algorithm: SigningAlgorithm = ACCESS) -> SigningKey:
    """Hubs of one pytest process begin with the same RSA key: to find the primes of one takes longer than most of these tests."""
    return _generate(algorithm) if algorithm == ACCESS else _identity_key(algorithm)


@asynccontextmanager
async def in_process(data_dir: Path, endpoint: Endpoint, *, controlled: bool = False, **settings: Any) -> AsyncIterator[InProcess]:
    """`controlled`: time and ids come from `turn`. `settings`: others than a hub has by itself."""
    turn = Turn()
    async with AsyncExitStack() as stack:
        with patch.object(SigningKey, "generate", staticmethod(_first_key)):
            opened = await stack.enter_async_context(open_hub(Settings(data_dir=data_dir, **settings), endpoint, ORIGIN))
        services = replace(opened.services, clock=turn.clock, new_id=turn.new_id) if controlled else opened.services
        hub = replace(opened, services=services)
        transport = httpx.ASGITransport(create_app(hub), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as http:
            yield InProcess(hub=hub, http=http, turn=turn)
