"""A reader for each type of datum: what it measures, and how long that held. Pure tables and small functions."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any

from adapters.json_fields import decimal, is_number, word
from adapters.reading import Absent, Coded, Quantity, Value
from adapters.refusal import ItemRefused
from adapters.tidepool.mapping import (
    ACTING,
    ACTING_UNKNOWN,
    ALARMS,
    CLOCK_CHANGE,
    DURATION_MAX,
    DURATION_UNITS,
    MODES,
    OUT_OF_RANGE,
    PRIMING,
    RAISED_TARGET,
    RANGE_FLAGS,
    RESERVOIR_CHANGE,
    STATUSES,
    TRENDS,
    UNITS,
)

Datum = Mapping[str, Any]
AUTOMATED, INTERRUPTED = "automated-delivery", "interrupted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One thing that a datum measures.

    place  the field it stands in, where a datum holds several of the same kind
    kind   what tells it from another of its measure at the same moment: two alarms are not one that was corrected
    lasts  how long it held, from the time of the datum
    """

    measure: str
    value: Value
    place: str = ""
    kind: str = ""
    lasts: timedelta | None = None
    manual: bool = False
    quality: tuple[str, ...] = ()
    context: Mapping[str, Coded] = field(default_factory=dict)


def _glucose(datum: Datum) -> tuple[Value, tuple[str, ...]]:
    """The number as given, or why there is none: out of range, the device's limit stands in its place."""
    unit = UNITS.get((word(datum, "units") or "").lower())
    if unit is None:
        raise ItemRefused("unit-unknown", "`units` must be mg/dL or mmol/L.")
    number = decimal(datum.get("value"), "value")
    for annotation in _annotations(datum):
        if annotation.get("code") == OUT_OF_RANGE:
            flag = RANGE_FLAGS.get(word(annotation, "value") or "")
            if flag is None:
                raise ItemRefused("unknown-annotation", "An annotation bg/out-of-range must have the value low or high.")
            return Absent(reason="unsupported"), (flag,)
    return Quantity(value=number, unit=unit), ()


def _annotations(datum: Datum) -> list[Datum]:
    found = datum.get("annotations")
    return [one for one in found if type(one) is dict] if type(found) is list else []


def _cbg(datum: Datum) -> Iterator[Part]:
    value, quality = _glucose(datum)
    yield Part(measure="glucose-interstitial", value=value, quality=quality, context=_trend(datum))


def _trend(datum: Datum) -> Mapping[str, Coded]:
    if datum.get("trend") is None:
        return {}
    trend = TRENDS.get(word(datum, "trend") or "")
    if trend is None:
        raise ItemRefused("unknown-trend", "The `trend` is not one of the known words; the datum is kept.")
    return {"trend": trend}


def _smbg(datum: Datum) -> Iterator[Part]:
    value, quality = _glucose(datum)
    yield Part(measure="glucose-capillary", value=value, quality=quality, manual=datum.get("subType") == "manual")


def _ketone(datum: Datum) -> Iterator[Part]:
    if (word(datum, "units") or "").lower() != "mmol/l":
        raise ItemRefused("unit-unknown", "`units` of a ketone must be mmol/L.")
    yield Part(measure="ketone-blood", value=Quantity(value=decimal(datum.get("value"), "value"), unit="mmol/L"))


def _bolus(datum: Datum) -> Iterator[Part]:
    """What was delivered at once, and what over a time; what was asked for shows only in that it was interrupted."""
    if "normal" not in datum and "extended" not in datum:
        raise ItemRefused("value-missing", "A bolus has `normal`, `extended` or both.")
    measure = _acting(datum.get("insulinFormulation"))
    for place, expected in (("normal", "expectedNormal"), ("extended", "expectedExtended")):
        if place not in datum:
            continue
        number = decimal(datum[place], place)
        quality = (AUTOMATED,) * (datum.get("subType") == "automated") + (INTERRUPTED,) * _less(number, datum.get(expected))
        lasts = _lasts(datum) if place == "extended" else None
        yield Part(measure=measure, value=Quantity(value=number, unit="[iU]"), place=place, lasts=lasts, quality=quality)


def _less(number: str, expected: object) -> bool:
    return is_number(expected) and Decimal(number) < Decimal(decimal(expected, "expected"))


def _basal(datum: Datum) -> Iterator[Part]:
    """The rate that held, and in which mode it was decided. A suspended pump delivers 0 whether it says so or not."""
    delivery = word(datum, "deliveryType") or ""
    mode = MODES.get(delivery)
    if mode is None:
        raise ItemRefused("unknown-delivery-type", "The `deliveryType` is not one of the known words; the datum is kept.")
    given = datum.get("rate")
    rate = "0" if given is None and delivery == "suspend" else decimal(given, "rate")
    lasts = _lasts(datum)
    quality = (AUTOMATED,) * (delivery == "automated")
    yield Part(measure="insulin-basal", value=Quantity(value=rate, unit="[iU]/h"), lasts=lasts, quality=quality)
    yield Part(measure="insulin-delivery-mode", value=mode, lasts=lasts)


def _lasts(datum: Datum) -> timedelta | None:
    """Milliseconds, or a value with its unit; None where it is missing or 0, as of a basal that still runs."""
    given = datum.get("duration")
    unit = timedelta(milliseconds=1)
    if type(given) is dict:
        named = DURATION_UNITS.get(word(given, "units") or "")
        if named is None:
            raise ItemRefused("duration-not-readable", "The `units` of a duration must be hours, minutes, seconds or milliseconds.")
        given, unit = given.get("value"), named
    if given is None:
        return None
    number = Decimal(decimal(given, "duration"))
    if not 0 <= number <= DURATION_MAX / unit:
        raise ItemRefused("duration-not-readable", f"A duration lies between 0 and {DURATION_MAX.days} days.")
    return float(number) * unit or None


def _insulin(datum: Datum) -> Iterator[Part]:
    """Written down by the person: neither basal nor bolus of a pump."""
    dose = datum.get("dose")
    total = dose.get("total") if type(dose) is dict else None
    yield Part(measure=_acting(datum.get("formulation")), value=Quantity(value=decimal(total, "dose.total"), unit="[iU]"), manual=True)


def _acting(formulation: object) -> str:
    """A mixture is not named: its parts act differently, and none of the groups says so."""
    simple = formulation.get("simple") if isinstance(formulation, dict) else None
    return ACTING.get(word(simple, "actingType") or "", ACTING_UNKNOWN) if isinstance(simple, dict) else ACTING_UNKNOWN


def _food(datum: Datum) -> Iterator[Part]:
    nutrition = datum.get("nutrition")
    carbohydrate = nutrition.get("carbohydrate") if type(nutrition) is dict else None
    if type(carbohydrate) is not dict:
        raise ItemRefused("value-missing", "The food has no `nutrition.carbohydrate`.")
    if word(carbohydrate, "units") != "grams":
        raise ItemRefused("unit-unknown", "`units` of carbohydrate must be grams.")
    yield _eaten(decimal(carbohydrate.get("net"), "net"))


def _eaten(grams: str) -> Part:
    return Part(measure="carbohydrate-intake", value=Quantity(value=grams, unit="g"), manual=True)


def _wizard(datum: Datum) -> Iterator[Part]:
    """Of a calculation only the food is a fact; the dose is a datum of its own, by reference or embedded."""
    carbs = datum.get("carbInput")
    if carbs is None or Decimal(decimal(carbs, "carbInput")) == 0:
        raise ItemRefused("not-a-measurement", "The calculation of a dose names no food; its dose is a datum of its own.", keep=False)
    if datum.get("carbUnits") not in (None, "grams"):
        raise ItemRefused("unit-unknown", "`carbUnits` must be grams; how many an exchange has differs between countries.")
    yield _eaten(decimal(carbs, "carbInput"))


def _device_event(datum: Datum) -> Iterator[Part]:
    reader = EVENTS.get(word(datum, "subType") or "")
    if reader is None:
        raise ItemRefused("unknown-measure", "The `subType` of the device event has no measure in this version; it is kept.")
    yield from reader(datum)


def _happened(event: Coded) -> Part:
    return Part(measure="insulin-pump-event", value=event, kind=event.code)


def _alarm(datum: Datum) -> Iterator[Part]:
    alarm = ALARMS.get(word(datum, "alarmType") or "")
    if alarm is None:
        raise ItemRefused("unknown-alarm", "The `alarmType` is not one of the known words; the datum is kept.")
    yield _happened(alarm)


def _status(datum: Datum) -> Iterator[Part]:
    mode = STATUSES.get(word(datum, "status") or "")
    if mode is None:
        raise ItemRefused("unknown-status", "The `status` must be suspended or resumed.")
    yield Part(measure="insulin-delivery-mode", value=mode, lasts=_lasts(datum))


def _prime(datum: Datum) -> Iterator[Part]:
    measure = PRIMING.get(word(datum, "primeTarget") or "")
    if measure is None:
        raise ItemRefused("unknown-measure", "The `primeTarget` must be tubing or cannula.")
    yield Part(measure=measure, value=Quantity(value=decimal(datum.get("volume"), "volume"), unit="[iU]"))


def _calibration(datum: Datum) -> Iterator[Part]:
    value, quality = _glucose(datum)
    yield Part(measure="glucose-capillary", value=value, quality=(*quality, "calibration-entry"), manual=True)


def _zen(datum: Datum) -> Iterator[Part]:
    yield Part(measure="insulin-delivery-mode", value=RAISED_TARGET, lasts=_lasts(datum))


def _reservoir_change(_: Datum) -> Iterator[Part]:
    yield _happened(RESERVOIR_CHANGE)


def _time_change(_: Datum) -> Iterator[Part]:
    yield _happened(CLOCK_CHANGE)


Reader = Callable[[Datum], Iterator[Part]]
EVENTS: Mapping[str, Reader] = {
    "alarm": _alarm,
    "calibration": _calibration,
    "prime": _prime,
    "reservoirChange": _reservoir_change,
    "status": _status,
    "timeChange": _time_change,
    "zen": _zen,
}
DATA: Mapping[str, Reader] = {
    "basal": _basal,
    "bloodKetone": _ketone,
    "bolus": _bolus,
    "cbg": _cbg,
    "deviceEvent": _device_event,
    "food": _food,
    "insulin": _insulin,
    "smbg": _smbg,
    "wizard": _wizard,
}
