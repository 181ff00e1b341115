"""Which builder makes a resource of a measurement: a row for each type that measurements become."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Protocol

from fhir_profiles.catalogue import MEASURES
from fhir_profiles.measurement import Measurement, Recorded
from fhir_profiles.medication import medication_administration
from fhir_profiles.observation import observation
from fhir_profiles.recording import binary, document_reference


class Builder(Protocol):
    """Builds UTF-8 JSON. Raises ValueError when the measurement is not one that the catalogue allows."""

    def __call__(self, measurement: Measurement, *, id: str, version: int, last_updated: str) -> bytes: ...


BUILDERS: Final[Mapping[str, Builder]] = MappingProxyType(
    {
        "Observation": observation,
        "MedicationAdministration": medication_administration,
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


def build(measurement: Measurement, *, id: str, version: int, last_updated: str) -> bytes:
    """Build the resource. Raises as its builder does."""
    return BUILDERS[resource_type(measurement)](measurement, id=id, version=version, last_updated=last_updated)
