"""One real store: a generated population taken through the repository, its plain text beside it, and who asks.

The hub's clock and ids are in the test's hand, so that a seed gives the same store to the last id.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import orjson

from hub.operator import Operator
from hub.recording import RequestFacts
from hub.repository import Repository
from hub.repository.attempt import Done
from hub.services import Services, random_id
from hub.settings import Settings
from hub.store.embedded import Endpoint
from hub.wiring import Hub, open_hub
from security.context import AccessContext
from security.scopes import Scopes
from tests.e2e.differential.consents import of_patient
from tests.e2e.differential.population import Population
from tests.e2e.differential.vocabulary import CATEGORY
from tests.e2e.differential.world import Asker, World

Json = dict[str, Any]
ORIGIN = "http://hub.example"
BASE = f"{ORIGIN}/fhir"
LOADED_FROM_US = 1_788_000_000_000_000
"""2026-08-29T10:40:00Z"""
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
STEPS_US = (0, 0, 1_000, 1_000_000, 3_600_000_000, 86_400_000_000)
EVERYTHING = (("*", "cruds", ()),)
NARROW = (
    ("Observation", "rs", (("category", f"{CATEGORY}|vital-signs"),)),
    ("Patient", "s", ()),
    ("Practitioner", "r", ()),
    ("Encounter", "rs", ()),
    ("Organization", "rs", ()),
    ("Device", "rs", (("status", "active"),)),
    ("Provenance", "s", ()),
)


@dataclass
class Hand:
    """Clock and ids of the hub."""

    now_us: int = LOADED_FROM_US
    ids: list[str] = field(default_factory=list)

    def clock(self) -> int:
        return self.now_us

    def new_id(self) -> str:
        return self.ids.pop() if self.ids else random_id()


@dataclass(kw_only=True)
class Store:
    """`plain`: what the naive evaluator looks at."""

    hub: Hub
    plain: World
    askers: tuple[Asker, ...]

    def repository(self, asker: Asker) -> Repository:
        return repository(self.hub.services, context(asker))


def context(asker: Asker, **more: Any) -> AccessContext:
    given: dict[str, Any] = {"recorder": False, "importer": False, **more}
    return AccessContext(
        client_id=asker.device.removeprefix("Device/"),
        client_name=asker.name,
        organization=asker.organization,
        scopes=Scopes.parse(scope_text(asker)),
        purpose=asker.purpose,
        consent_default="opt-out" if asker.opted_out else "opt-in",
        request_id=random_id(),
        **given,
    )


def scope_text(asker: Asker) -> str:
    return " ".join(
        f"system/{type}.{letters}" + ("?" + "&".join("=".join(pair) for pair in query) if query else "")
        for type, letters, query in asker.scopes
    )


def repository(services: Services, caller: AccessContext, interaction: str = "search") -> Repository:
    return Repository(caller, services, RequestFacts(request_id=caller.request_id, interaction=interaction))


def askers(organizations: list[str]) -> tuple[Asker, ...]:
    first, second = organizations[0], organizations[1]
    return (
        Asker("opt-in", "Device/opt-in-client", first, "TREAT", opted_out=False, scopes=EVERYTHING),
        Asker("opt-out", "Device/opt-out-client", second, "TREAT", opted_out=True, scopes=EVERYTHING),
        Asker("research", "Device/research-client", first, "HRESCH", opted_out=True, scopes=EVERYTHING),
        Asker("narrow", "Device/narrow-client", second, "TREAT", opted_out=True, scopes=NARROW),
    )


class Loader:
    """Writes as a recorder of the organisation that manages everybody, until the patients get their own and speak."""

    def __init__(self, hub: Hub, hand: Hand, random: Random) -> None:
        self.hub, self.hand, self.random = hub, hand, random
        self.population = Population(random, BASE)
        self.current: dict[str, Json] = {}
        self.versions: dict[tuple[str, int], Json] = {}
        self.rows: dict[str, str] = {}
        self.paired: dict[str, str] = {}
        self.organization = ""

    async def load(self) -> None:
        for resource in self.population.contents():
            self.organization = self.organization or f"Organization/{resource['id']}"
            await self.create(resource)
            if self.population.names.get("Device") and not self.paired:
                await self.pair()
        await self.change()
        for provenance in self.population.provenances():
            await self.create(provenance)
        patients, organizations = self.population.names["Patient"], self.population.names["Organization"]
        for patient in reversed(patients):  # links lead to those before
            await self.update({**self.current[patient], "managingOrganization": {"reference": self.random.choice(organizations[:3])}})
        for patient in patients:
            for consent in of_patient(self.random, patient, organizations, self.population.new_id):
                await (self.update if f"Consent/{consent['id']}" in self.current else self.create)(consent)

    async def change(self) -> None:
        """Some get another version, some are taken away: nothing of what was there is found any more."""
        for name in list(self.current):
            type = name.partition("/")[0]
            if type not in ("Patient", "Group") and self.random.random() < 0.12:
                await self.update({**self.population.changed(self.current[name]), "id": self.current[name]["id"]})
            elif type in ("Practitioner", "Observation", "Encounter") and self.random.random() < 0.04:
                await self.writer("delete").delete(*name.split("/"))
                del self.current[name]
                self.population.names[type].remove(name)

    async def pair(self) -> None:
        """Two units that say of nobody whom they are worn by: pairings do."""
        for identifier in ("unit-1", "unit-2"):
            patient, id = self.random.choice(self.population.names["Patient"]), self.population.own_id()
            self.hand.ids = [id, random_id()]
            paired = await Operator(self.hub, "tests").pair(
                system=self.population.random.choice(("urn:mrn", "urn:other-mrn")),
                manufacturer="Dupont",
                product="Zoé",
                identifier=identifier,
                patient=patient,
                from_us=0,
                to_us=None,
            )
            stored = await self.hub.services.store.current(paired.device)
            assert stored is not None
            content = orjson.loads(self.hub.services.vault.open(await self.hub.services.vault.key(None), stored))
            self.current[paired.device] = self.versions[paired.device, 1] = content
            self.paired[paired.device] = patient
            self.population.names["Device"].append(paired.device)

    async def create(self, resource: Json) -> None:
        """Under the id that it bears: given by the hub, or brought by an importer, as what does not look like the hub's must be."""
        type, id = resource["resourceType"], resource["id"]
        if id.endswith("-") or self.random.random() < 0.05:
            self.rows[f"{type}/{id}"] = self.hub.services.brought_id(type, id)
            await self.update(resource)
            return
        self.hand.ids = [resource["id"]]
        self.note(resource, await self.writer("create").create(resource["resourceType"], without_id(resource)))

    async def update(self, resource: Json) -> None:
        self.note(resource, await self.writer("update").update(resource["resourceType"], resource["id"], resource))

    def writer(self, interaction: str) -> Repository:
        self.hand.now_us += self.random.choice(STEPS_US)
        loader = Asker("loader", "Device/loader", self.organization, "TREAT", opted_out=True, scopes=EVERYTHING)
        return repository(self.hub.services, context(loader, recorder=True, importer=True), interaction)

    def note(self, sent: Json, done: Done) -> None:
        """What was sent, with what the hub adds to it by its own account."""
        assert done.resource is not None
        stored = orjson.loads(done.resource.json)
        version, updated = stored["meta"]["versionId"], stored["meta"]["lastUpdated"]
        plain = {**sent, "meta": {**sent.get("meta", {}), "versionId": version, "lastUpdated": updated}}
        if sent["resourceType"] == "Patient":
            plain.setdefault("managingOrganization", {"reference": self.organization})
        assert stored == plain
        name = f"{sent['resourceType']}/{sent['id']}"
        self.current[name] = self.versions[name, int(version)] = plain


def without_id(resource: Json) -> Mapping[str, Any]:
    return {name: value for name, value in resource.items() if name != "id"}


@asynccontextmanager
async def opened_store(data_dir: Path, endpoint: Endpoint, seed: str) -> AsyncIterator[Store]:
    """A store of its own in an empty database."""
    hand = Hand()
    async with open_hub(Settings(data_dir=data_dir), endpoint, ORIGIN) as opened:
        hub = replace(opened, services=replace(opened.services, clock=hand.clock, new_id=hand.new_id))
        loader = Loader(hub, hand, Random(f"store {seed}"))
        await loader.load()
        hand.now_us = int(NOW.timestamp()) * 1_000_000
        plain = World(base=BASE, now=NOW, current=loader.current, versions=loader.versions, rows=loader.rows, paired=loader.paired)
        yield Store(hub=hub, plain=plain, askers=askers(loader.population.names["Organization"]))
