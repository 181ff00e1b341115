"""What a record says was measured: numbers with their digits, codes, strips; a sentinel is no value, an unknown word is reported."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any, Final

from adapters.decimal_text import written_decimal
from adapters.declarative.conditions import Condition, hold
from adapters.declarative.expressions import MISSING, Expression
from adapters.declarative.record import Record, scalar
from adapters.limits import EXPONENT_ABS_MAX, MANTISSA_DIGITS_MAX, SAMPLES_MAX
from adapters.reading import Absent, AbsentReason, Coded, Quantity, Samples
from adapters.refusal import ItemRefused

_EXACT: Final = Context(prec=60, rounding=ROUND_HALF_UP)
_PERIOD: Final = Context(prec=12, rounding=ROUND_HALF_UP)
_SPECIAL: Final = frozenset("EUL")


@dataclass(frozen=True, slots=True)
class Sentinel:
    reason: AbsentReason
    quality: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Absents:
    """Words, and the numbers among them, that mean: no value."""

    words: Mapping[str, Sentinel]
    numbers: Mapping[Decimal, Sentinel]


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """A word of the payload -> ours."""

    source: Expression
    rows: Mapping[str, str]

    def lookup(self, record: Record, code: str, hint: str) -> str | None:
        """Return our word, or None if the record has none. Raises ItemRefused with `code` for a word that is not in the table."""
        value = record.value(self.source)
        if value is MISSING or value is None:
            return None
        found = self.rows.get((scalar(value) or "").strip())
        if found is None:
            raise ItemRefused(code, hint)
        return found


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class NumberSpec:
    source: Expression
    when: tuple[Condition, ...]
    unit: str | Table
    scale: Decimal | None
    add: Decimal | None
    comma: bool
    point: bool
    absent: Absents
    required: bool


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class CodeSpec:
    table: Table
    codes: Mapping[str, Coded]
    absent: Absents
    required: bool


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class StripSpec:
    source: Expression
    split: str | None
    unit: str | Table
    period_ms: Expression | None
    rate_hz: Expression | None
    factor: str
    origin: str
    lower: str | None
    upper: str | None
    special: Mapping[str, str]
    required: bool


@dataclass(frozen=True, slots=True)
class Found:
    """A value with the flags that its sentinel raises."""

    value: Quantity | Coded | Absent | Samples
    quality: tuple[str, ...] = ()


def number(spec: NumberSpec, record: Record) -> Found | None:
    """Return a quantity or why there is none, None if the record does not have it. Raises ItemRefused."""
    if spec.when and not hold(spec.when, record):
        return None
    value = record.value(spec.source)
    text = _text(value, spec.absent)
    if isinstance(text, Found):
        return text
    if text is None:
        _check_missing(required=spec.required)
        return None
    if type(value) is bool:
        raise _no_number()
    written = written_decimal(_pointed(text, spec))
    if written is None:
        raise _no_number()
    if spec.absent.numbers and (sentinel := spec.absent.numbers.get(Decimal(written))):
        return Found(Absent(reason=sentinel.reason), sentinel.quality)
    return Found(Quantity(value=_scaled(written, spec), unit=_unit(spec.unit, record)))


def code(spec: CodeSpec, record: Record) -> Found | None:
    """Return a coded value, likewise."""
    text = _text(record.value(spec.table.source), spec.absent)
    if isinstance(text, Found):
        return text
    if text is None:
        _check_missing(required=spec.required)
        return None
    ours = spec.table.rows.get(text)
    if ours is None:
        raise ItemRefused("unknown-value-code", "The word is not in the mapping's table for this measure; the record is kept.")
    return Found(spec.codes[ours])


def strip(spec: StripSpec, record: Record) -> Found | None:
    """Return samples in the device's own scaling, likewise."""
    value = record.value(spec.source)
    if value is MISSING or value is None or value in ("", []):
        _check_missing(required=spec.required)
        return None
    samples = value.split(spec.split) if type(value) is str else value
    if type(samples) is not list or not samples:
        raise ItemRefused("strip-not-readable", "The samples are no array, or no text that the mapping takes apart.")
    if len(samples) > SAMPLES_MAX:
        raise ItemRefused("strip-too-long", f"A strip has at most {SAMPLES_MAX} samples; a longer recording is a document.", keep=False)
    data = " ".join([_sample(sample, spec.special) for sample in samples])
    return Found(
        Samples(
            data=data,
            period_ms=_period(spec, record),
            unit=_unit(spec.unit, record),
            origin=spec.origin,
            factor=spec.factor,
            lower=spec.lower,
            upper=spec.upper,
        )
    )


def _text(value: Any, absent: Absents) -> str | Found | None:
    """Return the text of a scalar, the sentinel it is, or None for nothing."""
    if value is MISSING:
        return None
    text = "null" if value is None else scalar(value)
    if text is None:
        raise _no_number()
    text = text.strip()
    if absent.words and (sentinel := absent.words.get(text)):
        return Found(Absent(reason=sentinel.reason), sentinel.quality)
    return None if value is None or not text else text


def _check_missing(*, required: bool) -> None:
    if required:
        raise ItemRefused("value-missing", "The record lacks a value that the mapping calls required.")


def _no_number() -> ItemRefused:
    return ItemRefused(
        "value-not-a-number", "The value is no number, has more digits than a measurement, or is a word the mapping does not know."
    )


def _pointed(text: str, spec: NumberSpec) -> str:
    """Write a decimal comma as point; a text with both has separators of thousands, which nothing proves."""
    if "," not in text:
        return text if spec.point or "." not in text else ""
    return text.replace(",", ".", 1) if spec.comma and "." not in text else ""


def _scaled(written: str, spec: NumberSpec) -> str:
    if spec.scale is None and spec.add is None:
        return written
    value = Decimal(written)
    if spec.scale is not None:
        value = _EXACT.multiply(value, spec.scale)
    if spec.add is not None:
        value = _EXACT.add(value, spec.add)
    if abs(value.adjusted()) > EXPONENT_ABS_MAX or len(value.as_tuple().digits) > MANTISSA_DIGITS_MAX + EXPONENT_ABS_MAX:
        raise ItemRefused("value-out-of-bounds", "Scaled as the mapping says, the value has more digits than a measurement.")
    return format(value, "f")


def _unit(unit: str | Table, record: Record) -> str:
    if isinstance(unit, str):
        return unit
    found = unit.lookup(record, "unit-unknown", "The unit is not in the mapping's table; the record is kept.")
    if found is None:
        raise ItemRefused("unit-missing", "The record says no unit, and the mapping expects one in it.")
    return found


def _sample(sample: Any, special: Mapping[str, str]) -> str:
    text = "null" if sample is None else (scalar(sample) or "").strip()
    if text in special:
        return special[text]
    written = written_decimal(text)
    if written is None or type(sample) is bool:
        raise ItemRefused("strip-not-readable", "A sample is no number and not among the mapping's special words.")
    return written


def _period(spec: StripSpec, record: Record) -> str:
    source = spec.period_ms or spec.rate_hz
    text = None if source is None else record.text(source)
    written = None if text is None else written_decimal(text.strip())
    if written is None or Decimal(written) <= 0:
        raise ItemRefused("strip-not-readable", "The record does not say how far apart the samples are.")
    if spec.period_ms is not None:
        return written
    period = _PERIOD.divide(Decimal(1000), Decimal(written))
    return written_decimal(str(period)) or format(period, "f")
