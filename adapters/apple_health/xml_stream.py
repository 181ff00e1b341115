"""The export as a stream of records: expat in pieces, no entity, no DTD, no tree.

An export begins with a DTD that some versions of iOS write wrongly, so that every strict parser refuses the file. It says
nothing that is needed: it is blanked out before the parser sees it, and with it goes every way to declare an entity.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol
from xml.parsers import expat

from adapters.contract import Unreadable

CHUNK_BYTES = 64 * 1024
HEAD_BYTES_MAX = 64 * 1024
"""Within these the root element begins; the DTD of iOS 17 has 9 KB."""
TOKEN_BYTES_MAX = 1024 * 1024
"""One tag with its attributes. A record has about 500 bytes; the parser would keep a longer tag whole in memory."""
DEPTH_MAX = 8
"""Metadata in a record in a correlation is at level 4."""
CHILDREN_MAX = 1000
"""Elements below one record that are looked at; a list of heart beats may have hundreds, which are not kept."""
CHILDREN_CHARS_MAX = 256 * 1024
"""Of the attributes of the elements below one record that are looked at: a thousand children may each have a tag of a megabyte."""

ROOT = b"<HealthData"


class Source(Protocol):
    """What a file opened for reading bytes can do."""

    def read(self, size: int, /) -> bytes: ...


@dataclass(slots=True)
class Element:
    """A child of the root, or one of those: name, attributes, children, offset of its first byte."""

    name: str
    attributes: dict[str, str]
    offset: int
    children: "list[Element]" = field(default_factory=list)

    def chars(self) -> int:
        """Of its attributes and those of its children: what it takes of memory, nearly."""
        own = sum(len(name) + len(value) for name, value in self.attributes.items())
        return own + sum(child.chars() for child in self.children)


class Broken(Exception):
    """The document cannot be read any further. Says why in the words of `Rejected`; holds nothing of the document."""

    def __init__(self, code: str, hint: str, offset: int) -> None:
        super().__init__(code)
        self.code, self.hint, self.offset = code, hint, offset


def open_stream(source: Source) -> "Elements":
    """Read up to the root element. Raises Unreadable: not-apple-health, entities-forbidden."""
    head = b""
    while ROOT not in head and len(head) < HEAD_BYTES_MAX:
        piece = source.read(CHUNK_BYTES)
        if not piece:
            break
        head += piece
    start = head.find(ROOT)
    if start < 0:
        raise Unreadable("not-apple-health", "This is no export of Apple Health: no element HealthData begins within the first 64 KB.")
    prolog = head[:start]
    if b"<!ENTITY" in prolog:
        raise Unreadable("entities-forbidden", "The file declares XML entities; an export of Apple Health has none.")
    return Elements(_without_doctype(prolog) + head[start:], source)


def _without_doctype(prolog: bytes) -> bytes:
    """Blank out from the DOCTYPE on, byte for byte, so that offsets stay those of the file."""
    begin = prolog.find(b"<!DOCTYPE")
    return prolog if begin < 0 else prolog[:begin] + b" " * (len(prolog) - begin)


class Elements:
    """The children of the root, one after the other. Raises Broken where the document ends before it should."""

    def __init__(self, head: bytes, source: Source) -> None:
        self._head, self._source = head, source
        self._stack: list[Element] = []
        self._depth = self._fed = self._children = self._chars = 0
        self._done: list[Element] = []
        self._parser = expat.ParserCreate("UTF-8")
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.StartDoctypeDeclHandler = self._forbidden
        self._parser.EntityDeclHandler = self._forbidden

    def __iter__(self) -> Iterator[Element]:
        yield from self._feed(self._head)
        self._head = b""
        while chunk := self._source.read(CHUNK_BYTES):
            yield from self._feed(chunk)
        yield from self._feed(b"", last=True)

    def _feed(self, chunk: bytes, *, last: bool = False) -> Iterator[Element]:
        """Elements that ended within this chunk, also those before the place where it breaks."""
        broken = self._parse(chunk, last=last)
        done, self._done = self._done, []
        yield from done
        if broken is not None:
            raise broken

    def _parse(self, chunk: bytes, *, last: bool) -> Broken | None:
        try:
            self._parser.Parse(chunk, last)
        except expat.ExpatError:
            pass
        except Broken as broken:
            return Broken(broken.code, broken.hint, broken.offset)
        else:
            self._fed += len(chunk)
            if self._fed - max(self._parser.CurrentByteIndex, 0) > TOKEN_BYTES_MAX:
                return Broken("xml-tag-too-long", f"A tag has more than {TOKEN_BYTES_MAX} bytes.", self._here())
            return None
        # made out here because expat's own error would hang on it, in every traceback
        return Broken("xml-broken", "The file is no well-formed XML from here on; it may be cut off. Export it again.", self._here())

    def _here(self) -> int:
        return max(self._parser.CurrentByteIndex, 0)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > DEPTH_MAX:
            raise Broken("xml-too-deep", f"The XML is nested deeper than {DEPTH_MAX} levels.", self._here())
        if self._depth == 1:
            return
        element = Element(name, attributes, self._here())
        below = self._depth > 2  # noqa: PLR2004 - below a child of the root
        self._children, self._chars = (self._children + 1, self._chars + element.chars()) if below else (0, 0)
        if below and self._children <= CHILDREN_MAX and self._chars <= CHILDREN_CHARS_MAX:
            self._stack[-1].children.append(element)
        self._stack.append(element)

    def _end(self, _name: str) -> None:
        self._depth -= 1
        if self._depth:
            element = self._stack.pop()
            if not self._stack:
                self._done.append(element)

    def _forbidden(self, *_declaration: object) -> None:
        raise Broken("entities-forbidden", "The file has a document type where none may stand.", self._here())
