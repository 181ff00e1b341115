"""kill -9 of a watcher in the middle of files: nothing lost, nothing twice, and each item has the answer it had. Law 5."""

import json
import os
import random
import subprocess
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.backstage import Backstage
from tests.support.caller import Caller
from tests.support.fixtures import Running
from tests.support.payloads import WEIGHT, group, identifier_system, withings
from tests.support.process import ENVIRONMENT, HUB
from tests.support.resources import patient

pytestmark = pytest.mark.fault

SEED = 5
KILLS = 5
ITEMS = 9_000
"""Five parts, each a transaction of its own."""
FILES = 2
GOES_ON_S = 0.6
"""A part takes about as long: the kill comes at a random instant after the first part that a watcher has answered. A file over which
watchers are killed before that again and again is put aside, which is another test's (tests/e2e/test_watch.py)."""
DEADLINE_S = 240


def _answered(folder: Path) -> int:
    """How many bytes of answers there are, of whatever is claimed or done."""
    found = 0
    for place, _, names in os.walk(folder):  # what is moved meanwhile is passed over
        for name in names:
            if name.startswith(".answers") or name.endswith(".ndjson"):
                with suppress(FileNotFoundError):
                    found += (Path(place) / name).stat().st_size
    return found


def _wait_for_answers(watcher: subprocess.Popen[bytes], folder: Path) -> None:
    before, ends = _answered(folder), time.monotonic() + DEADLINE_S
    while _answered(folder) <= before and watcher.poll() is None:
        assert time.monotonic() < ends, "the watcher answers nothing"
        time.sleep(0.01)


def test_watchers_are_killed_in_the_middle_of_files(
    running: Running, ehr: Caller, vendor: Caller, backstage: Backstage, tmp_path: Path
) -> None:
    person = ehr.create(patient())["id"]
    unit = f"W-{person}"
    backstage.pair(identifier_system("withings"), unit, f"Patient/{person}", from_us=0)
    for file in range(FILES):
        groups = [group(n, (WEIGHT, 70 + n % 9, 0), date=1_700_000_000 + n) for n in range(file * ITEMS, (file + 1) * ITEMS)]
        (tmp_path / f"{file}.json").write_bytes(withings(*groups))
    command = [str(HUB), "watch", str(tmp_path), "--adapter", "withings", "--client-id", vendor.account.id, "--device", unit]
    command += ["--settle", "0", "--once", "--data-dir", str(running.process.data_dir)]
    chance = random.Random(SEED)
    for _ in range(KILLS):
        watcher = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=ENVIRONMENT)
        _wait_for_answers(watcher, tmp_path)
        time.sleep(chance.uniform(0, GOES_ON_S))  # the instant of the kill
        watcher.kill()
        watcher.wait(DEADLINE_S)
    last = subprocess.run(command, capture_output=True, text=True, check=False, timeout=DEADLINE_S, env=ENVIRONMENT)
    assert last.returncode == 0, last.stderr
    done = tmp_path / "done"
    assert sorted(path.name for path in done.iterdir()) == sorted(f"{file}.json{end}" for file in range(FILES) for end in ("", ".ndjson"))
    assert list((tmp_path / "refused").iterdir()) == []
    answers = [json.loads(line) for file in range(FILES) for line in (done / f"{file}.json.ndjson").read_text().splitlines()]
    assert Counter(one["fate"] for one in answers) == {"stored": FILES * ITEMS}
    assert len({one["resource"] for one in answers}) == FILES * ITEMS
    assert ehr.search(f"Observation?patient={person}&_summary=count")["total"] == FILES * ITEMS
    assert list((tmp_path / ".claims").iterdir()) == []
    verified = running.process.command("audit", "verify", "--json")
    assert (verified.code, verified.json()["findings"]) == (0, [])
