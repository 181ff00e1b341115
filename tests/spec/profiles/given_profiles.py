"""Profiles made for one rule each, and the resources they are held against."""

from collections.abc import Mapping
from typing import Any

from fhir_profiles import r4
from fhir_profiles.profiles import SHIPPED, Finding, Library, findings

BASE = "http://hl7.org/fhir/StructureDefinition/"
URL = "http://example.org/fhir/StructureDefinition/tested"
LOINC = "http://loinc.org"
MDC = "urn:iso:std:iso:11073:10101"


def profile(*elements: dict[str, Any], type: str = "Observation", base: str | None = None, url: str = URL) -> dict[str, Any]:
    """Each element is told by its id; the rest of the StructureDefinition is what R4 asks for."""
    told = [{"path": ".".join(step.split(":")[0] for step in element["id"].split(".")), **element} for element in elements]
    return {
        "resourceType": "StructureDefinition",
        "url": url,
        "name": "Tested",
        "status": "draft",
        "kind": "resource",
        "abstract": False,
        "type": type,
        "baseDefinition": base or f"{BASE}{type}",
        "derivation": "constraint",
        "differential": {"element": [{"id": type, "path": type}, *told]},
    }


def observation(**elements: Any) -> dict[str, Any]:
    return {"resourceType": "Observation", "status": "final", "code": concept(LOINC, "8867-4"), **elements}


def concept(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]}


def found(resource: Mapping[str, Any], *profiles: dict[str, Any], advice: bool = True) -> list[Finding]:
    """What the first of these profiles finds; the others are known, too. The resource is right by R4 itself."""
    assert r4.check(resource) == ()
    known = {one["url"]: one for one in profiles}
    library = Library(lambda url: known.get(url) or (SHIPPED.definition(url)))
    return findings(resource, [profiles[0]["url"]], library=library, advice=advice)


def told(resource: Mapping[str, Any], *profiles: dict[str, Any]) -> list[tuple[str, str, str]]:
    """(severity, code, expression) of what is found."""
    return [(one.severity, one.code, one.expression) for one in found(resource, *profiles)]
