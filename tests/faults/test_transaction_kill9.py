"""kill -9 of the hub, and of mongod, at random instants during transactions of 50 entries over HTTP: whole or not at all, once.

DESIGN laws 2 and 5. The instants come from a seed. Every transaction is sent again until it is answered, as a gateway does that is not
sure (HL7 PHD): all that is new is on a condition, so in the end there is exactly one of each, with one record for each version.
"""

import itertools
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from hub.store.documents import history_id
from tests.spec.api.test_transaction import bundle, entry
from tests.support.backstage import Account, Backstage, new_client
from tests.support.caller import Caller, http_client
from tests.support.fifty import CREATED, DELETED, UPDATED, everything_new, fifty
from tests.support.outcomes import issues
from tests.support.process import HubProcess
from tests.support.resources import organization

pytestmark = pytest.mark.fault

SEED = 50
KILLS = int(os.environ.get("HUB_KILLS", "2"))
"""Of each kind; docs/faults.md says what a long run gave."""
CLIENTS, TARGETS = 4, 100
LOAD_S = (0.02, 0.6)
"""The kill comes at a random instant of this time under load."""
HANG_S = 900
"""Everything is waited for until it holds; only what never ends takes so long, even on a busy machine."""
AGAIN_S = 0.1
LATER = {"transient", "lock-error"}

Json = dict[str, Any]


@dataclass(slots=True)
class Scene:
    """What was sent, by key, and what of it was acknowledged."""

    process: HubProcess
    account: Account
    targets: Iterator[list[Json]]
    sent: dict[str, Json] = field(default_factory=dict)
    acknowledged: set[str] = field(default_factory=set)
    codes: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def caller(self) -> Iterator[Caller]:
        with http_client(self.process.url) as http:
            http.timeout = httpx.Timeout(HANG_S)
            yield Caller(http, self.account)

    @contextmanager
    def load(self) -> Iterator[threading.Event]:
        """Clients that send one transaction after the other, until the block ends or the hub is gone."""
        stop = threading.Event()
        with ExitStack() as stack:
            token = stack.enter_context(self.caller()).token
            threads = [threading.Thread(target=self._go_on, args=(token, stop)) for _ in range(CLIENTS)]
            for thread in threads:
                thread.start()
            try:
                yield stop
            finally:
                stop.set()
                for thread in threads:
                    thread.join(HANG_S)
                assert not any(thread.is_alive() for thread in threads)

    def _go_on(self, token: str, stop: threading.Event) -> None:
        with http_client(self.process.url) as http:
            caller = Caller(http, self.account, token=token)
            while not stop.is_set():
                if (following := self.next()) is None:
                    return
                key, body = following
                try:
                    self.note(key, caller.post("/fhir", body))
                except httpx.HTTPError:
                    if not self.process.alive:
                        return

    def next(self) -> tuple[str, Json] | None:
        """None when there is nothing more to be changed and deleted."""
        with self.lock:
            there, key = next(self.targets, None), f"k{len(self.sent)}"
            if there is None:
                return None
            self.sent[key] = fifty(key, there[:UPDATED], there[UPDATED:])
            return key, self.sent[key]

    def note(self, key: str, answer: httpx.Response) -> bool:
        """Refused can it be only for now."""
        if answer.status_code == 200:
            self.acknowledged.add(key)
            return True
        code = issues(answer)[0]["code"]
        assert (answer.status_code, code in LATER) == (503, True), answer.text
        assert int(answer.headers["retry-after"]) > 0
        with self.lock:
            self.codes[code] += 1
        return False

    def assert_whole_or_not_at_all(self, caller: Caller) -> None:
        for key in self.sent:
            total = caller.search(f"{everything_new(key)}&_summary=count")["total"]
            assert total in ((CREATED,) if key in self.acknowledged else (0, CREATED)), (key, total)

    def assert_once_when_sent_again(self, caller: Caller) -> None:
        for key, body in self.sent.items():
            deadline = time.monotonic() + HANG_S
            while not self.note(key, caller.post("/fhir", body)):
                assert time.monotonic() < deadline, self.codes
                time.sleep(AGAIN_S)  # until mongod has given up what a dead hub had begun
            assert caller.search(f"{everything_new(key)}&_summary=count")["total"] == CREATED, key
            for one in body["entry"]:
                method, url = one["request"]["method"], one["request"]["url"]
                if method != "POST":
                    answer = caller.get(url)
                    assert (answer.status_code, answer.headers["etag"]) == (200 if method == "PUT" else 410, 'W/"2"'), url

    def assert_recorded(self) -> None:
        """Each version that is stored has one record, and each record tells of a version that is stored."""
        with Backstage(self.process.data_dir, self.process.url) as backstage:
            hub, records = backstage.admin["hub"], backstage.admin["hub_audit"]["records"]
            stored = Counter(history_id(one["_id"], one["v"]) for one in hub["resources"].find({}, {"v": 1}))
            stored.update(one["_id"] for one in hub["history"].find({}, {"_id": 1}))
            told = Counter(history_id(row, version) for one in records.find({}, {"e": 1}) for row, version, _ in one.get("e", ()))
        assert told == stored
        verified = self.process.command("audit", "verify", "--json")
        assert (verified.code, verified.json()["findings"]) == (0, []), verified.err


def targets(caller: Caller) -> Iterator[list[Json]]:
    """Organizations to be changed and deleted, made many at a time."""
    number = UPDATED + DELETED
    while True:
        entries = [entry("POST", "Organization", organization()) for _ in range(number * 40)]
        answer = caller.post("/fhir", bundle(*entries), headers={"Prefer": "return=representation"})
        made = [one["resource"] for one in answer.json()["entry"]]
        yield from (made[start : start + number] for start in range(0, len(made), number))


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    process = HubProcess(tmp_path / "data").start()
    try:
        with Backstage(process.data_dir, process.url) as backstage:
            account = backstage.register(new_client("gateway", "system/*.cruds"))
        with http_client(process.url) as http:
            made = list(itertools.islice(targets(Caller(http, account)), TARGETS * KILLS))
        yield Scene(process=process, account=account, targets=iter(made))
    finally:
        if process.alive:
            process.kill_all()


def kill_hub(scene: Scene, number: int) -> None:
    """Every other time with its mongod; else mongod lives on with what was begun, and the next hub adopts it."""
    (scene.process.kill_all if number % 2 else scene.process.kill)()


def kill_mongod(scene: Scene, _: int) -> None:
    """The hub is not touched, and starts another one."""
    mongod = scene.process.mongod_pid()
    assert mongod is not None
    os.kill(mongod, signal.SIGKILL)
    deadline, answered = time.monotonic() + HANG_S, len(scene.acknowledged)
    while len(scene.acknowledged) < answered + CLIENTS or scene.process.mongod_pid() == mongod:
        assert scene.process.alive
        assert time.monotonic() < deadline, scene.codes
        time.sleep(0.02)  # until somebody has been answered again


@pytest.mark.parametrize("kill", [kill_hub, kill_mongod])
def test_killed_at_any_moment_a_transaction_is_there_whole_or_not_at_all(scene: Scene, kill: Callable[[Scene, int], None]) -> None:
    chance = random.Random(SEED)
    for number in range(KILLS):
        with scene.load():
            time.sleep(chance.uniform(*LOAD_S))  # the instant of the kill
            kill(scene, number)
        if not scene.process.alive:
            scene.process.start()
        with scene.caller() as caller:
            scene.assert_whole_or_not_at_all(caller)
    with scene.caller() as caller:
        scene.assert_once_when_sent_again(caller)
    scene.assert_recorded()
    assert set(scene.codes) <= LATER
    assert scene.process.stop() == 0
