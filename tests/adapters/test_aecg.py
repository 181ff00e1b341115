"""HL7 V3 annotated ECG, release 1 (PORT_MT020001); values worked out by hand from the document."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from adapters.aecg import adapter
from adapters.contract import Unreadable
from adapters.kit.rules import place_free
from adapters.reading import Channel, Samples
from tests.support.payloads import SAMPLES, needs_samples

REST = (Path(__file__).parent / "fixtures" / "aecg" / "rest.xml").read_bytes()


def decode(payload: bytes) -> list[Any]:
    return list(adapter.decode(payload))


def changed(old: str, new: str) -> list[Any]:
    text = REST.decode()
    assert old in text
    return decode(text.replace(old, new).encode())


def test_a_lead_is_a_strip_in_its_own_scaling() -> None:
    """value = origin + scale * digit; a relative time is counted from the beginning of the series."""
    item = decode(REST)[0]
    assert (item.measure, item.device, item.source_id) == ("ecg-lead-i", "ECG-0007", "MDC_ECG_LEAD_I")
    assert item.value == Samples(data="0 1 3 7 -2 -5 0 1", period_ms="4", unit="uV", origin="0", factor="4.88")
    assert (item.time.kind, item.time.text) == ("offset", "20240302093015.250+0100 +0.5")
    assert item.time.instant == datetime.fromisoformat("2024-03-02T09:30:15.750+01:00")
    assert item.end.instant == datetime.fromisoformat("2024-03-02T09:30:15.782+01:00")


def test_each_lead_keeps_its_unit() -> None:
    item = decode(REST)[1]
    assert (item.measure, item.value.unit, item.value.origin, item.value.factor) == ("ecg-lead-avf", "mV", "0.1", "0.005")


def test_a_series_of_more_than_half_a_minute_is_one_recording_that_names_nobody() -> None:
    """Each lead with its own scaling, one that the catalogue does not know beside them, all in one document."""
    long = REST.replace(b'increment value="4" unit="ms"', b'increment value="4" unit="s"')
    item, *rest = decode(long)
    assert [one.code for one in rest] == ["derived-not-read"]
    assert (item.measure, item.device, item.value.media_type) == ("signal-recording", "ECG-0007", "application/xml")
    assert item.end.instant - item.time.instant == timedelta(seconds=32)
    assert item.value.channels[:2] == (
        Channel(label="I", measure="ecg-lead-i", period_ms="4000", unit="uV", origin="0", factor="4.88"),
        Channel(label="AVF", measure="ecg-lead-avf", period_ms="4000", unit="mV", origin="0.1", factor="0.005"),
    )
    assert item.value.channels[2].measure is None
    assert b"ovelace" not in item.raw
    assert b"<digits>0 1 3 7" in item.raw
    (again,) = decode(item.raw)
    assert place_free(again) == place_free(item)


def test_a_sequence_that_is_no_samples_is_left_out_of_the_recording() -> None:
    """Free text may name somebody."""
    long = REST.replace(b'increment value="4" unit="ms"', b'increment value="4" unit="s"').replace(b"0 1 3 7", b"Ada Lovelace")
    recording, refused, _ = decode(long)
    assert len(recording.value.channels) == 2
    assert (refused.code, b"Lovelace" in recording.raw) == ("samples-not-readable", False)


def test_a_lead_that_is_not_one_of_the_twelve_waits() -> None:
    item = decode(REST)[2]
    assert (item.code, item.keep) == ("unknown-lead", True)
    assert place_free(decode(item.raw)[0]) == place_free(item)


def test_what_a_device_derived_from_the_rhythm_is_answered() -> None:
    assert [(item.code, item.keep) for item in decode(REST)[3:]] == [("derived-not-read", False)]


def test_the_subject_is_in_nothing_that_is_kept() -> None:
    assert not any("ovelace" in str(item) or "LOVELACE" in str(item) or "1815" in str(item) for item in decode(REST))


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ('scale value="4.88" unit="uV"', 'scale value="4.88" unit="V"', "unknown-unit"),
        ('scale value="4.88" unit="uV"', 'scale value="4.88" unit="mV"', "unknown-unit"),
        ('scale value="4.88" unit="uV"', 'scale value="0" unit="uV"', "scaling-impossible"),
        ('increment value="4" unit="ms"', 'increment value="4" unit="min"', "unknown-unit"),
        ('increment value="4" unit="ms"', 'increment value="0" unit="ms"', "scaling-impossible"),
        ('increment value="4" unit="ms"', 'increment value="x" unit="ms"', "header-not-a-number"),
        ("0 1 3 7", "0 1.5 3 7", "samples-not-readable"),
        ("20240302093015.250+0100", "20240302", "no-time"),
        ("20240302093015.250+0100", "20240231093015", "no-time"),
    ],
)
def test_what_is_wrong_with_a_lead_is_said(old: str, new: str, code: str) -> None:
    assert changed(old, new)[0].code == code


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (b"<a/>", "not-aecg"),
        (b"<AnnotatedECG/>", "not-aecg"),
        (b'<AnnotatedECG xmlns="urn:hl7-org:v3">', "not-xml"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><AnnotatedECG xmlns="urn:hl7-org:v3">&b;</AnnotatedECG>', "not-xml"),
        (b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><AnnotatedECG xmlns="urn:hl7-org:v3"/>', "not-xml"),
    ],
)
def test_what_is_no_aecg_is_refused_as_a_whole(payload: bytes, code: str) -> None:
    """No entity is expanded and nothing fetched: a document type alone is refused."""
    with pytest.raises(Unreadable) as refusal:
        decode(payload)
    assert refusal.value.code == code


@needs_samples
def test_the_smallest_valid_aecg_is_read_to_its_samples() -> None:
    """The FDA's example: lead II, 2.5 uV a step, 2 ms from sample to sample, at a wall clock."""
    (item,) = decode((SAMPLES / "aecg" / "minimum_aecg.xml").read_bytes())
    assert (item.measure, item.device, item.time.text) == ("ecg-lead-ii", None, "20021122091000")
    assert item.time.wall == datetime.fromisoformat("2002-11-22T09:10:00")
    assert item.value == Samples(data="-2 -2 -2 -2 -3 -4 -3 -5 -5 -4 -6 -9 -9", period_ms="2", unit="uV", origin="0", factor="2.5")
