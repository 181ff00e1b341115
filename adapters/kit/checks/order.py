"""Any order, any repetition, any splitting of the same records gives the same readings. DEVICES 6.4, DESIGN 7."""

from collections.abc import Iterator, Sequence
from typing import Any

from adapters.kit.chance import Chance
from adapters.kit.checks import simulation
from adapters.kit.checks.simulation import identity
from adapters.kit.checks.taken import taken
from adapters.kit.literal import quantity_texts, replaced
from adapters.kit.pieces import Pieces
from adapters.kit.rule import Fixture, NotApplicable, Outcome, Subject, Unproven
from adapters.kit.rules import place_free
from adapters.reading import Rejected

SHUFFLES = 5
CORRECTED_MAX = 10


def reversed_(subject: Subject) -> Iterator[str]:
    for fixture, apart, whole in _taken(subject):
        if _set(subject, fixture, apart.records[::-1], apart) != whole:
            yield f"{fixture.name}: newest first gives other readings than oldest first"


def permuted(subject: Subject) -> Iterator[str]:
    for fixture, apart, whole in _taken(subject):
        for seed in range(SHUFFLES):
            if _set(subject, fixture, Chance(fixture.name, seed).shuffled(apart.records), apart) != whole:
                yield f"{fixture.name}: another order of the records gives other readings"
                break


def repeated(subject: Subject) -> Iterator[str]:
    for fixture, apart, whole in _taken(subject):
        if _set(subject, fixture, (*apart.records, *apart.records), apart) != whole:
            yield f"{fixture.name}: the records twice in one payload give other readings than once; identity must not depend on place"


def split(subject: Subject) -> Iterator[str]:
    """What a part cannot be read without the rest may wait; what is read is what it was in the whole."""
    for fixture, apart, whole in _taken(subject):
        for part in apart.halves():
            outcome = subject.decode(apart.join(part), fixture.context)
            lost = [item for item in outcome.items if isinstance(item, Rejected) and not item.keep and repr(place_free(item)) not in whole]
            if outcome.crash or not _readings(outcome) <= whole or lost:
                yield f"{fixture.name}: sent in two parts it gives other readings than in one"
                break


def corrected(subject: Subject) -> Iterator[str]:
    """The same record with another value is the same reading: the hub makes a new version, not a second Observation."""
    tried = 0
    for fixture, reading in subject.readings():
        for component, number, written in quantity_texts(reading):
            made = replaced(reading.raw, written, _other(written))
            if made is None or tried >= CORRECTED_MAX:
                continue
            tried += 1
            found = [other for other in subject.decode(made, fixture.context).readings if other.measure == reading.measure]
            if found and not any(identity(other) == identity(reading) for other in found):
                where = f" {component}" if component else ""
                yield f"{fixture.name} {reading.pointer}: another number than {number}{where} makes it another reading"
    simulator = simulation.simulator_of(subject)
    if simulator is not None:
        yield from simulation.corrected(subject, simulator)
    elif not any(quantity_texts(reading) for _, reading in subject.readings()):
        raise NotApplicable("nothing in this format is a single number")
    elif not tried:
        raise Unproven("no number of the fixtures stands in its record's bytes exactly once and as it is read")


def _other(number: str) -> str:
    """Another number of the same form: its last digit is one further."""
    return f"{number[:-1]}{(int(number[-1]) + 1) % 10}"


def _taken(subject: Subject) -> Iterator[tuple[Fixture, Pieces, frozenset[str]]]:
    for fixture, apart in taken(subject):
        yield fixture, apart, _set(subject, fixture, apart.records, apart)


def _set(subject: Subject, fixture: Fixture, records: Sequence[Any], apart: Pieces) -> frozenset[str]:
    outcome = subject.decode(apart.join(records), fixture.context)
    return frozenset(repr(place_free(item)) for item in outcome.items)


def _readings(outcome: Outcome) -> frozenset[str]:
    return frozenset(repr(place_free(reading)) for reading in outcome.readings)
