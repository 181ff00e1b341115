"""iHealth Open API: blood pressure, glucose, weight, oxygen, activity (JSON)."""

from collections.abc import Iterable

from adapters.contract import NO_CONTEXT, Context, Manifest
from adapters.ihealth.mapping import MEASURES
from adapters.ihealth.parse import parse
from adapters.ihealth.simulate import SIMULATOR
from adapters.reading import Item


class IHealth:
    """See README.md beside this file."""

    manifest = Manifest(
        name="ihealth",
        version="1.0.1",
        product="iHealth Open API, user data",
        manufacturer="iHealth",
        media_types=("application/json",),
        identifier_system="http://developer.ihealthlabs.com#device",
        needs_time_zone=True,
        measures=MEASURES,
        transports=("push", "file"),
        time_kinds=("offset", "local"),
        evidence="public-sample",
    )
    simulator = SIMULATOR

    def decode(self, payload: bytes, context: Context = NO_CONTEXT) -> Iterable[Item]:  # noqa: ARG002 - the payload says it all
        return parse(payload)


adapter = IHealth()
