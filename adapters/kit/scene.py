"""What a simulator of a product is asked to write: measurements of people who do not exist.

An adapter may offer one as its attribute `simulator`. It writes payloads in the product's own format, so that a hub can be tried
without a device, and the kit can see that what was measured is what is read.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time
from typing import Protocol

from adapters.kit.chance import Chance


@dataclass(frozen=True, slots=True, kw_only=True)
class Sort:
    """A kind of measurement that the simulator can write.

    measure     key of the catalogue
    unit        UCUM code in which the values are meant; of a measure whose value is a code, the code's system
    decimals    how many the product writes
    usual       from where to where, in that unit; of a component under its name, of a measure with one value under ""
    samples     of a strip: its value is so many numbers with blanks between them, each from where to where `usual` says. A strip is a
                payload of its own
    codes       of a measure whose value is a code: those that it may be
    begins      of a value that is of a whole day: the hour at which the unit's day begins; such a value is of no moment
    """

    measure: str
    unit: str
    decimals: int
    usual: Mapping[str, tuple[str, str]]
    samples: int = 0
    codes: Sequence[str] = ()
    begins: time | None = None

    def drawn(self, chance: Chance) -> Mapping[str, str]:
        """Values, by component."""
        return {name: self._one(chance, low, high) for name, (low, high) in self.usual.items()}

    def alike(self, number: str) -> str:
        """A value in which every number is this one."""
        return " ".join([number] * max(1, self.samples))

    def _one(self, chance: Chance, low: str, high: str) -> str:
        if self.codes:
            return chance.one(self.codes)
        return " ".join(chance.between(low, high, self.decimals) for _ in range(max(1, self.samples)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One measurement to write.

    number     other for each measurement of a run; a correction has that of what it corrects
    device     the unit
    values     decimal text by component, "" for a measure with one value; of a strip its samples, of a code the code
    at         when, as the unit's own clock shows it, with the offset that this clock has
    revision   0, or how often the source has corrected it
    """

    number: int
    device: str
    sort: Sort
    values: Mapping[str, str]
    at: datetime
    revision: int = field(default=0)


class Unwritable(Exception):
    """Raised by a simulator whose format has no way to say something, such as a time before its epoch."""


class Simulator(Protocol):
    """Pure, as the adapter is.

    One whose payloads are each of one unit says so with an attribute `one_unit = True`; with `sender_names_device = True` if the format
    has no place for the unit, so that the sender says which. What it can write besides, which is no part of a usual day, stands in an
    attribute `more`, as `sorts`. `adapters.kit.writing` has what most of them need.
    """

    @property
    def sorts(self) -> Sequence[Sort]: ...

    def device(self, number: int) -> str:
        """An identifier of a unit, as `Reading.device` will say it; other for each number."""
        ...

    def write(self, scenes: Sequence[Scene]) -> bytes:
        """One payload with these measurements, in this order."""
        ...

    def write_absent(self, scenes: Sequence[Scene]) -> bytes:
        """The same, each with the product's own word or code for "no value" in a value's place."""
        ...


def portions(scenes: Sequence[Scene]) -> list[list[Scene]]:
    """What goes into one payload: each strip alone, and all the rest together."""
    rest = [one for one in scenes if not one.sort.samples]
    return [[one] for one in scenes if one.sort.samples] + ([rest] if rest else [])
