"""Somebody who may write into the database changes the log or what it tells of: `hub audit verify` says so, and where.

DESIGN section 6 (the log), SECURITY 3.4; issue: one changed, removed or moved audit record, a cut-off tail, an older
version of a resource put back. Each test damages one thing as the database's administrator, and mends it afterwards.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from audit.chain import digest
from audit.record import Record, from_document, to_document
from hub.store.documents import history_id
from hub.store.embedded import Endpoint, sharing
from tests.support.backstage import Account, Backstage, new_client
from tests.support.caller import Caller, http_client
from tests.support.inprocess import in_process
from tests.support.process import HubProcess, invoke
from tests.support.resources import observation, organization, patient

pytestmark = pytest.mark.fault

Json = dict[str, Any]
OBSERVATIONS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A hub's data directory after an ordinary day, with nobody serving it."""

    data_dir: Path
    endpoint: Endpoint
    admin: MongoClient[Json]
    account: Account
    observations: Sequence[str]

    @property
    def records(self) -> Any:
        return self.admin["hub_audit"]["records"]

    @property
    def resources(self) -> Any:
        return self.admin["hub"]["resources"]

    def verify(self) -> tuple[int, list[Json]]:
        """Exit code and findings of the command."""
        done = invoke("audit", "verify", "--json", "--data-dir", str(self.data_dir))
        return done.code, done.json()["findings"]

    def chain(self) -> list[Json]:
        """The longest chain: that of the process that served."""
        longest = self.records.aggregate([{"$group": {"_id": "$w", "n": {"$sum": 1}}}, {"$sort": {"n": -1}}, {"$limit": 1}]).next()
        return list(self.records.find({"w": longest["_id"]}).sort("s", 1))

    @contextmanager
    def mended(self, collection: Any) -> Iterator[None]:
        """Put everything back as it was, but for what was added by verifications."""
        before = {one["_id"]: one for one in collection.find({})}
        try:
            yield
        finally:
            after = {one["_id"]: one for one in collection.find({"_id": {"$in": list(before)}})}
            wrong = [id for id, one in before.items() if after.get(id) != one]
            collection.delete_many({"_id": {"$in": wrong}})
            collection.delete_many({"_id": {"$regex": "forged"}})
            if wrong:
                collection.insert_many([before[id] for id in wrong])


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    process = HubProcess(tmp_path_factory.mktemp("tampering") / "data").start()
    try:
        with Backstage(process.data_dir, process.url) as backstage, http_client(process.url) as http:
            account = backstage.register(new_client("ehr", "system/*.cruds", consent_default="opt-out", recorder=True))
            ehr = Caller(http, account)
            person = ehr.create(patient())
            made = [ehr.create(observation(person["id"], value=60 + n)) for n in range(OBSERVATIONS)]
            ehr.update(made[0], status="amended")
            ehr.create(organization())
            ehr.get(f"Observation?patient={person['id']}")
    finally:
        assert process.stop() == 0
    with sharing(process.data_dir, cache_gb=0.25) as endpoint, MongoClient[Json](endpoint.admin_url) as admin:
        rows = [f"Observation/{one['id']}" for one in made]
        yield Scene(data_dir=process.data_dir, endpoint=endpoint, admin=admin, account=account, observations=rows)


def codes(findings: list[Json]) -> set[str]:
    return {one["code"] for one in findings}


def test_an_untouched_log_verifies_again_and_again(scene: Scene) -> None:
    """Exit code 0, also after verifications, which write into the log themselves."""
    for _ in range(2):
        assert scene.verify() == (0, [])


def other(value: Any) -> Any:
    """The same type, another value."""
    match value:
        case bytes():
            return bytes([value[0] ^ 1]) + value[1:]
        case int():
            return value + 1
        case str():
            return value[:-1] + ("a" if value[-1] != "a" else "b")
        case list() if value and isinstance(value[0], list):
            return [[value[0][0], value[0][1] + 1, value[0][2]], *value[1:]]
        case list():
            return [other(value[0]), *value[1:]]
    raise TypeError(type(value).__name__)


@pytest.mark.parametrize("field", ["t", "p", "k", "r", "c", "ki", "kv", "d", "e", "ph", "h"])
def test_one_changed_field_of_a_record_is_found(scene: Scene, field: str) -> None:
    """Every field is covered by the hash: time, patient, tokens, request, ciphertext, key, dictionary, writes, chain."""
    chain = scene.chain()
    chosen = next(one for one in chain[2:-2] if field in one)
    with scene.mended(scene.records):
        scene.records.update_one({"_id": chosen["_id"]}, {"$set": {field: other(chosen[field])}})
        code, findings = scene.verify()
    assert code == 1
    assert ("record-changed", chosen["_id"], chosen["s"]) in {(one["code"], one["what"], one["sequence"]) for one in findings}
    assert chosen["w"].hex() in {one["writer"] for one in findings}


@pytest.mark.parametrize("field", ["t", "k", "r", "c", "h", "w", "s"])
def test_one_field_taken_away_is_found(scene: Scene, field: str) -> None:
    chosen = scene.chain()[3]
    with scene.mended(scene.records):
        scene.records.update_one({"_id": chosen["_id"]}, {"$unset": {field: ""}})
        code, findings = scene.verify()
    assert code == 1
    assert chosen["_id"] in {one["what"] for one in findings if one["code"] == "record-unreadable"}


def test_one_removed_record_is_found(scene: Scene) -> None:
    chosen = scene.chain()[4]
    with scene.mended(scene.records):
        scene.records.delete_one({"_id": chosen["_id"]})
        code, findings = scene.verify()
    assert code == 1
    assert ("record-removed", chosen["w"].hex(), chosen["s"]) in {(one["code"], one["writer"], one["sequence"]) for one in findings}


def test_two_records_that_changed_places_are_found(scene: Scene) -> None:
    one, two = scene.chain()[3], scene.chain()[6]
    with scene.mended(scene.records):
        scene.records.update_one({"_id": one["_id"]}, {"$set": {"s": 1_000_000}})
        scene.records.update_one({"_id": two["_id"]}, {"$set": {"s": one["s"]}})
        scene.records.update_one({"_id": one["_id"]}, {"$set": {"s": two["s"]}})
        code, findings = scene.verify()
    assert code == 1
    assert {found["what"] for found in findings if found["code"] == "record-moved"} == {one["_id"], two["_id"]}


def test_a_record_moved_to_another_chain_is_found(scene: Scene) -> None:
    chosen = scene.chain()[5]
    elsewhere = scene.records.find_one({"w": {"$ne": chosen["w"]}})
    with scene.mended(scene.records):
        scene.records.update_one({"_id": chosen["_id"]}, {"$set": {"w": elsewhere["w"], "s": 9_999}})
        code, findings = scene.verify()
    assert code == 1
    assert chosen["_id"] in {found["what"] for found in findings if found["code"] in ("record-moved", "record-changed")}


def test_a_tail_that_was_cut_off_is_found(scene: Scene) -> None:
    """The head was signed outside the database: the chain is shorter than it says."""
    tail = scene.chain()[-3:]
    with scene.mended(scene.records):
        scene.records.delete_many({"_id": {"$in": [one["_id"] for one in tail]}})
        code, findings = scene.verify()
    assert code == 1
    assert ("chain-cut-off", tail[0]["s"]) in {(one["code"], one["sequence"]) for one in findings}


def test_a_chain_that_was_taken_away_is_found(scene: Scene) -> None:
    chain = scene.chain()
    with scene.mended(scene.records):
        scene.records.delete_many({"w": chain[0]["w"]})
        code, findings = scene.verify()
    assert code == 1
    assert ("chain-missing", chain[0]["w"].hex()) in {(one["code"], one["writer"]) for one in findings}


@contextmanager
def head_of(scene: Scene, writer: bytes) -> Iterator[Path]:
    """The file of a signed head; as it was, afterwards."""
    path = scene.data_dir / "audit-heads" / f"{writer.hex()}.head"
    content = path.read_bytes()
    try:
        yield path
    finally:
        path.write_bytes(content)


def test_a_chain_that_was_taken_away_with_its_head_is_missed_by_the_chains_after_it(scene: Scene) -> None:
    """A chain begins with a hash over the heads that were there: a later one testifies to the earlier ones."""
    assert scene.verify() == (0, [])
    writer = scene.chain()[0]["w"]
    with scene.mended(scene.records), head_of(scene, writer) as head:
        scene.records.delete_many({"w": writer})
        head.unlink()
        code, findings = scene.verify()
    assert code == 1
    assert ("chain-missing", writer.hex()) in {(one["code"], one["writer"]) for one in findings}


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        (lambda text: text.replace(b"head ", b"head x", 1), "head-signature"),
        (lambda text: text[:20], "head-unreadable"),
        (lambda _: b"", "head-unreadable"),
        (None, "chain-unsigned"),
    ],
    ids=["changed", "cut off", "emptied", "removed"],
)
def test_a_damaged_head_is_found(scene: Scene, damage: Callable[[bytes], bytes] | None, expected: str) -> None:
    writer = scene.chain()[0]["w"]
    with head_of(scene, writer) as head:
        if damage is None:
            head.unlink()
        else:
            head.write_bytes(damage(head.read_bytes()))
        code, findings = scene.verify()
    assert code == 1
    assert expected in codes(findings)
    assert writer.hex() in {one["writer"] for one in findings}


def rehashed(record: Record, previous: bytes) -> Record:
    return Record(record.draft, record.writer, record.sequence, previous, digest(record.draft, record.writer, record.sequence, previous))


def changed(document: Json) -> Record:
    return from_document({**document, "t": document["t"] + 1_000_000})


def test_a_record_that_was_changed_with_its_hash_is_found(scene: Scene) -> None:
    """Whoever knows how the hash is made can make it fit, but not the one that follows."""
    chosen = scene.chain()[4]
    forged = rehashed(changed(chosen), chosen["ph"])
    with scene.mended(scene.records):
        scene.records.replace_one({"_id": chosen["_id"]}, to_document(forged))
        code, findings = scene.verify()
    assert code == 1
    assert ("record-replaced", chosen["s"]) in {(one["code"], one["sequence"]) for one in findings}


def test_a_chain_that_was_written_anew_is_found(scene: Scene) -> None:
    """All hashes from there on made to fit: then the last one is not the one that was signed."""
    chain = scene.chain()
    with scene.mended(scene.records):
        previous = chain[4]["ph"]
        for document in chain[4:]:
            record = rehashed(changed(document) if document is chain[4] else from_document(document), previous)
            scene.records.replace_one({"_id": document["_id"]}, to_document(record))
            previous = record.hash
        code, findings = scene.verify()
    assert code == 1
    assert ("chain-rewritten", chain[-1]["s"]) in {(one["code"], one["sequence"]) for one in findings}


def test_an_older_version_put_back_is_found(scene: Scene) -> None:
    """Sealed under its own version it opens well; the log knows that it is not the last one."""
    row = scene.observations[0]
    old = scene.admin["hub"]["history"].find_one({"_id": history_id(row, 1)})
    with scene.mended(scene.resources):
        scene.resources.replace_one({"_id": row}, {**old, "_id": row})
        code, findings = scene.verify()
    assert code == 1
    assert ("resource-older", row) in {(one["code"], one["what"]) for one in findings}


def test_an_older_version_put_back_as_the_current_one_is_found(scene: Scene) -> None:
    row = scene.observations[0]
    old = scene.admin["hub"]["history"].find_one({"_id": history_id(row, 1)})
    with scene.mended(scene.resources):
        scene.resources.replace_one({"_id": row}, {**old, "_id": row, "v": 2})
        code, findings = scene.verify()
    assert code == 1
    assert ("resource-changed", row) in {(one["code"], one["what"]) for one in findings}


def test_a_deleted_resource_is_found(scene: Scene) -> None:
    row = scene.observations[1]
    with scene.mended(scene.resources):
        scene.resources.delete_one({"_id": row})
        code, findings = scene.verify()
    assert code == 1
    assert [(one["code"], one["what"]) for one in findings] == [("resource-missing", row)]


def test_a_resource_that_no_record_tells_of_is_found(scene: Scene) -> None:
    copy = scene.resources.find_one({"_id": scene.observations[1]})
    with scene.mended(scene.resources):
        scene.resources.insert_one({**copy, "_id": "Observation/forged"})
        code, findings = scene.verify()
    assert code == 1
    assert [(one["code"], one["what"]) for one in findings] == [("resource-unaudited", "Observation/forged")]


def swap(scene: Scene) -> tuple[str, str]:
    """The ciphertexts of two readings of one patient, same version."""
    one, two = scene.observations[1], scene.observations[2]
    texts = {row: scene.resources.find_one({"_id": row})["c"] for row in (one, two)}
    scene.resources.update_one({"_id": one}, {"$set": {"c": texts[two]}})
    scene.resources.update_one({"_id": two}, {"$set": {"c": texts[one]}})
    return one, two


def test_swapped_ciphertexts_are_found(scene: Scene) -> None:
    with scene.mended(scene.resources):
        rows = swap(scene)
        code, findings = scene.verify()
    assert code == 1
    assert {(one["code"], one["what"]) for one in findings} == {("resource-changed", row) for row in rows}


async def test_swapped_ciphertexts_are_not_shown(scene: Scene) -> None:
    """SECURITY 4.4: bound to type, id, version, patient and key: nothing can be swapped or moved and still be opened."""
    with scene.mended(scene.resources):
        rows = swap(scene)
        async with in_process(scene.data_dir, scene.endpoint) as hub:
            headers = hub.authorization(scene.account, "system/*.cruds")
            for row in rows:
                answer = await hub.http.get(f"/fhir/{row}", headers=headers)
                assert answer.status_code == 500
                assert "valueQuantity" not in answer.text
            kept = await hub.http.get(f"/fhir/{scene.observations[3]}", headers=headers)
            assert kept.status_code == 200


def test_several_damages_are_all_named(scene: Scene) -> None:
    chain = scene.chain()
    with scene.mended(scene.records), scene.mended(scene.resources):
        scene.records.delete_one({"_id": chain[3]["_id"]})
        scene.records.update_one({"_id": chain[7]["_id"]}, {"$set": {"r": "forged"}})
        scene.resources.delete_one({"_id": scene.observations[4]})
        code, findings = scene.verify()
    assert code == 1
    assert codes(findings) >= {"record-removed", "record-changed", "resource-missing"}
    assert scene.verify() == (0, [])


def test_findings_are_said_in_words_too(scene: Scene) -> None:
    row = scene.observations[1]
    with scene.mended(scene.resources):
        scene.resources.delete_one({"_id": row})
        done = invoke("audit", "verify", "--data-dir", str(scene.data_dir))
    assert done.code == 1
    assert f"resource-missing: {row}" in done.out
