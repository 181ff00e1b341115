"""The values of Observations that statistics can be made of, gathered by unit and by period. Pure.

https://hl7.org/fhir/R4/observation-operation-stats.html: quantities with UCUM units, of the Observation itself or of the
component that bears the code; what was entered in error takes no part.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from hub.search.systems import UCUM
from hub.search.times import element_range

NO_PART: Final = frozenset({"entered-in-error", "cancelled"})
EFFECTIVE: Final = ("effectiveDateTime", "effectivePeriod", "effectiveInstant", "effectiveTiming")
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

Canonical = Callable[[Decimal, str], tuple[Decimal, str] | None]
"""(value, UCUM code) -> the same in canonical units; None for what is no UCUM unit."""
Code = tuple[str | None, str]
"""(system, code); system None is any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    value: Decimal
    unit: str


@dataclass(slots=True, kw_only=True)
class Bucket:
    """What belongs to one period. `total`: Observations, with or without a usable value; times in us since 1970."""

    total: int = 0
    first_us: int | None = None
    last_us: int | None = None
    samples: list[Sample] = field(default_factory=list)

    def add(self, found: Sequence[Sample], start_us: int | None) -> None:
        self.total += 1
        self.samples += found
        if start_us is not None:
            self.first_us = start_us if self.first_us is None else min(self.first_us, start_us)
            self.last_us = start_us if self.last_us is None else max(self.last_us, start_us)


def takes_part(observation: Mapping[str, Any]) -> bool:
    return observation.get("status") not in NO_PART


def samples(observation: Mapping[str, Any], code: Code) -> list[Sample]:
    """The quantities that bear this code. One with a comparator is no value: less than 40 is not 40."""
    bearing = [one for one in (observation, *observation.get("component", ())) if _bears(one, code)]
    return [sample for one in bearing if (sample := _sample(one.get("valueQuantity"))) is not None]


def start_of(observation: Mapping[str, Any]) -> int | None:
    """When it began to be true (us since 1970)."""
    for name in EFFECTIVE:
        found = element_range(observation[name]) if name in observation else None
        if found is not None:
            return found.start_us
    return None


def by_unit(found: Iterable[Sample], canonical: Canonical) -> Mapping[str, Sequence[Decimal]]:
    """Values that can be compared, together: in their own unit if they all bear it, else in canonical units."""
    kinds: dict[str, list[tuple[Sample, Decimal]]] = {}
    for sample in found:
        known = canonical(sample.value, sample.unit)
        kind, value = (sample.unit, sample.value) if known is None else (known[1], known[0])
        kinds.setdefault(kind, []).append((sample, value))
    made: dict[str, list[Decimal]] = {}
    for kind, pairs in kinds.items():
        units = {sample.unit for sample, _ in pairs}
        alike = len(units) == 1
        made.setdefault(units.pop() if alike else kind, []).extend(sample.value if alike else value for sample, value in pairs)
    return made


def _day(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


INTERVALS: Final[Mapping[str, Callable[[datetime], datetime]]] = {
    "hour": lambda moment: moment.replace(minute=0, second=0, microsecond=0),
    "day": _day,
    "week": lambda moment: _day(moment) - timedelta(days=moment.weekday()),
    "month": lambda moment: _day(moment).replace(day=1),
    "year": lambda moment: _day(moment).replace(month=1, day=1),
}
"""The start of the interval in which a moment lies, in UTC."""


def interval_of(start_us: int, interval: str) -> datetime:
    return INTERVALS[interval](EPOCH + timedelta(microseconds=start_us))


def _bears(element: Mapping[str, Any], code: Code) -> bool:
    system, wanted = code
    codings = element.get("code", {}).get("coding", ())
    return any(one.get("code") == wanted and system in (None, one.get("system")) for one in codings)


def _sample(quantity: Any) -> Sample | None:
    if not isinstance(quantity, Mapping) or quantity.get("system") != UCUM or "comparator" in quantity:
        return None
    value, unit = quantity.get("value"), quantity.get("code")
    if value is None or unit is None:
        return None
    return Sample(value=decimal_of(value), unit=unit)


def decimal_of(value: Any) -> Decimal:
    """A JSON number as it was written, if the reader kept its text."""
    return Decimal(getattr(value, "text", None) or repr(value))
