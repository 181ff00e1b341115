"""The database the hub uses: its own mongod under the data directory, or the operator's MongoDB (DESIGN 5).

with serving(data_dir, mongodb_url) as endpoint: …   # `hub serve`: holds the directory alone
with sharing(data_dir, mongodb_url) as endpoint: …   # every other command: uses what runs, or runs one meanwhile
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from hub.store.embedded.errors import AlreadyServed, NoDatabase
from hub.store.embedded.external import require_usable
from hub.store.embedded.files import Layout, layout, make_room
from hub.store.embedded.locks import hub_lock
from hub.store.embedded.server import CACHE_GB, Embedded, Endpoint

__all__ = ["AlreadyServed", "Embedded", "Endpoint", "Event", "NoDatabase", "require_usable", "serving", "sharing", "watch"]

WATCH_INTERVAL_S = 0.1
WATCH_RETRY_S = 1.0

Event = Literal["mongod_ended", "mongod_restarted", "mongod_restart_failed"]


@contextmanager
def serving(data_dir: Path, mongodb_url: str | None = None, *, cache_gb: float = CACHE_GB) -> Iterator[Endpoint]:
    """For `hub serve`. Raises AlreadyServed if a live hub holds the directory, NoDatabase if none can be had."""
    files = layout(data_dir)
    with hub_lock(files.hub_lock), _database(files, mongodb_url, cache_gb) as endpoint:
        yield endpoint


@contextmanager
def sharing(data_dir: Path, mongodb_url: str | None = None, *, cache_gb: float = CACHE_GB) -> Iterator[Endpoint]:
    """For commands, beside a hub or without one. Raises NoDatabase."""
    with _database(layout(data_dir), mongodb_url, cache_gb) as endpoint:
        yield endpoint


async def watch(embedded: Embedded, on_event: Callable[[Event], None]) -> None:
    """Until cancelled: start mongod again whenever it dies. Clients see a moment without a database, then go on."""
    while True:
        await asyncio.sleep(WATCH_INTERVAL_S)
        if embedded.is_alive():
            continue
        on_event("mongod_ended")
        while (event := await asyncio.to_thread(_revived, embedded)) == "mongod_restart_failed":
            on_event(event)
            await asyncio.sleep(WATCH_RETRY_S)
        on_event(event)


def _revived(embedded: Embedded) -> Event:
    try:
        embedded.ensure_running()
    except (NoDatabase, OSError):
        return "mongod_restart_failed"
    return "mongod_restarted"


@contextmanager
def _database(files: Layout, mongodb_url: str | None, cache_gb: float) -> Iterator[Endpoint]:
    if mongodb_url:
        require_usable(mongodb_url)
        yield Endpoint(url=mongodb_url, managed=False)
        return
    make_room(files)
    embedded = Embedded(files, cache_gb=cache_gb)
    try:
        yield _entered(embedded)
    finally:
        embedded.leave()


def _entered(embedded: Embedded) -> Endpoint:
    try:
        return embedded.enter()
    except OSError as error:
        raise NoDatabase(f"the database cannot be started: {error}") from error
