"""The one way in for every transport: a sender's bytes through adapter and pipeline, to one answer per item.

What a transport has to remember (an answer it gave, how far it has read) is written in the transaction of the readings, so
that after any interruption both are there or neither is (law 5).
"""

import asyncio
from dataclasses import dataclass

from adapters.contract import Adapter, Context, Unreadable
from adapters.discovery import adapters
from adapters.reading import Item
from fhir_profiles.building import BUILDERS
from hub.errors import FhirError
from hub.ingest.fates import Answer
from hub.ingest.pipeline import NOTHING_BESIDE, Beside, Pipeline, Sent
from hub.recording import Recording
from hub.repository import Repository


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


async def decode(parcel: Parcel) -> list[Item]:
    """The items of a payload, in its order. Raises FhirError structure if nothing could be read."""
    said = Context(media_type=parcel.media_type, device=parcel.device)
    try:
        # In a thread: a payload that takes seconds to read must not hold up everybody else.
        return await asyncio.to_thread(lambda: list(parcel.adapter.decode(parcel.payload, said)))
    except Unreadable as error:
        raise FhirError("structure", f"{error.code}: {error}", expression=error.pointer or None) from error


async def take_in(repository: Repository, recording: Recording, parcel: Parcel, beside: Beside = NOTHING_BESIDE) -> list[Answer]:
    """Decode and run through the pipeline; when it returns, everything is durable, `beside` included.

    beside  what is to be written with the last of the items, from the answers
    """
    require_sender(repository)
    items = await decode(parcel)
    return await Pipeline(repository, parcel.sent, recording, beside).run(items)
