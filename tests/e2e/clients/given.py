"""What each foreign client is given: a registered client's token, and resources to send. The steps are the same for all of them.

capabilities; create a Patient and a Consent; create, read, update, vread, history, delete an Observation; search, page by page by
the client's own means; include; transaction; patch; conditional create; and errors as the client's own exceptions.
"""

import fcntl
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.caller import Caller

HERE = Path(__file__).parent
CACHE = HERE / ".cache"
"""What npm and maven bring; kept between runs, ignored by git."""
INSTALL_S, RUN_S = 600, 240
STEPS = (
    "capabilities",
    "create-patient-and-consent",
    "create",
    "read",
    "update",
    "vread",
    "history",
    "search",
    "paging",
    "include",
    "patch",
    "conditional-create",
    "transaction",
    "delete",
    "gone",
    "not-found",
    "stale",
    "invalid",
)


def need(*commands: str) -> None:
    """Skip where the toolchain is not there."""
    missing = [command for command in commands if shutil.which(command) is None]
    if missing:
        pytest.skip(f"not on this machine: {', '.join(missing)} (Debian: apt install nodejs npm default-jdk-headless maven)")


@contextmanager
def once(name: str) -> Iterator[Path]:
    """The folder of a client in the cache, for one process at a time."""
    folder = CACHE / name
    folder.mkdir(parents=True, exist_ok=True)
    with (CACHE / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder


def run(command: list[str], cwd: Path, seconds: int = INSTALL_S, **environment: str) -> str:
    done = subprocess.run(command, cwd=cwd, env={**os.environ, **environment}, capture_output=True, text=True, timeout=seconds, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr)[-4_000:]
    return done.stdout


def steps_of(output: str) -> list[str]:
    """Clients in other languages print `done STEP` for each step that went as it must."""
    return [line.removeprefix("done ") for line in output.splitlines() if line.startswith("done ")]


def environment(caller: Caller) -> dict[str, str]:
    return {"BASE": caller.base, "TOKEN": caller.token, "MARK": json.dumps(caller.token[-12:])[1:-1]}
