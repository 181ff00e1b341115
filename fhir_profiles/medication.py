"""Measurement -> FHIR R4 MedicationAdministration as JSON bytes: what a pump or a pen has given.

https://hl7.org/fhir/R4/medicationadministration.html. One dose is one event; a rate holds for a period. What the device does
not know, such as the brand of the insulin in it, is not said.
"""

from typing import Any, Final

import orjson

from fhir_profiles.catalogue import MEASURES, Measure
from fhir_profiles.derivation import meta_json, replaces_json
from fhir_profiles.measurement import Amount, MeasuredValue, Measurement
from fhir_profiles.observation import coding_json, effective_json, flag_json, is_device, is_id, is_patient, quantity_json

_COMMUNITY: Final = {
    "coding": [
        {
            "system": "http://terminology.hl7.org/CodeSystem/medication-admin-category",
            "code": "community",
            "display": "Community",
        }
    ]
}


def medication_administration(measurement: Measurement, *, id: str, version: int, last_updated: str) -> bytes:
    """Build the MedicationAdministration as UTF-8 JSON.

    id            logical id; version from 1; last_updated FHIR instant
    Raises ValueError, naming the part but no value, when the measurement is not one that the catalogue allows.
    """
    measure = MEASURES.get(measurement.measure)
    if measure is None or measure.medication is None or measurement.context:
        raise ValueError("measure is not one that becomes a MedicationAdministration, or has a context")
    subject = {"reference": is_patient(measurement.patient)}
    resource: dict[str, Any] = {
        "resourceType": "MedicationAdministration",
        "id": is_id(id),
        "meta": meta_json(measurement, version, last_updated),
        "status": "completed",
        "category": _COMMUNITY,
        "medicationCodeableConcept": {"coding": [coding_json(measure.medication)], "text": measure.text},
        "subject": subject,
        **effective_json(measurement),
        "dosage": _dosage(measure, measurement.value),
    }
    replaces = [replaces_json("MedicationAdministration", measurement.replaces)] if measurement.replaces else []
    if measurement.flags or replaces:
        resource["extension"] = [*(flag_json(flag) for flag in measurement.flags), *replaces]
    if measurement.device is not None:
        resource["device"] = [{"reference": is_device(measurement.device)}]
    if measurement.manual:
        resource["performer"] = [{"actor": subject}]
    return orjson.dumps(resource)


def _dosage(measure: Measure, value: MeasuredValue | None) -> dict[str, Any]:
    """mad-1: a dose or a rate. The code says which kind of delivery it was, in our own words."""
    match value:
        case Amount():
            return {"text": measure.text, "rateQuantity" if measure.rate else "dose": quantity_json(measure, value)}
        case _:
            raise ValueError("value is not of the kind that the measure takes")
