"""HL7 annotated ECG (aECG): the XML in which electrocardiograms of drug trials are sent."""

from collections.abc import Iterable

from adapters.aecg.mapping import MEASURES
from adapters.aecg.parse import parse
from adapters.aecg.simulate import SIMULATOR
from adapters.contract import NO_CONTEXT, Context, Manifest
from adapters.reading import Item


class Aecg:
    """See README.md beside this file."""

    manifest = Manifest(
        name="aecg",
        version="1.0.0",
        product="HL7 V3 annotated ECG, release 1",
        manufacturer="unknown",
        media_types=("application/xml", "text/xml"),
        identifier_system="urn:hds-hub:aecg:series-device",
        needs_time_zone=True,
        measures=MEASURES,
        transports=("push", "file"),
        time_kinds=("local", "offset"),
        evidence="public-sample",
    )
    simulator = SIMULATOR

    def decode(self, payload: bytes, context: Context = NO_CONTEXT) -> Iterable[Item]:  # noqa: ARG002 - the payload says it all
        return parse(payload)


adapter = Aecg()
