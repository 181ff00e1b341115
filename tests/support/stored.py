"""What the hub stores of a reading, in the form in which an independent reader says it."""

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from adapters.reading import DeviceTime, Reading
from fhir_profiles.building import build
from hub.ingest.doubt import Doubt
from hub.ingest.normalise import normalise
from tests.support.independent.said import MDC, STATED_NAME, Said, absent, at, coded, quantity, strip

NOW_US: Final = 1_790_000_000_000_000
_SOME_TIME: Final = DeviceTime(kind="utc", text="2020-01-01T00:00:00Z", instant=datetime(2020, 1, 1, tzinfo=UTC))
_DOSE: Final = ("dose", "rateQuantity")

Json = dict[str, Any]


def stored(reading: Reading, spoken: Iterable[str], *, which: bool) -> Said | str:
    """Through normalisation and builder, as it would be written; or the code of the doubt for which it waits.

    spoken  codes that the independent reader uses: of several codings of one measure the one that it names
    which   the reading's own id counts too

    What has no time waits for nothing else: its value is compared all the same.
    """
    timeless = reading.time is None
    found = _normalised(replace(reading, time=_SOME_TIME) if timeless else reading)
    if isinstance(found, Doubt):
        return found.code
    resource = json.loads(build(found, id="r1", version=1, last_updated="2026-01-01T00:00:00Z"), parse_float=str, parse_int=str)
    period = resource.get("effectivePeriod", {"start": resource.get("effectiveDateTime", "")})
    wanted = frozenset(spoken)
    return Said(
        code=_code(resource.get("code") or resource["medicationCodeableConcept"], wanted),
        value=_value(resource),
        start="" if timeless else at(period["start"]),
        end="" if timeless else at(period.get("end", "")),
        parts=tuple(sorted((_code(part["code"], wanted), _value(part)) for part in resource.get("component", ()))),
        device=reading.device or "",
        which=(reading.source_id or "") if which else "",
        site=_code(resource["bodySite"], wanted) if "bodySite" in resource else "",
        manual=reading.manual,
    )


def waits_for(reading: Reading) -> str:
    """Code of the doubt for which the hub lets it wait; empty if it is stored."""
    found = _normalised(reading)
    return found.code if isinstance(found, Doubt) else ""


def _normalised(reading: Reading) -> Any:
    return normalise(reading, time_zone=STATED_NAME, patient="Patient/p", device="Device/d", received_us=NOW_US)


def _code(concept: Json, spoken: frozenset[str]) -> str:
    """IEEE 11073 is the finer of two: it tells the rate of an ECG from that of a cuff. Of LOINC the last one is, as for a rate at rest."""
    last_first = concept.get("coding", [])[::-1]
    codings = sorted(last_first, key=lambda one: one["system"] != MDC)
    named = [f"{one['system']}|{one['code']}" for one in codings]
    return next((code for code in named if code in spoken), named[0] if named else concept["text"])


def _value(body: Json) -> str:
    """As the device gave it: a converted amount has its original beside it."""
    amount = next((body["dosage"][name] for name in _DOSE if name in body.get("dosage", {})), body.get("valueQuantity"))
    if amount is not None:
        given = next((one["valueQuantity"] for one in amount.get("extension", ())), amount)
        return quantity(given["value"], given["code"])
    if "valueCodeableConcept" in body:
        (one,) = body["valueCodeableConcept"]["coding"]
        return coded(one["system"], one["code"])
    if "valueSampledData" in body:
        return _strip(body["valueSampledData"])
    reason = body.get("dataAbsentReason")
    return "" if reason is None else absent(reason["coding"][0]["code"])


def _strip(sampled: Json) -> str:
    origin = sampled["origin"]
    return strip(
        sampled.get("data", ""), period=sampled["period"], origin=origin["value"], factor=sampled.get("factor", "1"), unit=origin["code"]
    )
