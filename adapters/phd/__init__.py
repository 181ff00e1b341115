"""HL7 Personal Health Device: what a gateway uploads as FHIR, in JSON or XML."""

from collections.abc import Iterable

from adapters.contract import NO_CONTEXT, Context, Manifest
from adapters.device_facts import DeviceFacts
from adapters.fhir.devices import EUI_64_SYSTEM, FACTS_MARKS
from adapters.phd.mapping import MEASURES
from adapters.phd.parse import device_facts, parse
from adapters.phd.simulate import SIMULATOR
from adapters.reading import Item


class Phd:
    """See README.md beside this file."""

    manifest = Manifest(
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
    )
    facts_marks = FACTS_MARKS
    simulator = SIMULATOR

    def decode(self, payload: bytes, context: Context = NO_CONTEXT) -> Iterable[Item]:  # noqa: ARG002 - the payload says it all
        return parse(payload)

    def device_facts(self, payload: bytes, context: Context = NO_CONTEXT) -> Iterable[DeviceFacts]:  # noqa: ARG002 - as above
        """Read PhdDevice, PhgDevice and coincident time stamps."""
        return device_facts(payload)


adapter = Phd()
