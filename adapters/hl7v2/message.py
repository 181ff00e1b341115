"""HL7 v2 in its vertical-bar form: bytes -> messages of segments.

HL7 v2.6 chapter 2, sections 2.5 to 2.8. Segments end with CR; senders that write LF or both are read too, and so are the block
characters of MLLP in a file that was recorded from the wire. A row is the number of a segment in the payload, from 1.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from adapters.contract import Unreadable
from adapters.limits import ITEMS_MAX, PAYLOAD_BYTES_MAX
from adapters.reading import Item, Rejected

_LINES = re.compile(rb"[\r\n\x0b\x1c]+")
_NAME = re.compile(r"[A-Z][A-Z0-9]{2}")
_ENVELOPE = frozenset({"FHS", "BHS", "BTS", "FTS"})
_DELIMITERS = re.compile(r"[!-/:-@\[-`{-~]{5}")
_HEXADECIMAL = re.compile(r"X(?:[0-9A-Fa-f]{2})+")
_UTF_8 = "UNICODE UTF-8"
_Rows = list[tuple[int, bytes]]
CHARSETS: Mapping[str, str] = {
    "": "utf-8",
    "ASCII": "ascii",
    "8859/1": "latin-1",
    "8859/2": "iso8859-2",
    "8859/3": "iso8859-3",
    "8859/4": "iso8859-4",
    "8859/5": "iso8859-5",
    "8859/6": "iso8859-6",
    "8859/7": "iso8859-7",
    "8859/8": "iso8859-8",
    "8859/9": "iso8859-9",
    "8859/15": "iso8859-15",
    "UNICODE": "utf-8",
    _UTF_8: "utf-8",
}
"""HL7 table 0211 -> Python's name. Undeclared is ASCII by the standard; UTF-8 says the same for ASCII."""


@dataclass(frozen=True, slots=True)
class Delimiters:
    """MSH-1 and the characters of MSH-2, in their order."""

    field: str = "|"
    component: str = "^"
    repetition: str = "~"
    escape: str = "\\"
    subcomponent: str = "&"


@dataclass(frozen=True, slots=True)
class Segment:
    """`fields[n]` is the text of field n as HL7 counts it, for MSH too."""

    name: str
    fields: tuple[str, ...]
    row: int
    delimiters: Delimiters

    def field(self, number: int) -> str:
        """As sent; "" where there is none."""
        return self.fields[number] if number < len(self.fields) else ""

    def repetitions(self, number: int) -> list[str]:
        text = self.field(number)
        return text.split(self.delimiters.repetition) if text else []

    def components(self, number: int, repetition: int = 0) -> list[str]:
        """Components of one repetition, unescaped and without blanks around them."""
        found = self.repetitions(number)
        return self.split(found[repetition]) if repetition < len(found) else []

    def component(self, number: int, place: int) -> str:
        """`place` from 1, of the first repetition."""
        found = self.components(number)
        return found[place - 1] if place <= len(found) else ""

    def split(self, text: str) -> list[str]:
        return [self.unescaped(part).strip() for part in text.split(self.delimiters.component)]

    def unescaped(self, text: str) -> str:
        """HL7 v2.6 section 2.7; sequences for terminals (highlighting, fonts) are left out."""
        if self.delimiters.escape not in text:
            return text
        parts = text.split(self.delimiters.escape)
        return "".join(_escaped(part, self.delimiters) if place % 2 else part for place, part in enumerate(parts))


def _escaped(code: str, delimiters: Delimiters) -> str:
    named = {
        "F": delimiters.field,
        "S": delimiters.component,
        "R": delimiters.repetition,
        "E": delimiters.escape,
        "T": delimiters.subcomponent,
    }
    if _HEXADECIMAL.fullmatch(code):
        return bytes.fromhex(code[1:]).decode("latin-1")
    return named.get(code, "")


Kept = tuple[Segment, Mapping[int, str]]
"""A segment and those of its fields that are written, by number."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message; `segments[0]` is its MSH. `unread`: rows in it that are no segments."""

    segments: tuple[Segment, ...]
    unread: tuple[int, ...] = ()

    @property
    def header(self) -> Segment:
        return self.segments[0]

    @property
    def type(self) -> tuple[str, str]:
        """Message code and trigger event of MSH-9, such as ("ORU", "R01")."""
        return self.header.component(9, 1), self.header.component(9, 2)

    def excerpt(self, *parts: Kept, zoned: bool = False) -> bytes:
        """Some segments of the message, each with some fields only, as a message that can be read by itself.

        parts  segment and the fields of it to be written, by number
        zoned  MSH-7 is kept, because its offset holds for times that have none of their own
        """
        head = {9: self.header.field(9), 12: self.header.field(12), 18: _UTF_8} | ({7: self.header.field(7)} if zoned else {})
        lines = [_written(self.header, {2: self.header.field(2)} | head), *(_written(segment, kept) for segment, kept in parts)]
        return "\r".join(lines).encode()


def _written(segment: Segment, fields: Mapping[int, str]) -> str:
    separator = segment.delimiters.field
    first = 2 if segment.name == "MSH" else 1
    last = max((number for number, text in fields.items() if text), default=first - 1)
    return separator.join([segment.name, *(fields.get(number, "") for number in range(first, last + 1))])


def plain(segment: Segment, *numbers: int) -> Kept:
    """For `Message.excerpt`: these fields as they were sent."""
    return segment, {number: segment.field(number) for number in numbers}


def read_messages(payload: bytes) -> Iterator[Message | Rejected]:
    """The messages of a payload, or why one of them cannot be read. Raises Unreadable before the first if there is none."""
    return _read(_grouped(payload))


def _grouped(payload: bytes) -> list[_Rows]:
    if len(payload) > PAYLOAD_BYTES_MAX:
        raise Unreadable("payload-too-large", f"A payload may have {PAYLOAD_BYTES_MAX} bytes; send it in parts.")
    groups: list[_Rows] = []
    lines = [line for line in _LINES.split(payload.removeprefix(b"\xef\xbb\xbf")) if line.strip()]
    if len(lines) > ITEMS_MAX:
        raise Unreadable("too-many-items", f"A payload may have {ITEMS_MAX} segments; send it in parts.")
    for row, line in enumerate(lines, start=1):
        if line.startswith(b"MSH"):
            groups.append([])
        if groups:
            groups[-1].append((row, line))
        elif line[:3].decode("latin-1") not in _ENVELOPE:
            raise Unreadable("not-hl7", "An HL7 v2 message begins with the segment MSH.", pointer=f"row {row}")
    if not groups:
        raise Unreadable("empty", "There is no message in the payload.")
    return groups


def _read(groups: list[_Rows]) -> Iterator[Message | Rejected]:
    for group in groups:
        yield _message(group)


def _message(rows: _Rows) -> Message | Rejected:
    row, first = rows[0]
    head = first.decode("latin-1")
    marks = head[3:8]
    if not _DELIMITERS.fullmatch(marks) or len(set(marks)) != len(marks):
        return _refused(row, "delimiters-unreadable", "MSH-1 and MSH-2 must be five different characters, usually |^~\\&.")
    delimiters = Delimiters(*marks)
    codec = CHARSETS.get(_charset(head, delimiters))
    if codec is None:
        return _refused(row, "character-set-unknown", f"MSH-18 must be one of {', '.join(filter(None, CHARSETS))}.")
    try:
        lines = [(number, line.decode(codec)) for number, line in rows]
    except UnicodeDecodeError:
        lines = []
    if not lines:
        return _refused(row, "character-set", "The bytes of the message are not in the character set that MSH-18 names; correct MSH-18.")
    segments, unread = [], []
    for number, line in lines:
        segment = _segment(line, number, delimiters)
        if segment is None:
            unread.append(number)
        elif segment.name not in _ENVELOPE:
            segments.append(segment)
    return Message(tuple(segments), tuple(unread))


def _charset(head: str, delimiters: Delimiters) -> str:
    """The first repetition of MSH-18 is the one in which the message begins."""
    fields = head.split(delimiters.field)
    named = fields[17] if len(fields) > 17 else ""  # noqa: PLR2004 - MSH-1 is the separator itself, so MSH-18 stands at 17
    return named.partition(delimiters.repetition)[0].strip().upper()


def _segment(line: str, row: int, delimiters: Delimiters) -> Segment | None:
    name, *fields = line.split(delimiters.field)
    if not _NAME.fullmatch(name):
        return None
    own = (delimiters.field,) if name == "MSH" else ()
    return Segment(name, (name, *own, *fields), row, delimiters)


def _refused(row: int, code: str, hint: str) -> Rejected:
    """Of a message that cannot be taken apart nothing is kept: names may stand anywhere in it."""
    return Rejected(code=code, hint=hint, pointer=f"row {row}", raw=b"MSH", keep=False)


def read_payload(payload: bytes, wanted: tuple[str, str], read: Callable[[Message], Iterator[Item]]) -> Iterator[Item]:
    """The items of every message of the wanted type, and a refusal for what is none. Raises Unreadable before the first item.

    read  gives the items of one message; its rows that are no segments are answered here
    """
    return _items(read_messages(payload), wanted, read)


def _items(messages: Iterator[Message | Rejected], wanted: tuple[str, str], read: Callable[[Message], Iterator[Item]]) -> Iterator[Item]:
    for message in messages:
        if isinstance(message, Rejected):
            yield message
        elif message.type != wanted:
            yield _refusal_of_type(message)
        else:
            yield from _unread_rows(message)
            yield from read(message)


def _unread_rows(message: Message) -> Iterator[Rejected]:
    """One refusal for each row that is no segment; nothing of it is kept."""
    hint = "A row is no segment; a line end inside a field is written as an escape (HL7 v2.6 section 2.7)."
    for row in message.unread:
        yield Rejected(code="segment-unreadable", hint=hint, pointer=f"row {row}", raw=message.header.name.encode(), keep=False)


def _refusal_of_type(message: Message) -> Rejected:
    """Of a message of another kind nothing is kept: it may be about a person as a whole."""
    hint = "MSH-9 must be ORU^R01; other messages are not read here."
    return Rejected(code="message-type", hint=hint, pointer=f"row {message.header.row}", raw=message.excerpt(), keep=False)


def orders(message: Message) -> Iterator[tuple[Segment | None, list[Segment]]]:
    """Each OBR with the OBX that follow it; OBX before any OBR come first, with none."""
    obr: Segment | None = None
    rows: list[Segment] = []
    for segment in message.segments:
        if segment.name == "OBR":
            yield obr, rows
            obr, rows = segment, []
        elif segment.name == "OBX":
            rows.append(segment)
    yield obr, rows
