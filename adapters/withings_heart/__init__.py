"""Withings Public API, Heart v2: ECG records and their signal (JSON)."""

from collections.abc import Iterable

from adapters.contract import NO_CONTEXT, Context, Manifest
from adapters.reading import Item
from adapters.withings_heart.mapping import MEASURES
from adapters.withings_heart.parse import parse
from adapters.withings_heart.simulate import SIMULATOR


class WithingsHeart:
    """See README.md beside this file."""

    manifest = Manifest(
        name="withings-heart",
        version="1.0.0",
        product="Withings Public API, Heart v2 - List and Get",
        manufacturer="Withings",
        media_types=("application/json",),
        identifier_system="https://developer.withings.com/api-reference#deviceid",
        measures=MEASURES,
        transports=("push", "poll"),
        time_kinds=("utc",),
        evidence="vendor-documentation",
    )
    simulator = SIMULATOR

    def decode(self, payload: bytes, context: Context = NO_CONTEXT) -> Iterable[Item]:  # noqa: ARG002 - the payload says it all
        return parse(payload)


adapter = WithingsHeart()
