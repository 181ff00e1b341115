"""What the four characteristics say: GATT Specification Supplement, and the vectors in shared/samples/ble-gatt."""

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from adapters.gatt import adapter
from adapters.gatt.characteristics import (
    blood_pressure_measurement,
    heart_rate_measurement,
    weight_measurement,
)
from adapters.reading import Absent, Quantity, Reading, Rejected
from tests.support.payloads import SAMPLES, needs_samples

VECTORS = SAMPLES / "ble-gatt" / "gatt-vectors.json"

RECEIVED = "2024-05-06T07:08:09+02:00"
STAMP = "E8070506070809"  # 2024-05-06T07:08:09
CUFF = "02" + "7800" + "5000" + "5D00" + STAMP


def frame(characteristic: str = "2A35", hex: str = CUFF, **fields: Any) -> dict[str, Any]:
    return {"characteristic": characteristic, "hex": hex, "deviceInfo": {"serialNumber": "A1"}} | fields


def parse(document: Any) -> list[Any]:
    return list(adapter.decode(json.dumps(document).encode()))


def only(document: Any) -> Any:
    (item,) = parse(document)
    return item


def vector(name: str) -> Any:
    return next(vector for vector in json.loads(VECTORS.read_text()) if vector["name"].startswith(name)) if SAMPLES.is_dir() else None


def read_vector(name: str) -> list[Any]:
    found = vector(name)
    return parse(frame(found["characteristic"], found["hex"], receivedAt=RECEIVED))


# -- 2A35


def test_a_cuff_frame_is_one_pressure_with_three_components() -> None:
    """bluetooth-sig 0.6.0 reads 0.0000012 mmHg here (DEVICES 0.5)."""
    item = only(frame())
    assert item.measure == "blood-pressure"
    assert {name: value.value for name, value in item.components.items()} == {"systolic": "120", "diastolic": "80", "mean": "93"}
    assert {value.unit for value in item.components.values()} == {"mm[Hg]"}


def test_kilopascal_stay_kilopascal() -> None:
    item = only(frame(hex="01" + "A0F0" + "6BF0" + "7CF0", receivedAt=RECEIVED))
    assert item.components["systolic"] == Quantity(value="16.0", unit="kPa")


def test_the_pulse_of_a_cuff_is_a_second_reading_of_the_same_frame() -> None:
    pressure, pulse = parse(frame(hex="06" + "780050005D00" + STAMP + "4800"))
    assert (pulse.measure, pulse.value) == ("heart-rate", Quantity(value="72", unit="/min"))
    assert (pulse.time, pulse.source_id, pulse.raw, pulse.pointer) == (pressure.time, pressure.source_id, pressure.raw, pressure.pointer)


def test_a_cuff_that_failed_gives_absent_values_and_not_2047() -> None:
    """DEVICES 2.4: a real cuff in error sends 07FF three times."""
    item = only(frame(hex="02" + "FF07" * 3 + STAMP))
    assert set(item.components.values()) == {Absent(reason="not-a-number")}


def test_a_mean_that_a_cuff_does_not_compute_is_absent_alone() -> None:
    item = only(frame(hex="02" + "78005000FF07" + STAMP))
    assert item.components["mean"] == Absent(reason="not-a-number")
    assert item.components["systolic"] == Quantity(value="120", unit="mm[Hg]")


@pytest.mark.parametrize(
    ("status", "flags"),
    [
        (0x0000, ()),
        (0x0001, ("body-movement",)),
        (0x0002, ("cuff-too-loose",)),
        (0x0004, ("irregular-pulse",)),
        (0x0008, ("pulse-rate-above-limit",)),
        (0x0010, ("pulse-rate-below-limit",)),
        (0x0018, ()),
        (0x0020, ("improper-position",)),
        (0xFFC0, ()),
        (0x0027, ("body-movement", "cuff-too-loose", "irregular-pulse", "improper-position")),
    ],
)
def test_status_bits_become_quality_flags(status: int, flags: tuple[str, ...]) -> None:
    """Bits 3 and 4 are one field of two bits, 3 reserved; bits from 6 on are reserved and ignored."""
    assert only(frame(hex="12" + "780050005D00" + STAMP + status.to_bytes(2, "little").hex())).quality == flags


@pytest.mark.parametrize(("user", "flag"), [(1, "user-index:1"), (0, "user-index:0"), (255, "user-index:unknown")])
def test_the_user_of_a_cuff_is_part_of_the_identity_and_chooses_no_patient(user: int, flag: str) -> None:
    item = only(frame(hex="0A" + "780050005D00" + STAMP + f"{user:02X}"))
    assert (item.source_id, item.quality) == (f"2A35:user:{user}", (flag,))


# -- 2A37


def test_a_heart_rate_takes_the_time_of_its_receipt() -> None:
    item = only(frame("2A37", "0055", receivedAt=RECEIVED))
    assert (item.value, item.time.kind, item.time.text) == (Quantity(value="85", unit="/min"), "offset", RECEIVED)
    assert item.time.instant.utcoffset() == timedelta(hours=2)


def test_energy_and_rr_intervals_are_read_and_do_not_disturb_the_rate() -> None:
    measured = heart_rate_measurement(bytes.fromhex("1F0101320101000201FFFF"))
    assert (measured.heart_rate, measured.contact, measured.energy_expended_kj) == (257, True, 306)
    assert measured.rr_intervals_1024 == (1, 258, 65535)


@pytest.mark.parametrize(
    ("flags", "contact", "doubtful"), [("00", None, False), ("02", None, False), ("04", False, True), ("06", True, False)]
)
def test_a_rate_without_skin_contact_is_doubtful(flags: str, contact: bool | None, doubtful: bool) -> None:
    """Bits 1 and 2: contact, and whether the sensor can tell."""
    assert heart_rate_measurement(bytes.fromhex(flags + "48")).contact is contact
    item = only(frame("2A37", flags + "48", receivedAt=RECEIVED))
    assert (item.preliminary, item.quality) == (doubtful, ("no-sensor-contact",) if doubtful else ())


def test_half_an_rr_interval_is_a_cut_off_frame() -> None:
    assert only(frame("2A37", "10480102FF", receivedAt=RECEIVED)).code == "frame-too-short"


# -- 2A9D


@pytest.mark.parametrize(
    ("hex", "value"),
    [
        ("00C03A", Quantity(value="75.200", unit="kg")),
        ("010F27", Quantity(value="99.99", unit="[lb_av]")),
        ("00FFFF", Absent(reason="error")),
        ("01FFFF", Absent(reason="error")),
    ],
    ids=["kilograms", "pounds", "unsuccessful", "unsuccessful in pounds"],
)
def test_weight_has_the_resolution_of_its_unit(hex: str, value: Any) -> None:
    """0.005 kg or 0.01 lb; FFFF is a measurement that failed, not 327.675 kg."""
    item = only(frame("2A9D", hex, receivedAt=RECEIVED))
    assert (item.measure, item.value) == ("body-weight", value)


@pytest.mark.parametrize(("flags", "height"), [("08", Quantity(value="1.800", unit="m")), ("09", Quantity(value="180.0", unit="[in_i]"))])
def test_bmi_and_height_are_readings_of_their_own(flags: str, height: Quantity) -> None:
    """0.1 kg/m2; 0.001 m or 0.1 inch."""
    items = parse(frame("2A9D", flags + "C03A" + "EB00" + "0807", receivedAt=RECEIVED))
    assert [(i.measure, i.value) for i in items[1:] if isinstance(i, Reading)] == [
        ("body-mass-index", Quantity(value="23.5", unit="kg/m2")),
        ("body-height", height),
    ]


def test_all_fields_of_a_weight_are_found_in_their_order() -> None:
    measured = weight_measurement(bytes.fromhex("0EC03A" + STAMP + "02" + "EB00" + "0807"))
    assert (measured.user_id, measured.bmi, measured.height) == (2, 235, 1800)
    assert measured.time_stamp is not None
    assert (measured.time_stamp.year, measured.time_stamp.seconds) == (2024, 9)


# -- 2A1C


@pytest.mark.parametrize(
    ("hex", "value"),
    [
        ("00" + "6C0100FF", Quantity(value="36.4", unit="Cel")),
        ("01" + "DA0300FF", Quantity(value="98.6", unit="[degF]")),
        ("00" + "FFFF7F00", Absent(reason="not-a-number")),
        ("00" + "00008000", Absent(reason="error")),
    ],
)
def test_a_temperature_keeps_unit_and_precision(hex: str, value: Any) -> None:
    """bluetooth-sig 0.6.0 reads 3.64e+129 for the first (DEVICES 0.5)."""
    assert only(frame("2A1C", hex, receivedAt=RECEIVED)).value == value


@pytest.mark.parametrize(
    ("site", "code"), [(1, "91470000"), (3, "48800003"), (4, "7569003"), (6, "74262004"), (7, "34402009"), (9, "42859004")]
)
def test_the_temperature_type_is_the_body_site(site: int, code: str) -> None:
    coded = only(frame("2A1C", f"046C0100FF{site:02X}", receivedAt=RECEIVED)).context["body-site"]
    assert (coded.system, coded.code) == ("http://snomed.info/sct", code)


@pytest.mark.parametrize(
    "hex", ["006C0100FF", "046C0100FF02", "046C0100FF00", "046C0100FFFF"], ids=["none", "body", "reserved 0", "reserved 255"]
)
def test_a_type_that_names_no_place_gives_none(hex: str) -> None:
    assert only(frame("2A1C", hex, receivedAt=RECEIVED)).context == {}


def test_an_absurd_exponent_is_not_written_out() -> None:
    item = only(frame("2A1C", "00" + "0100007F", receivedAt=RECEIVED))
    assert (item.code, item.keep) == ("value-out-of-bounds", True)


# -- the vectors of an independent implementation


@needs_samples
def test_vector_blood_pressure_with_all_fields() -> None:
    """Its year is unknown: month and day alone are no time, so that of receipt stands."""
    pressure, pulse = read_vector("blood pressure, all fields")
    expected = vector("blood pressure, all fields")["expect"]
    assert isinstance(pressure, Reading)
    assert isinstance(pulse, Reading)
    assert {name: v.value for name, v in pressure.components.items() if isinstance(v, Quantity)} == {
        name: str(expected[name]) for name in ("systolic", "diastolic", "mean")
    }
    assert pulse.value == Quantity(value=str(expected["pulse"]), unit="/min")
    assert pressure.quality == ("body-movement", "cuff-too-loose", "irregular-pulse", "improper-position", "user-index:1")
    stamp = blood_pressure_measurement(bytes.fromhex(vector("blood pressure, all fields")["hex"])).time_stamp
    assert stamp is not None
    assert (stamp.year, stamp.month, stamp.day, f"{stamp.hours}:{stamp.minutes}:{stamp.seconds}") == (0, 4, 17, "20:41:59")
    assert pressure.time is not None
    assert pressure.time.text == RECEIVED


@needs_samples
def test_vector_blood_pressure_in_kilopascal() -> None:
    """The diastolic pressure is sent with exponent 0: 11, not 11.0."""
    pressure, pulse = read_vector("blood pressure in kPa")
    assert isinstance(pressure, Reading)
    assert isinstance(pulse, Reading)
    assert pressure.components == {
        "systolic": Quantity(value="18.9", unit="kPa"),
        "diastolic": Quantity(value="11", unit="kPa"),
        "mean": Quantity(value="15.9", unit="kPa"),
    }
    assert pulse.value == Quantity(value="60", unit="/min")


@needs_samples
def test_vector_too_short() -> None:
    (item,) = read_vector("too short")
    assert isinstance(item, Rejected)
    assert (item.code, item.keep) == ("frame-too-short", False)


@needs_samples
def test_vector_temperature_of_a_finger() -> None:
    """37.6 in the source, sent as 3760·10^-2: the wire's precision stays."""
    (item,) = read_vector("temperature")
    assert isinstance(item, Reading)
    assert item.time is not None
    assert (item.value, item.time.text, item.context["body-site"].display) == (
        Quantity(value="37.60", unit="Cel"),
        "2012-12-05T11:50:27",
        "Finger structure",
    )


@needs_samples
@pytest.mark.parametrize("name", ["heart rate uint8", "sensor contact", "uint16"])
def test_vectors_heart_rate(name: str) -> None:
    item, *more = read_vector(name)
    assert isinstance(item, Reading)
    expected, measured = vector(name)["expect"], heart_rate_measurement(bytes.fromhex(vector(name)["hex"]))
    assert item.value == Quantity(value=str(expected["heartRate"]), unit="/min")
    assert measured.contact is expected.get("contact")
    assert (measured.energy_expended_kj, list(measured.rr_intervals_1024)) == (expected.get("energyExpended"), expected.get("rr1024", []))
    energy = [f"{expected['energyExpended']} kJ"] if "energyExpended" in expected else []
    beats = [f"{Decimal(ticks) * 1000 / 1024:.7f} ms" for ticks in expected.get("rr1024", [])]
    assert [f"{one.value.value} {one.value.unit}" for one in more] == energy + beats
