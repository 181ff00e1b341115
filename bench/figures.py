"""What is measured, as values: a figure, its floors of the same run, and whether what was asked for is met."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any, Literal

Better = Literal["more", "less"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Something that was asked for, in words, and whether it is so."""

    text: str
    met: bool


@dataclass(slots=True, kw_only=True)
class Figure:
    """One line of the table.

    values   one for each round, in `unit`; the median speaks
    floors   name -> one value for each round, in the same unit, taken in turn with `values`
    better   whether more or less of it is good; decides which way a ratio to a floor is told
    cpu_us   processor time of one unit of work, for each round: what the hub, mongod and the load each took
    """

    benchmark: str
    name: str
    unit: str
    better: Better = "more"
    values: list[float] = field(default_factory=list)
    floors: dict[str, list[float]] = field(default_factory=dict)
    cpu_us: dict[str, list[float]] = field(default_factory=dict)
    targets: list[Target] = field(default_factory=list)
    note: str = ""

    @property
    def value(self) -> float:
        return median(self.values)

    def add(self, value: float, **floors: float) -> None:
        self.values.append(value)
        for name, floor in floors.items():
            self.floors.setdefault(name, []).append(floor)

    def cpu(self) -> Mapping[str, float]:
        return {name: median(values) for name, values in self.cpu_us.items()}

    def ratio(self, floor: str) -> float:
        """The median over the floor's: as a rate the part of it that is left, as a time how many times as long."""
        return self.value / median(self.floors[floor])

    def spread(self) -> float:
        """Largest minus smallest round, as a part of the median: how much this machine wavered."""
        return spread(self.values)

    def expect(self, text: str, *, met: bool) -> None:
        self.targets.append(Target(text=text, met=met))

    def to_json(self) -> Mapping[str, Any]:
        ratios = {name: round(self.ratio(name), 4) for name in self.floors}
        medians = {name: median(values) for name, values in self.floors.items()}
        said = {"median": self.value, "spread": round(self.spread(), 3), "floor_medians": medians, "ratios": ratios}
        return {**asdict(self), **said, "cpu_us_medians": self.cpu()}


def spread(values: Sequence[float]) -> float:
    return (max(values) - min(values)) / median(values) if values and median(values) else 0.0


def percentile(values: Sequence[float], part: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]


def clients_named(count: int) -> str:
    return "1 client" if count == 1 else f"{count} clients"
