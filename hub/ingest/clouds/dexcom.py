"""Dexcom: values, calibrations and events. https://developer.dexcom.com/docs/dexcomv3, …/docs/dexcom/authentication"""

from datetime import UTC, datetime, timedelta
from functools import partial
from urllib.parse import urlencode

from hub.ingest.clouds.feed import (
    MICROSECOND,
    Account,
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

WINDOW = timedelta(days=7)
"""Of one question to Dexcom, which takes thirty days at most: a week of readings, one every five minutes, is two thousand."""
LATE = timedelta(hours=4)
"""Phones' readings reach Dexcom's cloud three hours late: each question begins before the last one ended, what is known is a duplicate."""


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S")


def _dexcom_end(cursor: Cursor, now_us: int) -> datetime:
    return min(_moment(cursor["from"]) + WINDOW, datetime.fromtimestamp(now_us // MICROSECOND, UTC))


def _dexcom_ask(what: str, base: str, token: str, cursor: Cursor, now_us: int) -> Call:
    start = _text(_moment(cursor["from"]) - LATE)
    query = urlencode({"startDate": start, "endDate": _text(_dexcom_end(cursor, now_us))})
    return Call(url=f"{base}/v3/users/self/{what}?{query}", token=token)


def _dexcom_following(body: bytes, cursor: Cursor, now_us: int) -> tuple[Cursor, bool]:
    if not isinstance(object_of(body).get("records"), list):
        raise CloudRefused("the answer has no records")
    end = _dexcom_end(cursor, now_us)
    return {"from": _text(end)}, end < datetime.fromtimestamp(now_us // MICROSECOND, UTC)


def _dexcom_renewing(base: str, own: Credentials, tokens: Tokens) -> Call:
    form = {"grant_type": "refresh_token", "client_id": own.client_id, "client_secret": own.client_secret}
    return Call(url=f"{base}/v3/oauth2/token", form={**form, "refresh_token": tokens.refresh})


def _dexcom_begin(moment_us: int) -> Cursor:
    return {"from": _text(datetime.fromtimestamp(moment_us // MICROSECOND, UTC))}


def _dexcom_feed(name: str) -> Feed:
    """Calibrations and events are asked for like values: what arrives late is in the overlap, what is known is a duplicate."""
    return Feed(name=name, adapter="dexcom", ask=partial(_dexcom_ask, name), following=_dexcom_following, begin=_dexcom_begin)


def _dexcom_exchanging(base: str, own: Credentials, code: str, redirect_uri: str, verifier: str) -> Call:
    return Call(url=f"{base}/v3/oauth2/token", form=code_form(own, code, redirect_uri, verifier))


def _dexcom_account(body: bytes) -> str:
    """`userId`: one for each account and registration of a hub."""
    user = object_of(body).get("userId")
    if not isinstance(user, str) or not user:
        raise CloudRefused("the answer has no userId")
    return user


DEXCOM = Cloud(
    name="dexcom",
    adapter="dexcom",
    ask=partial(_dexcom_ask, "egvs"),
    following=_dexcom_following,
    renewing=_dexcom_renewing,
    renewed=lambda body, before, now_us: tokens_of(object_of(body), before, now_us),
    begin=_dexcom_begin,
    consent=Consent(
        page=lambda base: f"{base}/v3/oauth2/login",
        scope="offline_access",
        exchanging=_dexcom_exchanging,
        granted=lambda body, now_us: (granted_of(object_of(body), now_us), None),
        account=Account(ask=lambda base, token: Call(url=f"{base}/v3/users/self/dataRange", token=token), name=_dexcom_account),
    ),
    further=(_dexcom_feed("calibrations"), _dexcom_feed("events")),
)
