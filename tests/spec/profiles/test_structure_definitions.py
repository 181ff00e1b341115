"""Our own definitions are themselves right FHIR and say what the builder does."""

import json
from pathlib import Path
from typing import Any

import pytest

import fhir_profiles
from fhir_profiles import canonical, r4
from fhir_profiles.catalogue import FLAG_PARAMETERS
from tests.spec.profiles.measurements import built, measurement

FOLDER = Path(fhir_profiles.__file__).parent / "structure_definitions"
DEFINITIONS: dict[str, dict[str, Any]] = {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(FOLDER.glob("*.json"))}


@pytest.mark.parametrize("name", DEFINITIONS)
def test_definition_is_valid_and_named_after_its_address(name: str) -> None:
    definition = DEFINITIONS[name]
    assert r4.check(definition) == ()
    assert name == f"{definition['resourceType']}-{definition['id']}"
    base = canonical.BASE if definition["publisher"] == "hds-hub" else definition["url"].rsplit("/", 2)[0]
    assert definition["url"] == f"{base}/{definition['resourceType']}/{definition['id']}"
    assert base == canonical.BASE or base.startswith(("http://hl7.org/fhir", "http://terminology.hl7.org"))


def test_the_base_can_never_be_anybodys_server() -> None:
    """RFC 2606 section 2: .invalid never resolves."""
    assert canonical.BASE.split("/")[2].endswith(".invalid")


def test_every_address_of_ours_is_defined() -> None:
    ours = {value for value in vars(canonical).values() if isinstance(value, str) and value.startswith(f"{canonical.BASE}/")}
    assert ours | set(FLAG_PARAMETERS.values()) <= {definition["url"] for definition in DEFINITIONS.values()}


@pytest.mark.parametrize("name", [name for name in DEFINITIONS if name.startswith("CodeSystem-")])
def test_a_code_is_there_once_and_says_what_it_means(name: str) -> None:
    concepts = DEFINITIONS[name].get("concept", [])
    assert len({concept["code"] for concept in concepts}) == len(concepts) == DEFINITIONS[name]["count"]
    assert all(concept["display"] and concept["definition"] for concept in concepts)


def test_extensions_have_the_type_that_their_definition_gives() -> None:
    """The builder writes value[x] in the type of the definition, on the element of its context."""
    resource = json.loads(built(measurement("body-weight", quality=("body-movement", "user-index:2"))))
    types = {
        definition["url"]: _value_type(definition)
        for definition in DEFINITIONS.values()
        if definition["resourceType"] == "StructureDefinition" and definition["type"] == "Extension"
    }
    for extension in resource["extension"]:
        assert f"value{types[extension['url']].title()}" in extension


def _value_type(definition: dict[str, Any]) -> str:
    """Empty for one that has extensions instead of a value."""
    code: str = definition["differential"]["element"][-1].get("type", [{"code": ""}])[0]["code"]
    return code
