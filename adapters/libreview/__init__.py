"""Abbott LibreView: the CSV file that people export."""

from collections.abc import Iterable

from adapters.contract import NO_CONTEXT, Context, Manifest
from adapters.libreview.mapping import RECORD_TYPES
from adapters.libreview.parse import parse
from adapters.libreview.simulate import Simulator
from adapters.reading import Item


class LibreView:
    """See README.md beside this file."""

    manifest = Manifest(
        name="libreview",
        version="1.1.0",
        product="LibreView, glucose data export (CSV)",
        manufacturer="Abbott",
        media_types=("text/csv",),
        identifier_system="https://www.libreview.com/#serial-number",
        needs_time_zone=True,
        measures=tuple(sorted({row.measure for row in RECORD_TYPES})),
        transports=("push", "file"),
        time_kinds=("local",),
        evidence="public-sample",
    )
    simulator = Simulator()

    def decode(self, payload: bytes, context: Context = NO_CONTEXT) -> Iterable[Item]:  # noqa: ARG002 - the payload says it all
        return parse(payload)


adapter = LibreView()
