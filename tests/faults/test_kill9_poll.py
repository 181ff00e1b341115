"""kill -9 of `hub poll run` in the middle of pages: nothing lost, nothing twice, and the cursor says what is so. Law 5."""

import json
import random
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from hub.ingest.links import Links
from tests.support.backstage import Backstage
from tests.support.caller import Caller
from tests.support.fixtures import Running
from tests.support.payloads import WEIGHT, group, identifier_system
from tests.support.process import ENVIRONMENT, HUB
from tests.support.resources import patient
from tests.support.watched import settled

pytestmark = pytest.mark.fault

SEED = 6
KILLS = 5
GROUPS, PAGE = 600, 5
UPDATED = 1_760_000_000
LIVES_S = (1.0, 3.0)
"""It needs about a second before it begins; the kill comes at a random instant of this time."""
DEADLINE_S = 180


class Cloud(BaseHTTPRequestHandler):
    """Withings on this machine: GROUPS groups in pages of PAGE, tokens that are good for a day."""

    def do_POST(self) -> None:
        form = {name: one for name, (one, *_) in parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode()).items()}
        body: dict[str, Any]
        if self.path == "/v2/oauth2":
            body = {"access_token": "a", "refresh_token": "r", "expires_in": 86_400}
        else:
            start, since = int(form.get("offset", 0)), int(form["lastupdate"])
            numbers = range(start, min(start + PAGE, GROUPS)) if since < UPDATED else range(0)
            more = since < UPDATED and start + PAGE < GROUPS
            groups = [group(number, (WEIGHT, 70 + number % 9, 0), date=1_750_000_000 + number) for number in numbers]
            body = {"updatetime": UPDATED, "measuregrps": groups, "more": int(more), "offset": start + PAGE if more else 0}
        answer = json.dumps({"status": 0, "body": body}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: Any) -> None:
        """Not on the terminal."""


@pytest.fixture
def cloud() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Cloud) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_the_poller_is_killed_in_the_middle_of_pages(
    running: Running, ehr: Caller, vendor: Caller, backstage: Backstage, cloud: str, tmp_path: Path
) -> None:
    backstage.admin["hub"]["notes"].delete_many({"kd": "link"})  # every link is read, and another test may have left some
    person = ehr.create(patient())["id"]
    unit = f"L-{person}"
    backstage.pair(identifier_system("withings"), unit, f"Patient/{person}", from_us=0)
    granted, secret = tmp_path / "tokens.json", tmp_path / "secret"
    granted.write_text('{"refresh_token": "r"}')
    secret.write_text("s")
    linked = running.process.invoke(
        *("poll", "link", "withings", "--client-id", vendor.account.id, "--user", person, "--patient", f"Patient/{person}"),
        *("--tokens", str(granted), "--device", unit, "--since", "2025-01-01"),
    )
    assert linked.code == 0, linked.err
    environment = {
        **ENVIRONMENT,
        "HUB_WITHINGS_URL": cloud,
        "HUB_WITHINGS_CLIENT_ID": "hub",
        "HUB_WITHINGS_SECRET_FILE": str(secret),
    }
    command = [str(HUB), "poll", "run", "--once", "--data-dir", str(running.process.data_dir)]
    chance = random.Random(SEED)
    for _ in range(KILLS):
        polling = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
        time.sleep(chance.uniform(*LIVES_S))  # the instant of the kill
        polling.kill()
        polling.wait(DEADLINE_S)
        settled(backstage.admin)
    links = Links(backstage.hub.services)

    def cursor() -> Any:
        return next(link.cursor for _, link in backstage.run(links.all()) if link.user == person)

    def stored() -> int:
        count: int = ehr.search(f"Observation?patient={person}&_summary=count")["total"]
        return count

    # What a killed one left says exactly what is there.
    assert stored() == (GROUPS if cursor()["since"] == UPDATED else cursor().get("offset", 0))
    deadline = time.monotonic() + DEADLINE_S
    while cursor()["since"] != UPDATED:
        assert time.monotonic() < deadline, cursor()
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=DEADLINE_S, env=environment)
        assert done.returncode == 0, done.stderr
    assert (stored(), cursor()) == (GROUPS, {"since": UPDATED})
    found = ehr.search(f"Observation?patient={person}&_count=1000")["entry"]
    assert {one["resource"]["meta"]["versionId"] for one in found} == {"1"}
    verified = running.process.command("audit", "verify", "--json")
    assert (verified.code, verified.json()["findings"]) == (0, [])
