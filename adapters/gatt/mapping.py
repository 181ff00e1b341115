"""What a characteristic value means in the catalogue's words: rows, and one small translation per characteristic."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from adapters.decimal_text import decimal_text
from adapters.gatt.characteristics import (
    BodyCompositionMeasurement,
    PulseOximetry,
    blood_pressure_measurement,
    body_composition_measurement,
    continuous_oximetry,
    heart_rate_measurement,
    spot_check_measurement,
    temperature_measurement,
    weight_measurement,
)
from adapters.gatt.glucose_mapping import MEASURES as GLUCOSE_MEASURES
from adapters.gatt.glucose_mapping import continuous_glucose, glucose
from adapters.gatt.part import Decoded, Part, StatusBits, bits, body_site, quantity, raised
from adapters.reading import Absent, Coded, Quantity, Value
from adapters.refusal import ItemRefused

USER_UNKNOWN = 0xFF
UNSUCCESSFUL = 0xFFFF
"""Of a weight and of a body composition."""

MASS = {5: "muscle-mass", 6: "fat-free-mass", 7: "soft-lean-mass", 8: "body-water-mass", 10: "body-weight"}
"""Bit of 2A9C -> measure."""

MEASURES = tuple(
    sorted(
        {
            "blood-pressure",
            "heart-rate",
            "heart-rate-oximeter",
            "rr-interval",
            "energy-expended",
            "body-temperature",
            "body-mass-index",
            "body-height",
            "body-fat-percentage",
            "muscle-percentage",
            "basal-metabolic-rate",
            "body-impedance",
            "oxygen-saturation",
            "perfusion-index",
            *MASS.values(),
            *GLUCOSE_MEASURES,
        }
    )
)

BLOOD_PRESSURE_STATUS = (
    StatusBits(0x01, 0x01, "body-movement"),
    StatusBits(0x02, 0x02, "cuff-too-loose"),
    StatusBits(0x04, 0x04, "irregular-pulse"),
    StatusBits(0x18, 0x08, "pulse-rate-above-limit"),
    StatusBits(0x18, 0x10, "pulse-rate-below-limit"),
    StatusBits(0x20, 0x20, "improper-position"),
)


TEMPERATURE_SITE: Mapping[int | None, Mapping[str, Coded]] = {
    1: body_site("91470000", "Axillary region structure"),
    3: body_site("48800003", "Ear lobule structure"),
    4: body_site("7569003", "Finger structure"),
    5: body_site("122865005", "Gastrointestinal tract structure"),
    6: body_site("74262004", "Oral cavity structure"),
    7: body_site("34402009", "Rectum structure"),
    8: body_site("29707007", "Toe structure"),
    9: body_site("42859004", "Tympanic membrane structure"),
}
"""Temperature Type as SNOMED CT body structure. 2 is "body (general)": no site."""


def _scaled(raw: int, mantissa: int, exponent: int, unit: str) -> Quantity:
    return Quantity(value=decimal_text(raw * mantissa, exponent), unit=unit)


def blood_pressure(octets: bytes) -> Decoded:
    """2A35: the three pressures are one reading, the pulse another."""
    measured = blood_pressure_measurement(octets)
    unit = "kPa" if measured.in_kpa else "mm[Hg]"
    pressures = {"systolic": measured.systolic, "diastolic": measured.diastolic, "mean": measured.mean_arterial_pressure}
    parts = [Part(measure="blood-pressure", components={name: quantity(number, unit) for name, number in pressures.items()})]
    if measured.pulse_rate is not None:
        parts.append(Part(measure="heart-rate", value=quantity(measured.pulse_rate, "/min")))
    flags = raised(BLOOD_PRESSURE_STATUS, measured.status)
    return Decoded(parts=tuple(parts), time_stamp=measured.time_stamp, user_id=measured.user_id, quality=flags)


def heart_rate(octets: bytes) -> Decoded:
    """2A37: the rate, each interval between two beats, and the energy since the sensor was last reset."""
    measured = heart_rate_measurement(octets)
    parts = [Part(measure="heart-rate", value=Quantity(value=str(measured.heart_rate), unit="/min"))]
    if measured.energy_expended_kj is not None:
        parts.append(Part(measure="energy-expended", value=_scaled(measured.energy_expended_kj, 1, 0, "kJ")))
    parts += [Part(measure="rr-interval", value=_rr(raw), source=f"rr:{at}") for at, raw in enumerate(measured.rr_intervals_1024)]
    untouched = measured.contact is False
    return Decoded(parts=tuple(parts), preliminary=untouched, quality=("no-sensor-contact",) if untouched else ())


def _rr(raw: int) -> Quantity:
    """1/1024 s is 0.9765625 ms exactly."""
    return Quantity(value=decimal_text(raw * 9765625, -7), unit="ms")


def weight(octets: bytes) -> Decoded:
    """2A9D: weight and, if sent, body mass index and height."""
    measured = weight_measurement(octets)
    parts = [Part(measure="body-weight", value=_weight(measured.weight, imperial=measured.imperial))]
    if measured.bmi is not None and measured.height is not None:
        height = _height(measured.height, imperial=measured.imperial)
        parts += [Part(measure="body-mass-index", value=_scaled(measured.bmi, 1, -1, "kg/m2")), Part(measure="body-height", value=height)]
    return Decoded(parts=tuple(parts), time_stamp=measured.time_stamp, user_id=measured.user_id)


def _weight(raw: int, *, imperial: bool) -> Value:
    if raw == UNSUCCESSFUL:
        return Absent(reason="error")
    return _scaled(raw, 1, -2, "[lb_av]") if imperial else _scaled(raw, 5, -3, "kg")


def _height(raw: int, *, imperial: bool) -> Quantity:
    return _scaled(raw, 1, -1, "[in_i]") if imperial else _scaled(raw, 1, -3, "m")


def temperature(octets: bytes) -> Decoded:
    """2A1C."""
    measured = temperature_measurement(octets)
    value = quantity(measured.temperature, "[degF]" if measured.fahrenheit else "Cel")
    part = Part(measure="body-temperature", value=value, context=TEMPERATURE_SITE.get(measured.temperature_type, {}))
    return Decoded(parts=(part,), time_stamp=measured.time_stamp)


OXIMETRY_STATUS = bits((12, "calibration-ongoing"), (14, "questionable"))
OXIMETRY_PRELIMINARY = 1 << 5 | 1 << 6
"""The measurement goes on, or is an early estimate."""
OXIMETRY_NO_VALUE = 1 << 13 | 1 << 15
"""Unavailable, or invalid."""
OXIMETRY_PRETENDED = 1 << 10 | 1 << 11
"""For demonstration, or for testing."""
OXIMETRY_SENSOR = bits(
    (1, "sensor-fault"),
    (2, "poor-signal"),
    (3, "poor-signal"),
    (4, "poor-signal"),
    (5, "low-perfusion"),
    (6, "poor-signal"),
    (7, "poor-signal"),
    (8, "poor-signal"),
    (10, "poor-signal"),
    (11, "no-sensor-contact"),
    (13, "improper-position"),
    (14, "sensor-fault"),
    (15, "no-sensor-contact"),
)
"""Device and Sensor Status; 0 (display), 9 (analysis goes on) and 12 (unknown sensor) say nothing about the value."""


def _oximetry(measured: PulseOximetry) -> Decoded:
    if measured.status & OXIMETRY_PRETENDED:
        raise ItemRefused("not-a-person", "The device says that this is demonstration or test data.", keep=False)
    invalid = Absent(reason="error") if measured.status & OXIMETRY_NO_VALUE else None
    parts = [
        Part(measure="oxygen-saturation", value=invalid or quantity(measured.saturation, "%")),
        Part(measure="heart-rate-oximeter", value=invalid or quantity(measured.pulse_rate, "/min")),
    ]
    if measured.amplitude is not None:
        parts.append(Part(measure="perfusion-index", value=invalid or quantity(measured.amplitude, "%")))
    flags = (*raised(OXIMETRY_STATUS, measured.status), *raised(OXIMETRY_SENSOR, measured.sensor))
    preliminary = bool(measured.status & OXIMETRY_PRELIMINARY)
    if measured.clock_not_set:  # the stamp counts from wherever the clock happened to start
        return Decoded(parts=tuple(parts), preliminary=preliminary, quality=(*flags, "clock-uncertain"))
    return Decoded(parts=tuple(parts), time_stamp=measured.time_stamp, preliminary=preliminary, quality=flags)


def spot_check(octets: bytes) -> Decoded:
    """2A5E."""
    return _oximetry(spot_check_measurement(octets))


def continuous(octets: bytes) -> Decoded:
    """2A5F."""
    return _oximetry(continuous_oximetry(octets))


def body_composition(octets: bytes) -> Decoded:
    """2A9C in one packet."""
    return _composition(body_composition_measurement(octets))


def body_composition_in_two(octets: bytes, others: bytes) -> Decoded:
    """2A9C in two packets, which repeat the fat and share out the rest; only the first has time stamp and user."""
    first, second = body_composition_measurement(octets), body_composition_measurement(others)
    rest = _composition(second).parts[1:]
    whole = _composition(first)
    return replace(whole, parts=(*whole.parts, *(part for part in rest if part.measure not in {one.measure for one in whole.parts})))


def _composition(measured: BodyCompositionMeasurement) -> Decoded:
    fat: Value = Absent(reason="error") if measured.fat == UNSUCCESSFUL else _scaled(measured.fat, 1, -1, "%")
    parts = [Part(measure="body-fat-percentage", value=fat)]
    if measured.basal_metabolism_kj is not None:
        parts.append(Part(measure="basal-metabolic-rate", value=_scaled(measured.basal_metabolism_kj, 1, 0, "kJ/d")))
    if measured.muscle is not None:
        parts.append(Part(measure="muscle-percentage", value=_scaled(measured.muscle, 1, -1, "%")))
    parts += [Part(measure=MASS[bit], value=_weight(raw, imperial=measured.imperial)) for bit, raw in measured.masses]
    if measured.impedance is not None:
        parts.append(Part(measure="body-impedance", value=_scaled(measured.impedance, 1, -1, "Ohm")))
    if measured.height is not None:
        parts.append(Part(measure="body-height", value=_height(measured.height, imperial=measured.imperial)))
    return Decoded(parts=tuple(parts), time_stamp=measured.time_stamp, user_id=measured.user_id)


CHARACTERISTIC: Mapping[str, Callable[[bytes], Decoded]] = {
    "2A18": glucose,
    "2A1C": temperature,
    "2A35": blood_pressure,
    "2A37": heart_rate,
    "2A5E": spot_check,
    "2A5F": continuous,
    "2A9C": body_composition,
    "2A9D": weight,
    "2AA7": continuous_glucose,
}
"""By 16-bit UUID; 2A34 and the second half of 2A9C are read with the frame they belong to (`company.py`).

https://www.bluetooth.com/specifications/assigned-numbers/
"""
