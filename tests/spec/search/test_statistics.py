"""The numbers of Observation $stats. https://hl7.org/fhir/R4/observation-operation-stats.html

The judge is Python's own statistics module over exact fractions, and numbers worked out by hand.
"""

import statistics as judge
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.search.samples import Bucket, Sample, by_unit, interval_of, samples, start_of, takes_part
from hub.search.statistics import STATISTICS, statistics

LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"
values = st.lists(st.decimals(min_value=-1000, max_value=1000, places=2), min_size=2, max_size=40)

JUDGES: Mapping[str, Any] = {
    "count": len,
    "minimum": min,
    "maximum": max,
    "sum": sum,
    "average": judge.fmean,
    "median": judge.median,
    "variance": judge.variance,
    "std-dev": judge.stdev,
    "4-lower": lambda found: judge.quantiles(found, n=4, method="inclusive")[0],
    "4-upper": lambda found: judge.quantiles(found, n=4, method="inclusive")[2],
    "5-1": lambda found: judge.quantiles(found, n=5, method="inclusive")[0],
    "5-2": lambda found: judge.quantiles(found, n=5, method="inclusive")[1],
    "5-3": lambda found: judge.quantiles(found, n=5, method="inclusive")[2],
    "5-4": lambda found: judge.quantiles(found, n=5, method="inclusive")[3],
    "20-percent": lambda found: judge.quantiles(found, n=5, method="inclusive")[0],
    "80-percent": lambda found: judge.quantiles(found, n=5, method="inclusive")[3],
}


@given(values)
def test_each_statistic_is_what_an_independent_library_says(found: list[Decimal]) -> None:
    """observation-statistics: average, median, quantiles, deviation of the measurements of the period."""
    told = statistics(found, list(JUDGES))
    exact = [Fraction(value) for value in found]
    for code, one in JUDGES.items():
        assert float(told[code]) == pytest.approx(float(one(exact)), rel=1e-9, abs=1e-9), code


def test_decimals_stay_exact_where_nothing_is_divided() -> None:
    """R4 decimal: 36.60 and 36.6 are not the same measurement, and no float comes between."""
    told = statistics([Decimal("36.60"), Decimal("36.7")], ["minimum", "maximum", "sum", "average"])
    assert {code: str(value) for code, value in told.items()} == {
        "minimum": "36.60",
        "maximum": "36.7",
        "sum": "73.30",
        "average": "36.65",
    }


def test_one_value_has_no_deviation() -> None:
    told = statistics([Decimal(5)], ["std-dev", "variance", "median", "4-dev"])
    assert told == {"median": Decimal(5), "4-dev": Decimal(0)}


def test_nothing_has_a_count_of_zero_and_no_other_statistics() -> None:
    assert statistics([], list(STATISTICS)) == {"count": 0}


def quantity(value: Any, code: str = "/min", **more: Any) -> dict[str, Any]:
    return {"value": value, "system": UCUM, "code": code, **more}


def coded(code: str) -> dict[str, Any]:
    return {"coding": [{"system": LOINC, "code": code}]}


def test_values_are_taken_from_the_observation_or_from_the_component_that_bears_the_code() -> None:
    """FHIR.md 2a: systolic and diastolic are components; neither is taken for the other."""
    pressure = {
        "code": coded("85354-9"),
        "component": [
            {"code": coded("8480-6"), "valueQuantity": quantity(120, "mm[Hg]")},
            {"code": coded("8462-4"), "valueQuantity": quantity(80, "mm[Hg]")},
        ],
    }
    assert samples(pressure, (LOINC, "8462-4")) == [Sample(value=Decimal(80), unit="mm[Hg]")]
    assert samples({"code": coded("8867-4"), "valueQuantity": quantity(61.5)}, (None, "8867-4")) == [
        Sample(value=Decimal("61.5"), unit="/min")
    ]
    assert samples({"code": coded("8867-4"), "valueQuantity": quantity(61)}, ("urn:other", "8867-4")) == []


@pytest.mark.parametrize(
    "held",
    [{"valueQuantity": quantity(40, comparator="<")}, {"valueQuantity": {"value": 40, "unit": "beats"}}, {"valueString": "40"}, {}],
)
def test_what_is_no_ucum_quantity_counts_without_a_value(held: dict[str, Any]) -> None:
    """total-count: observations that were ignored because they did not contain valid result values."""
    assert samples({"code": coded("8867-4"), **held}, (LOINC, "8867-4")) == []


@pytest.mark.parametrize(("status", "takes"), [("final", True), ("amended", True), ("entered-in-error", False), ("cancelled", False)])
def test_what_was_entered_in_error_takes_no_part(status: str, takes: bool) -> None:
    assert takes_part({"status": status}) is takes


def grams(value: Decimal, unit: str) -> tuple[Decimal, str] | None:
    known = {"kg": Decimal(1000), "g": Decimal(1)}
    return (value * known[unit], "g") if unit in known else None


def test_units_that_differ_are_brought_to_the_canonical_one_and_never_mixed() -> None:
    found = [Sample(value=Decimal(70), unit="kg"), Sample(value=Decimal(500), unit="g"), Sample(value=Decimal(3), unit="[odd]")]
    assert by_unit(found, grams) == {"g": [Decimal(70000), Decimal(500)], "[odd]": [Decimal(3)]}
    assert by_unit(found[:1], grams) == {"kg": [Decimal(70)]}


@pytest.mark.parametrize(
    ("interval", "start"),
    [
        ("hour", "2026-11-25T10:00:00+00:00"),
        ("day", "2026-11-25T00:00:00+00:00"),
        ("week", "2026-11-23T00:00:00+00:00"),
        ("month", "2026-11-01T00:00:00+00:00"),
        ("year", "2026-01-01T00:00:00+00:00"),
    ],
)
def test_an_interval_begins_in_utc(interval: str, start: str) -> None:
    """The offset of the reading does not move it into another day than the one in UTC."""
    moment = start_of({"effectiveDateTime": "2026-11-25T11:30:00+01:00"})
    assert moment is not None
    assert interval_of(moment, interval).isoformat() == start


def test_a_bucket_knows_its_first_and_last_time() -> None:
    bucket = Bucket()
    for start_us in (5, 3, None, 9):
        bucket.add([], start_us)
    assert (bucket.total, bucket.first_us, bucket.last_us) == (4, 3, 9)
