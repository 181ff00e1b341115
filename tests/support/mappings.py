"""Small mappings for one test each: a head that never changes, and what the test is about."""

import json
from typing import Any

from adapters.declarative import DeclarativeAdapter, load
from adapters.kit.rules import faults, parses_alone
from adapters.reading import Item, Reading

HEAD = {
    "mapping": 1,
    "name": "demo",
    "version": "1.0.0",
    "product": "Demo",
    "manufacturer": "Demo SA",
    "identifier_system": "https://demo.example/serial",
    "evidence": "synthetic",
}
TIME = {"from": "$.at", "kind": "offset"}
AT = "2026-01-05T10:00:00+01:00"
PULSE = {"measure": "heart-rate", "value": {"from": "$.hr", "unit": "/min"}}

Json = dict[str, Any]


def mapping(*readings: Json, input: Json | None = None, defaults: Json | None = None, accept: Json | None = None, **rule: Any) -> Json:
    """One rule with these readings (a pulse in $.hr, if none); its records are the elements of $.items, unless `foreach` says otherwise."""
    input = input or {"format": "json"}
    if input["format"] != "csv":
        rule.setdefault("foreach", "$.items[*]")
    one = {"name": "rule", "readings": list(readings) or [PULSE], **{key: value for key, value in rule.items() if value is not None}}
    shared = {"device": "$.sn", "time": TIME} if defaults is None else defaults
    return {**HEAD, "input": input, "defaults": shared, "accept": accept or {}, "rules": [one]}


def adapter(*readings: Json, **how: Any) -> DeclarativeAdapter:
    return load(json.dumps(mapping(*readings, **how)))


def decode(made: DeclarativeAdapter, payload: bytes | str | Json | list[Any]) -> list[Item]:
    """Items, each of which keeps the rules that hold for every adapter."""
    content = payload.encode() if isinstance(payload, str) else payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    items = list(made.decode(content))
    for item in items:
        assert faults(item) == ()
        assert not (isinstance(item, Reading) or item.keep) or parses_alone(made.decode, item), item
    return items


def only(made: DeclarativeAdapter, record: Json) -> Any:
    """The one item of a message with one record, to which device and time are added."""
    (item,) = decode(made, {"items": [{"sn": "S1", "at": AT, **record}]})
    return item
