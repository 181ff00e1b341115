"""FHIR create. https://hl7.org/fhir/R4/http.html#create"""

import pytest

from tests.support.caller import FHIR_JSON, Caller, ids
from tests.support.outcomes import issues, refused
from tests.support.resources import ABSENT, concept, consent, device, observation, organization, patient, practitioner

Json = dict[str, object]


def test_create_answers_where_the_resource_is_and_which_version(ehr: Caller) -> None:
    """http.html#create: 201, Location with id and version, ETag, Last-Modified."""
    answer = ehr.post("Organization", organization())
    made = answer.json()
    assert answer.status_code == 201
    assert answer.headers["location"] == f"{ehr.base}/Organization/{made['id']}/_history/1"
    assert answer.headers["etag"] == 'W/"1"'
    assert answer.headers["last-modified"]
    assert ehr.get(answer.headers["location"]).json() == made


def test_the_client_brings_neither_id_nor_version_nor_time(ehr: Caller) -> None:
    """http.html#create: the server ignores an id in the body, and populates meta.versionId and meta.lastUpdated."""
    brought = {"id": "mine", "meta": {"versionId": "7", "lastUpdated": "1999-01-01T00:00:00Z", "tag": [{"system": "urn:x", "code": "y"}]}}
    made = ehr.create(organization(**brought))
    assert made["id"] != "mine"
    assert made["meta"]["versionId"] == "1"
    assert made["meta"]["lastUpdated"] > "2026"
    assert made["meta"]["tag"] == [{"system": "urn:x", "code": "y"}]


def test_ids_tell_nothing_of_how_many_there_are(ehr: Caller) -> None:
    """SECURITY 2.4, 70: no number in ids; R4 allows 1 to 64 of A-Z a-z 0-9 - ."""
    made = {ehr.create(organization())["id"] for _ in range(4)}
    assert len(made) == 4
    assert all(len(id) == 22 and id.isalnum() for id in made)


def test_what_was_created_is_found_at_once(ehr: Caller) -> None:
    """FHIR.md 2b: read your writes; there is no search lag."""
    made = ehr.create(organization(identifier=[{"system": "urn:at-once", "value": "1"}]))
    assert made["id"] in ids(ehr.search("Organization?identifier=urn:at-once|1"))


@pytest.mark.parametrize("type", ["Account", "MedicinalProductPackaged"])
def test_a_resource_may_have_several_subjects(ehr: Caller, type: str) -> None:
    """account.html, medicinalproductpackaged.html: subject is 0..*, so it is an array."""
    required = {
        "Account": {"status": "active"},
        "MedicinalProductPackaged": {"packageItem": [{"type": {"text": "x"}, "quantity": {"value": 1}}]},
    }
    made = ehr.create({"resourceType": type, **required[type], "subject": [{"display": "one"}, {"display": "two"}]})
    assert ehr.get(f"{type}/{made['id']}").json()["subject"] == [{"display": "one"}, {"display": "two"}]


@pytest.mark.parametrize("returning", ["minimal", "representation", "OperationOutcome"])
def test_the_client_chooses_what_comes_back(ehr: Caller, returning: str) -> None:
    """http.html#ops: Prefer return=minimal | representation | OperationOutcome."""
    answer = ehr.post("Organization", organization("Choix"), headers={"Prefer": f"return={returning}"})
    assert answer.status_code == 201
    assert answer.headers["etag"] == 'W/"1"'
    assert answer.headers["location"]
    match returning:
        case "minimal":
            assert answer.content == b""
        case "representation":
            assert answer.json()["name"] == "Choix"
        case "OperationOutcome":
            assert issues(answer)[0]["severity"] == "information"


def test_an_unknown_preference_is_passed_over(ehr: Caller) -> None:
    """RFC 7240 2: a preference that is not understood is ignored."""
    answer = ehr.post("Organization", organization(), headers={"Prefer": "return=nonsense, other; x=y"})
    assert (answer.status_code, answer.json()["resourceType"]) == (201, "Organization")


@pytest.mark.parametrize(
    "lines",
    [
        ["RETURN=minimal"],
        ['return="minimal"'],
        ["return = minimal"],
        ["respond-async, return=minimal; x=y"],
        ["handling=lenient", "return=minimal"],
        ["return=minimal, return=representation"],
        ["return=minimal", "return=representation"],
    ],
)
def test_a_preference_counts_however_it_is_written(ehr: Caller, lines: list[str]) -> None:
    """RFC 7240 2: names in any case, values as tokens or quoted, in one header or several; of one name the first counts."""
    headers = [("Authorization", f"Bearer {ehr.token}"), ("Content-Type", FHIR_JSON), *(("Prefer", line) for line in lines)]
    answer = ehr.http.post("/fhir/Organization", json=organization(), headers=headers)
    assert (answer.status_code, answer.content) == (201, b"")


def without(resource: Json, name: str) -> Json:
    return {known: value for known, value in resource.items() if known != name}


INVALID: dict[str, tuple[Json, str]] = {
    "status missing": (without(observation(None, subject={"reference": "Location/x"}), "status"), "Observation.status"),
    "status unknown": (observation(None, subject={"reference": "Location/x"}, status="nonsense"), "Observation.status"),
    "not a list": (observation(None, subject={"reference": "Location/x"}, category={"text": "x"}), "Observation.category"),
    "unknown element": (organization(nonsense=1), "Organization"),
    "not a date": (patient(birthDate="31/12/1999"), "Patient.birthDate"),
    "not a boolean": (patient(active="true"), "Patient.active"),
    "empty string": (organization(""), "Organization.name"),
    "null": (organization(name=None), "Organization.name"),
    "two values": (observation(None, subject={"reference": "Location/x"}, valueString="x"), "Observation.value"),
    "deep inside": (patient(contact=[{"name": {"family": 7}}]), "Patient.contact[0].name.family"),
}


@pytest.mark.parametrize("what", INVALID)
def test_a_resource_that_r4_does_not_allow_is_refused_where_it_is_wrong(ehr: Caller, what: str) -> None:
    """http.html#create: 400 or 422 with an OperationOutcome. FHIR.md 4b, 11: with an expression on every one."""
    resource, expression = INVALID[what]
    answer = ehr.post(str(resource["resourceType"]), resource)
    assert answer.status_code in (400, 422)
    found = issues(answer)
    assert any(place.startswith(expression) for issue in found for place in issue["expression"]), found


def test_each_problem_is_named_with_its_place(ehr: Caller) -> None:
    """operationoutcome.html: one issue for each thing that is wrong."""
    wrong = patient(gender="x", birthDate="y", active=1)
    places = {place for issue in issues(ehr.post("Patient", wrong)) for place in issue["expression"]}
    assert places >= {"Patient.gender", "Patient.birthDate", "Patient.active"}


ACTING = {
    "script": "<script>alert(1)</script>",
    "event": '<p onclick="alert(1)">x</p>',
    "address": '<a href="javascript:alert(1)">x</a>',
    "blank before": '<a href=" javascript:alert(1)">x</a>',
    "control character before": '<a href="&#1;javascript:alert(1)">x</a>',
    "tab inside": '<a href="java&#9;script:alert(1)">x</a>',
    "style": "<style>p {}</style>",
}


@pytest.mark.parametrize("what", ACTING)
@pytest.mark.parametrize("where", ["text", "section"])
def test_a_narrative_that_acts_is_refused(ehr: Caller, what: str, where: str) -> None:
    """FHIR.md 4b.13: leading control characters included; not made harmless in silence, and nothing is stored."""
    narrative = {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml"><p>x</p>{ACTING[what]}</div>'}
    person = ehr.create(patient())
    resource: dict[str, object] = {
        "resourceType": "Composition",
        "status": "final",
        "type": {"text": "x"},
        "subject": {"reference": f"Patient/{person['id']}"},
        "date": "2026",
        "author": [{"display": "x"}],
        "title": "x",
    }
    resource |= {"text": narrative} if where == "text" else {"section": [{"text": narrative}]}
    refused(
        ehr.post("Composition", resource), 400, "value", expression=f"Composition.{'text' if where == 'text' else 'section[0].text'}.div"
    )
    assert ehr.found(f"Composition?patient={person['id']}") == []


def test_refusals_repeat_no_value(ehr: Caller) -> None:
    """Law 4: error texts name the place, never what stands there."""
    for wrong in (patient(birthDate="Zqcanary"), patient(gender="Zqcanary"), {"resourceType": "Patient", "Zqcanary Q": 1}):
        assert "Zqcanary" not in ehr.post("Patient", wrong).text


def test_the_body_must_be_of_the_type_in_the_url(ehr: Caller) -> None:
    """http.html#create: the resource posted is of the type in the URL."""
    refused(ehr.post("Patient", organization()), 400, "structure")
    refused(ehr.post("Patient", {"name": [{"family": "x"}]}), 400, "structure")


def test_a_type_that_the_hub_does_not_have_is_not_found(ehr: Caller) -> None:
    """http.html#create: 404 where the resource type is not supported."""
    refused(ehr.post("Parameters", {"resourceType": "Parameters"}), 404, "not-found")


def test_the_log_cannot_be_written_to(ehr: Caller) -> None:
    """Law 1 and 2: AuditEvents are made by the hub alone; no scope covers writing them."""
    refused(ehr.post("AuditEvent", {"resourceType": "AuditEvent"}), 403, "forbidden")
    refused(ehr.put(f"AuditEvent/{ABSENT}", {"resourceType": "AuditEvent", "id": ABSENT}), 403, "forbidden")


@pytest.mark.parametrize(
    "subject",
    [
        None,
        {"display": "somebody"},
        {"identifier": {"system": "urn:x", "value": "1"}},
        {"reference": "#patient"},
        {"reference": "Group/x"},
        {"reference": "http://elsewhere.example/fhir/Patient/1"},
        {"reference": "urn:uuid:3f2c0f5e-6d6a-4c5b-9d5b-0f6a3f1c7a10"},
    ],
    ids=["none", "display", "identifier", "contained", "group", "elsewhere", "urn"],
)
def test_whose_data_it_is_must_be_clear(ehr: Caller, subject: Json | None) -> None:
    """Law 1: without a Patient of this hub nobody's consent could be asked."""
    resource = observation(None, category="survey")
    if subject is not None:
        resource["subject"] = subject
    if subject == {"reference": "#patient"}:
        resource["contained"] = [{"resourceType": "Patient", "id": "patient"}]
    answer = ehr.post("Observation", resource)
    refused(answer, 422, "business-rule", expression="Observation.subject")


@pytest.mark.parametrize(
    ("wrong", "status", "code", "expression"),
    [
        ({"performer": [{"reference": "Somebody/1"}]}, 400, "value", "Observation.performer[0].reference"),
        ({"performer": [{"reference": "Device/1"}]}, 400, "structure", "Observation.performer[0].reference"),
        ({"device": {"reference": "#d"}}, 422, "invariant", "Observation.device.reference"),
        ({"contained": [{"resourceType": "Device", "id": "d"}]}, 422, "invariant", "Observation.contained[0]"),
    ],
)
def test_a_reference_that_r4_does_not_allow_is_refused(ehr: Caller, wrong: Json, status: int, code: str, expression: str) -> None:
    """references.html: form, type, and what is contained; nothing is stored."""
    made = ehr.create(patient())
    refused(ehr.post("Observation", observation(made["id"], **wrong)), status, code, expression=expression)
    assert ehr.found(f"Observation?patient={made['id']}") == []


def test_a_patient_may_be_named_with_our_own_base(ehr: Caller) -> None:
    """references.html#literal: an absolute URL of this server is the same reference."""
    made = ehr.create(patient())
    absolute = f"{ehr.base}/Patient/{made['id']}"
    stored = ehr.create(observation(None, subject={"reference": absolute}))
    assert stored["id"] in ehr.found(f"Observation?patient={made['id']}")


def test_a_reference_to_a_patient_that_does_not_exist_is_refused(ehr: Caller) -> None:
    """Law 1: a write that names a patient asks that patient's decision; nobody's is no."""
    refused(ehr.post("Observation", observation(ABSENT)), 422, "business-rule")
    refused(ehr.post("Device", device(patient={"reference": f"Patient/{ABSENT}"})), 422, "business-rule")


@pytest.mark.parametrize("resource", [patient(), consent(ABSENT)], ids=["Patient", "Consent"])
def test_only_recorders_create_patients_and_consents(reader: Caller, resource: Json) -> None:
    """Law 1: scope and the client's recorder permission instead of a consent."""
    refused(reader.post(str(resource["resourceType"]), resource), 403, "forbidden")


def test_who_is_no_recorder_creates_everything_else(reader: Caller, ehr: Caller) -> None:
    made = ehr.create(patient())
    for resource in (organization(), practitioner(), device(), observation(made["id"])):
        assert reader.post(resource["resourceType"], resource).status_code == 201


def test_a_patient_without_managing_organisation_gets_its_creators(ehr: Caller) -> None:
    """DESIGN 4: opt-out holds for patients whose managing organisation is the client's."""
    made = ehr.create(patient())
    assert made["managingOrganization"] == {"reference": ehr.account.organization}
    assert ehr.create(patient(managingOrganization={"reference": "Organization/other"})) is not None


def test_a_consent_that_the_hub_cannot_decide_by_is_refused_with_the_element(ehr: Caller) -> None:
    """docs/consent.md: never taken and followed only in part; 422 not-supported names the element."""
    made = ehr.create(patient())
    for provision, place in (
        ({"provision": [{"type": "deny"}]}, "Consent.provision.provision"),
        ({"securityLabel": [{"system": "urn:x", "code": "R"}]}, "Consent.provision.securityLabel"),
        ({"data": [{"meaning": "instance", "reference": {"reference": "Observation/x"}}]}, "Consent.provision.data"),
    ):
        refused(ehr.post("Consent", consent(made["id"], provision=provision)), 422, "not-supported", expression=place)
    assert ehr.search(f"Consent?patient={made['id']}&_summary=count")["total"] == 0


def test_what_is_refused_leaves_nothing_behind(ehr: Caller) -> None:
    """Law 5: not half there."""
    made = ehr.create(patient())
    refused(ehr.post("Observation", observation(made["id"], status="nonsense")), 422, "code-invalid")
    assert ehr.search(f"Observation?patient={made['id']}&_summary=count")["total"] == 0


def test_several_codings_and_french_letters_come_back_as_they_went_in(ehr: Caller) -> None:
    """http.html#mime-type: UTF-8; nothing is normalised on the way."""
    made = ehr.create(organization("Hôpital Œuvre — «Été» 🩺 ﬁ", alias=["e\u0301te\u0301"], type=[concept("urn:é", "ü")]))
    answer = ehr.get(f"Organization/{made['id']}")
    assert answer.json()["name"] == "Hôpital Œuvre — «Été» 🩺 ﬁ"
    assert answer.json()["alias"] == ["e\u0301te\u0301"]
