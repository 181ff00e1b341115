"""mongod as a process: its command line, starting it, finding it again, ending it."""

import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from hub.store.embedded.errors import NoDatabase
from hub.store.embedded.files import Layout

LOOPBACK = "127.0.0.1"
REPLICA_SET = "hub"
STOP_TIMEOUT_S = 30
POLL_S = 0.005
EXEC_ASKS_MAX = 50
EXEC_POLL_S = 0.001
MINDER = Path(__file__).with_name("minder.py")

PORTS = range(20_000, 32_000)
"""Below the ports that systems give to outgoing connections, so that ours is still free at the next start."""
PORT_TRIES_MAX = 100
PORT_RELEASE_S = 0.2
TRANSACTION_S = 20
"""After that mongod gives up a transaction. What a killed hub had begun holds its rows until then; a round takes far less."""
SCRAM_ITERATIONS = 5_000
"""The least that mongod takes."""

ARGUMENTS = (
    *("--bind_ip", LOOPBACK),
    *("--replSet", REPLICA_SET),  # transactions need a replica set, of one member here
    "--nounixsocket",  # a socket path in a deep data directory would be too long
    "--quiet",
    *("--slowms", "2147483647"),  # a slow query is logged with the values it looks for: never
    *("--slowOpSampleRate", "0"),
    "--noscripting",  # no JavaScript inside queries: the hub uses none
    *("--oplogSize", "512"),  # MB; the only reader is crash recovery
    *("--wiredTigerEngineConfigString", "log=(file_max=16MB)"),  # a start reads the last file to its end, and most of 100 MB is nothing yet
    *("--setParameter", "diagnosticDataCollectionEnabled=false"),
    *("--setParameter", f"transactionLifetimeLimitSeconds={TRANSACTION_S}"),
    # Iterations make up for passwords that can be guessed. Ours are drawn, 192 bits at least, and each start would pay for them.
    *("--setParameter", f"scramSHA256IterationCount={SCRAM_ITERATIONS}"),
    *("--setParameter", f"scramIterationCount={SCRAM_ITERATIONS}"),
    *("--setParameter", "enableLocalhostAuthBypass=false"),  # also before the first user exists nobody gets in without the key file
)


@dataclass(frozen=True, slots=True)
class Running:
    """A live mongod of this data directory."""

    pid: int
    port: int


def launch(binary: Path, files: Layout, *, port: int, cache_gb: float) -> int:
    """Start mongod under its minder; its process id. That it answers is another matter."""
    command = [
        *(str(binary), *_of(files.data), "--port", str(port)),
        *("--keyFile", str(files.key_file), "--wiredTigerCacheSizeGB", f"{cache_gb:g}"),
        *ARGUMENTS,
    ]
    minded = [sys.executable, "-I", "-S", str(MINDER), str(files.log), *command]
    done = subprocess.run(minded, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if done.returncode or not done.stdout:
        raise NoDatabase(f"mongod could not be started: {done.stderr.decode('utf-8', 'replace').strip()}")
    return int(done.stdout)


def running(files: Layout) -> Running | None:
    """The mongod that has our files open, whoever started it. A stale or reused process id is seen through."""
    try:
        pid = int(files.pid_file.read_text())
    except (FileNotFoundError, ValueError):
        return None
    return running_as(pid, files)


def running_as(pid: int, files: Layout) -> Running | None:
    """`pid` if that process is (still) a mongod on our files."""
    found = re.search(re.escape(" ".join(_of(files.data))) + r" --port (\d+) ", _command_line(pid))
    return Running(pid, int(found[1])) if found else None


def stop(process: Running, files: Layout) -> None:
    """SIGTERM, so that it writes a checkpoint; SIGKILL if it does not come to an end (the journal bears that)."""
    for one in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.kill(process.pid, one)
        if _gone(process, files):
            return


def _gone(process: Running, files: Layout) -> bool:
    deadline = time.monotonic() + STOP_TIMEOUT_S
    while running_as(process.pid, files):
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_S)
    return True


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with suppress(OSError):
            probe.bind((LOOPBACK, port))
            return True
    return False


def listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection((LOOPBACK, port), timeout=1):
        return True
    return False


def free_port(remembered: int | None) -> int:
    """The port of last time if it is free, else another. Raises NoDatabase if none is."""
    if remembered and _becomes_free(remembered):
        return remembered
    for port in random.SystemRandom().sample(PORTS, PORT_TRIES_MAX):
        if is_free(port):
            return port
    raise NoDatabase(f"no free port on {LOOPBACK} between {PORTS.start} and {PORTS.stop} for mongod")


def _becomes_free(port: int) -> bool:
    """A killed process is gone a moment before its sockets are."""
    deadline = time.monotonic() + PORT_RELEASE_S
    while not is_free(port):
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_S)
    return True


def log_size(files: Layout) -> int:
    return files.log.stat().st_size if files.log.exists() else 0


def last_words(files: Layout, since: int) -> str:
    """Why mongod ended: the last error line that its log got after byte `since`, in the server's words."""
    with suppress(FileNotFoundError):
        for line in reversed(files.log.read_bytes()[since:].splitlines()):
            if words := _error(line):
                return words
    return "it left no reason"


def _error(line: bytes) -> str | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return line.decode("utf-8", "replace").strip()
    if entry.get("s") not in {"E", "F"}:
        return None
    return f"{entry['msg']} {json.dumps(entry['attr']) if 'attr' in entry else ''}".strip()


def _of(data: Path) -> tuple[str, str]:
    return "--dbpath", str(data)


def _command_line(pid: int) -> str:
    """Arguments joined by blanks; empty for a process that is gone or a zombie."""
    if sys.platform != "linux":
        listed = subprocess.run(["/bin/ps", "-ww", "-o", "args=", "-p", str(pid)], capture_output=True, text=True, check=False)
        return listed.stdout.strip() + " "
    for _ in range(EXEC_ASKS_MAX):
        try:
            line = os.fsdecode(Path(f"/proc/{pid}/cmdline").read_bytes())
        except OSError:
            return ""
        if line:
            return line.replace("\0", " ")
        time.sleep(EXEC_POLL_S)  # in the middle of execve a process has no arguments for an instant
    return ""
