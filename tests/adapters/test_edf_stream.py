"""EDF of any length: what a stream gives is what the bytes give, and the document is said instead of held. docs/adr/0020-uploads.md"""

from dataclasses import replace
from io import BytesIO
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from adapters.contract import Unreadable
from adapters.edf import adapter
from adapters.edf.stream import READ_BYTES
from adapters.reading import Document, Reading, Span
from tests.adapters.test_apple_health import Dribble
from tests.support.edf import File, Signal, tal
from tests.support.payloads import SAMPLES, needs_samples

MINUTE = [[5] * 10] * 60


def whole(items: list[Any], payload: bytes) -> list[Any]:
    """With the documents as bytes, as `decode` has them."""
    return [resolved(item, payload) for item in items]


def resolved(item: Any, payload: bytes) -> Any:
    if not isinstance(item, Reading) or not isinstance(item.value, Document):
        return item
    assert item.raw == b""
    parts = [payload[part.start : part.start + part.length] if isinstance(part, Span) else part for part in item.value.content]
    return replace(item, raw=b"".join(parts), value=replace(item.value, content=()))


def streamed(payload: bytes, size: int = READ_BYTES) -> Any:
    try:
        return whole(list(adapter.decode_stream(Dribble(payload, size))), payload)
    except Unreadable as refusal:
        return refusal.code


def decoded(payload: bytes) -> Any:
    try:
        return list(adapter.decode(payload))
    except Unreadable as refusal:
        return refusal.code


def events(record: int) -> bytes:
    return tal(("+3", "30", "Sleep stage W"), ("+4", None, "Ada said something"), record=f"+{record}", length=96)


STRIP = File(signals=[Signal(label="EEG Fpz-Cz", records=[[1, 2, 3]] * 4)])
LONG = File(signals=[Signal(label="EEG Fpz-Cz", records=MINUTE), Signal(label="Mystery", unit="", records=[[1]] * 60)])
NOTED = File(
    signals=[Signal(label="EEG Fpz-Cz", records=MINUTE), Signal(label="EDF Annotations", unit="", records=[events(n) for n in range(60)])],
    reserved="EDF+C",
)
GAPS = File(
    signals=[
        Signal(label="EEG Fpz-Cz", records=MINUTE),
        Signal(label="EDF Annotations", unit="", records=[events(n + 100 * (n // 20)) for n in range(60)]),
    ],
    reserved="EDF+D",
)
ENDLESS = replace(LONG, records=-1)
SHORT_ENDLESS = replace(STRIP, records=-1)
KINDS = [STRIP, LONG, NOTED, GAPS, ENDLESS, SHORT_ENDLESS, replace(LONG, wide=True)]


@pytest.mark.parametrize("size", [1, 513, READ_BYTES])
@pytest.mark.parametrize("file", KINDS)
def test_a_stream_in_any_pieces_gives_what_the_bytes_give(file: File, size: int) -> None:
    assert decoded(bytes(file))
    assert streamed(bytes(file), size) == decoded(bytes(file))


@pytest.mark.parametrize("file", [LONG, NOTED, GAPS, ENDLESS])
def test_what_is_long_is_said_and_not_held(file: File) -> None:
    """But for the header, in which nobody is named."""
    payload = bytes(file)
    recording = next(iter(adapter.decode_stream(BytesIO(payload))))
    assert isinstance(recording, Reading)
    assert isinstance(recording.value, Document)
    head, data = recording.value.content
    assert isinstance(head, bytes)
    assert b"Lovelace" in payload
    assert b"Lovelace" not in head
    assert data == Span(start=len(head), length=len(payload) - len(head))


@pytest.mark.parametrize("file", KINDS)
@pytest.mark.parametrize("cut", [10, 255, 300, -1, -7])
def test_what_is_cut_off_is_refused_alike(file: File, cut: int) -> None:
    assert streamed(bytes(file)[:cut]) == decoded(bytes(file)[:cut])


@pytest.mark.parametrize("rest", [b"\r\n", b"\x1a", b"and more"])
@pytest.mark.parametrize("file", KINDS)
def test_what_follows_the_last_record_is_judged_alike(file: File, rest: bytes) -> None:
    assert streamed(bytes(file) + rest) == decoded(bytes(file) + rest)


@settings(deadline=None)
@example(file=GAPS, place=278, byte=ord(" "))  # no signal of annotations any more: no record says when it began
@example(file=GAPS, place=696, byte=ord("3"))  # records of another length: neither their onsets nor the end of the file are right
@given(file=st.sampled_from(KINDS), place=st.integers(0, 3_000), byte=st.integers(0, 255))
def test_damage_is_read_alike(file: File, place: int, byte: int) -> None:
    payload = bytearray(bytes(file))
    payload[place % len(payload)] = byte
    assert streamed(bytes(payload)) == decoded(bytes(payload))


@needs_samples
@pytest.mark.parametrize("path", sorted((SAMPLES / "edf").rglob("*.edf")), ids=lambda path: path.name)
def test_real_files_are_read_alike(path: Any) -> None:
    assert streamed(path.read_bytes()) == decoded(path.read_bytes())
