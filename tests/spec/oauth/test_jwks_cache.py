"""How long a client's keys are kept, and how often what anybody can forge makes the hub ask for them.

SMART, client-confidential-asymmetric (not cached beyond Cache-Control); RFC 9111; docs/adr/0031-how-long-keys-of-others-are-kept.md.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from secrets import token_urlsafe
from typing import Any

import orjson
import pytest

from hub.instants import now_us
from hub.outbound import ASKED_AGAIN_S, FetchedJwks, JwksCache
from security.oauth.client import client_assertion, token_form
from security.oauth.clients import new_client_keys
from security.oauth.errors import JwksUnavailable
from tests.support.backstage import new_client
from tests.support.far_side import far_side, whole
from tests.support.fixtures import Running
from tests.support.inprocess import ORIGIN, InProcess, in_process

URL = "https://vendor.example.org/keys/jwks.json"


def forged(_: Mapping[str, Any]) -> bool:
    """Signed with no key of any set."""
    return False


def genuine(_: Mapping[str, Any]) -> bool:
    return True


class Far:
    """The far side and a clock, in memory."""

    def __init__(self, max_age_s: int = 60) -> None:
        self.now_us = 1_788_000_000_000_000
        self.max_age_s = max_age_s
        self.calls: list[str] = []
        self.down = False
        self.keys: list[dict[str, Any]] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def fetch(self, url: str) -> FetchedJwks:
        self.calls.append(url)
        await self.gate.wait()
        if self.down:
            raise JwksUnavailable("down")
        return FetchedJwks(jwks={"keys": self.keys, "url": url, "call": len(self.calls)}, max_age_s=self.max_age_s)

    def cache(self, **given: Any) -> JwksCache:
        return JwksCache(self.fetch, now_us=lambda: self.now_us, **given)

    def pass_s(self, seconds: float) -> None:
        self.now_us += round(seconds * 1_000_000)


async def test_a_kept_key_set_is_used_until_its_time_is_over() -> None:
    """RFC 9111 section 4.2: fresh while age < lifetime."""
    far = Far(max_age_s=60)
    cache = far.cache()
    first = await cache.get(URL, None, forged)
    far.pass_s(59.999999)
    assert await cache.get(URL, None, forged) is first
    far.pass_s(0.000001)
    assert await cache.get(URL, None, forged) is not first
    assert len(far.calls) == 2


@pytest.mark.parametrize("max_age_s", [0, 1])
async def test_a_key_set_that_must_not_be_kept_is_fetched_for_each_assertion_of_the_client(max_age_s: int) -> None:
    """RFC 9111 section 5.2.2.5 no-store: what the last set vouches for is accepted by a set of this moment alone."""
    far = Far(max_age_s)
    cache = far.cache()
    first = await cache.get(URL, None, genuine)
    for call in (2, 3):
        far.pass_s(max_age_s)
        assert (await cache.get(URL, None, genuine))["call"] == call
    assert first["call"] == 1


@pytest.mark.parametrize("kid", [None, "known", "forged"])
@pytest.mark.parametrize("max_age_s", [0, 1, 5])
async def test_what_is_forged_makes_the_hub_ask_once_in_a_while_whatever_the_far_side_says(max_age_s: int, kid: str | None) -> None:
    """Ours (SECURITY 1.5): anybody who knows a client_id can forge; no-store and a short max-age change nothing about it."""
    far = Far(max_age_s)
    cache = far.cache()
    seconds = 6 * ASKED_AGAIN_S
    for _ in range(seconds):
        far.pass_s(1)
        for _ in range(3):
            await told(cache, kid)
    assert len(far.calls) == seconds // ASKED_AGAIN_S


async def told(cache: JwksCache, kid: str | None, url: str = URL) -> None:
    """A set in which the key is not, or none: the endpoint refuses either way."""
    with suppress(JwksUnavailable):
        assert (await cache.get(url, kid, forged))["keys"] == []


async def test_what_is_forged_takes_nothing_from_a_client_whose_keys_must_not_be_kept() -> None:
    """Ours: its own assertions are known by the last set, and never wait."""
    far = Far(max_age_s=0)
    cache = far.cache()
    for _ in range(5):
        await told(cache, "forged")
        assert await cache.get(URL, None, genuine)
    assert len(far.calls) == 6


async def test_a_new_key_of_a_set_that_must_not_be_kept_is_good_after_a_while_at_the_latest() -> None:
    """SMART: a client may rotate at any time. Forged ones that come all the time delay it by no more than that while."""
    far = Far(max_age_s=0)
    cache = far.cache()
    await told(cache, "forged")
    far.keys = [{"kid": "new"}]

    def signed_with_the_new(jwks: Mapping[str, Any]) -> bool:
        return {"kid": "new"} in jwks["keys"]

    with pytest.raises(JwksUnavailable):
        await cache.get(URL, "new", signed_with_the_new)
    far.pass_s(ASKED_AGAIN_S)
    await cache.get(URL, "forged", forged)  # a stranger, just before the client
    assert (await cache.get(URL, "new", signed_with_the_new))["keys"] == far.keys
    assert len(far.calls) == 3


async def test_a_key_that_was_taken_away_is_bad_at_once_where_nothing_may_be_kept() -> None:
    """SMART: the last set is no set to accept by."""
    far = Far(max_age_s=0)
    far.keys = [{"kid": "leaked"}]
    cache = far.cache()
    assert (await cache.get(URL, "leaked", genuine))["keys"] == far.keys
    far.keys = []
    assert (await cache.get(URL, "leaked", genuine))["keys"] == []


async def test_each_url_has_its_own_key_set() -> None:
    """One client's keys never stand for another's."""
    cache = Far().cache()
    assert (await cache.get(URL, None, forged))["url"] == URL
    assert (await cache.get("https://other.example.org/", None, forged))["url"] == "https://other.example.org/"


async def test_requests_at_one_time_share_one_call() -> None:
    """Ours: a burst of assertions is one call outside."""
    far = Far(max_age_s=0)
    cache = far.cache()
    far.gate.clear()
    waiting = [asyncio.create_task(cache.get(URL, None, forged)) for _ in range(5)]
    await asyncio.sleep(0)
    far.gate.set()
    assert len({id(jwks) for jwks in await asyncio.gather(*waiting)}) == 1
    assert len(far.calls) == 1


async def test_one_who_stops_waiting_does_not_stop_the_others() -> None:
    """A client that hangs up ends its own request only."""
    far = Far()
    cache = far.cache()
    far.gate.clear()
    gone, patient = asyncio.create_task(cache.get(URL, None, forged)), asyncio.create_task(cache.get(URL, None, forged))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.sleep(0)
    far.gate.set()
    assert (await patient)["url"] == URL
    assert gone.cancelled()


async def test_a_failure_is_remembered_for_a_moment_and_then_tried_again() -> None:
    """Ours: forged assertions must not make the hub call without end; a client's mistake must not last."""
    far = Far()
    cache = far.cache()
    far.down = True
    for _ in range(3):
        with pytest.raises(JwksUnavailable):
            await cache.get(URL, None, forged)
    assert len(far.calls) == 1
    far.down = False
    far.pass_s(ASKED_AGAIN_S)
    assert await cache.get(URL, None, forged)


async def test_keys_that_ran_out_are_not_used_when_the_far_side_is_down() -> None:
    """SMART: not beyond Cache-Control, whatever the reason."""
    far = Far(max_age_s=60)
    cache = far.cache()
    await cache.get(URL, None, forged)
    far.down = True
    far.pass_s(60)
    with pytest.raises(JwksUnavailable):
        await cache.get(URL, None, forged)


async def test_the_number_of_kept_key_sets_is_bounded() -> None:
    """Ours: the least recently used goes first."""
    far = Far()
    cache = far.cache(maximum=2)
    for name in ("a", "b", "a", "c", "a", "b"):
        await cache.get(name, None, forged)
        far.pass_s(ASKED_AGAIN_S)
    assert far.calls == ["a", "b", "c", "b"]


async def test_many_clients_are_no_way_round_how_often_one_address_is_asked() -> None:
    """Ours: whoever knows more client_ids than sets are kept does not push out what was asked for a moment ago."""
    far = Far(max_age_s=0)
    cache = far.cache(maximum=2)
    for name in "abcdabcd":
        await told(cache, None, name)
    assert far.calls == ["a", "b", "c", "d"]


async def test_a_key_that_the_kept_set_has_not_is_looked_for_once_in_a_while() -> None:
    """SMART: a client may rotate its keys at any time; ours: forged names must not make the hub call without end."""
    far = Far(max_age_s=300)
    cache = far.cache()
    await cache.get(URL, None, forged)
    for _ in range(3):
        await cache.get(URL, "new", forged)
    assert len(far.calls) == 1, "asked for a moment ago"
    far.pass_s(ASKED_AGAIN_S)
    for _ in range(3):
        await cache.get(URL, "new", forged)
    assert len(far.calls) == 2


async def test_a_set_that_is_good_is_not_given_up_for_a_key_that_nobody_knows() -> None:
    """Ours: a stranger who names a key while the far side is down takes nothing away from the client."""
    far = Far(max_age_s=300)
    cache = far.cache()
    good = await cache.get(URL, None, forged)
    far.pass_s(ASKED_AGAIN_S)
    far.down = True
    assert await cache.get(URL, "forged", forged) is good
    assert await cache.get(URL, "forged", forged) is good
    assert len(far.calls) == 2


async def test_a_hub_is_asked_with_forged_assertions_and_calls_once_and_serves_the_client_meanwhile(running: Running) -> None:
    """The whole way: POST /oauth/token, a key set over a real socket that says no-store."""
    account = new_client("jwks-no-store", "system/*.rs")
    with far_side(whole(orjson.dumps(account.client.jwks), "Cache-Control: no-store")) as far:
        account = running.backstage.register(replace(account, client=replace(account.client, jwks=None, jwks_uri=far.url())))
        async with in_process(running.process.data_dir, running.backstage.endpoint, jwks_allow_loopback=True) as hub:
            for _ in range(5):
                forgers_key, _ = new_client_keys()
                assert await status(hub, account.id, forgers_key) == 401
            assert len(far.asked) == 1
            assert await status(hub, account.id, account.key) == 200
            assert len(far.asked) == 2


async def status(hub: InProcess, client_id: str, key: bytes) -> int:
    """Of a token request with a fresh assertion."""
    assertion = client_assertion(client_id, key, f"{ORIGIN}/oauth/token", now_us(), token_urlsafe(16))
    return (await hub.http.post("/oauth/token", data=token_form(assertion))).status_code
