"""Pings: a vendor's cloud says that there may be something new. It is not signed, so nothing of it is believed.

All that is taken from it is whose it may be, as a name under which a mark is left: a link of that name, if there is one, is
polled sooner. Whoever forges a ping can make the hub ask the vendor once more, within the client's quota.
"""

from urllib.parse import parse_qsl

from hub.ingest.hooks import Hook
from hub.notebook import Notebook
from hub.recording import Recording
from hub.repository.redoing import redoing
from hub.services import Services
from hub.store.protocol import Unit

KIND = "wake"
KEPT_US = 86_400_000_000
USER_FIELDS = ("userid", "user_id")
"""https://developer.withings.com/developer-guide/v3/data-api/notifications/notification-overview"""
USER_CHARS_MAX = 64
FORM_BYTES_MAX = 4_096
FIELDS_MAX = 16


def user_of(body: bytes) -> str | None:
    """Whose it may be: a short field of a small form, or nothing."""
    if len(body) > FORM_BYTES_MAX:
        return None
    try:
        form = dict(parse_qsl(body.decode("ascii"), max_num_fields=FIELDS_MAX))
    except ValueError:
        return None
    user = next((form[name] for name in USER_FIELDS if name in form), None)
    return user if user and len(user) <= USER_CHARS_MAX else None


def wake_name(client: str, adapter: str, user: str) -> str:
    return f"{client}\n{adapter}\n{user}"


async def wake(services: Services, recording: Recording, hook: Hook, body: bytes) -> None:
    """Leave the mark, once: who pings a thousand times before the next poll changes nothing."""
    user = user_of(body)
    if user is None:
        return
    notebook, name = Notebook(services, KIND), wake_name(hook.client, hook.adapter, user)

    async def once() -> None:
        page = await notebook.read(name)
        if not page.content:
            note = await notebook.write(page, {"at_us": services.clock()}, services.clock() + KEPT_US)
            await recording.commit(Unit(notes=[note]), writes=())

    await redoing(once, lambda: (name,), services.turns)  # of two at the same time one finds the other's
