"""FHIR operation $stats on Observation: statistics of a patient's measurements, as Observations.

https://hl7.org/fhir/R4/observation-operation-stats.html. Beyond R4: `interval` (hour, day, week, month, year in UTC) gives
the statistics of each interval by itself, and a GET may name the period by `start` and `end`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from fhir_profiles.ucum import canonical
from hub import numbers
from hub.http import json_response
from hub.instants import fhir_instant
from hub.interactions.operation import Given, bad, given
from hub.repository import Repository
from hub.search.grammar import escape
from hub.search.parse import parse_search
from hub.search.samples import INTERVALS, Bucket, Code, by_unit, interval_of, samples, start_of, takes_part
from hub.search.statistics import STATISTICS, SYSTEM, TOTAL_COUNT, statistics
from hub.search.systems import UCUM

PARAMETERS = ("subject", "code", "system", "coding", "duration", "period", "start", "end", "statistic", "include", "limit", "interval")
CODES_MAX = 20
HOUR_US = 3_600_000_000
Buckets = dict[tuple[str, Code], Bucket]
"""By start of the interval ("" for the whole) and code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What statistics are asked for."""

    subject: str
    codes: tuple[Code, ...]
    dates: tuple[tuple[str, str], ...]
    statistics: tuple[str, ...]
    interval: str | None
    include: bool
    limit: int | None


@dataclass(slots=True)
class Gathered:
    buckets: Buckets = field(default_factory=dict)
    sources: list[Mapping[str, Any]] = field(default_factory=list)


async def stats(request: Request, repository: Repository) -> Response:
    """Parameters with one Observation for each code, unit and interval that has any."""
    asked = _asked(await given(request, repository), repository.services.clock())
    gathered = Gathered()

    def take(content: Mapping[str, Any]) -> bool:
        """Is it to be shown itself?"""
        if not takes_part(content):
            return False
        _sort_in(content, asked, gathered.buckets)
        shown = asked.include and (asked.limit is None or len(gathered.sources) < asked.limit)
        if shown:
            gathered.sources.append(content)
        return shown

    search = parse_search("Observation", _pairs(asked), lenient=False, base=repository.services.base_url)
    await repository.gather(search, take)
    return json_response(numbers.dumps(_answer(asked, gathered)))


def _asked(parameters: Given, now_us: int) -> Asked:
    parameters.only(*PARAMETERS)
    subject = parameters.text("subject")
    if subject is None:
        bad("subject", "is needed: whose measurements, written Patient/ID")
    wanted = tuple(dict.fromkeys(parameters.texts("statistic")))
    if not wanted:
        bad("statistic", f"is needed, once or more: {', '.join(STATISTICS)}, {TOTAL_COUNT}")
    for one in wanted:
        if one not in STATISTICS and one != TOTAL_COUNT:
            bad("statistic", f"must be one of {', '.join(STATISTICS)}, {TOTAL_COUNT}")
    interval = parameters.text("interval")
    if interval is not None and interval not in INTERVALS:
        bad("interval", f"must be one of {', '.join(INTERVALS)}")
    return Asked(
        subject=subject if "/" in subject else f"Patient/{subject}",
        codes=_codes(parameters),
        dates=_dates(parameters, now_us),
        statistics=wanted,
        interval=interval,
        include=parameters.flag("include"),
        limit=parameters.number("limit"),
    )


def _codes(parameters: Given) -> tuple[Code, ...]:
    """`code` with `system`, or `coding` (system|code in a URL)."""
    system = parameters.text("system")
    found: list[Code] = [(system, code) for code in parameters.texts("code")]
    for coding in parameters.all("coding"):
        if isinstance(coding, dict):
            found.append((coding.get("system"), str(coding.get("code", ""))))
        else:
            before, bar, after = str(coding).rpartition("|")
            found.append((before if bar else None, after))
    codes = tuple(dict.fromkeys(found))
    if not codes or not all(code for _, code in codes):
        bad("code", "or coding is needed: which measurements")
    if len(codes) > CODES_MAX:
        bad("code", f"may be given {CODES_MAX} times")
    return codes


def _dates(parameters: Given, now_us: int) -> tuple[tuple[str, str], ...]:
    """One of duration, period, start and end; as criteria of the search."""
    duration, period = parameters.one("duration"), parameters.one("period")
    start, end = parameters.text("start"), parameters.text("end")
    if sum((duration is not None, period is not None, start is not None or end is not None)) > 1:
        bad("period", "and duration exclude each other")
    if duration is not None:
        return (("date", f"ge{fhir_instant(now_us - _hours_us(duration))}"), ("date", f"le{fhir_instant(now_us)}"))
    if period is not None:
        if not isinstance(period, dict):
            bad("period", "must be a Period; in a URL write start and end")
        start, end = period.get("start"), period.get("end")
    bounds = (("ge", start), ("le", end))
    return tuple(("date", prefix + str(date)) for prefix, date in bounds if date is not None)


def _hours_us(duration: Any) -> int:
    try:
        hours = Decimal(str(getattr(duration, "text", duration)))
    except ArithmeticError:
        hours = Decimal(0)
    if not hours.is_finite() or not 0 < hours < 1_000_000:  # noqa: PLR2004
        bad("duration", "must be a number of hours, the last ones until now")
    return int(hours * HOUR_US)


def _pairs(asked: Asked) -> list[tuple[str, str]]:
    texts = [escape(code) if system is None else f"{escape(system)}|{escape(code)}" for system, code in asked.codes]
    return [("subject", escape(asked.subject)), ("combo-code", ",".join(texts)), *asked.dates]


def _sort_in(content: Mapping[str, Any], asked: Asked, buckets: Buckets) -> None:
    start_us = start_of(content)
    if asked.interval is None:
        interval = ""
    elif start_us is None:
        return
    else:
        interval = interval_of(start_us, asked.interval).isoformat()
    for code in asked.codes:
        found = samples(content, code)
        if found or _bears(content, code):
            buckets.setdefault((interval, code), Bucket()).add(found, start_us)


def _bears(content: Mapping[str, Any], code: Code) -> bool:
    concepts = [content.get("code", {}), *(one.get("code", {}) for one in content.get("component", ()))]
    codings = [coding for concept in concepts for coding in concept.get("coding", ())]
    return any(one.get("code") == code[1] and code[0] in (None, one.get("system")) for one in codings)


def _answer(asked: Asked, gathered: Gathered) -> dict[str, Any]:
    """R4 has statistics at least once, and one Observation for each code: where there is nothing, its count is 0."""
    for code in asked.codes:
        if asked.interval is None or not gathered.buckets:
            gathered.buckets.setdefault(("", code), Bucket())
    parts = [
        {"name": "statistics", "resource": made}
        for (_, code), bucket in sorted(gathered.buckets.items(), key=lambda one: (one[0][0], asked.codes.index(one[0][1])))
        for made in _observations(asked, code, bucket)
    ]
    parts += [{"name": "source", "resource": content} for content in gathered.sources]
    return {"resourceType": "Parameters", "parameter": parts}


def _observations(asked: Asked, code: Code, bucket: Bucket) -> list[dict[str, Any]]:
    """One for each unit; one without a unit where there was no usable value."""
    return [_observation(asked, code, bucket, unit, values) for unit, values in (by_unit(bucket.samples, canonical) or {"": ()}).items()]


def _observation(asked: Asked, code: Code, bucket: Bucket, unit: str, values: Sequence[Decimal]) -> dict[str, Any]:
    system, text = code
    found = statistics(values, [one for one in asked.statistics if one != TOTAL_COUNT])
    components = [_component(one, found[one], unit) for one in asked.statistics if one in found]
    if TOTAL_COUNT in asked.statistics:
        components.append(_counted(TOTAL_COUNT, "Total Count", bucket.total))
    made: dict[str, Any] = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"code": text} if system is None else {"system": system, "code": text}]},
        "subject": {"reference": asked.subject},
    }
    if bucket.first_us is not None and bucket.last_us is not None:
        made["effectivePeriod"] = {"start": fhir_instant(bucket.first_us), "end": fhir_instant(bucket.last_us)}
    return {**made, "component": components} if components else made


def _component(code: str, value: Decimal, unit: str) -> dict[str, Any]:
    row = STATISTICS[code]
    if row.counted:
        return _counted(code, row.display, int(value))
    shown = f"({unit}).({unit})" if row.squared else unit  # an exponent may follow an atom only: https://ucum.org/ucum#section-Grammar
    quantity = {"value": numbers.Decimal(format(value, "f")), "unit": shown, "system": UCUM, "code": shown}
    return {"code": _coded(code, row.display), "valueQuantity": quantity}


def _counted(code: str, display: str, count: int) -> dict[str, Any]:
    return {"code": _coded(code, display), "valueInteger": count}


def _coded(code: str, display: str) -> dict[str, Any]:
    return {"coding": [{"system": SYSTEM, "code": code, "display": display}]}
