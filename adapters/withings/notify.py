"""The call with which Withings says that there is something new: form-encoded, unsigned, a ping and no data.

https://developer.withings.com/developer-guide/v3/data-api/notifications/notification-content/. Anybody can send it: nothing of it is
believed but that it may be worth asking the API, for this account and this time.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import parse_qsl

from adapters.contract import Unreadable
from adapters.limits import FIELD_CHARS_MAX
from adapters.withings_api import EPOCH_S_MAX

NOTIFICATION_BYTES_MAX = 4096
FIELDS_MAX = 16


@dataclass(frozen=True, slots=True)
class Fetch:
    """A call of the API that brings what was announced: path and `action`."""

    path: str
    action: str


GETMEAS = Fetch("/measure", "getmeas")
HEART = Fetch("/v2/heart", "list")
SLEEP = (Fetch("/v2/sleep", "getsummary"), Fetch("/v2/sleep", "get"))

APPLI: Mapping[int, tuple[Fetch, ...]] = {
    1: (GETMEAS,),
    2: (GETMEAS,),
    4: (GETMEAS, HEART),
    16: (Fetch("/v2/measure", "getactivity"),),
    44: SLEEP,
    46: (),
    50: (),
    51: (),
    52: (),
    53: (),
    54: (HEART, GETMEAS),
    55: (),
    58: (GETMEAS,),
}
"""What each `appli` makes worth asking: weight, temperature, pressure, activity, sleep, the user's account (46), bed in and out (50, 51),
mattress (52), a device without account (53), ECG (54), an ECG that failed (55), glucose.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ping:
    """One notification.

    account  `userid`, which names the account whose token to use; it identifies a person: not for logs
    fetches  what to ask, in this order; empty if nothing was measured, or for an `appli` that is not known
    known    is `appli` one that this version knows
    start, end  the time that it is about, where it says one
    """

    account: str
    appli: int
    known: bool
    fetches: tuple[Fetch, ...]
    start: datetime | None
    end: datetime | None


def parse_notification(payload: bytes) -> Ping:
    """Read one call. Raises Unreadable; its hint repeats nothing of the call."""
    if len(payload) > NOTIFICATION_BYTES_MAX:
        raise Unreadable("payload-too-large", f"A notification has at most {NOTIFICATION_BYTES_MAX} bytes.")
    fields = _fields(payload)
    account, appli = fields.get("userid", ""), fields.get("appli", "")
    if not account or len(account) > FIELD_CHARS_MAX or not account.isascii() or not account.isalnum():
        raise Unreadable("not-a-notification", "`userid` is missing or no identifier.", pointer="/userid")
    if not appli.isascii() or not appli.isdecimal() or len(appli) > 4:  # noqa: PLR2004  digits
        raise Unreadable("not-a-notification", "`appli` is missing or no number.", pointer="/appli")
    number = int(appli)
    return Ping(
        account=account,
        appli=number,
        known=number in APPLI,
        fetches=APPLI.get(number, ()),
        start=_epoch(fields.get("startdate")),
        end=_epoch(fields.get("enddate")),
    )


def _fields(payload: bytes) -> dict[str, str]:
    """https://url.spec.whatwg.org/#urlencoded-parsing; a name that comes twice would say two things."""
    pairs = _pairs(payload)
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise Unreadable("not-a-notification", "A field comes twice.")
    return fields


def _pairs(payload: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(payload.decode("ascii"), keep_blank_values=True, max_num_fields=FIELDS_MAX, errors="strict")
    except ValueError:
        pairs = None
    if pairs is None:  # out here, because the parser's own exception holds the call
        raise Unreadable("not-a-notification", "The body is not form-encoded (application/x-www-form-urlencoded).")
    return pairs


def _epoch(text: str | None) -> datetime | None:
    if text is None or not text.isascii() or not text.isdecimal() or len(text) > 12 or not 0 < int(text) < EPOCH_S_MAX:  # noqa: PLR2004  digits
        return None
    return datetime.fromtimestamp(int(text), UTC)
