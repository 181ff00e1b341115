"""Which builder makes a resource of a measurement: a row for each type that measurements become."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final, Protocol

from fhir_profiles.catalogue import MEASURES
from fhir_profiles.measurement import RECORDING_BESIDE, Measurement, Recorded
from fhir_profiles.medication import medication_administration
from fhir_profiles.observation import observation
from fhir_profiles.recording import binary, diagnostic_report, document_reference


class Builder(Protocol):
    """Builds UTF-8 JSON. Raises ValueError when the measurement is not one that the catalogue allows."""

    def __call__(self, measurement: Measurement, *, id: str, version: int, last_updated: str) -> bytes: ...


BUILDERS: Final[Mapping[str, Builder]] = MappingProxyType(
    {
        "Observation": observation,
        "MedicationAdministration": medication_administration,
        "DiagnosticReport": diagnostic_report,
        "DocumentReference": document_reference,
        "Binary": binary,
    }
)


def resource_type(measurement: Measurement) -> str:
    """The FHIR type that it becomes. Raises ValueError for a measure that is not in the catalogue."""
    measure = MEASURES.get(measurement.measure)
    if measure is None:
        raise ValueError("measure is not in the catalogue")
    return measurement.value.part if isinstance(measurement.value, Recorded) else measure.resource_type


def as_parts(measurement: Measurement) -> tuple[Measurement, ...]:
    """The measurement as each of the resources that it becomes: one; of a recording what it is found by, its document and its content."""
    value = measurement.value
    if not isinstance(value, Recorded):
        return (measurement,)
    return (measurement, *(replace(measurement, value=replace(value, part=part)) for part in RECORDING_BESIDE))


def build(measurement: Measurement, *, id: str, version: int, last_updated: str) -> bytes:
    """Build the resource. Raises as its builder does."""
    return BUILDERS[resource_type(measurement)](measurement, id=id, version=version, last_updated=last_updated)
