"""Android Health Connect, in the JSON that this hub defines for it (schema.json)."""

from collections.abc import Iterable

from adapters.contract import NO_CONTEXT, Context, Manifest
from adapters.health_connect.mapping import MEASURES
from adapters.health_connect.parse import parse
from adapters.health_connect.simulate import SIMULATOR
from adapters.reading import Item


class HealthConnect:
    """See README.md beside this file."""

    manifest = Manifest(
        name="health-connect",
        version="1.0.0",
        product="Android Health Connect, posted by a phone app",
        manufacturer="Google",
        media_types=("application/json",),
        identifier_system="https://developer.android.com/health-and-fitness/health-connect#device",
        measures=MEASURES,
        transports=("push",),
        time_kinds=("utc", "offset"),
        evidence="vendor-documentation",
    )
    simulator = SIMULATOR

    def decode(self, payload: bytes, context: Context = NO_CONTEXT) -> Iterable[Item]:  # noqa: ARG002 - the payload says it all
        return parse(payload)


adapter = HealthConnect()
