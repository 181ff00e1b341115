"""FHIR batch over HTTP. https://hl7.org/fhir/R4/http.html#brules"""

from typing import Any

from tests.spec.api.test_transaction import bundle, entry, location, statuses
from tests.support.backstage import Backstage
from tests.support.caller import Caller
from tests.support.outcomes import refused
from tests.support.resources import ABSENT, observation, organization, patient

Json = dict[str, Any]


def sent(caller: Caller, *entries: Json) -> Json:
    answer = caller.post("/fhir", bundle(*entries, type="batch"))
    assert answer.status_code == 200, answer.text
    made: Json = answer.json()
    assert (made["type"], len(made["entry"])) == ("batch-response", len(entries))
    return made


def test_each_entry_has_its_own_fate(ehr: Caller) -> None:
    """A bad entry takes no good one with it; answers in the order of the request."""
    person = ehr.create(patient())
    answer = sent(
        ehr,
        entry("POST", "Observation", observation(person["id"])),
        entry("POST", "Observation", {"resourceType": "Observation"}),
        entry("GET", f"Observation/{ABSENT}"),
        entry("GET", f"Patient/{person['id']}"),
        entry("GET", f"Observation?patient={person['id']}&_count=0"),
        entry("GET", f"Patient/{person['id']}/_history"),
        entry("GET", "Nothing/1"),
        entry("GET", f"Observation/$lastn?patient={person['id']}"),
    )
    assert statuses(answer) == ["201", "400", "404", "200", "200", "200", "404", "200"]
    assert ehr.get(location(answer, 0)).status_code == 200
    assert answer["entry"][1]["response"]["outcome"]["resourceType"] == "OperationOutcome"
    assert answer["entry"][3]["resource"] == person
    assert answer["entry"][5]["resource"]["type"] == "history"


def test_an_entry_that_is_none_takes_no_other_with_it(ehr: Caller) -> None:
    """http.html#brules: "the success or failure of one change should not alter" another's, also where it cannot be read."""
    answer = sent(
        ehr,
        entry("GET", "http://elsewhere.example/fhir/Patient/1"),
        {"resource": organization()},
        entry("POST", "Organization", organization()),
        entry("POST", "Organization"),
    )
    assert statuses(answer) == ["400", "400", "201", "400"]
    places = [one["response"]["outcome"]["issue"][0]["expression"] for one in answer["entry"] if "outcome" in one["response"]]
    assert places == [["Bundle.entry[0].request.url"], ["Bundle.entry[1].request"], ["Bundle.entry[3].resource"]]


def test_an_answer_tells_the_time_of_the_version_to_the_digit(ehr: Caller) -> None:
    """bundle.html: Bundle.entry.response.lastModified is meta.lastUpdated of the resource, milliseconds included."""
    made = ehr.create(organization())
    read = sent(ehr, entry("GET", f"Organization/{made['id']}"))["entry"][0]
    assert read["response"]["lastModified"] == read["resource"]["meta"]["lastUpdated"]


def test_conditional_interactions_inside(ehr: Caller) -> None:
    """FHIR.md 4b.5: in batch."""
    keyed = organization("Lot", identifier=[{"system": "urn:batch", "value": "1"}])
    first = sent(ehr, entry("POST", "Organization", keyed, ifNoneExist="identifier=urn:batch|1"))
    again = sent(ehr, entry("POST", "Organization", keyed, ifNoneExist="identifier=urn:batch|1"))
    assert (statuses(first), statuses(again), location(first, 0)) == (["201"], ["200"], location(again, 0))
    stale = sent(ehr, entry("PUT", location(first, 0), {**keyed, "id": location(first, 0).split("/")[1]}, ifMatch='W/"9"'))
    assert statuses(stale) == ["412"]


def test_whatever_can_be_asked_outside_can_be_asked_inside(ehr: Caller) -> None:
    """http.html#transaction: the base itself, and by POST a search or an operation whose parameters stand in the url."""
    made = ehr.create(organization())
    person = ehr.create(patient())
    answer = sent(
        ehr,
        entry("GET", f"?_type=Organization,Patient&_id={made['id']}"),
        entry("POST", f"Organization/_search?_id={made['id']}"),
        entry("POST", f"_search?_id={made['id']}&_type=Organization"),
        entry("POST", f"Patient/{person['id']}/$everything"),
        entry("GET", f"Patient/{person['id']}/*"),
        entry("GET", "_history?_count=1"),
    )
    assert statuses(answer) == ["200"] * 6
    assert [[one["resource"] for one in answer["entry"][place]["resource"]["entry"]] for place in range(3)] == [[made]] * 3
    assert answer["entry"][3]["resource"]["entry"][0]["resource"] == person


def test_an_empty_condition_is_refused_and_not_taken_for_none(ehr: Caller) -> None:
    """http.html#ccreate: criteria that say nothing match everything; what asks for a condition is never done without one."""
    keyed = organization("Lot", identifier=[{"system": "urn:batch", "value": "empty"}])
    answer = sent(ehr, entry("POST", "Organization", keyed, ifNoneExist=""))
    assert statuses(answer) == ["400"]
    assert ehr.found("Organization?identifier=urn:batch|empty") == []


def test_head_says_what_get_would_say_without_the_content(ehr: Caller) -> None:
    """RFC 9110 9.3.2, as outside of a batch."""
    made = ehr.create(organization())
    got, head = sent(ehr, entry("GET", f"Organization/{made['id']}"), entry("HEAD", f"Organization/{made['id']}"))["entry"]
    assert (got["resource"], head) == (made, {"response": got["response"]})


def test_what_comes_back_is_the_clients_to_choose(ehr: Caller) -> None:
    """http.html#ops: nothing but the response unless another is preferred; an outcome tells of the entry and is no resource of it."""
    made = ehr.create(organization())
    entries = [
        entry("POST", "Organization", organization()),
        entry("DELETE", f"Organization/{made['id']}"),
        entry("GET", f"Organization/{ehr.create(organization())['id']}"),
    ]
    expected = {
        "respond-async": [{"response"}, {"response"}, {"response", "resource"}],
        "return=representation": [{"response", "resource"}, {"response"}, {"response", "resource"}],
        "handling=lenient, return=OperationOutcome": [{"response"}, {"response"}, {"response", "resource"}],
    }
    for prefer, names in expected.items():
        answer = ehr.post("/fhir", bundle(*entries, type="batch"), headers={"Prefer": prefer}).json()["entry"]
        assert [set(one) for one in answer] == names
        assert ["outcome" in one["response"] for one in answer] == [prefer.endswith("OperationOutcome")] * 2 + [False]


def test_entries_that_depend_on_each_other_are_refused(ehr: Caller) -> None:
    """FHIR.md 4b.8: interdependent batch rejected."""
    urn = "urn:uuid:8c1a1a0e-0000-4000-8000-0000000000ba"
    entries = [
        entry("POST", "Patient", patient(), urn),
        entry("POST", "Observation", {**observation(None), "subject": {"reference": urn}}),
    ]
    refused(ehr.post("/fhir", bundle(*entries, type="batch")), 400, "invalid", expression="Bundle.entry[1].resource")


def test_each_entry_is_decided_and_recorded_by_itself(ehr: Caller, stranger: Caller, backstage: Backstage) -> None:
    """SMART 2.2 and law 2: entries are authorised one by one; each has its record beside that of the batch."""
    person = ehr.create(patient())
    answer = stranger.post("/fhir", bundle(entry("GET", f"Patient/{person['id']}"), entry("GET", f"Patient/{ABSENT}"), type="batch"))
    hidden, absent = answer.json()["entry"]
    assert hidden == absent
    records = backstage.records(answer.headers["x-request-id"])
    assert [(one.kind, one.outcome) for one in records].count(("read", "4")) == 4
    assert ("batch", "0") in [(one.kind, one.outcome) for one in records]
    narrow = ehr.narrowed("system/Organization.c")
    done = narrow.post(
        "/fhir", bundle(entry("POST", "Organization", organization()), entry("GET", f"Patient/{person['id']}"), type="batch")
    )
    assert statuses(done.json()) == ["201", "403"]


def test_a_provenance_beside_a_batch_is_refused(ehr: Caller) -> None:
    """provenance.html#header: it is of one write or of one unit; passed over in silence it would be missing."""
    beside = '{"resourceType": "Provenance", "recorded": "2026-05-01T10:00:00Z", "agent": [{"who": {"display": "x"}}]}'
    made = bundle(entry("POST", "Organization", organization("Sans", identifier=[{"system": "urn:beside", "value": "1"}])), type="batch")
    refused(ehr.post("/fhir", made, headers={"X-Provenance": beside}), 400, "not-supported")
    assert ehr.found("Organization?identifier=urn:beside|1") == []
