"""A stranger on a clean machine: from `hub adapters new` to a verified report, with a mapping and with code. DEVICES 6.2."""

import os
import shutil
import subprocess
from pathlib import Path

import hatchling
import pytest

from adapters.declarative import load
from tests.support.process import ENVIRONMENT

STRANGER = Path(__file__).parent / "stranger"
SCRIPT = STRANGER / "stranger.sh"
RUN_S = 2_400
"""Some minutes on a quiet machine; the rest is for a busy one."""
STEPS = (
    "an environment with the wheel and nothing else",
    "tide: its own tests are green before anything is edited",
    "tide 0.1.0: level gold",
    "breeze: its own tests are green before anything is edited",
    "breeze 0.1.0: level silver",
    "simulated, with every fault",
    "sent: what is known is stored, what is not known waits",
    "signed: tide gold, breeze silver; verified",
    "done: the reports are in",
)


def test_the_scripted_run_goes_all_the_way(tmp_path: Path) -> None:
    """The wheel in an environment of its own; the dependencies are those that the tests have, so that nothing is fetched."""
    dependencies = str(Path(hatchling.__file__).parents[1])
    environment = {**ENVIRONMENT, "PATH": os.environ["PATH"], "STRANGER_DEPENDENCIES": dependencies}
    ran = subprocess.run(
        ["bash", str(SCRIPT), str(tmp_path)], capture_output=True, text=True, check=False, timeout=RUN_S, env=environment, cwd=tmp_path
    )
    assert ran.returncode == 0, ran.stdout[-2000:] + ran.stderr[-2000:]
    assert [step for step in STEPS if step not in ran.stdout] == []


def test_it_needs_nothing_but_a_shell_and_python() -> None:
    ran = subprocess.run(["bash", "-n", str(SCRIPT)], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert os.access(SCRIPT, os.X_OK)
    assert shutil.which("curl")


@pytest.mark.parametrize("product", ["tide", "breeze"])
def test_the_products_are_nobodys(product: str) -> None:
    assert "nobody makes" in (STRANGER / product / ("mapping.yaml" if product == "tide" else "mapping.py")).read_text()


def test_the_mapping_is_one_that_is_loaded() -> None:
    assert load((STRANGER / "tide" / "mapping.yaml").read_text("utf-8")).manifest.time_kinds == ("offset",)
