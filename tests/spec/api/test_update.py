"""FHIR update. https://hl7.org/fhir/R4/http.html#update"""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.caller import FHIR_JSON, Caller
from tests.support.outcomes import issues, refused
from tests.support.resources import ABSENT, device, observation, organization, patient


def test_update_makes_a_new_version(ehr: Caller) -> None:
    """http.html#update: 200, the new version in ETag and meta, no Location asked for."""
    made = ehr.create(organization("Avant"))
    answer = ehr.put(f"Organization/{made['id']}", {**made, "name": "Après"})
    assert answer.status_code == 200
    assert answer.headers["etag"] == 'W/"2"'
    assert answer.json()["name"] == "Après"
    assert answer.json()["meta"]["versionId"] == "2"
    assert ehr.get(f"Organization/{made['id']}").json() == answer.json()


def test_the_old_content_is_found_no_more_and_the_new_one_is(ehr: Caller) -> None:
    """search.html: searches look at current versions."""
    made = ehr.create(organization(identifier=[{"system": "urn:update", "value": "old"}]))
    ehr.update(made, identifier=[{"system": "urn:update", "value": "new"}])
    assert ehr.found("Organization?identifier=urn:update|old") == []
    assert ehr.found("Organization?identifier=urn:update|new") == [made["id"]]


@pytest.mark.parametrize("if_match", ['W/"1"', '"1"', "*", 'W/"7", W/"1"', '"1","2"'])
def test_if_match_with_the_current_version_updates(ehr: Caller, if_match: str) -> None:
    """http.html#concurrency; RFC 9110 13.1.1: one version, several of which one is current, or any."""
    made = ehr.create(organization("Avant"))
    answer = ehr.put(f"Organization/{made['id']}", {**made, "name": "Après"}, headers={"If-Match": if_match})
    assert (answer.status_code, answer.headers["etag"]) == (200, 'W/"2"')


def test_several_lines_of_if_match_are_one_list(ehr: Caller) -> None:
    """RFC 9110 5.3: lines of the same name are one value, parted by commas."""
    made = ehr.create(organization("Avant"))
    sent = [("Authorization", f"Bearer {ehr.token}"), ("Content-Type", FHIR_JSON), ("If-Match", 'W/"7"'), ("If-Match", 'W/"1"')]
    answer = ehr.http.put(f"/fhir/Organization/{made['id']}", json={**made, "name": "Après"}, headers=sent)
    assert (answer.status_code, answer.headers["etag"]) == (200, 'W/"2"')


@pytest.mark.parametrize(
    "if_match", ['W/"1"', '"1"', 'W/"3"', 'W/"0"', "1", 'W/"1", W/"3"', "", "W/", 'W/"x"', "nonsense", 'W/"²"', '*, "2"']
)
def test_a_stale_or_malformed_if_match_is_refused(ehr: Caller, if_match: str) -> None:
    """http.html#concurrency: 412 when the version does not match; what cannot be a version matches none."""
    made = ehr.update(ehr.create(organization("Avant")), name="Après")
    answer = ehr.put(f"Organization/{made['id']}", {**made, "name": "Autre"}, headers={"If-Match": if_match.encode()})  # type: ignore[dict-item]
    refused(answer, 412, "conflict")
    assert ehr.get(f"Organization/{made['id']}").json()["meta"]["versionId"] == "2"


@pytest.mark.parametrize("if_none_match", ["*", 'W/"1"', 'W/"7", "1"'])
def test_if_none_match_forbids_what_is_there(ehr: Caller, if_none_match: str) -> None:
    """RFC 9110 13.1.2: `*` asks that there be nothing yet; a version, that it not be the current one."""
    made = ehr.create(organization("Avant"))
    answer = ehr.put(f"Organization/{made['id']}", {**made, "name": "Après"}, headers={"If-None-Match": if_none_match})
    refused(answer, 412, "conflict")
    assert ehr.get(f"Organization/{made['id']}").json() == made


def test_if_none_match_with_another_version_forbids_nothing(ehr: Caller) -> None:
    made = ehr.create(organization("Avant"))
    answer = ehr.put(f"Organization/{made['id']}", {**made, "name": "Après"}, headers={"If-None-Match": 'W/"7"'})
    assert (answer.status_code, answer.headers["etag"]) == (200, 'W/"2"')


def test_if_none_match_lets_an_importer_create_once(importer: Caller) -> None:
    """RFC 9110 13.1.2: "to prevent inadvertent modification of a resource that the client believes does not exist"."""
    brought, once = organization("Un", id="brought-once"), {"If-None-Match": "*"}
    assert importer.put("Organization/brought-once", brought, headers=once).status_code == 201
    refused(importer.put("Organization/brought-once", {**brought, "name": "Deux"}, headers=once), 412, "conflict")


def test_identical_content_makes_no_version(ehr: Caller) -> None:
    """http.html#update leaves it to the server: what changes nothing is answered with the version there is, and recorded."""
    made = ehr.create(organization("Même", identifier=[{"system": "urn:same", "value": "1"}]))
    reordered = {name: made[name] for name in sorted(made, reverse=True)}
    for body in (made, reordered, {**made, "meta": {"versionId": "9", "lastUpdated": "1999-01-01T00:00:00Z"}}):
        answer = ehr.put(f"Organization/{made['id']}", body)
        assert (answer.status_code, answer.headers["etag"], answer.json()) == (200, 'W/"1"', made)


def test_another_number_of_digits_is_another_content(ehr: Caller) -> None:
    """datatypes.html#decimal: 71.0 is more precise than 71."""
    person = ehr.create(patient())
    made = ehr.post("Observation", json.dumps(observation(person["id"], value=7100)).replace("7100", "71.0")).json()
    coarser = ehr.put(f"Observation/{made['id']}", {**made, "valueQuantity": {**made["valueQuantity"], "value": 71}})
    assert (coarser.status_code, coarser.headers["etag"]) == (200, 'W/"2"')


def test_of_many_who_update_one_version_one_succeeds(ehr: Caller) -> None:
    """http.html#concurrency: If-Match prevents the lost update."""
    made = ehr.create(organization())

    def attempt(name: str) -> int:
        return ehr.put(f"Organization/{made['id']}", {**made, "name": name}, headers={"If-Match": 'W/"1"'}).status_code

    with ThreadPoolExecutor(8) as threads:
        statuses = sorted(threads.map(attempt, map(str, range(8))))
    assert statuses == [200] + [412] * 7
    assert ehr.get(f"Organization/{made['id']}").json()["meta"]["versionId"] == "2"


def test_without_if_match_everybody_succeeds_one_after_the_other(ehr: Caller) -> None:
    """http.html#update: without If-Match the last one wins, and no version is lost."""
    made = ehr.create(organization())

    def attempt(name: str) -> int:
        return ehr.put(f"Organization/{made['id']}", {**made, "name": name}).status_code

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(attempt, map(str, range(4)))) == [200] * 4
    versions = [ehr.get(f"Organization/{made['id']}/_history/{version}").json()["name"] for version in (2, 3, 4, 5)]
    assert sorted(versions) == ["0", "1", "2", "3"]


@pytest.mark.parametrize("id", [None, "other", ""])
def test_the_id_in_the_body_must_be_the_one_in_the_url(ehr: Caller, id: str | None) -> None:
    """http.html#update: 400 if no id element is provided or it disagrees with the URL."""
    made = ehr.create(organization())
    body = {**made, "id": id} if id is not None else {name: value for name, value in made.items() if name != "id"}
    refused(ehr.put(f"Organization/{made['id']}", body), 400, "invalid", expression="Organization.id")


@pytest.mark.parametrize("returning", ["minimal", "OperationOutcome"])
def test_the_client_chooses_what_comes_back(ehr: Caller, returning: str) -> None:
    """http.html#ops"""
    made = ehr.create(organization())
    answer = ehr.put(f"Organization/{made['id']}", {**made, "name": "Après"}, headers={"Prefer": f"return={returning}"})
    assert answer.status_code == 200
    if returning == "minimal":
        assert answer.content == b""
    else:
        assert issues(answer)[0]["severity"] == "information"


def test_an_unknown_id_is_not_created(ehr: Caller) -> None:
    """Law 3: no update-as-create, or it would tell hidden from absent; the CapabilityStatement says updateCreate false."""
    refused(ehr.put(f"Organization/{ABSENT}", organization(id=ABSENT)), 404, "not-found")
    refused(ehr.put("Organization/mine", organization(id="mine")), 404, "not-found")


def test_importers_bring_their_ids(importer: Caller) -> None:
    """http.html#upsert, for clients registered as importers: 201 with Location, then 200."""
    first = importer.put("Organization/brought-1", organization("Un", id="brought-1"))
    assert first.status_code == 201
    assert first.headers["location"].endswith("/fhir/Organization/brought-1/_history/1")
    second = importer.put("Organization/brought-1", organization("Deux", id="brought-1"))
    assert (second.status_code, second.headers["etag"]) == (200, 'W/"2"')
    assert importer.get("Organization/brought-1").json()["name"] == "Deux"
    assert importer.get("Organization/brought-1/_history/1").json()["name"] == "Un"
    assert importer.found("Organization?_id=brought-1") == ["brought-1"]


def test_an_importer_who_expects_a_version_gets_none_created(importer: Caller) -> None:
    """http.html#concurrency: If-Match names a version, and there is none."""
    answer = importer.put("Organization/brought-2", organization(id="brought-2"), headers={"If-Match": 'W/"1"'})
    refused(answer, 404, "not-found")


@pytest.mark.parametrize("id", ["a" * 65, "under_score", "~tilde", "blank id"])
def test_an_importer_cannot_bring_what_is_no_id(importer: Caller, id: str) -> None:
    """datatypes.html#id: 1 to 64 of A-Z a-z 0-9 - ."""
    answer = importer.put(f"Organization/{id}", organization(id=id))
    assert answer.status_code in (400, 404, 422)
    issues(answer)


def test_a_resource_does_not_move_to_another_patient(ehr: Caller) -> None:
    """DESIGN 5: sealed under the patient's key; what is somebody else's is created there."""
    one, other = ehr.create(patient()), ehr.create(patient())
    made = ehr.create(observation(one["id"]))
    moved = {**made, "subject": {"reference": f"Patient/{other['id']}"}}
    refused(ehr.put(f"Observation/{made['id']}", moved), 422, "business-rule")


def test_update_as_another_type_is_not_found(ehr: Caller) -> None:
    """An id is of one type."""
    made = ehr.create(organization())
    refused(ehr.put(f"Device/{made['id']}", device(id=made["id"])), 404, "not-found")


def test_an_invalid_update_changes_nothing(ehr: Caller) -> None:
    made = ehr.create(organization())
    answer = ehr.put(f"Organization/{made['id']}", {**made, "active": "yes"})
    assert answer.status_code in (400, 422)
    assert issues(answer)[0]["expression"] == ["Organization.active"]
    assert ehr.get(f"Organization/{made['id']}").json() == made


@pytest.mark.parametrize("method", ["POST"])
def test_what_is_not_offered_is_refused_alike_for_everything(ehr: Caller, method: str) -> None:
    """http.html#Status-Codes: 405 for an interaction that the hub does not offer, hidden and absent alike (law 3)."""
    made = ehr.create(organization())
    answers = [ehr.request(method, f"Organization/{id}") for id in (made["id"], ABSENT)]
    assert answers[0].content == answers[1].content
    for answer in answers:
        refused(answer, 405, "not-supported")
        assert answer.headers["allow"]


def test_an_update_brings_back_what_was_deleted(ehr: Caller, stranger: Caller) -> None:
    """http.html#delete: 201, and the versions go on; by who could see the last one, for everybody else it is absent (law 3)."""
    person = ehr.create(patient())
    made = ehr.create(observation(person["id"]))
    path = f"Observation/{made['id']}"
    assert ehr.request("DELETE", path).status_code == 204
    refused(ehr.put(path, made, headers={"If-Match": 'W/"2"'}), 412, "conflict")
    refused(stranger.put(path, made), 404, "not-found")
    answer = ehr.put(path, made)
    assert (answer.status_code, answer.headers["etag"]) == (201, 'W/"3"')
    assert answer.headers["location"] == f"{ehr.base}/{path}/_history/3"
    assert ehr.get(path).json() == answer.json()
    assert ehr.found(f"Observation?patient={person['id']}") == [made["id"]]
