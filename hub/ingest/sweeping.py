"""What goes by itself: waiting items nobody repaired, pieces of recordings that nothing names, raw items whose time is over.

One process of all does it, about once every HUB_SWEEP_S, each kind with its record. Safe beside whatever is written meanwhile: a piece
is older than a transaction can be, and whoever relies on one that is there already says so first (`hub.ingest.recordings`).
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Final
from urllib.parse import urlencode

import orjson
import structlog

from fhir_profiles.building import BUILDERS
from hub.ingest.quarantine import expire
from hub.ingest.recordings import GRACE_US, WAITING_DIGEST, WAITING_MARK
from hub.instants import fhir_instant
from hub.notebook import Notebook, Page
from hub.recording import Recording
from hub.repository.content import stored_content
from hub.services import Services
from hub.store.contents import FIRST, Untouched
from hub.store.protocol import Conflict, Stored, Unit

OVERLAP_US: Final = 86_400_000_000
"""So much is looked at again: a version that was replaced while raw items were taken away kept its own, and a piece bears the time at
which its writing began."""
WHOLE_EVERY_US: Final = 7 * 86_400_000_000
"""How often every piece is looked at, whenever somebody last relied on it."""
DAY_US: Final = 86_400_000_000
WRITER_IDLE_US: Final = 7 * 86_400_000_000
"""A process that has written nothing for so long has ended, most likely (docs/adr/0023)."""
PIECES_AT_ONCE: Final = 1_000
SWEEP: Final = "sweep"
log = structlog.get_logger()

Recorder = Callable[[str, str, str], Recording]
"""(kind, path, query) -> the record of what is swept"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """How much went: items of quarantine, pieces of recordings, raw items of readings."""

    quarantine: int
    pieces: int
    raw: int


class Sweeper:
    def __init__(self, services: Services, recorder: Recorder) -> None:
        self._services = services
        self._recorder = recorder
        self._notebook = Notebook(services, SWEEP)

    async def run(self, *, whole: bool = True) -> Swept:
        """All of it, now. Raises Unavailable.

        whole  False: of pieces, only those that nobody has looked at since somebody last relied on them. Who names a piece is asked of
               the versions of its Binary, and a recording that is named does not stop being so but where rows are taken out by hand
        """
        expired = await expire(self._services, lambda query: self._recorder("quarantine-expire", "/quarantine/expired", query))
        swept = Swept(quarantine=expired, pieces=await self._pieces(whole=whole), raw=await self._raw())
        await self._services.store.forget_writers(self._services.clock() - WRITER_IDLE_US)
        return swept

    async def forever(self) -> None:
        """In turn with the other processes: whoever writes the time down first does it."""
        pause_s = self._services.settings.sweep_s
        while True:
            try:
                if await self._is_my_turn(pause_s * 1_000_000):
                    await self.run(whole=False)
            except Exception as error:  # noqa: BLE001 - what hinders a sweep must not end it for good; the next one does it
                log.warning("sweep_failed", error=type(error).__name__)
            await asyncio.sleep(pause_s)

    async def _is_my_turn(self, pause_us: int) -> bool:
        page = await self._notebook.read("turn")
        now_us = self._services.clock()
        if page.content.get("at_us", 0) > now_us - pause_us // 2:
            return False
        try:
            await self._services.store.commit(Unit(notes=[await self._notebook.write(page, {"at_us": now_us})]))
        except Conflict:
            return False
        return True

    async def _pieces(self, *, whole: bool) -> int:
        """Pieces that neither a row nor a waiting item names: the hub was ended between them and their row."""
        contents, before_us = self._services.store.contents, self._services.clock() - GRACE_US
        await contents.date(self._services.clock())
        page = await self._notebook.read("pieces")
        whole_us, until_us = page.content.get("whole_us", 0), page.content.get("until_us", 0)
        whole = whole or until_us > before_us or before_us - whole_us >= WHOLE_EVERY_US  # a clock that was ahead has looked at nothing
        done = await self._pieces_from(FIRST if whole else (max(1, until_us - OVERLAP_US), ""), before_us)
        await self._remember(page, {"until_us": before_us, "whole_us": before_us if whole else whole_us})
        return done

    async def _pieces_from(self, after: Untouched, before_us: int) -> int:
        contents, done = self._services.store.contents, 0
        while found := await contents.untouched(before_us, after, PIECES_AT_ONCE):
            after = found[-1]
            ids = sorted(id for _, id in found)
            named = {content: list(pieces) for content, pieces in groupby(ids, key=_content_of)}
            orphans = [content for content in named if not await self._is_named(content)]
            if orphans:
                async with self._recorder("contents-sweep", "/contents", urlencode([("content", one) for one in orphans])):
                    pass  # recorded before it is done
                done += await contents.drop_untouched([piece for one in orphans for piece in named[one]], before_us)
        return done

    async def _is_named(self, content: str) -> bool:
        owner, _, digest = content.rpartition(".")
        if digest == WAITING_DIGEST:
            return bool(await self._services.store.quarantine.waits([owner.removeprefix(WAITING_MARK)]))
        current = await self._services.store.current(f"Binary/{owner}", deleted=True)
        if current is None:
            return False
        return digest in await self._digests(await self._versions(current))

    async def _versions(self, current: Stored) -> list[Stored]:
        """All that there were: what a tombstone or a newer version stands before may still be asked for."""
        past = [await self._services.store.version(current.row, number) for number in range(1, current.version)]
        return [current, *(one for one in past if one is not None)]

    async def _digests(self, versions: Iterable[Stored]) -> "frozenset[str] | _Everything":
        """What the tags name. Of what cannot be opened, for its key is gone, everything: erasing is not done here."""
        found, vault = set(), self._services.vault
        for one in versions:
            key = (await vault.keys([one.patient])).get(one.patient)
            if key is None:
                return _Everything()
            plain = vault.open(key, one) if one.deleted is None else vault.open_deleted(key, one, one.deleted)
            content = stored_content(orjson.loads(plain))
            found |= set() if content is None else {content.digest}
        return frozenset(found)

    async def _raw(self) -> int:
        """Raw items of readings stored more than HUB_RAW_DAYS ago, versions of the history too."""
        services = self._services
        page = await self._notebook.read("raw")
        until_us = services.clock() - services.settings.raw_days * DAY_US
        reached_us = int(page.content.get("until_us", 0))
        since_us = (reached_us if reached_us <= until_us else 0) - OVERLAP_US  # a clock that was ahead has looked at nothing
        done, types = 0, sorted(BUILDERS)
        if count := await services.store.raws.came(types, since_us, until_us):
            said = urlencode([("since", fhir_instant(max(since_us, 0))), ("before", fhir_instant(until_us)), ("items", count)])
            async with self._recorder("raw-sweep", "/raw", said):
                pass  # recorded before it is done: whoever is ended midway has said so, and the next one says what is left
            while stripped := await services.store.raws.strip(types, since_us, until_us):
                done += stripped
        await self._remember(page, {"until_us": until_us})
        return done

    async def _remember(self, page: Page, content: dict[str, int]) -> None:
        """How far it came. Another process that swept at the same time has written as much."""
        try:
            await self._services.store.commit(Unit(notes=[await self._notebook.write(page, content)]))
        except Conflict:
            log.info("sweep_met_another")


class _Everything:
    def __contains__(self, _: str) -> bool:
        return True


def _content_of(piece: str) -> str:
    return piece.rpartition(".")[0]
