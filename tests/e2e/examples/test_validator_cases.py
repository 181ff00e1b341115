"""What HL7's own validator finds nothing wrong with is not refused here: its test cases for R4, from their package.

https://hl7.org/fhir/R4/validation.html. The other way round proves little: most of what that validator refuses rests on terminologies
and on profiles that a hub does not have.
"""

from collections.abc import Iterator, Mapping
from typing import Final

import orjson

from fhir_profiles import profiles, r4
from tests.e2e.examples.given import cases, read

VALIDATOR: Final = "org/hl7/fhir/testcases/validator/"
CASES_MIN: Final = 280
STRICTER: Final[Mapping[str, str]] = {
    "contained-resource.json": "an id of 65 characters",
    "json-comments-1.json": "comments, which JSON does not have",
    "json-comments-2.json": "comments, which JSON does not have",
    "list-bad-reference.xml": "a reference of no form that R4 has; a warning there",
    "logical-boo-bad3.xml": "a narrative with an image of another server",
    "logical-boo-good.xml": "a narrative with an image of another server",
    "matchetype/matchetype-pattern.json": "a pattern with placeholders, not a resource",
    "obs-fio2.json": "a component in L/min: R4's vital signs require units of a list, which that validator only recommends",
    "obs-percent.json": "a component in L/min: R4's vital signs require units of a list, which that validator only recommends",
    "obs-vital-signs-mdc.json": "claims a profile of personal health devices, which is not known there, and does not follow it",
    "ref-policy-r4.json": "a urn:uuid that is no UUID",
    "shc-bundle.json": "a byte order mark, which JSON must not have: https://www.rfc-editor.org/rfc/rfc8259#section-8.1",
}
"""Files that are refused here alone, and for what."""


def test_what_hl7s_validator_takes_is_taken_or_named_with_its_reason() -> None:
    taken = dict(without_errors())
    assert len(taken) >= CASES_MIN
    assert {name for name, body in taken.items() if refused(name, body)} == set(STRICTER)


def without_errors() -> Iterator[tuple[str, bytes]]:
    """Files of R4 that are held against R4 alone, and that the validator has no error for."""
    with cases() as archive:
        names = set(archive.namelist())
        for case in orjson.loads(archive.read(f"{VALIDATOR}manifest.json"))["test-cases"]:
            path, said = f"{VALIDATOR}{case['file']}", f"{VALIDATOR}outcomes/{case.get('java')}"
            of_r4 = case.get("version", "").startswith("4.0") and case["file"].endswith((".json", ".xml"))
            if of_r4 and {path, said} <= names:
                found = {one["severity"] for one in orjson.loads(archive.read(said)).get("issue", ())}
                if not found & {"error", "fatal"}:
                    yield case["file"], archive.read(path)


def refused(name: str, body: bytes) -> bool:
    try:
        content = read(name, body)
    except ValueError:  # NotFhirXml is one
        return True
    return bool(r4.check(content) or profiles.check(content))
