"""Stores and clocks for the tests of encryption: in memory where the behaviour is ours, a real mongod where it is the database's."""

import gc
import shutil
import subprocess
import warnings
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from pymongo import AsyncMongoClient, MongoClient
from pymongo.asynchronous.collection import AsyncCollection

from hub.store.embedded.binary import find_mongod
from security.keys import WrappedKey
from security.kms.local import LocalKms, open_key_file
from tests.support.process import free_port


class MemoryKeys:
    """A WrappedKeyStore in memory that remembers what it was asked."""

    def __init__(self) -> None:
        self.keys: dict[bytes, WrappedKey] = {}
        self.finds: list[Sequence[bytes]] = []

    async def find(self, ids: Sequence[bytes]) -> Mapping[bytes, WrappedKey]:
        self.finds.append(ids)
        return {id: self.keys[id] for id in ids if id in self.keys}

    async def insert(self, keys: Sequence[WrappedKey]) -> Mapping[bytes, WrappedKey]:
        return {key.id: self.keys.setdefault(key.id, key) for key in keys}


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def store() -> MemoryKeys:
    return MemoryKeys()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    return tmp_path / "secrets" / "master.keys"


@pytest.fixture
def kms(key_file: Path) -> LocalKms:
    return open_key_file(key_file)


@pytest.fixture(scope="session")
def mongodb_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A mongod of this test run alone: one member of a replica set on a loopback port."""
    folder, port, mongod = tmp_path_factory.mktemp("mongod"), free_port(), str(find_mongod())
    options = ["--replSet", "keys", "--bind_ip", "127.0.0.1", "--port", str(port), "--nounixsocket", "--wiredTigerCacheSizeGB", "0.25"]
    subprocess.run([mongod, "--dbpath", folder, "--logpath", folder / "log", "--fork", *options], check=True, stdout=subprocess.DEVNULL)
    try:
        with MongoClient[dict[str, Any]]("127.0.0.1", port, directConnection=True) as client:
            client.admin.command("replSetInitiate", {"_id": "keys", "members": [{"_id": 0, "host": f"127.0.0.1:{port}"}]})
        yield f"mongodb://127.0.0.1:{port}/?replicaSet=keys"
    finally:
        subprocess.run([mongod, "--dbpath", folder, "--shutdown"], check=True, stdout=subprocess.DEVNULL)
        shutil.rmtree(folder)


@pytest.fixture
async def collection(mongodb_url: str) -> AsyncIterator[AsyncCollection[dict[str, Any]]]:
    async with AsyncMongoClient[dict[str, Any]](mongodb_url) as client:
        await client.drop_database("hub_keys")
        yield client["hub_keys"]["keys"]


@pytest.fixture
def unused_url() -> Iterator[str]:
    """An address where nobody listens."""
    yield f"mongodb://127.0.0.1:{free_port()}"
    with warnings.catch_warnings():
        # PyMongo drops the sockets of connections that failed; collected here, they are not laid at another test's door.
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()
