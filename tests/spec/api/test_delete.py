"""FHIR delete. https://hl7.org/fhir/R4/http.html#delete; FHIR.md 4b.2, 4b.4."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.support.backstage import Backstage
from tests.support.caller import Caller
from tests.support.outcomes import issues, refused
from tests.support.payloads import identifier_system, weight
from tests.support.resources import ABSENT, HEART_RATE, STEPS, action, actor, consent, device, observation, organization, patient

Json = dict[str, Any]


def delete(caller: Caller, resource: Json, **headers: str) -> httpx.Response:
    return caller.request("DELETE", name_of(resource), headers={name.replace("_", "-"): value for name, value in headers.items()})


def name_of(resource: Json) -> str:
    return f"{resource['resourceType']}/{resource['id']}"


def gone(answer: httpx.Response, version: int) -> None:
    """http.html#read: 410, and as ETag the version of the deletion."""
    refused(answer, 410, "deleted")
    assert answer.headers["etag"] == f'W/"{version}"'


def as_absent(caller: Caller, answer: httpx.Response, type: str = "Observation") -> None:
    """Law 3: status and bytes of what never was."""
    absent = caller.get(f"{type}/{ABSENT}")
    assert (answer.status_code, answer.content) == (absent.status_code, absent.content)
    assert "etag" not in answer.headers


@pytest.fixture
def person(ehr: Caller) -> Json:
    return ehr.create(patient())


@pytest.fixture
def reading(ehr: Caller, person: Json) -> Json:
    return ehr.create(observation(person["id"]))


def test_what_is_deleted_is_gone(ehr: Caller, reading: Json) -> None:
    """http.html#delete: 204 without content; from then on a read answers 410."""
    answer = delete(ehr, reading)
    assert (answer.status_code, answer.content, answer.headers["etag"]) == (204, b"", 'W/"2"')
    gone(ehr.get(name_of(reading)), 2)


def test_an_outcome_comes_with_200_to_whom_prefers_one(ehr: Caller, reading: Json) -> None:
    """http.html#delete: 200 if the response has a payload; http.html#ops."""
    answer = delete(ehr, reading, Prefer="return=OperationOutcome")
    assert answer.status_code == 200
    assert issues(answer)[0]["severity"] == "information"


@pytest.mark.parametrize("conditional", [False, True])
def test_a_provenance_beside_a_deletion_is_refused_and_not_lost(ehr: Caller, reading: Json, conditional: bool) -> None:
    """provenance.html#header: X-Provenance is about what is written; nothing is left behind that it could be about."""
    beside = '{"resourceType": "Provenance", "recorded": "2026-03-01T10:00:00Z", "agent": [{"who": {"display": "x"}}]}'
    path = f"Observation?_id={reading['id']}" if conditional else name_of(reading)
    refused(ehr.request("DELETE", path, headers={"X-Provenance": beside}), 400, "not-supported", expression="http.X-Provenance")
    assert ehr.get(name_of(reading)).status_code == 200


def test_deleting_twice_is_deleting_once(ehr: Caller, reading: Json) -> None:
    """http.html#delete: deleting what is deleted has no effect and answers the same."""
    first, second = delete(ehr, reading), delete(ehr, reading)
    assert (first.status_code, first.headers["etag"]) == (second.status_code, second.headers["etag"]) == (204, 'W/"2"')
    gone(ehr.get(name_of(reading)), 2)


def test_what_is_absent_is_not_said_to_be_deleted(ehr: Caller) -> None:
    """Law 3 takes the place of the 204 of http.html#delete: hidden must equal absent, and what is hidden is still there."""
    refused(ehr.request("DELETE", f"Observation/{ABSENT}"), 404, "not-found")


def test_older_versions_stay_readable_and_the_deleted_one_is_gone(ehr: Caller, reading: Json) -> None:
    """http.html#vread: 410 for the version that is the deletion; the others are as they were."""
    delete(ehr, reading)
    assert ehr.get(f"{name_of(reading)}/_history/1").json() == reading
    gone(ehr.get(f"{name_of(reading)}/_history/2"), 2)
    refused(ehr.get(f"{name_of(reading)}/_history/3"), 404, "not-found")


@pytest.mark.parametrize("query", ["", "&code=8867-4", "&_sort=_lastUpdated", "&_sort=code", "&status=final", "&_id={id}"])
def test_no_search_and_no_count_shows_it(ehr: Caller, person: Json, reading: Json, query: str) -> None:
    """http.html#delete: the resource no longer appears in searches."""
    other = ehr.create(observation(person["id"], STEPS))
    delete(ehr, reading)
    found = ehr.search(f"Observation?patient={person['id']}&_total=accurate{query.format(id=reading['id'])}")
    ids = [one["resource"]["id"] for one in found.get("entry", ())]
    assert reading["id"] not in ids
    assert set(ids) <= {other["id"]}
    assert found["total"] == len(ids)


def test_its_identifier_finds_nothing_across_patients(ehr: Caller) -> None:
    made = ehr.create(organization(identifier=[{"system": "urn:delete", "value": "once"}]))
    delete(ehr, made)
    assert ehr.found("Organization?identifier=urn:delete|once") == []
    assert ehr.found(f"Organization?_id={made['id']}") == []


@pytest.mark.parametrize(("if_match", "status"), [('W/"1"', 204), ('W/"2"', 412), ("nonsense", 412)])
def test_if_match_is_honoured(ehr: Caller, reading: Json, if_match: str, status: int) -> None:
    """http.html#concurrency: a stale version is refused, and nothing is deleted."""
    answer = delete(ehr, reading, If_Match=if_match)
    assert answer.status_code == status
    assert ehr.get(name_of(reading)).status_code == (410 if status == 204 else 200)


def test_of_many_who_delete_at_once_all_are_told_the_same(ehr: Caller, reading: Json) -> None:
    """Law 5: once, whoever was first."""
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: delete(ehr, reading), range(8)))
    assert {(one.status_code, one.headers["etag"]) for one in answers} == {(204, 'W/"2"')}


def test_a_scope_must_cover_deleting(ehr: Caller, reading: Json) -> None:
    """SMART App Launch 2.2, scopes: d is a letter of its own."""
    refused(delete(ehr.narrowed("system/Observation.crus"), reading), 403, "forbidden")
    assert delete(ehr.narrowed("system/Observation.d"), reading).status_code == 204


def test_a_granular_scope_must_cover_the_resource(ehr: Caller, reading: Json, person: Json) -> None:
    """What a scope with a query does not cover is not there (law 3)."""
    caller = ehr.narrowed(f"system/Observation.rd?code=http://loinc.org|{STEPS}")
    as_absent(caller, delete(caller, reading))
    covered = ehr.create(observation(person["id"], STEPS))
    assert delete(caller, covered).status_code == 204
    gone(caller.get(name_of(covered)), 2)
    delete(ehr, reading)
    as_absent(caller, caller.get(name_of(reading)))


def test_who_could_not_see_it_is_told_nothing(ehr: Caller, stranger: Caller, reading: Json) -> None:
    """Law 3: neither by deleting nor by reading, before and after."""
    as_absent(stranger, delete(stranger, reading))
    assert ehr.get(name_of(reading)).status_code == 200
    delete(ehr, reading)
    for answer in (
        stranger.get(name_of(reading)),
        delete(stranger, reading),
        *(stranger.get(f"{name_of(reading)}/_history/{n}") for n in (1, 2)),
    ):
        as_absent(stranger, answer)


def test_who_may_see_but_not_collect_deletes_nothing(ehr: Caller, stranger: Caller, person: Json, reading: Json) -> None:
    """Law 1: deleting is a write about a patient, decided with the action collect."""
    ehr.create(consent(person["id"], provision={"actor": [actor(stranger.account.organization)], "action": [action("access")]}))
    assert stranger.get(name_of(reading)).status_code == 200
    as_absent(stranger, delete(stranger, reading))
    assert stranger.get(name_of(reading)).status_code == 200


def test_what_is_said_of_the_deleted_goes_by_the_consent_of_today(ehr: Caller, stranger: Caller, person: Json, reading: Json) -> None:
    """Laws 1 and 3: whether somebody may know of a deletion is decided anew on each request."""
    agreed = ehr.create(consent(person["id"], provision={"actor": [actor(stranger.account.organization)]}))
    delete(ehr, reading)
    gone(stranger.get(name_of(reading)), 2)
    ehr.update(agreed, status="inactive")
    as_absent(stranger, stranger.get(name_of(reading)))


def test_a_deletion_is_recorded_with_the_version_it_made(ehr: Caller, person: Json, reading: Json, backstage: Backstage) -> None:
    """Law 2; BALP IHE.BasicAudit.PatientDelete."""
    records = backstage.records(delete(ehr, reading).headers["x-request-id"])
    assert [(one.kind, one.outcome, one.patient) for one in records] == [
        ("delete", "0", None),
        ("delete", "0", backstage.patient_token(person["id"])),
    ]
    assert [(write.row, write.version) for write in records[0].draft.writes] == [(name_of(reading), 2)]
    for one in records:
        assert one.event["action"] == "D"
        assert f"{name_of(reading)}/_history/2" in [entity["what"].get("reference") for entity in one.event["entity"]]


def test_a_refused_read_of_the_deleted_is_recorded_under_its_patient(
    ehr: Caller, person: Json, reading: Json, backstage: Backstage
) -> None:
    """DESIGN 6: attempts are recorded under the patient they aimed at."""
    delete(ehr, reading)
    records = backstage.records(ehr.get(name_of(reading)).headers["x-request-id"])
    assert [(one.kind, one.outcome, one.patient) for one in records] == [
        ("read", "4", None),
        ("read", "4", backstage.patient_token(person["id"])),
    ]


# Consents


def test_deleting_a_consent_takes_effect_on_the_next_request(ehr: Caller, stranger: Caller, person: Json, reading: Json) -> None:
    """GDPR Art. 7(3): what it permitted is permitted no longer; it commits with the deletion."""
    agreed = ehr.create(consent(person["id"], provision={"actor": [actor(stranger.account.organization)]}))
    assert stranger.get(name_of(reading)).status_code == 200
    assert delete(ehr, agreed).status_code == 204
    as_absent(stranger, stranger.get(name_of(reading)))
    assert stranger.found(f"Observation?patient={person['id']}") == []


def test_deleting_a_deny_lifts_it(ehr: Caller, person: Json, reading: Json) -> None:
    """docs/adr/0009: what a Consent says must not keep it from being withdrawn."""
    denied = ehr.create(consent(person["id"], "deny"))
    as_absent(ehr, ehr.get(name_of(reading)))
    assert delete(ehr, denied).status_code == 204
    assert ehr.get(name_of(reading)).status_code == 200


@pytest.mark.parametrize("type", ["Consent", "Patient"])
def test_only_a_recorder_deletes_what_decides_about_access(ehr: Caller, reader: Caller, person: Json, type: str) -> None:
    """docs/adr/0009: 403, whether it is there or not."""
    agreed = ehr.create(consent(person["id"]))
    target = {"Consent": agreed, "Patient": person}[type]
    answers = [delete(reader, target), reader.request("DELETE", f"{type}/{ABSENT}")]
    assert answers[0].content == answers[1].content
    for answer in answers:
        refused(answer, 403, "forbidden")


def test_only_a_recorder_takes_away_who_stands_above_an_organisation(ehr: Caller, reader: Caller) -> None:
    """docs/adr/0009, reading 4: the organisation above decides who may see."""
    above = ehr.create(organization("Dessus"))
    made = ehr.create(organization("Dessous", partOf={"reference": name_of(above)}))
    refused(delete(reader, made), 403, "forbidden")
    assert delete(ehr, made).status_code == 204
    assert delete(reader, above).status_code == 204


# Patients


def test_a_patient_with_data_that_the_caller_sees_is_kept(ehr: Caller, person: Json, reading: Json) -> None:
    """http.html#delete: 409 where referential integrity would suffer; without the data it goes."""
    refused(delete(ehr, person), 409, "conflict")
    delete(ehr, reading)
    assert delete(ehr, person).status_code == 204
    gone(ehr.get(name_of(person)), 2)


def test_what_the_caller_cannot_see_keeps_no_patient(ehr: Caller, stranger: Caller, another: Callable[..., Caller]) -> None:
    """Law 3: a conflict over hidden data would tell that there is some. It stays, for whom it was there before."""
    recorder = another(recorder=True)
    person = ehr.create(patient())
    reading = ehr.create(observation(person["id"], HEART_RATE))
    permit = {
        "actor": [actor(recorder.account.organization)],
        "class": [{"system": "http://hl7.org/fhir/resource-types", "code": "Patient"}],
    }
    ehr.create(consent(person["id"], provision=permit))
    as_absent(recorder, recorder.get(name_of(reading)))
    assert delete(recorder, person).status_code == 204
    assert ehr.get(name_of(reading)).json() == reading
    assert ehr.found(f"Observation?patient={person['id']}") == [reading["id"]]
    assert delete(ehr, reading).status_code == 204


def test_consents_keep_no_patient_and_go_on_deciding(ehr: Caller, stranger: Caller, person: Json) -> None:
    """They would have to go first, and with them the right to delete the patient."""
    agreed = ehr.create(consent(person["id"], provision={"actor": [actor(stranger.account.organization)]}))
    assert delete(ehr, person).status_code == 204
    gone(stranger.get(name_of(person)), 2)
    ehr.update(agreed, status="inactive")
    as_absent(stranger, stranger.get(name_of(person)), "Patient")


def test_nothing_new_is_written_about_a_deleted_patient(ehr: Caller, person: Json, backstage: Backstage) -> None:
    """A reference to what is deleted is one to what is absent; a reading waits as one of an unpaired device."""
    backstage.pair(identifier_system("withings"), person["id"], name_of(person), from_us=0)
    assert [one["fate"] for one in ehr.fates("withings", weight(71_000), device=person["id"])] == ["stored"]
    for found in ehr.found(f"Observation?patient={person['id']}"):
        ehr.request("DELETE", f"Observation/{found}")
    assert delete(ehr, person).status_code == 204
    deleted, absent = (ehr.post("Observation", observation(id)) for id in (person["id"], ABSENT))
    assert (deleted.status_code, deleted.content) == (absent.status_code, absent.content) == (422, absent.content)
    assert [one["code"] for one in ehr.fates("withings", weight(72_000, 2), device=person["id"])] == ["device-not-paired"]


# Devices and readings


def test_a_device_that_is_worn_is_kept_until_it_is_taken_off(ehr: Caller, person: Json, backstage: Backstage) -> None:
    """Its readings would refer to nothing. Paired again it comes back under its id, as its next version."""
    system, unit = identifier_system("withings"), f"unit-{person['id']}"
    made = {"resourceType": "Device", "id": backstage.pair(system, unit, name_of(person), from_us=0).device.partition("/")[2]}
    refused(delete(ehr, made), 409, "conflict")
    backstage.unpair(system, unit)
    assert delete(ehr, made).status_code == 204
    gone(ehr.get(name_of(made)), 2)
    again = backstage.pair(system, unit, name_of(person), from_us=2_000_000_000_000_000)
    assert (again.device, again.registered) == (name_of(made), True)
    assert ehr.get(name_of(made)).headers["etag"] == 'W/"3"'


def test_a_device_that_nobody_wears_is_deleted(ehr: Caller) -> None:
    assert delete(ehr, ehr.create(device())).status_code == 204


def test_a_deleted_reading_stays_deleted_however_often_it_is_sent(ehr: Caller, person: Json, backstage: Backstage) -> None:
    """DESIGN 7: devices send again. The same value is a duplicate, another one goes to the history, as a late one does."""
    backstage.pair(identifier_system("withings"), person["id"], name_of(person), from_us=0)
    (stored,) = ehr.fates("withings", weight(71_000), device=person["id"])
    assert ehr.request("DELETE", stored["resource"]).status_code == 204
    (again,) = ehr.fates("withings", weight(71_000), device=person["id"])
    assert (again["fate"], ehr.get(stored["resource"]).headers["etag"]) == ("duplicate", 'W/"2"')
    (other,) = ehr.fates("withings", weight(72_000, modified=1_760_000_000), device=person["id"])
    assert (other["fate"], other["code"]) == ("corrected", "superseded")
    gone(ehr.get(stored["resource"]), 4)
    assert ehr.get(f"{stored['resource']}/_history/3").json()["valueQuantity"]["value"] == 72
    gone(ehr.get(f"{stored['resource']}/_history/2"), 2)
    assert ehr.found(f"Observation?patient={person['id']}") == []


def test_the_log_cannot_be_deleted(ehr: Caller, auditor: Caller) -> None:
    """Law 2: the log is written by the hub alone."""
    event = auditor.found("AuditEvent?_count=1")[0]
    for caller in (ehr, auditor):
        refused(caller.request("DELETE", f"AuditEvent/{event}"), 403, "forbidden")


def test_the_log_agrees_with_the_database_after_deletions(ehr: Caller, reading: Json, running: Any) -> None:
    """DESIGN 6: verify compares the current versions with the audited ones, tombstones included."""
    delete(ehr, reading)
    verified = running.process.command("audit", "verify", "--json")
    assert (verified.code, verified.json()["findings"]) == (0, [])
