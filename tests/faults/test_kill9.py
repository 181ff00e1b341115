"""kill -9, at any instant: what was acknowledged is there, once, with its record; the next start needs no help.

DESIGN laws 2 and 5; issue: kill -9 of hub and of mongod during ingest, twenty times. The instants are random, from a seed.
"""

import os
import random
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.backstage import Account, Backstage, new_client
from tests.support.caller import Caller, http_client, ids, resources
from tests.support.payloads import WEIGHT, group, identifier_system, withings
from tests.support.process import ENVIRONMENT, HUB, HubProcess
from tests.support.resources import observation, patient

pytestmark = pytest.mark.fault

SEED = 9
KILLS = 10
LOAD_S = (0.05, 0.7)
"""The kill comes at a random instant of this time under load."""
DEADLINE_S = 240
WRITERS, SENDERS, READERS = 3, 2, 1
SYSTEM = "urn:kill9"
START_S = 1_750_000_000

Json = dict[str, Any]


@dataclass(slots=True)
class Acknowledged:
    """What clients were told: identifiers of created Observations, references of ingested ones, ids of answered requests."""

    created: list[str] = field(default_factory=list)
    ingested: list[str] = field(default_factory=list)
    answered: list[str] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, answer: httpx.Response) -> bool:
        """False for an answer that acknowledges nothing."""
        with self.lock:
            self.statuses[answer.status_code] += 1
            if answer.status_code not in (200, 201):
                return False
            self.answered.append(answer.headers["x-request-id"])
            return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    process: HubProcess
    account: Account
    patient: str
    told: Acknowledged
    numbers: Iterator[int]

    @contextmanager
    def caller(self) -> Iterator[Caller]:
        with http_client(self.process.url) as http:
            yield Caller(http, self.account)

    @contextmanager
    def load(self) -> Iterator[None]:
        """Writers, senders and readers at once, until the block ends or the hub is gone."""
        stop = threading.Event()
        with self.caller() as one:
            token = one.token
        acts = [self._create] * WRITERS + [self._ingest] * SENDERS + [self._read] * READERS
        threads = [threading.Thread(target=self._go_on, args=(act, token, stop)) for act in acts]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            stop.set()
            for thread in threads:
                thread.join(DEADLINE_S)
            assert not any(thread.is_alive() for thread in threads)

    def _go_on(self, act: Any, token: str, stop: threading.Event) -> None:
        with http_client(self.process.url) as http:
            caller = Caller(http, self.account, token=token)
            while not stop.is_set():
                try:
                    act(caller, next(self.numbers))
                except httpx.HTTPError:
                    if not self.process.alive:
                        return

    def _create(self, caller: Caller, number: int) -> None:
        identifier = {"system": SYSTEM, "value": str(number)}
        if self.told.note(caller.post("Observation", observation(self.patient, identifier=[identifier]))):
            self.told.created.append(str(number))

    def _ingest(self, caller: Caller, number: int) -> None:
        """Five readings at once, all or none."""
        payload = withings(*(group(number, (WEIGHT, 70 + n, 0), date=START_S + number * 10 + n) for n in range(5)))
        answer = caller.ingest("withings", payload, device="kill9")
        if self.told.note(answer):
            assert [one["fate"] for one in answer.json()] == ["stored"] * 5
            self.told.ingested += [one["resource"] for one in answer.json()]

    def _read(self, caller: Caller, _: int) -> None:
        self.told.note(caller.get(f"Observation?patient={self.patient}&_count=3"))


class Numbers:
    """Numbers for several threads, none twice."""

    def __init__(self) -> None:
        self._lock, self._next = threading.Lock(), 0

    def __iter__(self) -> "Numbers":
        return self

    def __next__(self) -> int:
        with self._lock:
            self._next += 1
            return self._next


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    process = HubProcess(tmp_path / "data").start()
    try:
        with Backstage(process.data_dir, process.url) as backstage, http_client(process.url) as http:
            account = backstage.register(new_client("ehr", "system/*.cruds", consent_default="opt-out", recorder=True))
            person = Caller(http, account).create(patient())["id"]
            backstage.pair(identifier_system("withings"), "kill9", f"Patient/{person}", from_us=0)
        yield Scene(process=process, account=account, patient=person, told=Acknowledged(), numbers=Numbers())
    finally:
        if process.alive:
            process.kill_all()


def assert_nothing_is_lost(scene: Scene) -> None:
    """Every acknowledged item once, every answer with its record, and the log verifies."""
    told = scene.told
    with scene.caller() as caller:
        found = [one for page in caller.pages(f"Observation?patient={scene.patient}&_count=1000&_sort=_id") for one in resources(page)]
        created = Counter(one["identifier"][0]["value"] for one in found if "identifier" in one)
        ingested = Counter(f"Observation/{one['id']}" for one in found if "identifier" not in one)
        assert caller.search(f"Observation?patient={scene.patient}&_summary=count")["total"] == len(found)
    assert [one for one in told.created if created[one] != 1] == []
    assert [one for one in told.ingested if ingested[one] != 1] == []
    assert not [one for one in (created + ingested).values() if one > 1]
    assert len(ingested) % 5 == 0, "a batch is there as a whole or not at all"
    with Backstage(scene.process.data_dir, scene.process.url) as backstage:
        recorded = {one["r"] for one in backstage.admin["hub_audit"]["records"].find({}, {"r": 1})}
    assert [one for one in told.answered if one not in recorded] == []
    verified = scene.process.command("audit", "verify", "--json")
    assert (verified.code, verified.out and verified.json()["findings"]) == (0, []), verified.err


def begun(scene: Scene) -> None:
    """Returns when something of each kind has been acknowledged since now: on a busy machine that takes longer than the load lasts."""
    created, ingested = len(scene.told.created), len(scene.told.ingested)
    deadline = time.monotonic() + DEADLINE_S
    while len(scene.told.created) == created or len(scene.told.ingested) == ingested:
        assert time.monotonic() < deadline, "nothing was acknowledged"
        time.sleep(0.01)  # until somebody has been answered


def test_the_hub_is_killed_ten_times_during_writes(scene: Scene) -> None:
    """Law 5. Every other time its whole process group, mongod included; else mongod lives on and is adopted."""
    chance = random.Random(SEED)
    for number in range(KILLS):
        with scene.load():
            begun(scene)
            time.sleep(chance.uniform(*LOAD_S))  # the instant of the kill
            (scene.process.kill_all if number % 2 else scene.process.kill)()
        scene.process.start()
    assert len(scene.told.created) > KILLS
    assert len(scene.told.ingested) > KILLS
    assert_nothing_is_lost(scene)
    assert scene.process.stop() == 0


def test_mongod_is_killed_ten_times_while_the_hub_serves(scene: Scene) -> None:
    """Laws 2 and 5: 503 while it is away, then all goes on; the hub is not restarted and nobody helps."""
    chance = random.Random(SEED + 1)
    hub = scene.process.pid
    with scene.load():
        for _ in range(KILLS):
            time.sleep(chance.uniform(*LOAD_S))  # the instant of the kill
            before = scene.process.mongod_pid()
            assert before is not None
            os.kill(before, signal.SIGKILL)
            answered = len(scene.told.answered)
            deadline = time.monotonic() + DEADLINE_S
            while len(scene.told.answered) < answered + WRITERS or scene.process.mongod_pid() == before:
                assert time.monotonic() < deadline, "the hub did not recover"
                time.sleep(0.02)  # until somebody has been answered again
    assert scene.process.pid == hub
    assert scene.process.alive
    assert set(scene.told.statuses) <= {200, 201, 503}
    assert len(scene.told.created) > KILLS
    assert_nothing_is_lost(scene)
    assert scene.process.stop() == 0


def test_the_hub_is_killed_while_it_starts(scene: Scene) -> None:
    """Law 5: no half start hinders the next one, at whatever instant it ended."""
    assert scene.process.stop() == 0
    chance = random.Random(SEED + 2)
    command = [str(HUB), "serve", "--port", str(scene.process.port), "--data-dir", str(scene.process.data_dir)]
    for _ in range(KILLS // 2):
        starting = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True, env=ENVIRONMENT)
        time.sleep(chance.uniform(0.3, 1.5))  # the instant of the kill
        with suppress(ProcessLookupError):
            os.killpg(starting.pid, signal.SIGKILL)
        starting.wait(DEADLINE_S)
    scene.process.start()
    with scene.caller() as caller:
        assert ids(caller.search(f"Patient?_id={scene.patient}")) == [scene.patient]
    assert_nothing_is_lost(scene)
    assert scene.process.stop() == 0
