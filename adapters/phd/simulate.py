"""A gateway's transaction Bundle, written from measurements: each Device once, then its Observations. README.md has the form."""

from typing import Final

from adapters.fhir.write import simulator
from adapters.kit.writing import pressure, sort
from adapters.phd.mapping import MEASURES
from fhir_profiles.shapes.tables import PHD_PROFILES

PHD_DEVICE: Final = f"{PHD_PROFILES}PhdDevice"
SORTS: Final = [
    sort("body-weight", "kg", 2),
    sort("oxygen-saturation", "%"),
    sort("body-temperature", "Cel", 1),
    sort("heart-rate-oximeter", "/min"),
    pressure(),
]
SIMULATOR = simulator(SORTS, MEASURES, kind="transaction", profile=PHD_DEVICE)
