"""Withings: measures, ECGs and nights. https://developer.withings.com/api-reference (getmeas, heart v2, sleep v2, oauth2)."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from adapters.withings_sleep.mapping import SUMMARY
from hub.ingest.clouds.feed import (
    MICROSECOND,
    Call,
    Cloud,
    CloudRefused,
    Consent,
    Credentials,
    Cursor,
    Feed,
    Tokens,
    code_form,
    granted_of,
    object_of,
    tokens_of,
)


def _withings_body(body: bytes) -> Mapping[str, Any]:
    """Every answer of Withings is 200; what became of it is in `status` (https://developer.withings.com/api-reference#section/Response-status)."""
    found = object_of(body)
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


HEART_LATE_S = 7 * 86_400
"""A watch gives its ECGs to the cloud when its wearer opens the app: each question begins a week before the last one ended."""


def _heart_ask(base: str, token: str, cursor: Cursor, now_us: int) -> Call:
    until = cursor.get("until") or now_us // MICROSECOND
    form = {"action": "list", "startdate": str(max(0, cursor["since"] - HEART_LATE_S)), "enddate": str(until)}
    offset = {"offset": str(cursor["offset"])} if cursor.get("offset") else {}
    return Call(url=f"{base}/v2/heart", form={**form, **offset}, token=token)


def _series(body: bytes) -> Mapping[str, Any]:
    found = _withings_body(body)
    if not isinstance(found.get("series"), list):
        raise CloudRefused("the answer has no series")
    return found


def _signal(record: Any) -> int | None:
    """Of a record of List: the number under which its signal is asked for."""
    ecg = record.get("ecg") if isinstance(record, dict) else None
    number = ecg.get("signalid") if isinstance(ecg, dict) else None
    return number if isinstance(number, int) else None


def _version(record: Any) -> str:
    return f"{_signal(record)}:{record.get('modified', record.get('timestamp'))}"


def _heart_new(body: bytes, cursor: Cursor) -> list[Any]:
    """Records that were not read yet, as they are now; those without a signal each time, for they cost no question."""
    seen = set(cursor.get("seen", ()))
    return [one for one in _series(body)["series"] if _signal(one) is None or _version(one) not in seen]


def _heart_details(base: str, token: str, body: bytes, cursor: Cursor) -> Sequence[Call]:
    numbers = [number for one in _heart_new(body, cursor) if (number := _signal(one)) is not None]
    return [Call(url=f"{base}/v2/heart", form={"action": "get", "signalid": str(number)}, token=token) for number in numbers]


def _heart_payload(body: bytes, cursor: Cursor, details: Sequence[bytes]) -> bytes:
    """As the adapter wants it: the fields of Get beside the `signalid` of List."""
    signals = iter(details)
    records = [
        one if _signal(one) is None else {**one, "ecg": {**_withings_body(next(signals)), **one["ecg"]}} for one in _heart_new(body, cursor)
    ]
    return orjson.dumps({"status": 0, "body": {"series": records}})


def _heart_following(body: bytes, cursor: Cursor, now_us: int) -> tuple[Cursor, bool]:
    found = _series(body)
    until = cursor.get("until") or now_us // MICROSECOND
    seen = [*cursor.get("seen", ()), *(_version(one) for one in _heart_new(body, cursor) if _signal(one) is not None)]
    if found.get("more") and isinstance(found.get("offset"), int) and found["offset"] > cursor.get("offset", 0):
        return {"since": cursor["since"], "until": until, "offset": found["offset"], "seen": seen[-HEART_SEEN_MAX:]}, True
    return {"since": until, "seen": seen[-HEART_SEEN_MAX:]}, False


HEART_SEEN_MAX = 500
"""Of a week: more than anybody takes."""
HEART = Feed(
    name="heart",
    adapter="withings-heart",
    ask=_heart_ask,
    following=_heart_following,
    begin=lambda moment_us: {"since": moment_us // MICROSECOND},
    details=_heart_details,
    payload=_heart_payload,
)

SLEEP_FIELDS = ",".join(sorted(field.name for field in SUMMARY))


def _sleep_ask(base: str, token: str, cursor: Cursor, _: int) -> Call:
    form = {"action": "getsummary", "lastupdate": str(cursor["since"]), "data_fields": SLEEP_FIELDS}
    offset = {"offset": str(cursor["offset"])} if cursor.get("offset") else {}
    return Call(url=f"{base}/v2/sleep", form={**form, **offset}, token=token)


def _sleep_following(body: bytes, cursor: Cursor, now_us: int) -> tuple[Cursor, bool]:
    """The answer does not say when it was made: the next question begins a minute before this round did."""
    found = _series(body)
    until = cursor.get("until") or now_us // MICROSECOND - 60
    if found.get("more") and isinstance(found.get("offset"), int) and found["offset"] > cursor.get("offset", 0):
        return {"since": cursor["since"], "until": until, "offset": found["offset"]}, True
    return {"since": max(until, cursor["since"])}, False


SLEEP = Feed(
    name="sleep",
    adapter="withings-sleep",
    ask=_sleep_ask,
    following=_sleep_following,
    begin=lambda moment_us: {"since": moment_us // MICROSECOND},
)


def _withings_exchanging(base: str, own: Credentials, code: str, redirect_uri: str, verifier: str) -> Call:
    return Call(url=f"{base}/v2/oauth2", form={"action": "requesttoken", **code_form(own, code, redirect_uri, verifier)})


def _withings_granted(body: bytes, now_us: int) -> tuple[Tokens, str | None]:
    found = _withings_body(body)
    user = found.get("userid")
    return granted_of(found, now_us), str(user) if isinstance(user, int | str) else None


WITHINGS = Cloud(
    name="withings",
    adapter="withings",
    ask=_withings_ask,
    following=_withings_following,
    renewing=_withings_renewing,
    renewed=lambda body, before, now_us: tokens_of(_withings_body(body), before, now_us),
    begin=lambda moment_us: {"since": moment_us // MICROSECOND},
    consent=Consent(
        page=lambda _: "https://account.withings.com/oauth2_user/authorize2",
        scope="user.metrics,user.activity",
        exchanging=_withings_exchanging,
        granted=_withings_granted,
    ),
    further=(HEART, SLEEP),
)
