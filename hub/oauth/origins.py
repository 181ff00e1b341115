"""Whose pages may call the API: those of apps that are registered with their origins (`hub.cors`)."""

from collections.abc import Callable
from typing import Final

from hub.remembered import Remembered
from hub.store.oauth import OAuthStore
from hub.store.protocol import Unavailable

REMEMBERED_US: Final = 5_000_000
"""So long an origin that was permitted goes without being looked up. One that was not is looked up each time: it may just be registered."""
REMEMBERED_MAX: Final = 1_024


class AppOrigins:
    """`clock`: microseconds."""

    def __init__(self, clients: OAuthStore, clock: Callable[[], int]) -> None:
        self._clients, self._clock = clients, clock
        self._known: Remembered[str, int] = Remembered(REMEMBERED_MAX)

    async def __call__(self, origin: str) -> bool:
        """Silence means no: neither when the registry cannot be asked."""
        now_us = self._clock()
        if now_us < (self._known.get(origin) or 0):
            return True
        try:
            found = await self._clients.has_origin(origin)
        except Unavailable:
            return False
        if found:
            self._known.put(origin, now_us + REMEMBERED_US)
        return found
