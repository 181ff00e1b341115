"""LibreLinkUp: the graph that followers of a FreeStyle Libre see (JSON)."""

from collections.abc import Iterable

from adapters.contract import NO_CONTEXT, Context, Manifest
from adapters.librelinkup.parse import parse
from adapters.librelinkup.simulate import SIMULATOR
from adapters.reading import Item


class LibreLinkUp:
    """See README.md beside this file."""

    manifest = Manifest(
        name="librelinkup",
        version="1.0.0",
        product="LibreLinkUp, graph and logbook of a connection (JSON)",
        manufacturer="Abbott",
        media_types=("application/json",),
        identifier_system="https://www.librelinkup.com/#sensor-sn",
        measures=("glucose-interstitial",),
        transports=("push", "poll"),
        time_kinds=("utc", "offset"),
        evidence="public-sample",
    )
    simulator = SIMULATOR

    def decode(self, payload: bytes, context: Context = NO_CONTEXT) -> Iterable[Item]:  # noqa: ARG002 - the payload says it all
        return parse(payload)


adapter = LibreLinkUp()
