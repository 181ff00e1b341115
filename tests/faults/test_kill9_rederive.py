"""kill -9 in the middle of a plan that is being applied: the same command again ends it; nothing is half there and nothing twice.

docs/adr/0017-rederivation.md; DESIGN laws 2 and 5. The instants are random, from a seed.
"""

import random
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from adapters.discovery import adapters
from tests.support.backstage import Backstage
from tests.support.caller import Caller
from tests.support.fixtures import Running
from tests.support.payloads import WEIGHT, group, identifier_system, libreview, withings
from tests.support.process import ENVIRONMENT, HUB
from tests.support.rederiving import Bench, later, shifted, stored, tenfold
from tests.support.resources import patient

pytestmark = pytest.mark.fault

SEED = 17
ROWS = 800
KILLS = 2
BETWEEN = (1, 350)
"""So many rows are durable before the next kill, which then comes at whatever the command is doing."""
ATTEMPTS_MAX = 30
START_S = 1_750_000_000
CHAIN = 400
UNIT_ROWS = 20
STEP = timedelta(minutes=15)
START = datetime(2026, 1, 25, 8, tzinfo=UTC)


@pytest.mark.parametrize("mistake", [tenfold, later], ids=["changed", "moved"])
def test_a_plan_that_is_killed_while_it_is_applied_is_applied_by_the_same_command_again(
    running: Running, ehr: Caller, backstage: Backstage, tmp_path: Path, mistake: object
) -> None:
    person = str(ehr.create(patient())["id"])
    backstage.pair(identifier_system("withings"), f"kill-{person}", f"Patient/{person}", from_us=0)
    bench = Bench(backstage, ehr.account, "withings", mistake)  # type: ignore[arg-type]
    groups = [group(n + 1, (WEIGHT, 60_000 + n, -3), date=START_S + n * 7_200) for n in range(ROWS)]
    old = stored(bench.ingest(withings(*groups), device=f"kill-{person}"))
    out = tmp_path / "plan.json"
    made = running.process.command(
        "rederive", "plan", "--adapter", "withings", "--patient", f"Patient/{person}", "--out", str(out), "--reason", "tests"
    )
    assert sum(made.json()["kinds"].values()) == ROWS
    seen = kill_in_the_middle(running, out, backstage.patient_token(person))
    assert 0 < seen[0] <= seen[-1] < ROWS, seen
    done = applied(running, out)
    assert (done["done"] + done["already"], done["differs"], done["refused"]) == (ROWS, 0, {})
    assert done["already"] >= seen[-1]
    rows = {f"Observation/{id}" for id in everything(ehr, f"Observation?patient={person}&status=final")}
    if mistake is tenfold:
        assert rows == set(old)
        versions = [stored_version(backstage, row) for row in old]
        assert versions == [2] * ROWS, "each once"
    else:
        assert len(rows) == ROWS
        assert not rows & set(old)
        assert {stored_version(backstage, row) for row in rows} == {1}
        assert {stored_version(backstage, row) for row in old} == {2}
    assert running.process.command("audit", "verify").code == 0
    assert dict(bench.plan(person).kinds) == {"unchanged": ROWS}


def test_a_chain_that_is_killed_between_its_transactions_goes_on_behind_them(
    running: Running, ehr: Caller, backstage: Backstage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each reading goes where the next one is: at every instant every one of them is current at one place, and at no other."""
    monkeypatch.setattr("hub.ingest.rederive.plan.UNIT_ROWS", UNIT_ROWS)
    person, services = str(ehr.create(patient())["id"]), backstage.hub.services
    backstage.pair(identifier_system("libreview"), f"chain-{person}", f"Patient/{person}", from_us=0)
    bench = Bench(backstage, ehr.account, "libreview", shifted(lambda _: STEP))
    times = [START + n * STEP for n in range(CHAIN)]
    lines = [(f"{time:%d-%m-%Y %H:%M}", "0", str(40 + n)) for n, time in enumerate(times)]
    old = stored(bench.ingest(libreview(f"chain-{person}", *lines), zone="UTC"))
    right = [(f"{time:%Y-%m-%dT%H:%M}", 40 + n) for n, time in enumerate(times)]
    plan, out = bench.plan(person, by=adapters()["libreview"]), tmp_path / "plan.json"
    assert [len(unit) for unit in plan.chains[0]] == [UNIT_ROWS] * (CHAIN // UNIT_ROWS)
    out.write_bytes(plan.to_bytes(services))
    values = []

    def look() -> None:
        values.append(sorted(value for _, value in current(ehr, person)))

    seen = kill_in_the_middle(running, out, backstage.patient_token(person), between=(1, CHAIN // 2), then=look)
    assert values == [[value for _, value in right]] * KILLS, "none is lost or doubled in between"
    assert 0 < seen[0] <= seen[-1] < 2 * CHAIN, "of a row that is taken two versions are past"
    done = applied(running, out)
    assert (done["done"] + done["already"], done["differs"], done["refused"]) == (CHAIN, 0, {})
    assert 0 < done["already"] < CHAIN
    assert sorted(current(ehr, person)) == right
    assert [stored_version(backstage, row) for row in old] == [3] * (CHAIN - 1) + [2]
    assert running.process.command("audit", "verify").code == 0
    assert dict(bench.plan(person, by=adapters()["libreview"]).kinds) == {"unchanged": CHAIN}


def current(caller: Caller, person: str) -> list[tuple[str, int]]:
    pages = caller.pages(f"Observation?patient={person}&status=final&_count=200")
    found = [entry["resource"] for page in pages for entry in page.get("entry", ())]
    return [(one["effectiveDateTime"][:16], one["valueQuantity"]["value"]) for one in found]


def kill_in_the_middle(
    running: Running, plan: Path, patient: bytes, *, between: tuple[int, int] = BETWEEN, then: Callable[[], None] = lambda: None
) -> list[int]:
    """How many rows were done after each kill."""
    chance, seen = random.Random(SEED), [0]
    command = [str(HUB), "rederive", "apply", str(plan), "--reason", "tests", "--data-dir", str(running.process.data_dir)]
    for _ in range(KILLS):
        enough = seen[-1] + chance.randint(*between)
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=ENVIRONMENT) as process:
            while rewritten(running, patient) < enough:
                assert process.poll() is None, "it ended by itself"
            process.kill()
        seen.append(rewritten(running, patient))
        then()
    return seen[1:]


def applied(running: Running, plan: Path) -> dict[str, int]:
    """To the end. Until the database has given it up, the transaction of who was killed holds its rows: the command says so."""
    for _ in range(ATTEMPTS_MAX):
        done = running.process.command("rederive", "apply", str(plan), "--reason", "tests")
        if done.code == 0:
            made: dict[str, int] = done.json()
            return made
        assert "transaction" in done.err or "again" in done.err, done.err
    raise AssertionError("the rows are held for good")


def rewritten(running: Running, patient: bytes) -> int:
    """Readings of the patient that have a past."""
    return int(running.backstage.admin["hub"]["history"].count_documents({"p": patient, "t": "Observation"}))


def stored_version(backstage: Backstage, row: str) -> int:
    found = backstage.admin["hub"]["resources"].find_one({"_id": row}, {"v": 1})
    assert found is not None
    return int(found["v"])


def everything(caller: Caller, query: str) -> list[str]:
    return [entry["resource"]["id"] for page in caller.pages(f"{query}&_count=200") for entry in page.get("entry", ())]
