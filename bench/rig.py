"""What every benchmark is given: sizes, the hubs to measure, the other process, and how busy the machine is."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from bench import machine
from bench.data import PER_PATIENT, Person, fill, measurements, people
from bench.figures import Figure
from bench.load import Load, Measured
from bench.world import World, world


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How much is measured.

    few, many  Observations in the two stores that are compared
    history    readings of one kind of the one patient who has worn a sensor for a year
    questions  how many different ones are asked of a store (`bench.search`)
    ways       how many of the ways to end before a start are tried (`bench.start`)
    look_s     for how long the machine is watched before each benchmark, to see what others take of it
    """

    few: int
    many: int
    history: int
    batch_rows: int
    batches: int
    rounds: int
    seconds: float
    searches: int
    questions: int
    tokens: int
    starts: int
    ways: int
    look_s: float


DEFAULT = Sizes(
    few=10_000,
    many=1_000_000,
    history=100_000,
    batch_rows=10_000,
    batches=4,
    rounds=5,
    seconds=2.0,
    searches=200,
    questions=500,
    tokens=600,
    starts=3,
    ways=3,
    look_s=1.0,
)
SMALL = Sizes(
    few=10_000,
    many=100_000,
    history=20_000,
    batch_rows=10_000,
    batches=4,
    rounds=3,
    seconds=1.0,
    searches=100,
    questions=500,
    tokens=300,
    starts=2,
    ways=3,
    look_s=0.5,
)
TINY = Sizes(
    few=1_000,
    many=1_000,
    history=300,
    batch_rows=100,
    batches=2,
    rounds=1,
    seconds=0.05,
    searches=3,
    questions=10,
    tokens=4,
    starts=1,
    ways=1,
    look_s=0.05,
)
"""Does everything run? Its figures mean nothing."""

BUSY_FACTOR = 0.5
"""What was asked for on a quiet machine is halved on a busy one (DESIGN 6)."""


@dataclass(frozen=True, slots=True)
class Store:
    """A hub with so many Observations."""

    world: World
    people: Sequence[Person]


class Rig:
    def __init__(self, sizes: Sizes, directory: Path, aside: Executor, stack: ExitStack, console: Console) -> None:
        self.sizes = sizes
        self.aside = aside
        self.console = console
        self.busy_shares: list[float] = []
        self._directory = directory
        self._stack = stack
        self._stores: dict[int, Store] = {}

    def store(self, observations: int) -> Store:
        """The hub with so many Observations; made when it is first wanted."""
        if observations not in self._stores:
            made = self._stack.enter_context(world(self._directory, f"hub-{observations}", self.aside))
            with progress(self.console) as bar:
                persons = people(made, max(1, observations // PER_PATIENT))
                fill(made, [(person, measurements(person)) for person in persons], len(persons) * PER_PATIENT, bar)
            self._stores[observations] = Store(made, persons)
        return self._stores[observations]

    def few(self) -> Store:
        return self.store(self.sizes.few)

    def many(self) -> Store:
        return self.store(self.sizes.many)

    def look(self) -> None:
        """How busy is the machine while we do nothing?"""
        share = machine.busy_share(self.sizes.look_s)
        if share is not None:
            self.busy_shares.append(share)

    @property
    def busy(self) -> bool:
        return bool(self.busy_shares) and max(self.busy_shares) > machine.BUSY_SHARE

    def at_least(self, figure: Figure, wanted: float) -> None:
        """Ask a rate of the figure; half of it if the machine has other things to do."""
        asked = wanted * BUSY_FACTOR if self.busy else wanted
        halved = " (half: busy machine)" if self.busy else ""
        figure.expect(f"≥ {asked:,.0f}{figure.unit}{halved}", met=figure.value >= asked)

    @contextmanager
    def peaks(self, world: World, benchmark: str, into: list[Figure]) -> Iterator[None]:
        """The largest resident sizes of hub and mongod while the block runs."""
        watched = {"hub": world.pid, "mongod": world.mongod()}
        for pid in watched.values():
            machine.forget_peak(pid)
        yield
        for name, pid in watched.items():
            peak = machine.peak_mb(pid)
            if peak is not None:
                into.append(Figure(benchmark=benchmark, name=f"peak memory of {name}", unit=" MB", better="less", values=[peak]))


def observed(world: World, load: Load, figure: Figure, *, works: int | None = None) -> Measured:
    """Send the load; note in the figure what one piece of work took of the processors."""
    watched = {"hub": world.pid, "mongod": world.mongod()}
    before = {name: machine.cpu_s(pid) for name, pid in watched.items()}
    measured = world.send(load)
    count = max(1, works or len(measured.latencies_s))
    taken = {"load": measured.cpu_s}
    for name, pid in watched.items():
        then, now = before[name], machine.cpu_s(pid)
        if then is not None and now is not None:
            taken[name] = now - then
    for name, seconds in taken.items():
        figure.cpu_us.setdefault(name, []).append(round(seconds / count * 1e6, 1))
    return measured


@contextmanager
def rig(sizes: Sizes, console: Console) -> Iterator[Rig]:
    with TemporaryDirectory(prefix="hub-bench-") as directory, machine.aside() as aside, ExitStack() as stack:
        yield Rig(sizes, Path(directory), aside, stack, console)


def progress(console: Console) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, transient=True)
