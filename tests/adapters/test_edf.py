"""https://www.edfplus.info/specs/edf.html, https://www.edfplus.info/specs/edfplus.html, https://www.biosemi.com/faq/file_format.htm.

Expected values are worked out by hand from the bytes; the encoder of the tests shares nothing with the adapter.
"""

from collections import Counter
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.contract import Unreadable
from adapters.edf import adapter
from adapters.kit.rules import faults, parses_alone, place_free
from adapters.reading import Absent, Coded, Quantity, Reading, Samples
from tests.support.edf import File, Signal, tal
from tests.support.payloads import SAMPLES, needs_samples

FIXTURES = Path(__file__).parent / "fixtures" / "edf"
FLAT = Signal(label="ECG I", records=[[0, 1, -2, 3]])


def decode(file: Any) -> list[Any]:
    return list(adapter.decode(bytes(file)))


def only(file: Any) -> Any:
    (item,) = decode(file)
    return item


# -- time


@pytest.mark.parametrize(
    ("date", "recording", "year"),
    [
        ("02.03.85", "", 1985),
        ("02.03.99", "", 1999),
        ("02.03.00", "", 2000),
        ("02.03.84", "", 2084),
        ("02.03.yy", "Startdate 02-MAR-2091 X X X", 2091),
    ],
)
def test_two_digits_of_a_year_are_clipped_at_1985(date: str, recording: str, year: int) -> None:
    """EDF+ 2.1.3.2; from 2085 on the year has to stand in the recording field."""
    time = only(File(signals=[FLAT], date=date, recording=recording)).time
    assert (time.kind, time.text, time.wall) == ("local", f"{date} 23.15.30", datetime.fromisoformat(f"{year}-03-02T23:15:30"))


@pytest.mark.parametrize(("date", "time"), [("31.02.24", "00.00.00"), ("02.03.yy", "00.00.00"), ("02.03.24", "25.00.00"), ("", "")])
def test_a_file_without_a_start_is_refused(date: str, time: str) -> None:
    with pytest.raises(Unreadable) as refusal:
        decode(File(signals=[FLAT], date=date, time=time, recording=""))
    assert (refusal.value.code, refusal.value.pointer) == ("header-not-readable", "byte 168")


def test_a_strip_lasts_as_long_as_its_records() -> None:
    item = only(File(signals=[Signal(label="ECG I", records=[[1, 2], [3, 4]])], seconds="0.25"))
    assert (item.end.text, item.end.wall) == ("02.03.24 23.15.30 +0.5", datetime.fromisoformat("2024-03-02T23:15:30.500000"))


# -- persons


def test_nobody_whom_the_header_names_is_in_what_is_kept() -> None:
    """Patient identification and technician (EDF+ 2.1.3.3)."""
    item = only(File(signals=[FLAT]))
    assert b"Lovelace" not in item.raw
    assert b"ada@" not in item.raw
    assert item.raw[8:88].decode().split() == ["X", "X", "X", "X"]


def test_the_serial_number_that_a_maker_writes_is_the_device_and_equipment_is_not() -> None:
    assert only(File(signals=[FLAT])).device is None
    item = only(File(signals=[FLAT], recording="Startdate 02-MAR-2024 X X X SRN=23101234567"))
    assert (item.device, only(item.raw).device) == ("23101234567", "23101234567")


# -- values


def test_samples_stay_as_they_are_and_the_scaling_is_the_files_own() -> None:
    """physical = (digital - dmin) * (pmax - pmin) / (dmax - dmin) + pmin; here 0.1 a step, 0 at 0."""
    item = only(File(signals=[FLAT], seconds="2"))
    assert item.value == Samples(data="0 1 -2 3", period_ms="500", unit="uV", origin="0", factor="0.1")
    assert (item.measure, item.source_id) == ("ecg-lead-i", "ECG I")


@given(
    physical=st.tuples(st.integers(-9999, 9999), st.integers(-9999, 9999)).filter(lambda pair: pair[0] != pair[1]),
    digital=st.tuples(st.integers(-32768, 32766), st.integers(1, 65535)).map(lambda pair: (pair[0], min(pair[0] + pair[1], 32767))),
    sample=st.integers(-32768, 32767),
)
def test_origin_and_factor_give_the_physical_value_of_the_standard(physical: Any, digital: Any, sample: int) -> None:
    """To within a millionth of a step, however badly the ranges divide; a reversed physical range is an inverted signal."""
    texts = (str(physical[0]), str(physical[1])), (str(digital[0]), str(digital[1]))
    item = only(File(signals=[Signal(label="EEG Cz", records=[[sample]], physical=texts[0], digital=texts[1])]))
    step = Decimal(physical[1] - physical[0]) / (digital[1] - digital[0])
    expected = (sample - digital[0]) * step + physical[0]
    assert abs(Decimal(item.value.origin) + Decimal(item.value.factor) * sample - expected) < abs(step) / 1_000_000


def test_24_bits_are_read_with_their_sign() -> None:
    """BDF: three bytes, two's complement, little-endian."""
    wide = Signal(label="EEG Cz", records=[[-8388608, -1, 8388607]], physical=("-262144", "262143"), digital=("-8388608", "8388607"))
    item = only(File(signals=[wide], wide=True, reserved="24BIT"))
    assert item.value.data == "-8388608 -1 8388607"
    assert Decimal(item.value.factor) == pytest.approx(Decimal(524287) / 16777215, abs=Decimal("1e-12"))


def test_a_site_is_kept_in_the_words_of_the_label() -> None:
    item = only(File(signals=[Signal(label="EEG  Fpz-Cz", records=[[1]])]))
    assert item.measure == "eeg"
    assert item.context["body-site"].code == "EEG Fpz-Cz"


def test_two_signals_of_one_label_are_two_readings_however_they_come() -> None:
    """Each is read again from its own raw as the one it was."""
    items = decode(File(signals=[Signal(label="EMG", records=[[1]]), Signal(label="EMG", records=[[2]])]))
    assert [item.source_id for item in items] == ["EMG", "EMG #2"]
    assert place_free(only(items[1].raw)) == place_free(items[1])


@pytest.mark.parametrize(
    ("signal", "code"),
    [
        (Signal(label="Event marker", records=[[1]]), "unknown-signal"),
        (Signal(label="ECG I", unit="furlong", records=[[1]]), "unknown-unit"),
        (Signal(label="ECG I", records=[[1]], physical=("1", "1")), "scaling-impossible"),
        (Signal(label="ECG I", records=[[1]], digital=("5", "-5")), "scaling-impossible"),
        (Signal(label="ECG I", records=[[1]], physical=("low", "high")), "header-not-a-number"),
    ],
)
def test_what_cannot_be_a_strip_waits_and_its_neighbour_goes_through(signal: Signal, code: str) -> None:
    refused, read = decode(File(signals=[signal, Signal(label="ECG II", records=[[7]])]))
    assert (refused.code, refused.keep) == (code, True)
    assert place_free(only(refused.raw)) == place_free(refused)
    assert read.value.data == "7"


# -- EDF+


def test_runs_of_a_discontinuous_file_are_strips_of_their_own() -> None:
    """EDF+D: the first annotation of a record says when it began; 0 and 1 follow one another, 7.5 does not."""
    marks = [tal(record=onset, length=16) for onset in ("+0", "+1", "+7.5")]
    signals = [Signal(label="ECG I", records=[[1], [2], [3]]), Signal(label="EDF Annotations", records=marks)]
    first, second = decode(File(signals=signals, reserved="EDF+D"))
    assert (first.value.data, second.value.data) == ("1 2", "3")
    assert second.time.wall == datetime.fromisoformat("2024-03-02T23:15:37.500000")
    assert place_free(only(second.raw)) == place_free(second)


def test_a_discontinuous_file_whose_records_say_no_time_is_refused() -> None:
    signals = [Signal(label="ECG I", records=[[1]]), Signal(label="EDF Annotations", records=[b"\x00" * 16])]
    with pytest.raises(Unreadable) as refusal:
        decode(File(signals=signals, reserved="EDF+D"))
    assert refusal.value.code == "record-without-onset"


def test_stages_and_events_have_their_time_and_their_end() -> None:
    marks = tal(("+30", "60", "Sleep stage N2"), ("+45.5", "12.25", "Obstructive apnea"), length=80)
    stage, event = decode(File(signals=[Signal(label="EDF Annotations", records=[marks])], seconds="0", reserved="EDF+C"))
    assert (stage.measure, stage.value.code, stage.time.text, stage.end.text) == (
        "sleep-stage-scored",
        "n2",
        "02.03.24 23.15.30 +30",
        "02.03.24 23.15.30 +90",
    )
    assert (event.measure, event.value.code, event.end.wall) == (
        "respiratory-event",
        "obstructive-apnea",
        datetime.fromisoformat("2024-03-02T23:16:27.750000"),
    )


def test_free_text_is_answered_and_not_kept() -> None:
    marks = tal(("+1", None, "Called Ada Lovelace"), length=48)
    item = only(File(signals=[Signal(label="EDF Annotations", records=[marks])], seconds="0", reserved="EDF+C"))
    assert (item.code, item.keep) == ("unknown-annotation", False)
    assert "Lovelace" not in str(item)


# -- ResMed's card


def test_the_days_of_a_therapy_device_are_read_from_noon_to_noon() -> None:
    """19783 days after 1970-01-01 is 2024-03-01. AHI 23 steps of 0.1; leak 12 steps of 0.02; pressure 410 steps of 0.02."""
    items = [item for item in decode(FIXTURES.joinpath("STR.edf").read_bytes()) if item.time.text == "day 19783"]
    assert {item.measure: item.value for item in items} == {
        "therapy-usage": Quantity(value="431", unit="min"),
        "apnea-hypopnea-index": Quantity(value="2.3", unit="/h"),
        "mask-leak-95": Quantity(value="0.24", unit="L/s"),
        "mask-pressure-median": Quantity(value="8.20", unit="cm[H2O]"),
    }
    assert {(item.device, item.time.wall, item.end.wall) for item in items} == {
        ("23101234567", datetime.fromisoformat("2024-03-01T12:00:00"), datetime.fromisoformat("2024-03-02T12:00:00"))
    }


def test_a_day_without_therapy_has_no_figures_but_how_long_it_was() -> None:
    items = [item for item in decode(FIXTURES.joinpath("STR.edf").read_bytes()) if item.time.text == "day 19784"]
    assert {item.measure: item.value for item in items if item.value == Absent(reason="not-performed")}.keys() == {
        "apnea-hypopnea-index",
        "mask-leak-95",
        "mask-pressure-median",
    }
    assert next(item.value.value for item in items if item.measure == "therapy-usage") == "0"


# -- what is wrong


@pytest.mark.parametrize("cut", [10, 255, 300, 514, -1])
def test_a_file_that_is_cut_off_is_refused_as_a_whole(cut: int) -> None:
    payload = bytes(File(signals=[FLAT]))
    with pytest.raises(Unreadable) as refusal:
        decode(payload[:cut])
    assert refusal.value.code == "cut-off"


def test_a_file_longer_than_it_says_is_refused() -> None:
    with pytest.raises(Unreadable) as refusal:
        decode(bytes(File(signals=[FLAT])) + b"\x01\x02\x03")
    assert refusal.value.code == "header-not-readable"


def test_a_file_that_does_not_know_its_length_is_read_to_its_end() -> None:
    """EDF: -1 records while it is being recorded."""
    assert only(File(signals=[Signal(label="ECG I", records=[[1], [2], [3]])], records=-1)).value.data == "1 2 3"


@settings(deadline=None)
@given(place=st.integers(0, 3031), byte=st.integers(0, 255))
def test_a_damaged_header_gives_sound_items_or_a_refusal(place: int, byte: int) -> None:
    payload = bytearray(FIXTURES.joinpath("strip.edf").read_bytes())
    payload[place] = byte
    try:
        items = decode(payload)
    except Unreadable:
        return
    for item in items:
        assert faults(item) == ()
        assert not (isinstance(item, Reading) or item.keep) or parses_alone(adapter.decode, item)


# -- real files


@needs_samples
def test_the_hypnogram_of_sleep_edf_is_read_to_its_stages() -> None:
    """Sleep-EDF SC4001: 154 stages from lights out to waking, the first of 30630 s; read from the bytes by eye and by count."""
    items = decode((SAMPLES / "edf" / "SC4001EC-Hypnogram.edf").read_bytes())
    counted = Counter(item.value.code for item in items)
    assert counted == {"n3": 48, "n2": 40, "n1": 24, "stage-4": 23, "wake": 12, "rem": 6, "unscored": 1}
    assert [(one.value.code, one.time.text[17:], one.end.text[17:]) for one in items[:4]] == [
        ("wake", "", " +30630"),
        ("n1", " +30630", " +30750"),
        ("n2", " +30750", " +31140"),
        ("n3", " +31140", " +31170"),
    ]
    assert items[0].time.wall == datetime.fromisoformat("1989-04-24T16:13:00")
    assert all(isinstance(item.value, Coded) for item in items)


@needs_samples
def test_a_polysomnography_of_five_minutes_is_a_recording_that_names_nobody() -> None:
    """Sleep-EDF SC4001, ten records of thirty seconds: EEG Fpz-Cz of -192 to 192 uV over -2048 to 2047 at 100 Hz; temperature at 1 Hz."""
    payload = (SAMPLES / "edf" / "short_psg.edf").read_bytes()
    item = only(payload)
    assert (item.measure, item.time.text, item.end.text) == ("signal-recording", "24.04.89 16.13.00", "24.04.89 16.13.00 +300")
    eeg, temperature = item.value.channels[0], item.value.channels[5]
    assert (eeg.label, eeg.measure, eeg.unit, eeg.period_ms) == ("EEG Fpz-Cz", "eeg", "uV", "10")
    assert Decimal(eeg.factor) == pytest.approx(Decimal(384) / 4095, abs=Decimal("1e-15"))
    assert Decimal(eeg.origin) == pytest.approx(Decimal(384) / 4095 * 2048 - 192, abs=Decimal("1e-12"))
    assert (temperature.label, temperature.measure, temperature.unit, temperature.period_ms) == (
        "Temp rectal",
        "temperature-series",
        "Cel",
        "1000",
    )
    assert item.value.channels[6].measure is None
    assert item.raw[2048:] == payload[2048:]
    assert b"33yr" not in item.raw


@needs_samples
def test_a_second_reader_finds_in_what_is_kept_the_signals_that_it_finds_in_the_file() -> None:
    """By the encoder's own rules: samples of record 3, signal 1, lie 3 * 18240 + 6000 bytes after the header."""
    payload = (SAMPLES / "edf" / "short_psg.edf").read_bytes()
    kept = only(payload).raw
    place = 2048 + 3 * 18_240 + 6_000
    assert kept[place : place + 6_000] == payload[place : place + 6_000]
    assert int(kept[184:192]) == 2048
