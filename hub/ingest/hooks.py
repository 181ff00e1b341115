"""Webhooks as they are set up: in whose name, for which adapter, how the vendor proves itself. Sealed, with their secrets.

A secret that is changed stays good for a while beside the new one, so that the vendor can change its side when it can.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal, get_args

from hub.notebook import Notebook, Page
from hub.services import Services
from hub.store.protocol import WEBHOOK, NoteWrite

Scheme = Literal["hmac", "jws", "ping"]
"""How a call proves itself: by a shared secret, by a key of the client, or not at all, because its content is ignored."""
SCHEMES: tuple[Scheme, ...] = get_args(Scheme)
KIND = WEBHOOK
HOOKS_MAX = 10_000
HOUR_US = 3_600_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """`until_us`: good until then; None while it is the current one."""

    secret: str
    until_us: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """`id` is in the address that the vendor calls; it can be known, but of a ping it is all there is to know."""

    id: str
    adapter: str
    client: str
    scheme: Scheme
    device: str | None = None
    time_zone: str | None = None
    secrets: tuple[Secret, ...] = ()
    revoked: bool = False

    def good(self, now_us: int) -> Sequence[str]:
        """The secrets that are good now."""
        return [one.secret for one in self.secrets if one.until_us is None or now_us < one.until_us]

    def rotated(self, secret: str, until_us: int, now_us: int) -> tuple[Secret, ...]:
        """The new one, and those before it until then at the latest."""
        before = [Secret(secret=one.secret, until_us=min(until_us, one.until_us or until_us)) for one in self.secrets]
        return (Secret(secret=secret), *(one for one in before if one.until_us is not None and one.until_us > now_us))


class Hooks:
    """The registry."""

    def __init__(self, services: Services) -> None:
        self._notebook = Notebook(services, KIND)

    async def find(self, id: str) -> tuple[Page, Hook | None]:
        """The note, and the hook unless there is none or it was revoked."""
        page = await self._notebook.read(id)
        hook = _hook(page)
        return page, None if hook is None or hook.revoked else hook

    async def all(self) -> list[Hook]:
        return [hook for page in await self._notebook.all(HOOKS_MAX) if (hook := _hook(page)) is not None]

    async def write(self, page: Page, hook: Hook) -> NoteWrite:
        return await self._notebook.write(page, asdict(hook))


def _hook(page: Page) -> Hook | None:
    if not page.content:
        return None
    secrets = tuple(Secret(**one) for one in page.content["secrets"])
    return Hook(**{**page.content, "secrets": secrets})
