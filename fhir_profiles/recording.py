"""A recording -> the DocumentReference that describes it and the Binary that holds it, as JSON bytes; a report -> a DiagnosticReport too.

https://hl7.org/fhir/R4/documentreference.html, https://hl7.org/fhir/R4/binary.html, https://hl7.org/fhir/R4/diagnosticreport.html. The
Observation by which a recording is found is built like any other; docs/adr/0014-recordings.md says why a recording is these three, and
docs/adr/0024-reports.md why a report has a DiagnosticReport in its place.
"""

from typing import Any, Final

import orjson

from fhir_profiles.canonical import BASE
from fhir_profiles.catalogue import MEASURES, Measure
from fhir_profiles.derivation import meta_json, replaces_json
from fhir_profiles.measurement import Measurement, Recorded
from fhir_profiles.observation import (
    category_json,
    coding_json,
    effective_json,
    flag_json,
    is_device,
    is_id,
    is_patient,
    security_json,
)

STORED_CONTENT: Final = f"{BASE}/CodeSystem/stored-content"
"""System of the tag of a Binary whose bytes the hub keeps beside it, in pieces."""


def diagnostic_report(measurement: Measurement, *, id: str, version: int, last_updated: str) -> bytes:
    """What was reported, when and by which service; the report itself is the document. Raises as `observation` does.

    It has no element for the device: the DocumentReference names it.
    """
    recorded, measure = _recorded(measurement), MEASURES[measurement.measure]
    if measure.report is None or measurement.context:
        raise ValueError("measure is not one that becomes a DiagnosticReport, or has a context")
    extensions: list[Any] = [flag_json(flag) for flag in measurement.flags]
    if measurement.replaces:
        extensions.append(replaces_json("DiagnosticReport", measurement.replaces))
    return orjson.dumps(
        {
            "resourceType": "DiagnosticReport",
            "id": is_id(id),
            "meta": meta_json(measurement, version, last_updated) | security_json(measurement),
            **({"extension": extensions} if extensions else {}),
            "status": "preliminary" if measurement.preliminary else "final",
            "category": _categories(measure),
            "code": _type(measure),
            "subject": {"reference": is_patient(measurement.patient)},
            **effective_json(measurement),
            "presentedForm": [_attachment(recorded)],
        }
    )


def document_reference(measurement: Measurement, *, id: str, version: int, last_updated: str) -> bytes:
    """What the document is, when it was recorded, by which device, and where its bytes are. Raises as `observation` does."""
    recorded = _recorded(measurement)
    measure = MEASURES[measurement.measure]
    times = effective_json(measurement)
    context: dict[str, Any] = {"period": times.get("effectivePeriod") or {"start": times["effectiveDateTime"]}}
    if measurement.device is not None:
        context["related"] = [{"reference": is_device(measurement.device)}]
    replaces = {"extension": [replaces_json("DocumentReference", measurement.replaces)]} if measurement.replaces else {}
    return orjson.dumps(
        {
            "resourceType": "DocumentReference",
            "id": is_id(id),
            "meta": meta_json(measurement, version, last_updated) | security_json(measurement),
            **replaces,
            "status": "current",
            "docStatus": "preliminary" if measurement.preliminary else "final",
            "type": _type(measure),
            "category": _categories(measure),
            "subject": {"reference": is_patient(measurement.patient)},
            "content": [{"attachment": _attachment(recorded)}],
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


def _type(measure: Measure) -> dict[str, Any]:
    return {"coding": [coding_json(coding) for coding in measure.codings], "text": measure.text}


def _categories(measure: Measure) -> list[dict[str, Any]]:
    """That of the measure, so that who denies it denies the document too; of a report its service as well."""
    service = [] if measure.report is None else [{"coding": [coding_json(measure.report)]}]
    return [*service, category_json(measure)]


def _attachment(recorded: Recorded) -> dict[str, Any]:
    """https://hl7.org/fhir/R4/datatypes.html#Attachment"""
    return {"contentType": recorded.media_type, "url": recorded.content, "size": recorded.size_bytes, "hash": recorded.sha1}


def _recorded(measurement: Measurement) -> Recorded:
    if not isinstance(measurement.value, Recorded):
        raise ValueError("value is not of the kind that the measure takes")  # noqa: TRY004 -- as the other builders say it
    return measurement.value
