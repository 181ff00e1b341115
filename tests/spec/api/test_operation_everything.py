"""Patient $everything over HTTP. https://hl7.org/fhir/R4/patient-operation-everything.html"""

from typing import Any

import pytest

from tests.support.backstage import Backstage
from tests.support.caller import Caller, link
from tests.support.outcomes import issues, refused
from tests.support.resources import ABSENT, HEART_RATE, observation, patient

Json = dict[str, Any]


@pytest.fixture(scope="module")
def record(ehr: Caller) -> Json:
    """A patient with eight readings, one of a device and by a practitioner, and what of somebody else names her."""
    made = ehr.create(patient("Toutou"))
    device = ehr.create({"resourceType": "Device", "status": "active"})
    practitioner = ehr.create({"resourceType": "Practitioner", "name": [{"family": "Soignante"}]})
    for day in range(1, 8):
        ehr.create(observation(made["id"], HEART_RATE, 60 + day, at=f"2026-03-0{day}T08:00:00Z"))
    last = observation(made["id"], HEART_RATE, 69, at="2026-03-09T08:00:00Z")
    reading = ehr.create(
        {**last, "device": {"reference": f"Device/{device['id']}"}, "performer": [{"reference": f"Practitioner/{practitioner['id']}"}]}
    )
    other = ehr.create(patient("Autre"))
    named = observation(other["id"], HEART_RATE, 50, at="2026-03-05T08:00:00Z")
    naming = ehr.create({**named, "performer": [{"reference": f"Patient/{made['id']}"}]})
    ehr.create(observation(other["id"], HEART_RATE, 51, at="2026-03-05T08:00:00Z"))
    return {"patient": made, "device": device, "practitioner": practitioner, "reading": reading, "naming": naming, "other": other}


def everything(caller: Caller, id: str, query: str = "") -> Json:
    answer = caller.get(f"Patient/{id}/$everything?{query}")
    assert answer.status_code == 200, answer.text
    made: Json = answer.json()
    return made


def named(bundle: Json, mode: str) -> list[str]:
    found = [entry["resource"] for entry in bundle.get("entry", ()) if entry["search"]["mode"] == mode]
    return [f"{one['resourceType']}/{one['id']}" for one in found]


def test_the_whole_record_and_what_it_refers_to(ehr: Caller, record: Json) -> None:
    """What belongs to the patient or names the patient, once each; devices and practitioners along with it; nothing of others."""
    bundle = everything(ehr, record["patient"]["id"])
    matches = named(bundle, "match")
    assert len(matches) == len(set(matches)) == 10
    assert {f"Patient/{record['patient']['id']}", f"Observation/{record['naming']['id']}"} <= set(matches)
    assert {f"Device/{record['device']['id']}", f"Practitioner/{record['practitioner']['id']}"} <= set(named(bundle, "include"))
    assert f"Patient/{record['other']['id']}" not in {*matches, *named(bundle, "include")}


def test_pages_together_are_the_record(ehr: Caller, record: Json) -> None:
    """http.html#paging: no gap, no double."""
    whole = named(everything(ehr, record["patient"]["id"]), "match")
    bundle, found = everything(ehr, record["patient"]["id"], "_count=3"), []
    while True:
        found += named(bundle, "match")
        following = link(bundle, "next")
        if following is None:
            break
        assert len(named(bundle, "match")) == 3
        bundle = ehr.get(following).json()
    assert found == whole


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("_type=Observation", 9),
        ("_type=Patient", 1),
        ("_type=Observation&start=2026-03-03&end=2026-03-04", 2),
        ("_type=Observation&start=2026-03-06", 3),
        ("_type=Observation&_since=2020-01-01", 9),
        ("_type=Observation&_since=2100-01-01", 0),
        ("_type=Observation,Patient", 10),
    ],
)
def test_parameters_select(ehr: Caller, record: Json, query: str, expected: int) -> None:
    """start and end: dates of care; _since: when the hub last changed it; _type: these types alone."""
    assert len(named(everything(ehr, record["patient"]["id"], query), "match")) == expected


@pytest.mark.parametrize(
    ("query", "inside"),
    [
        ("start=2026-03-03", True),
        ("start=2026-03-03T23:00:00Z", True),
        ("start=2026-03-04", False),
        ("end=2026-03-02", True),
        ("end=2026-03-01", False),
        ("start=2026-03-03&end=2026-03-09", True),
        ("start=2026-02&end=2026-03-02", True),
        ("start=2026-03-02T12:00:00Z&end=2026-03-02T13:00:00Z", True),
        ("start=0001&end=9999", True),
        ("end=0001", False),
    ],
)
def test_a_stay_that_lies_in_part_between_start_and_end_is_care_of_that_time(ehr: Caller, query: str, inside: bool) -> None:
    """patient-operation-everything.html: all records relating to care provided in a certain date range."""
    made = ehr.create(patient("Sejour"))
    stay = {"resourceType": "Encounter", "status": "finished", "class": {"code": "IMP"}, "subject": {"reference": f"Patient/{made['id']}"}}
    ehr.create({**stay, "period": {"start": "2026-03-02", "end": "2026-03-03"}})
    assert len(named(everything(ehr, made["id"], f"_type=Encounter&{query}"), "match")) == inside


def test_what_type_leaves_out_does_not_come_along(ehr: Caller, record: Json) -> None:
    """patient-operation-everything.html, _type: the resource types to include in the return resources."""
    along = named(everything(ehr, record["patient"]["id"], "_type=Observation,Device"), "include")
    assert along == [f"Device/{record['device']['id']}"]
    assert named(everything(ehr, record["patient"]["id"], "_type=Observation"), "include") == []


def test_parameters_may_come_as_a_resource_with_the_types_of_r4(ehr: Caller, record: Json) -> None:
    """patient-operation-everything.html: start and end are dates, _type codes, _count an integer."""
    given = [("start", "valueDate", "2026-03-03"), ("_type", "valueCode", "Observation"), ("_count", "valueInteger", 2)]
    body = {"resourceType": "Parameters", "parameter": [{"name": name, kind: value} for name, kind, value in given]}
    answer = ehr.post(f"Patient/{record['patient']['id']}/$everything", body)
    assert answer.status_code == 200, answer.text
    assert len(named(answer.json(), "match")) == 2
    assert link(answer.json(), "next") is not None


def test_a_patient_that_may_not_be_seen_has_no_record(ehr: Caller, stranger: Caller, record: Json) -> None:
    """Law 3: hidden equals absent."""
    hidden = stranger.get(f"Patient/{record['patient']['id']}/$everything")
    absent = stranger.get(f"Patient/{ABSENT}/$everything")
    refused(hidden, 404, "not-found")
    assert hidden.content == absent.content


def test_types_without_a_scope_stay_out(ehr: Caller, record: Json) -> None:
    narrow = ehr.narrowed("system/Patient.rs system/Observation.rs?code=http://loinc.org|29463-7")
    bundle = everything(narrow, record["patient"]["id"])
    assert named(bundle, "match") == [f"Patient/{record['patient']['id']}"]
    refused(narrow.get(f"Patient/{record['patient']['id']}/$everything?_type=Device"), 403, "forbidden")


def test_a_page_link_is_for_the_caller_who_got_it(ehr: Caller, reader: Caller, record: Json) -> None:
    following = link(everything(ehr, record["patient"]["id"], "_count=2"), "next")
    assert following is not None
    refused(reader.get(following), 404, "not-found")


def test_everything_shown_is_recorded(ehr: Caller, record: Json, backstage: Backstage) -> None:
    """Law 2."""
    answer = ehr.get(f"Patient/{record['patient']['id']}/$everything?_type=Observation")
    records = backstage.records(answer.headers["x-request-id"])
    assert {one.kind for one in records} == {"operation"}
    references = {entity.get("what", {}).get("reference", "").partition("/_history/")[0] for entity in records[0].event["entity"]}
    assert set(named(answer.json(), "match")) <= references


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("start=never", "invalid"),
        ("_since=never", "invalid"),
        ("_type=Nothing", "invalid"),
        ("_count=0", "invalid"),
        ("x=1", "not-supported"),
        ("_elements=id", "not-supported"),
        ("_summary=true", "not-supported"),
    ],
)
def test_what_cannot_be_asked_is_refused(ehr: Caller, record: Json, query: str, code: str) -> None:
    answer = ehr.get(f"Patient/{record['patient']['id']}/$everything?{query}")
    assert answer.status_code == 400
    assert [one["code"] for one in issues(answer)] == [code]
