"""`hub demo run`, what `make run` calls: serves, loads once, prints three commands that work as printed, ends in order (DESIGN 4)."""

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Timer

import pytest
from typer.testing import CliRunner

from hub.cli.main import app
from hub.demo.accounts import KEPT
from hub.demo.leaflet import Leaflet, typed
from tests.support.process import free_port
from tests.support.signing_in import COOKIE, sent, visitor

ROOT = Path(__file__).resolve().parents[3]
HUB = Path(sys.executable).with_name("hub")
SMALL = ("--patients", "3", "--days", "1")
WAIT_S = 300
WORDS = re.compile(r"(?:[0-9a-z]{4}-){3}[0-9a-z]{4}")
"""A password of the demo."""

LEAFLET = Leaflet(
    base_url="http://127.0.0.1:8000",
    hub=".venv/bin/hub",
    python=".venv/bin/python",
    data_dir="with a blank/.hub-data",
    ehr="demo-ehr-1",
    ehr_key="with a blank/.hub-data/demo-ehr.pem",
    compliance="demo-compliance-1",
    compliance_key="with a blank/.hub-data/demo-compliance.pem",
)


@contextmanager
def running(data_dir: Path, port: int) -> Iterator["subprocess.Popen[str]"]:
    """The command in the checkout, as `make run` starts it; in a process group of its own, as a shell would."""
    command = [HUB, "demo", "run", "--port", str(port), "--data-dir", str(data_dir), *SMALL]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HUB_")}
    with (data_dir.parent / "stderr").open("ab") as errors:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True, start_new_session=True
        )
    with process, watched(process):
        try:
            yield process
        finally:
            killed(process)


@contextmanager
def watched(process: "subprocess.Popen[str]") -> Iterator[None]:
    """What never says its last line, or never ends, fails the test instead of holding it."""
    timer = Timer(WAIT_S * 2, killed, [process])
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def killed(process: "subprocess.Popen[str]") -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)


def printed(process: "subprocess.Popen[str]") -> str:
    """Everything up to the last line of what it tells."""
    lines = []
    assert process.stdout is not None
    for line in process.stdout:
        lines.append(line)
        if line.startswith("Ctrl-C"):
            return "".join(lines)
    raise AssertionError("".join(lines) or "it said nothing")


def commands(text: str) -> list[str]:
    """The indented lines under the sentence that announces them."""
    return [line.strip() for line in text.partition("Three commands")[2].splitlines() if line.startswith("  ")]


def ended(process: "subprocess.Popen[str]", number: int) -> int:
    """As the terminal does it for Ctrl-C: the signal goes to the whole group; as an init does it for SIGTERM: to the process."""
    if number == signal.SIGINT:
        os.killpg(process.pid, number)
    else:
        process.send_signal(number)
    return process.wait(WAIT_S)


@pytest.mark.database
def test_the_three_commands_work_as_printed_and_a_second_start_loads_nothing(tmp_path: Path) -> None:
    """DESIGN 4: `make run` prints the addresses, demo logins and three commands to try."""
    data_dir, port = tmp_path / "with a blank" / "data", free_port()
    data_dir.parent.mkdir()
    with running(data_dir, port) as process:
        first = printed(process)
        assert signs_in(port, *re.findall(rf"(demo-patient-1)  ({WORDS.pattern})", first)[0])
        lines = commands(first)
        assert len(lines) == 3
        token, search, audit = run_in_shell(lines)
        assert token == ""
        entries = json.loads(search)["entry"]
        assert {entry["resource"]["code"]["coding"][0]["code"] for entry in entries} == {"85354-9"}
        shown = json.loads(audit)
        assert {one["what"] for one in shown} == {"search-type", "ITI-71"}
        assert {entry["resource"]["subject"]["reference"] for entry in entries} <= {one["patient"] for one in shown} | patients_of(shown)
        assert ended(process, signal.SIGTERM) == 0
    assert modes(data_dir) == {0o600}
    assert not mongod_runs(data_dir)

    before = (tmp_path / "with a blank" / "stderr").read_text()
    with running(data_dir, port) as process:
        assert WORDS.sub(KEPT, first) == printed(process)
        assert ended(process, signal.SIGINT) == 0
    assert "demo data" not in (tmp_path / "with a blank" / "stderr").read_text().removeprefix(before)
    assert not mongod_runs(data_dir)


def signs_in(port: int, login: str, password: str) -> bool:
    """With what was printed, as a browser would."""
    with visitor(f"http://127.0.0.1:{port}") as client:
        return COOKIE in str(sent(client, "/account/sign-in", {"login": login, "password": password}).headers.get_list("set-cookie"))


def run_in_shell(lines: list[str]) -> list[str]:
    """One after the other in one shell, in the checkout; what each of them wrote."""
    script = "\necho '==='\n".join(lines)
    done = subprocess.run(["bash", "-e", "-u", "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=WAIT_S, check=False)
    assert done.returncode == 0, done.stderr
    return [part.strip() for part in done.stdout.split("===\n")]


def patients_of(shown: list[dict[str, object]]) -> set[str]:
    return set(re.findall(r"Patient/[\w-]+", json.dumps(shown)))


def modes(data_dir: Path) -> set[int]:
    return {path.stat().st_mode & 0o777 for path in data_dir.glob("*.pem")}


def mongod_runs(data_dir: Path) -> bool:
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    return any("mongod" in line and str(data_dir) in line for line in listed.splitlines())


@pytest.mark.database
def test_who_ends_it_while_it_loads_finds_everything_in_order_the_next_time(tmp_path: Path) -> None:
    """Law 5: what was not acknowledged may be missing, and is loaded then; nothing needs help."""
    data_dir, port = tmp_path / "data", free_port()
    with running(data_dir, port) as process:
        while not (data_dir / "demo.lock").exists():
            with suppress(subprocess.TimeoutExpired):
                assert process.wait(0.01) is None
        assert ended(process, signal.SIGINT) == 0
    assert "Traceback" not in (tmp_path / "stderr").read_text()
    assert not mongod_runs(data_dir)
    with running(data_dir, port) as process:
        assert len(commands(printed(process))) == 3
        assert ended(process, signal.SIGINT) == 0


@pytest.mark.database
def test_a_port_that_is_taken_is_said_and_nothing_is_left_running(tmp_path: Path) -> None:
    """DESIGN 4: errors go to stderr with exit code 1."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with running(tmp_path / "data", taken.getsockname()[1]) as process:
            assert process.wait(WAIT_S) == 1
    assert "choose another --port" in (tmp_path / "stderr").read_text()
    assert not mongod_runs(tmp_path / "data")


def test_what_is_printed_can_be_pasted_whatever_the_paths_are() -> None:
    """POSIX shell, 2.2: a path with a blank is one word."""
    token, search, audit = LEAFLET.commands()
    assert shlex.split(token.removeprefix("TOKEN=$(").removesuffix(")"))[-1] == LEAFLET.ehr_key
    assert "http://127.0.0.1:8000/fhir/Observation?code=http://loinc.org|85354-9&_sort=-date&_count=2" in shlex.split(search)
    assert shlex.split(audit)[-2:] == ["--data-dir", LEAFLET.data_dir]
    assert commands(LEAFLET.text()) == list(LEAFLET.commands())


def test_what_is_printed_names_addresses_and_clients_and_no_password() -> None:
    """DESIGN 4: addresses, demo logins."""
    text = LEAFLET.text()
    for word in ("http://127.0.0.1:8000/fhir/metadata", "demo-ehr-1", "demo-compliance-1", "system/AuditEvent.rs", LEAFLET.compliance_key):
        assert word in text


@pytest.mark.parametrize(
    ("path", "shown"), [(".hub-data", ".hub-data"), ("/here/.hub-data", ".hub-data"), ("/elsewhere/data", "/elsewhere/data")]
)
def test_a_path_is_shown_as_one_types_it_here(path: str, shown: str) -> None:
    """DESIGN 4: the commands are for the directory in which `make run` was called."""
    assert typed(Path(path), Path("/here")) == shown


@pytest.mark.parametrize(
    "flags",
    [("--until", "2999-01-01"), ("--until", "yesterday"), ("--until", "2020-01-03", "--days", "5"), ("--days", "0"), ("--patients", "0")],
)
def test_a_load_that_cannot_be_is_wrong_use(flags: tuple[str, ...], tmp_path: Path) -> None:
    """DESIGN 4: wrong use is 2; nothing has been started then."""
    result = CliRunner().invoke(app, ["demo", "load", "--data-dir", str(tmp_path / "data"), *flags])
    assert result.exit_code == 2
    assert not (tmp_path / "data").exists()
