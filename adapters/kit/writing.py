"""What simulators of products have in common: ranges of people who are well, numbers in JSON, and one record after the other."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final, Generic, TypeVar

from adapters.json_payload import Number, dumps
from adapters.kit.scene import Scene, Sort
from fhir_profiles.catalogue import MEASURES, Measure

Record = TypeVar("Record")
Values = Mapping[str, str | None]
"""Decimal text by component; None where the unit has no value."""

USUAL: Final[Mapping[str, tuple[str, str]]] = {
    "body-fat-percentage": ("14", "38"),
    "body-height": ("152", "194"),
    "body-mass-index": ("18", "31"),
    "body-temperature": ("36.1", "37.9"),
    "body-weight": ("52", "98"),
    "carbohydrate-intake": ("10", "90"),
    "insulin-basal": ("0.4", "1.9"),
    "ketone-blood": ("0.1", "1.4"),
    "oxygen-saturation": ("93", "99"),
    "respiratory-rate": ("10", "22"),
    "skin-temperature": ("30.1", "35.9"),
    "steps": ("20", "4000"),
}
GLUCOSE: Final[Mapping[str, tuple[str, str]]] = {"mg/dL": ("70", "180"), "mmol/L": ("4.1", "9.8")}
PULSE: Final = ("52", "104")
STRIP_SAMPLES: Final = 24
"""Enough to see that none is lost or changed, and few enough that a year of them is no burden."""
SAMPLE_MAX: Final = Decimal(1_000)
PRESSURES: Final[Mapping[str, tuple[str, str]]] = {"systolic": ("104", "148"), "diastolic": ("58", "92")}


def sort(measure: str, unit: str, decimals: int = 0, usual: tuple[str, str] | None = None) -> Sort:
    """A measure of one value, in the range of people who are well."""
    known = USUAL.get(measure) or GLUCOSE.get(unit) or PULSE
    return Sort(measure=measure, unit=unit, decimals=decimals, usual={"": usual or known})


def strip(measure: str, unit: str, usual: tuple[str, str], *, samples: int = STRIP_SAMPLES, decimals: int = 0) -> Sort:
    """A measure that is a strip of samples, each from where to where `usual` says."""
    return Sort(measure=measure, unit=unit, decimals=decimals, usual={"": usual}, samples=samples)


def of_catalogue(measure: str) -> Sort:
    """Whatever the catalogue has: numbers, components, strips, codes. In its canonical unit, a tenth to a third of what is possible."""
    row = MEASURES[measure]
    if row.codes:
        ((system, *_),) = {(system,) for system, _ in row.codes}
        return Sort(measure=measure, unit=system, decimals=0, usual={"": ("0", "0")}, codes=tuple(code for _, code in row.codes))
    parts = row.components or {"": row}
    usual = {name: _possible(part) for name, part in parts.items()}
    unit = next(iter(parts.values())).canonical
    return Sort(measure=measure, unit=unit, decimals=0, usual=usual, samples=STRIP_SAMPLES if row.sampled else 0)


def _possible(row: Measure) -> tuple[str, str]:
    """Whole numbers; those of a strip are small."""
    low, high = (max(row.low, -SAMPLE_MAX), min(row.high, SAMPLE_MAX)) if row.sampled else (row.low, row.high)
    return str(int(low + (high - low) / 10)), str(int(low + (high - low) / 3) + 1)


def pressure(decimals: int = 0) -> Sort:
    return Sort(measure="blood-pressure", unit="mm[Hg]", decimals=decimals, usual=PRESSURES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer(Generic[Record]):
    """A simulator (adapters/kit/scene.py) whose payload is one record after the other.

    unit                 what a unit is called, with a place for its number: "TX-{:05}"; or what makes it of the number
    record               of a scene, with these values or without
    payload              of records in this order
    one_unit             a payload is of one unit
    sender_names_device  and does not say of which
    more                 what it can write besides, which is no part of a usual day
    """

    sorts: Sequence[Sort]
    unit: str | Callable[[int], str]
    record: Callable[[Scene, Values], Record]
    payload: Callable[[Sequence[Record]], bytes]
    one_unit: bool = False
    sender_names_device: bool = False
    more: Sequence[Sort] = ()

    def device(self, number: int) -> str:
        return self.unit.format(number) if isinstance(self.unit, str) else self.unit(number)

    def write(self, scenes: Sequence[Scene]) -> bytes:
        return self.payload([self.record(scene, scene.values) for scene in scenes])

    def write_absent(self, scenes: Sequence[Scene]) -> bytes:
        return self.payload([self.record(scene, dict.fromkeys(scene.values)) for scene in scenes])


def number(text: str | None) -> Number | None:
    """A JSON number with these digits, or null."""
    return None if text is None else Number(text)


def listed(before: Mapping[str, Any], name: str) -> Callable[[Sequence[Any]], bytes]:
    """The payload that is a JSON object with a list of records beside something else."""
    return lambda records: dumps({**before, name: list(records)})


def zulu(at: datetime) -> str:
    """2026-01-05T07:30:00Z"""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}Z"


def epoch(at: datetime) -> int:
    """Seconds."""
    return int(at.timestamp())


def changed(scene: Scene) -> datetime:
    """When the source last changed the record: an hour later for each correction."""
    return datetime.fromtimestamp(epoch(scene.at) + 60 + scene.revision * 3_600, UTC)
