"""The statistics that Observation $stats tells, over exact decimals. Pure.

https://hl7.org/fhir/R4/observation-operation-stats.html, https://terminology.hl7.org/CodeSystem-observation-statistics.html.
Where R4 leaves it open: variance and standard deviation are those of a sample (n - 1); quantiles are interpolated between the
two nearest values, the smallest and the largest being the 0 and the 100 % quantile.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal, localcontext
from typing import Final

SYSTEM: Final = "http://terminology.hl7.org/CodeSystem/observation-statistics"
PRECISION: Final = Context(prec=34)
SHOWN_DIGITS: Final = 12
"""Significant digits of a result that had to be divided; what comes out exactly keeps its own."""

Compute = Callable[[Sequence[Decimal]], Decimal | None]
"""Takes the values in ascending order, at least one; None where there is no such number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistic:
    """One code of the code system. `squared`: in the square of the unit; `counted`: a number without unit."""

    code: str
    display: str
    compute: Compute
    squared: bool = False
    counted: bool = False


def statistics(values: Sequence[Decimal], wanted: Sequence[str]) -> Mapping[str, Decimal]:
    """Each wanted statistic that exists for these values (any order, one unit). Raises KeyError for a code that is no row."""
    if not values:
        return {code: Decimal(0) for code in wanted if STATISTICS[code].counted}
    with localcontext(PRECISION):
        ordered = sorted(values)
        found = {code: STATISTICS[code].compute(ordered) for code in wanted}
        return {code: _shown(value) for code, value in found.items() if value is not None}


def quantile(ordered: Sequence[Decimal], numerator: int, denominator: int) -> Decimal:
    """The value below which that part of the ordered values lies, interpolated."""
    whole, rest = divmod((len(ordered) - 1) * numerator, denominator)
    if not rest:
        return ordered[whole]
    return ordered[whole] + (ordered[whole + 1] - ordered[whole]) * Decimal(rest) / Decimal(denominator)


def _shown(value: Decimal) -> Decimal:
    if len(value.as_tuple().digits) <= SHOWN_DIGITS:
        return value
    rounded = Context(prec=SHOWN_DIGITS).plus(value).normalize()
    return rounded.quantize(Decimal(1)) if rounded == rounded.to_integral_value() else rounded


def _mean(ordered: Sequence[Decimal]) -> Decimal:
    return sum(ordered, Decimal(0)) / len(ordered)


def _variance(ordered: Sequence[Decimal]) -> Decimal | None:
    if len(ordered) == 1:
        return None
    mean = _mean(ordered)
    return sum(((value - mean) ** 2 for value in ordered), Decimal(0)) / (len(ordered) - 1)


def _deviation(ordered: Sequence[Decimal]) -> Decimal | None:
    variance = _variance(ordered)
    return None if variance is None else variance.sqrt()


def _at(numerator: int, denominator: int) -> Compute:
    return lambda ordered: quantile(ordered, numerator, denominator)


def _quartile_deviation(ordered: Sequence[Decimal]) -> Decimal:
    return (quantile(ordered, 3, 4) - quantile(ordered, 1, 4)) / 2


STATISTICS: Final[Mapping[str, Statistic]] = {
    row.code: row
    for row in (
        Statistic(code="count", display="Count", compute=lambda ordered: Decimal(len(ordered)), counted=True),
        Statistic(code="minimum", display="Minimum", compute=lambda ordered: ordered[0]),
        Statistic(code="maximum", display="Maximum", compute=lambda ordered: ordered[-1]),
        Statistic(code="average", display="Average", compute=_mean),
        Statistic(code="median", display="Median", compute=_at(1, 2)),
        Statistic(code="sum", display="Sum", compute=lambda ordered: sum(ordered, Decimal(0))),
        Statistic(code="std-dev", display="Standard Deviation", compute=_deviation),
        Statistic(code="variance", display="Variance", compute=_variance, squared=True),
        Statistic(code="20-percent", display="20th Percentile", compute=_at(1, 5)),
        Statistic(code="80-percent", display="80th Percentile", compute=_at(4, 5)),
        Statistic(code="4-lower", display="Lower Quartile", compute=_at(1, 4)),
        Statistic(code="4-upper", display="Upper Quartile", compute=_at(3, 4)),
        Statistic(code="4-dev", display="Quartile Deviation", compute=_quartile_deviation),
        Statistic(code="5-1", display="1st Quintile", compute=_at(1, 5)),
        Statistic(code="5-2", display="2nd Quintile", compute=_at(2, 5)),
        Statistic(code="5-3", display="3rd Quintile", compute=_at(3, 5)),
        Statistic(code="5-4", display="4th Quintile", compute=_at(4, 5)),
    )
}
TOTAL_COUNT: Final = "total-count"
"""How many Observations there were, those without a usable value among them: not a matter of the values."""
