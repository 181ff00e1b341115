"""Observation $stats over HTTP. https://hl7.org/fhir/R4/observation-operation-stats.html"""

import json
from typing import Any

import pytest

from fhir_profiles import r4
from hub.search.statistics import STATISTICS
from tests.support.backstage import Backstage
from tests.support.caller import Caller
from tests.support.outcomes import issues
from tests.support.resources import ABSENT, HEART_RATE, LOINC, observation, patient

Json = dict[str, Any]
SYSTEM = "http://terminology.hl7.org/CodeSystem/observation-statistics"
PRESSURE, SYSTOLIC, DIASTOLIC = "85354-9", "8480-6", "8462-4"


@pytest.fixture(scope="module")
def pulse(ehr: Caller) -> Json:
    """Heart rates 60 to 69 on ten days, and blood pressures 120/80 to 124/84."""
    made = ehr.create(patient("Statistique"))
    for day in range(10):
        ehr.create(observation(made["id"], HEART_RATE, 60 + day, at=f"2026-02-{20 + day if day < 9 else 28}T08:00:00Z"))
    for number in range(5):
        ehr.create(pressure(made["id"], 120 + number, 80 + number))
    return made


def pressure(subject: str, systolic: int, diastolic: int) -> Json:
    whole = observation(subject, PRESSURE, 1, at="2026-02-20T08:00:00Z")
    del whole["valueQuantity"]
    return {**whole, "component": [component(SYSTOLIC, systolic), component(DIASTOLIC, diastolic)]}


def component(code: str, value: int) -> Json:
    quantity = {"value": value, "unit": "mmHg", "system": "http://unitsofmeasure.org", "code": "mm[Hg]"}
    return {"code": {"coding": [{"system": LOINC, "code": code}]}, "valueQuantity": quantity}


def stats(caller: Caller, subject: str, more: str) -> Json:
    answer = caller.get(f"Observation/$stats?subject=Patient/{subject}&{more}")
    assert answer.status_code == 200, answer.text
    made: Json = answer.json()
    return made


def told(observation: Json) -> dict[str, Any]:
    """Statistic -> value."""
    return {
        one["code"]["coding"][0]["code"]: one.get("valueInteger", one.get("valueQuantity", {}).get("value"))
        for one in observation.get("component", ())
    }


def statistics(parameters: Json) -> list[Json]:
    return [one["resource"] for one in parameters.get("parameter", ()) if one["name"] == "statistics"]


WANTED = "&".join(f"statistic={one}" for one in ("count", "minimum", "maximum", "average", "median", "4-lower", "4-upper", "std-dev"))


def test_the_statistics_of_a_patients_heart_rate(ehr: Caller, pulse: Json) -> None:
    """FHIR.md 4b.10: count, min, max, mean, median, quantiles, standard deviation."""
    (made,) = statistics(stats(ehr, pulse["id"], f"code={HEART_RATE}&system={LOINC}&{WANTED}"))
    assert told(made) == {
        "count": 10,
        "minimum": 60,
        "maximum": 69,
        "average": 64.5,
        "median": 64.5,
        "4-lower": 62.25,
        "4-upper": 66.75,
        "std-dev": 3.02765035410,
    }
    assert made["code"]["coding"] == [{"system": LOINC, "code": HEART_RATE}]
    assert made["subject"] == {"reference": f"Patient/{pulse['id']}"}
    assert {one["valueQuantity"]["code"] for one in made["component"] if "valueQuantity" in one} == {"/min"}


def test_a_component_has_statistics_of_its_own(ehr: Caller, pulse: Json) -> None:
    """FHIR.md 0.1: the systolic code never pairs with the diastolic value."""
    found = statistics(stats(ehr, pulse["id"], f"coding={LOINC}|{DIASTOLIC}&coding={LOINC}|{SYSTOLIC}&statistic=maximum"))
    assert [told(one) for one in found] == [{"maximum": 84}, {"maximum": 124}]


def test_a_period_bounds_what_is_counted(ehr: Caller, pulse: Json) -> None:
    parameters = stats(ehr, pulse["id"], f"code={HEART_RATE}&statistic=count&start=2026-02-21&end=2026-02-22")
    assert [told(one) for one in statistics(parameters)] == [{"count": 2}]


def test_each_interval_by_itself(ehr: Caller, pulse: Json) -> None:
    found = statistics(stats(ehr, pulse["id"], f"code={HEART_RATE}&statistic=count&statistic=total-count&interval=week"))
    assert [(one["effectivePeriod"]["start"][:10], told(one)["count"]) for one in found] == [("2026-02-20", 3), ("2026-02-23", 7)]


def test_the_sources_come_along_when_asked_for_up_to_a_limit(ehr: Caller, pulse: Json) -> None:
    parameters = stats(ehr, pulse["id"], f"code={HEART_RATE}&statistic=count&include=true&limit=3")
    sources = [one["resource"] for one in parameters["parameter"] if one["name"] == "source"]
    assert [one["resourceType"] for one in sources] == ["Observation"] * 3


def test_parameters_may_come_as_a_resource(ehr: Caller, pulse: Json) -> None:
    """operations.html#request: POST with a Parameters resource."""
    body = {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "subject", "valueUri": f"Patient/{pulse['id']}"},
            {"name": "coding", "valueCoding": {"system": LOINC, "code": HEART_RATE}},
            {"name": "period", "valuePeriod": {"start": "2026-02-20", "end": "2026-02-20"}},
            {"name": "statistic", "valueCode": "average"},
        ],
    }
    answer = ehr.post("Observation/$stats", body)
    assert answer.status_code == 200, answer.text
    assert [told(one) for one in statistics(answer.json())] == [{"average": 60}]


def test_nothing_to_count_is_a_count_of_zero(ehr: Caller, pulse: Json) -> None:
    """operation-observation-stats.html: statistics 1..*, one Observation for each code."""
    found = statistics(stats(ehr, pulse["id"], f"code=29463-7&code={HEART_RATE}&statistic=count&statistic=average&end=2026-02-20"))
    assert [told(one) for one in found] == [{"count": 0}, {"count": 1, "average": 60}]
    (none,) = statistics(stats(ehr, pulse["id"], "code=29463-7&statistic=total-count&interval=day"))
    assert told(none) == {"total-count": 0}


def test_each_statistic_is_an_observation_as_r4_has_it(ehr: Caller, pulse: Json) -> None:
    """Its subject is a reference, a variance has a unit of UCUM: what is answered could be stored."""
    every = "&".join(f"statistic={one}" for one in STATISTICS)
    answer = ehr.get(f"Observation/$stats?subject={pulse['id']}&code={HEART_RATE}&code={DIASTOLIC}&system={LOINC}&{every}")
    found = statistics(answer.json())
    assert [one["subject"] for one in found] == [{"reference": f"Patient/{pulse['id']}"}] * 2
    assert [r4.check(one) for one in found] == [()] * 2
    units = [one["valueQuantity"]["code"] for one in found[1]["component"] if one["code"]["coding"][0]["code"] == "variance"]
    assert units == ["(mm[Hg]).(mm[Hg])"]


def test_a_hidden_patient_has_no_more_statistics_than_an_absent_one(stranger: Caller, pulse: Json) -> None:
    """Law 3."""
    for asked in (f"code={HEART_RATE}&{WANTED}&statistic=total-count", f"code={HEART_RATE}&statistic=count&interval=day&include=true"):
        hidden = stranger.get(f"Observation/$stats?subject=Patient/{pulse['id']}&{asked}").text
        assert hidden.replace(pulse["id"], ABSENT) == stranger.get(f"Observation/$stats?subject=Patient/{ABSENT}&{asked}").text
        assert [told(one).get("count") for one in statistics(json.loads(hidden))] == [0]


def test_what_was_told_of_whom_is_recorded(ehr: Caller, pulse: Json, backstage: Backstage) -> None:
    """Law 2: a number about a patient is a disclosure too."""
    answer = ehr.get(f"Observation/$stats?subject=Patient/{pulse['id']}&code={HEART_RATE}&statistic=count")
    records = backstage.records(answer.headers["x-request-id"])
    assert [(one.kind, one.patient) for one in records] == [("operation", None), ("operation", backstage.patient_token(pulse["id"]))]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("code=8867-4&statistic=count", "invalid"),
        ("subject=Patient/x&statistic=count", "invalid"),
        ("subject=Patient/x&code=8867-4", "invalid"),
        ("subject=Patient/x&code=8867-4&statistic=mode", "invalid"),
        ("subject=Patient/x&code=8867-4&statistic=count&interval=fortnight", "invalid"),
        ("subject=Patient/x&code=8867-4&statistic=count&duration=-1", "invalid"),
        ("subject=Patient/x&code=8867-4&statistic=count&duration=24&start=2026", "invalid"),
        ("subject=Patient/x&code=8867-4&statistic=count&limit=many", "invalid"),
        ("subject=Patient/x&code=8867-4&statistic=count&include=maybe", "invalid"),
        ("subject=Patient/x&code=8867-4&statistic=count&start=never", "invalid"),
        ("subject=Patient/x&code=8867-4&statistic=count&colour=red", "not-supported"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_what_to_do(ehr: Caller, query: str, code: str) -> None:
    answer = ehr.get(f"Observation/$stats?{query}")
    assert answer.status_code == 400
    assert [one["code"] for one in issues(answer)] == [code]
