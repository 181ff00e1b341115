"""What a characteristic value means in the catalogue's words: rows, and one small translation per characteristic."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from adapters.decimal_text import decimal_text
from adapters.gatt.characteristics import (
    DateTime,
    blood_pressure_measurement,
    heart_rate_measurement,
    temperature_measurement,
    weight_measurement,
)
from adapters.ieee11073 import Number
from adapters.limits import EXPONENT_ABS_MAX, MANTISSA_DIGITS_MAX
from adapters.reading import Absent, Coded, Quantity, Value
from adapters.refusal import ItemRefused

SNOMED_CT = "http://snomed.info/sct"
MEASURES = ("blood-pressure", "heart-rate", "body-weight", "body-mass-index", "body-height", "body-temperature")
USER_UNKNOWN = 0xFF
WEIGHT_UNSUCCESSFUL = 0xFFFF
NUMBER_CHARS_MAX = MANTISSA_DIGITS_MAX + EXPONENT_ABS_MAX


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One reading of a frame, before device and time are known."""

    measure: str
    value: Value | None = None
    components: Mapping[str, Value] = field(default_factory=dict)
    context: Mapping[str, Coded] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """A frame: its parts and what holds for all of them."""

    parts: tuple[Part, ...]
    time_stamp: DateTime | None = None
    user_id: int | None = None
    preliminary: bool = False
    quality: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StatusBits:
    """Value of a field inside the Measurement Status of 2A35 and the flag it raises."""

    mask: int
    value: int
    quality: str


BLOOD_PRESSURE_STATUS = (
    StatusBits(0x01, 0x01, "body-movement"),
    StatusBits(0x02, 0x02, "cuff-too-loose"),
    StatusBits(0x04, 0x04, "irregular-pulse"),
    StatusBits(0x18, 0x08, "pulse-rate-above-limit"),
    StatusBits(0x18, 0x10, "pulse-rate-below-limit"),
    StatusBits(0x20, 0x20, "improper-position"),
)


def _body_site(code: str, display: str) -> Mapping[str, Coded]:
    return {"body-site": Coded(system=SNOMED_CT, code=code, display=display)}


TEMPERATURE_SITE: Mapping[int | None, Mapping[str, Coded]] = {
    1: _body_site("91470000", "Axillary region structure"),
    3: _body_site("48800003", "Ear lobule structure"),
    4: _body_site("7569003", "Finger structure"),
    5: _body_site("122865005", "Gastrointestinal tract structure"),
    6: _body_site("74262004", "Oral cavity structure"),
    7: _body_site("34402009", "Rectum structure"),
    8: _body_site("29707007", "Toe structure"),
    9: _body_site("42859004", "Tympanic membrane structure"),
}
"""Temperature Type as SNOMED CT body structure. 2 is "body (general)": no site."""


def _value(number: Number, unit: str) -> Value:
    if isinstance(number, Absent):
        return number
    if len(number) > NUMBER_CHARS_MAX:
        raise ItemRefused("value-out-of-bounds", "The exponent of a FLOAT is that of no measurement.")
    return Quantity(value=number, unit=unit)


def _scaled(raw: int, mantissa: int, exponent: int, unit: str) -> Quantity:
    return Quantity(value=decimal_text(raw * mantissa, exponent), unit=unit)


def blood_pressure(octets: bytes) -> Decoded:
    """2A35: the three pressures are one reading, the pulse another."""
    measured = blood_pressure_measurement(octets)
    unit = "kPa" if measured.in_kpa else "mm[Hg]"
    pressures = {"systolic": measured.systolic, "diastolic": measured.diastolic, "mean": measured.mean_arterial_pressure}
    parts = [Part(measure="blood-pressure", components={name: _value(number, unit) for name, number in pressures.items()})]
    if measured.pulse_rate is not None:
        parts.append(Part(measure="heart-rate", value=_value(measured.pulse_rate, "/min")))
    flags = tuple(row.quality for row in BLOOD_PRESSURE_STATUS if measured.status & row.mask == row.value)
    return Decoded(parts=tuple(parts), time_stamp=measured.time_stamp, user_id=measured.user_id, quality=flags)


def heart_rate(octets: bytes) -> Decoded:
    """2A37: energy and RR intervals stay in the kept frame; the catalogue has no measure for them yet."""
    measured = heart_rate_measurement(octets)
    part = Part(measure="heart-rate", value=Quantity(value=str(measured.heart_rate), unit="/min"))
    untouched = measured.contact is False
    return Decoded(parts=(part,), preliminary=untouched, quality=("no-sensor-contact",) if untouched else ())


def weight(octets: bytes) -> Decoded:
    """2A9D: weight and, if sent, body mass index and height."""
    measured = weight_measurement(octets)
    parts = [Part(measure="body-weight", value=_weight(measured.weight, imperial=measured.imperial))]
    if measured.bmi is not None and measured.height is not None:
        height = _scaled(measured.height, 1, -1, "[in_i]") if measured.imperial else _scaled(measured.height, 1, -3, "m")
        parts += [Part(measure="body-mass-index", value=_scaled(measured.bmi, 1, -1, "kg/m2")), Part(measure="body-height", value=height)]
    return Decoded(parts=tuple(parts), time_stamp=measured.time_stamp, user_id=measured.user_id)


def _weight(raw: int, *, imperial: bool) -> Value:
    if raw == WEIGHT_UNSUCCESSFUL:
        return Absent(reason="error")
    return _scaled(raw, 1, -2, "[lb_av]") if imperial else _scaled(raw, 5, -3, "kg")


def temperature(octets: bytes) -> Decoded:
    """2A1C."""
    measured = temperature_measurement(octets)
    value = _value(measured.temperature, "[degF]" if measured.fahrenheit else "Cel")
    part = Part(measure="body-temperature", value=value, context=TEMPERATURE_SITE.get(measured.temperature_type, {}))
    return Decoded(parts=(part,), time_stamp=measured.time_stamp)


CHARACTERISTIC: Mapping[str, Callable[[bytes], Decoded]] = {
    "2A1C": temperature,
    "2A35": blood_pressure,
    "2A37": heart_rate,
    "2A9D": weight,
}
"""By 16-bit UUID. https://www.bluetooth.com/specifications/assigned-numbers/"""
