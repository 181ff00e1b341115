"""Floors: the same work for the same mongod with nothing around it. They run where the load runs (`bench.machine.aside`).

What has to be durable is written with majority and journal, as the hub writes it.
"""

import asyncio
import os
import random
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryFile
from time import perf_counter, process_time
from typing import Any

import uvloop
from pymongo import AsyncMongoClient
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from bench.load import Measured
from hub.store.schema import INDEXES

Document = dict[str, Any]
Collection = AsyncCollection[Document]

SCRATCH = "bench_floor"
PAGE = bytes(4_096)
DURABLE = WriteConcern(w="majority", j=True)


def insert_many(url: str, batches: Sequence[Sequence[Document]], senders: int, *, indexes: bool) -> Measured:
    """Each batch with one insert_many, `senders` at once, into an empty collection. One latency per batch."""

    async def act(collection: Collection) -> Measured:
        if indexes:
            await _index(collection)
        waiting = iter(batches)

        async def one() -> bool:
            batch = next(waiting, None)
            if batch is None:
                return False
            await collection.insert_many(batch, ordered=True)
            return True

        return await _timed(one, senders)

    return _run(url, act)


def insert_one(url: str, documents: Sequence[Document], clients: int, seconds: float) -> Measured:
    """One document after the other, each durable before the next of its client."""

    async def act(collection: Collection) -> Measured:
        await _index(collection)

        async def one() -> bool:
            await collection.insert_one({**random.choice(documents), "_id": f"Observation/{secrets.token_hex(11)}"})
            return True

        return await _timed(one, clients, seconds)

    return _run(url, act)


def fsync(directory: Path, seconds: float) -> Measured:
    """A page written and flushed, again and again, by one writer in this directory: what nothing durable can be faster than alone."""
    latencies_s: list[float] = []
    began, cpu = perf_counter(), process_time()
    with TemporaryFile(dir=directory) as file:
        while (before := perf_counter()) < began + seconds:
            file.seek(0)
            file.write(PAGE)
            file.flush()
            os.fsync(file.fileno())
            latencies_s.append(perf_counter() - before)
    return Measured(seconds=perf_counter() - began, cpu_s=process_time() - cpu, latencies_s=latencies_s, statuses={})


def find_one(url: str, ids: Sequence[str], clients: int, seconds: float) -> Measured:
    """By `_id`, at random."""

    async def act(collection: Collection) -> Measured:
        resources = collection.database.get_collection("resources", read_concern=ReadConcern("majority"))

        async def one() -> bool:
            found = await resources.find_one({"_id": random.choice(ids)})
            assert found is not None
            return True

        return await _timed(one, clients, seconds)

    return _run(url, act)


def find(url: str, wanted: Sequence[Mapping[str, Any]], sort: Sequence[tuple[str, int]], limit: int, count: int) -> Measured:
    """These filters one after the other, `count` times in all, by one client. Raises AssertionError if one finds nothing."""

    async def act(collection: Collection) -> Measured:
        resources = collection.database.get_collection("resources", read_concern=ReadConcern("majority"))
        turns = iter(range(count))

        async def one() -> bool:
            number = next(turns, None)
            if number is None:
                return False
            found = await resources.find(wanted[number % len(wanted)]).sort(list(sort)).limit(limit).to_list()
            assert found
            return True

        return await _timed(one, 1)

    return _run(url, act)


def finding(
    url: str, wanted: Sequence[Mapping[str, Any]], sort: Sequence[tuple[str, int]], limit: int, clients: int, seconds: float
) -> Measured:
    """These filters at random, from so many clients."""

    async def act(collection: Collection) -> Measured:
        resources = collection.database.get_collection("resources", read_concern=ReadConcern("majority"))

        async def one() -> bool:
            found = await resources.find(random.choice(wanted)).sort(list(sort)).limit(limit).to_list()
            assert found
            return True

        return await _timed(one, clients, seconds)

    return _run(url, act)


def patients(url: str, wanted: Sequence[Mapping[str, Any]], clients: int, seconds: float) -> Measured:
    """To whom the rows belong for which these filters hold, from so many clients."""

    async def act(collection: Collection) -> Measured:
        resources = collection.database.get_collection("resources", read_concern=ReadConcern("majority"))

        async def one() -> bool:
            stages: list[Mapping[str, Any]] = [{"$match": random.choice(wanted)}, {"$group": {"_id": "$p"}}]
            found = await (await resources.aggregate(stages)).to_list()
            assert found
            return True

        return await _timed(one, clients, seconds)

    return _run(url, act)


def _run(url: str, act: Callable[[Collection], Awaitable[Measured]]) -> Measured:
    async def scratched() -> Measured:
        async with AsyncMongoClient[Document](url) as client:
            collection = client["hub"].get_collection(SCRATCH, write_concern=DURABLE)
            await collection.drop()
            try:
                return await act(collection)
            finally:
                await collection.drop()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(scratched())


async def _index(collection: Collection) -> None:
    """The indexes of `resources`."""
    for index in INDEXES:
        if index.collection == "resources":
            await collection.create_index(list(index.keys), **index.options())


async def _timed(one: Callable[[], Awaitable[bool]], clients: int, seconds: float = float("inf")) -> Measured:
    """`one` again and again by each client, until it says False or the time is up."""
    latencies_s: list[float] = []
    began, cpu = perf_counter(), process_time()
    ends = began + seconds

    async def client() -> None:
        while (before := perf_counter()) < ends and await one():
            latencies_s.append(perf_counter() - before)

    await asyncio.gather(*(client() for _ in range(clients)))
    return Measured(seconds=perf_counter() - began, cpu_s=process_time() - cpu, latencies_s=latencies_s, statuses={})
