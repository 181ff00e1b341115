"""A payload taken apart into its records, by the places that its items name, and put together in another way.

Works for JSON (the outermost list whose elements the pointers lead into), for lines (`row n`: CSV, NDJSON) and for HL7 messages.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from adapters.json_payload import UTF8_BOM
from adapters.reading import Item

_ROW = "row "


@dataclass(frozen=True, slots=True, kw_only=True)
class Pieces:
    """`records` in their order; `join` makes a payload of any of them in any order.

    beside  the places of those from which no item was read: others may lean on them, as Observations on the Device of their Bundle
    """

    records: tuple[Any, ...]
    join: Callable[[Sequence[Any]], bytes]
    beside: frozenset[int] = frozenset()

    def halves(self) -> Iterator[list[Any]]:
        """What was read in two parts, each with all that it may lean on."""
        read = [place for place in range(len(self.records)) if place not in self.beside]
        for part in (read[: len(read) // 2], read[len(read) // 2 :]):
            yield [self.records[place] for place in sorted({*part, *self.beside})]


def pieces(payload: bytes, items: Sequence[Item]) -> Pieces | None:
    """Take apart, or None for a format that cannot be by these means, or a payload with fewer than two records."""
    pointers = [item.pointer for item in items]
    made: Pieces | None
    if b"\0" in payload:  # no text, whatever the pointers say
        return None
    if payload.lstrip().startswith(b"MSH|"):
        made = _messages(payload)
    elif pointers and all(pointer.startswith(_ROW) for pointer in pointers):
        made = _lines(payload, pointers)
    else:
        made = _json(payload, pointers)
    return made if made is not None and len(made.records) > 1 else None


def document_of(payload: bytes) -> Any:
    """JSON value, or None."""
    try:
        return json.loads(payload.removeprefix(UTF8_BOM))
    except (ValueError, RecursionError):
        return None


def dumped(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def _messages(payload: bytes) -> Pieces:
    parts = payload.split(b"MSH|")[1:]
    return Pieces(records=tuple(b"MSH|" + part for part in parts), join=b"".join)


def _lines(payload: bytes, pointers: Sequence[str]) -> Pieces:
    lines = payload.splitlines(keepends=True) if b"\n" not in payload else [line + b"\n" for line in payload.split(b"\n")]
    starts = sorted({int(pointer[len(_ROW) :]) - 1 for pointer in pointers})
    records = tuple(b"".join(lines[start:end]) for start, end in pairwise([*starts, len(lines)]))
    head, last = b"".join(lines[: starts[0]]), records[-1]
    tail = last[last.rstrip().rfind(b"</") :] if payload.lstrip().startswith(b"<") else b""
    records = (*records[:-1], last[: len(last) - len(tail)] if tail else last.rstrip() + b"\n")
    return Pieces(records=records, join=lambda chosen: head + b"".join(chosen) + tail)


def _json(payload: bytes, pointers: Sequence[str]) -> Pieces | None:
    document = document_of(payload)
    for pointer in pointers:
        path = _outermost_list(document, pointer)
        if path is not None:
            return _elements(document, path, pointers)
    return None


def _outermost_list(document: Any, pointer: str) -> tuple[str | int, ...] | None:
    """The path to the first list on the pointer's way that has several elements. RFC 6901"""
    node: Any = document
    path: list[str | int] = []
    for token in pointer.split("/")[1:]:
        if isinstance(node, list) and len(node) > 1:
            return tuple(path)
        step = _step(node, token.replace("~1", "/").replace("~0", "~"))
        if step is None:
            return None
        node = node[step]
        path.append(step)
    return None


def _step(node: Any, token: str) -> Any:
    if isinstance(node, list):
        return int(token) if token.isdecimal() and int(token) < len(node) else None
    return token if isinstance(node, dict) and token in node else None


def _elements(document: Any, path: tuple[str | int, ...], pointers: Sequence[str]) -> Pieces:
    node = document
    for step in path:
        node = node[step]
    above = "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in path)
    read = {pointer[len(above) :].split("/")[1] for pointer in pointers if pointer.startswith(f"{above}/")}
    beside = frozenset(place for place in range(len(node)) if str(place) not in read)
    return Pieces(records=tuple(node), join=lambda chosen: dumped(_put(document, path, list(chosen))), beside=beside)


def _put(node: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    made = dict(node) if isinstance(node, dict) else list(node)
    made[path[0]] = _put(node[path[0]], path[1:], value)
    return made
