"""With HUB_MONGODB_URL no mongod is started; what answers there must be able to do transactions (DESIGN 5)."""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from hub.store.embedded import Endpoint, NoDatabase, require_usable, serving, sharing
from hub.store.embedded.binary import find_mongod
from hub.store.embedded.process import listens
from tests.support.process import free_port

PASSWORD = "not-to-be-told"
START_TIMEOUT_S = 240


@pytest.fixture
def standalone(tmp_path: Path) -> Iterator[str]:
    """A mongod without a replica set."""
    port = free_port()
    arguments = ["--dbpath", str(tmp_path), "--port", str(port), "--bind_ip", "127.0.0.1", "--nounixsocket"]
    process = subprocess.Popen([str(find_mongod()), *arguments], stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + START_TIMEOUT_S
    while not listens(port):
        assert time.monotonic() < deadline
    yield f"mongodb://127.0.0.1:{port}/"
    process.kill()
    process.wait()


@pytest.mark.parametrize("use", [serving, sharing])
def test_a_replica_set_of_the_operators_is_used_as_it_is(mongod: Endpoint, tmp_path: Path, use: Any) -> None:
    """DESIGN 5: production brings its own replica set; nothing is started and nothing is stopped."""
    with use(tmp_path, mongod.url) as endpoint, MongoClient[dict[str, Any]](endpoint.url) as client:
        assert endpoint == Endpoint(url=mongod.url, admin_url=None, managed=False)
        assert client.admin.command("ping")["ok"] == 1
    assert not (tmp_path / "mongodb").exists()
    with MongoClient[dict[str, Any]](mongod.url) as client:
        assert client.admin.command("ping")["ok"] == 1


def test_a_standalone_server_is_refused_with_the_remedy(standalone: str) -> None:
    """Data and audit record commit in one transaction (law 2), which a standalone server cannot do."""
    with pytest.raises(NoDatabase, match=r"HUB_MONGODB_URL: 127.0.0.1:\d+ is a standalone server.*rs.initiate\(\)"):
        require_usable(standalone)


def test_an_address_where_nobody_answers_is_told_without_the_password() -> None:
    """Passwords never in logs or on the terminal: the message names the address only."""
    port = free_port()
    url = f"mongodb://hub:{PASSWORD}@127.0.0.1:{port}/?replicaSet=rs0"
    with pytest.raises(NoDatabase, match=rf"127.0.0.1:{port} does not answer within 0.1 s") as told:
        require_usable(url, timeout_s=0.1)
    assert PASSWORD not in _whole_text(told.value)


def test_refused_credentials_are_told_without_the_password(mongod: Endpoint) -> None:
    """The same for a wrong password."""
    address = mongod.url.split("@")[1]
    with pytest.raises(NoDatabase, match=r"HUB_KEYS_MONGODB_URL: 127.0.0.1:\d+ refuses the credentials") as told:
        require_usable(f"mongodb://hub:{PASSWORD}@{address}", setting="HUB_KEYS_MONGODB_URL")
    assert PASSWORD not in _whole_text(told.value)


@pytest.mark.parametrize(
    "url", [f"http://hub:{PASSWORD}@host/", f"mongodb://hub:{PASSWORD}@host:notaport/", f"mongodb://hub:{PASSWORD}/@h@x"]
)
def test_a_url_that_cannot_be_read_is_told_without_the_password(url: str) -> None:
    """The driver's texts repeat parts of the URL; ours do not."""
    with pytest.raises(NoDatabase, match="HUB_MONGODB_URL cannot be read") as told:
        require_usable(url, timeout_s=0.1)
    assert PASSWORD not in _whole_text(told.value)


def _whole_text(error: BaseException) -> str:
    """The text and the texts of what a traceback would show before it."""
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return str(error) + (_whole_text(before) if before else "")
