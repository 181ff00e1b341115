"""How often something may be tried: counted in a sealed note, so for all processes together, and forgotten with its time.

Whoever counts writes the note in the transaction of what was tried; two at once meet a Conflict, and the later counts again.
"""

from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network

from hub.errors import Throttled
from hub.notebook import Notebook, Page
from hub.services import Services
from hub.store.protocol import NoteWrite

LIMITS = "oauth-limit"
SECOND_US = 1_000_000
IPV6_PREFIX = 64
"""What a single customer has at least: one address of them after the other is still the same sender."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """`most` times in `window_us` microseconds, which begin with the first; `what`: what is counted, for the name of the note."""

    what: str
    most: int
    window_us: int

    async def taken(self, services: Services, who: str) -> NoteWrite:
        """One more. Raises Throttled where there are none left."""
        page, ends_us = await self._left(services, who)
        return await Notebook(services, LIMITS).write(page, {"n": page.content.get("n", 0) + 1}, ends_us)

    async def check(self, services: Services, who: str) -> None:
        """Raises Throttled where there are none left: then nothing is tried, for what is found all the same was guessed."""
        await self._left(services, who)

    async def _left(self, services: Services, who: str) -> tuple[Page, int]:
        notes = Notebook(services, LIMITS)
        page = await notes.read(f"{self.what} {who}")
        now_us = notes.now_us
        ends_us = page.note.expires_us if page.content and page.note is not None and page.note.expires_us else now_us + self.window_us
        if page.content.get("n", 0) >= self.most:
            raise Throttled("Too many tries; try again after Retry-After.", max(1, -(-(ends_us - now_us) // SECOND_US)))
        return page, ends_us


def sender(address: str | None) -> str:
    """The address that tries are counted by."""
    try:
        found = ip_address(address or "")
    except ValueError:
        return address or "unknown"
    found = (isinstance(found, IPv6Address) and found.ipv4_mapped) or found  # as a socket for both kinds writes an IPv4 address
    return str(ip_network((found, IPV6_PREFIX), strict=False)) if isinstance(found, IPv6Address) else str(found)
