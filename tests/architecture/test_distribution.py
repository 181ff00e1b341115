"""One distribution, its dependencies and their locks: DESIGN 3, 4 and 8."""

import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.architecture.tree import MODULES, ROOMS, ROOT, imported

PYPROJECT = (ROOT / "pyproject.toml").read_text()
PROJECT = tomllib.loads(PYPROJECT)["project"]
GROUPS = tomllib.loads(PYPROJECT)["dependency-groups"]
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))

MODULE_OF = {
    "pyyaml": "yaml",
    "python-jsonpath": "jsonpath",
    "pydantic-settings": "pydantic_settings",
    "prometheus-client": "prometheus_client",
    "google-re2": "re2",
    "paho-mqtt": "paho",
    "argon2-cffi": "argon2",
}
BROUGHT = {"bson"}
"""Part of another distribution by its maker's will: pymongo provides it, and nobody else may."""
NOT_IMPORTED = {
    "httptools": "uvicorn is told its name",
    "tzdata": "read as data",
}


def normalised(requirement: str) -> str:
    """https://packaging.python.org/en/latest/specifications/name-normalization/"""
    name = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert name is not None
    return re.sub(r"[-_.]+", "-", name[0]).lower()


def pins(lock: Path) -> dict[str, str]:
    """Name -> version, as locked."""
    return {normalised(name): version for name, version in re.findall(r"^([\w.-]+)==([^ ;]+)", lock.read_text(), re.MULTILINE)}


NEEDED = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["embedded"]]
REQUIRED = [*NEEDED, *GROUPS["build"], *GROUPS["dev"], *GROUPS["fuzz"], *GROUPS["lock"]]
RUN = {normalised(one) for one in PROJECT["dependencies"]}


@pytest.mark.parametrize("room", ROOMS)
def test_no_other_distribution_provides_a_room(room: str) -> None:
    """docs/adr/0001: our names are short, so nothing else in this environment may bear them."""
    assert set(packages_distributions().get(room, ())) <= {"hds-hub"}


def test_the_project_cannot_be_uploaded_by_mistake() -> None:
    """DESIGN 3: package indexes refuse what bears this classifier."""
    assert "Private :: Do Not Upload" in PROJECT["classifiers"]


@pytest.mark.parametrize("requirement", REQUIRED)
def test_a_dependency_says_why_it_is_there(requirement: str) -> None:
    """DESIGN 8: every dependency has its reason in pyproject."""
    line = next(line for line in PYPROJECT.splitlines() if line.strip().startswith(f'"{requirement}"'))
    assert re.search(r'",?\s+# \S', line)


def test_what_is_imported_is_declared() -> None:
    """Nothing rests on what another dependency happens to bring along."""
    names = {name.split(".")[0] for path in MODULES for name in imported(path)} - set(ROOMS) - set(sys.stdlib_module_names)
    assert names <= {MODULE_OF.get(name, name) for name in RUN} | BROUGHT


def test_what_is_declared_is_used() -> None:
    names = {name.split(".")[0] for path in MODULES for name in imported(path)}
    assert {name for name in RUN if MODULE_OF.get(name, name) not in names} == set(NOT_IMPORTED)


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_a_lock_holds_hashes_and_no_address(lock: Path) -> None:
    """DESIGN 8: lock files name no index and no download address (hashes only)."""
    text = lock.read_text()
    entries = re.split(r"\n(?=[a-z0-9])", "\n" + "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#")))
    assert len(pins(lock)) == len(entries) - 1
    assert all("--hash=sha256:" in entry for entry in entries[1:])
    assert re.search(r"://|--(?:extra-)?index|--find-links", text) is None


def test_the_locks_agree() -> None:
    """What the tests ran with is what the image and `make run` run with."""
    tested = pins(ROOT / "requirements/dev.txt")
    for name in ("run", "local", "build"):
        assert pins(ROOT / f"requirements/{name}.txt").items() <= tested.items()


def test_the_locks_hold_what_pyproject_asks_for() -> None:
    """A dependency added without `make lock` is noticed here."""
    embedded = {normalised(one) for one in PROJECT["optional-dependencies"]["embedded"]}
    build, dev = {normalised(one) for one in GROUPS["build"]}, {normalised(one) for one in GROUPS["dev"]}
    assert pins(ROOT / "requirements/run.txt").keys() >= RUN
    assert pins(ROOT / "requirements/run.txt").keys().isdisjoint(embedded)
    assert pins(ROOT / "requirements/local.txt").keys() >= RUN | embedded | build
    assert pins(ROOT / "requirements/dev.txt").keys() >= RUN | embedded | build | dev
