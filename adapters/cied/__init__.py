"""HL7 CardX CIED: interrogations of pacemakers and defibrillators as FHIR, in JSON."""

from collections.abc import Iterable

from adapters.cied.mapping import MEASURES
from adapters.cied.parse import device_facts, parse
from adapters.cied.simulate import SIMULATOR
from adapters.contract import NO_CONTEXT, Context, Manifest
from adapters.device_facts import DeviceFacts
from adapters.fhir.devices import FACTS_MARKS
from adapters.reading import Item


class Cied:
    """See README.md beside this file."""

    manifest = Manifest(
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
    )
    facts_marks = FACTS_MARKS
    simulator = SIMULATOR

    def decode(self, payload: bytes, context: Context = NO_CONTEXT) -> Iterable[Item]:  # noqa: ARG002 - the payload says it all
        return parse(payload)

    def device_facts(self, payload: bytes, context: Context = NO_CONTEXT) -> Iterable[DeviceFacts]:  # noqa: ARG002 - as above
        """Read implants, leads and monitors."""
        return device_facts(payload)


adapter = Cied()
