"""Stored resources for the tests of the shapes, as the hub reads them: numbers keep their digits."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from fhir_profiles.catalogue import QUALITY
from fhir_profiles.measurement import Measurement
from fhir_profiles.shapes.kept import About, Kept
from hub import numbers
from tests.spec.profiles.measurements import built, measurement

Json = dict[str, Any]
SYSID = {"system": "urn:oid:1.2.840.10004.1.1.1.0.0.1.0.0.1.2680", "value": "74E8FFFEFF051C00"}
INS = {"system": "urn:oid:1.2.250.1.213.1.4.10", "value": "279035121518989"}
OID = "urn:oid:1.2.250.1.99999.7"
QUALITY_URL = "http://hds-hub.invalid/fhir/StructureDefinition/measurement-quality"
DEVICE: Json = {"resourceType": "Device", "id": "d1", "identifier": [SYSID], "manufacturer": "Exemple", "modelNumber": "B1"}
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def us(moment: datetime) -> int:
    return int(moment.timestamp()) * 1_000_000 + moment.microsecond


def about(**changes: Any) -> About:
    patient = {"resourceType": "Patient", "id": "p1", "identifier": [INS]}
    made = About(base="https://hub.example/fhir", patient=patient, pseudonym="k3Jq", now_us=us(NOON), number=numbers.number, source=OID)
    return replace(made, **changes)


def stored(made: Measurement, id: str = "o1", **more: Any) -> Json:
    observation: Json = numbers.loads(built(made))
    return {**observation, "id": id, **more}


def kept(key: str, *, device: Json | None = DEVICE, metric: Json | None = None, more: Json | None = None, **changes: Any) -> Kept:
    """A measurement of a row of the catalogue, changed; `more`: elements of the Observation besides."""
    return Kept(observation=stored(measurement(key, **changes), **(more or {})), device=device, metric=metric)


def flagged(*codes: str) -> list[Json]:
    system = "http://hds-hub.invalid/fhir/CodeSystem/measurement-quality"
    return [{"url": QUALITY_URL, "valueCoding": {"system": system, "code": code, "display": QUALITY[code]}} for code in codes]


def sensor_value(at: datetime, text: str | None, *flags: str, device: Json = DEVICE, metric: Json | None = None, **more: Any) -> Kept:
    """A value of a glucose sensor, or none."""
    observation: Json = {
        "resourceType": "Observation",
        "id": f"g{us(at)}",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "99504-3"}]},
        "effectiveDateTime": at.isoformat(),
        "device": {"reference": f"{'Device' if metric is None else 'DeviceMetric'}/{(metric or device)['id']}"},
    }
    if text is None:
        reason = {"system": "http://terminology.hl7.org/CodeSystem/data-absent-reason", "code": "unsupported"}
        observation["dataAbsentReason"] = {"coding": [reason]}
    else:
        observation["valueQuantity"] = {"value": numbers.number(text), "system": "http://unitsofmeasure.org", "code": "mg/dL"}
    if flags:
        observation["extension"] = flagged(*flags)
    return Kept(observation={**observation, **more}, device=device, metric=metric)


def every(minutes: int, texts: Sequence[str | None], start: datetime = NOON, **more: Any) -> list[Kept]:
    return [sensor_value(start + timedelta(minutes=minutes * index), text, **more) for index, text in enumerate(texts)]
