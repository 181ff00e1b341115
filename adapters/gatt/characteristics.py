"""GATT characteristic values, octets to fields, named as the GATT Specification Supplement names them.

https://www.bluetooth.com/specifications/gss/. Those of the two glucose services are in `glucose.py`.
"""

from dataclasses import dataclass

from adapters.gatt.octets import DateTime, Octets
from adapters.ieee11073 import Number


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


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyCompositionMeasurement:
    """2A9C. Raw numbers: fat and muscle in 0.1 %, masses in 0.005 kg or 0.01 lb, metabolism in kJ, impedance in 0.1 Ohm.

    `masses` by their bit in the flags. A measurement may come in two packets, which both say `multiple`.
    """

    imperial: bool
    multiple: bool
    fat: int
    time_stamp: DateTime | None
    user_id: int | None
    basal_metabolism_kj: int | None
    muscle: int | None
    masses: tuple[tuple[int, int], ...]
    impedance: int | None
    height: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PulseOximetry:
    """2A5E (spot-check) and 2A5F (continuous), whose fast and slow pairs stay in the kept frame. Statuses are 0 if absent."""

    saturation: Number
    pulse_rate: Number
    time_stamp: DateTime | None
    clock_not_set: bool
    status: int
    sensor: int
    amplitude: Number | None


MASS_BITS = (5, 6, 7, 8, 10)
"""Muscle, fat-free, soft lean, body water, body weight; 9 is the impedance."""


def body_composition_measurement(value: bytes) -> BodyCompositionMeasurement:
    """Body Composition Service, 3.2."""
    octets = Octets(value)
    flags, fat = octets.uint(2), octets.uint(2)
    time_stamp = octets.date_time() if flags & 0x02 else None
    user_id = octets.uint(1) if flags & 0x04 else None
    numbers = {bit: octets.uint(2) for bit in range(3, 12) if flags >> bit & 1}
    octets.end()
    return BodyCompositionMeasurement(
        imperial=bool(flags & 0x01),
        multiple=bool(flags & 0x1000),
        fat=fat,
        time_stamp=time_stamp,
        user_id=user_id,
        basal_metabolism_kj=numbers.get(3),
        muscle=numbers.get(4),
        masses=tuple((bit, numbers[bit]) for bit in MASS_BITS if bit in numbers),
        impedance=numbers.get(9),
        height=numbers.get(11),
    )


def spot_check_measurement(value: bytes) -> PulseOximetry:
    """Pulse Oximeter Service, 3.1."""
    octets = Octets(value)
    flags = octets.uint(1)
    measurement = PulseOximetry(
        saturation=octets.sfloat(),
        pulse_rate=octets.sfloat(),
        time_stamp=octets.date_time() if flags & 0x01 else None,
        clock_not_set=bool(flags & 0x10),
        status=octets.uint(2) if flags & 0x02 else 0,
        sensor=octets.uint(3) if flags & 0x04 else 0,
        amplitude=octets.sfloat() if flags & 0x08 else None,
    )
    octets.end()
    return measurement


def continuous_oximetry(value: bytes) -> PulseOximetry:
    """Pulse Oximeter Service, 3.2. It has no time of its own."""
    octets = Octets(value)
    flags = octets.uint(1)
    saturation, pulse_rate = octets.sfloat(), octets.sfloat()
    for pair in (flags & 0x01, flags & 0x02):
        if pair:
            octets.uint(4)
    measurement = PulseOximetry(
        saturation=saturation,
        pulse_rate=pulse_rate,
        time_stamp=None,
        clock_not_set=False,
        status=octets.uint(2) if flags & 0x04 else 0,
        sensor=octets.uint(3) if flags & 0x08 else 0,
        amplitude=octets.sfloat() if flags & 0x10 else None,
    )
    octets.end()
    return measurement
