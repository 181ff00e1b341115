"""What a test does behind the scenes of a running hub: register clients, pair devices, look at the log.

Opens the hub's own data directory beside the serving process, as every command does (DESIGN 4), in a thread of its own,
so that tests may be plain functions.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self, TypeVar, cast

import orjson
from pymongo import MongoClient

from audit.record import Draft, from_document
from hub.instants import now_us
from hub.operator import Operator, Paired
from hub.settings import Settings
from hub.store.embedded import Endpoint, sharing
from hub.vault import AUDIT_TYPE
from hub.wiring import Hub, open_hub
from security.context import PolicyDefault
from security.oauth.clients import Client, new_client_keys
from security.scopes import Scopes

T = TypeVar("T")
WAIT_S = 240
Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A registered client with its private key."""

    client: Client
    key: bytes = field(repr=False)

    @property
    def id(self) -> str:
        return self.client.client_id

    @property
    def organization(self) -> str:
        return self.client.organization


def new_client(
    name: str,
    scope: str,
    *,
    organization: str = "",
    purpose: str = "TREAT",
    consent_default: str = "opt-in",
    recorder: bool = False,
    importer: bool = False,
    administrator: bool = False,
    confirmer: bool = False,
    requests_per_minute: int | None = None,
    items_per_minute: int | None = None,
) -> Account:
    pem, public = new_client_keys()
    client = Client(
        client_id=f"{name}-client",
        name=name,
        scopes=Scopes.parse(scope).text(),
        organization=organization,
        purpose=purpose,
        consent_default=cast("PolicyDefault", consent_default),
        recorder=recorder,
        importer=importer,
        jwks=public,
        jwks_uri=None,
        created_us=now_us(),
        administrator=administrator,
        confirmer=confirmer,
        requests_per_minute=requests_per_minute,
        items_per_minute=items_per_minute,
    )
    return Account(client=client, key=pem)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A record of the log, opened. `patient` says whether it is one of a patient's, and of whose (token)."""

    draft: Draft
    event: Json

    @property
    def patient(self) -> bytes | None:
        return self.draft.patient

    @property
    def outcome(self) -> str:
        return str(self.event["outcome"])

    @property
    def kind(self) -> str:
        return str(self.event["subtype"][-1]["code"])


class Backstage:
    """Use as a context manager."""

    def __init__(self, data_dir: Path, origin: str) -> None:
        self._data_dir, self._origin = data_dir, origin
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._stack, self._astack = ExitStack(), AsyncExitStack()
        self.endpoint: Endpoint
        self.hub: Hub
        self.admin: MongoClient[Json]

    def __enter__(self) -> Self:
        self._thread.start()
        self.endpoint = self._stack.enter_context(sharing(self._data_dir, cache_gb=0.25))
        self.admin = self._stack.enter_context(MongoClient(self.endpoint.admin_url))
        settings = Settings(data_dir=self._data_dir)
        self.hub = self.run(self._astack.enter_async_context(open_hub(settings, self.endpoint, self._origin)))
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.run(self._astack.aclose())
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(WAIT_S)
            self._loop.close()
            self._stack.close()

    def run(self, work: Awaitable[T]) -> T:
        return asyncio.run_coroutine_threadsafe(cast("Coroutine[Any, Any, T]", work), self._loop).result(WAIT_S)

    def register(self, account: Account) -> Account:
        """With an organisation of its own unless it names one."""
        client = self.run(Operator(self.hub, "tests").add_client(account.client, None))
        return Account(client=client, key=account.key)

    def revoke(self, account: Account) -> None:
        assert self.run(Operator(self.hub, "tests").revoke_client(account.id))

    def pair(self, system: str, identifier: str, patient: str, *, from_us: int | None = None, to_us: int | None = None) -> Paired:
        """Bind a unit of the adapter with this identifier system to "Patient/id"."""
        operator = Operator(self.hub, "tests")
        return self.run(
            operator.pair(
                system=system,
                manufacturer="unknown",
                product="device of the tests",
                identifier=identifier,
                patient=patient,
                from_us=from_us,
                to_us=to_us,
            )
        )

    def unpair(self, system: str, identifier: str) -> None:
        """End the pairing of a unit now."""
        assert self.run(Operator(self.hub, "tests").unpair(system=system, identifier=identifier, to_us=now_us()))

    def records(self, request_id: str) -> list[Recorded]:
        """What one request left in the log, the interaction's own record first."""
        found = self.admin["hub_audit"]["records"].find({"r": request_id}).sort("s", 1)
        return [self._opened(from_document(one).draft) for one in found]

    def recorded_by(self, act: Callable[[], object]) -> list[Recorded]:
        """What somebody's act left in the log, while nobody else does anything."""
        log = self.admin["hub_audit"]["records"]
        before = [one["_id"] for one in log.find({}, {"_id": 1})]
        act()
        return [self._opened(from_document(one).draft) for one in log.find({"_id": {"$nin": before}}).sort("s", 1)]

    def patient_token(self, id: str) -> bytes:
        return self.hub.services.blind.patient(id)

    def store(self, act: Callable[[Any], Awaitable[T]]) -> T:
        return self.run(act(self.hub.services.store))

    def _opened(self, draft: Draft) -> Recorded:
        vault = self.hub.services.vault
        owner = None if draft.key_id == b"system" else draft.key_id
        key = self.run(vault.key(owner))
        plain = vault.open_sealed(key, AUDIT_TYPE, draft.id, 1, owner, draft.sealed, purpose="audit")
        return Recorded(draft=draft, event=orjson.loads(plain))
