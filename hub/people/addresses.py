"""What is remembered of network addresses that wrong proofs came from: a sealed note for a day, under a pseudonym."""

from ipaddress import IPv6Address, ip_address, ip_network

from hub.notebook import Notebook, Page
from hub.services import Services
from hub.store.protocol import NoteWrite
from security.people.lockout import DAY_US, Address

ADDRESSES = "person-address"
IPV6_PREFIX = 64
"""What one household or office is given."""


class Addresses:
    """Raises Unavailable."""

    def __init__(self, services: Services) -> None:
        self._notes = Notebook(services, ADDRESSES)

    async def read(self, address: str | None) -> tuple[Page, Address]:
        page = await self._notes.read(name_of(address))
        return page, Address(**page.content)

    async def failed(self, page: Page, address: Address) -> NoteWrite:
        after = address.failed(self._notes.now_us)
        content = {"failures": after.failures, "since_us": after.since_us, "locked_until_us": after.locked_until_us}
        return await self._notes.write(page, content, self._notes.now_us + DAY_US)


def name_of(address: str | None) -> str:
    """An IPv4 address, or the network that an IPv6 address lies in; all that is neither is one."""
    try:
        found = ip_address(address or "")
    except ValueError:
        return "unknown"
    if not isinstance(found, IPv6Address):
        return str(found)
    return str(found.ipv4_mapped or ip_network((found, IPV6_PREFIX), strict=False))
