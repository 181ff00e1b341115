"""A database that neither answers nor goes away: no request waits for ever, and none is answered with data.

DESIGN law 2: if the log cannot take the record, the answer is 503.
"""

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.support.backstage import Backstage, new_client
from tests.support.caller import Caller, http_client
from tests.support.outcomes import refused
from tests.support.process import HubProcess
from tests.support.resources import observation, patient

pytestmark = pytest.mark.fault

PATIENCE_S = 60
RECOVERY_S = 180


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[tuple[HubProcess, Caller]]:
    process = HubProcess(tmp_path / "data").start()
    try:
        with Backstage(process.data_dir, process.url) as backstage:
            account = backstage.register(new_client("ehr", "system/*.cruds", consent_default="opt-out", recorder=True))
        with http_client(process.url) as http:
            yield process, Caller(http, account)
    finally:
        process.kill_all()


def test_requests_to_a_frozen_database_end_with_503_and_go_on_when_it_thaws(hub: tuple[HubProcess, Caller]) -> None:
    """All of them at once; what they wanted is not half done, and nobody restarts anything."""
    process, caller = hub
    person = caller.create(patient())["id"]
    reading = caller.create(observation(person))["id"]
    mongod = process.mongod_pid()
    assert mongod is not None
    asked = {
        "read": lambda: caller.get(f"Observation/{reading}"),
        "search": lambda: caller.get(f"Observation?patient={person}"),
        "create": lambda: caller.post("Observation", observation(person)),
        "token": caller.ask_token,
        "ready": lambda: caller.http.get("/readyz"),
    }
    os.kill(mongod, signal.SIGSTOP)
    try:
        began = time.monotonic()
        with ThreadPoolExecutor(len(asked)) as threads:
            answers: dict[str, httpx.Response] = dict(zip(asked, threads.map(lambda act: act(), asked.values()), strict=True))
        assert time.monotonic() - began < PATIENCE_S
        alive = caller.http.get("/livez")
    finally:
        os.kill(mongod, signal.SIGCONT)
    assert alive.status_code == 200
    for name in ("read", "search", "create"):
        refused(answers[name], 503, "transient")
    assert (answers["token"].status_code, answers["ready"].status_code) == (503, 503)
    deadline = time.monotonic() + RECOVERY_S
    while caller.get(f"Observation/{reading}").status_code == 503:
        assert time.monotonic() < deadline
    assert caller.search(f"Observation?patient={person}&_summary=count")["total"] <= 2, "the create is there once or not at all"
    verified = process.command("audit", "verify", "--json")
    assert (verified.code, verified.json()["findings"]) == (0, [])
