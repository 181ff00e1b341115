"""Files and folders: what is put into a folder is taken in, piece by piece, with the answer beside it.

How far a file has been taken in is written with the readings, in one transaction for each two thousand items, together with
the answers of those items. So a watcher that died is followed by one that goes on behind the last item that is durable, and
the answers are whole: nothing is lost, nothing is done twice (law 5). A large file is never whole in memory where its
adapter reads in pieces.
"""

import asyncio
import gzip
import os
import zlib
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import IO, NoReturn, cast

import structlog

from adapters.contract import Adapter, Context, Streaming, Unreadable
from adapters.reading import Item
from hub import outcomes
from hub.errors import FhirError, Throttled
from hub.ingest.fates import Answer, ndjson
from hub.ingest.folder import Claimed, Folder
from hub.ingest.intake import require_sender
from hub.ingest.pipeline import Pipeline, Sent
from hub.ingest.quota import admit, charge
from hub.ingest.sender import Senders, ending, retryable
from hub.ingest.upload import next_part
from hub.ingest.weighed import ReadAt, weighed
from hub.notebook import Notebook, Page
from hub.store.protocol import NoteWrite, Unavailable, Unit

log = structlog.get_logger()

KIND = "file"
KEPT_US = 30 * 86_400_000_000
"""How far a file was read is of no use once it has gone to `done`; a note that stays behind goes after thirty days."""
RETRY_S = 1.0
ATTEMPTS_MAX = 3
"""How often a file is taken up again after a watcher ended over it: one that ends watchers must not do so for ever."""
TRIPPED = (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError)
"""What code trips over in a file: it must not keep the others waiting. Whatever is about database, client or disk makes the file wait."""
FAILED = "The hub failed over this file; it was put aside, and others go on. What was taken in of it before stays."
ABANDONED = "The hub ended over this file again and again; it was put aside."
GZIP = ".gz"
DAMAGED: tuple[type[Exception], ...] = (EOFError, gzip.BadGzipFile, zlib.error)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapping:
    """What is said of every file of a folder.

    client  client_id in whose name they are taken in
    """

    adapter: Adapter
    client: str
    device: str | None = None
    time_zone: str | None = None

    @property
    def sent(self) -> Sent:
        return Sent(manifest=self.adapter.manifest, device=self.device, time_zone=self.time_zone)


@dataclass(slots=True)
class Taken:
    """What became of one file. `state`: done or refused."""

    state: str
    fates: Counter[str] = field(default_factory=Counter)


class Watch:
    """Takes in the files of a folder, one after the other.

    told    what to do with the outcome of each file
    """

    def __init__(self, senders: Senders, folder: Folder, mapping: Mapping, told: Callable[[Taken], None]) -> None:
        self._senders, self._services = senders, senders.services
        self._folder, self._mapping, self._told = folder, mapping, told
        self._notebook = Notebook(senders.services, KIND)

    async def run(self, interval_s: float | None, stop: asyncio.Event) -> None:
        """Until `stop`, or with interval None until the folder is empty. Raises SenderGone; what was claimed goes back."""
        with self._folder.open():
            while not stop.is_set():
                taken = await self._round(stop)
                if interval_s is None and not taken:
                    return
                if interval_s is not None and not taken:
                    await pause(stop, interval_s)

    async def _round(self, stop: asyncio.Event) -> bool:
        """True if there was something to do."""
        waiting = await asyncio.to_thread(self._folder.take_back)
        if not waiting:
            claimed = await asyncio.to_thread(self._folder.claim, self._services.clock() / 1_000_000)
            waiting = [] if claimed is None else [claimed]
        for claimed in waiting:
            await self._settle(claimed, stop)
        return bool(waiting)

    async def _settle(self, claimed: Claimed, stop: asyncio.Event) -> None:
        """To `done` or to `refused`; where the hub cannot store, again until it can."""
        while True:
            try:
                await self._finish(claimed, stop)
            except (Unavailable, FhirError) as error:
                if isinstance(error, FhirError) and not retryable(error):
                    raise
                if stop.is_set():
                    return  # it stays claimed; the next watcher goes on with it
                await pause(stop, error.retry_after_s if isinstance(error, Throttled) else RETRY_S)
            else:
                return

    async def _finish(self, claimed: Claimed, stop: asyncio.Event) -> None:
        progress = Progress(self._notebook, await self._notebook.read(claimed.id), claimed)
        try:
            if progress.idle > ATTEMPTS_MAX:
                await self._abandon()
            if not await self._take(claimed, progress, stop):
                return
        except FhirError as error:
            if retryable(error):
                raise
            await asyncio.to_thread(self._folder.refuse, claimed, outcomes.body(error))
            state = "refused"
        except TRIPPED as error:
            log.error("file_failed", adapter=self._mapping.sent.manifest.name, error=type(error).__name__)  # noqa: TRY400 - as below
            await asyncio.to_thread(self._folder.refuse, claimed, outcomes.body(FhirError("exception", FAILED)))
            state = "refused"
        else:
            await asyncio.to_thread(self._folder.done, claimed)
            state = "done"
        await self._services.store.commit(Unit(forgotten=[self._notebook.key(claimed.id)]))
        self._told(Taken(state, progress.fates))

    async def _abandon(self) -> NoReturn:
        async with (await self._senders.repository(self._mapping.client)).recording("ingest"):
            raise FhirError("exception", ABANDONED)

    async def _take(self, claimed: Claimed, progress: "Progress", stop: asyncio.Event) -> bool:
        """Every item that is not durable yet, in parts; False if it was stopped before the end. Raises FhirError."""
        await asyncio.to_thread(progress.mend)
        again = Again(claimed.path)
        items = decoded(claimed.path, self._mapping, self._services.settings.max_ingest_bytes, again.read_at)
        try:
            await asyncio.to_thread(_skip, items, progress.items)
            while await self._part(items, progress):
                if stop.is_set():
                    return False
        finally:
            await asyncio.to_thread(items.close)
            await asyncio.to_thread(again.close)
        return True

    async def _part(self, items: Iterator[Item], progress: "Progress") -> bool:
        """The next items, durable when it returns; False at the end of the file."""
        repository = await self._senders.repository(self._mapping.client)
        async with ending(), repository.recording("ingest") as recording:
            require_sender(repository)
            await admit(repository.caller, self._services)
            part = await asyncio.to_thread(next_part, items)
            if part.items or not progress.began:
                pipeline = Pipeline(repository, self._mapping.sent, recording, progress.keep)
                answers = await pipeline.run(part.items)
                await asyncio.to_thread(progress.add, answers)
        await charge(repository.caller, self._services, len(part.items))
        return not part.last


class Progress:
    """How far a file is: items that are durable, and the file of their answers, which is brought up to that."""

    def __init__(self, notebook: Notebook, page: Page, claimed: Claimed) -> None:
        self._notebook, self._page, self._claimed = notebook, page, claimed
        self.items: int = page.content.get("items", 0)
        self.began = bool(page.content)
        self.fates: Counter[str] = Counter(page.content.get("fates", {}))
        self._offset: int = page.content.get("offset", 0)
        self._written: NoteWrite | None = None

    @property
    def idle(self) -> int:
        """How often it was taken up, this time included, since something of it became durable."""
        moved: int = self._page.content.get("attempt", 0)
        return self._claimed.attempt - moved

    def mend(self) -> None:
        """After an interruption: the answers up to the last part, and those of that part, which the note has."""
        self._write(self._offset, [Answer(**one) for one in self._page.content.get("last", ())])

    async def keep(self, answers: Sequence[Answer]) -> Sequence[NoteWrite]:
        """The note for a part that gets these answers."""
        fates = self.fates + Counter(answer.fate for answer in answers)
        content = {
            "items": self.items + len(answers),
            "fates": dict(fates),
            "offset": self._claimed.answers.stat().st_size,
            "last": [answer.to_json() for answer in answers],
            "attempt": self._claimed.attempt,
        }
        self._written = await self._notebook.write(self._page, content, self._notebook.now_us + KEPT_US)
        return [self._written]

    def add(self, answers: Sequence[Answer]) -> None:
        """The part is durable."""
        self.items += len(answers)
        self.fates.update(answer.fate for answer in answers)
        self.began = True
        self._write(self._claimed.answers.stat().st_size, answers)
        if self._written is not None:
            self._page = replace(self._page, note=self._written.new)

    def _write(self, offset: int, answers: Sequence[Answer]) -> None:
        with self._claimed.answers.open("ab") as file:
            file.truncate(offset)
            file.write(ndjson(answers))
            file.flush()
            os.fsync(file.fileno())


def decoded(path: Path, mapping: Mapping, limit: int, read_at: ReadAt) -> Generator[Item, None, None]:
    """The items of a file, read as they are asked for where the adapter reads in pieces; what documents name is read with `read_at`.

    Raises FhirError too-long, structure, exception.
    """
    adapter, said = mapping.adapter, Context(device=mapping.device)
    try:
        with _open(path) as file:
            if isinstance(adapter, Streaming):
                for item in adapter.decode_stream(file, said):
                    yield weighed(item, read_at)
            else:
                yield from adapter.decode(_read(file, limit), said)
    except Unreadable as error:
        raise FhirError("structure", f"{error.code}: {error}", expression=error.pointer or None) from error
    except DAMAGED as error:
        raise FhirError("structure", "The file says gzip and is not, or is cut off; what came before the break is stored.") from error
    except FhirError:
        raise
    except Exception as error:
        log.error("file_failed", adapter=adapter.manifest.name, error=type(error).__name__)  # noqa: TRY400 - its text may repeat values
        raise FhirError("exception", "The file could not be read to its end; it was put aside, and others go on.") from error


class Again:
    """The file once more, for what documents name: open until they are durable, which is after the last item was read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[bytes] | None = None

    def read_at(self, start: int, length: int) -> bytes:
        """A stretch of it; opened the first time that it is asked for. Raises OSError, and what is in DAMAGED."""
        if self._file is None:
            self._file = _open(self._path)
        self._file.seek(start)
        return self._file.read(length)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


def _open(path: Path) -> IO[bytes]:
    """As it is, or unpacked on the way; never through a link that took its place."""
    file = os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb")
    return cast("IO[bytes]", _Packed(file)) if path.name.endswith(GZIP) else file


class _Packed(gzip.GzipFile):
    """Closes the file beneath it too."""

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__(fileobj=file)
        self._beneath = file

    def close(self) -> None:
        super().close()
        self._beneath.close()


def _read(file: IO[bytes], limit: int) -> bytes:
    """Never more than the limit, whatever a packed file promises."""
    payload = file.read(limit + 1)
    if len(payload) > limit:
        raise FhirError("too-long", f"The file is longer than {limit} bytes, and its adapter does not read in pieces.")
    return payload


def _skip(items: Iterator[Item], count: int) -> None:
    for _ in islice(items, count):
        pass


async def pause(stop: asyncio.Event, seconds: float) -> None:
    """Until `stop`, or for so long."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stop.wait()
