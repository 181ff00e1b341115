"""GATT characteristic values, octets to fields, named as the GATT Specification Supplement names them.

https://www.bluetooth.com/specifications/gss/. Everything is little-endian. Bits reserved for future use are ignored, as
that document asks; octets that no flag announces are refused, because a guess about them would be one about the value.
"""

from dataclasses import dataclass

from adapters.ieee11073 import Number, float32, sfloat
from adapters.refusal import ItemRefused


@dataclass(frozen=True, slots=True)
class DateTime:
    """org.bluetooth.date_time: wall clock without zone; year, month or day 0 is unknown."""

    year: int
    month: int
    day: int
    hours: int
    minutes: int
    seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BloodPressureMeasurement:
    """2A35. Pressures in kPa or mmHg; `status` as on the wire, 0 if absent."""

    in_kpa: bool
    systolic: Number
    diastolic: Number
    mean_arterial_pressure: Number
    time_stamp: DateTime | None
    pulse_rate: Number | None
    user_id: int | None
    status: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HeartRateMeasurement:
    """2A37. `contact` is None where the sensor cannot tell; RR intervals in 1/1024 s."""

    heart_rate: int
    contact: bool | None
    energy_expended_kj: int | None
    rr_intervals_1024: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightMeasurement:
    """2A9D. Raw numbers: weight in 0.005 kg or 0.01 lb, BMI in 0.1 kg/m2, height in 0.001 m or 0.1 inch."""

    imperial: bool
    weight: int
    time_stamp: DateTime | None
    user_id: int | None
    bmi: int | None
    height: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TemperatureMeasurement:
    """2A1C. `temperature_type` says where it was taken."""

    fahrenheit: bool
    temperature: Number
    time_stamp: DateTime | None
    temperature_type: int | None


class Octets:
    """Reads a value from its first octet to its last."""

    def __init__(self, value: bytes) -> None:
        self._value, self._at = value, 0

    def uint(self, size: int) -> int:
        end = self._at + size
        if end > len(self._value):
            raise ItemRefused("frame-too-short", f"The flags announce at least {end} octets; the frame has {len(self._value)}.", keep=False)
        number = int.from_bytes(self._value[self._at : end], "little")
        self._at = end
        return number

    def sfloat(self) -> Number:
        return sfloat(self.uint(2))

    def float32(self) -> Number:
        return float32(self.uint(4))

    def date_time(self) -> DateTime:
        return DateTime(self.uint(2), self.uint(1), self.uint(1), self.uint(1), self.uint(1), self.uint(1))

    def left(self) -> int:
        return len(self._value) - self._at

    def end(self) -> None:
        if self.left():
            raise ItemRefused("frame-too-long", f"The frame has {self.left()} octets more than its flags announce.")


def blood_pressure_measurement(value: bytes) -> BloodPressureMeasurement:
    """Blood Pressure Service, 3.1."""
    octets = Octets(value)
    flags = octets.uint(1)
    measurement = BloodPressureMeasurement(
        in_kpa=bool(flags & 0x01),
        systolic=octets.sfloat(),
        diastolic=octets.sfloat(),
        mean_arterial_pressure=octets.sfloat(),
        time_stamp=octets.date_time() if flags & 0x02 else None,
        pulse_rate=octets.sfloat() if flags & 0x04 else None,
        user_id=octets.uint(1) if flags & 0x08 else None,
        status=octets.uint(2) if flags & 0x10 else 0,
    )
    octets.end()
    return measurement


def heart_rate_measurement(value: bytes) -> HeartRateMeasurement:
    """Heart Rate Service, 3.1."""
    octets = Octets(value)
    flags = octets.uint(1)
    measurement = HeartRateMeasurement(
        heart_rate=octets.uint(2 if flags & 0x01 else 1),
        contact=bool(flags & 0x02) if flags & 0x04 else None,
        energy_expended_kj=octets.uint(2) if flags & 0x08 else None,
        rr_intervals_1024=_rr_intervals(octets) if flags & 0x10 else (),
    )
    octets.end()
    return measurement


def _rr_intervals(octets: Octets) -> tuple[int, ...]:
    """As many as the rest of the value holds; half an interval is a cut-off frame."""
    intervals = []
    while octets.left():
        intervals.append(octets.uint(2))
    return tuple(intervals)


def weight_measurement(value: bytes) -> WeightMeasurement:
    """Weight Scale Service, 3.2."""
    octets = Octets(value)
    flags = octets.uint(1)
    measurement = WeightMeasurement(
        imperial=bool(flags & 0x01),
        weight=octets.uint(2),
        time_stamp=octets.date_time() if flags & 0x02 else None,
        user_id=octets.uint(1) if flags & 0x04 else None,
        bmi=octets.uint(2) if flags & 0x08 else None,
        height=octets.uint(2) if flags & 0x08 else None,
    )
    octets.end()
    return measurement


def temperature_measurement(value: bytes) -> TemperatureMeasurement:
    """Health Thermometer Service, 3.1."""
    octets = Octets(value)
    flags = octets.uint(1)
    measurement = TemperatureMeasurement(
        fahrenheit=bool(flags & 0x01),
        temperature=octets.float32(),
        time_stamp=octets.date_time() if flags & 0x02 else None,
        temperature_type=octets.uint(1) if flags & 0x04 else None,
    )
    octets.end()
    return measurement
