"""On which day a client by itself got a token last: a sealed note for each, written with the record of its first token of a day.

Each process remembers whom it has seen today: all other tokens cost no question and no write.
"""

from typing import Final

from hub.notebook import Notebook
from hub.services import Services
from hub.store.protocol import NoteWrite
from security.oauth.authorization import DAY_US

USED: Final = "client-used"


async def first_today(services: Services, client_id: str) -> tuple[NoteWrite, ...]:
    """What has to be committed with the record of a token; nothing for the second of a day."""
    notes, day_us = Notebook(services, USED), today_us(services)
    if services.clients_used.get(client_id) == day_us:
        return ()
    page = await notes.read(client_id)
    return () if page.content.get("day_us") == day_us else (await notes.write(page, {"day_us": day_us}),)


def seen_today(services: Services, client_id: str) -> None:
    """Once that is durable."""
    services.clients_used.put(client_id, today_us(services))


async def last_used(services: Services, client_id: str) -> int | None:
    """The first moment, in UTC, of the day; None if there was none since days are kept."""
    found: int | None = (await Notebook(services, USED).read(client_id)).content.get("day_us")
    return found


def today_us(services: Services) -> int:
    now_us = services.clock()
    return now_us - now_us % DAY_US
