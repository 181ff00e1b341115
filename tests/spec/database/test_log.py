"""The server's own log tells what happened to the server, never what was looked for or stored (law 4)."""

import json
import time
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.errors import DuplicateKeyError, ExecutionTimeout

from hub.store.embedded import Endpoint
from hub.store.embedded.minder import kept

CANARY = "Zzyqxcanary"
SLOW_MS = 100
"""What a server calls slow unless it is told otherwise."""


def _spinning(rounds: int) -> dict[str, Any]:
    """An expression that keeps the server busy for each row."""
    loop = {"input": {"$range": [0, rounds]}, "initialValue": "$n", "in": {"$add": ["$$value", 1]}}
    return {"$expr": {"$gt": [{"$reduce": loop}, 0]}}


def _log_has_canary(endpoint: Endpoint) -> bool:
    assert endpoint.embedded is not None
    return CANARY in endpoint.embedded.log.read_text()


def test_a_slow_query_leaves_no_value_in_the_log(clean_database: Endpoint) -> None:
    """Law 4: in logs, nothing that identifies a person. A server of default settings would log this query whole."""
    with MongoClient[dict[str, Any]](clean_database.url) as hub:
        hub.hub.resources.insert_many([{"n": n, "name": CANARY} for n in range(1, 11)])
        began = time.monotonic()
        assert len(list(hub.hub.resources.find({"name": CANARY, **_spinning(500_000)}))) == 10
        assert (time.monotonic() - began) * 1_000 > SLOW_MS
        assert not _log_has_canary(clean_database)


def test_a_query_that_was_cut_off_leaves_no_value_in_the_log(clean_database: Endpoint) -> None:
    """The server writes a failed query as a warning, with its filter; the minder keeps the warning and drops the filter."""
    with MongoClient[dict[str, Any]](clean_database.url) as hub:
        hub.hub.resources.insert_many([{"n": n, "name": CANARY} for n in range(100)])
        with pytest.raises(ExecutionTimeout):
            list(hub.hub.resources.find({"name": CANARY, **_spinning(100_000)}, max_time_ms=50))
    _eventually_logged(clean_database, "Plan executor error")
    assert not _log_has_canary(clean_database)


def test_a_refused_write_leaves_no_value_in_the_log(clean_database: Endpoint) -> None:
    """The text of a duplicate key error carries the key; it goes to the caller and nowhere else."""
    with MongoClient[dict[str, Any]](clean_database.url) as hub:
        hub.hub.claims.insert_one({"_id": CANARY})
        with pytest.raises(DuplicateKeyError):
            hub.hub.claims.insert_one({"_id": CANARY})
    assert not _log_has_canary(clean_database)


def test_no_profile_is_kept(admin: MongoClient[dict[str, Any]]) -> None:
    """The profiler would write queries into a collection of their own."""
    for database in ("hub", "hub_keys", "hub_audit"):
        assert admin[database].command("profile", -1)["was"] == 0


def test_no_password_lies_in_the_log(mongod: Endpoint) -> None:
    """Passwords never in argv or logs."""
    assert mongod.embedded is not None
    assert mongod.admin_url is not None
    log = mongod.embedded.log.read_text()
    assert log
    for url in (mongod.url, mongod.admin_url):
        assert url.split(":")[2].split("@")[0] not in log


@pytest.mark.parametrize(
    ("entry", "stays"),
    [
        ({"s": "W", "c": "QUERY", "msg": "failed", "attr": {"cmd": CANARY}}, {"s": "W", "c": "QUERY", "msg": "failed"}),
        (
            {"s": "E", "c": "STORAGE", "msg": "no space", "attr": {"path": "/x"}},
            {"s": "E", "c": "STORAGE", "msg": "no space", "attr": {"path": "/x"}},
        ),
        ({"s": "F", "c": "-", "msg": "broken", "attr": {"document": CANARY}}, {"s": "F", "c": "-", "msg": "broken"}),
        (
            {"s": "I", "c": "CONTROL", "msg": "starting", "attr": {"port": 1}},
            {"s": "I", "c": "CONTROL", "msg": "starting", "attr": {"port": 1}},
        ),
        ({"s": "I", "c": "COMMAND", "msg": "Slow query", "attr": {"command": CANARY}}, None),
        ({"s": "D1", "c": "QUERY", "msg": "trying", "attr": {"command": CANARY}}, {"s": "D1", "c": "QUERY", "msg": "trying"}),
        ({"s": "W", "c": "A NEW ONE", "msg": "odd", "attr": {"x": CANARY}}, {"s": "W", "c": "A NEW ONE", "msg": "odd"}),
    ],
)
def test_a_line_keeps_what_happened_and_drops_with_which_values(entry: dict[str, Any], stays: dict[str, Any] | None) -> None:
    """Silence means no: attributes stay for the components that are known to carry none of ours, and for no other."""
    line = kept(json.dumps(entry).encode())
    assert (json.loads(line) if line else None) == stays


def test_what_the_loader_says_before_logging_begins_is_kept() -> None:
    """A missing library is told on stderr; without it nobody could say why mongod did not start."""
    assert kept(b"mongod: error while loading shared libraries\n") == b"mongod: error while loading shared libraries\n"


def _eventually_logged(endpoint: Endpoint, words: str) -> None:
    """The minder writes the log a moment after the server answered."""
    assert endpoint.embedded is not None
    deadline = time.monotonic() + 120
    while words not in endpoint.embedded.log.read_text():
        assert time.monotonic() < deadline, f"{words!r} was never logged"
