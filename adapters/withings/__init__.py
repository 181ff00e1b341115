"""Withings Public API, Measure - Getmeas (JSON)."""

from collections.abc import Iterable

from adapters.contract import NO_CONTEXT, Context, Manifest
from adapters.device_facts import DeviceFacts
from adapters.reading import Item
from adapters.withings.devices import device_facts
from adapters.withings.mapping import TYPES
from adapters.withings.parse import parse
from adapters.withings.simulate import Simulator


class Withings:
    """See README.md beside this file."""

    manifest = Manifest(
        name="withings",
        version="1.1.0",
        product="Withings Public API, Measure - Getmeas",
        manufacturer="Withings",
        media_types=("application/json",),
        identifier_system="https://developer.withings.com/api-reference#deviceid",
        measures=tuple(sorted({row.measure for row in TYPES})),
        transports=("push", "poll"),
        time_kinds=("utc",),
        evidence="public-sample",
    )
    simulator = Simulator()
    facts_marks = (b'"battery"', b'"fw"', b'"last_session_date"')

    def decode(self, payload: bytes, context: Context = NO_CONTEXT) -> Iterable[Item]:  # noqa: ARG002 - the payload says it all
        return parse(payload)

    def device_facts(self, payload: bytes, context: Context = NO_CONTEXT) -> Iterable[DeviceFacts]:  # noqa: ARG002 - as above
        """Read the answer of User v2 - Getdevice."""
        return device_facts(payload)


adapter = Withings()
