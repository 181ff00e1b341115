"""The benchmarks run from end to end and say what they measured. Sizes are tiny: no figure here means anything, and none is judged."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from adapters.discovery import adapters

pytestmark = pytest.mark.database

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT_S = 1_200
FLOORS = {
    "shapes": {"read and write"},
    "create": {"insert_one", "GET /livez"},
    "bundle": {"insert_one", "GET /livez"},
    "pair": {"fsync"},
    "read": {"find_one", "GET /livez"},
    "token": {"insert_one", "cryptography", "GET /livez", "signature alone"},
    "ingest": {"insert_many", "insert_many, no secondary index"},
    "search": {"find"},
    "joined": {"find", "aggregate"},
    "start": {"mongod alone", "imports alone"},
}


def bench(results: Path, *names: str) -> dict[str, Any]:
    only = [word for name in names for word in ("--only", name)]
    command = [sys.executable, "-m", "bench", "--tiny", "--json", str(results), *only]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(results.read_text())
    return found


def floors(results: dict[str, Any], benchmark: str) -> set[str]:
    return {floor for figure in results["figures"] if figure["benchmark"] == benchmark for floor in figure["floors"]}


def test_every_benchmark_measures_something_beside_its_floor(tmp_path: Path) -> None:
    """DESIGN 3: benchmarks, each with its floor in the same run."""
    found = bench(tmp_path / "results.json", "micro", "shapes", "create", "bundle", "pair", "read", "token", "ingest", "search")

    assert all(figure["median"] > 0 for figure in found["figures"])
    assert {name: floors(found, name) for name in FLOORS if name not in ("start", "joined")} == {
        name: wanted for name, wanted in FLOORS.items() if name not in ("start", "joined")
    }
    assert {"machine", "noise", "sizes", "began"} <= found.keys()


def test_searches_with_more_to_them_are_measured_beside_the_bare_query(tmp_path: Path) -> None:
    """DESIGN 3: benchmarks, each with its floor in the same run."""
    found = bench(tmp_path / "results.json", "joined")

    assert floors(found, "joined") == FLOORS["joined"]
    assert all(figure["median"] > 0 for figure in found["figures"])


def test_every_adapter_is_measured_beside_the_bare_parser_of_the_same_bytes(tmp_path: Path) -> None:
    """DESIGN 3: benchmarks, each with its floor in the same run."""
    found = bench(tmp_path / "results.json", "adapters")

    assert {figure["name"] for figure in found["figures"]} == set(adapters())
    assert all(len(figure["floor_medians"]) == 1 and figure["median"] > 0 for figure in found["figures"])


def test_a_start_is_measured_beside_its_parts(tmp_path: Path) -> None:
    """DESIGN 3: benchmarks, each with its floor in the same run."""
    found = bench(tmp_path / "results.json", "start")

    assert floors(found, "start") == FLOORS["start"]


def test_a_benchmark_that_does_not_exist_is_wrong_use(tmp_path: Path) -> None:
    """DESIGN 4: wrong use is 2."""
    command = [sys.executable, "-m", "bench", "--only", "nothing", "--json", str(tmp_path / "results.json")]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)

    assert done.returncode == 2
    assert not (tmp_path / "results.json").exists()
