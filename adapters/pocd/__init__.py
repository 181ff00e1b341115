"""HL7 Point of Care Devices: monitors and their like as FHIR, in JSON or XML."""

from collections.abc import Iterable

from adapters.contract import NO_CONTEXT, Context, Manifest
from adapters.device_facts import DeviceFacts
from adapters.device_tree import DeviceTree
from adapters.fhir.devices import EUI_64_SYSTEM, FACTS_MARKS
from adapters.pocd.mapping import MEASURES
from adapters.pocd.parse import device_facts, device_trees, parse
from adapters.pocd.simulate import SIMULATOR
from adapters.reading import Item


class Pocd:
    """See README.md beside this file."""

    manifest = Manifest(
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
    )
    facts_marks = FACTS_MARKS
    simulator = SIMULATOR

    def decode(self, payload: bytes, context: Context = NO_CONTEXT) -> Iterable[Item]:  # noqa: ARG002 - the payload says it all
        return parse(payload)

    def device_trees(self, payload: bytes, context: Context = NO_CONTEXT) -> Iterable[DeviceTree]:  # noqa: ARG002 - as above
        """Read Devices with a parent, and DeviceMetrics."""
        return device_trees(payload)

    def device_facts(self, payload: bytes, context: Context = NO_CONTEXT) -> Iterable[DeviceFacts]:  # noqa: ARG002 - as above
        """Read the Devices of the tree."""
        return device_facts(payload)


adapter = Pocd()
