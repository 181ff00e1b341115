"""hub serve: the hub itself, one process or several."""

import asyncio
import contextlib
import fcntl
import gc
import multiprocessing
import os
import signal
import socket
import ssl
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import structlog
import typer
import uvicorn
import uvloop

from fhir_profiles import shipped
from fhir_profiles.profiles import SHIPPED
from fhir_profiles.r4 import warm
from hub.app import create_app
from hub.cli.common import DataDir, MongodbUrl, said_clearly, settings_with
from hub.cli.protocol import BoundedHttp
from hub.cli.saying import fail
from hub.conformance import store_shipped
from hub.dated import Dated
from hub.ingest.mllp.senders import BadSenders, read_senders
from hub.ingest.mllp.server import MllpServer, tls_context
from hub.ingest.mllp.server import listening as mllp_listening
from hub.ingest.sweeping import Sweeper
from hub.instants import now_us
from hub.issuers import BadIssuers, issuers_of
from hub.logs import configure_logs
from hub.metrics import serve_metrics
from hub.operator import Operator
from hub.people.providers import BadProviders, providers_of
from hub.search.parameters import RESOURCE_TYPES
from hub.settings import Settings
from hub.store.embedded import Endpoint, Event, serving, watch
from hub.units.watch import Watch
from hub.wiring import Hub, open_hub

DRAIN_S = 10
KEEP_ALIVE_S = 75
RESTART_PAUSE_S = 1
BACKLOG = 2_048


def serve(
    host: Annotated[str | None, typer.Option("--host", help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option("--port", help="Port of FHIR, OAuth, ingest and the pages.")] = None,
    admin_port: Annotated[int | None, typer.Option("--admin-port", help="Port of /metrics.")] = None,
    workers: Annotated[int | None, typer.Option("--workers", help="Worker processes.")] = None,
    data_dir: DataDir = None,
    mongodb_url: MongodbUrl = None,
    tls_cert: Annotated[Path | None, typer.Option("--tls-cert", help="Certificate chain, PEM.")] = None,
    tls_key: Annotated[Path | None, typer.Option("--tls-key", help="Its private key, PEM.")] = None,
    tls_client_ca: Annotated[Path | None, typer.Option("--tls-client-ca", help="What clients' certificates are checked by, PEM.")] = None,
    mllp_port: Annotated[int | None, typer.Option("--mllp-port", help="Port of HL7 v2 over MLLP.")] = None,
    mllp_senders: Annotated[Path | None, typer.Option("--mllp-senders", help="Who may send by MLLP, JSON.")] = None,
    mllp_client_ca: Annotated[
        Path | None, typer.Option("--mllp-client-ca", help="What MLLP senders' certificates are checked by, PEM.")
    ] = None,
) -> None:
    """Run the hub; prints `ready http://…` when it answers. SIGTERM drains and exits 0."""
    settings = settings_with(
        host=host,
        port=port,
        admin_port=admin_port,
        workers=workers,
        data_dir=data_dir,
        mongodb_url=mongodb_url,
        tls_cert=tls_cert,
        tls_key=tls_key,
        tls_client_ca=tls_client_ca,
        mllp_port=mllp_port,
        mllp_senders=mllp_senders,
        mllp_client_ca=mllp_client_ca,
    )
    _check_tls(settings)
    _check_mllp(settings)
    _check_issuers(settings)
    _check_providers(settings)
    configure_logs(settings.log_level)
    url = settings.mongodb_url.get_secret_value() if settings.mongodb_url else None
    # Until the server listens to signals itself, a SIGTERM must still end the database we started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with (
        said_clearly(),
        _sockets(settings) as sockets,
        serving(settings.data_dir, url, cache_gb=settings.mongodb_cache_gb) as endpoint,
    ):
        if settings.workers == 1:
            run(settings, endpoint, sockets)
        else:
            supervise(settings, endpoint, sockets)


def _check_tls(settings: Settings) -> None:
    """A hub that cannot offer TLS as asked should say so before it starts a database."""
    if settings.tls_cert is None:
        return
    try:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=settings.tls_client_ca)
        context.load_cert_chain(settings.tls_cert, settings.tls_key)
    except OSError as error:
        fail(f"the TLS certificate and its key cannot be used: {error.strerror or type(error).__name__}")


def _check_mllp(settings: Settings) -> None:
    """The same for MLLP: who may send, and by what."""
    if settings.mllp_senders is None:
        return
    try:
        senders = read_senders(settings.mllp_senders)
        _mllp_tls(settings)
    except BadSenders as error:
        fail(str(error))
    except OSError as error:
        fail(f"the certificates of MLLP cannot be used: {error.strerror or type(error).__name__}")
    if settings.mllp_client_ca is None and any(sender.certificate for sender in senders):
        fail("an MLLP sender is known by its certificate: set HUB_MLLP_CLIENT_CA to what certificates are checked by")


def _check_issuers(settings: Settings) -> None:
    """The same for tokens of others."""
    try:
        issuers_of(settings.issuers, settings.origin)
    except BadIssuers as error:
        fail(str(error))


def _check_providers(settings: Settings) -> None:
    """The same for whom people may sign in with."""
    try:
        providers_of(settings.openid_providers)
    except BadProviders as error:
        fail(str(error))


def _mllp_tls(settings: Settings) -> ssl.SSLContext | None:
    """Raises OSError."""
    if settings.tls_cert is None or settings.tls_key is None:
        return None
    return tls_context(str(settings.tls_cert), str(settings.tls_key), str(settings.mllp_client_ca) if settings.mllp_client_ca else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sockets:
    """What is listened to; the workers share them."""

    http: socket.socket
    mllp: socket.socket | None


@contextmanager
def _sockets(settings: Settings) -> Iterator[Sockets]:
    with bound(settings) as http:
        if settings.mllp_port is None:
            yield Sockets(http=http, mllp=None)
            return
        with bound(settings.model_copy(update={"port": settings.mllp_port}), flag="--mllp-port") as mllp:
            yield Sockets(http=http, mllp=mllp)


@contextmanager
def bound(settings: Settings, *, flag: str = "--port") -> Iterator[socket.socket]:
    """The port first: a hub that cannot listen should say so before it starts a database."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((settings.host, settings.port))
        except OSError as error:
            fail(f"cannot listen on {settings.host}:{settings.port}: {error.strerror}; choose another {flag}")
        listening.listen(BACKLOG)
        listening.set_inheritable(True)
        yield listening


def run(
    settings: Settings, endpoint: Endpoint, sockets: Sockets, *, first: bool = True, answers: Any = None, turn: Path | None = None
) -> None:
    """One process. `answers`: a flag for the supervisor that this worker answers; `turn`: a file that workers lock one after the other."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(settings, endpoint, sockets, first=first, answers=answers, turn=turn))


async def _serve(settings: Settings, endpoint: Endpoint, sockets: Sockets, *, first: bool, answers: Any, turn: Path | None) -> None:
    gc.disable()  # until all is made that stays
    async with open_hub(settings, endpoint, settings.origin) as hub:
        warm(RESOURCE_TYPES)  # before `ready`, or the first write of each type would pay for its import
        SHIPPED.warm()
        shipped.warm()
        async with _in_turn(turn):
            await store_shipped(hub.services, lambda: Operator(hub).recording("conformance-load"))
        await _note(hub, "start")
        settle_garbage()
        server = Server(_config(settings, Dated(create_app(hub), now_us)))
        server.on_answering = (lambda: say_ready(settings.origin)) if answers is None else answers.set
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, server.drain)
        async with _minded(endpoint if first else None), _mllp(hub, sockets.mllp), _swept(hub), _watched(hub), _rotated(hub):
            if first and settings.workers == 1:
                _serve_metrics(settings)
            await server.serve(sockets=[sockets.http])
        await _note(hub, "stop")


@contextlib.asynccontextmanager
async def _in_turn(turn: Path | None) -> AsyncIterator[None]:
    """One worker does what has to be done once, and the others find it done. The lock of one that dies is gone with it."""
    if turn is None:
        yield
        return
    with turn.open("w") as held:
        await asyncio.to_thread(fcntl.flock, held, fcntl.LOCK_EX)
        yield


def settle_garbage() -> None:
    """What was made at start stays for good, and a batch makes many objects that go by themselves: look for cycles seldom.

    With Python's defaults, a fifth of the time of a large ingest went into looking, and of a start as well (docs/performance.md).
    """
    gc.freeze()
    gc.set_threshold(100_000, 20, 50)
    gc.enable()


async def _note(hub: Any, kind: str) -> None:
    async with Operator(hub).recording(kind):
        pass


class Server(uvicorn.Server):
    """uvicorn without its own signal handling: it would end the process by the signal instead of with 0."""

    on_answering: Callable[[], None]

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    def drain(self) -> None:
        """Take no new connections, finish what is under way."""
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self.on_answering()


def _serve_metrics(settings: Settings, shared: Path | None = None) -> None:
    if settings.admin_port is None:
        return
    try:
        serve_metrics(settings.host, settings.admin_port, shared)
    except OSError as error:
        fail(f"cannot listen on {settings.host}:{settings.admin_port}: {error.strerror}; choose another --admin-port")


def say_ready(base_url: str) -> None:
    sys.stdout.write(f"ready {base_url}\n")
    sys.stdout.flush()


def _config(settings: Settings, app: Any) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=BoundedHttp,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=DRAIN_S,
        ssl_certfile=settings.tls_cert,
        ssl_keyfile=settings.tls_key,
        # Who has a certificate may show it; who has none is a client like any other.
        ssl_ca_certs=None if settings.tls_client_ca is None else str(settings.tls_client_ca),
        ssl_cert_reqs=ssl.CERT_NONE if settings.tls_client_ca is None else ssl.CERT_OPTIONAL,
    )


@contextlib.asynccontextmanager
async def _mllp(hub: Hub, socket: socket.socket | None) -> AsyncIterator[None]:
    """HL7 v2 beside HTTP, if there is a socket for it."""
    settings = hub.services.settings
    if socket is None or settings.mllp_senders is None:
        yield
        return
    senders = read_senders(settings.mllp_senders)
    if trusted := sum(sender.network is not None for sender in senders):
        structlog.get_logger().warning("mllp_senders_trusted_by_network", rows=trusted)
    server = MllpServer(
        hub.services,
        hub.oauth.find_client,
        senders,
        connections_max=settings.mllp_connections,
        idle_s=settings.mllp_idle_s,
    )
    async with mllp_listening(server, socket, _mllp_tls(settings)):
        yield


@contextlib.asynccontextmanager
async def _minded(endpoint: Endpoint | None) -> Any:
    """While we serve, a mongod that dies is started again; requests in between get 503."""
    if endpoint is None or endpoint.embedded is None:
        yield
        return
    task = asyncio.create_task(watch(endpoint.embedded, _told))
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@contextlib.asynccontextmanager
async def _swept(hub: Hub) -> AsyncIterator[None]:
    """While we serve, what has expired goes."""
    sweeper = Sweeper(hub.services, lambda kind, path, query: Operator(hub).recording(kind, path=path, query=query))
    task = asyncio.create_task(sweeper.forever())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@contextlib.asynccontextmanager
async def _watched(hub: Hub) -> AsyncIterator[None]:
    """While we serve, somebody looks after the units."""
    task = asyncio.create_task(Watch(hub.services, lambda kind: Operator(hub).recording(kind)).forever())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@contextlib.asynccontextmanager
async def _rotated(hub: Hub) -> AsyncIterator[None]:
    """While we serve, the signing keys are those of all processes, and are followed by others in time."""
    task = asyncio.create_task(hub.keyring.forever(lambda kind: Operator(hub).recording(kind)))
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def _told(event: Event) -> None:
    structlog.get_logger().warning(event)


def supervise(settings: Settings, endpoint: Endpoint, sockets: Sockets) -> None:
    """Several workers on one socket. A worker that dies is replaced; a signal to us ends all of them in order."""
    context = multiprocessing.get_context("spawn")
    stopping: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, _: stopping.append(received))
    bare = Endpoint(url=endpoint.url, admin_url=endpoint.admin_url, managed=False)
    answers = context.Event()

    with tempfile.TemporaryDirectory(prefix="hub-workers-") as together:
        shared = Path(together) / "metrics"
        shared.mkdir()

        def start() -> Any:
            process = context.Process(target=_worker, args=(settings, bare, sockets, answers, Path(together) / "turn"))
            process.start()
            return process

        os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(shared)  # read by the workers, which count there
        _serve_metrics(settings, shared)
        processes = [start() for _ in range(settings.workers)]
        said = False
        with _minded_by_thread(endpoint):
            while not stopping:
                if not said and answers.is_set():
                    say_ready(settings.origin)
                    said = True
                for place, process in enumerate(processes):
                    process.join(0.2 / len(processes))
                    if process.exitcode is not None and not stopping:
                        time.sleep(RESTART_PAUSE_S)  # what fails at once must not fail a thousand times a second
                        processes[place] = start()
        _end(processes)


def _end(processes: list[Any]) -> None:
    """Each worker drains; who does not in time is ended."""
    for process in processes:
        process.terminate()
    for process in processes:
        process.join(DRAIN_S + 5)
        if process.exitcode is None:
            process.kill()


def _worker(settings: Settings, endpoint: Endpoint, sockets: Sockets, answers: Any, turn: Path) -> None:
    configure_logs(settings.log_level)
    run(settings, endpoint, sockets, first=False, answers=answers, turn=turn)


@contextmanager
def _minded_by_thread(endpoint: Endpoint) -> Iterator[None]:
    """The same watch, for a supervisor that has no event loop of its own."""
    import threading

    if endpoint.embedded is None:
        yield
        return
    loop = asyncio.new_event_loop()
    task = loop.create_task(watch(endpoint.embedded, _told))

    def mind() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            loop.run_until_complete(task)

    thread = threading.Thread(target=mind, daemon=True)
    thread.start()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(task.cancel)
        thread.join(DRAIN_S)
        loop.close()
