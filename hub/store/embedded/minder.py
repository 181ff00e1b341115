"""The parent of mongod: a process of its own, run by path, that needs nothing but the standard library.

    python -I -S minder.py LOG MONGOD ARGUMENT…

It prints mongod's process id and goes to the background. It is there for three things that mongod cannot do:

- Ctrl-C reaches every process of the terminal's group, and mongod waits for SIGINT even if told to ignore it. mongod
  therefore gets a group of its own and goes on until the hub has drained and ends it by SIGTERM.
- kill -9 of the hub's whole process group must end mongod too. The minder stays in that group, and mongod asks the kernel
  to be killed with its parent (Linux only; elsewhere the next start adopts the orphan).
- mongod writes the text of a failed query into its log. The minder keeps what happened and drops with which values.
"""

import ctypes
import json
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

LOG_BYTES_MAX = 10_000_000
OUTLIVED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
PR_SET_PDEATHSIG = 1
EXIT_CANNOT_RUN = 127

TOLD = ("CONTROL",)
"""Components whose information is kept: start and end of the server."""
EXPLAINED = ("CONTROL", "STORAGE", "NETWORK")
"""Components whose attributes are kept: paths, ports and error codes, never a command or a document."""


def main(log: Path, command: Sequence[str]) -> None:
    if os.fork():
        return
    for one in OUTLIVED:
        signal.signal(one, signal.SIG_IGN)
    readable, writable = os.pipe()
    minder = os.getpid()
    pid = os.fork()
    if pid == 0:
        become(command, writable, minder)
    os.close(writable)
    os.write(1, f"{pid}\n".encode())
    leave_standard_streams()
    keep_log(readable, log)
    os.waitpid(pid, 0)


def become(command: Sequence[str], output: int, minder: int) -> None:
    """Turn this process into mongod. Does not return."""
    os.setpgid(0, 0)
    for one in OUTLIVED:
        signal.signal(one, signal.SIG_DFL)
    os.dup2(output, 1)
    os.dup2(output, 2)
    die_with(minder)
    try:
        os.execv(command[0], list(command))  # noqa: S606 - there is no shell to be had here, on purpose
    except OSError as error:
        os.write(2, f"{command[0]}: {error.strerror}\n".encode())
    os._exit(EXIT_CANNOT_RUN)


def die_with(minder: int) -> None:
    """prctl(2): the wish survives execve. If the parent is gone already there is nobody left to die with."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != minder:
            os._exit(EXIT_CANNOT_RUN)


def leave_standard_streams() -> None:
    """Whoever waits for the end of our output must not wait for mongod's."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)


def keep_log(readable: int, log: Path) -> None:
    """Until mongod ends. A log that cannot be written (disk full) must not stop the database."""
    with os.fdopen(readable, "rb") as lines:
        for line in lines:
            text = kept(line)
            if text is not None:
                try:
                    append(log, text)
                except OSError:
                    continue


def kept(line: bytes) -> bytes | None:
    """What of a line of mongod's log stays: warnings and errors, start and end; None for the rest.

    Messages are constants of the server; everything variable is in `attr`.
    https://www.mongodb.com/docs/v6.0/reference/log-messages/#structured-logging
    """
    try:
        entry = json.loads(line)
    except ValueError:
        return line  # written before logging began, e.g. by the loader
    if not isinstance(entry, dict) or (entry.get("s") == "I" and entry.get("c") not in TOLD):
        return None
    if entry.get("c") not in EXPLAINED:
        entry.pop("attr", None)
    return json.dumps(entry, separators=(",", ":")).encode() + b"\n"


def append(log: Path, text: bytes) -> None:
    handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        os.write(handle, text)
        full = os.fstat(handle).st_size > LOG_BYTES_MAX
    finally:
        os.close(handle)
    if full:
        log.replace(log.with_name(log.name + ".1"))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
