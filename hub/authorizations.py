"""What people let apps do, as sealed notes: looked up with each request that bears a token of a person.

One by the authorization's id, and one by the account, which lists its authorizations, so that a person sees and ends them.
"""

from collections.abc import Awaitable
from dataclasses import dataclass, replace

from hub.notebook import Notebook, Page
from hub.services import Services
from hub.store.protocol import AUTHORIZATION as AUTHORIZATIONS
from hub.store.protocol import Note, NoteWrite
from security.oauth.authorization import ENDED_TOKENS_MAX, Authorization

OF_ACCOUNT = "authorizations-of"
KEPT_US = 30 * 86_400 * 1_000_000
"""What has ended is shown to its person for a month."""
OVER_SHOWN_MAX = 100
"""As many of those: an app that is started fifty times a day must not make each start, and the end of the account, longer than the last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """An authorization and the page it was read from."""

    authorization: Authorization
    page: Page


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """An authorization on its way."""

    key: bytes
    answer: Awaitable[Note | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Current:
    """What a person let an app do, as it counts now. `rests_on`: key and version of the note, for whoever decides by it."""

    authorization: Authorization
    rests_on: tuple[bytes, int]


class Authorizations:
    """Reads, and makes the writes that a `Unit` commits together with its record. Raises Unavailable."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._notes = Notebook(services, AUTHORIZATIONS)
        self._lists = Notebook(services, OF_ACCOUNT)

    async def find(self, id: str) -> Held | None:
        page = await self._notes.read(id)
        return Held(authorization=Authorization.from_document(page.content), page=page) if page.content else None

    def ask(self, id: str) -> Asked:
        """For `current`, without waiting for it."""
        key = self._notes.key(id)
        return Asked(key=key, answer=self._services.store.notes.ask(key))

    async def current(self, asked: Asked) -> Current | None:
        """As `find`, for each request: opened once for each version. What has ended long ago is not there any more."""
        note = await self._services.store.notes.answer(asked.answer)
        if note is None:
            return None
        remembered = self._services.authorizations.get(asked.key)
        if remembered is None or remembered[0] != note.version:
            page = await self._notes.opened(note)
            if not page.content:
                return None
            remembered = note.version, Authorization.from_document(page.content)
            self._services.authorizations.put(asked.key, remembered)
        return Current(authorization=remembered[1], rests_on=(asked.key, note.version))

    async def of_account(self, account: str) -> list[Held]:
        """The latest first; those that ended more than a month ago, or before many others, are gone."""
        listed = (await self._lists.read(account)).content.get("ids", [])
        found = [await self.find(id) for id in reversed(listed)]
        return [one for one in found if one is not None]

    async def begun(self, new: Authorization) -> tuple[NoteWrite, ...]:
        """A new one; two that begin for one account at the same time meet a Conflict, and the later is made again."""
        listed = await self._lists.read(new.person.account)
        found = [one for id in listed.content.get("ids", []) if (one := await self.find(id)) is not None]
        over = [one.authorization.id for one in found if not one.authorization.holds(self._notes.now_us)]
        forgotten = set(over[:-OVER_SHOWN_MAX])
        ids = [one.authorization.id for one in found if one.authorization.id not in forgotten]
        return (
            await self._notes.write(await self._notes.read(new.id), new.to_document(), new.expires_us + KEPT_US),
            await self._lists.write(listed, {"ids": [*ids, new.id]}),
        )

    async def changed(self, held: Held, new: Authorization) -> NoteWrite:
        return await self._notes.write(held.page, new.to_document(), new.expires_us + KEPT_US)

    async def ended(self, held: Held) -> NoteWrite:
        """Over on every process with the next request; ending twice keeps the first time."""
        one = held.authorization
        return await self.changed(held, replace(one, ended_us=one.ended_us or self._notes.now_us))

    async def ending(self, account: str) -> tuple[list[Authorization], tuple[NoteWrite, ...]]:
        """What the account let apps do and that still holds, and what ends it. The list is written again as it is: one that begins at the
        same moment meets a Conflict, or is met by one, and is never overlooked.
        """
        listed = await self._lists.read(account)
        found = [await self.find(id) for id in listed.content.get("ids", [])]
        held = [one for one in found if one is not None and one.authorization.holds(self._notes.now_us)]
        over = [await self.ended(one) for one in held]
        return [one.authorization for one in held], (await self._lists.write(listed, {"ids": listed.content.get("ids", [])}), *over)

    async def token_ended(self, held: Held, jti: str, exp_us: int) -> NoteWrite:
        """One access token is over, the rest goes on; with too many of them all are."""
        now_us, one = self._notes.now_us, held.authorization
        kept = tuple(pair for pair in one.ended_tokens if pair[1] > now_us and pair[0] != jti)
        if len(kept) >= ENDED_TOKENS_MAX:
            return await self.ended(held)
        return await self.changed(held, replace(one, ended_tokens=(*kept, (jti, exp_us))))
