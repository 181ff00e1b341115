"""https://wfdb.io/spec/header-files.html, https://wfdb.io/spec/signal-files.html; values worked out by hand."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.contract import Unreadable
from adapters.kit.rules import place_free
from adapters.reading import Channel, Samples
from adapters.wfdb import adapter
from adapters.wfdb.container import unpack
from tests.support.payloads import SAMPLES, needs_samples
from tests.support.wfdb import encoded, record, zipped

RANGES = {16: (-32767, 32767), 80: (-127, 127), 212: (-2047, 2047)}


def decode(payload: bytes) -> list[Any]:
    return list(adapter.decode(payload))


def only(payload: bytes) -> Any:
    (item,) = decode(payload)
    return item


@pytest.mark.parametrize("format", [16, 80, 212])
@given(data=st.data())
def test_every_format_gives_the_samples_that_were_written(format: int, data: st.DataObject) -> None:
    """An odd number of 12-bit samples ends after its second byte."""
    low, high = RANGES[format]
    samples = data.draw(st.lists(st.integers(low, high), min_size=1, max_size=50))
    assert only(record(("II", samples), format=format)).value.data == " ".join(map(str, samples))


def test_signals_of_one_file_lie_sample_by_sample() -> None:
    first, second = decode(record(("I", [1, 2, 3]), ("V5", [-4, -5, -6])))
    assert (first.measure, first.value.data) == ("ecg-lead-i", "1 2 3")
    assert (second.measure, second.value.data) == ("ecg-lead-v5", "-4 -5 -6")


def test_a_sample_is_what_gain_and_baseline_make_of_it() -> None:
    """physical = (sample - baseline) / gain: 200 a mV and 1024 give 0.005 mV a step and -5.12 mV at 0."""
    item = only(record(("I", [995, 996])))
    assert item.value == Samples(data="995 996", period_ms="2.77777777777778", unit="mV", origin="-5.12", factor="0.005")


def test_the_lowest_value_of_a_format_is_no_sample() -> None:
    """signal(5): -2048 in format 212. In what is kept it is the lowest of format 16."""
    item = only(record(("I", [5, -2048, 6])))
    assert item.value.data == "5 E 6"
    assert place_free(only(item.raw)) == place_free(item)


def test_date_and_time_are_a_wall_clock() -> None:
    item = only(record(("I", [1] * 180)))
    assert (item.time.kind, item.time.text) == ("local", "02/03/2024 09:30:15.5")
    assert item.time.wall == datetime.fromisoformat("2024-03-02T09:30:15.500")
    assert item.end.wall == datetime.fromisoformat("2024-03-02T09:30:16")


@pytest.mark.parametrize("when", ["", " 09:30:15", " 09:30:15 31/02/2024"])
def test_a_record_without_a_date_has_no_time(when: str) -> None:
    assert only(record(("I", [1]), when=when)).time is None


def test_comments_are_not_kept() -> None:
    """They hold age, sex and what people wrote."""
    assert b"Lovelace" not in only(record(("I", [1]))).raw


def test_samples_that_do_not_add_up_are_refused() -> None:
    item = only(record(("I", [1, 2]), checksum=4))
    assert (item.code, item.keep) == ("checksum-wrong", False)


@pytest.mark.parametrize(
    ("name", "gain", "code"),
    [("ABP", "200", "unknown-signal"), ("I", "200/mmHg", "unknown-unit"), ("I", "0", "not-calibrated")],
)
def test_what_has_no_meaning_waits_and_is_read_again_as_itself(name: str, gain: str, code: str) -> None:
    item = only(record((name, [1, 2]), gain=gain))
    assert (item.code, item.keep) == (code, True)
    assert place_free(only(item.raw)) == place_free(item)


@pytest.mark.parametrize("format", [16, 80, 212])
def test_a_record_of_more_than_half_a_minute_is_one_recording_that_names_nobody(format: int) -> None:
    """All signals in one document, whatever they are, each with its own scaling; header(5), comments left out."""
    signals = [("I", list(range(31))), ("Mystery", [7] * 31)]
    item = only(record(*signals, frequency="1", format=format))
    assert (item.measure, item.value.media_type) == ("signal-recording", "application/zip")
    assert item.end.wall - item.time.wall == timedelta(seconds=31)
    known, unknown = item.value.channels
    assert known == Channel(label="I", measure="ecg-lead-i", period_ms="1000", unit="mV", origin="-5.12", factor="0.005")
    assert (unknown.label, unknown.measure, unknown.unit) == ("Mystery", None, None)
    text, files = unpack(item.raw)
    assert "Lovelace" not in text
    assert files["r.dat"] == encoded(16, [sample for frame in zip(*(one for _, one in signals), strict=True) for sample in frame])
    assert place_free(only(item.raw)) == place_free(item)


def test_a_signal_that_does_not_add_up_is_left_out_of_the_recording() -> None:
    refused = only(record(("I", [0] * 31), frequency="1", checksum=4))
    assert (refused.code, refused.keep) == ("checksum-wrong", False)


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (b"rec 1 360 10\n", "not-a-record"),
        (zipped(a_dot_dat=b"1"), "not-a-record"),
        (zipped(a_dot_hea="rec 1 360 1\nb.dat 16\n"), "not-a-record"),
        (zipped(a_dot_hea="rec/2 1 360 1\nb.dat 16\n"), "multi-segment"),
        (zipped(a_dot_hea="rec 1 0 1\nb.dat 16\n"), "header-not-readable"),
        (zipped(a_dot_hea="rec 2 360 1\nb.dat 16\n", b_dot_dat=b"12"), "header-not-readable"),
        (zipped(a_dot_hea="rec 1 360 9\nb.dat 16 200\n", b_dot_dat=b"12"), "cut-off"),
        (zipped(a_dot_hea="#" * 70_000), "not-a-record"),
    ],
)
def test_what_is_no_record_is_refused_as_a_whole(payload: bytes, code: str) -> None:
    with pytest.raises(Unreadable) as refusal:
        decode(payload)
    assert refusal.value.code == code


@pytest.mark.parametrize("line", ["rec.dat 311 200 0 0 0 0 0 I", "rec.dat 16x4 200 0 0 0 0 0 I", "rec.dat 16:2 200 0 0 0 0 0 I"])
def test_formats_that_are_not_read_are_named(line: str) -> None:
    item = only(zipped(rec_dot_hea=f"rec 1 360 1\n{line}\n", rec_dot_dat=encoded(16, [1])))
    assert item.code in {"format-not-read", "frames-not-read"}


def test_a_zip_bomb_is_refused_before_it_is_large() -> None:
    """Seventy million zeros in seventy thousand bytes."""
    with pytest.raises(Unreadable) as refusal:
        decode(zipped(a_dot_hea="rec 1 360 1\na.dat 16\n", a_dot_dat=bytes(70_000_000)))
    assert refusal.value.code == "not-a-record"


@needs_samples
def test_the_excerpt_of_record_100_is_read_to_its_samples() -> None:
    """MIT-BIH 100: first values 995 and 1011 as the header says, 999 samples whose sums are the header's checksums."""
    folder: Path = SAMPLES / "wfdb"
    files = {f"100_3chan_dot_{kind}": (folder / f"100_3chan.{kind}").read_bytes() for kind in ("hea", "dat")}
    one, two, three = decode(zipped(**files))
    assert [item.measure for item in (one, two, three)] == ["ecg-lead-i", "ecg-lead-ii", "ecg-lead-iii"]
    samples = [[int(text) for text in item.value.data.split()] for item in (one, two, three)]
    assert [(len(values), values[0], sum(values) % 65536) for values in samples] == [
        (999, 995, 43172),
        (999, 1011, 63954),
        (999, 995, 43172),
    ]
    assert samples[0][:14] == [995] * 8 + [1000, 997, 995, 994, 992, 993]
    assert (one.value.origin, one.value.factor, one.value.unit, one.time) == ("-5.12", "0.005", "mV", None)
