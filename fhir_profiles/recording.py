"""A recording -> the DocumentReference that describes it and the Binary that holds it, as JSON bytes.

https://hl7.org/fhir/R4/documentreference.html, https://hl7.org/fhir/R4/binary.html. The Observation by which it is found is built like
any other; docs/adr/0014-recordings.md says why a recording is these three.
"""

from typing import Any, Final

import orjson

from fhir_profiles.canonical import BASE
from fhir_profiles.catalogue import MEASURES
from fhir_profiles.derivation import meta_json, replaces_json
from fhir_profiles.measurement import Measurement, Recorded
from fhir_profiles.observation import coding_json, effective_json, is_device, is_id, is_patient

STORED_CONTENT: Final = f"{BASE}/CodeSystem/stored-content"
"""System of the tag of a Binary whose bytes the hub keeps beside it, in pieces."""


def document_reference(measurement: Measurement, *, id: str, version: int, last_updated: str) -> bytes:
    """What the document is, when it was recorded, by which device, and where its bytes are. Raises as `observation` does."""
    recorded = _recorded(measurement)
    measure = MEASURES[measurement.measure]
    times = effective_json(measurement)
    context: dict[str, Any] = {"period": times.get("effectivePeriod") or {"start": times["effectiveDateTime"]}}
    if measurement.device is not None:
        context["related"] = [{"reference": is_device(measurement.device)}]
    attachment = {"contentType": recorded.media_type, "url": recorded.content, "size": recorded.size_bytes, "hash": recorded.sha1}
    replaces = {"extension": [replaces_json("DocumentReference", measurement.replaces)]} if measurement.replaces else {}
    return orjson.dumps(
        {
            "resourceType": "DocumentReference",
            "id": is_id(id),
            "meta": meta_json(measurement, version, last_updated),
            **replaces,
            "status": "current",
            "docStatus": "preliminary" if measurement.preliminary else "final",
            "type": {"coding": [coding_json(coding) for coding in measure.codings], "text": measure.text},
            "subject": {"reference": is_patient(measurement.patient)},
            "content": [{"attachment": attachment}],
            "context": context,
        }
    )


def binary(measurement: Measurement, *, id: str, version: int, last_updated: str) -> bytes:
    """The bytes lie beside it in pieces: `data` would have to be in memory as a whole."""
    recorded = _recorded(measurement)
    return orjson.dumps(
        {
            "resourceType": "Binary",
            "id": is_id(id),
            "meta": {
                **meta_json(measurement, version, last_updated),
                "tag": [{"system": STORED_CONTENT, "code": recorded.stored_as}],
            },
            "contentType": recorded.media_type,
            "securityContext": {"reference": is_patient(measurement.patient)},
        }
    )


def _recorded(measurement: Measurement) -> Recorded:
    if not isinstance(measurement.value, Recorded):
        raise ValueError("value is not of the kind that the measure takes")  # noqa: TRY004 -- as the other builders say it
    return measurement.value
