"""FHIR conditional update. https://hl7.org/fhir/R4/http.html#cond-update"""

import secrets
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.support.backstage import Backstage
from tests.support.caller import Caller
from tests.support.outcomes import refused
from tests.support.resources import consent, observation, organization, patient

Json = dict[str, object]
SYSTEM = "urn:conditional-update"


def fresh() -> Json:
    return {"system": SYSTEM, "value": secrets.token_hex(8)}


def put(caller: Caller, resource: Json, identifier: Json, **headers: str) -> httpx.Response:
    path = f"{resource['resourceType']}?identifier={identifier['system']}|{identifier['value']}"
    return caller.put(path, {**resource, "identifier": [identifier]}, headers=headers)


def test_where_nothing_matches_and_no_id_is_given_it_creates(ehr: Caller) -> None:
    """#cond-update: "No matches, no id provided: The server creates the resource"."""
    answer = put(ehr, organization(), fresh())
    assert (answer.status_code, answer.headers["etag"]) == (201, 'W/"1"')
    assert answer.headers["location"] == f"{ehr.base}/Organization/{answer.json()['id']}/_history/1"


def test_where_nothing_matches_only_an_importer_may_bring_an_id(ehr: Caller, importer: Caller) -> None:
    """#cond-update: "No matches, id provided: … Update as Create … (or rejects it)"; law 3."""
    refused(put(ehr, organization(id="brought-by-nobody"), fresh()), 400, "invalid", expression="Organization.id")
    answer = put(importer, organization(id="brought-on-condition"), fresh())
    assert (answer.status_code, answer.json()["id"]) == (201, "brought-on-condition")
    refused(put(importer, organization(id="brought-on-condition"), fresh()), 409, "conflict")


@pytest.mark.parametrize("with_id", [False, True])
def test_where_one_matches_it_is_updated(ehr: Caller, with_id: bool) -> None:
    """#cond-update: "One Match, no resource id provided OR (resource id provided and it matches the found resource)"."""
    identifier = fresh()
    made = put(ehr, organization("Un"), identifier).json()
    answer = put(ehr, organization("Deux", **({"id": made["id"]} if with_id else {})), identifier)
    assert (answer.status_code, answer.headers["etag"]) == (200, 'W/"2"')
    assert (answer.json()["id"], answer.json()["name"]) == (made["id"], "Deux")


def test_where_one_matches_another_id_is_refused(ehr: Caller) -> None:
    """#cond-update: "One Match, resource id provided but does not match resource found: … 400 Bad Request"."""
    identifier = fresh()
    put(ehr, organization(), identifier)
    refused(put(ehr, organization(id="another"), identifier), 400, "invalid", expression="Organization.id")


def test_where_several_match_it_is_refused(ehr: Caller) -> None:
    """#cond-update: "Multiple matches: … 412 Precondition Failed … criteria were not selective enough"."""
    identifier = fresh()
    for _ in range(2):
        ehr.create(organization(identifier=[identifier]))
    refused(put(ehr, organization(), identifier), 412, "multiple-matches")


def test_a_query_that_would_match_anything_is_refused(ehr: Caller) -> None:
    for query in ("", "?", "?_count=1", "?identifier=", "?nonsense=1"):
        assert ehr.put(f"Organization{query}", organization()).status_code == 400, query


def test_if_match_is_compared_with_the_match(ehr: Caller) -> None:
    """http.html#concurrency"""
    identifier = fresh()
    refused(put(ehr, organization(), identifier, **{"If-Match": "*"}), 412, "conflict")
    put(ehr, organization("Un"), identifier)
    refused(put(ehr, organization("Deux"), identifier, **{"If-Match": 'W/"2"'}), 412, "conflict")
    refused(put(ehr, organization("Deux"), identifier, **{"If-None-Match": "*"}), 412, "conflict")
    assert put(ehr, organization("Deux"), identifier, **{"If-Match": 'W/"1"'}).headers["etag"] == 'W/"2"'


def test_what_changes_nothing_makes_no_version(ehr: Caller) -> None:
    identifier = fresh()
    made = put(ehr, organization("Un"), identifier).json()
    answer = put(ehr, organization("Un"), identifier)
    assert (answer.status_code, answer.headers["etag"], answer.json()) == (200, 'W/"1"', made)


def test_a_match_that_is_hidden_is_no_match(ehr: Caller, stranger: Caller) -> None:
    """Law 3: what is hidden is neither updated nor in the way."""
    identifier, hidden, seen = fresh(), ehr.create(patient()), ehr.create(patient())
    ehr.create(consent(seen["id"]))
    first = put(ehr, observation(hidden["id"]), identifier)
    answer = put(stranger, observation(seen["id"]), identifier)
    assert (first.status_code, answer.status_code) == (201, 201)
    assert ehr.get(f"Observation/{first.json()['id']}").json() == first.json()


def test_it_is_recorded_as_an_update(ehr: Caller, backstage: Backstage) -> None:
    """Law 2"""
    identifier, person = fresh(), ehr.create(patient())
    for _ in range(2):
        answer = put(ehr, observation(person["id"], value=secrets.randbelow(100)), identifier)
        assert {one.kind for one in backstage.records(answer.headers["x-request-id"])} == {"update"}


def test_of_many_at_once_one_creates(ehr: Caller) -> None:
    """FHIR.md 4b.5: 32 at once; no second resource, and no version lost."""
    identifier = fresh()
    assert ehr.token
    with ThreadPoolExecutor(32) as threads:
        answers = list(threads.map(lambda number: put(ehr, organization(f"n{number}"), identifier), range(32)))
    assert sorted(answer.status_code for answer in answers) == [200] * 31 + [201]
    assert len(ehr.found(f"Organization?identifier={SYSTEM}|{identifier['value']}")) == 1
    assert sorted(int(answer.json()["meta"]["versionId"]) for answer in answers) == [*range(1, 33)]
