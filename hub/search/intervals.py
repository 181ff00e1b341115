"""Numbers as R4 compares them: what is searched has a precision, what is found may be a range.

https://hl7.org/fhir/R4/search.html#number and #prefix. `eq` and `ne` ask for what rounds to the number as it is
written: 100 is [99.5, 100.5), 100.00 is [99.995, 100.005), 1e2 is [95, 105). All other prefixes take it as exact.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from hub.search.value import BadValue

NUMBER_CHARS_MAX = 40
EXPONENT_MAX = 99
APPROXIMATELY = Decimal(10)
"""ap: one part in ten of the number, as the specification recommends."""
_NUMBER = re.compile(r"[+-]?\d+(?P<fraction>\.\d+)?(?:[eE](?P<exponent>[+-]?\d{1,2}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Interval:
    """What a resource says. None leaves a side open; `below` and `above`: the bound itself is not part of it."""

    low: Decimal | None
    high: Decimal | None
    above: bool = False
    below: bool = False


@dataclass(frozen=True, slots=True)
class Searched:
    """`exact` as written, [low, high) as its digits mean it, [nearly_low, nearly_high] for `ap`."""

    exact: Decimal
    low: Decimal
    high: Decimal
    nearly_low: Decimal
    nearly_high: Decimal

    def mapped(self, change: Callable[[Decimal], Decimal | None]) -> "Searched | None":
        """In another unit; None if there is no such change."""
        found = [change(one) for one in (self.exact, self.low, self.high, self.nearly_low, self.nearly_high)]
        known = [one for one in found if one is not None]
        return Searched(*known) if len(known) == len(found) else None


def searched(text: str) -> Searched:
    """Raises BadValue."""
    found = _NUMBER.fullmatch(text) if len(text) <= NUMBER_CHARS_MAX else None
    if found is None:
        raise BadValue(f"must be a number, after at most one of the prefixes {' '.join(COMPARE)}")
    exact = Decimal(text)
    last = int(exact.as_tuple().exponent)
    if found["exponent"] is not None and found["fraction"] is None:
        last -= 1  # R4 reads 1e2 as [95, 105), which is 1.0e2
    half, margin = Decimal(5).scaleb(last - 1), abs(exact) / APPROXIMATELY
    return Searched(exact, exact - half, exact + half, exact - margin, exact + margin)


def split_prefix(text: str) -> tuple[str, str]:
    return (text[:2], text[2:]) if text[:2] in COMPARE else ("eq", text)


def decimal(value: object) -> Decimal | None:
    """A number of a JSON resource."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    return Decimal(str(value))


def _equal(found: Interval, asked: Searched) -> bool:
    if found.low is None or found.high is None:
        return False
    return asked.low <= found.low and (found.high < asked.high or (found.below and found.high == asked.high))


def _is(found: Interval, asked: Searched) -> bool:
    return found.low == found.high == asked.exact


def _greater(found: Interval, asked: Searched) -> bool:
    return found.high is None or found.high > asked.exact


def _less(found: Interval, asked: Searched) -> bool:
    return found.low is None or found.low < asked.exact


def _after(found: Interval, asked: Searched) -> bool:
    return found.low is not None and (found.low > asked.exact or (found.above and found.low == asked.exact))


def _before(found: Interval, asked: Searched) -> bool:
    return found.high is not None and (found.high < asked.exact or (found.below and found.high == asked.exact))


def _nearly(found: Interval, asked: Searched) -> bool:
    above = found.low is not None and (found.low > asked.nearly_high or (found.above and found.low == asked.nearly_high))
    below = found.high is not None and (found.high < asked.nearly_low or (found.below and found.high == asked.nearly_low))
    return not (above or below)


COMPARE: Mapping[str, Callable[[Interval, Searched], bool]] = {
    "eq": _equal,
    "ne": lambda found, asked: not _equal(found, asked),
    "gt": _greater,
    "lt": _less,
    "ge": lambda found, asked: _greater(found, asked) or _is(found, asked),
    "le": lambda found, asked: _less(found, asked) or _is(found, asked),
    "sa": _after,
    "eb": _before,
    "ap": _nearly,
}
