"""DESIGN 5: the hub's one database user may read and write `hub`, and only insert and find in `hub_audit`."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.database import Database
from pymongo.errors import OperationFailure

from hub.store.embedded import Endpoint

UNAUTHORIZED = 13
Log = Database[dict[str, Any]]
RECORD = {"_id": "one", "w": b"writer", "s": 1, "t": 1}


@pytest.fixture
def hub(clean_database: Endpoint) -> Iterator[MongoClient[dict[str, Any]]]:
    with MongoClient[dict[str, Any]](clean_database.url) as client:
        yield client


CHANGES: dict[str, Callable[[Log], object]] = {
    "update": lambda log: log.records.update_one({"_id": "one"}, {"$set": {"t": 2}}),
    "replace": lambda log: log.records.replace_one({"_id": "one"}, {"t": 2}),
    "upsert": lambda log: log.records.update_one({"_id": "two"}, {"$set": {"t": 2}}, upsert=True),
    "find and modify": lambda log: log.records.find_one_and_update({"_id": "one"}, {"$set": {"t": 2}}),
    "remove": lambda log: log.records.delete_one({"_id": "one"}),
    "merge over it": lambda log: log.client.hub.claims.aggregate([{"$merge": {"into": {"db": "hub_audit", "coll": "records"}}}]),
    "out over it": lambda log: log.client.hub.claims.aggregate([{"$out": {"db": "hub_audit", "coll": "records"}}]),
    "drop": lambda log: log.command("drop", "records"),
    "drop the database": lambda log: log.command("dropDatabase"),
    "drop an index": lambda log: log.command("dropIndexes", "records", index="*"),
    "rename": lambda log: log.client.admin.command("renameCollection", "hub_audit.records", to="hub.records"),
    "cap": lambda log: log.command("convertToCapped", "records", size=4096),
    "let it expire": lambda log: log.records.create_index("t", expireAfterSeconds=1),
    "let it expire later": lambda log: log.command("collMod", "records", index={"keyPattern": {"t": 1}, "expireAfterSeconds": 1}),
    "write the oplog": lambda log: log.client.admin.command("applyOps", [{"op": "d", "ns": "hub_audit.records", "o": {"_id": "one"}}]),
    "become more": lambda log: log.client.admin.command("grantRolesToUser", "hub", roles=["root"]),
    "change the role": lambda log: log.client.admin.command("updateRole", "hub_application", roles=["root"]),
}


@pytest.mark.parametrize("change", CHANGES)
def test_the_hubs_user_cannot_change_what_is_in_the_log(hub: MongoClient[dict[str, Any]], change: str) -> None:
    """DESIGN 5: only insert and find in hub_audit. Refused by the server, whatever the hub's code does."""
    hub.hub_audit.records.insert_one(dict(RECORD))
    with pytest.raises(OperationFailure) as refused:
        CHANGES[change](hub.hub_audit)
    assert refused.value.code == UNAUTHORIZED
    assert list(hub.hub_audit.records.find()) == [RECORD]


@pytest.mark.parametrize("database", ["hub", "hub_keys"])
def test_the_hubs_user_reads_and_writes_its_own_data(hub: MongoClient[dict[str, Any]], database: str) -> None:
    """DESIGN 5: read and write in hub; wrapped keys lie in hub_keys and can be destroyed there."""
    things = hub[database].things
    things.insert_one({"_id": 1, "n": 1})
    things.update_one({"_id": 1}, {"$set": {"n": 2}})
    assert things.find_one() == {"_id": 1, "n": 2}
    things.delete_one({"_id": 1})
    assert things.find_one() is None


def test_data_and_its_audit_record_are_written_in_one_transaction(hub: MongoClient[dict[str, Any]]) -> None:
    """Law 2: a write and its record commit in one transaction, so the one user must reach both databases."""
    with hub.start_session() as session, session.start_transaction():
        hub.hub.resources.insert_one({"_id": "Patient/x"}, session=session)
        hub.hub_audit.records.insert_one(dict(RECORD), session=session)
        session.abort_transaction()
    assert hub.hub.resources.find_one() is None
    assert hub.hub_audit.records.find_one() is None


@pytest.mark.parametrize("database", ["admin", "local", "config"])
def test_the_hubs_user_sees_nothing_of_the_servers_own_databases(hub: MongoClient[dict[str, Any]], database: str) -> None:
    """Least privilege (GDPR art. 32): `local` holds the oplog, `admin` the credentials."""
    with pytest.raises(OperationFailure) as refused:
        hub[database]["oplog.rs" if database == "local" else "system.users"].find_one()
    assert refused.value.code == UNAUTHORIZED


def test_nobody_gets_in_without_a_password(mongod: Endpoint) -> None:
    """DESIGN 5: authentication is on."""
    with MongoClient[dict[str, Any]](mongod.url.split("@")[1].split("/")[0], directConnection=True) as stranger:
        for attempt in (
            lambda: stranger.hub.resources.find_one({}),
            lambda: stranger.admin.command("createUser", "stranger", pwd="x", roles=["root"]),
        ):
            with pytest.raises(OperationFailure) as refused:
                attempt()
            assert refused.value.code == UNAUTHORIZED


def test_nobody_could_have_made_the_first_user_before_us(admin: MongoClient[dict[str, Any]]) -> None:
    """The localhost exception would let any user of this machine in until the first user exists; it is closed from the start."""
    found = admin.admin.command("getParameter", 1, enableLocalhostAuthBypass=1)
    assert found["enableLocalhostAuthBypass"] is False
