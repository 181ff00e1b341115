"""Whatever the order, the portions and the repetitions in which an adapter's readings arrive, the same is stored in the end.

DESIGN 7: each reading once, current the value that the source changed last, then the one with the larger hash; whatever lost is in its
history; what waits waits once. DEVICES 6.5: late, out of order, duplicated, duplicated with another value. For every installed adapter,
through the whole pipeline, with a real database; patient and units are the same each time, so that every hash is.
"""

import base64
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

import pytest
from pymongo import MongoClient

from adapters.contract import NO_CONTEXT, Adapter, Context, Manifest
from adapters.discovery import adapters
from adapters.kit.simulation import Plan, batches
from adapters.reading import Item, Reading
from fhir_profiles.building import BUILDERS
from hub.ingest.intake import Parcel, take_in
from hub.ingest.sender import Senders
from hub.operator import Operator
from hub.store.embedded import Endpoint
from tests.support.backstage import Account, new_client
from tests.support.inprocess import InProcess, in_process
from tests.support.known import fixtures
from tests.support.resources import patient

Json = dict[str, Any]
WAYS = 4
"""Of arriving, for each adapter: beside the one in which everything comes at once, as the fixtures have it."""
ZONE, UNIT = "Europe/Paris", "unit-1"
STORED = sorted(set(BUILDERS) - {"Binary"})
"""A Binary has no subject to be searched by; the DocumentReference that names it holds its size and hash."""


@dataclass(frozen=True, slots=True)
class Portion:
    """The adapter, reading several of its payloads at once: how they stand in one file is not what is tried here."""

    inner: Adapter

    @property
    def manifest(self) -> Manifest:
        return self.inner.manifest

    def decode(self, payload: bytes, context: Context = NO_CONTEXT) -> Iterable[Item]:
        for one in json.loads(payload):
            yield from self.inner.decode(base64.b64decode(one), context)


def packed(payloads: Sequence[bytes]) -> bytes:
    return json.dumps([base64.b64encode(one).decode() for one in payloads]).encode()


def whole(adapter: Adapter) -> list[bytes]:
    """What the adapter is sent: its fixtures, and of a simulated person two days with corrections, late and out of order."""
    name = adapter.manifest.name
    made = [path.read_bytes() for path in fixtures(name.replace("-", "_"))]
    if getattr(adapter, "simulator", None) is not None:
        faults = frozenset[Any]({"corrected", "duplicates", "reordered", "late"})
        plan = Plan(adapter=adapter, patients=1, days=2, seed=11, until=date(2026, 6, 20), faults=faults)
        made += [batch.payload for batch in batches(plan)]
    return made


def alone(adapter: Adapter, payloads: Iterable[bytes]) -> list[bytes]:
    """The same, item by item: `raw` of each is a payload."""
    items = [item for payload in payloads for item in adapter.decode(payload)]
    return list(dict.fromkeys(item.raw for item in items if isinstance(item, Reading) or item.keep))


def ways(payloads: Sequence[bytes], chance: Random) -> Iterator[list[list[bytes]]]:
    """Any order, any repetition, any portions; the first way is one by one, from behind."""
    yield [[one] for one in reversed(payloads)]
    for _ in range(WAYS - 1):
        sent = [*payloads, *chance.choices(payloads, k=max(1, len(payloads) // 2))]
        chance.shuffle(sent)
        portions: list[list[bytes]] = [[]]
        for one in sent:
            if portions[-1] and chance.random() < 0.3:
                portions.append([])
            portions[-1].append(one)
        yield portions


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """One patient with units of one adapter, in a hub whose readings can be wiped."""

    hub: InProcess
    admin: MongoClient[Json]
    account: Account
    adapter: Adapter
    person: str

    @property
    def headers(self) -> Mapping[str, str]:
        return self.hub.authorization(self.account, "system/*.cruds")

    async def pair(self, devices: Iterable[str]) -> None:
        manifest = self.adapter.manifest
        for device in sorted(devices):
            await Operator(self.hub.hub).pair(
                system=manifest.identifier_system,
                manufacturer=manifest.manufacturer,
                product=manifest.product,
                identifier=device,
                patient=f"Patient/{self.person}",
                from_us=-(10**16),
                to_us=None,
            )

    async def take(self, payloads: Sequence[bytes]) -> set[str]:
        """The fates of one batch, through the pipeline that every transport uses."""

        async def find(_: str) -> Any:
            return self.account.client

        services = self.hub.hub.services
        repository = await Senders(services=services, find_client=find).repository(self.account.id)
        parcel = Parcel(adapter=Portion(self.adapter), payload=packed(payloads), device=UNIT, time_zone=ZONE)
        async with repository.recording("ingest") as recording:
            return {answer.fate for answer in await take_in(repository, recording, parcel)}

    async def get(self, path: str) -> list[Json]:
        answer = await self.hub.http.get(f"/fhir/{path}", headers=self.headers)
        assert answer.status_code == 200, answer.text
        return [entry["resource"] for entry in answer.json().get("entry", [])]

    async def state(self) -> Json:
        """What is stored: by id, what it says now, and every value that it ever had; and what waits."""
        made: Json = {}
        for type in STORED:
            for one in await self.get(f"{type}?patient={self.person}&_count=1000"):
                row = f"{type}/{one['id']}"
                past = [one] if one["meta"]["versionId"] == "1" else await self.get(f"{row}/_history?_count=100")
                made[row] = {"now": said(one), "ever": sorted({said(version) for version in past})}
        waiting = self.admin["hub"]["quarantine"].find({}, {"_id": 1, "code": 1})
        return {**made, "waiting": sorted(str(sorted(one.items())) for one in waiting)}

    def wipe(self) -> None:
        database = self.admin["hub"]
        for name in ("resources", "history"):
            database[name].delete_many({"t": {"$in": sorted(BUILDERS)}})
        database["quarantine"].delete_many({})


def said(resource: Json) -> str:
    """What a version says, without which version it is and when it came."""
    return json.dumps({name: value for name, value in resource.items() if name != "meta"}, sort_keys=True)


def devices(adapter: Adapter, payloads: Iterable[bytes]) -> set[str]:
    return {item.device or UNIT for payload in payloads for item in adapter.decode(payload) if isinstance(item, Reading)} | {UNIT}


@pytest.mark.parametrize("name", sorted(adapters()))
async def test_any_way_of_arriving_ends_in_the_same_state(
    name: str, clean_database: Endpoint, admin: MongoClient[Json], tmp_path: Path
) -> None:
    adapter = adapters()[name]
    payloads = whole(adapter)
    single = alone(adapter, payloads)
    async with in_process(tmp_path, clean_database) as hub:
        account = await hub.register(new_client("vendor", "system/*.cruds", consent_default="opt-out", recorder=True))
        headers = {**hub.authorization(account, "system/*.cruds"), "Content-Type": "application/json"}
        person = (await hub.http.post("/fhir/Patient", json=patient(), headers=headers)).json()["id"]
        desk = Desk(hub=hub, admin=admin, account=account, adapter=adapter, person=person)
        await desk.pair(devices(adapter, payloads))
        assert "stored" in await desk.take(payloads)
        first = await desk.state()
        assert len(first) > 1
        assert await desk.take(payloads) <= {"duplicate", "quarantined", "refused"}, "the same again is nothing new"
        assert await desk.state() == first
        for portions in ways(single, Random(name)):
            desk.wipe()
            for portion in portions:
                await desk.take(portion)
            assert await desk.state() == first
