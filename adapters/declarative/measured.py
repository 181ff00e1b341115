"""What a rule reads from one record, before its bytes are added."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from adapters.declarative import times, values
from adapters.declarative.conditions import hold
from adapters.declarative.expressions import RECORD, Expression
from adapters.declarative.paths import pointer
from adapters.declarative.record import Record
from adapters.declarative.rules import CircumstanceSpec, FlagSpec, ReadingSpec
from adapters.declarative.values import Found, Table
from adapters.limits import FIELD_CHARS_MAX
from adapters.reading import Coded, DeviceTime, Reading, Value
from adapters.refusal import ItemRefused, check_length

_NO_COMPONENTS: Mapping[str, Found] = {}
_NO_CONTEXT: Mapping[str, Coded] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One measurement of one record; `value` or `components`, the fields as those of Reading."""

    measure: str
    device: str | None
    time: DeviceTime
    end: DeviceTime | None
    value: Found | None
    components: Mapping[str, Found]
    source_id: str | None
    modified: datetime | None
    manual: bool
    preliminary: bool
    context: Mapping[str, Coded]
    flags: tuple[str, ...]
    pointer: str


def measured(spec: ReadingSpec, record: Record, device: str | None) -> Measured | None:
    """Return what the record says of this measure, None if it does not say it. Raises ItemRefused."""
    if spec.when and not hold(spec.when, record):
        return None
    value, components = _value(spec, record), _NO_COMPONENTS
    if spec.components:
        found = {key: values.number(one, record) for key, one in spec.components.items()}
        components = {key: one for key, one in found.items() if one is not None}
    if value is None and not components:
        return None
    return Measured(
        measure=spec.measure,
        device=device,
        time=times.device_time(spec.time, record),
        end=None if spec.end is None else times.device_time(spec.end, record),
        value=value,
        components=components,
        source_id=_source_id(spec.source_id, record) if spec.source_id else None,
        modified=None if spec.modified is None else times.instant(spec.modified, record),
        manual=spec.manual is not None and hold(spec.manual, record),
        preliminary=spec.preliminary is not None and hold(spec.preliminary, record),
        context=_context(spec.context, record) if spec.context else _NO_CONTEXT,
        flags=_flags(spec, record) if spec.flags else (),
        pointer=_pointer(spec, record),
    )


def reading_of(one: Measured, raw: bytes) -> Reading:
    """Return the reading. Raises ItemRefused if its bytes are too many to be kept."""
    check_length(raw)
    found = [one.value] if one.value is not None else list(one.components.values())
    quality = (*one.flags, *(flag for value in found for flag in value.quality))
    components: dict[str, Value] = {key: value.value for key, value in one.components.items()}
    return Reading(
        measure=one.measure,
        device=one.device,
        time=one.time,
        end=one.end,
        value=None if one.value is None else one.value.value,
        components=components,
        source_id=one.source_id,
        modified=one.modified,
        pointer=one.pointer,
        raw=raw,
        manual=one.manual,
        preliminary=one.preliminary,
        context=one.context,
        quality=tuple(dict.fromkeys(quality)) if quality else (),
    )


def _value(spec: ReadingSpec, record: Record) -> Found | None:
    if spec.number is not None:
        return values.number(spec.number, record)
    if spec.code is not None:
        return values.code(spec.code, record)
    return None if spec.strip is None else values.strip(spec.strip, record)


def _source_id(sources: tuple[Expression, ...], record: Record) -> str | None:
    """Join the parts of an id; without one of them it is no id."""
    parts = [record.short([source], "source-id-not-readable") for source in sources]
    if None in parts:
        return None
    joined = ":".join(part for part in parts if part is not None)
    if len(joined) > FIELD_CHARS_MAX:
        raise ItemRefused("source-id-not-readable", f"A record's id has at most {FIELD_CHARS_MAX} characters.")
    return joined or None


def _flags(spec: ReadingSpec, record: Record) -> tuple[str, ...]:
    return tuple(flag for one in spec.flags for flag in _flag(one, record))


def _flag(spec: FlagSpec | Table, record: Record) -> tuple[str, ...]:
    if isinstance(spec, FlagSpec):
        return (spec.flag,) if hold(spec.when, record) else ()
    found = spec.lookup(record, "unknown-quality", "The word for the quality is not in the mapping's table; the record is kept.")
    return () if found is None else (found,)


def _context(specs: Mapping[str, CircumstanceSpec], record: Record) -> Mapping[str, Coded]:
    hint = "The word for a circumstance (site, posture, method) is not in the mapping's table; the record is kept."
    words = {key: one.table.lookup(record, "unknown-context", hint) for key, one in specs.items()}
    return {key: specs[key].codes[word] for key, word in words.items() if word is not None}


def _pointer(spec: ReadingSpec, record: Record) -> str:
    """Point to the value where one place holds it, else to the record."""
    source = _source(spec)
    if source is None or source.scope != RECORD or source.location is None or record.pointer.startswith("row "):
        return record.pointer
    return record.pointer + pointer(source.location)


def _source(spec: ReadingSpec) -> Expression | None:
    if spec.number is not None:
        return spec.number.source
    if spec.code is not None:
        return spec.code.table.source
    return None if spec.strip is None else spec.strip.source
