"""FHIRPath Patch. https://hl7.org/fhir/R4/fhirpatch.html"""

import contextlib
import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_profiles.patch import PatchError, fhirpath_patch
from hub import numbers

PATIENT: dict[str, Any] = {
    "resourceType": "Patient",
    "birthDate": "1920-01-01",
    "active": True,
    "maritalStatus": {"extension": [{"url": "http://example.org/e", "valueString": "secret"}]},
    "identifier": [{"system": "a", "value": "1"}, {"system": "b", "value": "2"}, {"system": "c", "value": "3"}],
    "name": [{"given": ["A", "B"], "_given": [None, {"id": "b"}]}],
    "contact": [{"name": {"text": "a name"}}],
    "deceasedBoolean": False,
}


def operation(type: str, path: str, *parts: dict[str, Any], **values: Any) -> dict[str, Any]:
    """`value=…` and its like become parts with the type that JSON shows."""
    typed = [{"name": name, f"value{_SUFFIX[(_type_of := value.__class__)]}": value} for name, value in values.items()]
    return {"name": "operation", "part": [{"name": "type", "valueCode": type}, {"name": "path", "valueString": path}, *typed, *parts]}


_SUFFIX = {str: "String", int: "Integer", bool: "Boolean"}


def patched(*operations: dict[str, Any], resource: dict[str, Any] = PATIENT) -> dict[str, Any]:
    before = copy.deepcopy(resource)
    result = fhirpath_patch(resource, {"resourceType": "Parameters", "parameter": list(operations)})
    assert resource == before
    return result


def changed(**changes: Any) -> dict[str, Any]:
    return {key: value for key, value in (PATIENT | changes).items() if value is not None}


VALUE_IDENTIFIER = {"name": "value", "valueIdentifier": {"system": "n"}}
A, B, C = PATIENT["identifier"]
CASES: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("add a primitive", operation("add", "Patient", name="gender", value="male"), {"gender": "male"}),
    ("add to a list", operation("add", "Patient", VALUE_IDENTIFIER, name="identifier"), {"identifier": [A, B, C, {"system": "n"}]}),
    (
        "add a list",
        operation("add", "Patient", {"name": "value", "valueContactPoint": {"value": "1"}}, name="telecom"),
        {"telecom": [{"value": "1"}]},
    ),
    (
        "add within",
        operation("add", "Patient.contact[0]", name="gender", value="male"),
        {"contact": [{"name": {"text": "a name"}, "gender": "male"}]},
    ),
    ("add a choice", operation("add", "Patient", name="multipleBirth", value=2), {"multipleBirthInteger": 2}),
    (
        "add an element without a type of its own",
        operation(
            "add",
            "Patient",
            {
                "name": "value",
                "part": [{"name": "name", "valueHumanName": {"text": "n"}}, {"name": "telecom", "valueContactPoint": {"value": "1"}}],
            },
            name="contact",
        ),
        {"contact": [{"name": {"text": "a name"}}, {"name": {"text": "n"}, "telecom": [{"value": "1"}]}]},
    ),
    (
        "add an extension to a primitive",
        operation("add", "Patient.birthDate", {"name": "value", "valueExtension": {"url": "u", "valueCode": "x"}}, name="extension"),
        {"_birthDate": {"extension": [{"url": "u", "valueCode": "x"}]}},
    ),
    (
        "add an extension to one of several primitives",
        operation("add", "Patient.name[0].given[0]", name="id", value="a"),
        {"name": [{"given": ["A", "B"], "_given": [{"id": "a"}, {"id": "b"}]}]},
    ),
    (
        "add a resource",
        operation("add", "Patient", {"name": "value", "resource": {"resourceType": "Organization", "name": "o"}}, name="contained"),
        {"contained": [{"resourceType": "Organization", "name": "o"}]},
    ),
    (
        "insert at the beginning",
        operation("insert", "Patient.identifier", VALUE_IDENTIFIER, index=0),
        {"identifier": [{"system": "n"}, A, B, C]},
    ),
    (
        "insert in the middle",
        operation("insert", "Patient.identifier", VALUE_IDENTIFIER, index=2),
        {"identifier": [A, B, {"system": "n"}, C]},
    ),
    ("insert at the end", operation("insert", "Patient.identifier", VALUE_IDENTIFIER, index=3), {"identifier": [A, B, C, {"system": "n"}]}),
    (
        "insert a primitive and keep the extensions in step",
        operation("insert", "Patient.name.given", index=1, value="N"),
        {"name": [{"given": ["A", "N", "B"], "_given": [None, None, {"id": "b"}]}]},
    ),
    ("delete a primitive", operation("delete", "Patient.birthDate"), {"birthDate": None}),
    ("delete an object", operation("delete", "Patient.maritalStatus"), {"maritalStatus": None}),
    ("delete what is found", operation("delete", "Patient.identifier.where(system = 'b')"), {"identifier": [A, C]}),
    ("delete a choice", operation("delete", "Patient.deceased"), {"deceasedBoolean": None}),
    ("delete what is not there", operation("delete", "Patient.gender"), {}),
    ("delete a primitive of several", operation("delete", "Patient.name.given[1]"), {"name": [{"given": ["A"]}]}),
    ("delete the last one of a list", operation("delete", "Patient.contact[0]"), {"contact": None}),
    ("delete all that an object has", operation("delete", "Patient.contact[0].name.text"), {"contact": None}),
    ("delete all that stands beside a primitive", operation("delete", "Patient.name.given[1].id"), {"name": [{"given": ["A", "B"]}]}),
    ("replace a primitive", operation("replace", "Patient.birthDate", value="1930-01-01"), {"birthDate": "1930-01-01"}),
    ("replace within", operation("replace", "Patient.contact[0].name.text", value="t"), {"contact": [{"name": {"text": "t"}}]}),
    ("replace an object", operation("replace", "Patient.identifier[1]", VALUE_IDENTIFIER), {"identifier": [A, {"system": "n"}, C]}),
    ("replace a choice", operation("replace", "Patient.deceased", value=True), {"deceasedBoolean": True}),
    (
        "replace a choice with another type",
        operation("replace", "Patient.deceased", {"name": "value", "valueDateTime": "2020"}),
        {"deceasedBoolean": None, "deceasedDateTime": "2020"},
    ),
    ("move up", operation("move", "Patient.identifier", source=2, destination=0), {"identifier": [C, A, B]}),
    ("move down", operation("move", "Patient.identifier", source=0, destination=2), {"identifier": [B, C, A]}),
    ("move nowhere", operation("move", "Patient.identifier", source=1, destination=1), {}),
]


@pytest.mark.parametrize(("given_", "expected"), [row[1:] for row in CASES], ids=[row[0] for row in CASES])
def test_an_operation_does_what_its_name_says(given_: dict[str, Any], expected: dict[str, Any]) -> None:
    """https://hl7.org/fhir/R4/fhirpatch.html"""
    assert patched(given_) == changed(**expected)


@pytest.mark.parametrize(
    ("failing", "fault"),
    [
        ({"name": "operation"}, "malformed"),
        (operation("sing", "Patient"), "malformed"),
        (operation("add", "Patient.("), "malformed"),
        (operation("add", "Patient.name.single().given.single()", name="id", value="x"), "malformed"),
        (operation("add", "Patient", name="gender"), "malformed"),
        (operation("add", "Patient", value="x"), "malformed"),
        (operation("add", "Patient", {"name": "value"}, name="gender"), "malformed"),
        (operation("add", "Patient", {"name": "other"}, name="gender", value="x"), "malformed"),
        (operation("add", "Patient", name="birthDate", value="1930"), "target"),
        (operation("add", "Patient", {"name": "value", "valueDateTime": "2020"}, name="deceased"), "target"),
        (operation("add", "Patient", name="nickname", value="x"), "target"),
        (operation("add", "Patient.identifier", name="value", value="x"), "target"),
        (operation("add", "Patient.communication", name="preferred", value=True), "target"),
        (operation("insert", "Patient.identifier", VALUE_IDENTIFIER, index=4), "target"),
        (operation("insert", "Patient.identifier", VALUE_IDENTIFIER), "malformed"),
        (operation("insert", "Patient.identifier", VALUE_IDENTIFIER, index=-1), "malformed"),
        (operation("insert", "Patient.identifier.where(system = 'b')", VALUE_IDENTIFIER, index=0), "target"),
        (operation("insert", "Patient.birthDate", index=0, value="x"), "target"),
        (operation("insert", "Patient.communication", VALUE_IDENTIFIER, index=0), "target"),
        (operation("delete", "Patient.identifier"), "target"),
        (operation("delete", "Patient"), "target"),
        (operation("delete", "'secret'"), "target"),
        (operation("replace", "Patient.gender", value="x"), "target"),
        (operation("replace", "Patient.identifier", VALUE_IDENTIFIER), "target"),
        (operation("replace", "Patient.birthDate"), "malformed"),
        (operation("move", "Patient.identifier", source=0, destination=3), "target"),
        (operation("move", "Patient.identifier", source=0), "malformed"),
    ],
)
def test_a_patch_that_fails_says_which_operation(failing: dict[str, Any], fault: str) -> None:
    """https://hl7.org/fhir/R4/fhirpatch.html: one element for a path, none only for delete"""
    with pytest.raises(PatchError) as failed:
        patched(operation("delete", "Patient.active"), failing)
    assert (failed.value.fault, failed.value.operation) == (fault, 1)
    assert "secret" not in str(failed.value)


@pytest.mark.parametrize(
    ("parameters", "fault"),
    [
        ([], "malformed"),
        ({"resourceType": "Patient"}, "malformed"),
        ({"resourceType": "Parameters", "parameter": []}, "malformed"),
        ({"resourceType": "Parameters", "parameter": [{"name": "other"}]}, "malformed"),
        ({"resourceType": "Parameters", "parameter": [{"name": "operation"}] * 1_001}, "limit"),
    ],
)
def test_what_is_no_fhirpath_patch_is_refused(parameters: Any, fault: str) -> None:
    with pytest.raises(PatchError) as failed:
        fhirpath_patch(PATIENT, parameters)
    assert failed.value.fault == fault


def test_operations_see_what_those_before_them_did() -> None:
    result = patched(
        operation("add", "Patient", {"name": "value", "valueContactPoint": {"system": "phone"}}, name="telecom"),
        operation("add", "Patient.telecom.where(system = 'phone')", name="value", value="1"),
    )
    assert result["telecom"] == [{"system": "phone", "value": "1"}]


def test_digits_are_kept() -> None:
    """https://hl7.org/fhir/R4/datatypes.html#decimal"""
    resource = {"resourceType": "Observation", "valueQuantity": numbers.loads(b'{"value": 74.10}')}
    value = numbers.loads(b'{"name": "value", "valueDecimal": 75.10}')
    assert (
        numbers.dumps(patched(operation("replace", "Observation.value.value", value), resource=resource)["valueQuantity"])
        == b'{"value":75.10}'
    )


PATHS = st.sampled_from(
    ["Patient", "Patient.name", "Patient.name.given", "Patient.name[0].given[1]", "Patient.identifier[0]", "Patient.deceased", "name", "1"]
)
RANDOM = st.builds(
    operation,
    st.sampled_from(["add", "insert", "delete", "replace", "move"]),
    PATHS,
    index=st.integers(-1, 4),
    source=st.integers(-1, 4),
    destination=st.integers(-1, 4),
    name=st.sampled_from(["given", "family", "id", "use", "deceased"]),
    value=st.text(max_size=3) | st.integers(0, 3) | st.booleans(),
)


@given(st.lists(RANDOM, max_size=5))
def test_any_patch_is_carried_out_or_refused(operations: list[dict[str, Any]]) -> None:
    before = json.dumps(operations)
    with contextlib.suppress(PatchError):
        json.dumps(patched(*operations))
    assert json.dumps(operations) == before


@given(st.permutations(range(3)), st.integers(0, 2), st.integers(0, 2))
def test_a_move_and_the_move_back_change_nothing(order: list[int], source: int, destination: int) -> None:
    resource = PATIENT | {"identifier": [PATIENT["identifier"][index] for index in order]}
    there, back = (
        operation("move", "identifier", source=one, destination=two) for one, two in ((source, destination), (destination, source))
    )
    assert patched(there, back, resource=resource) == resource


def test_a_patch_without_operations_changes_nothing() -> None:
    """fhirpatch.html: each operation is a parameter, and there may be none; HL7's own tests have such a patch."""
    assert fhirpath_patch(PATIENT, {"resourceType": "Parameters"}) == PATIENT
