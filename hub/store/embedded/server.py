"""One mongod per data directory: found, started, shared and ended."""

import time
from dataclasses import dataclass, field
from pathlib import Path

from pymongo.errors import OperationFailure, PyMongoError

from hub.store.embedded import process
from hub.store.embedded.binary import find_mongod
from hub.store.embedded.bootstrap import ADMIN_USER, HUB_USER, bootstrap, url
from hub.store.embedded.errors import NoDatabase
from hub.store.embedded.files import Layout, credentials, key, remember_port, remembered_port
from hub.store.embedded.locks import Share, mutex
from hub.store.embedded.process import Running

START_TIMEOUT_S = 45
"""A start after kill -9 replays the journal: 0.5 to 1 s were seen, a large database may take longer."""
START_TRIES_MAX = 3
POLL_S = 0.005
CACHE_GB = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where the database answers. URLs carry credentials and therefore stay out of `repr`.

    admin_url  None for a MongoDB of the operator's own
    managed    True if the hub started, and will end, the server
    embedded   the handle that `watch` takes; None if not managed
    """

    url: str = field(repr=False)
    admin_url: str | None = field(default=None, repr=False)
    managed: bool
    embedded: "Embedded | None" = field(default=None, repr=False, compare=False)


class Embedded:
    """The private mongod of one data directory, as one of its users (a hub, a command) sees it."""

    def __init__(self, files: Layout, *, cache_gb: float = CACHE_GB) -> None:
        self._files = files
        self._cache_gb = cache_gb
        self._share = Share(files.share)
        self._port: int | None = None

    @property
    def pid(self) -> int | None:
        found = process.running(self._files)
        return found.pid if found else None

    @property
    def log(self) -> Path:
        """What happened to the server; never with which values."""
        return self._files.log

    def is_alive(self) -> bool:
        """Does mongod run where our clients look for it?"""
        found = process.running(self._files)
        return found is not None and found.port == self._port

    def enter(self) -> Endpoint:
        """Use the running mongod, or start one. Raises NoDatabase, OSError. `leave` is due in either case."""
        with mutex(self._files.mutex):
            self._share.take()
            self._port = self._ensure_running().port
        known = credentials(self._files)
        return Endpoint(
            url=url(HUB_USER, known.hub, self._port),
            admin_url=url(ADMIN_USER, known.admin, self._port),
            managed=True,
            embedded=self,
        )

    def ensure_running(self) -> None:
        """Start mongod again if it died, where our clients look for it. Raises NoDatabase, OSError."""
        with mutex(self._files.mutex):
            if self._share.taken and self._ensure_running().port != self._port:
                raise NoDatabase("mongod was started on another port by another command; restart the hub")

    def leave(self) -> None:
        """The last one out ends mongod."""
        if not self._share.taken:
            return
        with mutex(self._files.mutex):
            found = process.running(self._files)
            if self._share.give_back() and found:
                process.stop(found, self._files)

    def _ensure_running(self) -> Running:
        deadline = time.monotonic() + START_TIMEOUT_S
        while found := process.running(self._files):
            if self._came_up(found, deadline):
                return found
        return self._start(deadline)

    def _start(self, deadline: float) -> Running:
        since = process.log_size(self._files)
        for _ in range(START_TRIES_MAX):
            launched = self._launch()
            if self._came_up(launched, deadline):
                return launched
            # One that was just being started when its starter was killed had not yet taken the files when we looked.
            other = process.running(self._files)
            if other and self._came_up(other, deadline):
                return other
            if process.is_free(launched.port):
                break
        raise NoDatabase(f"mongod ended while starting: {process.last_words(self._files, since)} ({self._files.log})")

    def _launch(self) -> Running:
        port = process.free_port(self._port or remembered_port(self._files))
        if self._port not in {None, port}:
            raise NoDatabase(f"port {self._port} of the embedded mongod was taken by another program")
        key(self._files)
        remember_port(self._files, port)
        return Running(process.launch(find_mongod(), self._files, port=port, cache_gb=self._cache_gb), port)

    def _came_up(self, found: Running, deadline: float) -> bool:
        """Wait until it answers (True) or is gone (False): what runs but does not answer is starting or ending."""
        failure = "no answer"
        while process.running_as(found.pid, self._files):
            if time.monotonic() > deadline:
                raise NoDatabase(f"mongod (pid {found.pid}) is not usable after {START_TIMEOUT_S} s: {failure} ({self._files.log})")
            if process.listens(found.port):
                try:
                    bootstrap(found.port, key(self._files), credentials(self._files))
                except OperationFailure as error:
                    failure = f"error {error.code}"
                except PyMongoError as error:
                    failure = type(error).__name__
                else:
                    return True
            time.sleep(POLL_S)
        return False
