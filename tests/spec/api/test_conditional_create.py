"""FHIR conditional create. https://hl7.org/fhir/R4/http.html#ccreate"""

import secrets
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.support.backstage import Backstage
from tests.support.caller import Caller
from tests.support.outcomes import refused
from tests.support.resources import consent, observation, organization, patient

Json = dict[str, object]
SYSTEM = "urn:conditional-create"


def fresh() -> Json:
    """An identifier that nothing has."""
    return {"system": SYSTEM, "value": secrets.token_hex(8)}


def asking(identifier: Json) -> dict[str, str]:
    return {"If-None-Exist": f"identifier={identifier['system']}|{identifier['value']}"}


def create_unless(caller: Caller, resource: Json, identifier: Json, **headers: str) -> httpx.Response:
    return caller.post(str(resource["resourceType"]), {**resource, "identifier": [identifier]}, headers={**asking(identifier), **headers})


def test_where_nothing_matches_it_creates(ehr: Caller) -> None:
    """#ccreate: "No matches: The server processes the create as above"."""
    answer = create_unless(ehr, organization(), fresh())
    assert (answer.status_code, answer.headers["etag"]) == (201, 'W/"1"')
    assert answer.headers["location"].startswith(f"{ehr.base}/Organization/")


def test_where_one_matches_that_one_is_answered(ehr: Caller) -> None:
    """#ccreate: "One Match: The server ignores the post and returns 200 OK"; where it is and which version, too."""
    identifier = fresh()
    made = create_unless(ehr, organization("Un"), identifier).json()
    answer = create_unless(ehr, organization("Deux"), identifier)
    assert (answer.status_code, answer.headers["etag"]) == (200, 'W/"1"')
    assert answer.json() == made
    assert answer.headers["location"] == f"{ehr.base}/Organization/{made['id']}/_history/1"
    assert len(ehr.found(f"Organization?identifier={SYSTEM}|{identifier['value']}")) == 1


def test_where_several_match_it_is_refused(ehr: Caller) -> None:
    """#ccreate: "Multiple matches: The server returns a 412 Precondition Failed error"; two plain creates are legal."""
    identifier = fresh()
    for _ in range(2):
        ehr.create(organization(identifier=[identifier]))
    refused(create_unless(ehr, organization(), identifier), 412, "multiple-matches")
    assert len(ehr.found(f"Organization?identifier={SYSTEM}|{identifier['value']}")) == 2


@pytest.mark.parametrize(
    "criteria",
    ["", "?", "identifier=", "_count=1", "identifier=urn:x|1&_sort=name", "nonsense=1", "_summary=count", "identifier=urn:x|1&_total=none"],
)
def test_criteria_that_would_match_anything_are_refused(ehr: Caller, criteria: str) -> None:
    """#ccreate: "just the search parameters", none that shapes an answer; unknown ones would be ignored by a lenient search."""
    name = secrets.token_hex(8)
    answer = ehr.post("Organization", organization(name), headers={"If-None-Exist": criteria, "Prefer": "handling=lenient"})
    assert answer.status_code == 400, answer.text
    assert ehr.found(f"Organization?name={name}") == []


def test_a_match_is_recorded_as_a_read_and_a_create_as_a_create(ehr: Caller, backstage: Backstage) -> None:
    """DESIGN 6: "a match that the caller may see answers 200 and is recorded as a read"."""
    identifier, person = fresh(), ehr.create(patient())
    answers = [create_unless(ehr, observation(person["id"]), identifier) for _ in range(2)]
    for answer, kind in zip(answers, ("create", "read"), strict=True):
        records = backstage.records(answer.headers["x-request-id"])
        whose = {None, backstage.patient_token(person["id"])}
        assert [one.kind for one in records if one.patient in whose] == [kind, kind]
        # What is not there leaves as many records as what is hidden (law 3).
        assert [one.kind for one in records if one.patient not in whose] == (["create"] if kind == "create" else [])
        named = [entity["what"]["reference"] for entity in records[0].event["entity"] if "reference" in entity.get("what", {})]
        assert named == [f"Observation/{answers[0].json()['id']}/_history/1"]


def test_a_match_that_is_hidden_is_no_match(ehr: Caller, stranger: Caller) -> None:
    """Law 3: "a holder that is hidden loses the claim and the answer is 201"; each then finds its own."""
    identifier, hidden, seen = fresh(), ehr.create(patient()), ehr.create(patient())
    ehr.create(consent(seen["id"]))
    first = create_unless(ehr, observation(hidden["id"]), identifier)
    answer = create_unless(stranger, observation(seen["id"]), identifier)
    assert (first.status_code, answer.status_code) == (201, 201)
    again = create_unless(stranger, observation(seen["id"]), identifier)
    assert (again.status_code, again.json()["id"]) == (200, answer.json()["id"])


def test_what_does_not_match_any_more_loses_the_claim(ehr: Caller) -> None:
    """DESIGN 6: a holder that no longer matches is no match."""
    identifier = fresh()
    made = create_unless(ehr, organization(), identifier).json()
    ehr.update(made, identifier=[fresh()])
    answer = create_unless(ehr, organization(), identifier)
    assert answer.status_code == 201
    assert answer.json()["id"] != made["id"]


def test_who_may_not_search_the_type_creates_nothing_on_condition(ehr: Caller) -> None:
    """SMART 2.2: the criteria are a search, and need its letter."""
    writer = ehr.narrowed("system/Organization.cr")
    refused(create_unless(writer, organization(), fresh()), 403, "forbidden")
    assert create_unless(ehr.narrowed("system/Organization.cs"), organization(), fresh()).status_code == 201


def test_an_invalid_resource_is_refused_where_nothing_matches(ehr: Caller) -> None:
    identifier = fresh()
    refused(create_unless(ehr, organization(active="yes"), identifier), 400, "value")
    assert create_unless(ehr, organization(), identifier).status_code == 201


@pytest.mark.parametrize("returning", ["minimal", "representation"])
def test_the_client_chooses_what_comes_back(ehr: Caller, returning: str) -> None:
    """http.html#ops"""
    identifier = fresh()
    for status in (201, 200):
        answer = create_unless(ehr, organization(), identifier, Prefer=f"return={returning}")
        assert (answer.status_code, bool(answer.content)) == (status, returning == "representation")
        assert answer.headers["location"]


def test_of_many_at_once_one_creates_and_all_know_it(ehr: Caller) -> None:
    """FHIR.md 0.2 and 4b.5: 32 at once, whatever the way they write the same criteria."""
    identifier = fresh()
    value = f"{SYSTEM}|{identifier['value']}"
    ways = [f"identifier={value}", f"?identifier={value}&identifier={value}", f"identifier={value.replace(':', '%3A')}"]

    def attempt(number: int) -> httpx.Response:
        return ehr.post("Organization", organization(identifier=[identifier]), headers={"If-None-Exist": ways[number % len(ways)]})

    assert ehr.token
    with ThreadPoolExecutor(32) as threads:
        answers = list(threads.map(attempt, range(32)))
    assert sorted(answer.status_code for answer in answers) == [200] * 31 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len(ehr.found(f"Organization?identifier={value}")) == 1
