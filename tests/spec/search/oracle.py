"""A naive evaluator of date searches, written from the words of https://hl7.org/fhir/R4/search.html#prefix.

It shares nothing with the hub: other parsing, other arithmetic (aware datetimes, half-open), other shape.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

BEGINNING, END = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
FORMS = (
    ("%Y", None),
    ("%Y-%m", None),
    ("%Y-%m-%d", timedelta(days=1)),
    ("%Y-%m-%dT%H:%M%z", timedelta(minutes=1)),
    ("%Y-%m-%dT%H:%M", timedelta(minutes=1)),
    ("%Y-%m-%dT%H:%M:%S%z", timedelta(seconds=1)),
    ("%Y-%m-%dT%H:%M:%S", timedelta(seconds=1)),
)


@dataclass(frozen=True)
class Span:
    """From `first` up to, but without, `after`."""

    first: datetime
    after: datetime

    def contains(self, other: "Span") -> bool:
        return self.first <= other.first and other.after <= self.after

    def intersects(self, other: "Span") -> bool:
        return max(self.first, other.first) < min(self.after, other.after)

    def above(self) -> "Span":
        return Span(self.after, END)

    def below(self) -> "Span":
        return Span(BEGINNING, self.first)


@cache
def span(text: str) -> Span:
    if "." in text:
        return _fraction(text)
    for form, width in FORMS:
        try:
            first = datetime.strptime(text, form)  # noqa: DTZ007 (the zone is set below)
        except ValueError:
            continue
        first = first if first.tzinfo else first.replace(tzinfo=UTC)
        return Span(first, first + width if width else _next(first, form))
    raise AssertionError(text)


def matches(prefix: str, searched: Span, target: Span, now: datetime) -> bool:
    above, below = searched.above(), searched.below()
    margin = abs(now - searched.first) / 10 if prefix == "ap" else timedelta()
    return {
        "eq": searched.contains(target),
        "ne": not searched.contains(target),
        "gt": above.intersects(target),
        "lt": below.intersects(target),
        "ge": above.intersects(target) or searched.contains(target),
        "le": below.intersects(target) or searched.contains(target),
        "sa": not searched.intersects(target) and above.contains(target),
        "eb": not searched.intersects(target) and below.contains(target),
        "ap": Span(searched.first - margin, searched.after + margin).intersects(target),
    }[prefix]


def _next(first: datetime, form: str) -> datetime:
    if form == "%Y":
        return first.replace(year=first.year + 1)
    return first.replace(year=first.year + first.month // 12, month=first.month % 12 + 1)


def _fraction(text: str) -> Span:
    whole, _, rest = text.partition(".")
    digits = rest.rstrip("Z").split("+")[0].split("-")[0]
    first = span(whole + rest[len(digits) :]).first
    step = timedelta(microseconds=10 ** (6 - len(digits)))
    return Span(first + int(digits) * step, first + (int(digits) + 1) * step)
