"""Histories against a naive one, over random sequences of writes with consents that come and go.

https://hl7.org/fhir/R4/http.html#history; laws 1 and 3. The oracle keeps every version in a list and asks two questions of
each: may this caller see it, and may this caller see the newest one of its resource?
"""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pymongo import MongoClient

from hub.store.embedded import Endpoint
from tests.support.backstage import Account, new_client
from tests.support.inprocess import InProcess, in_process
from tests.support.resources import HEART_RATE, LOINC, STEPS, action, actor, concept, consent, observation, patient

Json = dict[str, Any]
SCOPE = "system/*.cruds"
CODES = (HEART_RATE, STEPS)

acts = st.lists(
    st.one_of(
        st.tuples(st.just("create"), st.integers(0, 1), st.sampled_from(CODES)),
        st.tuples(st.just("update"), st.integers(0, 7), st.sampled_from(CODES)),
        st.tuples(st.just("delete"), st.integers(0, 7), st.none()),
        st.tuples(st.just("consent"), st.integers(0, 1), st.sampled_from(["all", *CODES, "none"])),
        st.tuples(st.just("ask"), st.integers(1, 3), st.sampled_from(["-_lastUpdated", "_lastUpdated"])),
    ),
    max_size=24,
)


@dataclass(slots=True)
class Known:
    """What the oracle knows: each resource's versions as (code, deleted), and what the stranger may see of each patient."""

    patients: list[str]
    consents: list[Json]
    permitted: list[str]
    owner: dict[str, int] = field(default_factory=dict)
    versions: dict[str, list[tuple[str, bool]]] = field(default_factory=dict)
    order: list[tuple[str, int]] = field(default_factory=list)

    def write(self, id: str, code: str, *, deleted: bool = False) -> None:
        self.versions.setdefault(id, []).append((code, deleted))
        self.order.append((id, len(self.versions[id])))

    def sees(self, id: str, version: int) -> bool:
        allowed = self.permitted[self.owner[id]]
        return all(allowed in ("all", self.versions[id][number - 1][0]) for number in (version, len(self.versions[id])))

    def expected(self, id: str | None = None) -> list[tuple[str, int]]:
        """Newest first. Each act has a time of its own."""
        return [one for one in reversed(self.order) if self.sees(*one) and id in (None, one[0])]


class World:
    def __init__(self, hub: InProcess, ehr: Account, stranger: Account) -> None:
        self.hub, self.ehr, self.stranger, self.turn = hub, ehr, stranger, 0
        self.known: Known

    async def ask(self, who: Account, method: str, path: str, body: Json | None = None) -> Any:
        self.turn += 1
        self.hub.turn.take(self.turn)
        headers = {**self.hub.authorization(who, SCOPE), "Content-Type": "application/fhir+json"}
        url = path if path.startswith("http") else f"/fhir/{path}"
        return await self.hub.http.request(method, url, json=body, headers=headers)

    async def begin(self) -> None:
        people = [(await self.ask(self.ehr, "POST", "Patient", patient())).json()["id"] for _ in range(2)]
        consents = [(await self.ask(self.ehr, "POST", "Consent", self.consent(id, "none"))).json() for id in people]
        self.known = Known(people, consents, ["none", "none"])

    def consent(self, id: str, what: str) -> Json:
        codes = {"code": [concept(LOINC, what)]} if what in CODES else {}
        who = {"actor": [actor(self.stranger.organization)], "action": [action("access")]}
        return consent(id, status="inactive" if what == "none" else "active", provision={**who, **codes})

    async def act(self, kind: str, number: int, detail: str | None) -> None:
        known, ids = self.known, [*self.known.versions]
        if kind == "create":
            made = await self.ask(self.ehr, "POST", "Observation", observation(known.patients[number], str(detail)))
            known.owner[made.json()["id"]] = number
            known.write(made.json()["id"], str(detail))
        elif kind == "consent":
            known.consents[number] = {**self.consent(known.patients[number], str(detail)), "id": known.consents[number]["id"]}
            answer = await self.ask(self.ehr, "PUT", f"Consent/{known.consents[number]['id']}", known.consents[number])
            assert answer.status_code == 200, answer.text
            known.permitted[number] = str(detail)
        elif kind == "ask":
            await self.compare(number, str(detail))
        elif ids:
            await self.change(kind, ids[number % len(ids)], detail)

    async def change(self, kind: str, id: str, code: str | None) -> None:
        last, gone = self.known.versions[id][-1]
        if gone:
            return
        if kind == "delete":
            assert (await self.ask(self.ehr, "DELETE", f"Observation/{id}")).status_code == 204
            self.known.write(id, last, deleted=True)
        elif code != last:
            body = {**observation(self.known.patients[self.known.owner[id]], str(code)), "id": id}
            assert (await self.ask(self.ehr, "PUT", f"Observation/{id}", body)).status_code == 200
            self.known.write(id, str(code))

    async def compare(self, count: int, sort: str) -> None:
        whole = self.known.expected()
        ordered = whole if sort.startswith("-") else whole[::-1]
        assert await self.told(f"Observation/_history?_count={count}&_sort={sort}&_total=accurate", len(whole)) == ordered
        for id in self.known.versions:
            expected = self.known.expected(id)
            newest = self.known.sees(id, len(self.known.versions[id]))
            if not newest:
                assert (await self.ask(self.stranger, "GET", f"Observation/{id}/_history")).status_code == 404
            else:
                assert await self.told(f"Observation/{id}/_history?_count={count}", len(expected)) == expected

    async def told(self, path: str, total: int) -> list[tuple[str, int]]:
        """By all pages, forwards."""
        found, url = [], path
        while True:
            bundle = (await self.ask(self.stranger, "GET", url)).json()
            assert bundle["total"] == total
            for entry in bundle.get("entry", ()):
                id, version = entry["fullUrl"].rsplit("/", 1)[1], int(entry["response"]["etag"][3:-1])
                _, deleted = self.known.versions[id][version - 1]
                assert (entry["request"]["method"] == "DELETE", "resource" not in entry) == (deleted, deleted)
                found.append((id, version))
            following = [one["url"] for one in bundle["link"] if one["relation"] == "next"]
            if not following:
                return found
            url = following[0]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(what=acts)
def test_histories_agree_with_a_naive_one(
    what: list[tuple[str, int, str | None]],
    clean_database: Endpoint,
    admin: MongoClient[Json],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Every sequence of writes, at every point of it: the same versions in the same order, with the same total."""

    async def run(directory: Path) -> None:
        async with in_process(directory, clean_database, controlled=True) as hub:
            ehr = await hub.register(new_client("ehr", SCOPE, consent_default="opt-out", recorder=True))
            world = World(hub, ehr, await hub.register(new_client("stranger", SCOPE)))
            await world.begin()
            for kind, number, detail in what:
                await world.act(kind, number, detail)
            await world.compare(2, "-_lastUpdated")

    for database in ("hub", "hub_audit", "hub_keys"):
        for name in admin[database].list_collection_names():
            admin[database][name].delete_many({})
    asyncio.run(run(tmp_path_factory.mktemp("oracle")))
