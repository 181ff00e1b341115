"""Bluetooth GATT characteristic values, relayed by a phone or gateway as JSON."""

from collections.abc import Iterable

from adapters.contract import NO_CONTEXT, Context, Manifest
from adapters.device_facts import DeviceFacts
from adapters.gatt.mapping import MEASURES
from adapters.gatt.parse import FACTS_MARKS, device_facts, parse
from adapters.gatt.simulate import Simulator
from adapters.reading import Item


class Gatt:
    """See README.md beside this file."""

    manifest = Manifest(
        name="gatt",
        version="1.1.0",
        product="Bluetooth GATT health profiles (blood pressure, heart rate, scale, thermometer, glucose, CGM, oximeter, body composition)",
        manufacturer="unknown",
        media_types=("application/json", "application/x-ndjson"),
        identifier_system="urn:oid:1.2.840.10004.1.1.1.0.0.1.0.0.1.2680",
        needs_time_zone=True,
        measures=MEASURES,
        transports=("relay", "push"),
        time_kinds=("local", "offset", "ticks"),
        evidence="public-sample",
    )
    simulator = Simulator()
    facts_marks = FACTS_MARKS

    def decode(self, payload: bytes, context: Context = NO_CONTEXT) -> Iterable[Item]:  # noqa: ARG002 - the payload says it all
        return parse(payload)

    def device_facts(self, payload: bytes, context: Context = NO_CONTEXT) -> Iterable[DeviceFacts]:  # noqa: ARG002 - as above
        return device_facts(payload)


adapter = Gatt()
