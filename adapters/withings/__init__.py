"""Withings Public API, Measure - Getmeas (JSON)."""

from collections.abc import Iterable

from adapters.contract import Manifest
from adapters.reading import Item
from adapters.withings.parse import parse


class Withings:
    """See README.md beside this file."""

    manifest = Manifest(
        name="withings",
        version="1.0.0",
        product="Withings Public API, Measure - Getmeas",
        manufacturer="Withings",
        media_types=("application/json",),
        identifier_system="https://developer.withings.com/api-reference#deviceid",
    )

    def parse(self, payload: bytes) -> Iterable[Item]:
        return parse(payload)


adapter = Withings()
