"""Subjects behind whom patients stand: a Group, a Device. https://hl7.org/fhir/R4/observation-definitions.html#Observation.subject

Law 1: whom it concerns is derived from the subject, and each of them must permit.
"""

from typing import Any

import pytest

from tests.support.backstage import Backstage
from tests.support.caller import Caller
from tests.support.outcomes import refused
from tests.support.resources import ABSENT, consent, device, observation, organization, patient

Json = dict[str, Any]


def group(*members: Json) -> Json:
    entities = [{"entity": {"reference": f"Patient/{one['id']}"}} for one in members]
    return {"resourceType": "Group", "type": "person", "actual": True, **({"member": entities} if entities else {})}


def about(resource: Json) -> Json:
    return observation(None, category="survey", subject={"reference": f"{resource['resourceType']}/{resource['id']}"})


@pytest.mark.parametrize(
    "resource",
    [
        {"resourceType": "Binary", "contentType": "text/plain", "data": "eA=="},
        {"resourceType": "Bundle", "type": "collection"},
        {
            "resourceType": "Provenance",
            "recorded": "2026-03-01T10:00:00Z",
            "agent": [{"who": {"display": "x"}}],
            "target": [{"display": "x"}],
        },
    ],
    ids=lambda one: str(one["resourceType"]),
)
def test_what_carries_anybodys_data_names_a_patient(ehr: Caller, resource: Json) -> None:
    """Law 1: the type does not say whose data it is, so that it has to be said."""
    refused(ehr.post(resource["resourceType"], resource), 422, "business-rule")


def test_a_provenance_beside_what_concerns_nobody_is_refused_and_nothing_is_written(ehr: Caller) -> None:
    """provenance.html#header: in the same unit, so that neither is there without the other."""
    beside = '{"resourceType": "Provenance", "recorded": "2026-03-01T10:00:00Z", "agent": [{"who": {"display": "x"}}]}'
    keyed = organization(identifier=[{"system": "urn:beside", "value": "nobody"}])
    refused(ehr.post("Organization", keyed, headers={"X-Provenance": beside}), 422, "business-rule")
    assert ehr.found("Organization?identifier=urn:beside|nobody") == []


def test_a_patient_without_a_managing_organisation_is_nobodys_by_default(ehr: Caller) -> None:
    """http.html#update: what is not sent is gone. Who managed the patient sees it by consent alone from then on, as documented."""
    made = ehr.create(patient())
    assert ehr.put(f"Patient/{made['id']}", patient("Sans", id=made["id"])).status_code == 200
    refused(ehr.get(f"Patient/{made['id']}"), 404, "not-found")


def test_a_reading_of_a_group_is_seen_when_every_member_permits(ehr: Caller, stranger: Caller) -> None:
    one, other = ehr.create(patient()), ehr.create(patient())
    both = ehr.create(group(one, other))
    made = ehr.create(about(both))
    assert ehr.found(f"Observation?subject=Group/{both['id']}") == [made["id"]]
    for person in (one, other):
        assert stranger.get(f"Observation/{made['id']}").status_code == 404
        assert stranger.found(f"Observation?subject=Group/{both['id']}") == []
        ehr.create(consent(person["id"]))
    assert stranger.get(f"Observation/{made['id']}").status_code == 200
    assert stranger.found(f"Observation?subject=Group/{both['id']}") == [made["id"]]
    assert stranger.found(f"Observation?patient={one['id']}") == []


def test_who_has_left_the_group_is_still_asked(ehr: Caller, stranger: Caller) -> None:
    """What was measured while somebody belonged to it may tell of that person for ever."""
    stays, leaves = ehr.create(patient()), ehr.create(patient())
    both = ehr.create(group(stays, leaves))
    made = ehr.create(about(both))
    ehr.update(both, member=both["member"][:1])
    ehr.update(made, status="amended")
    ehr.create(consent(stays["id"]))
    assert stranger.get(f"Group/{both['id']}").status_code == 200
    assert stranger.get(f"Observation/{made['id']}").status_code == 404


def test_a_reading_of_a_device_belongs_to_who_wears_it(ehr: Caller, stranger: Caller, backstage: Backstage) -> None:
    """DESIGN 5: the pairing tells."""
    person = ehr.create(patient())
    paired = backstage.pair("urn:x-tests:units", f"subject-{person['id']}", f"Patient/{person['id']}")
    made = ehr.create(observation(None, category="survey", subject={"reference": paired.device}))
    assert stranger.get(f"Observation/{made['id']}").status_code == 404
    ehr.create(consent(person["id"]))
    assert stranger.get(f"Observation/{made['id']}").status_code == 200


@pytest.mark.parametrize("subject", [group(), device()], ids=["group", "device"])
def test_without_anybody_to_ask_it_is_refused_with_the_reason(ehr: Caller, subject: Json) -> None:
    """Law 1: silence means no."""
    found = refused(ehr.post("Observation", about(ehr.create(subject))), 422, "business-rule", expression="Observation.subject")
    assert "nobody could be asked" in found[0]["diagnostics"]


def test_a_subject_that_may_not_be_seen_is_one_that_is_not_there(ehr: Caller, stranger: Caller, backstage: Backstage) -> None:
    """Law 1: the same answer for hidden and absent."""
    person = ehr.create(patient())
    hidden = ehr.create(group(person))
    worn = backstage.pair("urn:x-tests:units", f"hidden-{person['id']}", f"Patient/{person['id']}").device
    for reference in (f"Group/{hidden['id']}", worn):
        type = reference.partition("/")[0]
        answers = [
            stranger.post("Observation", observation(None, category="survey", subject={"reference": one}))
            for one in (reference, f"{type}/{ABSENT}")
        ]
        refused(answers[0], 422, "business-rule", expression="Observation.subject")
        assert answers[0].content == answers[1].content
