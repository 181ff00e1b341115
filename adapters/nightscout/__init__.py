"""Nightscout: entries and treatments of a site (JSON), API versions 1 and 3."""

from collections.abc import Iterable

from adapters.contract import NO_CONTEXT, Context, Manifest
from adapters.nightscout.mapping import MEASURES
from adapters.nightscout.parse import parse
from adapters.nightscout.simulate import SIMULATOR
from adapters.reading import Item


class Nightscout:
    """See README.md beside this file."""

    manifest = Manifest(
        name="nightscout",
        version="1.0.0",
        product="Nightscout, entries and treatments (JSON)",
        manufacturer="unknown",
        media_types=("application/json",),
        identifier_system="https://nightscout.github.io/#site",
        measures=MEASURES,
        transports=("push", "poll"),
        time_kinds=("utc", "offset"),
        evidence="public-sample",
    )
    simulator = SIMULATOR

    def decode(self, payload: bytes, context: Context = NO_CONTEXT) -> Iterable[Item]:  # noqa: ARG002 - the payload says it all
        return parse(payload)


adapter = Nightscout()
