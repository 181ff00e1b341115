"""https://hl7.org/fhir/R4/profiling.html, https://hl7.org/fhir/R4/elementdefinition.html: each rule kept and broken."""

from typing import Any

import pytest

from fhir_profiles.profiles import Library, ProfileError, check, findings
from fhir_profiles.profiles.rules import MAX_VALUE_SET
from tests.spec.profiles.given_profiles import BASE, LOINC, MDC, URL, concept, found, observation, profile, told

QUANTITY = {"value": 72, "unit": "beats/min", "system": "http://unitsofmeasure.org", "code": "/min"}
RANGE = {"low": {"value": 1}}
VITAL = "http://terminology.hl7.org/CodeSystem/observation-category"
CATEGORY_SLICE = [
    {
        "id": "Observation.category",
        "slicing": {
            "discriminator": [{"type": "value", "path": "coding.code"}, {"type": "value", "path": "coding.system"}],
            "rules": "open",
        },
    },
    {"id": "Observation.category:VS", "min": 1, "max": "1"},
    {"id": "Observation.category:VS.coding.system", "min": 1, "fixedUri": VITAL},
    {"id": "Observation.category:VS.coding.code", "min": 1, "fixedCode": "vital-signs"},
]


def test_a_resource_of_another_type_does_not_follow_the_profile() -> None:
    assert told({"resourceType": "Patient"}, profile()) == [("error", "structure", "Patient")]


@pytest.mark.parametrize(
    ("rule", "kept", "broken", "expression"),
    [
        ({"id": "Observation.subject", "min": 1}, {"subject": {"reference": "Patient/1"}}, {}, "Observation.subject"),
        ({"id": "Observation.note", "max": "0"}, {}, {"note": [{"text": "x"}]}, "Observation.note"),
        ({"id": "Observation.note", "min": 2}, {"note": [{"text": "x"}] * 2}, {"note": [{"text": "x"}]}, "Observation.note"),
        ({"id": "Observation.note", "max": "1"}, {"note": [{"text": "x"}]}, {"note": [{"text": "x"}] * 2}, "Observation.note"),
        ({"id": "Observation.value[x]", "min": 1}, {"valueQuantity": QUANTITY}, {}, "Observation.value"),
        ({"id": "Observation.value[x]", "max": "0"}, {}, {"valueString": "x"}, "Observation.value"),
        ({"id": "Observation.status", "fixedCode": "final"}, {}, {"status": "amended"}, "Observation.status"),
        (
            {"id": "Observation.value[x]", "type": [{"code": "Quantity"}, {"code": "string"}]},
            {"valueString": "x"},
            {"valueInteger": 1},
            "Observation.value",
        ),
        ({"id": "Observation.valueQuantity"}, {"valueQuantity": QUANTITY}, {"valueString": "x"}, "Observation.value"),
        (
            {"id": "Observation.valueQuantity.comparator", "max": "0"},
            {"valueQuantity": QUANTITY},
            {"valueQuantity": {**QUANTITY, "comparator": "<"}},
            "Observation.value.comparator",
        ),
        (
            {"id": "Observation.note.text", "maxLength": 3},
            {"note": [{"text": "abc"}]},
            {"note": [{"text": "abcd"}]},
            "Observation.note[0].text",
        ),
        ({"id": "Observation.value[x]", "maxValueInteger": 3}, {"valueInteger": 3}, {"valueInteger": 4}, "Observation.value"),
        ({"id": "Observation.value[x]", "minValueInteger": 3}, {"valueInteger": 3}, {"valueInteger": 2}, "Observation.value"),
        ({"id": "Observation.value[x]", "fixedBoolean": True}, {"valueBoolean": True}, {"valueInteger": 1}, "Observation.value"),
        (
            {"id": "Observation.code", "patternCodeableConcept": concept(LOINC, "8867-4")},
            {"code": {"coding": [{"system": MDC, "code": "1"}, {"system": LOINC, "code": "8867-4", "display": "x"}], "text": "y"}},
            {"code": concept(MDC, "8867-4")},
            "Observation.code",
        ),
        (
            {"id": "Observation.code", "fixedCodeableConcept": concept(LOINC, "8867-4")},
            {"code": concept(LOINC, "8867-4")},
            {"code": {**concept(LOINC, "8867-4"), "text": "y"}},
            "Observation.code",
        ),
        (
            {"id": "Observation.component.code.text", "min": 1},
            {},
            {"component": [{"code": concept(LOINC, "1"), "valueInteger": 1}]},
            "Observation.component[0].code.text",
        ),
        (
            {"id": "Observation.subject", "type": [{"code": "Reference", "targetProfile": [f"{BASE}Patient"]}]},
            {"subject": {"reference": "http://elsewhere.example/fhir/Patient/1"}},
            {"subject": {"reference": "Group/1"}},
            "Observation.subject",
        ),
    ],
)
def test_each_rule_is_kept_or_found_broken(rule: dict[str, Any], kept: dict[str, Any], broken: dict[str, Any], expression: str) -> None:
    assert found(observation(**kept), profile(rule)) == []
    assert [one.expression for one in found(observation(**broken), profile(rule))] == [expression]


def test_a_text_says_what_is_asked_for_and_nothing_of_the_resource() -> None:
    rule = {"id": "Observation.code", "patternCodeableConcept": concept(LOINC, "8867-4")}
    (one,) = found(observation(code=concept(MDC, "secret"), subject={"reference": "Patient/secret"}), profile(rule))
    assert "8867-4" in one.text
    assert "secret" not in str(one)


def test_an_extension_stands_for_a_missing_primitive_but_not_for_a_fixed_one() -> None:
    absent = {"extension": [{"url": f"{BASE}data-absent-reason", "valueCode": "unknown"}]}
    issued = observation(_issued=absent)
    assert found(issued, profile({"id": "Observation.issued", "min": 1})) == []
    assert told(issued, profile({"id": "Observation.issued", "fixedInstant": "2026-01-01T00:00:00Z"})) == [
        ("error", "value", "Observation.issued")
    ]


def test_extensions_of_a_primitive_are_checked_beside_its_value() -> None:
    rule = {"id": "Observation.issued.extension", "max": "0"}
    with_extension = {"extension": [{"url": "http://example.org/x", "valueCode": "unknown"}]}
    assert found(observation(issued="2026-01-01T00:00:00Z"), profile(rule)) == []
    assert told(observation(issued="2026-01-01T00:00:00Z", _issued=with_extension), profile(rule)) == [
        ("error", "structure", "Observation.issued.extension")
    ]


def category(*codes: str) -> dict[str, Any]:
    return observation(category=[concept(VITAL, code) for code in codes])


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        (category("vital-signs"), []),
        (category("exam", "vital-signs"), []),
        (category("exam"), [("error", "required", "Observation.category")]),
        (observation(), [("error", "required", "Observation.category")]),
        (category("vital-signs", "vital-signs"), [("error", "structure", "Observation.category")]),
    ],
)
def test_slices_by_value_are_counted(resource: dict[str, Any], expected: list[tuple[str, str, str]]) -> None:
    assert told(resource, profile(*CATEGORY_SLICE)) == expected


def slices(kind: str, path: str, *elements: dict[str, Any], rules: str = "open", ordered: bool = False) -> dict[str, Any]:
    slicing = {"discriminator": [{"type": kind, "path": path}], "rules": rules, "ordered": ordered}
    return profile({"id": "Observation.component", "slicing": slicing}, *elements)


def component(code: str, **value: Any) -> dict[str, Any]:
    return {"code": concept(LOINC, code), **value}


BY_CODE = (
    {"id": "Observation.component:A", "min": 0},
    {"id": "Observation.component:A.code", "patternCodeableConcept": concept(LOINC, "A")},
    {"id": "Observation.component:B", "min": 0},
    {"id": "Observation.component:B.code", "patternCodeableConcept": concept(LOINC, "B")},
)


@pytest.mark.parametrize(
    ("rules", "ordered", "codes", "places"),
    [
        ("open", False, "BXA", []),
        ("closed", False, "BA", []),
        ("closed", False, "BXA", ["Observation.component[1]"]),
        ("openAtEnd", False, "BAX", []),
        ("openAtEnd", False, "BXA", ["Observation.component"]),
        ("open", True, "AXB", []),
        ("open", True, "BXA", ["Observation.component"]),
    ],
)
def test_slices_are_open_closed_or_in_order_as_the_profile_says(rules: str, ordered: bool, codes: str, places: list[str]) -> None:
    """https://hl7.org/fhir/R4/valueset-resource-slicing-rules.html"""
    resource = observation(component=[component(code, valueInteger=1) for code in codes])
    assert [one.expression for one in found(resource, slices("pattern", "code", *BY_CODE, rules=rules, ordered=ordered))] == places


def test_slices_by_what_is_there_are_told_apart() -> None:
    sliced = slices(
        "exists",
        "value",
        {"id": "Observation.component:with", "max": "1"},
        {"id": "Observation.component:with.value[x]", "min": 1},
        {"id": "Observation.component:without", "max": "1"},
        {"id": "Observation.component:without.value[x]", "max": "0"},
        {"id": "Observation.component:without.dataAbsentReason", "min": 1},
    )
    assert found(observation(component=[component("A", valueInteger=1), component("B", dataAbsentReason={"text": "x"})]), sliced) == []
    assert told(observation(component=[component("A", valueInteger=1), component("B")]), sliced) == [
        ("error", "required", "Observation.component[1].dataAbsentReason")
    ]
    assert told(observation(component=[component("A", valueInteger=1)] * 2), sliced) == [("error", "structure", "Observation.component")]


def test_slices_of_a_choice_are_told_apart_by_type() -> None:
    sliced = profile(
        {"id": "Observation.value[x]", "slicing": {"discriminator": [{"type": "type", "path": "$this"}], "rules": "closed"}},
        {"id": "Observation.value[x]:valueQuantity", "type": [{"code": "Quantity"}]},
        {"id": "Observation.value[x]:valueQuantity.code", "min": 1},
        {"id": "Observation.value[x]:valueString", "type": [{"code": "string"}]},
    )
    assert found(observation(valueQuantity=QUANTITY), sliced) == []
    assert found(observation(valueString="x"), sliced) == []
    assert told(observation(valueQuantity={"value": 1}), sliced) == [("error", "required", "Observation.value.code")]
    assert told(observation(valueInteger=1), sliced) == [("error", "structure", "Observation.value")]


def test_a_slice_by_the_type_that_a_reference_leads_to_looks_at_the_reference() -> None:
    sliced = profile(
        {"id": "Observation.performer", "slicing": {"discriminator": [{"type": "type", "path": "resolve()"}], "rules": "closed"}},
        {"id": "Observation.performer:patient", "min": 1, "type": [{"code": "Reference", "targetProfile": [f"{BASE}Patient"]}]},
    )
    assert found(observation(performer=[{"reference": "Patient/1"}]), sliced) == []
    assert [one.code for one in found(observation(performer=[{"reference": "Practitioner/1"}]), sliced)] == ["structure", "required"]


def test_a_slice_by_profile_takes_what_follows_the_profile() -> None:
    named = profile({"id": "Patient.name", "min": 1}, type="Patient", url="http://example.org/named")
    bundle = profile(
        {"id": "Bundle.entry", "slicing": {"discriminator": [{"type": "profile", "path": "resource"}], "rules": "open"}},
        {"id": "Bundle.entry:named", "min": 1},
        {"id": "Bundle.entry:named.resource", "type": [{"code": "Patient", "profile": ["http://example.org/named"]}]},
        type="Bundle",
    )
    right: dict[str, Any] = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"resource": {"resourceType": "Patient", "name": [{"family": "Essai"}]}}],
    }
    assert found(right, bundle, named) == []
    wrong = {**right, "entry": [{"resource": {"resourceType": "Patient", "active": True}}]}
    assert told(wrong, bundle, named) == [("error", "required", "Bundle.entry")]


def test_a_resource_inside_follows_the_profile_of_its_place() -> None:
    """ElementDefinition.type.profile; the expression leads to the place."""
    named = profile({"id": "Patient.name", "min": 1}, type="Patient", url="http://example.org/named")
    bundle = profile(
        {"id": "Bundle.entry.resource", "type": [{"code": "Resource", "profile": ["http://example.org/named"]}]}, type="Bundle"
    )
    wrong = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": {"resourceType": "Patient", "active": True}}]}
    assert told(wrong, bundle, named) == [("error", "required", "Bundle.entry[0].resource.name")]


def test_a_contained_resource_is_held_against_the_profile_that_a_reference_asks_for() -> None:
    metered = profile({"id": "Device.modelNumber", "min": 1}, type="Device", url="http://example.org/metered")
    asking = profile({"id": "Observation.device", "type": [{"code": "Reference", "targetProfile": ["http://example.org/metered"]}]})
    device = {"resourceType": "Device", "id": "d", "modelNumber": "M1"}
    assert found(observation(contained=[device], device={"reference": "#d"}), asking, metered) == []
    assert told(observation(contained=[{"resourceType": "Device", "id": "d"}], device={"reference": "#d"}), asking, metered) == [
        ("error", "value", "Observation.device")
    ]
    assert found(observation(device={"reference": "Device/unseen"}), asking, metered) == []
    assert told(observation(device={"reference": "DeviceMetric/m"}), asking, metered) == [("error", "value", "Observation.device")]


def extended(**value: Any) -> dict[str, Any]:
    return observation(extension=[{"url": f"{BASE}observation-gatewayDevice", **value}])


GATEWAY = profile(
    {
        "id": "Observation.extension:gateway",
        "min": 1,
        "max": "1",
        "type": [{"code": "Extension", "profile": [f"{BASE}observation-gatewayDevice"]}],
    },
)


def test_an_extension_is_told_by_its_url_and_follows_its_definition() -> None:
    """https://hl7.org/fhir/R4/extensibility.html#extension"""
    assert found(extended(valueReference={"reference": "Device/1"}), GATEWAY) == []
    assert told(observation(), GATEWAY) == [("error", "required", "Observation.extension")]
    assert told(extended(valueString="x"), GATEWAY) == [("error", "structure", "Observation.extension[0].value")]
    assert told(extended(valueReference={"reference": "Patient/1"}), GATEWAY) == [("error", "value", "Observation.extension[0].value")]


@pytest.mark.parametrize(
    ("strength", "severity"), [("required", "error"), ("extensible", "warning"), ("preferred", None), ("example", None)]
)
@pytest.mark.parametrize("wrong", [concept(LOINC, "2339-0"), {"text": "pulse"}, concept("http://example.org/mine", "8867-4")])
def test_a_binding_is_an_error_advice_or_nothing_by_its_strength(strength: str, severity: str | None, wrong: dict[str, Any]) -> None:
    """https://hl7.org/fhir/R4/terminologies.html#strength"""
    bound = profile(
        {
            "id": "Observation.code",
            "binding": {"strength": strength, "valueSet": "http://hl7.org/fhir/ValueSet/observation-vitalsignresult|4.0.1"},
        }
    )
    assert found(observation(), bound) == []
    assert told(observation(code=wrong), bound) == ([] if severity is None else [(severity, "code-invalid", "Observation.code")])


LANGUAGES = {
    "id": "Observation.language",
    "binding": {
        "strength": "preferred",
        "valueSet": "http://hl7.org/fhir/ValueSet/languages",
        "extension": [{"url": MAX_VALUE_SET, "valueCanonical": "http://hl7.org/fhir/ValueSet/all-languages"}],
    },
}
RESULTS = "http://hl7.org/fhir/ValueSet/observation-vitalsignresult"
RESULTS_AT_MOST = {
    "id": "Observation.code",
    "binding": {"strength": "extensible", "valueSet": RESULTS, "extension": [{"url": MAX_VALUE_SET, "valueUri": RESULTS}]},
}


@pytest.mark.parametrize(
    ("rule", "kept", "broken", "expression"),
    [
        (LANGUAGES, {"language": "tlh"}, {"language": "no_language_at_all"}, "Observation.language"),
        (RESULTS_AT_MOST, {}, {"code": concept(LOINC, "2339-0")}, "Observation.code"),
    ],
    ids=["what cannot be listed", "a list"],
)
def test_nobody_goes_beyond_the_largest_value_set(
    rule: dict[str, Any], kept: dict[str, Any], broken: dict[str, Any], expression: str
) -> None:
    """https://hl7.org/fhir/R4/extension-elementdefinition-maxvalueset.html: an error whatever the strength."""
    assert found(observation(**kept), profile(rule), advice=False) == []
    (one,) = found(observation(**broken), profile(rule), advice=False)
    assert (one.severity, one.code, one.expression) == ("error", "code-invalid", expression)


def test_what_a_profile_says_of_content_holds_where_it_is_referred_to() -> None:
    """https://hl7.org/fhir/R4/elementdefinition-definitions.html#ElementDefinition.contentReference"""
    referring = {"id": "Observation.component.referenceRange", "contentReference": "#Observation.referenceRange"}
    constrained = profile({"id": "Observation.referenceRange.text", "min": 1}, referring)
    here, there = observation(referenceRange=[RANGE]), observation(component=[component("A", valueInteger=1, referenceRange=[RANGE])])
    assert told(here, constrained) == [("error", "required", "Observation.referenceRange[0].text")]
    assert told(there, constrained) == [("error", "required", "Observation.component[0].referenceRange[0].text")]
    assert found(observation(component=[component("A", valueInteger=1, referenceRange=[{**RANGE, "text": "x"}])]), constrained) == []
    assert told(there, profile(referring)) == []


def test_content_that_refers_to_itself_is_checked_at_every_depth() -> None:
    item = {"linkId": "1", "type": "group", "text": "x"}
    constraint = {"key": "t-1", "severity": "error", "human": "No prefix.", "expression": "prefix.empty()"}
    constrained = profile(
        {"id": "Questionnaire.item", "constraint": [constraint]},
        {"id": "Questionnaire.item.text", "min": 1},
        {"id": "Questionnaire.item.item", "contentReference": "#Questionnaire.item"},
        type="Questionnaire",
    )
    deepest = {"linkId": "3", "type": "display", "prefix": "1"}
    form = {"resourceType": "Questionnaire", "status": "draft", "item": [{**item, "item": [{**item, "linkId": "2", "item": [deepest]}]}]}
    place = "Questionnaire.item[0].item[0].item[0]"
    assert set(told(form, constrained)) == {("error", "required", f"{place}.text"), ("error", "invariant", place)}


RESLICED = (
    {"id": "Observation.component:A", "min": 1, "slicing": {"discriminator": [{"type": "type", "path": "value"}], "rules": "closed"}},
    {"id": "Observation.component:A.code", "patternCodeableConcept": concept(LOINC, "A")},
    {"id": "Observation.component:A/whole", "max": "1"},
    {"id": "Observation.component:A/whole.value[x]", "type": [{"code": "integer"}]},
    {"id": "Observation.component:A/words", "min": 1},
    {"id": "Observation.component:A/words.value[x]", "type": [{"code": "string"}], "maxLength": 3},
)


@pytest.mark.parametrize(
    ("components", "expected"),
    [
        ([component("A", valueString="abc"), component("A", valueInteger=1), component("B", valueBoolean=True)], []),
        ([component("A", valueInteger=1)], [("required", "Observation.component")]),
        ([component("A", valueString="abcd")], [("value", "Observation.component[0].value")]),
        ([component("A", valueString="a"), component("A", valueBoolean=True)], [("structure", "Observation.component[1]")]),
        (
            [component("A", valueString="a"), component("A", valueInteger=1), component("A", valueInteger=2)],
            [("structure", "Observation.component")],
        ),
    ],
)
def test_a_slice_is_sliced_again(components: list[dict[str, Any]], expected: list[tuple[str, str]]) -> None:
    """https://hl7.org/fhir/R4/profiling.html#reslicing: what is in the slice is counted and checked once more."""
    resource = observation(component=components)
    assert [(one.code, one.expression) for one in found(resource, slices("pattern", "code", *RESLICED))] == expected


def test_advice_is_left_out_where_only_errors_count() -> None:
    bound = profile(
        {
            "id": "Observation.code",
            "binding": {"strength": "extensible", "valueSet": "http://hl7.org/fhir/ValueSet/observation-vitalsignresult"},
        }
    )
    assert found(observation(code={"text": "pulse"}), bound, advice=False) == []


@pytest.mark.parametrize(
    ("value", "codes"),
    [
        ({"valueQuantity": QUANTITY}, []),
        ({"valueQuantity": {**QUANTITY, "code": "1/min"}}, ["code-invalid"]),
        ({"valueQuantity": {"value": 1, "unit": "x"}}, ["code-invalid"]),
        ({"valueCodeableConcept": concept("http://unitsofmeasure.org", "/min")}, []),
        ({"valueCodeableConcept": concept(LOINC, "/min")}, ["code-invalid"]),
        ({"valueString": "free text is not coded"}, []),
    ],
)
def test_a_binding_of_a_choice_concerns_what_is_coded(value: dict[str, Any], codes: list[str]) -> None:
    bound = profile(
        {"id": "Observation.value[x]", "binding": {"strength": "required", "valueSet": "http://hl7.org/fhir/ValueSet/ucum-vitals-common"}}
    )
    assert [one.code for one in found(observation(**value), bound)] == codes


def test_what_rests_on_a_code_system_that_is_not_shipped_is_said_and_not_refused() -> None:
    bound = profile(
        {"id": "Observation.code", "binding": {"strength": "required", "valueSet": "http://hl7.org/fhir/ValueSet/observation-codes"}}
    )
    assert told(observation(), bound) == [("information", "not-supported", "Observation.code")]


@pytest.mark.parametrize("severity", ["error", "warning"])
def test_a_constraint_is_evaluated_where_it_stands(severity: str) -> None:
    constraint = {
        "key": "t-1",
        "severity": severity,
        "human": "A value or the reason why not.",
        "expression": "value.exists() or dataAbsentReason.exists()",
    }
    constrained = profile({"id": "Observation.component", "constraint": [constraint]})
    assert found(observation(component=[component("A", valueInteger=1)]), constrained) == []
    (one,) = found(observation(component=[component("A", valueInteger=1), component("B")]), constrained)
    assert (one.severity, one.code, one.expression) == (severity, "invariant", "Observation.component[1]")
    assert one.text.startswith("t-1: A value or the reason why not.")


def test_a_profile_adds_to_the_slices_of_its_base() -> None:
    base = profile(*CATEGORY_SLICE, url="http://example.org/base")
    derived = profile(
        {"id": "Observation.category:VS.text", "min": 1}, {"id": "Observation.note", "min": 1}, base="http://example.org/base"
    )
    assert told(category("vital-signs"), derived, base) == [
        ("error", "required", "Observation.category[0].text"),
        ("error", "required", "Observation.note"),
    ]
    assert (
        found(
            {**category("vital-signs"), "category": [{**concept(VITAL, "vital-signs"), "text": "x"}], "note": [{"text": "x"}]},
            derived,
            base,
        )
        == []
    )


def test_a_snapshot_does_where_there_is_no_differential() -> None:
    sealed = profile({"id": "Observation.subject", "min": 1})
    sealed["snapshot"] = sealed.pop("differential")
    assert told(observation(), sealed) == [("error", "required", "Observation.subject")]


@pytest.mark.parametrize(
    "element",
    [
        {"id": "Observation.nothing", "min": 1},
        {"id": "Observation.component:A", "min": 1},
        {"id": "Observation.subject", "constraint": [{"key": "x", "severity": "error", "human": "x", "expression": "(("}]},
        {"id": "Observation.category:VS/inner", "min": 1},
    ],
)
def test_a_profile_that_is_not_understood_says_so_and_checks_nothing(element: dict[str, Any]) -> None:
    broken = profile(*CATEGORY_SLICE[:1], element)
    with pytest.raises(ProfileError):
        Library(lambda url: broken if url == URL else None).check(URL)
    assert told(observation(), broken) == [("warning", "not-supported", "Observation")]


def test_profiles_in_a_circle_are_refused() -> None:
    circle = profile(base=URL)
    with pytest.raises(ProfileError):
        Library(lambda url: circle if url == URL else None).check(URL)


def test_an_unknown_profile_is_advice_and_refuses_nothing() -> None:
    claimed = observation(meta={"profile": ["http://example.org/unknown"]})
    assert check(claimed) == ()
    assert [(one.severity, one.expression) for one in findings(claimed, ["http://example.org/unknown"])] == [
        ("warning", "Observation.meta.profile[0]")
    ]


@pytest.mark.parametrize("place", ["contained", "entry"])
def test_what_stands_inside_is_held_against_what_it_claims(place: str) -> None:
    inner = {**category("exam"), "meta": {"profile": [f"{BASE}vitalsigns"]}, "subject": {"reference": "Patient/1"}}
    if place == "contained":
        outer = {"resourceType": "DiagnosticReport", "status": "final", "code": concept(LOINC, "1"), "contained": [{**inner, "id": "o"}]}
    else:
        outer = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": inner}]}
    expected = "DiagnosticReport.contained[0]" if place == "contained" else "Bundle.entry[0].resource"
    assert all(one.expression.startswith(expected) for one in check(outer))
    assert f"{expected}.category" in [one.expression for one in check(outer)]
