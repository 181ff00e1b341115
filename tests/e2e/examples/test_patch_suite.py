"""HL7's own tests of patches for R4, from the package of their test cases.

https://hl7.org/fhir/R4/fhirpatch.html, https://www.rfc-editor.org/rfc/rfc6902
"""

from typing import Any, Final
from xml.etree import ElementTree as ET

import orjson
import pytest

from fhir_profiles.patch import PatchError, fhirpath_patch, json_patch
from fhir_profiles.xml import from_xml
from hub import numbers
from tests.e2e.examples.given import CASES, cases
from tests.spec.xml.test_round_trip import sorted_json

FHIRPATH_MIN: Final = 30
JSON_MIN: Final = 15


def resource_in(case: ET.Element, name: str) -> dict[str, Any] | None:
    found = case.find(name)
    return None if found is None or not len(found) else from_xml(ET.tostring(found[0]), decimal=numbers.number)


def test_every_fhirpath_patch_of_the_suite_does_what_it_says() -> None:
    """The resource that it gives; a case without one has to be refused."""
    with cases() as archive:
        suite = ET.fromstring(archive.read(f"{CASES}patch/fhir-patch-tests.xml"))  # noqa: S314 -- known by its checksum
    tests = list(suite.iter("case"))
    assert len(tests) >= FHIRPATH_MIN
    for case in tests:
        resource, patch, expected = (resource_in(case, name) for name in ("input", "diff", "output"))
        assert resource is not None
        if expected is None:
            with pytest.raises(PatchError):
                fhirpath_patch(resource, patch)
        else:
            assert (case.get("name"), sorted_json(fhirpath_patch(resource, patch))) == (case.get("name"), sorted_json(expected))


def test_every_json_patch_of_the_suite_does_what_it_says() -> None:
    with cases() as archive:
        tests = orjson.loads(archive.read(f"{CASES}patch/json-patch-tests.json"))
    assert len(tests) >= JSON_MIN
    for case in tests:
        if "error" in case:
            with pytest.raises(PatchError):
                json_patch(case["doc"], case["patch"])
        else:
            assert (case["comment"], json_patch(case["doc"], case["patch"])) == (case["comment"], case["expected"])
