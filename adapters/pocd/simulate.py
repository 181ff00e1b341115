"""What a monitor's gateway sends, written from measurements: each monitor as a Device, then its Observations. README.md has the form."""

from typing import Final

from adapters.fhir.write import simulator
from adapters.kit.writing import pressure, sort
from adapters.pocd.mapping import MEASURES

MDS_DEVICE: Final = "http://hl7.org/fhir/uv/pocd/StructureDefinition/MdsDevice"
SORTS: Final = [
    sort("heart-rate-ecg", "/min"),
    sort("oxygen-saturation", "%", 1),
    sort("respiratory-rate-thoracic", "/min", 0, ("10", "22")),
    sort("core-temperature", "Cel", 1, ("36.1", "38.4")),
    pressure(),
]
SIMULATOR = simulator(SORTS, MEASURES, kind="collection", profile=MDS_DEVICE)
