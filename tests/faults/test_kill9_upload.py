"""kill -9 of the hub in the middle of a long payload: nothing lost, nothing twice, and the key gets each item the answer it had. Law 5."""

import json
import random
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.apple import export
from tests.support.backstage import Backstage, new_client
from tests.support.caller import Caller, http_client
from tests.support.payloads import identifier_system
from tests.support.process import HubProcess
from tests.support.resources import patient

pytestmark = pytest.mark.fault

SEED = 11
ITEMS = 16_000
"""Eight parts, each a transaction of its own."""
KILLS = 4
LINES = 6_000
SETTINGS = {"HUB_MAX_INGEST_BYTES": "20000"}

Json = dict[str, Any]


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[HubProcess]:
    process = HubProcess(tmp_path / "data", **SETTINGS).start()
    yield process
    process.stop()  # with the database that it took over


@pytest.mark.parametrize("key", ["the-key", ""])
def test_the_hub_is_killed_in_the_middle_of_an_upload(hub: HubProcess, key: str) -> None:
    """With a key the answers are those of the first time; without one what is there already is `duplicate`."""
    chance = random.Random(SEED)
    with Backstage(hub.data_dir, hub.url) as backstage:
        account = backstage.register(new_client("sender", "system/*.cruds", consent_default="opt-out", recorder=True))
        with http_client(hub.url) as http:
            person = Caller(http, account).create(patient())["id"]
        backstage.pair(identifier_system("apple-health"), "watch", f"Patient/{person}", from_us=0)
    answered: dict[str, Json] = {}
    for _ in range(KILLS):
        with http_client(hub.url) as http:
            for one in until_killed(hub, Caller(http, account), key, after=chance.randrange(LINES)):
                before = answered.setdefault(one["pointer"], one)
                assert before["resource"] == one["resource"]
        hub.start()
    with http_client(hub.url) as http:
        sender = Caller(http, account)
        last = sender.ingest("apple-health", export(ITEMS), device="watch", headers=headers(key)).text.splitlines()
        answers = [json.loads(line) for line in last]
        assert len({one["resource"] for one in answers}) == ITEMS
        assert sender.search(f"Observation?patient={person}&_summary=count")["total"] == ITEMS
    told = {pointer for pointer, one in answered.items() if one["fate"] == "stored"}
    assert told
    again = [one for one in answers if one["pointer"] in told]
    assert Counter(one["fate"] for one in again) == {"stored" if key else "duplicate": len(told)}
    verified = hub.command("audit", "verify", "--json")
    assert (verified.code, verified.json()["findings"]) == (0, [])


def headers(key: str) -> dict[str, str]:
    return {"Accept": "application/x-ndjson", **({"Idempotency-Key": key} if key else {})}


def until_killed(hub: HubProcess, sender: Caller, key: str, after: int) -> list[Json]:
    """The answers that came, of a hub that is killed while the `after`-th is on its way, at whatever the hub is doing then."""
    asked = {"Authorization": f"Bearer {sender.token}", **headers(key)}
    got: list[Json] = []
    killer = threading.Thread(target=hub.kill)
    try:
        with sender.http.stream("POST", "/ingest/apple-health", content=export(ITEMS), params={"device": "watch"}, headers=asked) as answer:
            assert answer.status_code == 200
            for number, line in enumerate(answer.iter_lines()):
                got.append(json.loads(line))
                if number == after:
                    killer.start()
    except (httpx.RemoteProtocolError, httpx.ReadError):
        pass
    killer.join()
    return got
