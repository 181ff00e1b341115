"""Payloads of a realistic size for every installed adapter, made of its fixtures: copies of the records, each at another time.

No two copies share a time, so that no cache helps that would not help a real file. What cannot be put together from copies (one recording,
one strip) is measured as the fixture is.
"""

import csv
import io
import re
import struct
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from xml.etree.ElementTree import Element, tostring
from xml.parsers import expat

import fitdecode
import orjson
from defusedxml.ElementTree import fromstring

from adapters.contract import Adapter
from tests.support.known import fixtures

FORMS = (
    (re.compile(r"\b20\d\d-\d\d-\d\d[T ]\d\d:\d\d:\d\d"), "%Y-%m-%dT%H:%M:%S"),
    (re.compile(r"\b20\d\d-\d\d-\d\d[T ]\d\d:\d\d(?!:\d)"), "%Y-%m-%dT%H:%M"),
    (re.compile(r"\b\d\d-\d\d-20\d\d \d\d:\d\d"), "%d-%m-%Y %H:%M"),
    (re.compile(r"\b20\d\d/\d\d/\d\d,\d\d:\d\d:\d\d"), "%Y/%m/%d,%H:%M:%S"),
    (re.compile(r"\b20\d\d/\d\d/\d\d;\d\d:\d\d:\d\d"), "%Y/%m/%d;%H:%M:%S"),
    (re.compile(r"\b\d\d/\d\d/20\d\d;\d\d:\d\d:\d\d"), "%d/%m/%Y;%H:%M:%S"),
    (re.compile(r"\b\d{1,2}/\d{1,2}/20\d\d \d{1,2}:\d\d:\d\d [AP]M"), "%m/%d/%Y %I:%M:%S %p"),
    (re.compile(r"\b20\d{6}[012]\d{5}\b"), "%Y%m%d%H%M%S"),
)
EPOCH = re.compile(r"\b1[4-9]\d{8}(?:\d{3}|\d{9})?\b")
EPOCH_DIGITS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """How copies of a format are put together, and the bare parser that is its floor."""

    floor: str
    parse: Callable[[bytes], object]
    joined: Callable[[Sequence[bytes], int], bytes] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    content: bytes
    kind: Kind


def payload(adapter: Adapter, readings: int) -> Payload:
    """About so many readings, made of the adapter's largest fixture."""
    kind = next(KINDS[type] for type in adapter.manifest.media_types if type in KINDS)
    known = [path.read_bytes() for path in fixtures(adapter.manifest.name.replace("-", "_"))]
    one = max(known, key=lambda content: len(list(adapter.decode(content))))
    if kind.joined is None:
        return Payload(content=one, kind=kind)
    items = list(adapter.decode(one))
    copies = [shifted(one, number) for number in range(max(1, readings // len(items)))]
    first_row = min((int(item.pointer.removeprefix("row ")) for item in items if item.pointer.startswith("row ")), default=1)
    return Payload(content=kind.joined(copies, first_row), kind=kind)


def shifted(content: bytes, number: int) -> bytes:
    """The same records so many minutes earlier."""
    text = content.decode("utf-8", "surrogateescape")
    for form, written in FORMS:
        text = form.sub(lambda found, written=written: _earlier(found[0], written, number), text)  # type: ignore[misc]
    return EPOCH.sub(lambda found: _counted(found[0], number), text).encode("utf-8", "surrogateescape")


def _earlier(text: str, written: str, number: int) -> str:
    form = written.replace("T", text[10], 1) if "T" in written else written
    try:
        return (datetime.strptime(text, form) - timedelta(minutes=number)).strftime(form)  # noqa: DTZ007 - written as it was read
    except ValueError:  # digits that are no time
        return text


def _counted(text: str, number: int) -> str:
    return str(int(text) - 60 * number * 10 ** (len(text) - EPOCH_DIGITS))


def _json(copies: Sequence[bytes], _: int) -> bytes:
    """The longest list of the document holds the records of all copies."""
    trees = [orjson.loads(one) for one in copies]
    longest = max(_lists(trees[0], ()), key=lambda found: len(found[1]))[0]
    whole = [record for tree in trees for record in _at(tree, longest)]
    if not longest:
        return orjson.dumps(whole)
    _at(trees[0], longest)[:] = whole
    return orjson.dumps(trees[0])


def _lists(tree: Any, place: tuple[Any, ...]) -> list[tuple[tuple[Any, ...], list[Any]]]:
    found = [(place, tree)] if isinstance(tree, list) and all(isinstance(one, dict) for one in tree) else []
    steps = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    return found + [one for step, inner in steps for one in _lists(inner, (*place, step))]


def _at(tree: Any, place: tuple[Any, ...]) -> Any:
    for step in place:
        tree = tree[step]
    return tree


def _csv(copies: Sequence[bytes], first_row: int) -> bytes:
    lines = [one.rstrip(b"\r\n").split(b"\n") for one in copies]
    return b"\n".join([*lines[0][: first_row - 1], *(line for one in lines for line in one[first_row - 1 :])])


def _xml(copies: Sequence[bytes], _: int) -> bytes:
    """The element with most children holds those of all copies."""
    trees = [fromstring(one) for one in copies]
    place = max(range(len(list(trees[0].iter()))), key=lambda index: len(list(trees[0].iter())[index]))
    whole: Element = list(trees[0].iter())[place]
    whole.extend(child for tree in trees[1:] for child in list(tree.iter())[place])
    return tostring(trees[0])


def _hl7(copies: Sequence[bytes], _: int) -> bytes:
    return b"\r".join(one.rstrip(b"\r\n") for one in copies) + b"\r"


def _expat(content: bytes) -> None:
    expat.ParserCreate().Parse(content, True)


def _split(content: bytes) -> object:
    return [segment.split("|") for segment in content.decode("latin-1").split("\r")]


def _rows(content: bytes) -> object:
    return list(csv.reader(io.StringIO(content.decode("utf-8", "replace"))))


def _words(content: bytes) -> object:
    return list(struct.iter_unpack("<h", content[: len(content) // 2 * 2]))


def _unzipped(content: bytes) -> object:
    with zipfile.ZipFile(io.BytesIO(content)) as found:
        return [_words(found.read(name)) for name in found.namelist()]


def _fit(content: bytes) -> object:
    with fitdecode.FitReader(io.BytesIO(content)) as found:
        return list(found)


KINDS: Mapping[str, Kind] = {
    "application/json": Kind(floor="orjson", parse=orjson.loads, joined=_json),
    "application/fhir+json": Kind(floor="orjson", parse=orjson.loads),
    "text/csv": Kind(floor="csv", parse=_rows, joined=_csv),
    "application/hl7-v2+er7": Kind(floor="str.split", parse=_split, joined=_hl7),
    "application/xml": Kind(floor="expat", parse=_expat, joined=_xml),
    "application/edf": Kind(floor="struct", parse=_words),
    "application/scp-ecg": Kind(floor="struct", parse=_words),
    "application/zip": Kind(floor="zipfile, struct", parse=_unzipped),
    "application/vnd.ant.fit": Kind(floor="fitdecode", parse=_fit),
}
"""Media type of a manifest -> how it is measured."""
SINGLE = frozenset({"aecg", "apple-ecg"})
"""One recording each, whatever its format."""
