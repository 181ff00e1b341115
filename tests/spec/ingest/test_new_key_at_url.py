"""A client whose keys are at a URL begins to sign batches and webhooks with a new one, while the set before it may still be kept.

Whatever is signed with it, it is known after ASKED_AGAIN_S at the latest: docs/adr/0031-how-long-keys-of-others-are-kept.md.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from joserfc import jws
from starlette.requests import Request

from hub.ingest.signed import require_signature
from hub.ingest.webhooks import signed_by_client
from hub.outbound import ASKED_AGAIN_S, FetchedJwks, JwksCache
from security.detached import HEADER, sign_detached
from security.oauth.clients import Client, new_client_keys
from security.oauth.jwks import private_key
from tests.support.backstage import new_client

URL = "https://vendor.example.org/jwks.json"
PATH, BODY = "/ingest/withings", b"{}"


class Sender:
    """Its keys at a URL that lets a set be kept for an hour, the hub's memory of them, and a clock."""

    def __init__(self) -> None:
        self.now_us = 1_788_000_000_000_000
        self.calls = 0
        self.pem, self.jwks = new_client_keys()
        self.client: Client = replace(new_client("sender", "system/Observation.c").client, jwks=None, jwks_uri=URL, signs=True)
        self.cache = JwksCache(self._fetched, now_us=lambda: self.now_us)

    async def _fetched(self, _: str) -> FetchedJwks:
        self.calls += 1
        return FetchedJwks(jwks=self.jwks, max_age_s=3_600)

    async def _keys(self, client: Client, kid: str | None, proves: Callable[[Mapping[str, Any]], bool]) -> Mapping[str, Any]:
        return await self.cache.get(client.jwks_uri or "", kid, proves)

    async def _client(self, _: str) -> Client:
        return self.client

    @property
    def kid(self) -> str:
        return str(self.jwks["keys"][0]["kid"])

    def another(self) -> None:
        """A new key, in the set too."""
        self.pem, more = new_client_keys()
        self.jwks = {"keys": [*more["keys"], *self.jwks["keys"]]}

    def request(self, token: str) -> Request:
        dependencies = SimpleNamespace(find_client=self._client, fetch_jwks=self._keys, now_us=lambda: self.now_us)
        state = SimpleNamespace(token_dependencies=dependencies)
        headers = [(HEADER.lower().encode(), token.encode())]
        scope = {"type": "http", "method": "POST", "path": PATH, "raw_path": PATH.encode(), "query_string": b"", "headers": headers}
        return Request({**scope, "app": SimpleNamespace(state=state)})


async def batch(sender: Sender) -> bool:
    """Is a batch that is signed with the newest key taken?"""
    key, algorithm = private_key(sender.pem)
    request = sender.request(sign_detached(BODY, PATH, key, algorithm, sender.kid))
    await require_signature(request, SimpleNamespace(signs=True, client_id=sender.client.client_id), BODY)  # type: ignore[arg-type]
    return True


def signed_webhook(sender: Sender) -> str:
    key, algorithm = private_key(sender.pem)
    header = {"alg": algorithm, "kid": sender.kid, "iat": sender.now_us // 1_000_000, "jti": "m-1"}
    registry = jws.JWSRegistry(algorithms=[algorithm], strict_check_header=False)
    return jws.detach_content(jws.serialize_compact(header, BODY, key, registry=registry))


async def webhook(sender: Sender) -> bool:
    return await signed_by_client(sender.request(signed_webhook(sender)), sender.client, BODY, sender.now_us) is not None


@pytest.mark.parametrize("takes", [batch, webhook])
async def test_what_is_signed_with_a_new_key_is_taken_as_soon_as_the_address_may_be_asked_again(
    takes: Callable[[Sender], Awaitable[bool]],
) -> None:
    sender = Sender()
    assert await takes(sender)
    sender.another()
    sender.now_us += ASKED_AGAIN_S * 1_000_000
    assert await takes(sender)
    assert sender.calls == 2


async def test_a_name_that_no_set_has_makes_the_hub_ask_once_in_that_time() -> None:
    """It is what anybody can forge."""
    sender = Sender()
    assert await webhook(sender)
    sender.now_us += ASKED_AGAIN_S * 1_000_000
    published = sender.jwks
    for _ in range(3):
        sender.pem, sender.jwks = new_client_keys()
        token = signed_webhook(sender)
        sender.jwks = published
        assert await signed_by_client(sender.request(token), sender.client, BODY, sender.now_us) is None
    assert sender.calls == 2
