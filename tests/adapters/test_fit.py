"""Garmin FIT: https://developer.garmin.com/fit/protocol/ and the FIT profile 21; files written octet by octet (tests/support/fit.py)."""

from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.contract import Unreadable
from adapters.fit import adapter
from adapters.fit.messages import FILE_BYTES_MAX
from adapters.kit.rules import faults, parses_alone, place_free
from adapters.reading import Absent, Quantity, Reading, Rejected
from tests.support.fit import ENUM, SINT16, STRING, UINT8, UINT16, UINT32, UINT32Z, crc, data, definition, file, file_id, message
from tests.support.payloads import SAMPLES, needs_samples

NOON = 1_000_000_000  # 2021-09-08T01:46:40Z
EPOCH = datetime(1989, 12, 31, tzinfo=UTC)
SCALE = message(30, (253, UINT32, NOON), (0, UINT16, 7580), (1, UINT16, 2230))


def parse(payload: bytes) -> list[Any]:
    items = list(adapter.decode(payload))
    assert [fault for item in items for fault in faults(item)] == []
    assert all(parses_alone(adapter.decode, item) for item in items if isinstance(item, Reading) or item.keep)
    return items


def read(*parts: bytes) -> list[tuple[str, str]]:
    items = parse(file(file_id(), *parts))
    return [(item.measure, f"{item.value.value} {item.value.unit}") for item in items if isinstance(item, Reading) and item.value]


def refusal(payload: bytes) -> str:
    with pytest.raises(Unreadable) as refused:
        adapter.decode(payload)
    return refused.value.code


# -- the file


@pytest.mark.parametrize("size", [1, 11, 12, 13, 40, -1, -2])
def test_a_file_that_is_cut_off_is_refused_before_its_first_item(size: int) -> None:
    assert refusal(file(file_id(), SCALE)[:size]) in {"file-cut-off", "not-fit", "crc-wrong"}


def test_a_file_that_was_damaged_is_refused_as_a_whole() -> None:
    damaged = bytearray(file(file_id(), SCALE))
    damaged[-5] ^= 1
    assert refusal(bytes(damaged)) == "crc-wrong"


@pytest.mark.parametrize("payload", [b"", b"{}", b"\x00" * 100, b"PK\x03\x04" * 10])
def test_what_is_no_fit_file_is_refused(payload: bytes) -> None:
    assert refusal(payload) in {"empty", "not-fit"}


def test_a_file_of_more_than_the_limit_is_refused_unread() -> None:
    assert refusal(bytes(FILE_BYTES_MAX + 1)) == "payload-too-large"


def test_the_support_writes_the_checksum_of_the_protocol() -> None:
    """CRC-16/ARC; the check value of the catalogue of parametrised CRC algorithms."""
    assert crc(b"123456789") == 0xBB3D


def test_chained_files_are_read_one_after_the_other() -> None:
    items = parse(file(file_id(1), SCALE) + file(file_id(2), SCALE))
    assert [item.device for item in items] == ["1-1", "1-1", "1-2", "1-2"]


# -- time and device


def test_time_is_utc_in_seconds_since_the_end_of_1989() -> None:
    item = parse(file(file_id(), SCALE))[0]
    assert (item.time.kind, item.time.text, item.time.instant) == ("utc", "1000000000", EPOCH + timedelta(seconds=NOON))


def test_a_time_since_the_device_was_switched_on_is_a_counter() -> None:
    """date_time below 0x10000000 is system time."""
    item = parse(file(file_id(), message(30, (253, UINT32, 5000), (0, UINT16, 7580))))[0]
    assert (item.time.kind, item.time.text) == ("ticks", "5000 s")


def test_a_message_without_time_waits() -> None:
    item = parse(file(file_id(), message(30, (0, UINT16, 7580))))[0]
    assert (item.code, item.keep) == ("no-time", True)


@pytest.mark.parametrize(("head", "device"), [(file_id(1234, 15), "15-1234"), (file_id(0), None), (b"", None)])
def test_the_device_is_its_maker_and_its_serial_number(head: bytes, device: str | None) -> None:
    """serial_number is uint32z: 0 is no number."""
    assert parse(file(head, SCALE))[0].device == device


def test_the_byte_order_of_a_definition_holds_for_its_data() -> None:
    big = message(30, (253, UINT32, NOON), (0, UINT16, 7580), order=">")
    assert read(big) == read(message(30, (253, UINT32, NOON), (0, UINT16, 7580))) == [("body-weight", "75.80 kg")]


def test_a_compressed_header_counts_on_from_the_time_before() -> None:
    """Protocol, compressed timestamp header: five bits of seconds."""
    fields = ((3, UINT8, 90),)
    short = definition(20, *fields, local=1) + bytes((0x80 | 1 << 5 | (NOON + 3) & 31,)) + bytes((91,))
    items = parse(file(file_id(), message(20, (253, UINT32, NOON), (3, UINT8, 90)), short))
    assert [(item.value.value, item.time.text) for item in items] == [("90", str(NOON)), ("91", str(NOON + 3))]


def test_what_the_unit_says_of_itself_are_facts_about_the_device() -> None:
    mine = message(23, (253, UINT32, NOON), (3, UINT32Z, 1234), (5, UINT16, 360), (6, UINT8, 1), (32, UINT8, 80))
    strap = message(23, (253, UINT32, NOON), (3, UINT32Z, 77), (5, UINT16, 100))
    (fact,) = adapter.device_facts(file(file_id(), mine, strap))
    assert (fact.device, fact.firmware, fact.hardware, fact.battery_percent) == ("1-1234", "3.60", "1", 80)


# -- messages


def test_a_scale_says_what_its_fields_say_in_their_scale() -> None:
    fields = [(0, 7580), (1, 2230), (2, 5510), (3, 210), (4, 330), (5, 3350), (7, 6602), (10, 41), (11, 8), (13, 237)]
    sent = [(number, UINT8 if number in {10, 11} else UINT16, value) for number, value in fields]
    assert read(message(30, (253, UINT32, NOON), *sent)) == [
        ("body-weight", "75.80 kg"),
        ("body-fat-percentage", "22.30 %"),
        ("body-water-percentage", "55.10 %"),
        ("visceral-fat-mass", "2.10 kg"),
        ("bone-mass", "3.30 kg"),
        ("muscle-mass", "33.50 kg"),
        ("basal-metabolic-rate", "1650.50 kcal/d"),
        ("metabolic-age", "41 a"),
        ("visceral-fat-rating", "8 1"),
        ("body-mass-index", "23.7 kg/m2"),
    ]


def test_invalid_values_say_nothing_and_a_weight_being_worked_out_is_absent() -> None:
    items = parse(file(file_id(), message(30, (253, UINT32, NOON), (0, UINT16, 0xFFFE), (1, UINT16, 0xFFFF))))
    assert [(item.measure, item.value) for item in items] == [("body-weight", Absent(reason="temp-unknown"))]


@pytest.mark.parametrize(("index", "source", "flags"), [(2, "weight_scale:user:2", ("user-index:2",)), (0xFFFF, "weight_scale", ())])
def test_the_user_of_a_scale_is_part_of_the_identity(index: int, source: str, flags: tuple[str, ...]) -> None:
    item = parse(file(file_id(), message(30, (253, UINT32, NOON), (0, UINT16, 7580), (12, UINT16, index))))[0]
    assert (item.source_id, item.quality) == (source, flags)


def test_a_cuff_gives_a_pressure_and_a_pulse() -> None:
    pressure, pulse = parse(
        file(file_id(), message(51, (253, UINT32, NOON), (0, UINT16, 120), (1, UINT16, 80), (2, UINT16, 93), (6, UINT8, 62)))
    )
    assert {name: value.value for name, value in pressure.components.items()} == {"systolic": "120", "diastolic": "80", "mean": "93"}
    assert (pulse.measure, pulse.value) == ("heart-rate", Quantity(value="62", unit="/min"))


@pytest.mark.parametrize(("field", "value"), [(8, 4), (7, 1)], ids=["status", "heart rate type"])
def test_an_irregular_pulse_is_a_flag(field: int, value: int) -> None:
    item = parse(file(file_id(), message(51, (253, UINT32, NOON), (0, UINT16, 120), (1, UINT16, 80), (field, ENUM, value))))[0]
    assert item.quality == ("irregular-pulse",)


@pytest.mark.parametrize("status", [1, 2, 3])
def test_a_measurement_that_failed_has_no_pressures(status: int) -> None:
    item = parse(file(file_id(), message(51, (253, UINT32, NOON), (0, UINT16, 120), (1, UINT16, 80), (8, ENUM, status))))[0]
    assert set(item.components.values()) == {Absent(reason="error")}


def test_each_record_with_a_heart_rate_is_a_reading_and_the_way_is_not_kept() -> None:
    """A record says where the person was: neither read nor kept. 0xFF: no strap."""
    place = (0, UINT32, 495280430), (1, UINT32, 872696681), (13, UINT8, 21)
    first = message(20, (253, UINT32, NOON), (3, UINT8, 90), *place)
    more = data((253, UINT32, NOON + 1), (3, UINT8, 255), *place) + data((253, UINT32, NOON + 2), (3, UINT8, 92), *place)
    items = parse(file(file_id(), first, more))
    assert [(item.measure, item.value.value, item.time.text) for item in items] == [
        ("heart-rate", "90", str(NOON)),
        ("heart-rate", "92", str(NOON + 2)),
    ]
    assert all((495280430).to_bytes(4, "little") not in item.raw for item in items)


@pytest.mark.parametrize(
    ("kind", "field", "base", "value", "said"),
    [
        (269, 0, UINT8, 96, ("oxygen-saturation", "96 %")),
        (297, 0, SINT16, 1450, ("respiratory-rate", "14.50 /min")),
        (211, 0, UINT8, 52, ("heart-rate-resting", "52 /min")),
        (55, 27, UINT8, 71, ("heart-rate", "71 /min")),
    ],
)
def test_what_a_watch_monitors(kind: int, field: int, base: int, value: int, said: tuple[str, str]) -> None:
    assert read(message(kind, (253, UINT32, NOON), (field, base, value))) == [said]


@pytest.mark.parametrize("value", [-1, -2, -3])
def test_a_negative_breathing_rate_is_a_reason_and_no_rate(value: int) -> None:
    assert read(message(297, (253, UINT32, NOON), (0, SINT16, value * 100))) == []


def test_intervals_between_beats_belong_to_the_record_before_and_are_numbered() -> None:
    beats = definition(78, (0, UINT16, [0] * 3), local=1)
    sent = [beats, data((0, UINT16, [812, 799, 0xFFFF]), local=1), data((0, UINT16, [805, 0xFFFF, 0xFFFF]), local=1)]
    items = parse(file(file_id(), message(20, (253, UINT32, NOON), (3, UINT8, 74)), *sent))
    assert [(item.measure, item.value.value, item.source_id, item.time.text) for item in items[1:]] == [
        ("rr-interval", "812", "hrv:0", str(NOON)),
        ("rr-interval", "799", "hrv:1", str(NOON)),
        ("rr-interval", "805", "hrv:2", str(NOON)),
    ]


def test_intervals_without_a_record_have_no_time() -> None:
    (item,) = parse(file(file_id(), message(78, (0, UINT16, [812, 799]))))
    assert (item.code, item.keep) == ("no-time", False)


# -- steps


def monitoring(*totals: tuple[int, int, int]) -> list[bytes]:
    """Each is (seconds after the start, activity type, cycles)."""
    return [
        message(55, (26, UINT16, (NOON + after) & 0xFFFF), (5, ENUM, activity), (3, UINT32, cycles)) for after, activity, cycles in totals
    ]


def steps(*parts: bytes) -> list[tuple[str, str, str, str]]:
    items = [item for item in parse(file(file_id(), *parts)) if isinstance(item, Reading)]
    return [(item.source_id or "", item.value.value, item.time.text, item.end.text) for item in items]  # type: ignore[union-attr]


INFO = message(103, (253, UINT32, NOON), (0, UINT32, NOON + 7200))


def test_a_total_of_steps_lasts_from_the_start_of_the_counter_to_its_last_message() -> None:
    assert steps(INFO, *monitoring((600, 6, 100), (900, 1, 31), (1200, 6, 315))) == [
        ("steps:walking", "315", str(NOON), str(NOON + 1200)),
        ("steps:running", "31", str(NOON), str(NOON + 900)),
    ]


def test_sixteen_bits_of_time_count_on_across_their_end() -> None:
    assert steps(INFO, *monitoring((50_000, 6, 100), (100_000, 6, 200)))[0][3] == str(NOON + 100_000)


def test_a_counter_that_starts_anew_is_a_second_total() -> None:
    """It began some time after the last message of the old one."""
    assert steps(INFO, *monitoring((600, 6, 100), (1200, 6, 315), (1800, 6, 20))) == [
        ("steps:walking", "315", str(NOON), str(NOON + 1200)),
        ("steps:walking", "20", str(NOON + 1200), str(NOON + 1800)),
    ]


def test_a_later_file_of_the_same_day_corrects_the_total() -> None:
    """Same device, measure, start and source; the end is when the source changed it."""
    early, late = (parse(file(file_id(), INFO, *monitoring((after, 6, total))))[0] for after, total in ((600, 100), (1200, 315)))
    assert (early.time, early.source_id, early.device) == (late.time, late.source_id, late.device)
    assert early.modified < late.modified


def test_turns_of_a_crank_are_no_steps() -> None:
    """cycles of cycling (2) and of sedentary time (8)."""
    assert steps(INFO, *monitoring((600, 2, 100), (600, 8, 5))) == []


def test_steps_since_nobody_knows_when_wait() -> None:
    (item,) = parse(file(file_id(), message(55, (253, UINT32, NOON), (5, ENUM, 6), (3, UINT32, 100))))
    assert (item.code, item.keep) == ("no-time", True)


# -- what is not read


def test_another_kind_of_message_is_reported_once_and_not_kept() -> None:
    """user_profile has a name in it."""
    profile = message(3, (0, STRING, b"Ada Lovelace\0"), (1, ENUM, 0))
    items = parse(file(file_id(), profile, profile, SCALE))
    assert [(item.code, item.keep) for item in items if isinstance(item, Rejected)] == [("message-not-read", False)]
    assert all(b"Ada" not in item.raw for item in items)


def test_a_message_of_a_maker_is_reported_as_unknown_and_not_kept() -> None:
    """FIT profile, mesg_num: numbers from 0xFF00 are a manufacturer's own."""
    own = message(0xFF00, (0, STRING, b"Ada Lovelace\0"))
    items = parse(file(file_id(), own, own, SCALE))
    assert [(item.code, item.keep) for item in items if isinstance(item, Rejected)] == [("unknown-message", False)]
    assert all(b"Ada" not in item.raw for item in items)


def test_fields_of_an_app_are_reported_and_change_nothing() -> None:
    app = message(207, (3, UINT8, 0))
    described = message(206, (0, UINT8, 0), (1, UINT8, 0), (2, UINT8, UINT8), (3, STRING, b"mood\0"))
    fields = (253, UINT32, NOON), (3, UINT8, 90)
    records = definition(20, *fields, developer=bytes((0, 1, 0))) + data(*fields) + b"\x05"
    items = parse(file(file_id(), app, described, records))
    assert [getattr(item, "code", None) or item.value.value for item in items] == ["developer-fields", "developer-fields", "90"]


# -- properties


def outcome(payload: bytes) -> str:
    try:
        parse(payload)
    except Unreadable as refused:
        return refused.code
    return "read"


@settings(deadline=None)
@given(st.lists(st.binary(max_size=60), max_size=4))
def test_any_octets_in_a_sound_file_give_items_or_unreadable(parts: list[bytes]) -> None:
    """The checksum fits, so the parser has to make something of whatever stands there."""
    assert outcome(file(file_id(), *parts)) in {"read", "not-fit", "file-cut-off", "crc-wrong"}


@settings(deadline=None)
@given(st.data())
def test_a_sound_file_with_one_octet_changed_gives_sound_items(chance: st.DataObject) -> None:
    whole = file(
        file_id(),
        INFO,
        *monitoring((600, 6, 100)),
        SCALE,
        message(20, (253, UINT32, NOON), (3, UINT8, 90)),
        message(78, (0, UINT16, [800])),
    )
    body = bytearray(whole[12:-2])
    body[chance.draw(st.integers(0, len(body) - 1))] = chance.draw(st.integers(0, 255))
    assert outcome(file(bytes(body))) in {"read", "not-fit", "file-cut-off", "crc-wrong"}


def test_the_order_of_messages_and_their_repetition_change_no_identity() -> None:
    parts = [
        SCALE,
        message(51, (253, UINT32, NOON), (0, UINT16, 120), (1, UINT16, 80)),
        message(20, (253, UINT32, NOON), (3, UINT8, 90)),
        SCALE,
    ]
    facts = {frozenset(str(place_free(item)) for item in parse(file(file_id(), *order))) for order in permutations(parts)}
    assert len(facts) == 1


# -- the real files


@needs_samples
def test_the_scale_of_the_sample() -> None:
    items = parse((SAMPLES / "fit" / "WeightScaleSingleUser.fit").read_bytes())
    assert [(i.measure, i.value.value, i.device, i.time.instant.isoformat()) for i in items if isinstance(i, Reading)] == [  # type: ignore[union-attr]
        ("body-weight", "75.80", "15-1234", "2009-09-09T21:38:00+00:00"),
        ("body-fat-percentage", "22.30", "15-1234", "2009-09-09T21:38:00+00:00"),
        ("body-weight", "76.09", "15-1234", "2009-09-09T22:38:00+00:00"),
        ("body-fat-percentage", "25.10", "15-1234", "2009-09-09T22:38:00+00:00"),
    ]


@needs_samples
def test_the_day_of_the_sample_that_was_monitored() -> None:
    """From midnight at home (06:00 UTC) for a day: 3142 steps walked and 31 run."""
    items = parse((SAMPLES / "fit" / "MonitoringFile.fit").read_bytes())
    day = ("2014-12-27T06:00:00+00:00", "2014-12-28T06:00:00+00:00")
    assert [
        (i.source_id, i.value.value, i.time.instant.isoformat(), i.end.instant.isoformat()) for i in items if isinstance(i, Reading)
    ] == [  # type: ignore[union-attr]
        ("steps:walking", "3142", *day),
        ("steps:running", "31", *day),
    ]


@needs_samples
def test_the_sample_that_is_cut_off_is_refused() -> None:
    assert refusal((SAMPLES / "fit" / "activity-unexpected-eof.fit").read_bytes()) == "file-cut-off"
