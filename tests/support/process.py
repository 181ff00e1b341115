"""The hub as a process, driven from outside: started, killed, asked over HTTP and by its commands (DESIGN 4)."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import SystemRandom
from typing import Any

from typer.testing import CliRunner

from hub.cli.main import app
from hub.store.embedded.process import is_free

HUB = Path(sys.executable).with_name("hub")
READY_S = 240
STOP_S = 120
COMMAND_S = 400
"""Only what hangs takes so long, on a machine with ten times as much to do as it can."""
POLL_S = 0.02
PORTS = range(10_000, 20_000)
PAGES = "https://app.example"
"""An origin whose pages may call the hub."""
ENVIRONMENT = {
    **os.environ,
    "HUB_CORS_ORIGINS": PAGES,
    "HUB_JWKS_ALLOW_LOOPBACK": "true",
    "HUB_MONGODB_CACHE_GB": "0.25",
    "HUB_SWEEP_S": "604800",  # a test that looks at what an act left is alone: after its start a hub writes nothing of its own accord
    "HUB_WATCH_S": "86400",
    "PYTHONDONTWRITEBYTECODE": "",  # not every command shall compile the hub anew
    "PYTHONWARNINGS": "error::ResourceWarning",
}


def free_port() -> int:
    """One that stays free until it is bound: not of those that the kernel gives to any connection, nor of those of a hub's mongod."""
    for port in SystemRandom().sample(PORTS, len(PORTS)):
        if is_free(port):
            return port
    raise AssertionError(f"no free port between {PORTS.start} and {PORTS.stop}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        return json.loads(self.out)

    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines() if line.startswith("{")]


class HubProcess:
    """`hub serve` on a data directory. Its own process group, so that a kill reaches everything it started.

    secure    the flags make it speak TLS
    settings  HUB_… beside those of all tests
    """

    def __init__(self, data_dir: Path, *flags: str, port: int | None = None, secure: bool = False, **settings: str) -> None:
        self._scheme = "https" if secure else "http"
        self.data_dir = data_dir
        self._environment = {**ENVIRONMENT, **settings}
        self.port = port or free_port()
        self.output = data_dir.parent / f"{data_dir.name}.output"
        self._flags = flags
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> "HubProcess":
        """Returns when the hub has said `ready`."""
        self.output.touch()
        since = self.output.stat().st_size
        command = [str(HUB), "serve", "--port", str(self.port), "--data-dir", str(self.data_dir), *self._flags]
        with self.output.open("ab") as output:
            self._process = subprocess.Popen(
                command, stdout=output, stderr=subprocess.STDOUT, start_new_session=True, env=self._environment
            )
        deadline = time.monotonic() + READY_S
        while b"ready http" not in (said := self.output.read_bytes()[since:]):
            assert self._process.poll() is None, said.decode(errors="replace")
            assert time.monotonic() < deadline, f"not ready after {READY_S} s: {said.decode(errors='replace')}"
            time.sleep(POLL_S)
        return self

    def stop(self) -> int:
        """As an operator stops it; its exit code."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.kill_all()
            raise

    def kill(self) -> None:
        """kill -9 of the hub alone; its mongod is an orphan then, or dies with it."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(STOP_S)

    def kill_all(self) -> None:
        """kill -9 of everything it started."""
        assert self._process is not None
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(STOP_S)

    def mongod_pid(self) -> int | None:
        """The process id that its lock file names."""
        with suppress(OSError, ValueError):
            return int((self.data_dir / "mongodb" / "data" / "mongod.lock").read_text())
        return None

    def command(self, *arguments: str, data: bool = True) -> Done:
        """`hub …` as a process, with the data directory unless the command goes over HTTP."""
        return command(*arguments, *(("--data-dir", str(self.data_dir)) if data else ()))

    def invoke(self, *arguments: str) -> Done:
        """The same inside the test's own process: a second sooner."""
        return invoke(*arguments, "--data-dir", str(self.data_dir))


def command(*arguments: str) -> Done:
    done = subprocess.run(
        [str(HUB), *arguments],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        timeout=COMMAND_S,
        env=ENVIRONMENT,
    )
    return Done(code=done.returncode, out=done.stdout, err=done.stderr)


def invoke(*arguments: str) -> Done:
    run = partial(CliRunner().invoke, app, list(arguments))
    if _loop_runs_here():  # that of a browser of the same file; elsewhere here, for a command that minds signals needs the main thread
        with ThreadPoolExecutor(1) as thread:
            done = thread.submit(run).result()
    else:
        done = run()
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return Done(code=done.exit_code, out=done.stdout, err=done.stderr)


def _loop_runs_here() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
