"""What a plan leaves as it is, by name or by count, while the rest is done: places that are held, and items that the mapping trips over.

docs/adr/0017-rederivation.md, docs/guides/rederivation.md.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from adapters.reading import Item, Reading
from hub.ingest.rederive.report import private
from tests.support.backstage import Backstage
from tests.support.caller import Caller
from tests.support.fixtures import Running
from tests.support.payloads import identifier_system, libreview, weight
from tests.support.rederiving import Bench, shifted, stored, tenfold
from tests.support.resources import consent, patient

Json = dict[str, Any]
STEP = timedelta(minutes=15)
GRID = (("25-01-2026 08:00", "0", "101"), ("25-01-2026 08:15", "0", "102"), ("25-01-2026 08:30", "0", "103"))
ALONE = ("25-01-2026 12:00", "0", "150")


@pytest.fixture
def person(ehr: Caller) -> str:
    return str(ehr.create(patient())["id"])


@pytest.fixture
def grid(ehr: Caller, backstage: Backstage, person: str) -> Bench:
    backstage.pair(identifier_system("libreview"), f"sensor-{person}", f"Patient/{person}", from_us=0)
    return Bench(backstage, ehr.account, "libreview", shifted(lambda _: STEP))


def rows(grid: Bench, person: str) -> list[str]:
    """A grid of three, and one that nothing follows."""
    return stored(grid.ingest(libreview(f"sensor-{person}", *GRID, ALONE), zone="Europe/Paris"))


def values(caller: Caller, person: str) -> list[float]:
    found = caller.search(f"Observation?patient={person}&status=final&_sort=date")["entry"]
    return [one["resource"]["valueQuantity"]["value"] for one in found]


def test_a_reading_does_not_take_the_place_of_one_that_cannot_be_read(grid: Bench, ehr: Caller, person: str) -> None:
    """The one behind it is not planned, for the mapping trips over it; its place is taken all the same."""
    rows(grid, person)

    def trips(reading: Reading) -> Item:
        return unreadable() if "102" in str(reading.value) else reading

    mended = replace(grid.mended, mistake=trips)
    plan = grid.plan(person, by=mended)
    assert (dict(plan.kinds), dict(plan.left)) == ({"moved": 2, "stuck": 1}, {"raw-unreadable": 1})
    assert list(plan.stuck.values()) == ["place-held"]
    grid.apply(plan, by=mended)
    assert values(ehr, person) == [101, 102, 103, 150]


def unreadable() -> Item:
    raise KeyError("unit")


@pytest.fixture
def scale(ehr: Caller, backstage: Backstage, person: str) -> Bench:
    backstage.pair(identifier_system("withings"), f"scale-{person}", f"Patient/{person}", from_us=0)
    return Bench(backstage, ehr.account, "withings", tenfold)


def test_an_item_that_the_mapping_trips_over_is_counted_and_the_others_are_planned(scale: Bench, person: str) -> None:
    scale.ingest(weight(70_000), device=f"scale-{person}")
    scale.ingest(weight(71_000, 2, date=1_750_000_060), device=f"scale-{person}")
    mended = replace(scale.mended, mistake=lambda reading: unreadable() if "71" in str(reading.value) else reading)
    plan = scale.plan(person, by=mended)
    assert (dict(plan.kinds), dict(plan.left)) == ({"changed": 1}, {"raw-unreadable": 1})
    assert scale.apply(plan, by=mended).done == 1


def write(path: Path, meanwhile: Callable[[], object]) -> None:
    with private(path) as file:
        file.write(b"whole")
        meanwhile()


def test_what_fails_leaves_no_file_in_the_way(tmp_path: Path) -> None:
    """Under its name only once it is whole, and never over another."""
    path = tmp_path / "plan.json"
    with pytest.raises(KeyError):
        write(path, unreadable)
    assert list(tmp_path.iterdir()) == []
    write(path, lambda: path.exists() and pytest.fail("it is there before it is whole"))
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"whole", 0o600)
    with pytest.raises(FileExistsError):
        write(path, lambda: None)
    assert [one.read_bytes() for one in tmp_path.iterdir()] == [b"whole"]


def planned(running: Running, adapter: str, person: str, out: Path) -> Json:
    flags = ("--adapter", adapter, "--patient", f"Patient/{person}", "--out", str(out), "--reason", "tests")
    made: Json = running.process.invoke("rederive", "plan", *flags, "--report", str(out.with_suffix(".html"))).json()
    return made


def test_the_exit_code_says_that_a_reading_is_stuck(running: Running, grid: Bench, ehr: Caller, person: str, tmp_path: Path) -> None:
    """Whose place somebody holds who has been changed by a person, and is theirs."""
    first, second, *_ = rows(grid, person)
    ehr.update(ehr.get(first).json(), note=[{"text": "a person looked at it"}])
    out = tmp_path / "plan.json"
    stuck = planned(running, "libreview", person, out)["stuck"]
    assert stuck[second] == "place-held"
    assert out.with_suffix(".html").read_text().count(": stuck (place-held)</h3>") == len(stuck) == 2
    done = running.process.invoke("rederive", "apply", str(out), "--reason", "tests")
    assert (done.code, json.loads(done.out)["done"], json.loads(done.out)["stuck"]) == (3, 1, stuck)


def test_the_exit_code_says_that_something_differs_from_the_plan(
    running: Running, scale: Bench, ehr: Caller, person: str, tmp_path: Path
) -> None:
    (reference,) = stored(scale.ingest(weight(70_000), device=f"scale-{person}"))
    out = tmp_path / "plan.json"
    planned(running, "withings", person, out)
    ehr.update(ehr.get(reference).json(), note=[{"text": "a person looked at it"}])
    done = running.process.invoke("rederive", "apply", str(out), "--reason", "tests")
    assert (done.code, json.loads(done.out)["differs"]) == (3, 1)


def test_the_exit_code_says_that_something_was_refused(
    running: Running, scale: Bench, ehr: Caller, another: Callable[..., Caller], person: str, tmp_path: Path
) -> None:
    ehr.create(consent(person))
    scale.account = another("system/Observation.c").account
    stored(scale.ingest(weight(70_000), device=f"scale-{person}"))
    out = tmp_path / "plan.json"
    planned(running, "withings", person, out)
    scale.backstage.revoke(scale.account)
    done = running.process.invoke("rederive", "apply", str(out), "--reason", "tests")
    assert (done.code, json.loads(done.out)["refused"]) == (3, {"sender-gone": 1})
