"""Observation $lastn over HTTP. https://hl7.org/fhir/R4/observation-operation-lastn.html"""

from typing import Any

import pytest

from tests.support.backstage import Backstage
from tests.support.caller import Caller, link, resources
from tests.support.outcomes import issues
from tests.support.resources import ABSENT, HEART_RATE, LOINC, WEIGHT, observation, patient

Json = dict[str, Any]
MDC = "urn:iso:std:iso:11073:10101"


@pytest.fixture(scope="module")
def days(ehr: Caller) -> Json:
    """Heart rates on days 1, 3, 5 and weights on days 2, 4; the heart rate of day 6 has an MDC code as well."""
    made = ehr.create(patient("Derniers"))
    for day in range(1, 6):
        code, unit = (HEART_RATE, "/min") if day % 2 else (WEIGHT, "kg")
        ehr.create(observation(made["id"], code, 60 + day, at=f"2026-03-0{day}T08:00:00Z", unit=unit))
    both = observation(made["id"], HEART_RATE, 66, at="2026-03-06T08:00:00Z")
    both["code"]["coding"].append({"system": MDC, "code": "147842"})
    ehr.create(both)
    return made


def last(caller: Caller, query: str) -> list[str]:
    answer = caller.get(f"Observation/$lastn?{query}")
    assert answer.status_code == 200, answer.text
    return [one["effectiveDateTime"][8:10] for one in resources(answer.json())]


def test_the_last_of_each_code(ehr: Caller, days: Json) -> None:
    assert last(ehr, f"patient={days['id']}") == ["06", "04"]


def test_the_last_n_of_each_code_several_codings_together(ehr: Caller, days: Json) -> None:
    """FHIR.md 2a: $lastn elsewhere breaks with two codings."""
    assert last(ehr, f"patient={days['id']}&max=3") == ["06", "05", "03", "04", "02"]
    assert last(ehr, f"subject=Patient/{days['id']}&max=2&code={MDC}|147842") == ["06"]


def test_criteria_narrow_what_counts(ehr: Caller, days: Json) -> None:
    assert last(ehr, f"patient={days['id']}&code={LOINC}|{WEIGHT}&date=lt2026-03-04") == ["02"]
    assert last(ehr, f"patient={days['id']}&category=vital-signs&max=1&date=le2026-03-05") == ["05", "04"]


def test_the_answer_is_a_searchset_with_a_true_self_link(ehr: Caller, days: Json) -> None:
    bundle = ehr.get(f"Observation/$lastn?patient={days['id']}&max=2").json()
    assert (bundle["type"], bundle["total"]) == ("searchset", 4)
    assert link(bundle, "self") == f"{ehr.base}/Observation/$lastn?patient={days['id']}&max=2"


def test_a_hidden_patient_has_no_last_more_than_an_absent_one(stranger: Caller, days: Json) -> None:
    """Law 3."""
    assert last(stranger, f"patient={days['id']}") == last(stranger, f"patient={ABSENT}") == []


def test_each_observation_shown_is_recorded(ehr: Caller, days: Json, backstage: Backstage) -> None:
    """Law 2."""
    answer = ehr.get(f"Observation/$lastn?patient={days['id']}")
    records = backstage.records(answer.headers["x-request-id"])
    assert [(one.kind, one.patient) for one in records] == [("operation", None), ("operation", backstage.patient_token(days["id"]))]
    shown = {f"Observation/{one['id']}" for one in resources(answer.json())}
    named = {entity.get("what", {}).get("reference", "").partition("/_history/")[0] for entity in records[0].event["entity"]}
    assert shown <= named


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("code=8867-4", "required"),
        ("patient=x&max=0", "invalid"),
        ("patient=x&max=1000", "invalid"),
        ("patient=x&_sort=date", "not-supported"),
        ("patient=x&_include=Observation:device", "not-supported"),
        ("patient=x&_revinclude:iterate=Provenance:target", "not-supported"),
        ("patient=x&colour=red", "not-supported"),
    ],
)
def test_what_cannot_be_asked_is_refused(ehr: Caller, query: str, code: str) -> None:
    answer = ehr.get(f"Observation/$lastn?{query}")
    assert answer.status_code == 400
    assert [one["code"] for one in issues(answer)] == [code]
    assert all(one["expression"] for one in issues(answer) if code in ("required", "invalid")), "it says where"
