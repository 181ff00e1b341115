"""The database from behind while a hub writes: what changed since one looked last, and whether the log says the same."""

import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pymongo import MongoClient

from audit.checkpoint import read_heads
from audit.finding import Finding
from audit.verify import records_of, verify
from hub.store.embedded import Endpoint
from hub.store.mongo_log import log_snapshot

SETTLED_S, POLL_S = 180, 0.01

Rows = dict[str, int]
"""Versions by row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """`rows` as they are now, where they are not as before; `recorded`: what the log says was written meanwhile, with how often."""

    rows: Rows
    recorded: Counter[tuple[str, int]]
    records: int
    history: int
    claims: int

    def is_nothing(self) -> bool:
        return not (self.rows or self.recorded or self.history or self.claims)

    def is_recorded(self) -> bool:
        """Each version that is there has exactly one record, and nothing else has one."""
        return self.recorded == Counter(self.rows.items())


class Watched:
    """Looks at a database that nobody else writes to."""

    def __init__(self, admin: MongoClient[dict[str, Any]]) -> None:
        self._hub, self._records = admin["hub"], admin["hub_audit"]["records"]
        self._look()

    def change(self) -> Change:
        """Since it was asked last."""
        rows, records, history, claims = self._rows, self._known, self._history, self._claims
        self._look()
        new = self._records.find({"_id": {"$in": list(self._known - records)}}, {"e": 1})
        return Change(
            rows={row: version for row, version in self._rows.items() if rows.get(row) != version},
            recorded=Counter((row, version) for one in new for row, version, _ in one.get("e", ())),
            records=len(self._known - records),
            history=self._history - history,
            claims=self._claims - claims,
        )

    def _look(self) -> None:
        self._rows: Rows = {one["_id"]: one["v"] for one in self._hub["resources"].find({}, {"v": 1})}
        self._known = {one["_id"] for one in self._records.find({}, {"_id": 1})}
        self._history = self._hub["history"].count_documents({})
        self._claims = self._hub["claims"].count_documents({})


def settled(admin: MongoClient[dict[str, Any]]) -> None:
    """Wait until the database does nothing more for anybody: what a dead process had sent has come to its end by then."""
    busy = {"active": True, "lsid": {"$exists": True}, "command.aggregate": {"$exists": False}}
    deadline = time.monotonic() + SETTLED_S
    while list(admin.admin.aggregate([{"$currentOp": {"allUsers": True}}, {"$match": busy}])):
        assert time.monotonic() < deadline
        time.sleep(POLL_S)


def findings(endpoint: Endpoint, heads_dir: Path, public_key: Any) -> list[Finding]:
    """What `hub audit verify` finds."""
    heads = read_heads(heads_dir, public_key)
    with log_snapshot(endpoint.url) as log:
        return list(verify(records_of(log.documents()), heads, log.current()))
