"""Medtronic CareLink Personal: the CSV file that people export."""

from collections.abc import Iterable

from adapters.carelink.mapping import MEASURES
from adapters.carelink.parse import parse
from adapters.carelink.simulate import SIMULATOR
from adapters.contract import NO_CONTEXT, Context, Manifest
from adapters.reading import Item


class CareLink:
    """See README.md beside this file."""

    manifest = Manifest(
        name="carelink",
        version="1.0.0",
        product="CareLink Personal, data export (CSV)",
        manufacturer="Medtronic",
        media_types=("text/csv",),
        identifier_system="https://carelink.minimed.com/#serial-number",
        needs_time_zone=True,
        measures=MEASURES,
        transports=("push", "file"),
        time_kinds=("local",),
        evidence="synthetic",
    )
    simulator = SIMULATOR

    def decode(self, payload: bytes, context: Context = NO_CONTEXT) -> Iterable[Item]:  # noqa: ARG002 - the payload says it all
        return parse(payload)


adapter = CareLink()
