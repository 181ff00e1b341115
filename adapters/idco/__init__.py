"""IHE PCD-09 IDCO: what an interrogation of a pacemaker, defibrillator or implanted monitor found, and the report of it."""

from collections.abc import Iterable

from adapters.contract import NO_CONTEXT, Context, Manifest
from adapters.idco.mapping import MEASURES, REPORT_MEASURE
from adapters.idco.parse import parse
from adapters.idco.simulate import SIMULATOR
from adapters.reading import Item


class Idco:
    """See README.md beside this file."""

    manifest = Manifest(
        name="idco",
        version="1.1.0",
        product="IHE IDCO (PCD-09), HL7 v2 ORU^R01 with IEEE 11073-10103 codes (pacemakers, defibrillators, loop recorders)",
        manufacturer="unknown",
        media_types=("application/hl7-v2+er7", "text/plain"),
        identifier_system="http://hds-hub.invalid/fhir/NamingSystem/idco-model-and-serial",
        needs_time_zone=True,
        measures=(*MEASURES, REPORT_MEASURE),
        transports=("mllp", "push", "file"),
        time_kinds=("offset", "local"),
        evidence="synthetic",
    )
    simulator = SIMULATOR

    def decode(self, payload: bytes, context: Context = NO_CONTEXT) -> Iterable[Item]:  # noqa: ARG002 - the payload says it all
        return parse(payload)


adapter = Idco()
