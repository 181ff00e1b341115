"""The contract between the hub and an adapter: bytes in, items out, nothing else.

Discovery is by entry point (group `hds_hub.adapters`), so that a vendor's package plugs in (`adapters.discovery`).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from adapters.reading import Item, TimeKind

Transport = Literal["push", "webhook", "poll", "mllp", "mqtt", "file", "relay"]
"""How payloads of a product reach the hub: posted by the vendor, announced by a signed call, fetched from the vendor's cloud,
HL7's MLLP, an MQTT broker, an exported file, frames that a phone or gateway passes on."""

Evidence = Literal["public-sample", "vendor-documentation", "synthetic"]
"""What the decoding was held against: a payload that others published, the vendor's own documentation, or only what we wrote."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What the hub must know about an adapter without running it.

    name               as in `POST /ingest/{name}`
    version            SemVer of the mapping; stored with each raw item
    product            for people, e.g. "Withings Public API, Measure - Getmeas"
    manufacturer       goes to Device.manufacturer
    media_types        what `parse` reads
    identifier_system  URI of the space in which `Reading.device` is an identifier (Device.identifier.system)
    needs_time_zone    True when the payload carries wall-clock times without zone
    measures           keys of the catalogue that it can give; the tests hold its items against them, the matrix shows them
    transports         how its payloads arrive
    time_kinds         the kinds of time it can give
    evidence           what its decoding was checked with
    utc_by             where the maker says that a time without a zone is UTC; "" where each time says its zone, or has none
    """

    name: str
    version: str
    product: str
    manufacturer: str
    media_types: tuple[str, ...]
    identifier_system: str
    needs_time_zone: bool = False
    measures: tuple[str, ...]
    transports: tuple[Transport, ...] = ("push",)
    time_kinds: tuple[TimeKind, ...]
    evidence: Evidence
    utc_by: str = ""


class Unreadable(Exception):
    """Nothing of the payload could be read: the only error an adapter raises. Says where and what to do."""

    def __init__(self, code: str, hint: str, *, pointer: str = "") -> None:
        super().__init__(hint)
        self.code, self.hint, self.pointer = code, hint, pointer


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What the sender said beside the payload, for formats that do not say it themselves. Nothing of it is about a patient.

    media_type  of the payload, without parameters, if it was given
    device      the unit that the whole payload comes from, if it was given
    """

    media_type: str | None = None
    device: str | None = None


NO_CONTEXT = Context()


class Adapter(Protocol):
    """One product or format. `decode` is pure: no clock, no I/O, no environment; the same bytes give the same items."""

    @property
    def manifest(self) -> Manifest: ...

    def decode(self, payload: bytes, context: Context = NO_CONTEXT) -> Iterable[Item]:
        """Yield one item per record of the payload, in its order. Raises Unreadable before the first item, or never."""
        ...


class Source(Protocol):
    """What a file opened for reading bytes can do."""

    def read(self, size: int, /) -> bytes: ...


@runtime_checkable
class Streaming(Protocol):
    """An adapter that also reads a file of any size piece by piece; what it needs of memory does not grow with the file."""

    def decode_stream(self, source: Source, context: Context = NO_CONTEXT) -> Iterator[Item]:
        """As `decode`, with the same items in the same order; a Document names stretches of `source` instead of holding them."""
        ...
