"""FHIR transaction over HTTP. https://hl7.org/fhir/R4/http.html#transaction"""

import json
from typing import Any

import pytest

from tests.support.backstage import Backstage
from tests.support.caller import Caller, ids
from tests.support.outcomes import refused
from tests.support.resources import ABSENT, HEART_RATE, consent, observation, organization, patient, practitioner, replacing

Json = dict[str, Any]


def entry(method: str, url: str, resource: Json | None = None, full_url: str | None = None, **request: str) -> Json:
    made: Json = {"request": {"method": method, "url": url, **request}}
    if resource is not None:
        made["resource"] = resource
    return {**made, **({"fullUrl": full_url} if full_url else {})}


def bundle(*entries: Json, type: str = "transaction") -> Json:
    return {"resourceType": "Bundle", "type": type, "entry": list(entries)}


def sent(caller: Caller, *entries: Json, **headers: str) -> Json:
    answer = caller.post("/fhir", bundle(*entries), headers=headers)
    assert answer.status_code == 200, answer.text
    made: Json = answer.json()
    assert (made["resourceType"], made["type"]) == ("Bundle", "transaction-response")
    assert len(made["entry"]) == len(entries)
    return made


def statuses(answer: Json) -> list[str]:
    return [one["response"]["status"][:3] for one in answer["entry"]]


def location(answer: Json, place: int) -> str:
    """Type/id of what the entry made."""
    found: str = answer["entry"][place]["response"]["location"]
    return found.partition("/fhir/")[2].partition("/_history/")[0]


ENDPOINT = {
    "status": "active",
    "connectionType": {"system": "http://terminology.hl7.org/CodeSystem/endpoint-connection-type", "code": "hl7-fhir-rest"},
    "payloadType": [{"text": "any"}],
}
PERSON, READING, DEVICE = "urn:uuid:8c1a1a0e-0000-4000-8000-000000000001", "urn:uuid:8c1a1a0e-0000-4000-8000-000000000002", "urn:uuid:3"


def upload(key: str) -> list[Json]:
    """What a personal health gateway sends first: everything conditional, so that it may be sent again."""
    system = "urn:gateway"
    reading = observation(None, HEART_RATE, 66, identifier=[{"system": system, "value": f"{key}-o"}], device={"reference": DEVICE})
    return [
        entry(
            "POST",
            "Observation",
            {**reading, "subject": {"reference": PERSON}},
            READING,
            ifNoneExist=f"identifier={system}|{key}-o",
        ),
        entry(
            "POST",
            "Patient",
            patient("Passerelle", identifier=[{"system": system, "value": key}]),
            PERSON,
            ifNoneExist=f"identifier={system}|{key}",
        ),
        entry(
            "POST",
            "Device",
            {"resourceType": "Device", "identifier": [{"system": system, "value": f"{key}-d"}]},
            DEVICE,
            ifNoneExist=f"identifier={system}|{key}-d",
        ),
    ]


def test_the_first_upload_of_a_gateway_and_the_same_again(ehr: Caller) -> None:
    """HL7 PHD: conditional creates of Patient, Device and Observation; links by urn:uuid; answers aligned; resent, nothing new."""
    first = sent(ehr, *upload("tx-1"))
    assert statuses(first) == ["201", "201", "201"]
    made = ehr.get(location(first, 0)).json()
    assert made["subject"] == {"reference": location(first, 1)}
    assert made["device"] == {"reference": location(first, 2)}
    again = sent(ehr, *upload("tx-1"))
    assert statuses(again) == ["200", "200", "200"]
    assert [location(again, place) for place in range(3)] == [location(first, place) for place in range(3)]


def test_verbs_come_in_their_order_and_answers_in_that_of_the_request(ehr: Caller) -> None:
    """FHIR.md 4b.8: DELETE, POST, PUT, GET whatever the order of the entries."""
    person = ehr.create(patient())
    gone, kept = ehr.create(observation(person["id"])), ehr.create(observation(person["id"], value=80))
    answer = sent(
        ehr,
        entry("GET", f"Observation/{kept['id']}"),
        entry("GET", f"Observation?patient={person['id']}&_total=accurate"),
        entry("PUT", f"Observation/{kept['id']}", {**kept, "status": "amended"}),
        entry("POST", "Observation", observation(person["id"], value=90)),
        entry("DELETE", f"Observation/{gone['id']}"),
    )
    assert statuses(answer) == ["200", "200", "200", "201", "204"]
    assert answer["entry"][0]["resource"]["status"] == "amended"
    assert answer["entry"][1]["resource"]["total"] == 2
    refused(ehr.get(f"Observation/{gone['id']}"), 410, "deleted")


def test_a_new_patient_with_consent_and_readings_at_once(ehr: Caller, stranger: Caller) -> None:
    """What the Consent of the same transaction permits holds for the rest of it, and for whom it names."""
    person = "urn:uuid:8c1a1a0e-0000-4000-8000-00000000000a"
    agreed = {**consent("x"), "patient": {"reference": person}}
    answer = sent(
        ehr,
        entry("POST", "Observation", {**observation(None), "subject": {"reference": person}}),
        entry("POST", "Consent", agreed),
        entry("POST", "Patient", patient("Ensemble"), person),
    )
    assert statuses(answer) == ["201"] * 3
    assert stranger.get(location(answer, 0)).status_code == 200


def test_links_are_written_anew_wherever_they_stand(ehr: Caller) -> None:
    """http.html#trules: references, uris, extensions, addresses in the narrative; a value of an identifier is no link."""
    urn = "urn:uuid:8c1a1a0e-0000-4000-8000-00000000000b"
    linked = {
        **organization("Liens"),
        "identifier": [{"system": "urn:ietf:rfc:3986", "value": urn}],
        "extension": [{"url": "urn:test:about", "valueUri": urn}, {"url": "urn:test:of", "valueReference": {"reference": urn}}],
        "text": {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml"><a href="{urn}">{urn}</a></div>'},
    }
    answer = sent(ehr, entry("POST", "Organization", organization("Cible"), urn), entry("POST", "Organization", linked))
    made, target = ehr.get(location(answer, 1)).json(), location(answer, 0)
    assert made["identifier"][0]["value"] == urn
    assert [made["extension"][0]["valueUri"], made["extension"][1]["valueReference"]["reference"]] == [target, target]
    assert f'<a href="{target}">{urn}</a>' in made["text"]["div"]


def test_a_canonical_and_what_only_looks_like_a_link_stay_as_they_are(ehr: Caller) -> None:
    """http.html#trules: elements of type uri and url are replaced, canonicals are not; an oid and a uuid can hold no other value."""
    urn, oid = "urn:uuid:8c1a1a0e-0000-4000-8000-0000000000cc", "urn:oid:1.2.3.77"
    kept = {
        "name": urn,
        "alias": [urn],
        "meta": {"profile": [urn]},
        "_name": {"extension": [{"url": "urn:test:uuid", "valueUuid": urn}]},
        "extension": [
            {"url": "urn:test:canonical", "valueCanonical": urn},
            {"url": "urn:test:oid", "valueOid": oid},
            {"url": "urn:test:text", "valueString": urn},
            {"url": "urn:test:deep", "extension": [{"url": "urn:test:uuid", "valueUuid": urn}]},
        ],
    }
    changed = {
        "partOf": {"reference": urn},
        "contained": [{"resourceType": "Endpoint", "id": "e", **ENDPOINT, "managingOrganization": {"reference": oid}, "address": urn}],
        "endpoint": [{"reference": "#e"}],
        "_alias": [{"extension": [{"url": "urn:test:uri", "valueUri": urn}]}],
    }
    sent_one = entry("POST", "Organization", {"resourceType": "Organization", **kept, **changed})
    answer = sent(ehr, entry("POST", "Organization", organization(), urn), entry("POST", "Organization", organization(), oid), sent_one)
    made, by_urn, by_oid = ehr.get(location(answer, 2)).json(), location(answer, 0), location(answer, 1)
    assert {name: made[name] for name in kept if name != "meta"} == {name: kept[name] for name in kept if name != "meta"}
    assert made["meta"]["profile"] == [urn]
    assert made["partOf"] == {"reference": by_urn}
    assert (made["contained"][0]["managingOrganization"], made["contained"][0]["address"]) == ({"reference": by_oid}, by_urn)
    assert made["_alias"][0]["extension"][0]["valueUri"] == by_urn


def test_relative_references_are_meant_from_the_full_url(ehr: Caller) -> None:
    """bundle.html#references"""
    answer = sent(
        ehr,
        entry("POST", "Patient", patient("Relative"), "http://elsewhere.example/fhir/Patient/77"),
        entry("POST", "Observation", observation("77"), "http://elsewhere.example/fhir/Observation/1"),
    )
    assert ehr.get(location(answer, 1)).json()["subject"] == {"reference": location(answer, 0)}


def test_conditional_references_with_one_none_and_many(ehr: Caller) -> None:
    """http.html#trules: exactly one must match, or the whole transaction fails."""
    key = [{"system": "urn:condref", "value": "1"}]
    person = ehr.create(patient("Conditionnelle", identifier=key))
    by_criteria = {**observation(None), "subject": {"reference": "Patient?identifier=urn:condref|1"}}
    answer = sent(ehr, entry("POST", "Observation", by_criteria))
    assert ehr.get(location(answer, 0)).json()["subject"] == {"reference": f"Patient/{person['id']}"}
    nobody = {**observation(None), "subject": {"reference": "Patient?identifier=urn:condref|2"}}
    where = "Bundle.entry[0].resource.subject.reference"
    refused(ehr.post("/fhir", bundle(entry("POST", "Observation", nobody))), 412, "conflict", expression=where)
    ehr.create(patient("Conditionnelle", identifier=key))
    refused(ehr.post("/fhir", bundle(entry("POST", "Observation", by_criteria))), 412, "multiple-matches", expression=where)


@pytest.mark.parametrize(
    ("bad", "status", "code"),
    [
        (entry("POST", "Observation", {"resourceType": "Observation"}), 400, "required"),
        (entry("POST", "Observation", observation(ABSENT)), 422, "business-rule"),
        (entry("PUT", f"Observation/{ABSENT}", {**observation(ABSENT), "id": ABSENT}), 404, "not-found"),
        (entry("DELETE", f"Observation/{ABSENT}"), 404, "not-found"),
        (entry("GET", f"Observation/{ABSENT}"), 404, "not-found"),
        (entry("GET", "Observation?date=never"), 400, "invalid"),
        (entry("POST", "Observation/$lastn", {"resourceType": "Parameters"}), 400, "not-supported"),
        (entry("POST", "Nothing", {"resourceType": "Nothing"}), 404, "not-found"),
        (entry("POST", "Patient", observation(ABSENT)), 400, "structure"),
        (entry("GET", "http://elsewhere.example/fhir/Patient/1"), 400, "invalid"),
        ({"request": {"method": "DANCE", "url": "Patient"}}, 400, "required"),
        ({"resource": {"resourceType": "Patient"}}, 400, "required"),
    ],
)
def test_one_entry_that_fails_leaves_nothing_of_the_others(ehr: Caller, backstage: Backstage, bad: Json, status: int, code: str) -> None:
    """FHIR.md 4b.8: all or nothing; the error says which entry."""
    name = organization(f"Jamais {status} {code}", identifier=[{"system": "urn:never", "value": f"{status}-{code}"}])
    before = backstage.admin["hub"]["resources"].count_documents({})
    answer = ehr.post("/fhir", bundle(entry("POST", "Organization", name), bad))
    found = refused(answer, status, code)
    assert all(one.startswith("Bundle.entry[1]") for one in found[0]["expression"])
    assert backstage.admin["hub"]["resources"].count_documents({}) == before
    assert ehr.found(f"Organization?identifier=urn:never|{status}-{code}") == []


def test_a_resource_may_be_written_once(ehr: Caller) -> None:
    """FHIR.md 4b.8: duplicate targets rejected."""
    made = ehr.create(organization())
    put = entry("PUT", f"Organization/{made['id']}", {**made, "name": "Autre"})
    refused(ehr.post("/fhir", bundle(put, put)), 400, "invalid")
    refused(ehr.post("/fhir", bundle(put, entry("DELETE", f"Organization/{made['id']}"))), 400, "invalid")
    twice = entry("POST", "Organization", organization(), ifNoneExist="identifier=urn:twice|1")
    refused(ehr.post("/fhir", bundle(twice, twice)), 400, "invalid")
    same = "urn:uuid:8c1a1a0e-0000-4000-8000-00000000000c"
    refused(ehr.post("/fhir", bundle(*(entry("POST", "Organization", organization(), same) for _ in range(2)))), 400, "invalid")
    assert ehr.get(f"Organization/{made['id']}").json() == made


def test_a_provenance_in_a_transaction_is_about_what_the_transaction_makes(ehr: Caller) -> None:
    """FHIR.md 4b.12: Provenance in transaction, its targets by urn:uuid."""
    urn = "urn:uuid:8c1a1a0e-0000-4000-8000-0000000000f0"
    person = ehr.create(patient())
    told = {
        "resourceType": "Provenance",
        "target": [{"reference": urn}],
        "recorded": "2026-11-22T12:00:00Z",
        "agent": [{"who": {"display": "somebody"}}],
    }
    answer = sent(ehr, entry("POST", "Provenance", told), entry("POST", "Observation", observation(person["id"]), urn))
    assert ehr.get(location(answer, 0)).json()["target"] == [{"reference": location(answer, 1)}]
    assert location(answer, 0).partition("/")[2] in ehr.found(f"Provenance?target={location(answer, 1)}")


def test_a_fault_inside_an_entry_is_named_by_its_path_from_the_bundle(ehr: Caller) -> None:
    """FHIR.md 4b.11; operationoutcome.html: expression resolves in what was sent, and a type is no element."""
    wrong = observation(None, subject={"reference": f"Location/{ABSENT}"}, status="nonsense")
    refused(
        ehr.post("/fhir", bundle(entry("POST", "Observation", wrong))), 422, "code-invalid", expression="Bundle.entry[0].resource.status"
    )
    keyed = entry("POST", "Organization", organization(), ifNoneExist="nonsense=1")
    refused(ehr.post("/fhir", bundle(keyed)), 400, "not-supported", expression="Bundle.entry[0].request.ifNoneExist")
    searched = entry("GET", "Observation?date=never")
    refused(ehr.post("/fhir", bundle(searched)), 400, "invalid", expression="Bundle.entry[0].request.url")


def test_conditional_update_patch_and_delete_inside(ehr: Caller) -> None:
    """FHIR.md 4b.5: in transaction."""
    keyed = organization("Conditions", identifier=[{"system": "urn:cond-tx", "value": "1"}])
    first = sent(ehr, entry("PUT", "Organization?identifier=urn:cond-tx|1", keyed))
    second = sent(ehr, entry("PUT", "Organization?identifier=urn:cond-tx|1", {**keyed, "name": "Seconde"}))
    assert (statuses(first), statuses(second), location(first, 0)) == (["201"], ["200"], location(second, 0))
    patch = replacing("Organization.name", "Troisième")
    third = sent(ehr, entry("PATCH", "Organization?identifier=urn:cond-tx|1", patch))
    assert (statuses(third), ehr.get(location(first, 0)).json()["name"]) == (["200"], "Troisième")
    fourth = sent(ehr, entry("DELETE", "Organization?identifier=urn:cond-tx|1"))
    assert statuses(fourth) == ["204"]
    refused(ehr.get(location(first, 0)), 410, "deleted")


def test_preconditions_of_entries_hold(ehr: Caller) -> None:
    made = ehr.create(organization())
    stale = entry("PUT", f"Organization/{made['id']}", {**made, "name": "Autre"}, ifMatch='W/"4"')
    refused(ehr.post("/fhir", bundle(stale)), 412, "conflict", expression="Bundle.entry[0].request.ifMatch")


def test_a_page_link_is_not_followed_in_a_transaction(ehr: Caller) -> None:
    """http.html#trules: all or nothing. Whether a link still holds is known only when everything else is written."""
    name = organization("Jamais", identifier=[{"system": "urn:paged", "value": "1"}])
    answer = ehr.post("/fhir", bundle(entry("POST", "Organization", name), entry("GET", "Organization?_page=x")))
    refused(answer, 400, "not-supported", expression="Bundle.entry[1].request.url")
    assert ehr.found("Organization?identifier=urn:paged|1") == []


def test_resources_come_along_where_they_are_preferred(ehr: Caller) -> None:
    """Prefer: return=representation; without it the response alone. bundle.html: lastModified is meta.lastUpdated, to the digit."""
    post = entry("POST", "Organization", organization())
    assert "resource" not in sent(ehr, post)["entry"][0]
    shown = sent(ehr, post, Prefer="return=representation")["entry"][0]
    assert shown["resource"]["meta"]["versionId"] == "1"
    assert shown["response"]["etag"] == 'W/"1"'
    assert shown["response"]["lastModified"] == shown["resource"]["meta"]["lastUpdated"]


@pytest.mark.parametrize(
    "url", ["?_type=Patient&_id=x", "_history", "Patient/_history", "Patient/x/_history", "Patient/x/Observation", "Patient/x/$everything"]
)
def test_what_a_transaction_does_not_take_is_refused_by_name(ehr: Caller, url: str) -> None:
    """Documented in writing.md; nothing of the transaction is done."""
    refused(ehr.post("/fhir", bundle(entry("GET", url))), 400, "not-supported", expression="Bundle.entry[0].request.url")


def test_another_preference_asks_for_no_resources(ehr: Caller) -> None:
    """RFC 7240 2: what is not understood is ignored; `return` was not said."""
    for prefer in ("respond-async", "handling=strict", "return=minimal, respond-async"):
        assert set(sent(ehr, entry("POST", "Organization", organization()), Prefer=prefer)["entry"][0]) == {"response"}


def test_an_outcome_of_each_write_comes_along_where_it_is_preferred(ehr: Caller) -> None:
    """http.html#ops: return=OperationOutcome. bundle.html: Bundle.entry.response.outcome tells of processing the entry."""
    made = ehr.create(organization())
    entries = [entry("POST", "Organization", organization()), entry("GET", f"Organization/{made['id']}")]
    written, read = sent(ehr, *entries, Prefer="return=OperationOutcome")["entry"]
    assert (set(written), written["response"]["outcome"]["issue"][0]["severity"]) == ({"response"}, "information")
    assert (read["resource"], "outcome" in read["response"]) == (made, False)


def test_each_entry_needs_its_scope(ehr: Caller) -> None:
    """SMART 2.2: entries are authorised one by one; FHIR.md 0.4."""
    narrow = ehr.narrowed("system/Organization.c")
    assert statuses(sent(narrow, entry("POST", "Organization", organization()))) == ["201"]
    for other in (entry("POST", "Device", {"resourceType": "Device"}), entry("GET", f"Organization/{ABSENT}")):
        refused(narrow.post("/fhir", bundle(entry("POST", "Organization", organization()), other)), 403, "forbidden")


def test_what_is_hidden_is_absent_inside_too(ehr: Caller, stranger: Caller) -> None:
    """Law 3: the same answer for a hidden target as for an absent one."""
    person = ehr.create(patient())
    reading = ehr.create(observation(person["id"]))
    for method, body in (("GET", None), ("DELETE", None), ("PUT", reading)):
        answers = [
            stranger.post("/fhir", bundle(entry(method, f"Observation/{id}", {**body, "id": id} if body else None)))
            for id in (reading["id"], ABSENT)
        ]
        assert answers[0].status_code == answers[1].status_code == 404
        assert answers[0].content == answers[1].content


def test_every_write_is_recorded_as_what_it_is(ehr: Caller, backstage: Backstage) -> None:
    """FHIR.md 4b.12: AuditEvent after create, update, delete; the transaction has one of its own; all with one request id."""
    person = ehr.create(patient())
    gone = ehr.create(observation(person["id"]))
    answer = ehr.post(
        "/fhir",
        bundle(
            entry("POST", "Observation", observation(person["id"])),
            entry("PUT", f"Patient/{person['id']}", {**person, "active": True}),
            entry("DELETE", f"Observation/{gone['id']}"),
        ),
    )
    records = backstage.records(answer.headers["x-request-id"])
    assert {(one.kind, one.outcome) for one in records} == {(kind, "0") for kind in ("create", "update", "delete", "transaction")}
    of_person = {one.kind for one in records if one.patient == backstage.patient_token(person["id"])}
    assert {"create", "update", "delete"} <= of_person


def test_what_is_found_instead_of_written_is_recorded_too(ehr: Caller, backstage: Backstage) -> None:
    """Law 2: a conditional create that finds its match, and an update that changes nothing, show what is there."""
    key = [{"system": "urn:found", "value": "1"}]
    person = ehr.create(patient("Trouvée", identifier=key))
    again = entry("POST", "Patient", patient("Trouvée", identifier=key), ifNoneExist="identifier=urn:found|1")
    for one in (again, entry("PUT", f"Patient/{person['id']}", person)):
        answer = ehr.post("/fhir", bundle(one), headers={"Prefer": "return=representation"})
        assert answer.json()["entry"][0]["resource"]["id"] == person["id"]
        records = backstage.records(answer.headers["x-request-id"])
        assert ("transaction", backstage.patient_token(person["id"])) in [(record.kind, record.patient) for record in records]


def test_provenance_tells_of_everything_written(ehr: Caller) -> None:
    """FHIR.md 4b.12: Provenance by X-Provenance."""
    told = {"resourceType": "Provenance", "recorded": "2026-11-22T12:00:00Z", "agent": [{"who": {"display": "somebody"}}]}
    person = ehr.create(patient())
    entries = [entry("POST", "Observation", observation(person["id"], value=value)) for value in (61, 62)]
    answer = sent(ehr, *entries, **{"X-Provenance": json.dumps(told)})
    assert statuses(answer) == ["201", "201"]
    found = ehr.search(f"Observation?patient={person['id']}&_revinclude=Provenance:target")
    (provenance,) = [one["resource"] for one in found["entry"] if one["search"]["mode"] == "include"]
    assert {one["reference"].partition("/_history/")[0] for one in provenance["target"]} == {f"Observation/{id}" for id in ids(found)}


@pytest.mark.parametrize("type", ["document", "collection", "history", "nonsense", None])
def test_other_bundles_are_refused_with_what_to_do(ehr: Caller, type: str | None) -> None:
    refused(ehr.post("/fhir", {**bundle(), "type": type}), 400, "not-supported", expression="Bundle.type")


def test_too_many_entries_are_refused_as_such(ehr: Caller) -> None:
    """FHIR.md 4b.11: limits with their own OperationOutcome."""
    one = entry("GET", f"Organization/{ABSENT}")
    refused(ehr.post("/fhir", bundle(*[one] * 1_001)), 413, "too-long", expression="Bundle.entry")


def test_too_many_conditional_references_are_refused_as_such(ehr: Caller) -> None:
    """FHIR.md 4b.11: each is a search, however many stand in one entry."""
    members = [{"entity": {"reference": f"Organization?identifier=urn:many|{number}"}} for number in range(1_001)]
    group = {"resourceType": "Group", "type": "practitioner", "actual": True, "member": members}
    refused(ehr.post("/fhir", bundle(entry("POST", "Group", group))), 413, "too-long", expression="Bundle.entry")


def test_an_empty_transaction_is_an_empty_answer(ehr: Caller) -> None:
    answer = ehr.post("/fhir", {"resourceType": "Bundle", "type": "transaction"})
    assert (answer.status_code, answer.json()) == (200, {"resourceType": "Bundle", "type": "transaction-response"})


NOWHERE = "urn:uuid:8c1a1a0e-0000-4000-8000-00000000dead"


@pytest.mark.parametrize(
    ("element", "expression"),
    [
        ({"subject": {"reference": NOWHERE}}, "subject.reference"),
        ({"performer": [{"display": "x"}, {"reference": NOWHERE}]}, "performer[1].reference"),
        ({"extension": [{"url": "urn:test:of", "valueReference": {"reference": NOWHERE}}]}, "extension[0].valueReference.reference"),
    ],
)
def test_a_link_to_no_entry_is_refused_and_nothing_is_written(ehr: Caller, backstage: Backstage, element: Json, expression: str) -> None:
    """bundle.html#references: a urn leads to the entry whose fullUrl it is; there is none."""
    person = ehr.create(patient())
    before = backstage.admin["hub"]["resources"].count_documents({})
    dangling = {**observation(person["id"]), **element}
    answer = ehr.post("/fhir", bundle(entry("POST", "Patient", patient(), PERSON), entry("POST", "Observation", dangling)))
    refused(answer, 400, "invalid", expression=f"Bundle.entry[1].resource.{expression}")
    assert backstage.admin["hub"]["resources"].count_documents({}) == before


def test_links_inside_a_bundle_that_is_stored_are_its_own(ehr: Caller) -> None:
    """bundle.html#references: they are resolved within the Bundle they stand in."""
    reading = observation(ehr.create(patient())["id"], hasMember=[{"reference": NOWHERE}])
    kept = {"resourceType": "Bundle", "type": "collection", "entry": [{"fullUrl": NOWHERE, "resource": reading}]}
    answer = ehr.post("/fhir", bundle(entry("POST", "Bundle", kept)))
    assert statuses(answer.json()) == ["201"], answer.text


def test_a_patch_brings_links_too(ehr: Caller) -> None:
    """http.html#trules: what a patch refers to is the resource that the same transaction makes; a link to nothing is refused."""
    made = ehr.create(organization())
    above = "urn:uuid:8c1a1a0e-0000-4000-8000-00000000000d"

    def patch(reference: str) -> Json:
        values = {"path": "Organization", "name": "partOf"}
        part = [{"name": name, "valueString": value} for name, value in values.items()]
        part += [{"name": "type", "valueCode": "add"}, {"name": "value", "valueReference": {"reference": reference}}]
        return {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": part}]}

    refused(ehr.post("/fhir", bundle(entry("PATCH", f"Organization/{made['id']}", patch(NOWHERE)))), 400, "invalid")
    answer = sent(ehr, entry("POST", "Organization", organization(), above), entry("PATCH", f"Organization/{made['id']}", patch(above)))
    assert ehr.get(f"Organization/{made['id']}").json()["partOf"] == {"reference": location(answer, 0)}


RENAME = replacing("Organization.name", "Par critère")


@pytest.mark.parametrize("by_id", ["PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("by_criteria", ["PUT", "PATCH", "DELETE"])
def test_a_resource_may_be_written_once_whichever_way_it_is_named(ehr: Caller, by_id: str, by_criteria: str) -> None:
    """http.html#trules: no identity, those resolved from criteria included, may be written twice."""
    value = f"{by_id}-{by_criteria}"
    made = ehr.create(organization("Une fois", identifier=[{"system": "urn:once", "value": value}]))
    bodies: dict[str, Json | None] = {"PUT": {**made, "name": "Autre"}, "PATCH": RENAME, "DELETE": None}
    entries = [
        entry(by_id, f"Organization/{made['id']}", bodies[by_id]),
        entry(by_criteria, f"Organization?identifier=urn:once|{value}", bodies[by_criteria]),
    ]
    for both in (entries, entries[::-1]):
        answer = ehr.post("/fhir", bundle(*both))
        # What is deleted matches no more when a change by criteria comes: that change creates, or finds nothing.
        if by_id == "DELETE" and by_criteria == "PATCH":
            refused(answer, 404, "not-found")
        elif by_id == "DELETE" and by_criteria == "PUT":
            refused(answer, 400, "invalid")
        else:
            refused(answer, 400, "invalid", expression="Bundle.entry[1].request.url")
    assert ehr.get(f"Organization/{made['id']}").json() == made


def test_what_is_deleted_by_the_same_transaction_matches_no_more(ehr: Caller) -> None:
    """http.html#trules: DELETE comes before POST, so a conditional create finds nothing and creates."""
    key = [{"system": "urn:replaced", "value": "1"}]
    old = ehr.create(organization("Ancienne", identifier=key))
    answer = sent(
        ehr,
        entry("POST", "Organization", organization("Nouvelle", identifier=key), ifNoneExist="identifier=urn:replaced|1"),
        entry("DELETE", f"Organization/{old['id']}"),
    )
    assert statuses(answer) == ["201", "204"]
    assert ehr.found("Organization?identifier=urn:replaced|1") == [location(answer, 0).split("/")[1]]


def test_what_is_created_by_the_same_transaction_is_not_changed_by_criteria(ehr: Caller) -> None:
    """http.html#trules: POST comes before PUT and PATCH, which would write the same resource a second time."""
    key = [{"system": "urn:made-here", "value": "1"}]
    post = entry("POST", "Organization", organization("Créée", identifier=key))
    put = entry("PUT", "Organization?identifier=urn:made-here|1", organization("Changée", identifier=key))
    refused(ehr.post("/fhir", bundle(put, post)), 400, "invalid", expression="Bundle.entry[0].request.url")
    assert ehr.found("Organization?identifier=urn:made-here|1") == []


def test_a_conditional_reference_finds_what_the_same_transaction_makes(ehr: Caller) -> None:
    """http.html#trules: conditional references are resolved after all the writes."""
    key = [{"system": "urn:cond-made", "value": "1"}]
    by_criteria = {**observation(None), "subject": {"reference": "Patient?identifier=urn:cond-made|1"}}
    answer = sent(ehr, entry("POST", "Observation", by_criteria), entry("POST", "Patient", patient("Faite", identifier=key)))
    assert ehr.get(location(answer, 0)).json()["subject"] == {"reference": location(answer, 1)}
    twice = bundle(entry("POST", "Observation", by_criteria), entry("POST", "Patient", patient("Faite", identifier=key)))
    refused(ehr.post("/fhir", twice), 412, "multiple-matches", expression="Bundle.entry[0].resource.subject.reference")


@pytest.mark.parametrize(("method", "matches"), [("PUT", False), ("PUT", True), ("PATCH", False), ("PATCH", True), ("DELETE", False)])
def test_a_conditional_reference_sees_what_the_same_transaction_changes(ehr: Caller, method: str, matches: bool) -> None:
    """http.html#trules: what an entry changes or deletes is asked as it will be."""
    asked = f"urn:cond-{method}-{matches}"
    before, after = ("urn:other", asked) if matches else (asked, "urn:other")
    made = ehr.create(organization("Changée", identifier=[{"system": before, "value": "1"}]))
    part = [
        {"name": "type", "valueCode": "replace"},
        {"name": "path", "valueString": "Organization.identifier[0].system"},
        {"name": "value", "valueUri": after},
    ]
    bodies: dict[str, Json | None] = {
        "PUT": {**made, "identifier": [{"system": after, "value": "1"}]},
        "PATCH": {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": part}]},
        "DELETE": None,
    }
    child = {**organization("Fille"), "partOf": {"reference": f"Organization?identifier={asked}|1"}}
    answer = ehr.post("/fhir", bundle(entry("POST", "Organization", child), entry(method, f"Organization/{made['id']}", bodies[method])))
    if not matches:
        refused(answer, 412, "conflict", expression="Bundle.entry[0].resource.partOf.reference")
        assert ehr.get(f"Organization/{made['id']}").json() == made
        return
    assert ehr.get(location(answer.json(), 0)).json()["partOf"] == {"reference": f"Organization/{made['id']}"}


def test_a_conditional_reference_takes_no_chain(ehr: Caller) -> None:
    """docs/writing.md: what a chain leads to may change with the same transaction."""
    chained = {**observation(None), "subject": {"reference": "Patient?organization.name=x"}}
    answer = ehr.post("/fhir", bundle(entry("POST", "Observation", chained)))
    refused(answer, 400, "not-supported", expression="Bundle.entry[0].resource.subject.reference")


def test_a_patient_may_be_deleted_with_all_there_is_about_it(ehr: Caller) -> None:
    """http.html#delete: nothing is left that would need the Patient."""
    person = ehr.create(patient())
    reading = ehr.create(observation(person["id"]))
    alone = bundle(entry("DELETE", f"Patient/{person['id']}"))
    refused(ehr.post("/fhir", alone), 409, "conflict", expression="Bundle.entry[0]")
    answer = sent(ehr, entry("DELETE", f"Patient/{person['id']}"), entry("DELETE", f"Observation/{reading['id']}"))
    assert statuses(answer) == ["204", "204"]
    refused(ehr.get(f"Patient/{person['id']}"), 410, "deleted")


def test_an_importers_id_is_what_links_lead_to(importer: Caller) -> None:
    """http.html#upsert: a conditional update that finds nothing takes the id in the body."""
    urn = "urn:uuid:8c1a1a0e-0000-4000-8000-00000000000e"
    brought = organization("Apportée", id="brought-in-tx", identifier=[{"system": "urn:brought", "value": "1"}])
    answer = sent(
        importer,
        entry("PUT", "Organization?identifier=urn:brought|1", brought, urn),
        entry("POST", "Organization", {**organization("Fille"), "partOf": {"reference": urn}}),
    )
    assert location(answer, 0) == "Organization/brought-in-tx"
    assert importer.get(location(answer, 1)).json()["partOf"] == {"reference": "Organization/brought-in-tx"}


def test_a_search_without_scope_ends_the_transaction_before_it_begins(ehr: Caller) -> None:
    """http.html#trules: all of it or nothing, searches included."""
    narrow = ehr.narrowed("system/Organization.c")
    name = [{"system": "urn:no-search", "value": "1"}]
    both = bundle(entry("GET", "Patient?name=x"), entry("POST", "Organization", organization(identifier=name)))
    refused(narrow.post("/fhir", both), 403, "forbidden", expression="Bundle.entry[0]")
    assert ehr.found("Organization?identifier=urn:no-search|1") == []


def test_a_read_inside_may_be_conditional(ehr: Caller) -> None:
    """http.html#cread, bundle.html: ifNoneMatch and ifModifiedSince stand for the headers."""
    made = ehr.create(organization())
    url, later = f"Organization/{made['id']}", "2126-01-01T00:00:00Z"
    for kind in ("transaction", "batch"):
        entries = [
            entry("GET", url, ifNoneMatch='W/"1"'),
            entry("GET", url, ifNoneMatch='W/"2"'),
            entry("GET", url, ifModifiedSince=later),
            entry("GET", url, ifModifiedSince="2020-01-01T00:00:00Z"),
        ]
        answer = ehr.post("/fhir", bundle(*entries, type=kind)).json()
        assert statuses(answer) == ["304", "200", "304", "200"]
        assert ["resource" in one for one in answer["entry"]] == [False, True, False, True]
    bad = bundle(entry("GET", url, ifModifiedSince="Sun, 06 Nov 1994 08:49:37 GMT"))
    refused(ehr.post("/fhir", bad), 400, "value", expression="Bundle.entry[0].request.ifModifiedSince")


@pytest.mark.parametrize("kind", ["transaction", "batch"])
def test_criteria_may_hold_any_character(ehr: Caller, kind: str) -> None:
    """http.html#ccreate: ifNoneExist is an element, not a header: its letters are those of any text."""
    named = entry("POST", "Practitioner", practitioner(f"Lecœur {kind}"), ifNoneExist=f"name=Lecœur {kind}")
    answers = [ehr.post("/fhir", bundle(named, type=kind)).json() for _ in range(2)]
    assert [statuses(one) for one in answers] == [["201"], ["200"]]
