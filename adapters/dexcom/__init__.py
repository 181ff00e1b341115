"""Dexcom API v3: estimated glucose values, calibrations and events (JSON)."""

from collections.abc import Iterable

from adapters.contract import NO_CONTEXT, Context, Manifest
from adapters.dexcom.parse import parse
from adapters.dexcom.simulate import SIMULATOR
from adapters.reading import Item


class Dexcom:
    """See README.md beside this file."""

    manifest = Manifest(
        name="dexcom",
        version="1.0.0",
        product="Dexcom API v3: egvs, calibrations, events",
        manufacturer="Dexcom",
        media_types=("application/json",),
        identifier_system="https://developer.dexcom.com/docs/dexcomv3#transmitterId",
        measures=("carbohydrate-intake", "glucose-capillary", "glucose-interstitial", "insulin-bolus", "insulin-long", "insulin-rapid"),
        transports=("push", "poll"),
        time_kinds=("utc", "offset"),
        evidence="vendor-documentation",
        utc_by="https://developer.dexcom.com/docs/dexcomv3: systemTime",
    )
    simulator = SIMULATOR

    def decode(self, payload: bytes, context: Context = NO_CONTEXT) -> Iterable[Item]:  # noqa: ARG002 - the payload says it all
        return parse(payload)


adapter = Dexcom()
