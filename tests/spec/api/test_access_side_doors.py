"""Side doors: writes that could show, or tell of, what their caller may not see.

DESIGN law 1 and 3; FHIR.md 0.4. Each test is of a door that once stood ajar.
"""

import base64
from collections.abc import Callable
from typing import Any

import pytest

from tests.spec.api.test_transaction import bundle, entry
from tests.support.backstage import Backstage
from tests.support.caller import Caller
from tests.support.outcomes import refused
from tests.support.resources import ABSENT, LOINC, WEIGHT, action, concept, consent, observation, organization, patient, replacing

Json = dict[str, Any]
JSON_PATCH = {"Content-Type": "application/json-patch+json"}
CAN_WRITE = {"action": [action("collect")]}


def provenance(target: str) -> Json:
    return {
        "resourceType": "Provenance",
        "target": [{"reference": target}],
        "recorded": "2026-05-01T10:00:00Z",
        "agent": [{"who": {"display": "Quelqu'un"}}],
    }


def binary(about: str) -> Json:
    data = base64.b64encode(b"x").decode()
    return {"resourceType": "Binary", "contentType": "text/plain", "securityContext": {"reference": about}, "data": data}


@pytest.mark.parametrize("tells_of", [provenance, binary])
def test_nothing_is_told_of_what_may_not_be_seen(ehr: Caller, stranger: Caller, tells_of: Callable[[str], Json]) -> None:
    """Law 1: a reference to something hidden is answered exactly like a reference to something absent."""
    person = ehr.create(patient())
    hidden = ehr.create(observation(person["id"]))
    ehr.create(consent(person["id"], provision=CAN_WRITE))
    seen = stranger.create(organization())
    for caller in (stranger, stranger.narrowed("system/Observation.crus?code=29463-7 system/Provenance.c system/Binary.c")):
        told = [tells_of(f"Observation/{id}") for id in (hidden["id"], ABSENT)]
        answers = [caller.post(one["resourceType"], one) for one in told]
        assert answers[0].content == answers[1].content
        refused(answers[0], 422, "business-rule")
    without_scope = stranger.narrowed("system/Provenance.c system/Binary.c")
    answers = [
        without_scope.post(one["resourceType"], one) for one in map(tells_of, (f"Organization/{seen['id']}", f"Organization/{ABSENT}"))
    ]
    assert answers[0].content == answers[1].content
    ehr.create(consent(person["id"]))
    assert stranger.post(tells_of("x")["resourceType"], tells_of(f"Observation/{hidden['id']}")).status_code == 201


def test_a_patch_of_a_consent_shows_it_to_no_recorder_who_may_not_see_it(ehr: Caller, another: Callable[..., Caller]) -> None:
    """docs/adr/0009: a recorder may write any Consent; reading one stays a matter of consent, and a patch reads."""
    elsewhere = another(recorder=True)
    person = ehr.create(patient())
    denied = ehr.create(consent(person["id"], "deny", provision={"code": [concept(LOINC, WEIGHT)]}))
    for operations in (
        "[]",
        '[{"op": "test", "path": "/provision/type", "value": "deny"}]',
        '[{"op": "test", "path": "/status", "value": "x"}]',
    ):
        answers = [elsewhere.request("PATCH", f"Consent/{id}", content=operations, headers=JSON_PATCH) for id in (denied["id"], ABSENT)]
        refused(answers[0], 404, "not-found")
        assert answers[0].content == answers[1].content
    told = {"resourceType": "Parameters", "parameter": [{"name": "meta", "valueMeta": {"tag": [{"code": "t"}]}}]}
    refused(elsewhere.post(f"Consent/{denied['id']}/$meta-add", told), 404, "not-found")
    assert elsewhere.put(f"Consent/{denied['id']}", {**denied, "status": "inactive"}).status_code == 200
    assert ehr.request("PATCH", f"Consent/{denied['id']}", content="[]", headers=JSON_PATCH).status_code == 200


AMENDED = '[{"op": "replace", "path": "/status", "value": "amended"}]'
TAGGED = {"resourceType": "Parameters", "parameter": [{"name": "meta", "valueMeta": {"tag": [{"system": "urn:t", "code": "t"}]}}]}


def patching(path: str, operations: str) -> Json:
    data = base64.b64encode(operations.encode()).decode()
    return bundle(entry("PATCH", path, {"resourceType": "Binary", "contentType": JSON_PATCH["Content-Type"], "data": data}))


def test_who_may_not_read_what_a_patch_leaves_is_not_shown_it(ehr: Caller) -> None:
    """SMART 2.2: u is to change, r to read. Whoever sends a whole resource knows it; whoever patches does not."""
    person = ehr.create(patient())
    first, second = (f"Observation/{ehr.create(observation(person['id']))['id']}" for _ in range(2))
    changer = ehr.narrowed("system/Observation.u?code=8867-4 system/Observation.r?status=final")
    alone = changer.request("PATCH", first, content=AMENDED, headers=JSON_PATCH)
    assert (alone.status_code, alone.content) == (200, b"")
    inside = changer.post("/fhir", patching(second, AMENDED), headers={"Prefer": "return=representation"})
    assert inside.json()["entry"][0]["response"]["status"] == "200 OK"
    assert "resource" not in inside.json()["entry"][0]
    assert {ehr.get(path).json()["status"] for path in (first, second)} == {"amended"}


TESTED = '[{"op": "test", "path": "/valueQuantity/value", "value": %s}]'


def test_a_patch_asks_nothing_of_what_its_caller_may_not_read(ehr: Caller) -> None:
    """Law 1: a test, a path that leads nowhere and a version that stays the same tell what is stored; u alone opens none of it."""
    person = ehr.create(patient())
    reading = ehr.create(observation(person["id"], value=71))
    path, operations = f"Observation/{reading['id']}", (TESTED % 71, TESTED % 72, AMENDED)
    changer, elsewhere = ehr.narrowed("system/Observation.u"), ehr.narrowed("system/Observation.cu system/Observation.rs?status=amended")
    for caller, status in ((changer, 403), (elsewhere, 404)):
        code = {403: "forbidden", 404: "not-found"}[status]
        for one in operations:
            answers = [caller.request("PATCH", where, content=one, headers=JSON_PATCH) for where in (path, f"Observation/{ABSENT}")]
            refused(answers[0], status, code)
            assert answers[0].content == answers[1].content
            refused(caller.post("/fhir", patching(path, one)), status, code)
        refused(caller.post(f"{path}/$meta-add", TAGGED), status, code)
    assert changer.put(path, {**reading, "status": "corrected"}).status_code == 200
    assert ehr.request("PATCH", path, content=TESTED % 71, headers=JSON_PATCH).status_code == 200


def test_whose_labels_were_gathered_is_in_the_log(ehr: Caller, backstage: Backstage) -> None:
    """Law 2: $meta of a type shows of whom it holds something, so each of them has a record of it."""
    person = ehr.create(patient(meta={"tag": [{"system": "urn:gathered", "code": "t"}]}))
    answer = ehr.get("Patient/$meta")
    assert "urn:gathered" in answer.text
    assert backstage.patient_token(person["id"]) in {one.patient for one in backstage.records(answer.headers["x-request-id"])}


def collection(*entries: Json) -> Json:
    return {"resourceType": "Bundle", "type": "collection", "entry": list(entries)}


Held = Callable[[str, str], Json]
"""(id of a patient, our base) -> an entry with that patient"""
HELD: dict[str, Held] = {
    "by its id": lambda who, _: {"resource": patient("Dedans", id=who)},
    "under a urn": lambda who, _: {"fullUrl": f"urn:uuid:{ABSENT[:8]}-0000-4000-8000-{ABSENT[:12]}", "resource": patient("Dedans", id=who)},
    "by both": lambda who, base: {"fullUrl": f"{base}/Patient/{who}", "resource": patient("Dedans", id=who)},
    "by its full URL": lambda who, base: {"fullUrl": f"{base}/Patient/{who}", "resource": patient("Dedans")},
    "in a Bundle inside": lambda who, _: {"resource": collection({"resource": patient("Dedans", id=who)})},
}


@pytest.mark.parametrize("entry", HELD.values(), ids=[*HELD])
def test_a_bundle_concerns_the_patients_who_lie_in_it(ehr: Caller, stranger: Caller, entry: Held) -> None:
    """Law 1: it shows them as much as a reference names them, so each must permit: to store it, and to see it."""
    seen, hidden = ehr.create(patient()), ehr.create(patient())
    ehr.create(consent(seen["id"]))
    about = {"resource": observation(seen["id"])}
    kept = ehr.create(collection(about, entry(hidden["id"], ehr.base)))
    assert stranger.get(f"Bundle/{kept['id']}").status_code == 404
    answers = [stranger.post("Bundle", collection(about, entry(id, ehr.base))) for id in (hidden["id"], ABSENT)]
    refused(answers[0], 422, "business-rule")
    assert answers[0].content == answers[1].content
    ehr.create(consent(hidden["id"]))
    assert stranger.get(f"Bundle/{kept['id']}").status_code == 200


def test_a_patient_of_another_server_in_a_bundle_is_none_of_ours(ehr: Caller) -> None:
    """bundle.html#bundle-unique: the full URL says whose id it is; that there is one of the same id here has nothing to do with it."""
    person = ehr.create(patient())
    elsewhere = {"fullUrl": "https://elsewhere.example/fhir/Patient/x1", "resource": patient("Ailleurs", id="x1")}
    assert ehr.post("Bundle", collection({"resource": observation(person["id"])}, elsewhere)).status_code == 201


@pytest.mark.parametrize("query", ["$stats?subject=Patient/{id}&code=29463-7&statistic=count&include=true", "$lastn?patient={id}&max=9"])
def test_what_is_made_of_many_readings_leaves_out_what_names_somebody_hidden(ehr: Caller, stranger: Caller, query: str) -> None:
    """Law 1: all patients whom a reading names must permit; law 3: it is left out as if it were not there."""
    one, other = ehr.create(patient()), ehr.create(patient())
    ehr.create(consent(one["id"]))
    plain = ehr.create(observation(one["id"], WEIGHT))
    naming = ehr.create(observation(one["id"], WEIGHT, performer=[{"reference": f"Patient/{other['id']}"}]))
    path = f"Observation/{query.format(id=one['id'])}"
    answer = stranger.get(path)
    assert answer.status_code == 200
    assert plain["id"] in answer.text
    assert naming["id"] not in answer.text
    ehr.request("DELETE", f"Observation/{naming['id']}")
    again = stranger.get(path)
    assert {name: value for name, value in again.json().items() if name not in ("id", "meta")} == {
        name: value for name, value in answer.json().items() if name not in ("id", "meta")
    }


@pytest.mark.parametrize("type", ["transaction", "batch"])
@pytest.mark.parametrize("what", ["POST Patient", "POST Consent", "PUT Consent", "DELETE Consent"])
def test_a_bundle_writes_no_patient_and_no_consent_for_who_is_no_recorder(ehr: Caller, reader: Caller, what: str, type: str) -> None:
    """Law 1, docs/adr/0009: inside a Bundle as outside; the same one from a recorder goes through."""
    person = ehr.create(patient())
    given = ehr.create(consent(person["id"]))
    method, name = what.split()
    content = None if method == "DELETE" else patient() if name == "Patient" else {**given, "dateTime": "2026-05-02"}
    sent = bundle(entry(method, name if method == "POST" else f"{name}/{given['id']}", content), type=type)
    answer = reader.post("/fhir", sent)
    if type == "transaction":
        refused(answer, 403, "forbidden")
    else:
        assert answer.json()["entry"][0]["response"]["status"].startswith("403")
    assert ehr.get(f"Consent/{given['id']}").json() == given
    assert ehr.post("/fhir", sent).is_success


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_an_entry_without_a_scope_is_forbidden_whether_its_target_is_there_or_not(ehr: Caller, method: str) -> None:
    """Law 1 and 3, SMART 2.2: the scope of each entry is asked before anything is looked for."""
    made, caller = ehr.create(organization()), ehr.narrowed("system/Organization.c")
    for id in (made["id"], ABSENT):
        content = {"PUT": organization("Autre", id=id), "PATCH": replacing("Organization.name", "Autre")}.get(method)
        answer = caller.post("/fhir", bundle(entry("POST", "Organization", organization()), entry(method, f"Organization/{id}", content)))
        refused(answer, 403, "forbidden")
    assert ehr.get(f"Organization/{made['id']}").json() == made


@pytest.mark.parametrize("path", ["Patient/{id}", "Patient?identifier=urn:side-door|{id}"])
def test_an_importer_who_is_no_recorder_creates_no_patient(another: Callable[..., Caller], importer: Caller, path: str) -> None:
    """Law 1, docs/adr/0009: an id of one's own is no leave to create; the same from a recorder goes through."""
    id = f"side-door-{len(path)}"
    brought = patient(id=id, identifier=[{"system": "urn:side-door", "value": id}])
    refused(another(importer=True, recorder=False).put(path.format(id=id), brought), 403, "forbidden")
    assert importer.get(f"Patient/{id}").status_code == 404
    assert importer.put(path.format(id=id), brought).status_code == 201
