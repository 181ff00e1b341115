"""MLLP blocks. HL7 v2.6 appendix C; DEVICES 2.9."""

from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.ingest.mllp.frames import FrameBroken, Frames, FrameTooLong, framed

MESSAGES = st.lists(st.binary(max_size=40).map(lambda data: bytes(byte for byte in data if byte not in (0x0B, 0x1C))), max_size=6)


@given(messages=MESSAGES, cuts=st.lists(st.integers(0, 300), max_size=12))
def test_messages_come_out_whole_however_the_stream_is_cut(messages: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(framed(message) for message in messages)
    places = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    frames, found = Frames(1_000), []
    for start, end in pairwise(places):
        found += frames.feed(stream[start:end])
    assert found == messages
    assert not frames.partial


def test_a_block_ends_at_fs_and_line_ends_between_blocks_mean_nothing() -> None:
    """Some senders forget the CR after FS, some add LF."""
    assert list(Frames(100).feed(b"\r\n\x0bone\x1c\x0btwo\x1c\r\n\n")) == [b"one", b"two"]


def test_a_block_that_begins_anew_drops_its_beginning() -> None:
    frames = Frames(100)
    assert list(frames.feed(b"\x0bgiven u")) == []
    assert list(frames.feed(b"p\x0bwhole\x1c\r")) == [b"whole"]


@pytest.mark.parametrize("data", [b"MSH|", b"\x0bone\x1c\rrest", b"GET / HTTP/1.1\r\n"])
def test_bytes_between_blocks_break_the_stream(data: bytes) -> None:
    with pytest.raises(FrameBroken):
        list(Frames(100).feed(data))


@pytest.mark.parametrize("pieces", [[b"\x0b123456789012"], [b"\x0b1234", b"56789012"], [b"\x0b123456789012\x1c\r"]])
def test_a_block_has_a_limit_whether_or_not_it_ends(pieces: list[bytes]) -> None:
    frames = Frames(10)
    for piece in pieces[:-1]:
        list(frames.feed(piece))
    with pytest.raises(FrameTooLong) as error:
        list(frames.feed(pieces[-1]))
    assert error.value.beginning == b"123456789012"


@given(data=st.binary(max_size=300))
def test_no_bytes_do_anything_else(data: bytes) -> None:
    with suppress(FrameBroken, FrameTooLong):
        assert all(0x1C not in message and 0x0B not in message for message in Frames(100).feed(data))
