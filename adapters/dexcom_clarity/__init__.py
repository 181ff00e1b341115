"""Dexcom Clarity: the CSV file that people and practices export."""

from collections.abc import Iterable

from adapters.contract import NO_CONTEXT, Context, Manifest
from adapters.dexcom_clarity.mapping import EVENTS
from adapters.dexcom_clarity.parse import parse
from adapters.dexcom_clarity.simulate import SIMULATOR
from adapters.reading import Item


class Clarity:
    """See README.md beside this file."""

    manifest = Manifest(
        name="dexcom-clarity",
        version="1.0.0",
        product="Dexcom Clarity, data export (CSV)",
        manufacturer="Dexcom",
        media_types=("text/csv",),
        identifier_system="https://clarity.dexcom.com/#transmitter-id",
        needs_time_zone=True,
        measures=tuple(sorted({row.measure for row in EVENTS})),
        transports=("push", "file"),
        time_kinds=("local",),
        evidence="public-sample",
    )
    simulator = SIMULATOR

    def decode(self, payload: bytes, context: Context = NO_CONTEXT) -> Iterable[Item]:  # noqa: ARG002 - the payload says it all
        return parse(payload)


adapter = Clarity()
