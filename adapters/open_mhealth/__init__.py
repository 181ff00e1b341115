"""Open mHealth and IEEE 1752 data points (JSON)."""

from collections.abc import Iterable

from adapters.contract import NO_CONTEXT, Context, Manifest
from adapters.open_mhealth.mapping import MEASURES
from adapters.open_mhealth.parse import parse
from adapters.open_mhealth.simulate import SIMULATOR
from adapters.reading import Item


class OpenMHealth:
    """See README.md beside this file."""

    manifest = Manifest(
        name="open-mhealth",
        version="1.0.0",
        product="Open mHealth and IEEE 1752 data points",
        manufacturer="Open mHealth",
        media_types=("application/json",),
        identifier_system="https://w3id.org/openmhealth/schemas#device",
        needs_time_zone=True,
        measures=MEASURES,
        transports=("push", "file"),
        time_kinds=("utc", "offset", "local"),
        evidence="public-sample",
    )
    simulator = SIMULATOR

    def decode(self, payload: bytes, context: Context = NO_CONTEXT) -> Iterable[Item]:  # noqa: ARG002 - the payload says it all
        return parse(payload)


adapter = OpenMHealth()
