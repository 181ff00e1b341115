"""kill -9 of `hub mqtt` in the middle of messages: what the broker had acknowledged is stored, once. Law 5."""

import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.backstage import Backstage
from tests.support.broker import Broker, Listener
from tests.support.caller import Caller
from tests.support.fixtures import Running
from tests.support.payloads import WEIGHT, group, identifier_system, withings
from tests.support.resources import patient

pytestmark = pytest.mark.fault

SEED = 4
KILLS = 6
MESSAGES, READINGS = 400, 5
LIVES_S = (0.05, 1.2)
"""The kill comes at a random instant of this time after it subscribed."""
DEADLINE_S = 180


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    made = Broker(tmp_path).start()
    yield made
    made.stop()


def test_the_listener_is_killed_in_the_middle_of_messages(
    running: Running, ehr: Caller, vendor: Caller, backstage: Backstage, broker: Broker
) -> None:
    person = ehr.create(patient())["id"]
    device = f"K-{person}"
    backstage.pair(identifier_system("withings"), device, f"Patient/{person}", from_us=0)
    listener = Listener(running.process.data_dir, broker, f"scales/{{device}}/weight=withings@{vendor.account.id}")
    listener.start().kill()  # from now on the broker keeps what comes
    messages = [
        (
            f"scales/{device}/weight",
            withings(*(group(n * READINGS + m, (WEIGHT, 70 + m, 0), date=1_700_000_000 + n * READINGS + m) for m in range(READINGS))),
        )
        for n in range(MESSAGES)
    ]
    publishing = threading.Thread(target=broker.publish, args=(messages,))
    publishing.start()
    chance = random.Random(SEED)
    for _ in range(KILLS):
        listener.start()
        time.sleep(chance.uniform(*LIVES_S))  # the instant of the kill
        listener.kill()
    publishing.join(DEADLINE_S)
    listener.start()

    def stored() -> int:
        count: int = ehr.search(f"Observation?patient={person}&_summary=count")["total"]
        return count

    deadline = time.monotonic() + DEADLINE_S
    while stored() < MESSAGES * READINGS:
        assert time.monotonic() < deadline, f"{stored()} of {MESSAGES * READINGS}"
        time.sleep(0.2)  # until all is there
    assert listener.stop() == 0
    assert stored() == MESSAGES * READINGS
    versions = {one["resource"]["meta"]["versionId"] for one in ehr.search(f"Observation?patient={person}&_count=1000")["entry"]}
    assert versions == {"1"}
    verified = running.process.command("audit", "verify", "--json")
    assert (verified.code, verified.json()["findings"]) == (0, [])
