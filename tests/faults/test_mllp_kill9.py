"""kill -9 of the hub while gateways send over MLLP: nothing acknowledged is lost, nothing that is sent again is doubled.

DESIGN law 5; HL7 v2.6 section 2.9: whoever gets no acknowledgement sends the same message again. A sender that keeps to it and
a hub that acknowledges only what is durable lose nothing between them, at whatever instant the hub dies.
"""

import json
import os
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support.backstage import Account, Backstage, new_client
from tests.support.caller import Caller, http_client, resources
from tests.support.mllp import EUI, fields, line, message, rate
from tests.support.payloads import identifier_system
from tests.support.process import HubProcess, free_port
from tests.support.resources import patient

pytestmark = pytest.mark.fault

SEED = 2575
KILLS = int(os.environ.get("HUB_KILLS", "4"))
LOAD_S = (0.05, 0.8)
"""The kill comes at a random instant of this time under load."""
SENDERS = 3
DEADLINE_S = 120
RETRY_S = 0.05
ROWS = 3


@dataclass(slots=True)
class Gateway:
    """A sender that gives no message up: the next one goes only after the last was acknowledged."""

    number: int
    port: int
    acknowledged: list[int] = field(default_factory=list)
    sent: int = 0
    codes: Counter[str] = field(default_factory=Counter)

    def run(self, stop: threading.Event) -> None:
        """Until `stop`, and until the message in hand is acknowledged."""
        deadline, place = time.monotonic() + DEADLINE_S, 0  # of each message
        while not stop.is_set() or place > len(self.acknowledged):
            assert time.monotonic() < deadline, "the hub did not recover"
            try:
                with line(self.port) as gateway:
                    while not stop.is_set() or place > len(self.acknowledged):
                        place = len(self.acknowledged) + 1
                        answer = self._ask(gateway, place)
                        if not answer:
                            break
                        self.codes[fields(answer[1])[1]] += 1
                        assert fields(answer[1])[2] == self._control_id(place)
                        self.acknowledged.append(place)
                        deadline = time.monotonic() + DEADLINE_S
            except OSError:
                time.sleep(RETRY_S)  # until somebody listens again

    def _ask(self, gateway: "object", place: int) -> list[str]:
        self.sent += 1
        answer: list[str] = gateway.ask(self._message(place))  # type: ignore[attr-defined]
        return answer

    def _control_id(self, place: int) -> str:
        return f"{self.number}-{place}"

    def _message(self, place: int) -> str:
        """Three channels of the pump at a second of the gateway's own."""
        time_of = f"2026{self.number + 1:02}{1 + place // 86_400:02}{place // 3_600 % 24:02}{place // 60 % 60:02}{place % 60:02}+0100"
        text = message(self._control_id(place), *(rate(str(place), channel) for channel in range(1, ROWS + 1)))
        return text.replace("20260301101500+0100", time_of)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    process: HubProcess
    port: int
    ehr: Account
    patient: str


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    port, senders = free_port(), tmp_path / "senders.json"
    row = {"client": "gateway-client", "adapter": "pcd01", "trustedNetwork": "127.0.0.1/32"}
    senders.write_text(json.dumps({"senders": [row]}))
    process = HubProcess(tmp_path / "data", "--mllp-port", str(port), "--mllp-senders", str(senders)).start()
    try:
        with Backstage(process.data_dir, process.url) as backstage, http_client(process.url) as http:
            ehr = backstage.register(new_client("ehr", "system/*.cruds", consent_default="opt-out", recorder=True))
            backstage.register(new_client("gateway", "system/Observation.c", organization=ehr.organization, consent_default="opt-out"))
            person = Caller(http, ehr).create(patient())["id"]
            backstage.pair(identifier_system("pcd01"), EUI, f"Patient/{person}", from_us=0)
        yield Scene(process=process, port=port, ehr=ehr, patient=person)
    finally:
        if process.alive:
            process.kill_all()


def begun(gateways: Sequence[Gateway]) -> None:
    """Returns when a message has been acknowledged since now: on a busy machine that takes longer than the load lasts."""
    before, deadline = sum(len(one.acknowledged) for one in gateways), time.monotonic() + DEADLINE_S
    while sum(len(one.acknowledged) for one in gateways) == before:
        assert time.monotonic() < deadline, "nothing was acknowledged"
        time.sleep(0.01)  # until somebody has been answered


def test_the_hub_is_killed_while_gateways_send(scene: Scene) -> None:
    """Every other time its whole process group, mongod included. Each message is stored exactly once, as a whole."""
    chance, stop = random.Random(SEED), threading.Event()
    gateways = [Gateway(number, scene.port) for number in range(SENDERS)]
    threads = [threading.Thread(target=gateway.run, args=(stop,)) for gateway in gateways]
    for thread in threads:
        thread.start()
    for number in range(KILLS):
        begun(gateways)
        time.sleep(chance.uniform(*LOAD_S))  # the instant of the kill
        (scene.process.kill_all if number % 2 else scene.process.kill)()
        scene.process.start()
    stop.set()
    for thread in threads:
        thread.join(DEADLINE_S)
    assert not any(thread.is_alive() for thread in threads)
    assert all(set(gateway.codes) == {"AA"} for gateway in gateways)
    assert sum(gateway.sent for gateway in gateways) > sum(len(gateway.acknowledged) for gateway in gateways) > KILLS
    assert stored(scene) == {(gateway.number, place): ROWS for gateway in gateways for place in gateway.acknowledged}
    verified = scene.process.command("audit", "verify", "--json")
    assert (verified.code, verified.out and verified.json()["findings"]) == (0, []), verified.err
    assert scene.process.stop() == 0


def stored(scene: Scene) -> Counter[tuple[int, int]]:
    """How many Observations there are of each message: by the gateway's month and the value that counts its messages."""
    with http_client(scene.process.url) as http:
        caller = Caller(http, scene.ehr)
        found = [one for page in caller.pages(f"Observation?patient={scene.patient}&_count=1000&_sort=_id") for one in resources(page)]
    assert all(one["meta"]["versionId"] == "1" for one in found)
    return Counter((int(one["effectiveDateTime"][5:7]) - 1, int(one["valueQuantity"]["value"])) for one in found)
