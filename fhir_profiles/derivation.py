"""From what a resource was derived: who read it in meta.source, and in whose place it stands in an extension.

https://hl7.org/fhir/R4/resource-definitions.html#Meta.source. A reading that is derived anew under another key leaves two resources:
the one that was wrong, entered in error, and the one that replaces it. Each names the other, so that who has found one finds both.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from fhir_profiles.canonical import BASE, MEASUREMENT_QUALITY, OBSERVATION_REPLACES, QUALITY_SYSTEM, REPLACED_BY, REPLACES
from fhir_profiles.measurement import CLOCK_OFF, Measurement
from fhir_profiles.primitives import ID_PATTERN

ADAPTER: Final = f"{BASE}/adapter"
"""Below it adapters with the version of their mapping."""
_REFERENCE: Final = re.compile(rf"[A-Z][A-Za-z]+/{ID_PATTERN}(/_history/[1-9][0-9]*)?")


def adapter_uri(name: str, version: str) -> str:
    """What meta.source says: `_source:below` finds all that an adapter read, or all of one version of its mapping."""
    return f"{ADAPTER}/{name}/{version}"


def meta_json(measurement: Measurement, version: int, last_updated: str) -> dict[str, Any]:
    """Of what is built; the order is that of the specification."""
    meta = {"versionId": str(version), "lastUpdated": last_updated}
    return meta if measurement.source is None else {**meta, "source": measurement.source}


def replaces_json(type: str, reference: str) -> dict[str, Any]:
    """The extension by which a resource of this type names what was wrong: HL7's between Observations, ours elsewhere.

    Raises ValueError for what is no reference. https://hl7.org/fhir/R4/extension-observation-replaces.html
    """
    observations = type == reference.partition("/")[0] == "Observation"
    return {"url": OBSERVATION_REPLACES if observations else REPLACES, "valueReference": {"reference": _local(reference)}}


def replaced_by_json(reference: str) -> dict[str, Any]:
    """The extension that names what came in its place. Raises ValueError for what is no reference."""
    return {"url": REPLACED_BY, "valueReference": {"reference": _local(reference)}}


def replaced(content: dict[str, Any]) -> str | None:
    """Which version a resource replaces, as "Type/id/_history/1"; earlier versions of the hub named the resource alone."""
    found = [
        one["valueReference"]["reference"] for one in content.get("extension", ()) if one.get("url") in (REPLACES, OBSERVATION_REPLACES)
    ]
    return str(found[0]) if found else None


def clock_was_off(content: Mapping[str, Any]) -> bool:
    """Did the hub know the unit's clock to be off when it took this in?"""
    found = [one.get("valueCoding", {}) for one in content.get("extension", ()) if one.get("url") == MEASUREMENT_QUALITY]
    return any(one.get("system") == QUALITY_SYSTEM and one.get("code") == CLOCK_OFF for one in found)


def _local(reference: str) -> str:
    if _REFERENCE.fullmatch(reference) is None:
        raise ValueError("reference does not have the form that FHIR asks for")
    return reference
