"""File locks. flock is released by the kernel when its holder dies, so a stale lock file is never an obstacle."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from hub.store.embedded.errors import AlreadyServed, NoDatabase, not_writable

MUTEX_TIMEOUT_S = 60
"""Longer than a start or a stop of mongod may take, because one of the two goes on inside."""
MUTEX_POLL_S = 0.01


@contextmanager
def hub_lock(path: Path) -> Iterator[None]:
    """Held by the serving hub for its life. Raises AlreadyServed and names the process that holds it."""
    handle = _open(path)
    try:
        if not _try(handle, fcntl.LOCK_EX):
            holder = os.pread(handle, 20, 0).decode("ascii", "replace").strip() or "unknown"
            raise AlreadyServed(
                f"another hub (pid {holder}) serves {path.parent}; stop it first, or choose another directory with --data-dir"
            )
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(handle)


@contextmanager
def mutex(path: Path) -> Iterator[None]:
    """One process at a time looks for, starts or stops mongod."""
    handle = _open(path)
    try:
        deadline = time.monotonic() + MUTEX_TIMEOUT_S
        while not _try(handle, fcntl.LOCK_EX):
            if time.monotonic() > deadline:
                raise NoDatabase(f"{path} has been held by another command for {MUTEX_TIMEOUT_S} s; end that command and try again")
            time.sleep(MUTEX_POLL_S)
        yield
    finally:
        os.close(handle)


class Share:
    """One user of the running mongod. Taken and given back inside the mutex."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle: int | None = None

    @property
    def taken(self) -> bool:
        return self._handle is not None

    def take(self) -> None:
        self._handle = _open(self._path)
        fcntl.flock(self._handle, fcntl.LOCK_SH)

    def give_back(self) -> bool:
        """True for the last one out; giving back what was not taken says False."""
        if self._handle is None:
            return False
        last = _try(self._handle, fcntl.LOCK_EX)
        os.close(self._handle)
        self._handle = None
        return last


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise not_writable(path, error) from error


def _try(handle: int, kind: int) -> bool:
    with suppress(BlockingIOError):
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
        return True
    return False
