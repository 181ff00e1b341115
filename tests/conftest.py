"""A real MongoDB for tests.

    mongod          one embedded server for each pytest process, with the collections and indexes the hub makes at start
    clean_database  the same with every collection empty: ask for this one if the test writes
    admin           a client that may do everything, to look at or to damage what the hub's own user may not

The names of the databases are fixed (hub, hub_keys, hub_audit), so tests of one process share them one after the other.
Clients are the test's own: `async with AsyncMongoClient(mongod.url) as client`. Fixtures of a running hub are in
tests/support/fixtures.py.
"""

import asyncio
import gc
import tempfile
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from pymongo import AsyncMongoClient, MongoClient

from hub.store.embedded import Endpoint, sharing
from hub.store.schema import ensure_indexes
from tests.support.order import in_order

pytest_plugins = ("tests.support.browser", "tests.support.fixtures")

# A busy machine is no failure: neither an example that takes long nor some that are long in the making.
settings.register_profile("hub", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("hub")

DATABASES = ("hub", "hub_keys", "hub_audit")
STARTS_A_MONGOD = {"mongod", "mongodb_url", "standalone", "running"}
"""Fixtures: a test that asks for one of them is marked `database`, and `make check` goes without it."""


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is collected stays for good: looking through it for cycles, again and again, was a fifth of collecting it."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if STARTS_A_MONGOD.intersection(getattr(item, "fixturenames", ())):
            item.add_marker("database")
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")
    items[:] = in_order(items)  # after pytest-randomly, which goes first


@pytest.fixture(scope="session")
def mongod() -> Iterator[Endpoint]:
    with tempfile.TemporaryDirectory(prefix="hub-tests-") as directory, sharing(Path(directory), cache_gb=0.25) as endpoint:
        with ThreadPoolExecutor(1) as thread:  # away from the event loop of pytest-asyncio
            thread.submit(asyncio.run, _make_schema(endpoint)).result()
        yield endpoint


@pytest.fixture(scope="session")
def admin(mongod: Endpoint) -> Iterator[MongoClient[dict[str, Any]]]:
    with MongoClient[dict[str, Any]](mongod.admin_url) as client:
        yield client


@pytest.fixture
def clean_database(mongod: Endpoint, admin: MongoClient[dict[str, Any]]) -> Endpoint:
    for database in DATABASES:
        for name in admin[database].list_collection_names():
            if admin[database][name].find_one({}, {"_id": 1}):
                admin[database][name].delete_many({})
    return mongod


async def _make_schema(endpoint: Endpoint) -> None:
    async with AsyncMongoClient(endpoint.url) as client, AsyncMongoClient(endpoint.admin_url) as admin:
        await ensure_indexes(client, admin)
