"""User v2 - Getdevice, and the notification: what devices there are, and what is worth asking for."""

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.contract import Unreadable
from adapters.withings import adapter
from adapters.withings.notify import GETMEAS, HEART, NOTIFICATION_BYTES_MAX, SLEEP, Fetch, parse_notification
from tests.support.payloads import SAMPLES, needs_samples


def facts(*devices: Any) -> list[Any]:
    return list(adapter.device_facts(json.dumps({"status": 0, "body": {"devices": devices}}).encode()))


def ping(**fields: Any) -> Any:
    return parse_notification(urlencode({"userid": "12345", "appli": "1"} | fields).encode())


# -- devices


def test_a_device_says_what_it_is() -> None:
    sent = {
        "deviceid": "d1",
        "type": "Scale",
        "model": "Body+",
        "battery": "low",
        "timezone": "Europe/Paris",
        "fw": "1751",
        "mac_address": "00:24:e4:aa:bb:cc",
    }
    (fact,) = facts(sent | {"last_session_date": 1693867179})
    assert (fact.device, fact.kind, fact.model, fact.manufacturer, fact.battery_level, fact.time_zone) == (
        "d1",
        "Scale",
        "Body+",
        "Withings",
        "low",
        "Europe/Paris",
    )
    assert (fact.firmware, fact.identifiers, fact.last_seen.text) == ("1751", ("EUI-48 00-24-E4-AA-BB-CC",), "1693867179")


@pytest.mark.parametrize("battery", ["unknown", None, 5, "empty"])
def test_a_battery_that_is_not_known_is_not_said(battery: Any) -> None:
    assert facts({"deviceid": "d1", "battery": battery})[0].battery_level is None


@pytest.mark.parametrize("device", [None, 5, {}, {"deviceid": None}, {"deviceid": 7}, {"deviceid": "x" * 300}])
def test_what_names_no_device_is_no_fact(device: Any) -> None:
    assert facts(device) == []


def test_an_error_of_the_vendor_is_no_list() -> None:
    with pytest.raises(Unreadable) as refused:
        adapter.device_facts(b'{"status": 401}')
    assert refused.value.code == "vendor-error"


@needs_samples
def test_the_devices_of_the_sample() -> None:
    told = list(adapter.device_facts((SAMPLES / "withings" / "user-getdevice.json").read_bytes()))
    assert [(one.kind, one.model, one.battery_level) for one in told] == [
        ("Scale", "Body+", "high"),
        ("Scale", "Body+", "high"),
        ("Scale", "Body+", None),
        ("Sleep Monitor", "Aura Sensor V2", "high"),
        ("Sleep Monitor", None, "high"),
    ]
    assert {one.device for one in told} == {"f998be4b9ccc9e136fd8cd8e8e344c31ec3b271d"}
    assert [one.last_seen.text if one.last_seen else None for one in told] == ["1693867179", None, None, None, None]


# -- the notification


@pytest.mark.parametrize(
    ("appli", "fetches"),
    [
        (1, (GETMEAS,)),
        (2, (GETMEAS,)),
        (4, (GETMEAS, HEART)),
        (16, (Fetch("/v2/measure", "getactivity"),)),
        (44, SLEEP),
        (54, (HEART, GETMEAS)),
        (58, (GETMEAS,)),
        (46, ()),
        (50, ()),
        (51, ()),
        (52, ()),
        (53, ()),
        (55, ()),
    ],
)
def test_each_appli_says_what_to_ask_for(appli: int, fetches: tuple[Fetch, ...]) -> None:
    told = ping(appli=appli, startdate=1530576000, enddate=1530698753)
    assert (told.account, told.appli, told.known, told.fetches) == ("12345", appli, True, fetches)
    assert (told.start, told.end) == (datetime(2018, 7, 3, tzinfo=UTC), datetime(2018, 7, 4, 10, 5, 53, tzinfo=UTC))


def test_an_appli_that_nobody_knows_asks_for_nothing() -> None:
    assert (ping(appli=999).known, ping(appli=999).fetches) == (False, ())


@pytest.mark.parametrize("date", ["", "x", "-1", "0", "99999999999999", "1.5"])
def test_a_date_that_is_none_is_not_believed(date: str) -> None:
    assert ping(startdate=date).start is None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"userid=1",
        b"appli=1",
        b"userid=1&appli=x",
        b"userid=1&appli=1&appli=4",
        b"userid=../x&appli=1",
        b"userid=1&appli=1" + b"&a=1" * 20,
        b"userid=1&appli=" + b"1" * 5000,
        b"\xff\xfe",
        "userid=é&appli=1".encode(),
    ],
)
def test_what_is_no_notification_is_refused_without_repeating_it(body: bytes) -> None:
    with pytest.raises(Unreadable) as refused:
        parse_notification(body)
    assert refused.value.code in {"not-a-notification", "payload-too-large"}
    assert refused.value.__context__ is None


@given(st.binary(max_size=NOTIFICATION_BYTES_MAX + 10))
def test_any_bytes_are_a_notification_or_refused(body: bytes) -> None:
    try:
        parse_notification(body)
    except Unreadable:
        return
