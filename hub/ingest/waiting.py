"""What lies in quarantine: the reading as it was understood, or the raw item that was not, and how it was sent.

Sealed under the system key as a whole, because no patient is known yet or none may be named.
"""

import base64
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import orjson

from adapters.reading import Absent, Channel, Coded, DeviceTime, Document, Item, Quantity, Reading, Rejected, Samples, Value, Whose
from hub.ingest.raw import ReadBy


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """One item with what the sender said about it. `item` goes through the pipeline again when it is replayed.

    mapping_version, software  who read it, as in `ReadBy`
    beside_bytes  of a recording: how long its bytes are, which lie in pieces of their own; here `item.raw` is without them then
    fetched       by the hub itself: nothing is kept of a time when the patient had withdrawn, however late it is let in
    """

    adapter: str
    mapping_version: str
    item: Item
    device: str | None
    time_zone: str | None
    code: str
    hint: str
    media_type: str | None = None
    beside_bytes: int = 0
    software: str | None = None
    fetched: bool = False

    @property
    def read_by(self) -> ReadBy:
        """Who made of it what waits."""
        return ReadBy(self.mapping_version, self.software)

    def to_bytes(self) -> bytes:
        return orjson.dumps({**_flat(self), "item": _item_json(self.item)})

    @classmethod
    def from_bytes(cls, plain: bytes) -> "Waiting":
        found = orjson.loads(plain)
        return cls(**{**found, "item": _item(found["item"])})


def _flat(waiting: Waiting) -> dict[str, Any]:
    names = ("adapter", "mapping_version", "device", "time_zone", "code", "hint", "media_type", "beside_bytes", "software", "fetched")
    return {name: getattr(waiting, name) for name in names}


def _item_json(item: Item) -> dict[str, Any]:
    made = asdict(item)
    made["raw"] = base64.b64encode(item.raw).decode()
    made["kind"] = "reading" if isinstance(item, Reading) else "rejected"
    if isinstance(item, Reading):
        made["value"] = _value_json(item.value)
        made["components"] = {name: _value_json(value) for name, value in item.components.items()}
    return made


def _item(found: Mapping[str, Any]) -> Item:
    rest = {name: value for name, value in found.items() if name != "kind"}
    rest["raw"] = base64.b64decode(rest["raw"])
    if found["kind"] == "rejected":
        return Rejected(**rest)
    rest["time"] = _time(rest["time"])
    rest["end"] = _time(rest.get("end"))
    rest["modified"] = None if rest["modified"] is None else datetime.fromisoformat(rest["modified"])
    rest["value"] = _value(rest["value"])
    rest["components"] = {name: value for name, one in rest["components"].items() if (value := _value(one)) is not None}
    rest["context"] = {name: Coded(**one) for name, one in rest["context"].items()}
    rest["quality"] = tuple(rest["quality"])
    rest["whose"] = tuple(Whose(**one) for one in rest.get("whose", ()))
    return Reading(**rest)


def _time(found: Mapping[str, Any] | None) -> DeviceTime | None:
    if found is None:
        return None
    instant, wall = found["instant"], found["wall"]
    return DeviceTime(
        kind=found["kind"],
        text=found["text"],
        instant=None if instant is None else datetime.fromisoformat(instant),
        wall=None if wall is None else datetime.fromisoformat(wall),
    )


_KINDS: Mapping[str, type[Quantity] | type[Coded] | type[Absent] | type[Samples] | type[Document]] = {
    "quantity": Quantity,
    "coded": Coded,
    "absent": Absent,
    "samples": Samples,
    "document": Document,
}


def _value_json(value: Value | None) -> dict[str, Any] | None:
    if value is None:
        return None
    kind = next(name for name, type in _KINDS.items() if isinstance(value, type))
    return {"kind": kind, **asdict(value)}


def _value(found: Mapping[str, Any] | None) -> Value | None:
    if found is None:
        return None
    rest = {name: value for name, value in found.items() if name != "kind"}
    if found["kind"] == "document":
        rest["channels"] = tuple(Channel(**one) for one in rest["channels"])
    return _KINDS[found["kind"]](**rest)
