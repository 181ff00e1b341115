"""Payloads as documents: trees of objects, arrays and scalars, each read alone; and documents written again."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final, Protocol

import orjson

from adapters import json_payload
from adapters.contract import Unreadable
from adapters.json_payload import INTEGER_CHARS_MAX, UTF8_BOM
from adapters.limits import ITEMS_MAX

_DAMAGED: Final = object()


@dataclass(frozen=True, slots=True)
class Document:
    """A tree, and its place where the payload has several; `pointer` is empty where places lie inside the tree."""

    tree: Any
    pointer: str = ""


@dataclass(frozen=True, slots=True)
class Damaged:
    """A part of the payload that could not be read: a line, with what to do about it."""

    pointer: str
    code: str
    hint: str
    excerpt: bytes


class Source(Protocol):
    """One format. `read` raises Unreadable before it gives the first document, or never."""

    @property
    def media_types(self) -> tuple[str, ...]: ...

    def read(self, payload: bytes) -> Iterable[Document | Damaged]: ...

    def write(self, trees: Sequence[Any]) -> bytes:
        """Return a payload that `read` takes apart into these trees."""
        ...


class JsonSource:
    """RFC 8259: the payload is one document."""

    media_types = ("application/json",)

    def read(self, payload: bytes) -> Iterable[Document | Damaged]:
        return [Document(exact(payload))]

    def write(self, trees: Sequence[Any]) -> bytes:
        return dumps(trees[0])


class NdjsonSource:
    """https://github.com/ndjson/ndjson-spec: each line is a document, and a bad line costs itself only."""

    media_types = ("application/x-ndjson", "application/json")

    def read(self, payload: bytes) -> Iterable[Document | Damaged]:
        json_payload.check_size(payload)
        lines = payload.removeprefix(UTF8_BOM).split(b"\n")
        if len(lines) > ITEMS_MAX:
            raise Unreadable("too-many-items", f"Send at most {ITEMS_MAX} lines at once.")
        numbered = [(number, line) for number, line in enumerate(lines, start=1) if line.strip()]
        first = next((found for number, line in numbered if isinstance(found := _line(number, line), Document)), None)
        if first is None:
            raise Unreadable("not-json", "No line of the payload is JSON in UTF-8 (RFC 8259).")
        return (_line(number, line) for number, line in numbered)

    def write(self, trees: Sequence[Any]) -> bytes:
        return b"\n".join(dumps(tree) for tree in trees)


def exact(payload: bytes) -> Any:
    """JSON with numbers as int or Decimal, every digit kept. Raises Unreadable."""
    json_payload.load(payload)  # finds what the slower parser, which does not say where nesting ends, would fall over
    value = _exact(payload.removeprefix(UTF8_BOM))
    if value is _DAMAGED:
        raise Unreadable("not-json", "A number of the payload has an exponent that no number needs.")
    return value


def dumps(tree: Any) -> bytes:
    """Tree to compact JSON."""
    return orjson.dumps(tree, default=_number)


def _exact(payload: bytes) -> Any:
    try:
        return json.loads(payload, parse_float=Decimal, parse_int=_integer)
    except InvalidOperation:
        return _DAMAGED


def _integer(text: str) -> int | Decimal:
    return int(text) if len(text) <= INTEGER_CHARS_MAX else Decimal(text)


def _number(value: object) -> orjson.Fragment:
    if type(value) is not Decimal:
        raise TypeError
    return orjson.Fragment(str(value))


def _line(number: int, line: bytes) -> Document | Damaged:
    pointer, fault = f"row {number}", None
    try:
        return Document(exact(line), pointer)
    except Unreadable as error:
        fault = error
    return Damaged(pointer, fault.code, f"This line is no JSON document that can be read: {fault.hint}", line)


def documents(found: Iterable[Document | Damaged]) -> Iterator[Document]:
    """Give only what could be read."""
    return (one for one in found if isinstance(one, Document))
