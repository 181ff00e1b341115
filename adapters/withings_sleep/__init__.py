"""Withings Public API, Sleep v2: summaries of nights, and their stages and series (JSON)."""

from collections.abc import Iterable

from adapters.contract import NO_CONTEXT, Context, Manifest
from adapters.reading import Item
from adapters.withings_sleep.mapping import MEASURES
from adapters.withings_sleep.parse import parse
from adapters.withings_sleep.simulate import SIMULATOR


class WithingsSleep:
    """See README.md beside this file."""

    manifest = Manifest(
        name="withings-sleep",
        version="1.0.0",
        product="Withings Public API, Sleep v2 - Getsummary and Get",
        manufacturer="Withings",
        media_types=("application/json",),
        identifier_system="https://developer.withings.com/api-reference#deviceid",
        measures=MEASURES,
        transports=("push", "poll"),
        time_kinds=("utc",),
        evidence="public-sample",
    )
    simulator = SIMULATOR

    def decode(self, payload: bytes, context: Context = NO_CONTEXT) -> Iterable[Item]:  # noqa: ARG002 - the payload says it all
        return parse(payload)


adapter = WithingsSleep()
