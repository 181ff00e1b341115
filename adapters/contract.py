"""The contract between the hub and an adapter: bytes in, items out, nothing else.

Discovery is by entry point (group `hds_hub.adapters`), so that a vendor's package plugs in (`adapters.discovery`).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from adapters.reading import Item


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
    """

    name: str
    version: str
    product: str
    manufacturer: str
    media_types: tuple[str, ...]
    identifier_system: str
    needs_time_zone: bool = False


class Unreadable(Exception):
    """Nothing of the payload could be read: the only error an adapter raises. Says where and what to do."""

    def __init__(self, code: str, hint: str, *, pointer: str = "") -> None:
        super().__init__(hint)
        self.code, self.hint, self.pointer = code, hint, pointer


class Adapter(Protocol):
    """One product or format. `parse` is pure: no clock, no I/O, no environment; the same bytes give the same items."""

    @property
    def manifest(self) -> Manifest: ...

    def parse(self, payload: bytes) -> Iterable[Item]:
        """Yield one item per record of the payload, in its order. Raises Unreadable before the first item, or never."""
        ...
