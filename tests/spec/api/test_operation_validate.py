"""$validate over HTTP. https://hl7.org/fhir/R4/resource-operation-validate.html"""

from typing import Any

import pytest

from tests.support.backstage import Backstage
from tests.support.caller import Caller
from tests.support.outcomes import refused
from tests.support.resources import ABSENT, HEART_RATE, observation, organization, patient

Json = dict[str, Any]
HEART = "http://hl7.org/fhir/StructureDefinition/heartrate"


def validated(caller: Caller, path: str, body: Json) -> list[tuple[str, str]]:
    answer = caller.post(path, body)
    assert answer.status_code == 200, answer.text
    assert answer.json()["resourceType"] == "OperationOutcome"
    return [(one["severity"], one["code"]) for one in answer.json()["issue"]]


def test_a_good_resource_is_told_so_and_not_stored(ehr: Caller, backstage: Backstage) -> None:
    """FHIR.md 4b.10: $validate on a type."""
    before = backstage.admin["hub"]["resources"].count_documents({})
    told = {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">x</div>'}
    assert validated(ehr, "Organization/$validate", organization(text=told)) == [("information", "informational")]
    assert backstage.admin["hub"]["resources"].count_documents({}) == before


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"resourceType": "Observation"}, ("error", "required")),
        ({**observation(ABSENT), "status": "nonsense"}, ("error", "code-invalid")),
        ({**observation(ABSENT), "colour": "red"}, ("error", "structure")),
        (observation(ABSENT, HEART_RATE, unit="kg"), ("error", "value")),
        (patient(), ("error", "invalid")),
    ],
)
def test_what_is_wrong_is_named(ehr: Caller, body: Json, expected: tuple[str, str]) -> None:
    """Structure, bindings, the profile of vital signs whether or not it is claimed, another type than the URL's."""
    assert expected in validated(ehr, "Observation/$validate", body)


WITHOUT_SUBJECT = {"resourceType": "Observation", "status": "final", "code": {"text": "Pouls"}}


@pytest.mark.parametrize(
    ("body", "code", "place"),
    [
        (WITHOUT_SUBJECT, "business-rule", "Observation.subject"),
        ({**WITHOUT_SUBJECT, "subject": {"display": "somebody"}}, "business-rule", "Observation.subject"),
        ({"resourceType": "Bundle", "type": "collection"}, "business-rule", "Bundle"),
        (
            {"resourceType": "ValueSet", "status": "draft", "url": "http://hl7.org/fhir/ValueSet/administrative-gender"},
            "duplicate",
            "ValueSet.url",
        ),
    ],
)
def test_the_mode_create_tells_what_a_create_would_be_refused_for(ehr: Caller, body: Json, code: str, place: str) -> None:
    """valueset-resource-validation-mode.html: create also checks that the content would be acceptable as a create."""
    type = body["resourceType"]
    [issue] = ehr.post(f"{type}/$validate?mode=create", body).json()["issue"]
    assert (issue["severity"], issue["code"], issue["expression"]) == ("error", code, [place])
    answer = ehr.post(type, body)
    if answer.status_code != 403:  # without a scope that names a conformance type
        assert answer.json()["issue"][0] == issue
    assert "error" not in {one for one, _ in validated(ehr, f"{type}/$validate", body)}


def test_what_r4_recommends_is_a_warning_here_and_refuses_nothing(ehr: Caller) -> None:
    """conformance-rules.html#constraints: a warning (dom-6, a narrative) does not make a resource invalid."""
    answer = ehr.post("Organization/$validate", organization())
    [issue] = answer.json()["issue"]
    assert (issue["severity"], issue["code"], issue["expression"]) == ("warning", "invariant", ["Organization"])
    assert issue["diagnostics"].startswith("dom-6: ")
    ehr.create(organization())


def test_nothing_to_validate_is_refused_where_it_should_be(ehr: Caller) -> None:
    """operation-resource-validate.html: resource is 0..1, and must be there unless the mode is delete."""
    answer = ehr.post("Patient/$validate", {"resourceType": "Parameters"})
    refused(answer, 400, "required", expression="Parameters.parameter.where(name='resource')")


def test_parameters_say_mode_and_profile(ehr: Caller) -> None:
    """FHIR.md 4b.10: profile and mode."""
    steps = observation(ABSENT, "55423-8", category="activity")
    asked = [{"name": "resource", "resource": steps}, {"name": "profile", "valueUri": HEART}, {"name": "mode", "valueCode": "profile"}]
    found = validated(ehr, "Observation/$validate", {"resourceType": "Parameters", "parameter": asked})
    assert "error" in {severity for severity, _ in found}
    refused(ehr.post("Observation/$validate?mode=dance", steps), 400, "invalid")


def test_an_instance_as_it_is_stored(ehr: Caller, stranger: Caller) -> None:
    """FHIR.md 4b.10: instance; what is hidden is absent (law 3)."""
    made = ehr.create(observation(ehr.create(patient())["id"]))
    answer = ehr.get(f"Observation/{made['id']}/$validate")
    assert answer.status_code == 200
    assert [one["severity"] for one in answer.json()["issue"]] == ["information"] or "error" not in answer.text
    hidden, absent = (stranger.get(f"Observation/{id}/$validate") for id in (made["id"], ABSENT))
    refused(hidden, 404, "not-found")
    assert hidden.content == absent.content


def test_an_update_is_held_against_the_id_of_the_url(ehr: Caller) -> None:
    assert validated(ehr, f"Organization/{ABSENT}/$validate?mode=update", {**organization(), "id": "x"}) == [("error", "invalid")]


def test_a_type_has_nothing_to_validate_without_a_resource(ehr: Caller) -> None:
    """operation-resource-validate.html: a GET carries no resource, and update and delete are of an instance."""
    refused(ehr.get("Patient/$validate"), 400, "required")
    for mode in ("update", "delete"):
        refused(ehr.get(f"Patient/$validate?mode={mode}"), 400, "invalid", expression="Parameters.parameter.where(name='mode')")
        refused(ehr.post(f"Organization/$validate?mode={mode}", organization()), 400, "invalid")
