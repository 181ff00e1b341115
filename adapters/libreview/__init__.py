"""Abbott LibreView: the CSV file that people export."""

from collections.abc import Iterable

from adapters.contract import Manifest
from adapters.libreview.parse import parse
from adapters.reading import Item


class LibreView:
    """See README.md beside this file."""

    manifest = Manifest(
        name="libreview",
        version="1.0.0",
        product="LibreView, glucose data export (CSV)",
        manufacturer="Abbott",
        media_types=("text/csv",),
        identifier_system="https://www.libreview.com/#serial-number",
        needs_time_zone=True,
    )

    def parse(self, payload: bytes) -> Iterable[Item]:
        return parse(payload)


adapter = LibreView()
