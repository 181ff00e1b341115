"""People who do not exist, measured for some days, with what goes wrong in the field; and what a hub has to answer.

The payloads are written by the product's own simulator (`adapters.kit.scene`). Everything follows from the seed.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import Final, Literal, get_args
from zoneinfo import ZoneInfo

from adapters.contract import Adapter
from adapters.kit.chance import Chance
from adapters.kit.scene import Scene, Simulator, Sort, portions
from adapters.reading import Rejected

Fault = Literal["duplicates", "late", "reordered", "drift", "summer-time", "corrected", "garbage"]
FAULTS: Final[tuple[Fault, ...]] = get_args(Fault)
TIME_ZONE: Final = "Europe/Paris"
DRIFT: Final = timedelta(minutes=10)
UNITS_OF_A_SEED: Final = 1_000
FIRST_HOUR, HOURS = 7, 14
GARBAGE_BYTES: Final = 200


class NoSimulator(Exception):
    """The adapter offers none; says what to do."""


class NoSense(Exception):
    """A fault that the plan, or the product's format, cannot show; names the fault and says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One payload to send.

    what      "readings", or the fault that it shows
    expected  fate -> how many items; None where nothing of it may be stored, whatever else the answer is
    """

    patient: int
    what: str
    payload: bytes
    expected: Mapping[str, int] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be simulated. `until` is the first day without readings."""

    adapter: Adapter
    patients: int
    days: int
    seed: int
    until: date
    faults: frozenset[Fault] = field(default_factory=frozenset)

    def __post_init__(self) -> None:
        """Raises NoSense for a fault that nothing of this plan could show."""
        if "late" in self.faults and self.days == 1:
            raise NoSense("late: of one day nothing can come after what was measured later; simulate two days or more")
        if "reordered" in self.faults and self.days * len(self.simulator.sorts) == 1:
            raise NoSense("reordered: one reading has no order; simulate two days or more")

    @property
    def simulator(self) -> Simulator:
        found: Simulator | None = getattr(self.adapter, "simulator", None)
        if found is None:
            raise NoSimulator(f"{self.adapter.manifest.name} offers no simulator; adapters/kit/scene.py says what one has to do")
        return found

    @property
    def first(self) -> date:
        """The earliest day of which a reading may be."""
        usual = self.until - timedelta(days=self.days)
        return min(usual, end_of_summer_time(self.until)) if "summer-time" in self.faults else usual

    def device(self, patient: int) -> str:
        return self.simulator.device(self.seed * UNITS_OF_A_SEED + patient)


def batches(plan: Plan) -> Iterator[Batch]:
    """Patient by patient; within one, the days and then what shows the faults."""
    for patient in range(plan.patients):
        yield from _of_patient(plan, patient)


def _of_patient(plan: Plan, patient: int) -> Iterator[Batch]:
    days = [_day(plan, patient, day) for day in range(plan.days)]
    late = days.pop(0) if "late" in plan.faults else None
    if "reordered" in plan.faults:
        days = Chance(plan.seed, patient, "order").shuffled([scenes[::-1] for scenes in days])
    for scenes in days:
        yield from _batches(plan, patient, "readings", scenes, "stored")
    yield from _afterwards(plan, patient, days[0])
    if late is not None:
        yield from _batches(plan, patient, "late", late, "stored")


def payloads(plan: Plan) -> int:
    """How many there will be: of each day its strips, each alone, and the rest together."""
    sorts = plan.simulator.sorts
    strips = sum(bool(sort.samples) for sort in sorts)
    a_day = strips + (strips < len(sorts))
    again = a_day * len(plan.faults & {"duplicates", "corrected"})
    return plan.patients * (plan.days * a_day + again + len(plan.faults & {"summer-time", "garbage"}))


def _afterwards(plan: Plan, patient: int, scenes: Sequence[Scene]) -> Iterator[Batch]:
    """What is sent after the readings, about one day of them."""
    if "duplicates" in plan.faults:
        yield from _batches(plan, patient, "duplicates", scenes, "duplicate")
    if "corrected" in plan.faults:
        yield from _batches(plan, patient, "corrected", [_corrected(plan, one) for one in scenes], "corrected")
    if "summer-time" in plan.faults:
        yield from _batches(plan, patient, "summer-time", _twice(plan, patient), _fate_of_repeated_hour(plan, patient))
    if "garbage" in plan.faults:
        yield Batch(patient=patient, what="garbage", payload=_garbage(plan, patient), expected=None)


def _day(plan: Plan, patient: int, day: int) -> list[Scene]:
    sorts = plan.simulator.sorts
    date_ = plan.until - timedelta(days=plan.days - day)
    ahead = DRIFT if "drift" in plan.faults and day == plan.days // 2 else timedelta(0)
    return [_scene(plan, patient, day * len(sorts) + index, sort, date_, ahead) for index, sort in enumerate(sorts)]


def _scene(plan: Plan, patient: int, number: int, sort: Sort, day: date, ahead: timedelta) -> Scene:
    chance = Chance(plan.seed, patient, number, sort.measure)
    minute = chance.below(HOURS * 60)
    at = datetime.combine(day, time(FIRST_HOUR + minute // 60, minute % 60), ZoneInfo(TIME_ZONE)) + ahead
    if sort.begins is not None:  # the last whole day that had ended; ten minutes make it no other
        at = datetime.combine(day - timedelta(days=1), sort.begins, ZoneInfo(TIME_ZONE))
    return Scene(number=number, device=plan.device(patient), sort=sort, values=sort.drawn(chance), at=at)


def _corrected(plan: Plan, scene: Scene) -> Scene:
    """Another value, and never by chance the same."""
    chance = Chance(plan.seed, scene.device, scene.number, "corrected")
    values = scene.sort.drawn(chance)
    while any(values[name] == scene.values[name] for name in values):
        values = scene.sort.drawn(chance)
    return replace(scene, values=values, revision=scene.revision + 1)


def _twice(plan: Plan, patient: int) -> list[Scene]:
    """One measurement of the first sort in the hour that comes twice."""
    day, sorts = end_of_summer_time(plan.until), plan.simulator.sorts
    made = _scene(plan, patient, plan.days * len(sorts), sorts[0], day, timedelta(0))
    return [replace(made, at=datetime.combine(day, time(2, 30), ZoneInfo(TIME_ZONE)))]


def _fate_of_repeated_hour(plan: Plan, patient: int) -> str:
    """A wall clock cannot say which of the two it was, with or without the name of its zone; an instant and an offset can."""
    items = plan.adapter.decode(plan.simulator.write(_twice(plan, patient)))
    local = any(isinstance(item, Rejected) or (item.time is not None and item.time.kind == "local") for item in items)
    return "quarantined" if local else "stored"


def end_of_summer_time(until: date) -> date:
    """The last Sunday of October before that day (Directive 2000/84/EC)."""
    year = until.year if until > _last_sunday_of_october(until.year) else until.year - 1
    return _last_sunday_of_october(year)


def _last_sunday_of_october(year: int) -> date:
    last = date(year, 10, 31)
    return last - timedelta(days=(last.weekday() + 1) % 7)


def _garbage(plan: Plan, patient: int) -> bytes:
    chance = Chance(plan.seed, patient, "garbage")
    return bytes(chance.below(256) for _ in range(GARBAGE_BYTES))


def _batches(plan: Plan, patient: int, what: str, scenes: Sequence[Scene], fate: str) -> Iterator[Batch]:
    for together in portions(scenes):
        yield Batch(patient=patient, what=what, payload=plan.simulator.write(together), expected={fate: len(together)})
