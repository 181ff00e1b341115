"""The one way in for every transport: a sender's bytes through adapter and pipeline, to one answer per item.

What a transport has to remember (an answer it gave, how far it has read) is written in the transaction of the readings, so
that after any interruption both are there or neither is (law 5).
"""

import asyncio
from dataclasses import dataclass, replace

from adapters.contract import Adapter, Context, Unreadable
from adapters.device_facts import DescribesDevices, DeviceFacts
from adapters.device_tree import DescribesParts, DeviceTree
from adapters.discovery import adapters
from adapters.reading import Item
from fhir_profiles.building import BUILDERS
from hub.errors import FhirError
from hub.ingest.fates import Answer
from hub.ingest.parts import allows_parts
from hub.ingest.pipeline import NOTHING_BESIDE, Beside, Pipeline, Sent
from hub.recording import Recording
from hub.repository import Repository
from hub.repository.consents_then import ConsentsThen


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """A payload as it came, with what its sender says beside it.

    media_type  without parameters, None where the transport does not say it
    """

    adapter: Adapter
    payload: bytes
    device: str | None = None
    time_zone: str | None = None
    media_type: str | None = None

    @property
    def sent(self) -> Sent:
        return Sent(manifest=self.adapter.manifest, device=self.device, time_zone=self.time_zone, media_type=self.media_type)


def require_sender(repository: Repository) -> None:
    """Whoever may create any of the types that readings become; which of them an item needs is said of each item."""
    rights = repository.rights
    if not any(rights.covers(type, "c") for type in BUILDERS):
        rights.require("Observation", "c")


def known_adapter(name: str) -> Adapter:
    """Raises FhirError not-found."""
    found = adapters().get(name)
    if found is None:
        raise FhirError("not-found", f"There is no adapter of this name; there are: {', '.join(sorted(adapters()))}.")
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """The items of a payload, in its order, and what it says about units and their parts."""

    items: list[Item]
    facts: list[DeviceFacts]
    trees: list[DeviceTree]


async def decode(parcel: Parcel, *, trees: bool = False) -> Decoded:
    """`trees`: ask for parts, too. Raises FhirError structure if nothing could be read."""
    try:
        # In a thread: a payload that takes seconds to read must not hold up everybody else.
        return await asyncio.to_thread(_decoded, parcel, trees)
    except Unreadable as error:
        raise FhirError("structure", f"{error.code}: {error}", expression=error.pointer or None) from error


def _decoded(parcel: Parcel, trees: bool) -> Decoded:
    said = Context(media_type=parcel.media_type, device=parcel.device)
    facts = _facts(parcel, said)
    try:
        items = list(parcel.adapter.decode(parcel.payload, said))
    except Unreadable:
        if facts:  # a payload about units alone has no readings, and was read
            return Decoded(items=[], facts=facts, trees=[])
        raise
    asked = parcel.adapter if trees and isinstance(parcel.adapter, DescribesParts) else None
    return Decoded(items=items, facts=facts, trees=[] if asked is None else list(asked.device_trees(parcel.payload, said)))


def _facts(parcel: Parcel, said: Context) -> list[DeviceFacts]:
    """Nothing where the adapter has no word for it, and nothing where it cannot read the payload: what is wrong, `decode` says."""
    adapter, payload = parcel.adapter, parcel.payload
    if not isinstance(adapter, DescribesDevices) or not any(mark in payload for mark in adapter.facts_marks):
        return []
    try:
        return list(adapter.device_facts(payload, said))
    except Unreadable:
        return []


async def take_in(
    repository: Repository, recording: Recording, parcel: Parcel, beside: Beside = NOTHING_BESIDE, then: ConsentsThen | None = None
) -> list[Answer]:
    """Decode and run through the pipeline; when it returns, everything is durable, `beside` included.

    beside  what is to be written with the last of the items, from the answers
    then    what patients permitted at the time, where nothing is to be kept of a time when one had withdrawn
    """
    require_sender(repository)
    decoded = await decode(parcel, trees=allows_parts(repository))
    sent = replace(parcel.sent, facts=decoded.facts, trees=decoded.trees)
    return await Pipeline(repository, sent, recording, beside, then=then).run(decoded.items)
