"""Fitbit Web API, as far as it was exported: heart rate, steps, weight, sleep (JSON)."""

from collections.abc import Iterable

from adapters.contract import NO_CONTEXT, Context, Manifest
from adapters.fitbit.mapping import MEASURES
from adapters.fitbit.parse import parse
from adapters.fitbit.simulate import SIMULATOR
from adapters.reading import Item


class Fitbit:
    """See README.md beside this file."""

    manifest = Manifest(
        name="fitbit",
        version="1.0.0",
        product="Fitbit Web API, saved answers",
        manufacturer="Fitbit",
        media_types=("application/json",),
        identifier_system="https://dev.fitbit.com/build/reference/web-api/devices#id",
        needs_time_zone=True,
        measures=MEASURES,
        transports=("push", "file"),
        time_kinds=("local",),
        evidence="public-sample",
    )
    simulator = SIMULATOR

    def decode(self, payload: bytes, context: Context = NO_CONTEXT) -> Iterable[Item]:  # noqa: ARG002 - the payload says it all
        return parse(payload)


adapter = Fitbit()
