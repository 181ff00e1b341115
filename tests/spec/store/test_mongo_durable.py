"""What is acknowledged is durable, and what is answered cannot be taken back: what the hub asks of MongoDB, command by command.

DESIGN laws 2 and 5; https://www.mongodb.com/docs/manual/reference/write-concern/. One server alone would not show the difference.
"""

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from pymongo import AsyncMongoClient, MongoClient
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import ConnectionFailure
from pymongo.monitoring import CommandListener, CommandStartedEvent

from audit.chain import Head, genesis
from hub.search.predicate import EVERYTHING
from hub.store.embedded import Endpoint
from hub.store.mongo import MongoStore
from hub.store.mongo_writer import COMMIT_ATTEMPTS_MAX
from hub.store.protocol import Claim, Closing, Finding, Order, Replace, Unit, Unsure
from tests.spec.store.given import draft, stored

Json = dict[str, Any]
DURABLE = {"w": "majority", "j": True}
WRITES = frozenset({"insert", "update", "delete", "findAndModify"})
READS = frozenset({"find", "aggregate", "distinct", "count"})
PATIENT = b"p" * 12


@dataclass(slots=True)
class Heard(CommandListener):
    """Every command that the client sends."""

    commands: list[Json] = field(default_factory=list)

    def started(self, event: CommandStartedEvent) -> None:
        self.commands.append({"command": event.command_name, **event.command})

    def succeeded(self, event: object) -> None: ...

    def failed(self, event: object) -> None: ...

    def named(self, *names: str) -> list[Json]:
        return [one for one in self.commands if one["command"] in names]


@dataclass(frozen=True, slots=True)
class Scene:
    store: MongoStore
    heard: Heard


@pytest.fixture
async def scene(clean_database: Endpoint) -> AsyncIterator[Scene]:
    async def new_head() -> Head:
        return genesis(os.urandom(8), [])

    heard = Heard()
    async with AsyncMongoClient[Json](clean_database.url, event_listeners=[heard]) as client:
        yield Scene(MongoStore(client, new_head, lambda _: None), heard)


def acknowledged(heard: Heard) -> list[Any]:
    """With what each write that could be acknowledged is: a transaction by its commit, everything else by itself."""
    alone = [one for one in heard.named(*WRITES) if "autocommit" not in one]
    return [one.get("writeConcern") for one in (*alone, *heard.named("commitTransaction"))]


async def test_a_write_is_acknowledged_by_a_majority_and_its_journals(scene: Scene) -> None:
    """Law 5: data, claims and record in one transaction, committed so."""
    old = stored("a", sealed=b"old")
    await scene.store.commit(Unit(inserts=[old], claims=[Claim(key=b"k", value=old.row)], drafts=[draft("1")]))
    await scene.store.commit(Unit(replaces=[Replace(new=stored("a", 2, sealed=b"new"), old=old)], drafts=[draft("2")]))
    assert acknowledged(scene.heard) == [DURABLE, DURABLE]
    inside = scene.heard.named(*WRITES)
    assert {one[one["command"]] for one in inside} == {"resources", "history", "claims", "records"}
    assert all("autocommit" in one for one in inside)


async def test_a_record_alone_is_acknowledged_by_a_majority_and_its_journals(scene: Scene) -> None:
    """Law 2: the record of a read is durable before what was read leaves."""
    await scene.store.commit(Unit(drafts=[draft("1")]))
    assert [one["insert"] for one in scene.heard.named(*WRITES)] == ["records"]
    assert acknowledged(scene.heard) == [DURABLE]


async def test_a_deletion_of_a_patient_is_acknowledged_by_a_majority_and_its_journals(scene: Scene) -> None:
    """Law 5: also what keeps a deletion and something new about the patient apart."""
    closing = Closing(patient=PATIENT, restriction=EVERYTHING, but=frozenset(), seen=frozenset())
    await scene.store.commit(Unit(inserts=[stored("a")], closing=[closing], drafts=[draft("1")]))
    found = acknowledged(scene.heard)
    assert found == [DURABLE] * len(found)
    assert found


async def test_nothing_is_read_that_a_failover_could_take_back(scene: Scene) -> None:
    """Law 2 and 5: an answer must not show what then has never been. https://www.mongodb.com/docs/manual/reference/read-concern-majority/"""
    store = scene.store
    await store.commit(Unit(inserts=[stored("a")], claims=[Claim(key=b"k", value="x")], drafts=[draft("1")]))
    scene.heard.commands.clear()
    await store.current("Organization/a")
    await store.currents(["Organization/a"])
    await store.version("Organization/a", 1)
    await store.grant(PATIENT)
    await store.claim(b"k")
    await store.claims([b"k"])
    await store.carriers(b"t" * 12)
    await store.pairings(b"d" * 12)
    await store.record("1")
    async with store.snapshot() as snapshot:
        finding = Finding(type="Organization", predicate=EVERYTHING, restriction=EVERYTHING)
        assert [row async for batch in snapshot.find(finding, Order(field="id"), None) for row in batch]
        assert await snapshot.count(finding) == 1
    reads = scene.heard.named(*READS)
    assert len(reads) >= 11
    levels = [one.get("readConcern", {}).get("level") for one in reads if one.get("readConcern") or "lsid" not in one]
    assert set(levels) <= {"majority", "snapshot"}
    assert "majority" in levels
    assert "snapshot" in levels


@dataclass(slots=True)
class Answers:
    """In place of the driver's commit: commits, and loses the first so many of the server's answers."""

    lost: int
    asked: int = 0
    real: Any = AsyncClientSession.commit_transaction

    def commit(self) -> Callable[[AsyncClientSession], Awaitable[None]]:
        async def committed(session: AsyncClientSession) -> None:
            self.asked += 1
            await self.real(session)
            if self.asked <= self.lost:
                error = ConnectionFailure("the answer is lost")
                error._add_error_label("UnknownTransactionCommitResult")
                raise error

        return committed


@pytest.mark.parametrize(("lost", "asked"), [(0, 1), (1, 2), (3, 4)])
async def test_a_commit_whose_answer_is_lost_is_asked_for_again_and_counts_once(
    scene: Scene, admin: MongoClient[Json], monkeypatch: pytest.MonkeyPatch, lost: int, asked: int
) -> None:
    """Law 5: once. https://www.mongodb.com/docs/manual/core/transactions-in-applications/#retry-commit-operation"""
    answers = Answers(lost)
    monkeypatch.setattr(AsyncClientSession, "commit_transaction", answers.commit())
    await scene.store.commit(Unit(inserts=[stored("a")], drafts=[draft("1")]))
    assert answers.asked == asked
    assert admin["hub_audit"]["records"].count_documents({}) == 1


async def test_a_commit_of_which_nobody_ever_hears_is_not_acknowledged(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Law 5: nobody is told that something is stored while that is not known."""
    answers = Answers(COMMIT_ATTEMPTS_MAX)
    monkeypatch.setattr(AsyncClientSession, "commit_transaction", answers.commit())
    with pytest.raises(Unsure):
        await scene.store.commit(Unit(inserts=[stored("a")], drafts=[draft("1")]))
    assert answers.asked == COMMIT_ATTEMPTS_MAX
