"""From a database endpoint to services: keys opened, chain begun, indexes there. Used by the server and by commands."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pymongo import AsyncMongoClient
from pymongo.errors import OperationFailure

from audit.chain import Head, genesis
from audit.checkpoint import HeadKeeper, read_heads
from fhir_profiles.profiles import Finding
from fhir_profiles.profiles import check as check_profiles
from fhir_profiles.r4 import Problem
from fhir_profiles.r4 import check as check_r4
from hub.errors import FhirError, Issue, Unprocessable
from hub.instants import now_us
from hub.services import Services, random_id
from hub.settings import Settings
from hub.signing import Keyring
from hub.store.embedded import Endpoint, NoDatabase
from hub.store.keys import MongoKeys
from hub.store.mongo import MongoStore
from hub.store.oauth import OAuthStore
from hub.store.schema import ensure_indexes
from hub.store.straight import wait_straight
from hub.vault import Vault
from security.blind import Blind
from security.keys import SYSTEM, KeyRing
from security.kms.local import open_key_file
from security.oauth.metadata import fhir_base
from security.oauth.signing_keys import SigningKeys

WRITER_BYTES = 8
UNAUTHORIZED = 13
"""https://www.mongodb.com/docs/manual/reference/error-codes/"""
KEY_FILE = Path("keys") / "master.key"
HEADS = "audit-heads"
SERVER_SELECTION_MS = 5_000
SILENCE_MS = 5_000
"""A server that says nothing for twice as long is gone: what waits for it is answered with 503 instead of waiting on."""

Client = AsyncMongoClient[dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hub:
    """A hub ready to work: its services, its clients' registry, the keys that sign tokens and heads."""

    services: Services
    oauth: OAuthStore
    keyring: Keyring
    nonce_key: bytes
    ring: KeyRing
    head_key: Ed25519PrivateKey
    heads: Path
    base_url: str
    kms_key: str
    count_keys: Callable[[], Awaitable[int]]
    heads_fault: Callable[[], OSError | None]

    @property
    def signing_keys(self) -> SigningKeys:
        """What signs and verifies tokens at this moment."""
        return self.keyring.now


@asynccontextmanager
async def open_hub(settings: Settings, endpoint: Endpoint, base_url: str) -> AsyncIterator[Hub]:
    """Everything opened in order and closed in reverse. `base_url`: scheme and authority."""
    async with AsyncExitStack() as stack:
        client = await _client(stack, endpoint.url)
        admin = await _client(stack, endpoint.admin_url) if endpoint.admin_url else None
        keys = await _client(stack, settings.keys_mongodb_url.get_secret_value()) if settings.keys_mongodb_url else None
        await _prepare(client, admin, keys)
        ring = await _ring(settings, keys or client)
        head_key = Ed25519PrivateKey.from_private_bytes(await ring.secret("audit-head"))
        heads = settings.data_dir / HEADS
        keeper = HeadKeeper(heads, head_key, now_us)
        keeper.start()
        stack.push_async_callback(keeper.close)
        store = MongoStore(client, _chain(keeper, heads, head_key), keeper.advance)
        stack.push_async_callback(store.committer.drain)
        oauth = OAuthStore(client)
        services = await _services(settings, store, oauth, ring, base_url)
        yield Hub(
            services=services,
            oauth=oauth,
            keyring=await Keyring.opened(services, now_us),
            nonce_key=await ring.secret("dpop-nonce"),
            ring=ring,
            head_key=head_key,
            heads=heads,
            base_url=base_url,
            kms_key=open_key_file(settings.data_dir / KEY_FILE).key_id,
            heads_fault=lambda: keeper.fault,
            count_keys=(keys or client)["hub_keys"]["keys"].estimated_document_count,
        )


async def _prepare(client: Client, admin: Client | None, keys: Client | None) -> None:
    """Collections and indexes. Raises NoDatabase where the hub's user may not make what an administrator has not made."""
    try:
        await ensure_indexes(client, admin, keys)
    except OperationFailure as error:
        if error.code != UNAUTHORIZED:
            raise
        raise NoDatabase("the hub's database user may not make what is missing; prepare the database as docs/cluster.md says") from error


async def _client(stack: AsyncExitStack, url: str) -> Client:
    wait_straight()
    client: Client = AsyncMongoClient(
        url,
        serverSelectionTimeoutMS=SERVER_SELECTION_MS,
        connectTimeoutMS=SILENCE_MS,
        heartbeatFrequencyMS=SILENCE_MS,
        retryReads=True,
        retryWrites=True,
    )
    stack.push_async_callback(client.close)
    return client


async def _ring(settings: Settings, client: Client) -> KeyRing:
    kms = open_key_file(settings.data_dir / KEY_FILE)
    ring = KeyRing(kms, MongoKeys(client["hub_keys"]["keys"]), random=os.urandom)
    await ring.create([SYSTEM])
    return ring


async def _services(settings: Settings, store: MongoStore, oauth: OAuthStore, ring: KeyRing, base_url: str) -> Services:
    return Services(
        store=store,
        vault=Vault(ring),
        blind=Blind(await ring.secret("index")),
        clock=now_us,
        new_id=random_id,
        check=check,
        page_key=await ring.secret("page-links"),
        base_url=fhir_base(base_url),
        settings=settings,
        find_client=oauth.find_client,
    )


def _chain(keeper: HeadKeeper, heads: Path, key: Ed25519PrivateKey) -> Callable[[], Any]:
    """A new chain for this process, which testifies to the heads that were there before."""

    async def new_head() -> Head:
        known = await asyncio.to_thread(read_heads, heads, key.public_key())
        head = genesis(os.urandom(WRITER_BYTES), [one for one in known if isinstance(one, Head)])
        await keeper.begin(head)
        return head

    return new_head


def check(content: Mapping[str, Any]) -> None:
    """Raises FhirError with one issue per problem for a resource that R4 does not allow, then for one that breaks a profile."""
    if problems := check_r4(content):
        raise FhirError.of(_issues(problems))
    if found := check_profiles(content):
        raise Unprocessable.of(_issues(found))


def _issues(found: Iterable[Problem | Finding]) -> list[Issue]:
    return [Issue(code=one.code, text=one.text, expression=one.expression) for one in found]
