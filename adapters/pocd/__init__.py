"""HL7 Point of Care Devices: monitors and their like as FHIR, in JSON or XML."""

from collections.abc import Iterable
from dataclasses import dataclass

from adapters.contract import NO_CONTEXT, Context, Manifest
from adapters.device_tree import DeviceTree
from adapters.fhir.adapter import FhirAdapter
from adapters.fhir.devices import EUI_64_SYSTEM
from adapters.pocd.mapping import MEASURES
from adapters.pocd.parse import device_facts, device_trees, parse
from adapters.pocd.simulate import SIMULATOR


@dataclass(frozen=True, kw_only=True)
class Pocd(FhirAdapter):
    """Monitors say what they are made of, too."""

    def device_trees(self, payload: bytes, context: Context = NO_CONTEXT) -> Iterable[DeviceTree]:  # noqa: ARG002 - the payload says it all
        """Read Devices with a parent, and DeviceMetrics."""
        return device_trees(payload)


adapter = Pocd(
    manifest=Manifest(
        name="pocd",
        version="1.0.0",
        product="HL7 Point of Care Devices FHIR, Bundles and resources",
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
