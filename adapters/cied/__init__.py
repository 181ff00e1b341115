"""HL7 CardX CIED: interrogations of pacemakers and defibrillators as FHIR, in JSON."""

from adapters.cied.mapping import MEASURES
from adapters.cied.parse import device_facts, parse
from adapters.cied.simulate import SIMULATOR
from adapters.contract import Manifest
from adapters.fhir.adapter import FhirAdapter

adapter = FhirAdapter(
    manifest=Manifest(
        name="cied",
        version="1.0.0",
        product="HL7 CardX CIED, IDCO Observations (FHIR R5) with IEEE 11073-10103 codes (pacemakers, defibrillators)",
        manufacturer="unknown",
        media_types=("application/fhir+json", "application/json"),
        identifier_system="http://hds-hub.invalid/fhir/NamingSystem/idco-model-and-serial",
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
