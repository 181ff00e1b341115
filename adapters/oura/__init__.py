"""Oura API v2, heart rate (JSON)."""

from collections.abc import Iterable

from adapters.contract import NO_CONTEXT, Context, Manifest
from adapters.oura.mapping import MEASURES
from adapters.oura.parse import parse
from adapters.oura.simulate import SIMULATOR
from adapters.reading import Item


class Oura:
    """See README.md beside this file."""

    manifest = Manifest(
        name="oura",
        version="1.0.0",
        product="Oura API v2, heart rate",
        manufacturer="Oura",
        media_types=("application/json",),
        identifier_system="https://cloud.ouraring.com/v2/docs#device",
        measures=MEASURES,
        transports=("push", "file"),
        time_kinds=("utc", "offset"),
        evidence="vendor-documentation",
    )
    simulator = SIMULATOR

    def decode(self, payload: bytes, context: Context = NO_CONTEXT) -> Iterable[Item]:  # noqa: ARG002 - the payload says it all
        return parse(payload)


adapter = Oura()
