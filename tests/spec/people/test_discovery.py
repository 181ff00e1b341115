"""A provider's discovery document: kept as long as it says, within bounds, fetched once for all who ask. OpenID Connect Discovery 1.0."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest

from hub.errors import FhirError
from hub.outbound import ASKED_AGAIN_S, FetchedJwks
from hub.people.discovery import AGE_MIN_S, Discovery, document_of
from security.oauth.errors import JwksUnavailable
from security.people.federation import Provider

ISSUER = "https://provider.example/realms/one/"
PROVIDER = Provider(name="one", title="One", issuer=ISSUER, client_id="hub", authentication="none")
DOCUMENT = {"issuer": ISSUER, **{name: f"{ISSUER}{name}" for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")}}


@dataclass
class World:
    """A provider that answers as it is told, and a clock."""

    document: dict[str, Any] | None = field(default_factory=lambda: dict(DOCUMENT))
    max_age_s: int = 0
    asked: list[str] = field(default_factory=list)
    now_us: int = 0

    def __post_init__(self) -> None:
        self.discovery = Discovery(self, {"one": PROVIDER}, now_us=lambda: self.now_us)  # type: ignore[arg-type] (all it calls)

    async def fetch_object(self, url: str) -> FetchedJwks:
        self.asked.append(url)
        await asyncio.sleep(0)
        if self.document is None:
            raise JwksUnavailable("away")
        return FetchedJwks(jwks=self.document, max_age_s=self.max_age_s)

    async def good(self) -> bool:
        try:
            return (await self.discovery.endpoints(PROVIDER)).token == DOCUMENT["token_endpoint"]
        except FhirError as error:
            return error.code != "transient"

    def later(self, seconds: int) -> None:
        self.now_us += seconds * 1_000_000


async def test_those_who_ask_at_once_share_one_call() -> None:
    world = World()
    assert await asyncio.gather(*(world.good() for _ in range(20))) == [True] * 20
    assert world.asked == [document_of(PROVIDER)] == ["https://provider.example/realms/one/.well-known/openid-configuration"]


@pytest.mark.parametrize(("says", "kept_s"), [(0, AGE_MIN_S), (5, AGE_MIN_S), (900, 900)])
async def test_it_is_kept_as_long_as_it_says_and_a_minute_at_least(says: int, kept_s: int) -> None:
    """RFC 9111 section 4.2; the ceiling is `max_age_s`'s, whatever a server says."""
    world = World(max_age_s=says)
    for seconds, calls in ((0, 1), (kept_s - 1, 1), (1, 2)):
        world.later(seconds)
        assert await world.good()
        assert len(world.asked) == calls


@pytest.mark.parametrize("document", [None, {**DOCUMENT, "issuer": "https://elsewhere.example"}], ids=["away", "another-issuer"])
async def test_what_is_no_answer_is_remembered_for_a_moment_and_not_longer(document: dict[str, Any] | None) -> None:
    """Section 4.3: a document of another issuer is nobody's, and does not stay in place of the right one."""
    world = World(document=document, max_age_s=900)
    assert [await world.good() for _ in range(3)] == [False] * 3
    assert len(world.asked) == 1
    world.document = dict(DOCUMENT)
    world.later(ASKED_AGAIN_S)
    assert await world.good()
