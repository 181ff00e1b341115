"""What is particular to each vendor's cloud that is polled: what to ask, how to read where to go on. Pure; rows, not branches.

Withings: https://developer.withings.com/api-reference#tag/measure/operation/measure-getmeas, #tag/oauth2
Dexcom: https://developer.dexcom.com/docs/dexcomv3/operation/getEstimatedGlucoseValuesV3, …/docs/dexcom/authentication
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import orjson

Cursor = Mapping[str, Any]
MICROSECOND = 1_000_000
WINDOW = timedelta(days=7)
"""Of one question to Dexcom, which takes thirty days at most: a week of readings, one every five minutes, is two thousand."""
LATE = timedelta(hours=4)
"""Phones' readings reach Dexcom's cloud three hours late: each question begins before the last one ended, what is known is a duplicate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request to a cloud. `form`: sent as one, by POST; None: GET."""

    url: str
    form: Mapping[str, str] | None = None
    token: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """https://www.rfc-editor.org/rfc/rfc6749#section-5.1"""

    access: str
    refresh: str
    expires_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """The hub's own registration at the vendor."""

    client_id: str
    client_secret: str


class CloudRefused(Exception):
    """The cloud did not answer with data. `expired`: the access token is not good (any more)."""

    def __init__(self, why: str, *, expired: bool = False) -> None:
        super().__init__(why)
        self.expired = expired


@dataclass(frozen=True, slots=True, kw_only=True)
class Cloud:
    """ask      the next question, from token, cursor and now
    following   where to go on after this answer, and whether there is more to ask at once; raises CloudRefused
    renewing    how new tokens are asked for
    renewed     the tokens of the answer; raises CloudRefused
    begin       the cursor of a link that is to be read from this moment on
    """

    name: str
    adapter: str
    ask: Callable[[str, str, Cursor, int], Call]
    following: Callable[[bytes, Cursor, int], tuple[Cursor, bool]]
    renewing: Callable[[str, Credentials, Tokens], Call]
    renewed: Callable[[bytes, Tokens, int], Tokens]
    begin: Callable[[int], Cursor]


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise CloudRefused("the answer is not JSON") from None
    if not isinstance(found, dict):
        raise CloudRefused("the answer is not an object")
    return found


def _tokens(found: Mapping[str, Any], before: Tokens, now_us: int) -> Tokens:
    access, seconds = found.get("access_token"), found.get("expires_in")
    if not isinstance(access, str) or not isinstance(seconds, int):
        raise CloudRefused("no tokens were given; the patient may have withdrawn what was granted")
    refresh = found.get("refresh_token")
    return Tokens(access=access, refresh=refresh if isinstance(refresh, str) else before.refresh, expires_us=now_us + seconds * MICROSECOND)


def _withings_body(body: bytes) -> Mapping[str, Any]:
    """Every answer of Withings is 200; what became of it is in `status` (https://developer.withings.com/api-reference#section/Response-status)."""
    found = _object(body)
    status = found.get("status")
    if status != 0:
        raise CloudRefused(f"status {status}" if isinstance(status, int) else "no status", expired=status in (100, 101, 102, 200, 401))
    inner = found.get("body")
    return inner if isinstance(inner, dict) else {}


def _withings_ask(base: str, token: str, cursor: Cursor, _: int) -> Call:
    form = {"action": "getmeas", "category": "1", "lastupdate": str(cursor["since"])}
    offset = {"offset": str(cursor["offset"])} if cursor.get("offset") else {}
    return Call(url=f"{base}/measure", form={**form, **offset}, token=token)


def _withings_following(body: bytes, cursor: Cursor, _: int) -> tuple[Cursor, bool]:
    """Through the pages with one `lastupdate`; only then on to the time at which the first of them was made."""
    found = _withings_body(body)
    until = cursor.get("until") or found.get("updatetime")
    if not isinstance(until, int):
        raise CloudRefused("the answer has no updatetime")
    if found.get("more") and isinstance(found.get("offset"), int) and found["offset"] > cursor.get("offset", 0):
        return {"since": cursor["since"], "until": until, "offset": found["offset"]}, True
    return {"since": until}, False


def _withings_renewing(base: str, own: Credentials, tokens: Tokens) -> Call:
    form = {"action": "requesttoken", "grant_type": "refresh_token", "client_id": own.client_id, "client_secret": own.client_secret}
    return Call(url=f"{base}/v2/oauth2", form={**form, "refresh_token": tokens.refresh})


WITHINGS = Cloud(
    name="withings",
    adapter="withings",
    ask=_withings_ask,
    following=_withings_following,
    renewing=_withings_renewing,
    renewed=lambda body, before, now_us: _tokens(_withings_body(body), before, now_us),
    begin=lambda moment_us: {"since": moment_us // MICROSECOND},
)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S")


def _dexcom_end(cursor: Cursor, now_us: int) -> datetime:
    return min(_moment(cursor["from"]) + WINDOW, datetime.fromtimestamp(now_us // MICROSECOND, UTC))


def _dexcom_ask(base: str, token: str, cursor: Cursor, now_us: int) -> Call:
    start = _text(_moment(cursor["from"]) - LATE)
    query = urlencode({"startDate": start, "endDate": _text(_dexcom_end(cursor, now_us))})
    return Call(url=f"{base}/v3/users/self/egvs?{query}", token=token)


def _dexcom_following(body: bytes, cursor: Cursor, now_us: int) -> tuple[Cursor, bool]:
    if not isinstance(_object(body).get("records"), list):
        raise CloudRefused("the answer has no records")
    end = _dexcom_end(cursor, now_us)
    return {"from": _text(end)}, end < datetime.fromtimestamp(now_us // MICROSECOND, UTC)


def _dexcom_renewing(base: str, own: Credentials, tokens: Tokens) -> Call:
    form = {"grant_type": "refresh_token", "client_id": own.client_id, "client_secret": own.client_secret}
    return Call(url=f"{base}/v3/oauth2/token", form={**form, "refresh_token": tokens.refresh})


DEXCOM = Cloud(
    name="dexcom",
    adapter="dexcom",
    ask=_dexcom_ask,
    following=_dexcom_following,
    renewing=_dexcom_renewing,
    renewed=lambda body, before, now_us: _tokens(_object(body), before, now_us),
    begin=lambda moment_us: {"from": _text(datetime.fromtimestamp(moment_us // MICROSECOND, UTC))},
)

CLOUDS: Mapping[str, Cloud] = {cloud.name: cloud for cloud in (WITHINGS, DEXCOM)}
