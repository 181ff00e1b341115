"""The signing keys of all processes: one sealed note that each of them reads again every second, and at once for a key it does not know.

The note is written together with the record of what was done to it, so that of two processes which rotate at one time one does it. A key
that was withdrawn is refused by every process with the next reading, at most RELOAD_S later. docs/adr/0030.
"""

import asyncio
from collections.abc import Callable
from typing import Final

import structlog

from hub.notebook import Notebook, Page
from hub.recording import Recording, RequestFacts
from hub.services import Services
from hub.store.protocol import Conflict, Unit
from security.oauth.key_schedule import ANNOUNCED_S, HASTE_S, KeySchedule, Standing
from security.oauth.signing_keys import SigningKey, SigningKeys

KIND: Final = "signing-keys"
NAME: Final = "all"
RELOAD_S: Final = 1.0
ASKED_AGAIN_S: Final = 0.1
ROTATED: Final = "keys-rotate"
HUB: Final = "hub"
"""Who acts when the first keys are made."""
log = structlog.get_logger()

Recorder = Callable[[str], Recording]
Change = Callable[[KeySchedule], KeySchedule]


class Keyring:
    """Of one process. Make it with `opened`; while it serves, `forever` keeps it up to date and rotates by schedule."""

    def __init__(self, services: Services, clock: Callable[[], int]) -> None:
        self._services = services
        self._notes = Notebook(services, KIND)
        self._clock = clock
        self._schedule = KeySchedule(())
        self._version = 0
        self._read_s = 0.0
        self._reading: asyncio.Task[None] | None = None
        self._made: tuple[int, SigningKeys] | None = None

    @staticmethod
    async def opened(services: Services, clock: Callable[[], int]) -> "Keyring":
        """With the keys that there are; the first process makes the first ones. Raises Unavailable."""
        ring = Keyring(services, clock)
        await ring._read()
        if not ring._version:
            first = await asyncio.to_thread(KeySchedule.first, SigningKey.generate, clock())
            facts = RequestFacts(request_id=services.new_id(), interaction=ROTATED, user=HUB)
            await ring._first(first, Recording(ROTATED, None, facts, services))
        return ring

    @property
    def now(self) -> SigningKeys:
        """What signs and verifies at this moment."""
        second = self._clock() // 1_000_000
        if self._made is None or self._made[0] != second:
            self._made = second, self._schedule.at(self._clock())
        return self._made[1]

    def standings(self) -> list[Standing]:
        return self._schedule.standings(self._clock())

    async def knowing(self, kid: str) -> SigningKeys:
        """The keys, read again if none of them has this name: another process may have made it a moment ago. Raises Unavailable.

        Whoever sends made-up names causes one reading in ASKED_AGAIN_S, which all who ask meanwhile share; a token that another process
        has just signed with a new key is refused for no longer than that.
        """
        if self.now.knows(kid):
            return self.now
        now_s = asyncio.get_running_loop().time()
        if self._reading is None and now_s - self._read_s >= ASKED_AGAIN_S:
            self._reading = asyncio.create_task(self._read())
        if self._reading is not None:
            await asyncio.shield(self._reading)
        return self.now

    async def rotate(self, recording: Recording, *, haste: bool = False) -> None:
        """Announce successors, or with haste have them sign in a few seconds. Raises ValueError with a text for people."""
        lead_s = HASTE_S if haste else ANNOUNCED_S
        await self._changed(recording, lambda now: now.rotated(SigningKey.generate, self._clock(), lead_s))

    async def withdraw(self, recording: Recording, kid: str) -> None:
        """Nothing that this key signed is good any more. Raises ValueError with a text for people."""
        await self._changed(recording, lambda now: now.withdrawn(kid, SigningKey.generate, self._clock()))

    async def forever(self, recorder: Recorder) -> None:
        """Read again every second; when the keys have signed for HUB_SIGNING_KEY_DAYS, one of all processes announces their successors."""
        failing = False
        while True:
            try:
                await self._read()
                failing = False
                if self._schedule.is_due(self._clock(), self._services.settings.signing_key_days):
                    async with recorder(ROTATED) as recording:
                        await self.rotate(recording)
            except Exception as error:  # noqa: BLE001 - what hinders one reading must not end them for good
                if not failing:  # said once: a database that is away for long would fill the log
                    log.warning("signing_keys_failed", error=type(error).__name__)
                failing = True
            await asyncio.sleep(RELOAD_S)

    async def _changed(self, recording: Recording, change: Change) -> None:
        """The whole note anew. Whoever writes second looks at what the first has written, and may find nothing left to do."""
        page = await self._page()
        if not page.content:
            raise ValueError("the signing keys of this hub are gone; start it to make new ones")
        before = KeySchedule.from_document(page.content)
        after = await asyncio.to_thread(change, before)
        try:
            await recording.commit(Unit(notes=(await self._notes.write(page, after.to_document()),)), writes=())
        except Conflict:
            raise ValueError("another process is changing the signing keys at this moment; hub keys status shows what came of it") from None
        await self._read()

    async def _first(self, first: KeySchedule, recording: Recording) -> None:
        try:
            page = await self._page()
            await recording.commit(Unit(notes=(await self._notes.write(page, first.to_document()),)), writes=())
        except Conflict:
            log.info("signing_keys_made_by_another")
        await self._read()

    async def _page(self) -> Page:
        return await self._notes.read(NAME)

    async def _read(self) -> None:
        try:
            page = await self._page()
            self._read_s = asyncio.get_running_loop().time()
            version = 0 if page.note is None else page.note.version
            if page.content and version != self._version:
                self._schedule, self._version, self._made = KeySchedule.from_document(page.content), version, None
        finally:
            self._reading = None
