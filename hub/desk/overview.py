"""GET /console: what there is to look at and to do. A page is a row here and in the route table."""

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from hub.console.words import Said, in_language
from hub.desk import Desk
from hub.desk.client_words import CLIENT_WORDS
from hub.desk.confirm_words import CONFIRM_WORDS
from hub.desk.quarantine_words import QUARANTINE_WORDS
from hub.desk.unit_words import UNIT_WORDS
from hub.desk.user_words import KEY_WORDS, USER_WORDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A page of the console: where it is, what it is called, what it is for."""

    path: str
    title: Said
    what: Said


ENTRIES: Sequence[Entry] = (
    Entry(path="/console/units", title=UNIT_WORDS["units"], what=UNIT_WORDS["units-lede"]),
    Entry(path="/console/quarantine", title=QUARANTINE_WORDS["quarantine"], what=QUARANTINE_WORDS["quarantine-lede"]),
    Entry(path="/console/confirm", title=CONFIRM_WORDS["confirm"], what=CONFIRM_WORDS["confirm-lede"]),
    Entry(path="/console/clients", title=CLIENT_WORDS["clients"], what=CLIENT_WORDS["clients-lede"]),
    Entry(path="/console/users", title=USER_WORDS["users"], what=USER_WORDS["users-lede"]),
    Entry(path="/console/keys", title=KEY_WORDS["keys"], what=KEY_WORDS["keys-lede"]),
)


async def overview(_: Request, desk: Desk) -> Response:
    entries = [(one.path, in_language(desk.language, one.title), in_language(desk.language, one.what)) for one in ENTRIES]
    return desk.page("desk.html", entries=entries)
