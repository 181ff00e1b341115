"""The black-box suite against a server that it knows by a file alone: as docs/smart.md says, with nothing of the hub imported."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT
from tests.spec.smart.blackbox.own import main
from tests.spec.smart.blackbox.target import read_target
from tests.support.fixtures import Running

pytestmark = pytest.mark.database
SUITE = "tests/spec/smart/blackbox"
RUN_S = 400
WITHOUT_HUB = """
import sys

class Nothing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"hub", "security", "audit", "adapters", "fhir_profiles"} or name.startswith("tests.support"):
            raise ImportError(name + " is of the hub")

sys.meta_path.insert(0, Nothing())
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """A place with a file of a target, from which the suite is run."""

    directory: Path

    @property
    def file(self) -> Path:
        return self.directory / "target.json"

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        (self.directory / "without_hub.py").write_text(WITHOUT_HUB)
        environment = {**os.environ, "HUB_SMART_TARGET": str(self.file), "PYTHONPATH": str(self.directory)}
        command = [sys.executable, "-m", "pytest", "-q", "-p", "without_hub", "-p", "no:cacheprovider", f"--confcutdir={SUITE}", *arguments]
        return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment, timeout=RUN_S, check=False)


@pytest.fixture(scope="module")
def elsewhere(running: Running, tmp_path_factory: pytest.TempPathFactory) -> Elsewhere:
    """A hub that runs already, and the command of the page."""
    made = Elsewhere(directory=tmp_path_factory.mktemp("elsewhere"))
    main(str(running.process.data_dir), running.process.url, str(made.file))
    return made


def test_the_file_is_as_the_page_shows_it_and_for_its_owner_alone(elsewhere: Elsewhere) -> None:
    """It holds passwords and names keys: nobody else reads them."""
    files = [elsewhere.file, *elsewhere.directory.glob("*.pem")]
    assert {one.stat().st_mode & 0o777 for one in files} == {0o600}
    shown = json.loads((ROOT / "docs/smart.md").read_text().split("```json\n")[1].partition("```")[0])
    given = json.loads(elsewhere.file.read_text())
    for part in ("apps", "people"):
        assert given[part].keys() == shown[part].keys()
    assert set(read_target(elsewhere.file).apps) == set(shown["apps"])


def at(elsewhere: Elsewhere, directory: Path, fhir: str) -> Elsewhere:
    """The same file, but for where the server is."""
    moved = Elsewhere(directory=directory)
    for one in elsewhere.directory.glob("*.pem"):
        (directory / one.name).write_bytes(one.read_bytes())
    moved.file.write_text(json.dumps({**json.loads(elsewhere.file.read_text()), "fhir": fhir}))
    return moved


def test_every_file_of_the_suite_is_read_without_the_hub(elsewhere: Elsewhere, tmp_path: Path) -> None:
    """What is looked at is not what looks. What is said of TLS is said of who speaks it."""
    done = at(elsewhere, tmp_path, "https://ehr.example/fhir").run("--collect-only", SUITE)
    assert done.returncode == 0, done.stdout + done.stderr
    assert all(f"{SUITE}/{one.name}" in done.stdout for one in (ROOT / SUITE).glob("test_*.py"))


def test_the_suite_passes_by_the_file_alone(elsewhere: Elsewhere) -> None:
    """A part of it, with apps of each kind, both people, and the pages; the whole is run against the tests' own hub."""
    parts = ("test_discovery", "test_launch", "test_ehr_launch", "test_backend", "test_introspection")
    done = elsewhere.run("-x", *(f"{SUITE}/{one}.py" for one in parts))
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_server_that_is_not_there_fails_and_no_other_is_looked_at_in_its_place(elsewhere: Elsewhere, tmp_path: Path) -> None:
    """Who names a target is told of that one, or of none."""
    done = at(elsewhere, tmp_path, "http://127.0.0.1:9/fhir").run("-x", f"{SUITE}/test_discovery.py")
    assert (done.returncode, "ConnectError" in done.stdout) == (1, True), done.stdout
