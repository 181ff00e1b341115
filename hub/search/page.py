"""Page links: an opaque, sealed cursor. It says where a search goes on and for whom; it is no permission.

https://hl7.org/fhir/R4/http.html#paging. Continuing is a new search by the same caller: everything is decided again.
Nothing of the query can be read in the link, so that no log along the way learns a name or an identifier (law 4).
"""

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import orjson

from hub.errors import FhirError
from hub.search.asked import Pair
from hub.search.sort import SortValue

CURSOR_CHARS_MAX = 65_536
FORMAT = 2
Direction = Literal["next", "previous"]
Position = tuple[SortValue, ...]

Seal = Callable[[bytes], bytes]
"""Encrypts and authenticates."""
Open = Callable[[bytes], bytes | None]
"""Undoes a Seal; None for anything that was not sealed by it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """Where to go on.

    type, pairs  the search itself, as it was parsed the first time
    position     sort values of the resource at the rim of the page, its id last (`hub.search.sort`); () is the beginning
    direction    which way from there
    caller       what binds the link to its caller, as the repository chooses to write it
    started_us   when the search began: `ap` means the same on every page
    expires_us   when the link stops working (us since 1970)
    """

    type: str
    pairs: tuple[Pair, ...]
    position: Position
    caller: str
    started_us: int
    expires_us: int
    direction: Direction = "next"


class Placed(Protocol):
    """A page that knows the positions of those next to it."""

    @property
    def after(self) -> Position | None: ...
    @property
    def before(self) -> Position | None: ...
    @property
    def started_us(self) -> int: ...


def encode(cursor: Cursor, seal: Seal) -> str:
    """URL-safe text without padding."""
    plain = orjson.dumps(
        {
            "caller": cursor.caller,
            "direction": cursor.direction,
            "expires": cursor.expires_us,
            "format": FORMAT,
            "pairs": cursor.pairs,
            "position": cursor.position,
            "started": cursor.started_us,
            "type": cursor.type,
        }
    )
    return base64.urlsafe_b64encode(seal(plain)).rstrip(b"=").decode("ascii")


def decode(text: str, open_: Open, *, type: str, caller: str, now_us: int) -> Cursor:
    """The cursor of a link that `caller` was given for `type` and that still holds at `now_us`.

    Raises FhirError `not-found`, the same for each reason: a link of somebody else's does not exist.
    """
    cursor = _opened(text, open_)
    if cursor is None or cursor.type != type or cursor.caller != caller or cursor.expires_us <= now_us:
        raise FhirError("not-found", "This page link is no longer valid: repeat the search.")
    return cursor


def _opened(text: str, open_: Open) -> Cursor | None:
    if len(text) > CURSOR_CHARS_MAX or not text.isascii():
        return None
    try:
        sealed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error:
        return None
    plain = open_(sealed)
    return None if plain is None else _read(orjson.loads(plain))


def _read(found: dict[str, Any]) -> Cursor | None:
    """None for a cursor that another release wrote in another form."""
    if found.get("format") != FORMAT:
        return None
    return Cursor(
        type=found["type"],
        pairs=tuple((name, value) for name, value in found["pairs"]),
        position=tuple(found["position"]),
        caller=found["caller"],
        started_us=found["started"],
        expires_us=found["expires"],
        direction=found["direction"],
    )
