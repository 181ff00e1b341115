"""What a product's simulator writes is what the adapter reads."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from adapters.contract import Context
from adapters.kit.chance import Chance
from adapters.kit.rule import Outcome, Subject, Unproven
from adapters.kit.scene import Scene, Simulator, Sort, Unwritable, portions
from adapters.reading import Coded, Quantity, Reading, Samples, Value

SCENES_OF_A_SORT = 10
NO_SAMPLES = frozenset({"E", "L", "U"})
"""https://hl7.org/fhir/R4/datatypes.html#SampledData: not valid, below and above what the device can say."""
_PARIS_IN_WINTER = timezone(timedelta(hours=1))
FIRST = datetime(2026, 1, 5, 8, 30, tzinfo=_PARIS_IN_WINTER)


def simulated(subject: Subject) -> Iterator[str]:
    """Measure, device, time and every digit come back."""
    simulator = simulator_of(subject)
    if simulator is None:
        raise Unproven("the adapter offers no `simulator`, which writes its format from measurements (adapters/kit/scene.py)")
    for sort in every_sort(simulator):
        scenes = scenes_of(simulator, sort)
        found = _found(subject, simulator, scenes)
        if len(found) != len(scenes):
            yield f"simulator: {len(scenes)} measurements of {sort.measure} were written and {len(found)} are read"
        for one, other in zip(scenes, found, strict=False):
            yield from (f"simulator: {sort.measure}: {what}" for what in _differences(simulator, one, other))


def precise(subject: Subject, simulator: Simulator) -> Iterator[str]:
    """Zeros at the end come back, where the format has decimals at all."""
    for sort in simulator.sorts:
        if sort.codes:
            continue
        middle = {name: str(int(Decimal(high))) for name, (_, high) in sort.usual.items()}
        values = {name: sort.alike(f"{number}.{'0' * sort.decimals}" if sort.decimals else number) for name, number in middle.items()}
        scenes = [replace(one, values=values) for one in scenes_of(simulator, sort)]
        if any(_values(one) != _written(scenes[0]) for one in _found(subject, simulator, scenes)):
            yield f"simulator: {sort.measure}: zeros after the point were lost"


def absent(subject: Subject, simulator: Simulator) -> Iterator[str]:
    """What the product writes when it has no value is no number, and is not nothing."""
    for sort in simulator.sorts:
        for scenes in portions(scenes_of(simulator, sort)):
            yield from _absent(subject, simulator, scenes)


def _absent(subject: Subject, simulator: Simulator, scenes: Sequence[Scene]) -> Iterator[str]:
    measure = scenes[0].sort.measure
    try:
        payload = simulator.write_absent(scenes)
    except Unwritable:
        return
    outcome = subject.decode(payload, context_of(simulator, scenes))
    if outcome.crash or not outcome.items:
        yield f"simulator: {measure}: a record without a value gives {outcome.crash or 'nothing at all'}"
    if any(one.measure == measure and _values(one) for one in outcome.readings):
        yield f"simulator: {measure}: a record without a value became a quantity"


def corrected(subject: Subject, simulator: Simulator) -> Iterator[str]:
    """A scene that the source has corrected is the same reading."""
    for sort in simulator.sorts:
        first, second = (scenes_of(simulator, sort)[at] for at in (0, 1))
        later = replace(first, values=second.values, revision=1)
        one, other = (_decoded(subject, simulator, [scene]).readings for scene in (first, later))
        if [identity(reading) for reading in one] != [identity(reading) for reading in other]:
            yield f"simulator: {sort.measure}: another value makes it another reading"


def timed(subject: Subject, simulator: Simulator, name: str, times: Sequence[datetime]) -> Iterator[str]:
    """Whatever is read of a measurement of such a time has that time, or none and waits; of a wall clock, what it showed."""
    for sort in simulator.sorts:
        scenes = [replace(scene(simulator, sort, number), at=at) for number, at in enumerate(times)]
        for one in scenes:
            try:
                outcome = _decoded(subject, simulator, [one])
            except Unwritable:
                continue
            if outcome.crash:
                yield f"simulator: {sort.measure}: {name}: {outcome.crash} came out"
            found = [reading for reading in outcome.readings if reading.measure == sort.measure]
            if any(reading.time is not None and not _is_at(reading, one.at) for reading in found):
                yield f"simulator: {sort.measure}: {name}: the time was changed"


def _is_at(reading: Reading, at: datetime) -> bool:
    time = reading.time  # compared in UTC: in the hour that comes twice no time equals one of another zone (PEP 495)
    return time is not None and time.instant in {None, at.astimezone(UTC)} and time.wall in {None, at.replace(tzinfo=None)}


def _decoded(subject: Subject, simulator: Simulator, scenes: Sequence[Scene]) -> Outcome:
    """What a unit sends, with the unit's name beside it where the format has no place for one."""
    return subject.decode(simulator.write(scenes), context_of(simulator, scenes))


def _found(subject: Subject, simulator: Simulator, scenes: Sequence[Scene]) -> list[Reading]:
    """The readings of the measure that was written, of one payload or of several."""
    outcomes = [_decoded(subject, simulator, together) for together in portions(scenes)]
    return [one for outcome in outcomes for one in outcome.readings if one.measure == scenes[0].sort.measure]


def context_of(simulator: Simulator, scenes: Sequence[Scene]) -> Context:
    """What the sender has to say with these measurements."""
    return Context(device=scenes[0].device if sender_names(simulator) else None)


def sender_names(simulator: Simulator) -> bool:
    """Whether the format has no place for the unit, so that the sender of a payload says it."""
    return bool(getattr(simulator, "sender_names_device", False))


def every_sort(simulator: Simulator) -> Sequence[Sort]:
    """Those of a usual day, and what it can write besides."""
    return *simulator.sorts, *getattr(simulator, "more", ())


def _one_unit(simulator: Simulator) -> bool:
    return bool(getattr(simulator, "one_unit", False)) or sender_names(simulator)


def scenes_of(simulator: Simulator, sort: Sort) -> list[Scene]:
    return [scene(simulator, sort, number) for number in range(SCENES_OF_A_SORT)]


def identity(reading: Reading) -> tuple[Any, ...]:
    """As `hub.ingest.normalise.reading_key`: never the value."""
    time = None if reading.time is None else reading.time.text
    end = None if reading.end is None or reading.source_id is not None else reading.end.text
    return reading.device, reading.measure, time, reading.source_id, end


def simulator_of(subject: Subject) -> Simulator | None:
    found: Simulator | None = getattr(subject.adapter, "simulator", None)
    return found


def scene(simulator: Simulator, sort: Sort, number: int) -> Scene:
    """A measurement of the usual range, every half an hour."""
    values = sort.drawn(Chance(sort.measure, number))
    unit = 0 if _one_unit(simulator) else number % 2
    return Scene(number=number, device=simulator.device(unit), sort=sort, values=values, at=_moment(sort, number))


def _moment(sort: Sort, number: int) -> datetime:
    """Of values that are of a whole day, one a day."""
    if sort.begins is None:
        return FIRST + timedelta(minutes=30 * number)
    return datetime.combine(FIRST.date() + timedelta(days=number), sort.begins, FIRST.tzinfo)


def _differences(simulator: Simulator, scene: Scene, reading: Reading) -> Iterator[str]:
    if _values(reading) != _written(scene):
        yield "other digits or another unit are read than were written"
    if reading.device != scene.device and not (reading.device is None and sender_names(simulator)):
        yield "another device is read than was written"
    if not _is_at(reading, scene.at):
        yield "another time is read than was written"


def _written(scene: Scene) -> Mapping[str, tuple[str, str]]:
    return {name: (value, scene.sort.unit) for name, value in scene.values.items()}


def _values(reading: Reading) -> Mapping[str, tuple[str, str]]:
    """A number, the samples of a strip of which one says something, or a code; each with its unit or system."""
    found = {name: _said(value) for name, value in {"": reading.value, **reading.components}.items()}
    return {name: said for name, said in found.items() if said is not None}


def _said(value: Value | None) -> tuple[str, str] | None:
    match value:
        case Quantity():
            return value.value, value.unit
        case Samples() if not NO_SAMPLES.issuperset(value.data.split()):
            return value.data, value.unit
        case Coded():
            return value.code, value.system
        case _:
            return None
