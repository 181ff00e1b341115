"""Stored Observations into the shapes of others: Observations a second in one process, beside reading and writing the same JSON.

A day of a glucose sensor for HDDT, as many weights for PHD and ANS; each held against its profiles, as for an answer.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from time import process_time
from typing import Any

from bench.figures import Figure
from bench.rig import Rig
from fhir_profiles.building import build
from fhir_profiles.measurement import Amount, Measurement
from fhir_profiles.shapes import ans, hddt, phd
from fhir_profiles.shapes.kept import Kept, Shaped
from fhir_profiles.shapes.overview import ABOUT, DEVICE
from hub import numbers

READINGS = 288
BEGAN = datetime(2026, 3, 1, tzinfo=UTC)
EVERY = timedelta(minutes=5)
FLOOR = "read and write"
LEAST = 500.0
"""What was asked for of each, a second: a page of 50 in a tenth of a second."""
PART = 8
"""Of the time of a round; it is processor time, and each shape has its floor."""
WEIGHT, GLUCOSE = ("body-weight", "kg"), ("glucose-interstitial", "mg/dL")

Shape = Callable[[Sequence[Kept]], Shaped]
SHAPES: dict[str, tuple[tuple[str, str], Shape]] = {
    "HL7 PHD": (WEIGHT, lambda kept: phd.shaped(kept, _about(), "1")),
    "ANS": (WEIGHT, lambda kept: ans.shaped(kept, _about())),
    "HDDT, a chunk a day": (GLUCOSE, lambda kept: hddt.shaped(kept, _about())),
}


def shapes(rig: Rig) -> list[Figure]:
    found = []
    for name, (measure, shape) in SHAPES.items():
        figure = Figure(benchmark="shapes", name=name, unit="/s", note="one process")
        stored = [_stored(index, *measure) for index in range(READINGS)]
        for _ in range(rig.sizes.rounds):
            figure.add(_rate(lambda: _written(shape, stored), rig), **{FLOOR: _rate(lambda: _copied(stored), rig)})  # noqa: B023 -- called at once
        rig.at_least(figure, LEAST)
        found.append(figure)
    return found


def _about() -> Any:
    return replace(ABOUT, number=numbers.number, now_us=int(BEGAN.timestamp() * 1e6))


def _stored(index: int, measure: str, unit: str) -> bytes:
    value = Amount(value=f"{70 + index % 50}.5", unit=unit)
    at = (BEGAN + index * EVERY).isoformat()
    made = Measurement(measure=measure, patient="Patient/p", device="Device/d", effective=at, value=value)
    return build(made, id=f"o{index}", version=1, last_updated="2026-03-02T00:00:00Z")


def _written(shape: Shape, stored: Sequence[bytes]) -> None:
    found = shape([Kept(observation=numbers.loads(one), device=DEVICE) for one in stored])
    if not found.matches:
        raise RuntimeError("nothing was shaped")
    for entry in found.matches:
        numbers.dumps(entry.resource)


def _copied(stored: Sequence[bytes]) -> None:
    for one in stored:
        numbers.dumps(numbers.loads(one))


def _rate(work: Callable[[], None], rig: Rig) -> float:
    """Observations a second of processor time, which others on the machine do not take away: as many times as the time allows."""
    work()
    times, began = 0, process_time()
    while not times or process_time() - began < rig.sizes.seconds / PART:
        work()
        times += 1
    return times * READINGS / (process_time() - began)
