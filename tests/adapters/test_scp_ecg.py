"""EN 1064 (SCP-ECG). The records are made by an encoder of our own, which works bit by bit."""

import struct
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.contract import Unreadable
from adapters.kit.rules import place_free
from adapters.reading import Channel, Samples
from adapters.scp_ecg import adapter
from adapters.scp_ecg.sections import read_sections
from tests.support import scp

SAMPLES = st.lists(st.integers(-3000, 3000), min_size=1, max_size=60)


def decode(payload: bytes) -> list[Any]:
    return list(adapter.decode(payload))


def only(payload: bytes) -> Any:
    (item,) = decode(payload)
    return item


@settings(deadline=None)
@given(samples=SAMPLES, order=st.sampled_from([0, 1, 2]), huffman=st.booleans())
def test_every_coding_gives_the_samples_that_were_written(samples: list[int], order: int, huffman: bool) -> None:
    """As they are, first and second differences; plain or by the default Huffman table, with its escapes for 8 and 16 bits."""
    assert only(scp.record({1: samples}, order=order, huffman=huffman)).value.data == " ".join(map(str, samples))


def test_the_bits_of_the_default_table_are_those_of_the_standard() -> None:
    """Annex C.3: 0 is 0, 1 is 100, -1 is 101, 2 is 1100, 8 bits follow nine ones and a zero, 16 follow ten ones."""
    bits = "0" + "100" + "101" + "1100" + "1101" + "1111111100" + "1111111110" + "10000000" + "1111111111" + "0000001111101000"
    block = int(bits.ljust(-(-len(bits) // 8) * 8, "0"), 2).to_bytes(-(-len(bits) // 8), "big")
    from adapters.scp_ecg.huffman import decode as unpacked

    assert unpacked(block, 8) == [0, 1, -1, 2, -2, 8, -128, 1000]


def test_step_and_distance_are_the_records_own() -> None:
    """5000 nV a step is 5 uV, 2000 us from sample to sample are 2 ms."""
    item = only(scp.record({2: [1, -2]}))
    assert item.value == Samples(data="1 -2", period_ms="2", unit="uV", factor="5")
    assert (item.measure, item.device) == ("ecg-lead-ii", "SN-42")


@pytest.mark.parametrize(
    ("number", "measure"), [(1, "i"), (2, "ii"), (3, "v1"), (8, "v6"), (61, "iii"), (62, "avr"), (63, "avl"), (64, "avf")]
)
def test_leads_are_known_by_their_numbers(number: int, measure: str) -> None:
    assert only(scp.record({number: [1]})).measure == f"ecg-lead-{measure}"


def test_the_time_is_a_wall_clock_unless_the_record_says_its_zone() -> None:
    """Tags 25, 26 and 34."""
    local, zoned = only(scp.record({1: [0] * 500})), only(scp.record({1: [0]}, tags=(scp.DATE, scp.TIME, scp.PARIS)))
    assert (local.time.kind, local.time.text, local.time.wall) == (
        "local",
        "2024-03-02 09:30:15",
        datetime.fromisoformat("2024-03-02T09:30:15"),
    )
    assert local.end.wall == datetime.fromisoformat("2024-03-02T09:30:16")
    assert (zoned.time.kind, zoned.time.instant) == ("offset", datetime.fromisoformat("2024-03-02T09:30:15+01:00"))
    assert place_free(only(zoned.raw)) == place_free(zoned)


def test_nobody_whom_the_record_names_is_in_what_is_kept() -> None:
    item = only(scp.record({1: [1, 2]}))
    assert not any(word in item.raw for word in (b"Lovelace", b"ada@"))
    assert place_free(only(item.raw)) == place_free(item)


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"bimodal": 1}, "compression-not-read"),
        ({"flags": 1}, "compression-not-read"),
        ({"huffman": True, "tables": 1}, "compression-not-read"),
        ({"order": 3}, "compression-not-read"),
        ({"step_nv": 0}, "header-not-a-number"),
        ({"period_us": 0}, "header-not-a-number"),
        ({"tags": (scp.MACHINE,)}, "no-time"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(more: Any, code: str) -> None:
    assert only(scp.record({1: [1, 2]}, **more)).code == code


def test_a_lead_that_is_not_one_of_the_twelve_waits_and_its_neighbour_goes_through() -> None:
    refused, read = decode(scp.record({16: [1], 1: [2]}))
    assert (refused.code, refused.keep, read.value.data) == ("unknown-lead", True, "2")


@pytest.mark.parametrize("more", [{}, {"order": 1}, {"order": 2, "huffman": True}])
def test_a_record_of_more_than_half_a_minute_is_one_recording_that_names_nobody(more: Any) -> None:
    """All leads in one document, as they were compressed; EN 1064, 5.6 and 5.9."""
    payload = scp.record({1: list(range(500)), 16: [3] * 500}, period_us=65_000, **more)
    item = only(payload)
    assert (item.measure, item.device, item.value.media_type) == ("signal-recording", "SN-42", "application/scp-ecg")
    assert item.end.wall - item.time.wall == timedelta(seconds=32.5)
    known, unknown = item.value.channels
    assert known == Channel(label="lead 1", measure="ecg-lead-i", period_ms="65", unit="uV", origin="0", factor="5")
    assert (unknown.label, unknown.measure) == ("lead 16", None)
    assert b"Lovelace" in payload
    assert b"Lovelace" not in item.raw
    assert read_sections(item.raw)[6] == read_sections(payload)[6]
    assert place_free(only(item.raw)) == place_free(item)


def test_a_lead_with_fewer_samples_than_it_says_is_left_out_of_the_recording() -> None:
    sections = dict(read_sections(scp.record({1: [0] * 500, 2: [0] * 500}, period_us=65_000)))
    sections[3] = sections[3][:2] + struct.pack("<IIB", 1, 500, 1) + struct.pack("<IIB", 1, 9_000, 2)
    recording, refused = decode(scp.framed(sections))
    assert [channel.label for channel in recording.value.channels] == ["lead 1"]
    assert refused.code == "samples-not-readable"


@pytest.mark.parametrize("place", [0, 3, 30, 120, -1])
def test_a_record_with_a_wrong_byte_is_refused_as_a_whole(place: int) -> None:
    """Record and sections have their checksums."""
    payload = bytearray(scp.record({1: [1, 2]}))
    payload[place] ^= 0x10
    with pytest.raises(Unreadable) as refusal:
        decode(bytes(payload))
    assert refusal.value.code in {"checksum-wrong", "cut-off"}


def test_a_record_that_is_cut_off_or_without_rhythm_is_refused() -> None:
    with pytest.raises(Unreadable, match="shorter"):
        decode(scp.record({1: [1, 2]})[:-1])
    with pytest.raises(Unreadable, match="no rhythm"):
        decode(scp.framed({1: b"\xff\x00\x00"}))


def test_a_block_that_ends_early_is_refused() -> None:
    """Section 3 says a thousand samples, section 6 has two."""
    payload = scp.record({1: [1, 2]}, huffman=True)
    longer = payload.replace(b"\x01\x00\x00\x00\x02\x00\x00\x00\x01", b"\x01\x00\x00\x00\xe8\x03\x00\x00\x01")
    definition = longer.index(b"\x01\x00\x00\x00\xe8\x03") - 18
    section = longer[definition + 2 : definition + 27]
    longer = longer[:definition] + scp.crc(section).to_bytes(2, "little") + longer[definition + 2 :]
    longer = scp.crc(longer[2:]).to_bytes(2, "little") + longer[2:]
    assert only(longer).code == "samples-not-readable"
