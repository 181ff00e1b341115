"""What must hold of a parser whatever it is given. Everything here is pure, so that the same bytes break the same promise again."""

import re
import zlib
from collections.abc import Iterable, Sequence
from itertools import islice

import orjson

from adapters.contract import Adapter, Unreadable
from adapters.kit.rules import faults, place_free
from adapters.limits import ITEMS_MAX
from adapters.reading import Document, Item, Reading, Rejected
from fhir_profiles.building import as_parts, build, resource_type
from fhir_profiles.measurement import Measurement
from hub.ingest.doubt import Doubt
from hub.ingest.normalise import last_us, normalise, reading_key, span_us, value_text
from hub.ingest.waiting import Waiting

NOW_US = 1_795_000_000_000_000
"""November 2026: what fixtures measured lies before it."""
ZONES = (None, "Europe/Paris", "America/St_Johns", "UTC", "Etc/GMT+5", "Nowhere/Town")
CLOSELY_MAX = 12
"""Items of one payload that are followed as far as their FHIR; the others are held against the rules of items only."""
SELDOM = 16
"""One payload of so many is read a second time, and its items alone; which ones, the payload says."""
NAME = re.compile(r"lovelace|ada@", re.IGNORECASE)
"""The invented person of the fixtures. A hint may go into a log, so it never repeats what the payload says."""


class Broken(AssertionError):
    """A promise is broken; the text says which, and never of what payload."""


def hold(kept: object, promise: str) -> None:
    """Raise Broken unless it is kept."""
    if not kept:
        raise Broken(promise)


def is_seldom(payload: bytes) -> bool:
    return zlib.crc32(payload) % SELDOM == 0


def keeps_adapter_promises(adapter: Adapter, payload: bytes, *, closely: bool = False) -> None:
    """Raise Broken, or whatever the adapter raised that is not Unreadable. `closely`: with what is otherwise looked at seldom."""
    items = read(adapter, payload)
    hold(len(items) <= ITEMS_MAX + 1, "there are more items than any payload may have")
    for item in items:
        broken = faults(item)
        hold(not broken, broken[0] if broken else "")
        hold(not (isinstance(item, Rejected) and NAME.search(f"{item.code} {item.hint}")), "a hint repeats what the payload says")
    zone = ZONES[len(payload) % len(ZONES)]
    for item in islice(items, CLOSELY_MAX):
        if isinstance(item, Reading):
            becomes_fhir(item, zone)
    if closely or is_seldom(payload):
        hold(read(adapter, payload) == items, "the same bytes give other items")
        known = [place_free(item) for item in items]
        for item in islice(items, CLOSELY_MAX):
            reads_alone(adapter, item, known)
            can_wait(adapter, item)


def read(adapter: Adapter, payload: bytes) -> Sequence[Item]:
    """The items, none if it is Unreadable. Raises Broken."""
    try:
        return list(adapter.decode(payload))
    except Unreadable as refusal:
        hold(re.fullmatch(r"[a-z0-9-]+", refusal.code) and refusal.hint.strip(), "Unreadable has no code or no hint")
        hold(refusal.__context__ is None, "Unreadable carries another exception, which may hold the payload")
        hold(not NAME.search(f"{refusal.hint} {refusal.pointer}"), "Unreadable repeats what the payload says")
        return ()


def reads_alone(adapter: Adapter, item: Item, known: Sequence[Item]) -> None:
    """`raw` of what is kept gives the item again, and nothing that the payload did not give. `known`: its items without their places."""
    if not (isinstance(item, Reading) or item.keep):
        return
    what = item.measure if isinstance(item, Reading) else item.code
    found = [place_free(one) for one in read(adapter, item.raw)]
    hold(place_free(item) in found, f"the raw of {what}, read alone, does not give the item")
    hold(all(one in known for one in found), f"the raw of {what}, read alone, gives something else beside it")


def can_wait(adapter: Adapter, item: Item) -> None:
    """What lies in quarantine is what came. A recording does not wait."""
    if isinstance(item, Reading) and isinstance(item.value, Document):
        return
    name = adapter.manifest.name
    waiting = Waiting(adapter=name, mapping_version="1.0.0", item=item, device=None, time_zone=None, code="not-paired", hint="x")
    hold(Waiting.from_bytes(waiting.to_bytes()) == waiting, "what waits is not what came")


def becomes_fhir(item: Reading, zone: str | None) -> None:
    """What follows in the hub for a reading: it is doubted, or settled and built. Raises Broken."""
    hold(reading_key(item, "device"), "a reading has no key")
    settled = normalise(item, time_zone=zone, patient="Patient/p", device="Device/d", received_us=NOW_US)
    if isinstance(settled, Doubt):
        return
    start_us, end_us = span_us(settled)
    hold(start_us <= last_us(settled) < max(end_us, start_us + 1), "what was measured ends before it began")
    hold(value_text(settled), "a measurement says nothing")
    for part in as_parts(settled):
        builds(part)


def builds(measurement: Measurement) -> None:
    made = orjson.loads(build(measurement, id="x", version=1, last_updated="2026-11-29T00:00:00Z"))
    hold(made["resourceType"] == resource_type(measurement), "a builder makes another type")


def same(one: Iterable[object], other: Iterable[object], promise: str) -> None:
    hold(list(one) == list(other), promise)
