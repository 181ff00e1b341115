"""Consent and policy over HTTP: who sees whom, and that hidden equals absent.

DESIGN laws 1 and 3; docs/consent.md; SECURITY 2.4. The two-world test beside this one asks everything at once; here each
rule is a sentence.
"""

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.backstage import Backstage
from tests.support.caller import Caller, ids
from tests.support.outcomes import refused
from tests.support.resources import (
    ABSENT,
    HEART_RATE,
    LOINC,
    OBSERVATION_CATEGORY,
    WEIGHT,
    action,
    actor,
    consent,
    device,
    observation,
    organization,
    patient,
    practitioner,
    purpose,
)

Json = dict[str, Any]


@pytest.fixture
def person(ehr: Caller) -> Json:
    return ehr.create(patient())


@pytest.fixture
def reading(ehr: Caller, person: Json) -> Json:
    return ehr.create(observation(person["id"]))


def sees(caller: Caller, resource: Json) -> bool:
    """By read, vread and search alike; where it is not seen, exactly as an absent one (law 3)."""
    type, id = resource["resourceType"], resource["id"]
    read, found = caller.get(f"{type}/{id}"), caller.search(f"{type}?_id={id}&_total=accurate")
    visible = read.status_code == 200
    assert ids(found) == ([id] if visible else [])
    assert found["total"] == (1 if visible else 0)
    assert (caller.get(f"{type}/{id}/_history/1").status_code == 200) is visible
    if not visible:
        absent = caller.get(f"{type}/{ABSENT}")
        assert (read.status_code, read.content) == (absent.status_code, absent.content) == (404, read.content)
    return visible


def test_without_consent_there_is_nothing(stranger: Caller, person: Json, reading: Json) -> None:
    """Law 1: silence means no."""
    assert not sees(stranger, person)
    assert not sees(stranger, reading)


def test_care_goes_on_within_the_organisation_that_manages_the_patient(ehr: Caller, reader: Caller, person: Json, reading: Json) -> None:
    """Opt-out: for treatment, by the patient's own organisation (CSP L.1110-4)."""
    assert sees(ehr, reading)
    assert sees(reader, reading)
    assert sees(reader, person)


def test_opt_out_is_for_ones_own_patients_only(another: Callable[..., Caller], person: Json) -> None:
    assert not sees(another(consent_default="opt-out"), person)


def test_opt_out_is_for_treatment_only(another: Callable[..., Caller], ehr: Caller, person: Json) -> None:
    same = another(organization=ehr.account.organization, consent_default="opt-out", purpose="HRESCH")
    assert not sees(same, person)


def test_a_consent_opens_and_its_end_closes_at_once(ehr: Caller, stranger: Caller, person: Json, reading: Json) -> None:
    """GDPR Art. 7(3): after withdrawal, processing based on the consent ends, on the next request."""
    agreed = ehr.create(consent(person["id"]))
    assert sees(stranger, reading)
    withdrawn = ehr.update(agreed, status="inactive")
    assert not sees(stranger, reading)
    ehr.update(withdrawn, status="active")
    assert sees(stranger, reading)


@pytest.mark.parametrize("status", ["draft", "proposed", "rejected", "inactive", "entered-in-error"])
def test_only_an_active_consent_counts(ehr: Caller, stranger: Caller, person: Json, reading: Json, status: str) -> None:
    """Reading 1."""
    ehr.create(consent(person["id"], status=status))
    assert not sees(stranger, reading)


@pytest.mark.parametrize(
    ("provision", "visible"),
    [
        ({"period": {"start": "2020-01-01", "end": "2021-01-01"}}, False),
        ({"period": {"start": "2126-01-01"}}, False),
        ({"period": {"start": "2020-01-01", "end": "2126-01-01"}}, True),
        ({"purpose": [purpose("TREAT")]}, True),
        ({"purpose": [purpose("HRESCH")]}, False),
        ({"actor": [actor("Organization/other")]}, False),
        ({"action": [action("access")]}, True),
        ({"action": [action("collect")]}, False),
        ({"class": [{"system": "http://hl7.org/fhir/resource-types", "code": "Observation"}]}, True),
        ({"class": [{"system": "http://hl7.org/fhir/resource-types", "code": "Device"}]}, False),
        ({"class": [{"system": OBSERVATION_CATEGORY, "code": "vital-signs"}]}, True),
        ({"class": [{"system": OBSERVATION_CATEGORY, "code": "laboratory"}]}, False),
        ({"code": [{"coding": [{"system": LOINC, "code": HEART_RATE}]}]}, True),
        ({"code": [{"coding": [{"system": LOINC, "code": WEIGHT}]}]}, False),
        ({"dataPeriod": {"start": "2026-01-01", "end": "2026-12-31"}}, True),
        ({"dataPeriod": {"start": "2025-01-01", "end": "2025-12-31"}}, False),
    ],
)
def test_a_permit_opens_what_it_names(ehr: Caller, stranger: Caller, person: Json, reading: Json, provision: Json, visible: bool) -> None:
    """docs/consent.md: each element of a provision constrains; what does not match is silence."""
    ehr.create(consent(person["id"], provision=provision))
    assert sees(stranger, reading) is visible


@pytest.mark.parametrize(
    ("provision", "visible"),
    [
        ({}, False),
        ({"purpose": [purpose("TREAT")]}, False),
        ({"purpose": [purpose("HRESCH")]}, True),
        ({"period": {"end": "2021-01-01"}}, True),
        ({"class": [{"system": OBSERVATION_CATEGORY, "code": "vital-signs"}]}, False),
        ({"class": [{"system": OBSERVATION_CATEGORY, "code": "laboratory"}]}, True),
        ({"code": [{"coding": [{"system": LOINC, "code": HEART_RATE}]}]}, False),
        ({"code": [{"coding": [{"system": LOINC, "code": WEIGHT}]}]}, True),
        ({"dataPeriod": {"start": "2026-03-01T10:00:00Z", "end": "2026-03-01T10:00:00Z"}}, False),
        ({"dataPeriod": {"end": "2026-02-28"}}, True),
        ({"actor": [actor("Organization/other")]}, True),
    ],
)
def test_a_deny_closes_what_it_names(ehr: Caller, reader: Caller, person: Json, reading: Json, provision: Json, visible: bool) -> None:
    """Reading 10: a deny beats permits and policy; only where it matches."""
    ehr.create(consent(person["id"]))
    ehr.create(consent(person["id"], "deny", provision=provision))
    assert sees(reader, reading) is visible


@pytest.mark.parametrize(
    "provision",
    [
        {"class": [{"system": OBSERVATION_CATEGORY, "code": "laboratory"}]},
        {"code": [{"coding": [{"system": LOINC, "code": "2339-0"}]}]},
        {"dataPeriod": {"end": "2020-12-31"}},
    ],
)
def test_bytes_are_as_sensitive_as_what_is_denied(ehr: Caller, reader: Caller, person: Json, reading: Json, provision: Json) -> None:
    """R4 binary.html, Binary.securityContext: nobody can look into a PDF to tell that it is not about what the patient denies."""
    ehr.create(consent(person["id"]))
    report = ehr.create(
        {
            "resourceType": "Binary",
            "contentType": "application/pdf",
            "data": "JVBERi0=",
            "securityContext": {"reference": f"Observation/{reading['id']}"},
        }
    )
    assert sees(reader, report)
    ehr.create(consent(person["id"], "deny", provision=provision))
    assert not sees(reader, report)
    assert sees(reader, reading)


def test_a_permit_for_one_organisation_is_for_that_one(
    ehr: Caller, stranger: Caller, another: Callable[..., Caller], person: Json, reading: Json
) -> None:
    """Reading 4."""
    ehr.create(consent(person["id"], provision={"actor": [actor(stranger.account.organization)]}))
    assert sees(stranger, reading)
    assert not sees(another(), reading)


def test_who_consented_is_seen_and_who_did_not_is_not_counted(ehr: Caller, stranger: Caller) -> None:
    """SECURITY 2.4 (7, 9): totals and pages of a search over patients are of what may be seen."""
    people = [ehr.create(patient("Zqcompte")) for _ in range(6)]
    for one in people[::2]:
        ehr.create(consent(one["id"]))
    pages = stranger.pages("Patient?name=Zqcompte&_count=2&_total=accurate&_sort=_id")
    assert [page["total"] for page in pages] == [3, 3]
    assert [id for page in pages for id in ids(page)] == sorted(one["id"] for one in people[::2])


def test_consents_themselves_are_data_of_the_patient(ehr: Caller, stranger: Caller, person: Json) -> None:
    """SECURITY 2.4 (52): the search for Consents asks consent as well."""
    denied = ehr.create(consent(person["id"], "deny", provision={"purpose": [purpose("HRESCH")]}))
    assert not sees(stranger, denied)
    agreed = ehr.create(consent(person["id"], provision={"actor": [actor(stranger.account.organization)]}))
    assert sees(stranger, agreed)


@pytest.mark.parametrize("element", ["performer", "hasMember", "note", "extension"])
def test_whoever_else_is_named_must_permit_too(ehr: Caller, stranger: Caller, element: str) -> None:
    """DESIGN 5: other patients whom a resource names are tokens in the row, and all of them must permit."""
    one, other = ehr.create(patient()), ehr.create(patient())
    ehr.create(consent(one["id"]))
    reference = {"reference": f"Patient/{other['id']}"}
    naming: Json = {
        "performer": {"performer": [reference]},
        "hasMember": {"hasMember": [{"reference": "Observation/x", "extension": [{"url": "urn:x", "valueReference": reference}]}]},
        "note": {"note": [{"text": "x", "authorReference": reference}]},
        "extension": {"extension": [{"url": "urn:x", "valueReference": reference}]},
    }[element]
    made = ehr.create(observation(one["id"], **naming))
    plain = ehr.create(observation(one["id"]))
    assert sees(stranger, plain)
    assert not sees(stranger, made)
    assert stranger.search(f"Observation?patient={one['id']}&_summary=count")["total"] == 1
    ehr.create(consent(other["id"]))
    assert sees(stranger, made)
    assert stranger.search(f"Observation?patient={one['id']}&_summary=count")["total"] == 2


def by_extension(id: str) -> list[Json]:
    return [{"url": "urn:x", "valueReference": {"reference": f"Patient/{id}"}}]


NAMING: tuple[Callable[[str], Json], ...] = (
    observation,
    lambda hidden: device(patient={"reference": f"Patient/{hidden}"}),
    lambda hidden: organization(extension=by_extension(hidden)),
    lambda hidden: practitioner(meta={"extension": by_extension(hidden)}),
)


def test_nobody_writes_about_somebody_hidden(ehr: Caller, stranger: Caller, person: Json) -> None:
    """Law 1: a reference to something hidden is answered exactly like a reference to something absent."""
    for naming in NAMING:
        answers = [stranger.post(one["resourceType"], one) for one in map(naming, (person["id"], ABSENT))]
        assert answers[0].content == answers[1].content
        refused(answers[0], 422, "business-rule")


@pytest.mark.parametrize(("code", "reads", "writes"), [("access", True, False), ("collect", False, True)])
def test_to_see_and_to_write_are_two_things(
    ehr: Caller, stranger: Caller, person: Json, reading: Json, code: str, reads: bool, writes: bool
) -> None:
    """docs/consent.md: access is every way of seeing, collect every way of writing; what is not seen is not there to be changed."""
    ehr.create(consent(person["id"], provision={"action": [action(code)]}))
    assert sees(stranger, reading) is reads
    assert (stranger.post("Observation", observation(person["id"])).status_code == 201) is writes
    assert stranger.put(f"Observation/{reading['id']}", reading).status_code == 404
    ehr.create(consent(person["id"]))
    assert stranger.put(f"Observation/{reading['id']}", reading).status_code == 200


@pytest.mark.parametrize("if_match", [None, 'W/"1"', 'W/"7"', "nonsense"])
def test_to_update_what_is_hidden_is_to_update_what_is_absent(stranger: Caller, reading: Json, if_match: str | None) -> None:
    """SECURITY 2.4 (42, 48)."""
    headers = {} if if_match is None else {"If-Match": if_match}
    answers = [stranger.put(f"Observation/{id}", {**reading, "id": id}, headers=headers) for id in (reading["id"], ABSENT)]
    assert answers[0].status_code == answers[1].status_code == (412 if if_match == "nonsense" else 404)
    assert answers[0].content == answers[1].content


def test_a_paired_device_is_hidden_with_its_patient(ehr: Caller, stranger: Caller, backstage: Backstage, person: Json) -> None:
    """DESIGN 5: reading a paired Device asks the paired patient's consent. DESIGN 7: SECURITY 2.4 (66)."""
    system, unit = "urn:x-tests:units", f"unit-{person['id']}"
    paired = backstage.pair(system, unit, f"Patient/{person['id']}")
    made = {"resourceType": "Device", "id": paired.device.removeprefix("Device/")}
    assert sees(ehr, made)
    assert not sees(stranger, made)
    assert stranger.found(f"Device?identifier={system}|{unit}") == []
    ehr.create(consent(person["id"]))
    assert sees(stranger, made)


def test_an_update_of_a_paired_device_does_not_show_it_to_others(ehr: Caller, stranger: Caller, backstage: Backstage, person: Json) -> None:
    """DESIGN 5: the pairing is a record of its own: what a client writes into the Device does not undo it."""
    paired = backstage.pair("urn:x-tests:units", f"updated-{person['id']}", f"Patient/{person['id']}")
    made = ehr.get(paired.device).json()
    ehr.update(made, status="active")
    ehr.update(made, status="inactive")
    assert sees(ehr, made)
    assert not sees(stranger, made)


def test_nobody_consents_for_another_by_writing_the_consent_anew(
    ehr: Caller, reader: Caller, stranger: Caller, person: Json, reading: Json
) -> None:
    """SECURITY 2.5: only recorder roles may write Consent."""
    limited = ehr.create(consent(person["id"], provision={"action": [action("collect")]}))
    for caller in (reader, stranger):
        refused(caller.put(f"Consent/{limited['id']}", consent(person["id"], id=limited["id"])), 403, "forbidden")
        refused(caller.put(f"Consent/{ABSENT}", consent(person["id"], id=ABSENT)), 403, "forbidden")
    assert not sees(stranger, reading)


def test_nobody_puts_an_organisation_above_its_own(
    ehr: Caller, stranger: Caller, another: Callable[..., Caller], person: Json, reading: Json
) -> None:
    """Reading 4 lets a rule speak of an organisation above the caller's; who may say what stands above is a recorder's word."""
    hospital = another().account.organization
    ehr.create(consent(person["id"], provision={"actor": [actor(hospital)]}))
    own = stranger.get(stranger.account.organization).json()
    refused(stranger.put(stranger.account.organization, {**own, "partOf": {"reference": hospital}}), 403, "forbidden")
    assert not sees(stranger, reading)
    ehr.update(own, partOf={"reference": hospital})
    assert sees(stranger, reading)
    again = stranger.get(stranger.account.organization).json()
    assert stranger.put(stranger.account.organization, {**again, "name": "Autre nom"}).status_code == 200


def test_what_stands_above_is_known_by_whatever_id_and_however_it_is_written(
    ehr: Caller, importer: Caller, another: Callable[..., Caller], person: Json, reading: Json
) -> None:
    """Reading 4: a deny for the organisation at the top reaches those below it, also through one whose id was brought."""
    asker, top = another(), ehr.create(organization("Groupe"))
    between = organization("Clinique", id="brought-between", partOf={"reference": f"{ehr.base}/Organization/{top['id']}"})
    assert importer.put("Organization/brought-between", between).status_code in (200, 201)
    ehr.update(asker.get(asker.account.organization).json(), partOf={"reference": "Organization/brought-between"})
    ehr.create(consent(person["id"]))
    assert sees(asker, reading)
    ehr.create(consent(person["id"], "deny", provision={"actor": [actor(f"Organization/{top['id']}")]}))
    assert not sees(asker, reading)


def test_nobody_takes_a_patient_over(ehr: Caller, another: Callable[..., Caller], person: Json, reading: Json) -> None:
    """Opt-out rests on the managing organisation; who may write the Patient must not be able to make itself the manager."""
    taker = another(consent_default="opt-out")
    ehr.create(consent(person["id"], provision={"class": [{"system": "http://hl7.org/fhir/resource-types", "code": "Patient"}]}))
    assert sees(taker, person)
    assert not sees(taker, reading)
    refused(
        taker.put(f"Patient/{person['id']}", {**person, "managingOrganization": {"reference": taker.account.organization}}),
        403,
        "forbidden",
    )
    assert not sees(taker, reading)


def test_an_older_version_shows_no_more_than_the_current_one(ehr: Caller, stranger: Caller, person: Json) -> None:
    """SECURITY 2.4 (65): a label or code that changed; the older version is asked for itself as well."""
    ehr.create(consent(person["id"], provision={"class": [{"system": OBSERVATION_CATEGORY, "code": "vital-signs"}]}))
    hidden_now = ehr.create(observation(person["id"]))
    ehr.update(hidden_now, category=observation(None, category="laboratory")["category"])
    hidden_then = ehr.create(observation(person["id"], category="laboratory"))
    ehr.update(hidden_then, category=observation(None)["category"])
    statuses = {
        (name, version): stranger.get(f"Observation/{one['id']}/_history/{version}").status_code
        for name, one in (("now", hidden_now), ("then", hidden_then))
        for version in (1, 2)
    }
    assert statuses == {("now", 1): 404, ("now", 2): 404, ("then", 1): 404, ("then", 2): 200}


def test_brought_ids_are_hidden_like_all_others(importer: Caller, stranger: Caller) -> None:
    """DESIGN 5: ids brought by importers are keyed in the database; the answers are the same."""
    importer.put("Patient/brought-hidden", patient(id="brought-hidden"))
    answers = [stranger.get(f"Patient/{id}") for id in ("brought-hidden", "brought-absent")]
    assert answers[0].status_code == answers[1].status_code == 404
    assert answers[0].content == answers[1].content
