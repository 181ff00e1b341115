"""Glucose Service and Continuous Glucose Monitoring Service, octets to fields, named as the GATT Specification Supplement does."""

from dataclasses import dataclass

from adapters.gatt.octets import DateTime, Octets
from adapters.ieee11073 import Number
from adapters.refusal import ItemRefused

TIME_OFFSET_OVERRUN = (0x7FFF, -0x8000)
CGM_SIZE_MIN = 6
CRC_OCTETS = 2
ZONE_UNKNOWN, SUMMER_UNKNOWN = -128, 255


@dataclass(frozen=True, slots=True, kw_only=True)
class GlucoseMeasurement:
    """2A18. `concentration` in kg/L or mol/L; `sample` and `location` are the two halves of Type-Sample Location."""

    sequence: int
    base_time: DateTime
    offset_min: int | None
    molar: bool
    concentration: Number | None
    sample: int
    location: int
    status: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GlucoseContext:
    """2A34. `carbohydrate` in kg, `medication` in kg or L, `exercise_intensity` and `hba1c` in %; None is "not there"."""

    sequence: int
    carbohydrate_id: int | None
    carbohydrate: Number | None
    meal: int | None
    tester: int | None
    health: int | None
    exercise_s: int | None
    exercise_intensity: int | None
    medication_id: int | None
    medication: Number | None
    hba1c: Number | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CgmMeasurement:
    """One record of 2AA7: mg/dL, minutes since the start of the session, the three status octets (0 if absent)."""

    concentration: Number
    offset_min: int
    status: int
    calibration: int
    warning: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionStart:
    """2AAA. `offset_min`: time zone and summer time together, None where the sensor knows one of them not."""

    start: DateTime
    offset_min: int | None


def sequence_number(value: bytes) -> int:
    """Return the sequence number of 2A18 and 2A34, which stands behind their flags."""
    octets = Octets(value)
    octets.uint(1)
    return octets.uint(2)


def glucose_measurement(value: bytes) -> GlucoseMeasurement:
    """Glucose Service 1.0.1, 3.1."""
    octets = Octets(value)
    flags = octets.uint(1)
    sequence, base_time = octets.uint(2), octets.date_time()
    offset = octets.sint(2) if flags & 0x01 else None
    concentration = octets.sfloat() if flags & 0x02 else None
    where = octets.uint(1) if flags & 0x02 else 0
    status = octets.uint(2) if flags & 0x08 else 0
    octets.end()
    return GlucoseMeasurement(
        sequence=sequence,
        base_time=base_time,
        offset_min=offset,
        molar=bool(flags & 0x04),
        concentration=concentration,
        sample=where & 0x0F,
        location=where >> 4,
        status=status,
    )


def glucose_context(value: bytes) -> GlucoseContext:
    """Glucose Service 1.0.1, 3.2. The extended flags are all reserved."""
    octets = Octets(value)
    flags = octets.uint(1)
    sequence = octets.uint(2)
    if flags & 0x80:
        octets.uint(1)
    carbohydrate_id, carbohydrate = (octets.uint(1), octets.sfloat()) if flags & 0x01 else (None, None)
    meal = octets.uint(1) if flags & 0x02 else None
    people = octets.uint(1) if flags & 0x04 else None
    exercise_s, intensity = (octets.uint(2), octets.uint(1)) if flags & 0x08 else (None, None)
    medication_id, medication = (octets.uint(1), octets.sfloat()) if flags & 0x10 else (None, None)
    hba1c = octets.sfloat() if flags & 0x40 else None
    octets.end()
    return GlucoseContext(
        sequence=sequence,
        carbohydrate_id=carbohydrate_id,
        carbohydrate=carbohydrate,
        meal=meal,
        tester=None if people is None else people & 0x0F,
        health=None if people is None else people >> 4,
        exercise_s=exercise_s,
        exercise_intensity=intensity,
        medication_id=medication_id,
        medication=medication,
        hba1c=hba1c,
    )


def cgm_measurements(value: bytes) -> tuple[CgmMeasurement, ...]:
    """Continuous Glucose Monitoring Service 1.0.2, 3.1: one record or several, each led by its own size."""
    octets = Octets(value)
    records: list[CgmMeasurement] = []
    while octets.left() or not records:
        size = octets.uint(1)
        if size < CGM_SIZE_MIN:
            raise ItemRefused("frame-too-short", f"A record has at least {CGM_SIZE_MIN} octets.", keep=False)
        records.append(_cgm_record(octets.take(size - 1), size))
    return tuple(records)


def _cgm_record(octets: Octets, size: int) -> CgmMeasurement:
    flags = octets.uint(1)
    concentration, offset = octets.sfloat(), octets.uint(2)
    status = octets.uint(1) if flags & 0x80 else 0
    calibration = octets.uint(1) if flags & 0x40 else 0
    warning = octets.uint(1) if flags & 0x20 else 0
    for present in (flags & 0x01, flags & 0x02):  # trend and quality stay in the kept frame
        if present:
            octets.sfloat()
    if octets.left() == CRC_OCTETS:
        octets.check_crc(bytes((size,)))
    octets.end()
    return CgmMeasurement(concentration=concentration, offset_min=offset, status=status, calibration=calibration, warning=warning)


def session_start(value: bytes) -> SessionStart:
    """Continuous Glucose Monitoring Service 1.0.2, 3.5: date time, time zone in quarters of an hour, DST offset, perhaps a CRC."""
    octets = Octets(value)
    start, zone, summer = octets.date_time(), octets.sint(1), octets.uint(1)
    if octets.left() == CRC_OCTETS:
        octets.check_crc()
    octets.end()
    known = zone != ZONE_UNKNOWN and summer != SUMMER_UNKNOWN
    return SessionStart(start=start, offset_min=15 * (zone + summer) if known else None)
