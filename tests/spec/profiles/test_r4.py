"""Is it R4? https://hl7.org/fhir/R4/json.html, https://hl7.org/fhir/R4/datatypes.html"""

import copy
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from fhir.resources.R4B import get_fhir_model_class
from hypothesis import given, settings
from hypothesis import strategies as st

from fhir_profiles import r4
from fhir_profiles.r4 import Problem
from fhir_profiles.structure import DEPTH_MAX, PROBLEMS_MAX
from tests.spec.profiles.resources import CONSENT, DEVICE, EXTENSION, OBSERVATION, ORGANIZATION, PATIENT, RESOURCES
from tests.support.payloads import SAMPLES, needs_samples

JUNK = (
    *(None, "", " ", "x", 0, -1, 1.5, 2**40, True, [], {}, [None], [{}], ["x"], {"x": 1}, {"extension": []}, [[]]),
    *("2026-02-30", "2026-11-22T09:30", "09:61:00", "urn:oid:x", "a\x00b", "a b", "http://a b"),
)
CLINIC = PATIENT["contained"][0]
NAMES = ("unknown", "_status", "_id", "id", "valueString", "valueInteger", "effectiveDateTime", "extension", "fhir_comments", "status__ext")


def problems(resource: dict[str, Any], **changes: Any) -> list[tuple[str, str]]:
    return [(problem.code, problem.expression) for problem in r4.check(resource | changes)]


def curve(data: str) -> dict[str, Any]:
    return {"code": {"text": "curve"}, "valueSampledData": {"origin": {"value": 0}, "period": 10, "dimensions": 1, "data": data}}


def test_a_curve_is_decimals_and_letters_for_those_that_are_missing() -> None:
    """https://hl7.org/fhir/R4/datatypes-definitions.html#SampledData.data: error, below and above what can be measured."""
    assert r4.check(OBSERVATION | {"component": [curve("-1 2.50 E L U 1e3")]}) == ()


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource["resourceType"])
def test_a_full_resource_is_right(resource: dict[str, Any]) -> None:
    assert r4.check(resource) == ()


@needs_samples
@pytest.mark.parametrize("path", sorted((SAMPLES / "fhir-phd").glob("*.json")) or [SAMPLES / "fhir-phd"], ids=lambda path: path.stem)
def test_published_examples_are_right(path: Path) -> None:
    """HL7 PHD 1.1.0 is on R4."""
    assert r4.check(json.loads(path.read_text())) == ()


@pytest.mark.parametrize(
    ("resource", "changes", "code", "expression"),
    [
        # resourceType
        (PATIENT, {"resourceType": "Unicorn"}, "not-supported", "Resource"),
        (PATIENT, {"resourceType": ["Patient"]}, "not-supported", "Resource"),
        (PATIENT, {"resourceType": "HumanName"}, "not-supported", "Resource"),
        (PATIENT, {"resourceType": "SubscriptionTopic"}, "not-supported", "Resource"),  # R4B only
        (PATIENT, {"contained": [CLINIC, {"id": "x"}]}, "required", "Patient.contained[1]"),
        (PATIENT, {"contained": [CLINIC | {"name": 1}]}, "value", "Patient.contained[0].name"),
        # unknown elements
        (PATIENT, {"nickname": "x"}, "structure", "Patient"),
        (PATIENT, {"name": [{"first": "x"}]}, "structure", "Patient.name[0]"),
        (PATIENT, {"_name": {"extension": [EXTENSION]}}, "structure", "Patient"),
        (PATIENT, {"resource_type": "Patient"}, "structure", "Patient"),
        (PATIENT, {"fhir_comments": ["x"]}, "structure", "Patient"),
        (PATIENT, {"gender__ext": {"extension": [EXTENSION]}}, "structure", "Patient"),
        # nothing is empty, and null is only a place in a list of primitives
        (PATIENT, {"name": []}, "structure", "Patient.name"),
        (PATIENT, {"name": [{}]}, "structure", "Patient.name[0]"),
        (PATIENT, {"maritalStatus": {}}, "structure", "Patient.maritalStatus"),
        (PATIENT, {"maritalStatus": None}, "structure", "Patient.maritalStatus"),
        (PATIENT, {"name": [None]}, "structure", "Patient.name[0]"),
        (PATIENT, {"gender": None}, "value", "Patient.gender"),
        (PATIENT, {"name": [{"given": [None]}]}, "value", "Patient.name[0].given[0]"),
        (PATIENT, {"name": [{"family": ""}]}, "value", "Patient.name[0].family"),
        # repeats or not
        (PATIENT, {"name": {"family": "x"}}, "structure", "Patient.name"),
        (PATIENT, {"gender": ["female"]}, "value", "Patient.gender"),
        (PATIENT, {"maritalStatus": [{"text": "x"}]}, "structure", "Patient.maritalStatus"),
        # extensions of primitives
        (PATIENT, {"_birthDate": {}}, "structure", "Patient.birthDate"),
        (PATIENT, {"_birthDate": [{"extension": [EXTENSION]}]}, "structure", "Patient.birthDate"),
        (PATIENT, {"_birthDate": {"value": "x"}}, "structure", "Patient.birthDate"),
        (PATIENT, {"name": [{"given": ["a", "b"], "_given": [None]}]}, "structure", "Patient.name[0].given"),
        (PATIENT, {"name": [{"given": ["a", None], "_given": [None, None]}]}, "value", "Patient.name[0].given[1]"),
        # types
        (PATIENT, {"active": "true"}, "value", "Patient.active"),
        (PATIENT, {"active": 1}, "value", "Patient.active"),
        (PATIENT, {"birthDate": "1981-02-29"}, "value", "Patient.birthDate"),
        (PATIENT, {"birthDate": "1980-1-1"}, "value", "Patient.birthDate"),
        (PATIENT, {"birthDate": "1980-01-01T00:00:00Z"}, "value", "Patient.birthDate"),
        (PATIENT, {"birthDate": 1980}, "value", "Patient.birthDate"),
        (PATIENT, {"multipleBirthInteger": 1.0}, "value", "Patient.multipleBirth"),
        (PATIENT, {"multipleBirthInteger": "1"}, "value", "Patient.multipleBirth"),
        (PATIENT, {"telecom": [{"rank": 0}]}, "value", "Patient.telecom[0].rank"),
        (PATIENT, {"id": "a/b"}, "value", "Patient.id"),
        (PATIENT, {"id": "a" * 65}, "value", "Patient.id"),
        (PATIENT, {"id": "a\n"}, "value", "Patient.id"),
        (PATIENT, {"implicitRules": "a b"}, "value", "Patient.implicitRules"),
        (PATIENT, {"language": " fr"}, "value", "Patient.language"),
        (PATIENT, {"meta": {"lastUpdated": "2026-11-22"}}, "value", "Patient.meta.lastUpdated"),
        (PATIENT, {"photo": [{"data": "a"}]}, "value", "Patient.photo[0].data"),
        (OBSERVATION, {"issued": "2026-11-22T09:30"}, "value", "Observation.issued"),
        (
            OBSERVATION,
            {"component": [{"code": {"text": "x"}, "valueQuantity": {"value": "1"}}]},
            "value",
            "Observation.component[0].value.value",
        ),
        (OBSERVATION, {"component": [{"code": {"text": "x"}, "valueTime": "9:30"}]}, "value", "Observation.component[0].value"),
        # cardinality and choice
        (OBSERVATION, {"effectiveInstant": "2026-11-22T09:30:00Z"}, "structure", "Observation.effective"),
        (OBSERVATION, {"component": [{"valueString": "x"}]}, "required", "Observation.component[0].code"),
        (DEVICE, {"deviceName": [{"name": "x"}]}, "required", "Device.deviceName[0].type"),
        (PATIENT, {"link": [{"other": {"reference": "Patient/2"}}]}, "required", "Patient.link[0].type"),
        (PATIENT, {"extension": [{"valueString": "x"}]}, "required", "Patient.extension[0].url"),
        (
            PATIENT,
            {"extension": [{"url": "urn:x", "valueRatioRange": {"lowNumerator": {"value": 1}}}]},
            "structure",
            "Patient.extension[0]",
        ),  # R4B only
        # required bindings
        (OBSERVATION, {"status": "done"}, "code-invalid", "Observation.status"),
        (DEVICE, {"status": "lost"}, "code-invalid", "Device.status"),
        (CONSENT, {"status": "given"}, "code-invalid", "Consent.status"),
        (CONSENT, {"provision": {"type": "allow"}}, "code-invalid", "Consent.provision.type"),
        (PATIENT, {"gender": "f"}, "code-invalid", "Patient.gender"),
        (PATIENT, {"identifier": [{"use": "main"}]}, "code-invalid", "Patient.identifier[0].use"),
        # constraints
        (OBSERVATION, {"valueString": "x", "dataAbsentReason": {"text": "y"}}, "invariant", "Observation"),
        (
            OBSERVATION,
            {"valueString": "x", "component": [{"code": OBSERVATION["code"], "valueString": "y"}]},
            "invariant",
            "Observation",
        ),
        (
            OBSERVATION,
            {"effectivePeriod": {"start": "2026-11-22T10:00:00+01:00", "end": "2026-11-22T08:59:59Z"}},
            "invariant",
            "Observation.effective",
        ),
        (CONSENT, {"provision": {"period": {"start": "2026-02", "end": "2026-01-31"}}}, "invariant", "Consent.provision.period"),
        (PATIENT, {"extension": [{"url": "urn:x"}]}, "invariant", "Patient.extension[0]"),
        (PATIENT, {"extension": [{"url": "urn:x", "valueString": "x", "extension": [EXTENSION]}]}, "invariant", "Patient.extension[0]"),
        (PATIENT, {"telecom": [{"value": "1"}]}, "invariant", "Patient.telecom[0]"),
        (PATIENT, {"contact": [{"gender": "male"}]}, "invariant", "Patient.contact[0]"),
        (
            PATIENT,
            {"contained": [CLINIC | {"partOf": {"reference": "#o1"}, "contained": [CLINIC]}]},
            "invariant",
            "Patient.contained[0].contained",
        ),
        (PATIENT, {"contained": [CLINIC | {"meta": {"versionId": "1"}}]}, "invariant", "Patient.contained[0].meta.versionId"),
        (ORGANIZATION, {"name": None}, "value", "Organization.name"),
        # element-definitions.html#Element.id: no spaces
        (PATIENT, {"name": [{"id": "a b", "family": "x"}]}, "value", "Patient.name[0].id"),
        # extensibility-definitions.html#Extension.url: a URI of a definition; a name only inside an extension
        (PATIENT, {"extension": [{"url": "city", "valueString": "x"}]}, "invariant", "Patient.extension[0]"),
        (PATIENT, {"_birthDate": {"extension": [{"url": "at", "valueString": "x"}]}}, "invariant", "Patient.birthDate.extension[0]"),
        # datatypes-definitions.html#SampledData.data: decimals, E, L and U, parted by single blanks
        (OBSERVATION, {"component": [curve("1 x")]}, "invariant", "Observation.component[0].value"),
        (OBSERVATION, {"component": [curve("1  2")]}, "invariant", "Observation.component[0].value"),
        (OBSERVATION, {"component": [curve("1,2")]}, "invariant", "Observation.component[0].value"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(resource: dict[str, Any], changes: dict[str, Any], code: str, expression: str) -> None:
    """One change to a right resource, one problem, at the place where the change was made."""
    assert problems(resource) == []
    assert problems(resource, **changes) == [(code, expression)]


@pytest.mark.parametrize(
    ("resource", "name"),
    [(OBSERVATION, "status"), (OBSERVATION, "code"), (CONSENT, "status"), (CONSENT, "scope"), (CONSENT, "category")],
)
def test_what_is_missing_is_named(resource: dict[str, Any], name: str) -> None:
    without = {key: value for key, value in resource.items() if key != name}
    assert problems(without) == [("required", f"{resource['resourceType']}.{name}")]


DROPPED_BY_R4B = {
    "EffectEvidenceSynthesis": {"status": "draft", **{name: {"reference": "EvidenceVariable/1"} for name in ("population", "exposure")}},
    "EvidenceVariable": {"status": "draft", "characteristic": [{"definitionReference": {"reference": "Group/1"}, "groupMeasure": "mean"}]},
    "MedicinalProduct": {"name": [{"productName": "Something"}]},
    "SubstanceProtein": {"numberOfSubunits": 2, "subunit": [{"sequence": "MKV"}]},
}
"""Types of R4 that the next version left out or gave another content."""


@pytest.mark.parametrize("type", DROPPED_BY_R4B)
def test_types_that_only_r4_has_are_checked_too(type: str) -> None:
    """docs/adr/0010: the definitions are those of 4.0.1, not those of its neighbour."""
    resource = {"resourceType": type, **DROPPED_BY_R4B[type]}
    absent = [("required", f"{type}.{name}") for name in ("exposureAlternative", "outcome") if type == "EffectEvidenceSynthesis"]
    assert problems(resource) == absent
    assert problems(resource, nothing=1) == [("structure", type), *absent]


@pytest.mark.parametrize("type", sorted(r4.RESOURCE_TYPES))
def test_every_type_of_r4_can_be_checked(type: str) -> None:
    """https://hl7.org/fhir/R4/resourcelist.html"""
    found = r4.check({"resourceType": type, "id": "a", "implicitRules": 1})
    assert found[0] == Problem(code="value", expression=f"{type}.implicitRules", text="implicitRules has to be a URI without blanks")
    assert {problem.code for problem in found[1:]} <= {"required", "invariant"}


def test_a_simple_quantity_takes_no_comparator() -> None:
    """https://hl7.org/fhir/R4/datatypes.html#SimpleQuantity"""
    low = {"value": 1, "comparator": "<"}
    assert problems(OBSERVATION, referenceRange=[{"low": low}]) == [("structure", "Observation.referenceRange[0].low")]


def test_a_consent_without_policy_is_refused() -> None:
    """Constraint ppc-1: either a policy or a policyRule."""
    without = {key: value for key, value in CONSENT.items() if key != "policy"}
    assert [problem.text[:5] for problem in r4.check(without)] == ["ppc-1"]
    assert r4.check(without | {"policyRule": {"text": "opt-in"}}) == ()


@pytest.mark.parametrize(
    "status", ["registered", "preliminary", "final", "amended", "corrected", "cancelled", "entered-in-error", "unknown"]
)
def test_every_observation_status_of_r4_is_taken(status: str) -> None:
    """https://hl7.org/fhir/R4/valueset-observation-status.html."""
    assert r4.check(OBSERVATION | {"status": status}) == ()


def test_a_required_primitive_may_be_replaced_by_an_extension_that_says_why() -> None:
    """https://hl7.org/fhir/R4/extensibility.html#Special-Case"""
    reason = {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}]}
    without = {key: value for key, value in OBSERVATION.items() if key != "status"}
    assert problems(without | {"_status": reason}) == []
    assert problems(without | {"_status": {"id": "x"}}) == [("structure", "Observation.status"), ("required", "Observation.status")]


def test_a_uuid_of_any_version_is_right() -> None:
    """https://hl7.org/fhir/R4/datatypes.html#uuid does not ask for version 4."""
    time_based = {"url": "http://example.org/u", "valueUuid": "urn:uuid:6ba7b810-9dad-11d1-80b4-00c04fd430c8"}
    assert r4.check(PATIENT | {"extension": [time_based]}) == ()


@pytest.mark.parametrize("value", [None, [], "Patient", 1])
def test_what_is_no_object_is_no_resource(value: Any) -> None:
    assert [problem.code for problem in r4.check(value)] == ["structure"]


def test_depth_and_number_of_problems_are_bounded() -> None:
    """A hostile payload costs no more than a wrong one."""
    deep: dict[str, Any] = {"url": "urn:x", "valueString": "x"}
    for _ in range(DEPTH_MAX + 5):
        deep = {"url": "urn:x", "extension": [deep]}
    assert [problem.code for problem in r4.check(PATIENT | {"extension": [deep]})] == ["structure"]
    assert len(r4.check(PATIENT | {"name": [{"family": 1}] * (PROBLEMS_MAX * 2)})) == PROBLEMS_MAX


def test_what_is_wrong_beyond_the_problems_that_are_named_is_not_judged_further() -> None:
    """references.html: a reference that is no string has no form to be judged; an object of wrong parts no constraints."""
    wrong = [{"family": 1}] * PROBLEMS_MAX
    assert len(r4.check(PATIENT | {"name": wrong, "managingOrganization": {"reference": ["Organization/1"]}})) == PROBLEMS_MAX
    assert len(r4.check(PATIENT | {"name": wrong, "contact": [{"name": [1]}], "contained": [1]})) == PROBLEMS_MAX


def test_checking_changes_nothing() -> None:
    """The digits of a decimal survive: what was read stays as it was read, and the caller keeps its bytes."""
    before = copy.deepcopy(OBSERVATION)
    assert r4.check(OBSERVATION) == ()
    assert before == OBSERVATION
    assert orjson.dumps(before) == orjson.dumps(OBSERVATION)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    for key, item in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield path, key
        yield from places(item, (*path, key))


@st.composite
def damaged(draw: st.DrawFn) -> dict[str, Any]:
    """A right resource with one or two things removed, replaced, added, wrapped or unwrapped."""
    resource: dict[str, Any] = copy.deepcopy(draw(st.sampled_from(RESOURCES)))
    for _ in range(draw(st.integers(1, 2))):
        path, key = draw(st.sampled_from([place for place in places(resource) if place != ((), "resourceType")]))
        parent: Any = resource
        for step in path:
            parent = parent[step]
        match draw(st.sampled_from(["remove", "replace", "add", "wrap", "unwrap"])):
            case "remove":
                del parent[key]
            case "replace":
                parent[key] = copy.deepcopy(draw(st.sampled_from(JUNK)))
            case "add" if isinstance(parent, dict):
                parent[draw(st.sampled_from(NAMES))] = copy.deepcopy(draw(st.sampled_from(JUNK)))
            case "unwrap" if isinstance(parent[key], list) and parent[key]:
                parent[key] = parent[key][0]
            case _:
                parent[key] = [parent[key]]
    return resource


def the_library_accepts(resource: dict[str, Any]) -> bool:
    try:
        get_fhir_model_class(resource["resourceType"]).model_validate(resource)
    except (ValueError, TypeError, KeyError, AttributeError):
        return False
    return True


@settings(max_examples=400, deadline=None)
@given(resource=damaged())
def test_whatever_the_library_refuses_is_refused(resource: dict[str, Any]) -> None:
    """fhir.resources as the second judge: its R4B models never know better than we do."""
    assert r4.check(resource) or the_library_accepts(resource)


@settings(max_examples=200, deadline=None)
@given(secret=st.sampled_from(["Jeanne-Planted", "1 85 05 78 006 084 36", "2026-02-31", "planted@example.org"]), data=st.data())
def test_no_text_repeats_a_value(secret: str, data: st.DataObject) -> None:
    """Law 4: error texts identify nobody, whatever was put wherever."""
    resource: dict[str, Any] = copy.deepcopy(data.draw(st.sampled_from(RESOURCES)))
    for path, key in data.draw(st.lists(st.sampled_from(list(places(resource))), min_size=1, max_size=5)):
        parent: Any = resource
        for step in path:
            parent = parent[step] if isinstance(parent, dict | list) and not isinstance(parent, str) and _has(parent, step) else {}
        if _has(parent, key):
            parent[key] = copy.deepcopy(data.draw(st.sampled_from([secret, [secret], {secret: secret}, {"unknown": secret}])))
    for problem in r4.check(resource):
        assert secret not in problem.text
        assert secret not in problem.expression


def _has(parent: Any, key: Any) -> bool:
    return key in parent if isinstance(parent, dict) else isinstance(parent, list) and isinstance(key, int) and key < len(parent)


def test_a_definition_is_read_only_when_a_type_is_needed() -> None:
    """Start-up does not pay for types that nobody asks for."""
    program = (
        "from fhir_profiles import definitions, r4; read = definitions._type.cache_info; assert read().currsize == 0; "
        "r4.check({'resourceType': 'Device'}); assert 0 < read().currsize < 5"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_type_that_cannot_be_checked_cannot_be_warmed() -> None:
    r4.warm(["Device"])
    with pytest.raises(ValueError, match="R4"):
        r4.warm(["os"])
