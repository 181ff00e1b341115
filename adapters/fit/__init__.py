"""Garmin FIT files: scales, cuffs, daily monitoring and activities."""

from collections.abc import Iterable

from adapters.contract import NO_CONTEXT, Context, Manifest
from adapters.device_facts import DeviceFacts
from adapters.fit.mapping import MEASURES
from adapters.fit.parse import device_facts, parse
from adapters.fit.simulate import SIMULATOR
from adapters.reading import Item


class Fit:
    """See README.md beside this file."""

    manifest = Manifest(
        name="fit",
        version="1.0.0",
        product="Garmin FIT files (weight_scale, blood_pressure, monitoring, hrv, record)",
        manufacturer="unknown",
        media_types=("application/vnd.ant.fit", "application/octet-stream"),
        identifier_system="https://developer.garmin.com/fit/file-types#serial_number",
        measures=MEASURES,
        transports=("push", "file"),
        time_kinds=("utc", "ticks"),
        evidence="public-sample",
    )
    facts_marks = (b"",)
    simulator = SIMULATOR

    def decode(self, payload: bytes, context: Context = NO_CONTEXT) -> Iterable[Item]:  # noqa: ARG002 - the payload says it all
        return parse(payload)

    def device_facts(self, payload: bytes, context: Context = NO_CONTEXT) -> Iterable[DeviceFacts]:  # noqa: ARG002 - as above
        return device_facts(payload)


adapter = Fit()
