"""ANS "Mesures de santé": the transaction Bundles that feed Mon espace santé."""

from adapters.ans.mapping import MEASURES
from adapters.ans.parse import device_facts, parse
from adapters.ans.simulate import SIMULATOR
from adapters.contract import Manifest
from adapters.fhir.adapter import FhirAdapter

adapter = FhirAdapter(
    manifest=Manifest(
        name="ans",
        version="1.0.0",
        product='ANS "Mesures de santé" 3.1.1, transaction Bundles (IHE PCH-01)',
        manufacturer="unknown",
        media_types=("application/fhir+json", "application/json"),
        identifier_system="http://hds-hub.invalid/fhir/NamingSystem/ans-device",
        measures=MEASURES,
        transports=("push", "file"),
        time_kinds=("utc", "offset"),
        evidence="vendor-documentation",
    ),
    simulator=SIMULATOR,
    parse=parse,
    facts=device_facts,
)
"""See README.md beside this file."""
