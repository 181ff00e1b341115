"""What the adapters of HL7 v2 share: segments, character sets, times, units, numbers. HL7 v2.6 chapters 2 and 2A."""

from datetime import datetime, timedelta, timezone

import pytest

from adapters.contract import Unreadable
from adapters.hl7v2.message import Message, read_messages
from adapters.hl7v2.terms import term_of
from adapters.hl7v2.times import device_time
from adapters.hl7v2.units import UNIT_TERMS, ucum_of
from adapters.hl7v2.values import number
from adapters.reading import Rejected
from adapters.refusal import ItemRefused

HEAD = r"MSH|^~\&|APP|FAC|||20260301101502+0100||ORU^R01^ORU_R01|1|P|2.6||||||"


def read(payload: bytes) -> list[Message | Rejected]:
    return list(read_messages(payload))


def only(payload: bytes) -> Message:
    message = read(payload)[0]
    assert isinstance(message, Message)
    return message


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
def test_segments_end_with_any_line_end(end: str) -> None:
    """Section 2.5: CR. A library that knows CR alone sees one segment in a file with LF and says nothing."""
    message = only(end.join([HEAD, "OBR|1", "OBX|1|NM"]).encode())
    assert [segment.name for segment in message.segments] == ["MSH", "OBR", "OBX"]


def test_fields_count_as_in_the_standard() -> None:
    message = only(f"{HEAD}\rOBX|1|NM|8867-4^Heart rate^LN||60".encode())
    assert (message.header.field(1), message.header.field(2), message.header.field(10)) == ("|", r"^~\&", "1")
    assert message.segments[1].components(3) == ["8867-4", "Heart rate", "LN"]
    assert message.segments[1].field(99) == ""


def test_several_messages_and_the_blocks_of_mllp_are_read_from_one_payload() -> None:
    messages = read(b"\x0b" + HEAD.encode() + b"\r\x1c\r\x0b" + HEAD.encode() + b"\rOBX|1\r\x1c\r")
    assert [len(message.segments) for message in messages if isinstance(message, Message)] == [1, 2]


def test_escapes_are_read() -> None:
    """Section 2.7."""
    message = only((HEAD + "\rOBX|1|ST|" + r"a\F\b\S\c\T\d\E\e\X41\f\H\g").encode())
    assert message.segments[1].components(3) == [r"a|b^c&d\eAfg"]


@pytest.mark.parametrize(
    ("named", "codec"), [("8859/1", "latin-1"), ("UNICODE UTF-8", "utf-8"), ("", "utf-8"), ("8859/15~UNICODE", "iso8859-15")]
)
def test_the_character_set_is_that_of_msh_18(named: str, codec: str) -> None:
    message = only(f"{HEAD}{named}\rOBX|1|ST|é".encode(codec))
    assert message.segments[1].field(3) == "é"


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (f"{HEAD}UNICODE UTF-8\rOBX|1|ST|é".encode("latin-1"), "character-set"),
        (f"{HEAD}ISO IR87\rOBX|1".encode(), "character-set-unknown"),
        (b"MSH|||||\rOBX|1", "delimiters-unreadable"),
    ],
)
def test_a_message_that_cannot_be_taken_apart_is_refused_and_its_neighbour_read(payload: bytes, code: str) -> None:
    first, second = read(payload + b"\r" + HEAD.encode())
    assert isinstance(first, Rejected)
    assert (first.code, first.keep, first.pointer) == (code, False, "row 1")
    assert isinstance(second, Message)


@pytest.mark.parametrize("payload", [b"", b"\r\n", b"OBX|1\rMSH|", b"{}"])
def test_what_does_not_begin_with_msh_is_unreadable(payload: bytes) -> None:
    with pytest.raises(Unreadable):
        read(payload)


def test_batches_are_read_without_their_envelope() -> None:
    assert [type(one) for one in read(b"FHS|^~\\&\rBHS|^~\\&\r" + HEAD.encode() + b"\rBTS|1\rFTS|1")] == [Message]


PARIS = timezone(timedelta(hours=1))


@pytest.mark.parametrize(
    ("text", "message_time", "said", "instant"),
    [
        ("20260301101500+0100", "", "20260301101500+0100", datetime(2026, 3, 1, 10, 15, tzinfo=PARIS)),
        ("20260301101500.25", "20260301101502+0100", "20260301101500.25+0100", datetime(2026, 3, 1, 10, 15, 0, 250_000, tzinfo=PARIS)),
        (
            "202603011015-0500",
            "20260301101502+0100",
            "202603011015-0500",
            datetime(2026, 3, 1, 10, 15, tzinfo=timezone(timedelta(hours=-5))),
        ),
    ],
    ids=["its own offset", "that of MSH-7", "its own before that of MSH-7"],
)
def test_a_time_has_its_own_offset_or_that_of_the_message(text: str, message_time: str, said: str, instant: datetime) -> None:
    """MSH-7: an offset there is the default of the whole message."""
    time = device_time(text, message_time)
    assert (time.kind, time.text, time.instant) == ("offset", said, instant)
    assert time.instant is not None
    assert time.instant.utcoffset() == instant.utcoffset()


@pytest.mark.parametrize("text", ["20260301101500", "20260301101500-0000"])
def test_a_time_without_an_offset_stays_local(text: str) -> None:
    time = device_time(text, "20260301101502")
    assert (time.kind, str(time.wall)) == ("local", "2026-03-01 10:15:00")


@pytest.mark.parametrize("text", ["", "20260301", "2026030110", "20260230101500", "00000101000000", "20260301101500+2500", "now", "9" * 40])
def test_a_date_alone_and_what_is_no_time_are_refused(text: str) -> None:
    with pytest.raises(ItemRefused) as refusal:
        device_time(text, "")
    assert refusal.value.code == "time-not-readable"


@pytest.mark.parametrize(
    ("text", "written"),
    [("72", "72"), ("+072", "72"), ("-0.50", "-0.50"), ("37.10", "37.10"), (".5", "0.5"), ("60.", "60"), ("0", "0"), ("000", "0")],
)
def test_a_number_keeps_its_digits_after_the_point(text: str, written: str) -> None:
    assert number(text) == written


@pytest.mark.parametrize("text", ["", ".", "1e3", "1,5", "--1", "+-1", "٣", "1 2", "9" * 30])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(ItemRefused):
        number(text)


@pytest.mark.parametrize(
    ("components", "unit"),
    [
        (["266016", "MDC_DIM_MMHG", "MDC"], "mm[Hg]"),
        (["mm[Hg]", "mmHg", "UCUM"], "mm[Hg]"),
        (["264864", "MDC_DIM_BEAT_PER_MIN", "MDC", "{beat}/min", "{beat}/min", "UCUM"], "/min"),
        (["x", "local", "99L", "mL/h", "mL/h", "UCUM"], "mL/h"),
    ],
)
def test_units_are_mdc_or_ucum(components: list[str], unit: str) -> None:
    assert ucum_of(components) == unit


@pytest.mark.parametrize(
    ("components", "code"),
    [
        ([], "unit-unknown"),
        (["mmHg"], "unit-unknown"),
        (["266016", "MDC_DIM_KILO_G", "MDC"], "unit-mismatch"),
        (["266017", "MDC_DIM_MMHG", "MDC"], "unit-mismatch"),
        (["999999", "MDC_DIM_OTHER", "MDC"], "unit-unknown"),
        (["266016", "MDC_DIM_MMHG", "MDC", "kPa", "kPa", "UCUM"], "unit-mismatch"),
    ],
)
def test_units_that_contradict_themselves_are_refused(components: list[str], code: str) -> None:
    with pytest.raises(ItemRefused) as refusal:
        ucum_of(components)
    assert refusal.value.code == code


def test_unit_codes_are_of_partition_4_and_one_to_one() -> None:
    """IEEE 11073-10101: dimensions are partition 4."""
    assert {int(row.code) >> 16 for row in UNIT_TERMS} == {4}
    assert len({row.code for row in UNIT_TERMS}) == len({row.name for row in UNIT_TERMS}) == len(UNIT_TERMS)


@pytest.mark.parametrize(
    ("components", "code"),
    [
        (["150456", "MDC_CO2_ET", "MDC"], "code-name-mismatch"),
        (["150457", "MDC_PULS_OXIM_SAT_O2", "MDC"], "code-name-mismatch"),
        (["150456", "", "MDC"], "code-name-mismatch"),
        (["16770", "MDC_ECG_HEART_RATE", "MDC"], "code-name-mismatch"),
        (["199999", "MDC_NOT_YET", "MDC"], "unknown-measure"),
        (["8867-4", "Heart rate", "LN"], "unknown-measure"),
        (["67975", "MDC_ATTR_TIME_ABS", "MDC"], "device-attribute"),
    ],
)
def test_number_and_name_of_a_code_must_belong_together(components: list[str], code: str) -> None:
    """DEVICES 0.6: a simulator in the field pairs 150456 with "CO2_ET"; a page used a number relative to its partition."""
    with pytest.raises(ItemRefused) as refusal:
        term_of(components)
    assert refusal.value.code == code


def test_an_alternate_code_and_an_older_name_are_read() -> None:
    assert term_of(["HR", "Heart", "99L", "147842", "MDC_ECG_CARD_BEAT_RATE", "MDC"]).measure == "heart-rate-ecg"


def test_a_number_means_a_strip_where_a_strip_comes() -> None:
    pair = ["150456", "MDC_PULS_OXIM_SAT_O2", "MDC"]
    assert not term_of(pair).row.sampled
    assert term_of(pair, strip=True).row.sampled
