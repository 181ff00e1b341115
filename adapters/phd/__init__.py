"""HL7 Personal Health Device: what a gateway uploads as FHIR, in JSON or XML."""

from adapters.contract import Manifest
from adapters.fhir.adapter import FhirAdapter
from adapters.fhir.devices import EUI_64_SYSTEM
from adapters.phd.mapping import MEASURES
from adapters.phd.parse import device_facts, parse
from adapters.phd.simulate import SIMULATOR

adapter = FhirAdapter(
    manifest=Manifest(
        name="phd",
        version="1.0.0",
        product="HL7 Personal Health Device FHIR (PHD 1.1 and 2.0), Bundles and resources",
        manufacturer="unknown",
        media_types=("application/fhir+json", "application/fhir+xml", "application/json", "application/xml"),
        identifier_system=EUI_64_SYSTEM,
        measures=MEASURES,
        transports=("push", "file"),
        time_kinds=("utc", "offset"),
        evidence="public-sample",
    ),
    simulator=SIMULATOR,
    parse=parse,
    facts=device_facts,
)
"""See README.md beside this file."""
