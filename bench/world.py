"""A hub to measure: `hub serve` as its own process on a data directory of its own, and what it takes to be let in."""

import asyncio
import json
import os
import random
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlencode

from bench.load import Load, Measured, request, run
from hub.instants import now_us
from hub.operator import Operator
from hub.settings import Settings
from hub.store.embedded import Endpoint, sharing
from hub.store.embedded.process import is_free
from hub.wiring import Hub, open_hub
from security.oauth.client import client_assertion, token_form
from security.oauth.clients import Client, new_client_keys

T = TypeVar("T")

CLIENT = "bench"
SCOPES = "system/*.cruds"
TOKEN_AGE_MAX_S = 150
"""Half of a token's life: what is prepared with it can be sent before it ends."""
READY_TIMEOUT_S = 60
FHIR = ("Content-Type", "application/fhir+json")
PORTS = range(10_000, 20_000)
FORM = ("Content-Type", "application/x-www-form-urlencoded")


class World:
    """One hub, one client that may do everything, and a process that plays the client. Patients decide for themselves."""

    def __init__(self, data_dir: Path, aside: Executor) -> None:
        self.data_dir = data_dir
        self.aside = aside
        self.port = _free_port()
        self.settings = Settings(data_dir=data_dir, port=self.port)
        self._key, self._public = new_client_keys()
        self._process: subprocess.Popen[str] | None = None
        self._token = ("", 0.0)

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def token_url(self) -> str:
        return f"{self.settings.origin}/oauth/token"

    @contextmanager
    def endpoint(self) -> Iterator[Endpoint]:
        """The hub's own mongod, as commands beside the hub use it."""
        with sharing(self.data_dir, cache_gb=self.settings.mongodb_cache_gb) as endpoint:
            yield endpoint

    def mongod(self) -> int | None:
        with self.endpoint() as endpoint:
            return endpoint.embedded.pid if endpoint.embedded else None

    def beside(self, act: Callable[[Hub], Awaitable[T]]) -> T:
        """Do something in this process with the store and the keys of the running hub."""

        async def opened(endpoint: Endpoint) -> T:
            async with open_hub(self.settings, endpoint, self.settings.origin) as hub:
                return await act(hub)

        with self.endpoint() as endpoint:
            return asyncio.run(opened(endpoint))

    def start(self) -> float:
        """Seconds from the command to `ready`. Raises RuntimeError with the hub's words when it does not come."""
        command = [str(Path(sys.executable).with_name("hub")), "serve", "--port", str(self.port), "--data-dir", str(self.data_dir)]
        began = time.perf_counter()
        with (self.data_dir.parent / f"{self.data_dir.name}.log").open("w") as log:
            self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line.startswith("ready "):
            raise RuntimeError(f"the hub did not start: {Path(log.name).read_text()}")
        return time.perf_counter() - began

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(READY_TIMEOUT_S)
            self._process = None

    def kill(self) -> None:
        """As a power cut would end them: hub and mongod without a word."""
        if self._process is None:
            self.start()
        assert self._process is not None
        mongod = self.mongod()
        self._process.kill()
        if mongod is not None:
            os.kill(mongod, signal.SIGKILL)
        self._process.wait(READY_TIMEOUT_S)
        self._process = None

    def register(self) -> None:
        """The client as `hub client add` makes it: opt-in, so that every answer rests on a patient's Consent."""

        async def act(hub: Hub) -> Client:
            client = Client(
                client_id=CLIENT,
                name="Benchmark",
                scopes=SCOPES,
                organization="",
                purpose="TREAT",
                consent_default="opt-in",
                recorder=True,
                importer=False,
                jwks=self._public,
                jwks_uri=None,
                created_us=now_us(),
            )
            return await Operator(hub, "benchmark").add_client(client, None)

        self.beside(act)

    def assertions(self, count: int) -> list[bytes]:
        """So many token requests, each good once and for four minutes."""
        return [self._token_request() for _ in range(count)]

    def token(self) -> str:
        token, made = self._token
        if not token or time.monotonic() - made > TOKEN_AGE_MAX_S:
            answer = run(Load(port=self.port, clients=1, requests=(self._token_request(),), keep_bodies=True))
            token = str(json.loads(answer.bodies[0])["access_token"])
            self._token = token, time.monotonic()
        return token

    def send(self, load: Load) -> Measured:
        """From the other process. Raises RuntimeError if not everything was answered with success."""
        measured = self.aside.submit(run, load).result()
        if any(status >= 300 for status in measured.statuses):
            raise RuntimeError(f"the hub answered {measured.statuses}")
        return measured

    def posted(self, type: str, resources: Sequence[bytes], clients: int = 16) -> list[str]:
        """Create these over HTTP; their ids, in order."""
        measured = self.send(self.once([self.create(type, one) for one in resources], clients, keep_bodies=True))
        return [str(json.loads(body)["id"]) for body in measured.bodies]

    def once(self, requests: Sequence[bytes], clients: int, *, keep_bodies: bool = False) -> Load:
        return Load(port=self.port, clients=clients, requests=tuple(requests), keep_bodies=keep_bodies)

    def during(self, requests: Sequence[bytes], clients: int, seconds: float) -> Load:
        return Load(port=self.port, clients=clients, requests=tuple(requests), seconds=seconds)

    def create(self, type: str, resource: bytes) -> bytes:
        return request("POST", f"/fhir/{type}", token=self.token(), body=resource, headers=[FHIR])

    def _token_request(self) -> bytes:
        assertion = client_assertion(CLIENT, self._key, self.token_url, now_us(), secrets.token_urlsafe(24))
        return request("POST", "/oauth/token", body=urlencode(token_form(assertion, SCOPES)).encode(), headers=[FORM])


@contextmanager
def world(directory: Path, name: str, aside: Executor) -> Iterator[World]:
    """A hub on an empty directory, running and with its client; ended, with its mongod, in any case."""
    made = World(directory / name, aside)
    try:
        made.start()
        made.register()
        yield made
    finally:
        made.stop()


def without_own_settings() -> None:
    """What is measured is the hub as it comes, not as the environment of whoever measures has it."""
    for name in [name for name in os.environ if name.startswith("HUB_")]:
        del os.environ[name]


def _free_port() -> int:
    """Not of those that the kernel gives to any connection before the hub has bound it."""
    return next(port for port in random.SystemRandom().sample(PORTS, len(PORTS)) if is_free(port))
