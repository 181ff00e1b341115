"""What is kept of a reading as it came, sealed under its patient's key: the item's own bytes, and all it takes to read them again.

One line of JSON, then the bytes. The names are short, for there are as many of these as readings. What was kept before there was such a
line begins with `adapter/version` instead; it is read all the same, and says nothing of sender, unit and zone.
"""

from dataclasses import dataclass, fields, replace
from typing import NamedTuple

import orjson

from adapters.contract import Context, Manifest
from adapters.discovery import software


class ReadBy(NamedTuple):
    """Who made readings of an item.

    mapping_version  of the adapter's manifest, which is the version of the mapping
    software         the installed distribution that holds the adapter, with its version ("hds-hub/1.4.0"); None where it is not known
    """

    mapping_version: str
    software: str | None


def read_now(manifest: Manifest) -> ReadBy:
    """The adapter as it is installed."""
    return ReadBy(manifest.version, software().get(manifest.name))


_SHORT = {"adapter": "a", "mapping_version": "v", "software": "s", "client": "c", "device": "d", "time_zone": "z", "media_type": "m"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Raw:
    """An item as it came.

    adapter                    who read it, by the name of its manifest
    mapping_version, software  as in ReadBy
    client                     who sent it
    device, time_zone, media_type   what the sender said beside the payload
    item                       the bytes; of a recording none, for they lie in pieces
    """

    adapter: str
    mapping_version: str
    software: str | None = None
    client: str | None = None
    device: str | None = None
    time_zone: str | None = None
    media_type: str | None = None
    item: bytes = b""

    @property
    def context(self) -> Context:
        """What the adapter was told beside the bytes."""
        return Context(media_type=self.media_type, device=self.device)

    def with_item(self, item: bytes) -> "Raw":
        return replace(self, item=item)

    @property
    def head(self) -> bytes:
        """What stands before the bytes: the same for all items of a batch."""
        said = {short: value for name, short in _SHORT.items() if (value := getattr(self, name)) is not None}
        return orjson.dumps(said) + b"\n"

    def to_bytes(self) -> bytes:
        return self.head + self.item

    @classmethod
    def from_bytes(cls, plain: bytes) -> "Raw":
        """Raises ValueError for what is neither form."""
        head, found, item = plain.partition(b"\n")
        if not found:
            raise ValueError("no line says who read the item")
        if not head.startswith(b"{"):
            adapter, _, version = head.decode().rpartition("/")
            return cls(adapter=adapter, mapping_version=version, item=item)
        said = orjson.loads(head)
        return cls(**{name: said.get(short) for name, short in _SHORT.items()}, item=item)


assert {*_SHORT, "item"} == {field.name for field in fields(Raw)}  # noqa: S101 - by construction
