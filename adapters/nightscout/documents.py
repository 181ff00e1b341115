"""What an entry is and what a treatment holds: a small function for each."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any

from adapters.json_fields import decimal, is_number, word
from adapters.nightscout.mapping import (
    ABOVE_RANGE_MARK,
    AUTOMATED,
    BELOW_RANGE_MAX,
    ERROR_CODE_MAX,
    EVENTS,
    GLUCOSE_TYPES,
    MODES,
    NOISY_MIN,
    TRENDS,
    UNITS,
)
from adapters.reading import Absent, Coded, Quantity, Value
from adapters.refusal import ItemRefused

Document = Mapping[str, Any]
MINUTES_MAX = 60 * 24 * 31
"""Of one temporary basal; a longer one is damage."""
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One thing that a document holds. place: the field it stands in; lasts: how long it held."""

    measure: str
    value: Value
    place: str
    lasts: timedelta | None = None
    manual: bool = False
    quality: tuple[str, ...] = ()
    context: Mapping[str, Coded] = field(default_factory=dict)


def _sgv(entry: Document) -> Iterator[Part]:
    """mg/dL always, whatever the site shows."""
    value, quality = _sensor_value(decimal(entry.get("sgv"), "sgv"))
    noise = entry.get("noise")
    noisy = ("questionable",) * (type(noise) is int and noise >= NOISY_MIN)
    yield Part(measure="glucose-interstitial", value=value, place="sgv", quality=quality + noisy, context=_context(entry))


def _sensor_value(number: str) -> tuple[Value, tuple[str, ...]]:
    value = Decimal(number)
    if value <= ERROR_CODE_MAX:
        return Absent(reason="error"), ()
    if value <= BELOW_RANGE_MAX:
        return Absent(reason="unsupported"), ("below-range",)
    return Quantity(value=number, unit="mg/dL"), ("at-upper-limit",) * (value == ABOVE_RANGE_MARK)


def _context(entry: Document) -> Mapping[str, Coded]:
    given = entry.get("direction")
    direction = "".join((word(entry, "direction") or "none").lower().split()) if given is None or type(given) is str else ""
    if direction not in TRENDS:
        raise ItemRefused("unknown-trend", "The `direction` is not one of the known words; the entry is kept.")
    trend = TRENDS[direction]
    return {} if trend is None else {"trend": trend}


def _mbg(entry: Document) -> Iterator[Part]:
    yield Part(measure="glucose-capillary", value=Quantity(value=decimal(entry.get("mbg"), "mbg"), unit="mg/dL"), place="mbg")


def _cal(_: Document) -> Iterator[Part]:
    raise ItemRefused("not-a-measurement", "A calibration entry holds the parameters of a sensor, not a glucose.", keep=False)


def _insulin(treatment: Document) -> Iterator[Part]:
    number = decimal(treatment.get("insulin"), "insulin")
    quality = ("automated-delivery",) * _is_automatic(treatment)
    yield Part(measure="insulin-bolus", value=Quantity(value=number, unit="[iU]"), place="insulin", quality=quality)


def _is_automatic(treatment: Document) -> bool:
    """`automatic` is Loop's word, `isSMB` that of AAPS; without one nothing is known."""
    return treatment.get("automatic") is True or treatment.get("isSMB") is True


def _carbs(treatment: Document) -> Iterator[Part]:
    number = decimal(treatment.get("carbs"), "carbs")
    yield Part(measure="carbohydrate-intake", value=Quantity(value=number, unit="g"), place="carbs", manual=True)


def _glucose(treatment: Document) -> Iterator[Part]:
    measure = GLUCOSE_TYPES.get((word(treatment, "glucoseType") or "").lower())
    unit = UNITS.get((word(treatment, "units") or "").lower())
    if measure is None:
        raise ItemRefused("unknown-specimen", "`glucoseType` must be Finger or Sensor, or nobody knows what was measured.")
    if unit is None:
        raise ItemRefused("unit-unknown", "`units` must be mg/dl or mmol.")
    yield Part(measure=measure, value=Quantity(value=decimal(treatment["glucose"], "glucose"), unit=unit), place="glucose", manual=True)


def _temp_basal(treatment: Document) -> Iterator[Part]:
    """`absolute` or `rate` in units an hour, for minutes. A percentage is of a profile that the treatment does not hold."""
    place = "absolute" if treatment.get("absolute") is not None else "rate"
    if treatment.get(place) is None:
        raise ItemRefused("rate-unknown", "A temporary basal needs `absolute` or `rate`; a percentage alone says no rate.")
    lasts, automatic = _minutes(treatment), _is_automatic(treatment)
    rate = Quantity(value=decimal(treatment[place], place), unit="[iU]/h")
    yield Part(measure="insulin-basal", value=rate, place=place, lasts=lasts, quality=("automated-delivery",) * automatic)
    if automatic:
        yield Part(measure="insulin-delivery-mode", value=AUTOMATED, place="automatic", lasts=lasts)


def _minutes(treatment: Document) -> timedelta | None:
    if treatment.get("duration") is None:
        return None
    number = Decimal(decimal(treatment["duration"], "duration"))
    if not 0 <= number <= MINUTES_MAX:
        raise ItemRefused("duration-not-readable", "`duration` is in minutes and at most a month.")
    return float(number) * MINUTE or None


def _mode(treatment: Document) -> Iterator[Part]:
    yield Part(measure="insulin-delivery-mode", value=MODES[treatment["eventType"]], place="eventType")


def _event(treatment: Document) -> Iterator[Part]:
    yield Part(measure="insulin-pump-event", value=EVENTS[treatment["eventType"]], place="eventType")


def _is_given(name: str) -> Callable[[Document], bool]:
    """Say whether a treatment holds an amount: forms send null, "" and 0 for what was not filled in."""

    def holds(treatment: Document) -> bool:
        value = treatment.get(name)
        return value not in (None, "", 0) and not (is_number(value) and Decimal(decimal(value, name)) == 0)

    return holds


def _is_event(*names: str) -> Callable[[Document], bool]:
    return lambda treatment: type(treatment.get("eventType")) is str and treatment["eventType"] in names


Reader = Callable[[Document], Iterator[Part]]
ENTRIES: Mapping[str, Reader] = {"sgv": _sgv, "mbg": _mbg, "cal": _cal}
TREATMENT: tuple[tuple[Callable[[Document], bool], Reader], ...] = (
    (_is_given("insulin"), _insulin),
    (_is_given("carbs"), _carbs),
    (_is_given("glucose"), _glucose),
    (_is_event("Temp Basal"), _temp_basal),
    (_is_event(*MODES), _mode),
    (_is_event(*EVENTS), _event),
)
