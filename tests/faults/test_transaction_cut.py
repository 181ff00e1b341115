"""A transaction of 50 entries is cut off at every point where it waits: all of it is there, or nothing, the log included.

DESIGN law 5. The request is cancelled at its n-th turn of the event loop, for every n until it is through; what was on its way
to the database is left to end by itself, as when a process is killed after the commit was sent.
"""

import asyncio
import contextlib
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from hub.store.embedded import Endpoint
from tests.spec.api.test_transaction import bundle, entry
from tests.support.backstage import new_client
from tests.support.inprocess import in_process
from tests.support.resources import organization

ENTRIES = 50
TURNS_MAX = 2_000
STRIDE = 3
"""Turns from one cut to the next: neighbouring turns wait for the same thing."""


async def cut(request: Any, turns: int) -> bool:
    """Cancel the request after so many turns. Was it through before?"""
    task = asyncio.ensure_future(request)
    for _ in range(turns):
        if task.done():
            return True
        await asyncio.sleep(0)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    return False


@pytest.mark.fault
async def test_a_transaction_that_is_cut_off_is_there_whole_or_not_at_all(
    tmp_path: Path, clean_database: Endpoint, admin: MongoClient[dict[str, Any]]
) -> None:
    async with in_process(tmp_path, clean_database) as hub:
        account = await hub.register(new_client("cut", "system/*.cruds"))
        headers = dict(hub.authorization(account, "system/*.cruds"))
        seen = {0: 0, ENTRIES: 0}
        for turns in range(1, TURNS_MAX, STRIDE):
            before = admin["hub"]["resources"].count_documents({})
            logged = admin["hub_audit"]["records"].count_documents({})
            entries = [entry("POST", "Organization", organization(f"{turns}-{number}")) for number in range(ENTRIES)]
            through = await cut(
                hub.http.post("/fhir", json=bundle(*entries), headers={**headers, "Content-Type": "application/fhir+json"}), turns
            )
            await hub.hub.services.store.committer.drain()
            made = admin["hub"]["resources"].count_documents({}) - before
            assert made in (0, ENTRIES), f"{made} of {ENTRIES} after {turns} turns"
            records = admin["hub_audit"]["records"].count_documents({}) - logged
            assert bool(made) is (records >= 2), f"{made} resources and {records} records after {turns} turns"
            seen[made] += 1
            if through:
                break
        else:
            raise AssertionError("the transaction never ended")
        assert all(seen.values()), "cuts before the commit and after it"
