"""What the two glucose services mean in the catalogue's words. https://www.bluetooth.com/specifications/gss/, 3.99 to 3.101."""

from collections.abc import Callable, Mapping
from decimal import Decimal

from adapters.gatt.glucose import (
    TIME_OFFSET_OVERRUN,
    GlucoseContext,
    GlucoseMeasurement,
    cgm_measurements,
    glucose_context,
    glucose_measurement,
)
from adapters.gatt.part import Decoded, Part, bits, body_site, quantity, raised
from adapters.ieee11073 import Number
from adapters.reading import Absent, Coded, Quantity, Value
from adapters.refusal import ItemRefused

MDC = "urn:iso:std:iso:11073:10101"
CONTROL_SOLUTION, LOCATION_CONTROL_SOLUTION = 10, 4
EXERCISE_OVERRUN_S = 0xFFFF

SAMPLE: Mapping[int, str] = {
    1: "glucose-capillary",
    2: "glucose-capillary-plasma",
    3: "glucose-venous",
    4: "glucose-venous-plasma",
    5: "glucose-arterial",
    6: "glucose-arterial-plasma",
    7: "glucose-blood",
    8: "glucose-plasma",
    9: "glucose-interstitial",
}
"""Type of 2A18; 10 is a control solution, which is nobody's blood."""

LOCATION = {1: body_site("7569003", "Finger structure"), 3: body_site("48800003", "Ear lobule structure")}
"""Sample Location; 2 ("alternate site") and 15 ("not available") name no place."""

STATUS = bits(
    (0, "device-battery-low"),
    (1, "sensor-fault"),
    (2, "sample-insufficient"),
    (3, "sensor-fault"),
    (4, "sensor-fault"),
    (5, "above-range"),
    (6, "below-range"),
    (7, "device-too-hot"),
    (8, "device-too-cold"),
    (9, "measurement-interrupted"),
    (10, "sensor-fault"),
    (11, "clock-uncertain"),
)
"""Sensor Status Annunciation: strip inserted wrongly (3), wrong strip (4) and general fault (10) are faults of the sensor, too."""

CGM_STATUS = bits((1, "device-battery-low"), (2, "sensor-fault"), (3, "sensor-fault"), (4, "questionable"), (5, "sensor-fault"))
CGM_CALIBRATION = bits(
    (0, "clock-uncertain"), (3, "calibration-ongoing"), (4, "device-too-hot"), (5, "device-too-cold"), (6, "calibration-ongoing")
)
CGM_WARNING = bits((6, "below-range"), (7, "above-range"))
"""The other warnings compare with limits that the person set: they say nothing about the value."""

MEAL = {
    1: ("8417868", "MDC_CTXT_GLU_MEAL_PREPRANDIAL"),
    2: ("8417872", "MDC_CTXT_GLU_MEAL_POSTPRANDIAL"),
    3: ("8417876", "MDC_CTXT_GLU_MEAL_FASTING"),
    4: ("8417880", "MDC_CTXT_GLU_MEAL_CASUAL"),
    5: ("8417908", "MDC_CTXT_GLU_MEAL_BEDTIME"),
}
TESTER = {
    1: ("8417888", "MDC_CTXT_GLU_TESTER_SELF"),
    2: ("8417892", "MDC_CTXT_GLU_TESTER_HCP"),
    3: ("8417896", "MDC_CTXT_GLU_TESTER_LAB"),
}
HEALTH = {
    1: ("8417824", "MDC_CTXT_GLU_HEALTH_MINOR"),
    2: ("8417828", "MDC_CTXT_GLU_HEALTH_MAJOR"),
    3: ("8417832", "MDC_CTXT_GLU_HEALTH_MENSES"),
    4: ("8417836", "MDC_CTXT_GLU_HEALTH_STRESS"),
    5: ("8417840", "MDC_CTXT_GLU_HEALTH_NONE"),
}
NOT_AVAILABLE = 15
"""Of tester and health."""

MEAL_OF_CARBOHYDRATE = {1: "breakfast", 2: "lunch", 3: "dinner", 4: "snack", 5: "drink", 6: "supper", 7: "brunch"}
MEASURES = (
    *SAMPLE.values(),
    "carbohydrate-intake",
    "exercise-duration",
    "exercise-intensity",
    "glucose-context-health",
    "glucose-context-meal",
    "glucose-context-tester",
    "hba1c",
)


def times(number: Number, power: int) -> Number:
    """A number times a power of ten; its digits stay, and with them the precision of the device."""
    return number if isinstance(number, Absent) else format(Decimal(number).scaleb(power), "f")


def glucose(octets: bytes) -> Decoded:
    """2A18. kg/L is 100,000 mg/dL and mol/L 1,000 mmol/L."""
    measured = glucose_measurement(octets)
    if measured.sample == CONTROL_SOLUTION or measured.location == LOCATION_CONTROL_SOLUTION:
        raise ItemRefused("control-solution", "The meter measured its control solution: this is nobody's glucose.", keep=False)
    if measured.concentration is None:
        raise ItemRefused("no-value", "The record has no concentration.")
    measure = SAMPLE.get(measured.sample)
    if measure is None:
        raise ItemRefused("unknown-sample", f"Type {measured.sample} of a sample is reserved: nobody knows what was measured.")
    unit, power = ("mmol/L", 3) if measured.molar else ("mg/dL", 5)
    value = quantity(times(measured.concentration, power), unit)
    part = Part(measure=measure, value=value, context=LOCATION.get(measured.location, {}), offset_min=_offset(measured))
    overrun = ("clock-uncertain",) if measured.offset_min in TIME_OFFSET_OVERRUN else ()
    flags = tuple(dict.fromkeys((*raised(STATUS, measured.status), *overrun)))
    return Decoded(parts=(part,), time_stamp=measured.base_time, quality=flags, sequence=measured.sequence)


def _offset(measured: GlucoseMeasurement) -> int:
    """Minutes by which the person's clock differed from the base time; an overrun says no minutes."""
    return 0 if measured.offset_min is None or measured.offset_min in TIME_OFFSET_OVERRUN else measured.offset_min


def context(octets: bytes, glucose_octets: bytes) -> Decoded:
    """2A34 with the 2A18 of its sequence number, whose time it shares. A field with a reserved code is refused alone."""
    around, measured = glucose_context(octets), glucose_measurement(glucose_octets)
    parts, refused = [], []
    for measure, read in CONTEXT:
        try:
            value = read(around)
            if value is not None:
                source = MEAL_OF_CARBOHYDRATE.get(around.carbohydrate_id or 0) if measure == "carbohydrate-intake" else None
                parts.append(Part(measure=measure, value=value, source=source, offset_min=_offset(measured)))
        except ItemRefused as problem:
            refused.append(problem)
    return Decoded(parts=tuple(parts), time_stamp=measured.base_time, sequence=around.sequence, refused=tuple(refused))


def _carbohydrate(around: GlucoseContext) -> Value | None:
    return None if around.carbohydrate is None else quantity(times(around.carbohydrate, 3), "g")


def _medication(around: GlucoseContext) -> None:
    if around.medication is not None:
        raise ItemRefused("dose-not-sure", "A dose in kilograms or litres is none in units of insulin: send it as the pen or pump says it.")


def _coded(rows: Mapping[int, tuple[str, str]], number: int | None, field: str) -> Coded | None:
    if number is None or (number == NOT_AVAILABLE and rows is not MEAL):
        return None
    if number not in rows:
        raise ItemRefused("unknown-code", f"The code {number} of `{field}` is reserved.")
    code, display = rows[number]
    return Coded(system=MDC, code=code, display=display)


def _percent(number: int | None) -> Value | None:
    return None if number is None else Quantity(value=str(number), unit="%")


def _exercise(seconds: int | None) -> Value | None:
    """0xFFFF: longer than the field can say."""
    if seconds is None:
        return None
    return Absent(reason="positive-infinity") if seconds == EXERCISE_OVERRUN_S else Quantity(value=str(seconds), unit="s")


CONTEXT: tuple[tuple[str, Callable[[GlucoseContext], Value | None]], ...] = (
    ("carbohydrate-intake", _carbohydrate),
    ("glucose-context-meal", lambda around: _coded(MEAL, around.meal, "meal")),
    ("glucose-context-tester", lambda around: _coded(TESTER, around.tester, "tester")),
    ("glucose-context-health", lambda around: _coded(HEALTH, around.health, "health")),
    ("exercise-duration", lambda around: _exercise(around.exercise_s)),
    ("exercise-intensity", lambda around: _percent(around.exercise_intensity)),
    ("hba1c", lambda around: None if around.hba1c is None else quantity(around.hba1c, "%")),
    ("medication", _medication),
)
"""The fields of 2A34 in their order, and what each says."""


def continuous_glucose(octets: bytes) -> Decoded:
    """2AA7: interstitial fluid, which all sensors of this service in the field measure; minutes since the start of the session."""
    parts = tuple(
        Part(
            measure="glucose-interstitial",
            value=quantity(record.concentration, "mg/dL"),
            offset_min=record.offset_min,
            quality=tuple(
                dict.fromkeys(
                    (*raised(CGM_STATUS, record.status), *raised(CGM_CALIBRATION, record.calibration), *raised(CGM_WARNING, record.warning))
                )
            ),
        )
        for record in cgm_measurements(octets)
    )
    return Decoded(parts=parts, session=True)
