"""The conformance resources that the hub ships, as data. https://hl7.org/fhir/R4/conformance-module.html"""

import re
from collections import Counter
from typing import Any

import pytest

from fhir_profiles import r4, shipped
from fhir_profiles.definitions import DATA_TYPES, PRIMITIVE_TYPES, RESOURCE_TYPES, definition
from fhir_profiles.profiles import shipped as profiles

ALL = list(shipped.resources())
HL7 = "http://hl7.org/fhir/StructureDefinition/"


def of(type: str) -> list[Any]:
    return [one for one in ALL if one["resourceType"] == type]


@pytest.mark.parametrize("type", ["StructureDefinition", "ValueSet", "CodeSystem", "SearchParameter"])
def test_each_is_a_resource_of_r4(type: str) -> None:
    """https://hl7.org/fhir/R4/validation.html: structure, codes and the constraints of its definition."""
    assert {one["id"]: found for one in of(type) if (found := r4.check(one))} == {}


def test_no_two_have_one_name() -> None:
    """https://hl7.org/fhir/R4/references.html#canonical: a url is globally unique."""
    assert [url for url, count in Counter(one["url"] for one in ALL).items() if count > 1] == []
    assert [name for name, count in Counter((one["resourceType"], one["id"]) for one in ALL).items() if count > 1] == []
    assert [one["id"] for one in ALL if not re.fullmatch(r"[A-Za-z0-9\-.]{1,64}", one["id"])] == []


def test_every_type_of_r4_has_its_definition() -> None:
    urls = {one["url"] for one in of("StructureDefinition")}
    assert {f"{HL7}{type}" for type in RESOURCE_TYPES | DATA_TYPES | PRIMITIVE_TYPES} <= urls
    assert set(profiles()) <= urls


def test_a_published_definition_says_what_the_hub_checks() -> None:
    """Both come from the same publication: elements, how often, of which types."""
    by_url = {one["url"]: one for one in of("StructureDefinition")}
    for type in sorted(RESOURCE_TYPES):
        elements = {one["path"]: one for one in by_url[f"{HL7}{type}"]["snapshot"]["element"]}
        for element in definition(type).elements:
            told = elements[f"{type}.{element.name}{'[x]' if element.choice else ''}"]
            maximum = None if told["max"] == "*" else int(told["max"])
            assert (element.minimum, element.maximum) == (told["min"], maximum)


@pytest.mark.parametrize(
    ("type", "id", "reserved"),
    [
        ("ValueSet", "administrative-gender", True),
        ("StructureDefinition", "Observation", True),
        ("StructureDefinition", "administrative-gender", False),
        ("Patient", "Observation", False),
    ],
)
def test_ids_are_reserved_for_their_type(type: str, id: str, reserved: bool) -> None:
    assert shipped.is_reserved(type, id) is reserved


def test_a_url_is_taken_in_every_version() -> None:
    url = "http://hl7.org/fhir/ValueSet/administrative-gender"
    assert {shipped.owner(f"{url}{version}") for version in ("", "|4.0.1", "|5.0.0")} == {"ValueSet"}
    assert shipped.owner(f"{url}-of-mine") is None


def test_the_set_has_a_digest_that_does_not_change_by_itself() -> None:
    assert shipped.digest() == shipped.digest()
