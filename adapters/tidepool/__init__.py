"""Tidepool data model: what pumps, sensors and closed loops upload to the platform and what it gives out (JSON)."""

from collections.abc import Iterable

from adapters.contract import NO_CONTEXT, Context, Manifest
from adapters.reading import Item
from adapters.tidepool.mapping import MEASURES
from adapters.tidepool.parse import parse
from adapters.tidepool.simulate import SIMULATOR


class Tidepool:
    """See README.md beside this file."""

    manifest = Manifest(
        name="tidepool",
        version="1.0.0",
        product="Tidepool data model (JSON)",
        manufacturer="unknown",
        media_types=("application/json",),
        identifier_system="https://tidepool.org/data-model#deviceId",
        measures=MEASURES,
        transports=("push", "poll", "file"),
        time_kinds=("utc", "offset"),
        evidence="public-sample",
    )
    simulator = SIMULATOR

    def decode(self, payload: bytes, context: Context = NO_CONTEXT) -> Iterable[Item]:  # noqa: ARG002 - the payload says it all
        return parse(payload)


adapter = Tidepool()
