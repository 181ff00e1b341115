"""Plain HL7 v2 result messages (ORU^R01) whose OBX have LOINC codes of our catalogue."""

from collections.abc import Iterable

from adapters.contract import NO_CONTEXT, Context, Manifest
from adapters.oru.mapping import MEASURES
from adapters.oru.parse import parse
from adapters.oru.simulate import SIMULATOR
from adapters.reading import Item


class Oru:
    """See README.md beside this file."""

    manifest = Manifest(
        name="oru",
        version="1.0.0",
        product="HL7 v2 ORU^R01 with LOINC codes",
        manufacturer="unknown",
        media_types=("application/hl7-v2+er7", "text/plain"),
        identifier_system="http://hds-hub.invalid/fhir/NamingSystem/hl7v2-equipment",
        needs_time_zone=True,
        measures=MEASURES,
        transports=("mllp", "push", "file"),
        time_kinds=("offset", "local"),
        evidence="public-sample",
    )
    simulator = SIMULATOR

    def decode(self, payload: bytes, context: Context = NO_CONTEXT) -> Iterable[Item]:  # noqa: ARG002 - the payload says it all
        return parse(payload)


adapter = Oru()
