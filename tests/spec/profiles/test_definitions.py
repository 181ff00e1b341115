"""HL7's definitions of R4 4.0.1, as the hub reads them. https://hl7.org/fhir/R4/structuredefinition.html"""

import subprocess
import sys

import pytest

from fhir_profiles.definitions import DATA_TYPES, PRIMITIVE_TYPES, RESOURCE_TYPES, Type, definition, required_codes

STRUCTURES = [
    "Bundle.entry.request",
    "Observation.component",
    "Patient.contact",
    "Timing.repeat",
    "Questionnaire.item",
    "EffectEvidenceSynthesis.certainty",
]


def test_every_type_of_r4_is_defined() -> None:
    """https://hl7.org/fhir/R4/resourcelist.html, https://hl7.org/fhir/R4/datatypes.html"""
    assert (len(RESOURCE_TYPES), len(DATA_TYPES), len(PRIMITIVE_TYPES)) == (146, 39, 20)
    assert {"EvidenceVariable", "EffectEvidenceSynthesis", "MedicinalProduct", "SubstanceProtein"} <= RESOURCE_TYPES
    assert not {"DomainResource", "SubscriptionTopic", "Citation"} & RESOURCE_TYPES
    assert all(definition(name).name == name for name in RESOURCE_TYPES | DATA_TYPES | PRIMITIVE_TYPES)


@pytest.mark.parametrize("type", sorted(RESOURCE_TYPES))
def test_whatever_a_type_consists_of_is_defined(type: str) -> None:
    """ElementDefinition.type and .contentReference: every structure inside and every type named leads to a definition."""
    waiting, seen = [type], set()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        for element in definition(name).elements:
            assert element.types or element.structure
            waiting += [element.structure] if element.structure else [one.code for one in element.types]
            assert {target for one in element.types for target in one.targets} <= RESOURCE_TYPES | {"Resource"}


@pytest.mark.parametrize("name", STRUCTURES)
def test_a_structure_inside_a_type_is_a_definition_of_its_own(name: str) -> None:
    assert definition(name).kind == "backbone"
    assert definition(name).elements[0].name == "id"


@pytest.mark.parametrize("name", ["Unicorn", "", "../types", "Observation.nothing", "SubscriptionTopic", "MetadataResource"])
def test_what_r4_does_not_have_is_a_key_error(name: str) -> None:
    with pytest.raises(KeyError):
        definition(name)


def test_elements_stand_in_the_order_of_the_specification() -> None:
    """https://hl7.org/fhir/R4/xml.html: elements appear in the order in which they are defined."""
    names = [element.name for element in definition("Observation").elements]
    assert names[:8] == ["id", "meta", "implicitRules", "language", "text", "contained", "extension", "modifierExtension"]
    assert names.index("status") < names.index("code") < names.index("value") < names.index("component")


def test_an_element_knows_types_targets_and_cardinality() -> None:
    """https://hl7.org/fhir/R4/observation-definitions.html"""
    elements = {element.name: element for element in definition("Observation").elements}
    assert elements["subject"].types == (Type(code="Reference", targets=("Patient", "Group", "Device", "Location")),)
    assert (elements["status"].minimum, elements["status"].maximum, elements["status"].many) == (1, 1, False)
    assert (elements["category"].minimum, elements["category"].maximum, elements["category"].many) == (0, None, True)
    assert (elements["status"].is_summary, elements["status"].is_modifier, elements["note"].is_summary) == (True, True, False)
    assert elements["component"].structure == "Observation.component"


def test_a_choice_has_one_json_name_for_each_type() -> None:
    """https://hl7.org/fhir/R4/formats.html#choice"""
    named = definition("Observation").named
    assert named["valueQuantity"].element is named["valueDateTime"].element
    assert (named["valueQuantity"].type.code, named["valueDateTime"].type.code) == ("Quantity", "dateTime")
    assert "value" not in named


def test_content_that_is_referred_to_is_that_of_the_other_element() -> None:
    """ElementDefinition.contentReference"""
    assert definition("Observation.component").named["referenceRange"].element.structure == "Observation.referenceRange"
    assert definition("Questionnaire.item").named["item"].element.structure == "Questionnaire.item"


def test_only_ids_of_elements_and_urls_of_extensions_are_attributes() -> None:
    """https://hl7.org/fhir/R4/xml.html: id and url are the exceptions, and take no extensions."""
    assert definition("Extension").named["url"].element.attribute
    assert definition("Observation.component").named["id"].element.attribute
    resource_id = definition("Observation").named["id"]
    assert (resource_id.element.attribute, resource_id.element.extensible, resource_id.type.code) == (False, False, "id")
    assert definition("Observation").named["status"].element.extensible


def test_a_binding_names_its_value_set_and_required_codes_can_be_listed() -> None:
    """https://hl7.org/fhir/R4/terminologies.html#strength"""
    binding = definition("Observation").named["status"].element.binding
    assert binding is not None
    assert (binding.strength, binding.value_set) == ("required", "http://hl7.org/fhir/ValueSet/observation-status")
    codes = required_codes(binding.value_set)
    assert codes is not None
    assert codes["http://hl7.org/fhir/observation-status"][:2] == ("registered", "preliminary")
    nested = required_codes("http://hl7.org/fhir/ValueSet/issue-type")
    assert nested is not None
    assert "code-invalid" in nested["http://hl7.org/fhir/issue-type"]


def test_a_value_set_without_end_is_for_a_rule() -> None:
    """Media types are those of BCP 13."""
    assert required_codes("http://hl7.org/fhir/ValueSet/mimetypes") is None


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("Observation", ["obs-6", "obs-7", "dom-2", "dom-3", "dom-4", "dom-5", "dom-6"]),
        ("Age", ["age-1", "qty-3", "ele-1"]),
        ("Extension", ["ext-1", "ele-1"]),
        ("Patient.contact", ["pat-1", "ele-1"]),
        ("Bundle", ["bdl-1", "bdl-2", "bdl-3", "bdl-4", "bdl-7", "bdl-9", "bdl-10", "bdl-11", "bdl-12"]),
    ],
)
def test_constraints_stand_where_they_hold_with_those_inherited(name: str, keys: list[str]) -> None:
    """https://hl7.org/fhir/R4/conformance-rules.html#constraints"""
    found = [one.key for one in definition(name).invariants]
    assert sorted(found) == sorted(keys)
    assert all(one.expression and one.human for one in definition(name).invariants)


def test_a_constraint_of_one_element_is_not_one_of_its_type() -> None:
    """txt-1 is about Narrative.div, org-3 about the contact points of an Organization."""
    assert [one.key for one in definition("Narrative").named["div"].element.invariants] == ["txt-1", "txt-2"]
    assert [one.key for one in definition("Organization").named["telecom"].element.invariants] == ["org-3"]
    assert definition("Patient").named["telecom"].element.invariants == ()


def test_nothing_is_read_before_it_is_asked_for() -> None:
    """A hub starts quickly: the names of the types are all that an import costs."""
    program = "from fhir_profiles import definitions as d; assert d._type.cache_info().currsize == d._value_sets.cache_info().currsize == 0"
    subprocess.run([sys.executable, "-c", program], check=True)
