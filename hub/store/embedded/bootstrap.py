"""What a mongod needs before the hub can use it: to be primary of its replica set, and two users. Done at each start.

The key file is the credential of the server itself (user `__system`), so no moment exists in which anybody else on this
machine could make the first user: the localhost exception stays closed.
https://www.mongodb.com/docs/v6.0/core/security-internal-authentication/
"""

import hashlib
import time
from typing import Any

from pymongo import MongoClient
from pymongo.errors import OperationFailure

from hub.store.embedded.errors import NoDatabase
from hub.store.embedded.files import Credentials
from hub.store.embedded.process import LOOPBACK, REPLICA_SET

ADMIN_USER = "hub_admin"
HUB_USER = "hub"
HUB_ROLE = "hub_application"

HUB_ROLE_ROLES = ({"role": "readWrite", "db": "hub"}, {"role": "readWrite", "db": "hub_keys"})
HUB_ROLE_PRIVILEGES = (
    {
        "resource": {"db": "hub_audit", "collection": ""},
        # No update, remove or drop: what is in the log stays. No createIndex or collMod either, for an index that
        # expires documents is a way to remove them.
        "actions": ["collStats", "find", "insert", "listCollections", "listIndexes"],
    },
)
"""DESIGN 5: the hub's user may read and write `hub`, and only insert and find in `hub_audit`."""

WIRE_VERSION_MIN = 13
"""MongoDB 5.0, the first with snapshot reads outside transactions."""
ANSWER_TIMEOUT_MS = 2_000
PRIMARY_TIMEOUT_S = 30
POLL_S = 0.005

Client = MongoClient[dict[str, Any]]


def url(user: str, password: str, port: int) -> str:
    """What to connect with. The passwords are made of URL-safe characters."""
    return f"mongodb://{user}:{password}@{LOOPBACK}:{port}/?authSource=admin&directConnection=true"


def bootstrap(port: int, key: str, credentials: Credentials) -> None:
    """Idempotent; quick when there is nothing to do. Raises NoDatabase or PyMongoError."""
    with _system_client(port, key) as client:
        _require_version(client)
        _join_replica_set(client, port)
        _await_primary(client)
        _ensure_users(client, credentials)


def _system_client(port: int, key: str) -> Client:
    return MongoClient(
        LOOPBACK,
        port,
        directConnection=True,
        username="__system",
        password=key,
        authSource="local",
        authMechanism="SCRAM-SHA-256",
        serverSelectionTimeoutMS=ANSWER_TIMEOUT_MS,
        connectTimeoutMS=ANSWER_TIMEOUT_MS,
    )


def _require_version(client: Client) -> None:
    hello = client.admin.command("hello")
    if hello["maxWireVersion"] < WIRE_VERSION_MIN:
        raise NoDatabase("the mongod on PATH is too old: MongoDB 5.0 or later is needed")


def _join_replica_set(client: Client, port: int) -> None:
    """Make the replica set, or tell it its new port when the old one was taken."""
    host = f"{LOOPBACK}:{port}"
    known = client.local["system.replset"].find_one()
    if known is None:
        client.admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": [{"_id": 0, "host": host}]})
    elif known["members"][0]["host"] != host:
        known["members"][0]["host"] = host
        known["version"] += 1
        client.admin.command("replSetReconfig", known, force=True)


def _await_primary(client: Client) -> None:
    deadline = time.monotonic() + PRIMARY_TIMEOUT_S
    while not client.admin.command("hello")["isWritablePrimary"]:
        if time.monotonic() > deadline:
            raise NoDatabase(f"mongod did not become writable within {PRIMARY_TIMEOUT_S} s; its log says why")
        time.sleep(POLL_S)


def _ensure_users(client: Client, credentials: Credentials) -> None:
    """Both users carry a mark of the credentials and the role they were made from; nothing is done while it fits."""
    mark = hashlib.sha256(repr((credentials.mark, HUB_ROLE_ROLES, HUB_ROLE_PRIVILEGES)).encode()).hexdigest()
    known = client.admin.command("usersInfo", [ADMIN_USER, HUB_USER])["users"]
    if [one.get("customData", {}).get("mark") for one in known] == [mark, mark]:
        return
    _make(client, "Role", HUB_ROLE, roles=list(HUB_ROLE_ROLES), privileges=list(HUB_ROLE_PRIVILEGES))
    custom = {"mark": mark}
    _make(client, "User", HUB_USER, pwd=credentials.hub, roles=[HUB_ROLE], customData=custom)
    _make(client, "User", ADMIN_USER, pwd=credentials.admin, roles=["root"], customData=custom)


def _make(client: Client, kind: str, name: str, **what: Any) -> None:
    """Create or update. 51002 role, 51003 user: exists already."""
    try:
        client.admin.command(f"create{kind}", name, **what)
    except OperationFailure as error:
        if error.code not in {51002, 51003}:
            raise
        client.admin.command(f"update{kind}", name, **what)
