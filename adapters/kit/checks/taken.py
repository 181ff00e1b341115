"""Payloads taken apart into records: those of the fixtures, or what the product's simulator writes."""

from collections.abc import Iterator, Sequence

from adapters.kit.checks import simulation
from adapters.kit.pieces import Pieces, pieces
from adapters.kit.rule import Fixture, NotApplicable, Outcome, Subject, Unproven
from adapters.kit.scene import Simulator, Sort
from adapters.reading import Document, Samples


def taken(subject: Subject) -> Iterator[tuple[Fixture, Pieces]]:
    """Each payload that can be put together in another way. Raises Unproven if there is none, NotApplicable if there can be none."""
    found = False
    for fixture in subject.fixtures:
        apart = pieces(fixture.payload, subject.outcome(fixture).items)
        if apart is not None and not _one_recording(subject.outcome(fixture)):
            found = True
            yield fixture, apart
    if found:
        return
    simulator = simulation.simulator_of(subject)
    sorts = [] if simulator is None else [sort for sort in simulator.sorts if not sort.samples]
    if simulator is not None and sorts:
        yield from _simulated(simulator, sorts)
    elif all(_one_recording(subject.outcome(fixture)) for fixture in subject.fixtures):
        raise NotApplicable("a payload is one recording: what is in it has no order of its own, and does not come twice")
    else:
        raise Unproven("no fixture has several records that the kit can take apart, and there is no simulator of any")


def _one_recording(outcome: Outcome) -> bool:
    """A strip or a document, and what a device found in it: everything of one moment."""
    strips = any(isinstance(reading.value, Samples | Document) for reading in outcome.readings)
    return strips and len({reading.time.text for reading in outcome.readings if reading.time is not None}) <= 1


def _simulated(simulator: Simulator, sorts: Sequence[Sort]) -> Iterator[tuple[Fixture, Pieces]]:
    for sort in sorts:
        scenes = simulation.scenes_of(simulator, sort)
        context = simulation.context_of(simulator, scenes)
        made = Fixture(name=f"simulator ({sort.measure})", payload=simulator.write(scenes), context=context)
        yield made, Pieces(records=tuple(scenes), join=simulator.write)
