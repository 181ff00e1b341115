"""Digits stay, and a word is no number."""

from collections.abc import Callable, Iterator

from adapters.kit.checks import simulation
from adapters.kit.literal import quantity_texts, replaced, value_of
from adapters.kit.rule import Fixture, NotApplicable, Subject, Unproven
from adapters.reading import Quantity, Reading, Value

PRECISE = ("116.0", "74.10", "0.50")
"""http://hl7.org/fhir/R4/datatypes.html#decimal: the precision of a decimal is part of it."""
NOTHING = "null"
"""In JSON a field that is null is as one that is not there."""
SPECIAL = ("NaN", "NRes", "Infinity", "-Infinity", "LO", "HI", "<40", ">500", "--", NOTHING, "", "1e400", "0x1F", "1.2.3")
PLACES_MAX = 10

Case = tuple[Fixture, Reading, str, str, bytes]


def precision_kept(subject: Subject) -> Iterator[str]:
    """116.0 stays 116.0."""
    for fixture, reading, component, text, made in _cases(subject, PRECISE, _written, simulated=True):
        for value in _values(subject, fixture, reading, component, made):
            if isinstance(value, Quantity) and value.value != text:
                yield f"{fixture.name} {reading.pointer}: {text} came out with other digits"
    if (simulator := simulation.simulator_of(subject)) is not None:
        yield from simulation.precise(subject, simulator)


def _written(text: str, before: bytes, at: bytes) -> bool:
    """A JSON number is read by whatever reads JSON: of one that is not quoted only a single zero is asked."""
    return not text.endswith(("10", "50")) or b'"' + at + b'"' in before or not before.lstrip().startswith((b"{", b"["))


def specials_absent(subject: Subject) -> Iterator[str]:
    """Absent with a reason, or refused; never a number that the device did not send."""
    for fixture, reading, component, text, made in _cases(subject, SPECIAL, lambda *_: True, simulated=True):
        outcome = subject.decode(made, fixture.context)
        if outcome.crash:
            yield f"{fixture.name} {reading.pointer}: {text!r} instead of a number: {outcome.crash} came out"
        for other in outcome.readings:
            if other.measure == reading.measure and isinstance(value_of(other, component), Quantity):
                yield f"{fixture.name} {reading.pointer}: {text!r} instead of a number became a quantity"
    if (simulator := simulation.simulator_of(subject)) is not None:
        yield from simulation.absent(subject, simulator)


def specials_answered(subject: Subject) -> Iterator[str]:
    """Whatever stands in a number's place, there is an item for the record or a refusal; it does not disappear."""
    for fixture, reading, _, text, made in _cases(subject, SPECIAL, lambda *_: True):
        outcome = subject.decode(made, fixture.context)
        if text != NOTHING and not outcome.crash and outcome.refusal is None and not outcome.items:
            yield f"{fixture.name} {reading.pointer}: with {text!r} instead of a number the record disappeared"


def _cases(
    subject: Subject, texts: tuple[str, ...], usable: Callable[[str, bytes, bytes], bool], *, simulated: bool = False
) -> Iterator[Case]:
    """`simulated`: what the product's simulator writes is tried besides, so that a format may be without single numbers."""
    tried, simulator = 0, simulation.simulator_of(subject)
    for fixture, reading in subject.readings():
        for component, _, written in quantity_texts(reading):
            changed = [(text, replaced(reading.raw, written, text)) for text in texts if usable(text, reading.raw, written.encode())]
            found = [(text, made) for text, made in changed if made is not None]
            tried += bool(found)
            if tried <= PLACES_MAX:
                yield from ((fixture, reading, component, text, made) for text, made in found)
    if simulated and simulator is not None:
        return
    if not any(quantity_texts(reading) for _, reading in subject.readings()):
        raise NotApplicable("nothing in this format is a single number")
    if not tried and simulator is None:
        raise Unproven("no number of the fixtures stands in its record's bytes exactly once and as it is read")


def _values(subject: Subject, fixture: Fixture, reading: Reading, component: str, made: bytes) -> Iterator[Value | None]:
    for other in subject.decode(made, fixture.context).readings:
        if other.measure == reading.measure and other.source_id == reading.source_id:
            yield value_of(other, component)
