"""The report of an interrogation: an OBX of type ED that carries a PDF, and the form in which it is kept.

HL7 v2.6 section 2.A.24 (ED) and RFC 4648 section 4. Nobody looks into the PDF: it names the patient, and is a document of theirs as it is.
"""

import base64
import binascii
import re
from collections import Counter
from dataclasses import dataclass

from adapters.contract import Unreadable
from adapters.hl7v2.message import Message, Segment, read_messages
from adapters.idco.mapping import ENCODING, MAGIC, MEDIA_TYPE, MESSAGE_TYPE, PDF_WORDS, REPORT_CODE, REPORT_WORDS
from adapters.limits import PAYLOAD_BYTES_MAX
from adapters.reading import Document
from adapters.refusal import ItemRefused

_NOT_BASE64 = re.compile(r"[^A-Za-z0-9+/=\s]")
_SPACE = re.compile(r"\s+")
_BEHIND = b"\r" + MAGIC
_DATA = 4
"""Place of ED.5 among the components."""


@dataclass(frozen=True, slots=True)
class Report:
    """`content`: the PDF. `instance`: OBX-4, with its place among those of the same time and OBX-4 if it is not the first."""

    content: bytes
    instance: str

    def kept(self, excerpt: bytes) -> tuple[bytes, Document]:
        """The item's own bytes: what it takes of the message, and the PDF behind it as it is."""
        head = excerpt + b"\r"
        return head + self.content, Document(media_type=MEDIA_TYPE, start=len(head))


class Places:
    """Several reports of one session may have the same OBX-4, or none; each is a report of its own."""

    def __init__(self) -> None:
        self._seen: Counter[tuple[str, str]] = Counter()

    def instance(self, time: str, obx: Segment) -> str:
        said = obx.field(4).strip()
        self._seen[time, said] += 1
        place = self._seen[time, said]
        return said if place == 1 else f"{said} #{place}".strip()


def report_in(obx: Segment, content: bytes | None) -> bytes:
    """The PDF of an OBX, from its ED.5 or, of one that was kept, from behind it. Raises ItemRefused without a word of it."""
    if obx.field(2).strip() != "ED":
        raise _refused("document-not-read", "A report that OBX-5 only points to is not fetched; send the PDF itself as ED.")
    if tuple(obx.components(3)[::2][:2]) not in REPORT_WORDS:
        raise _refused("unknown-document", "OBX-3 of a report must be 18750-0 with the coding system LN.")
    if len(obx.repetitions(5)) > 1:
        raise _refused("value-repeated", "OBX-5 has more than one document; send one OBX for each.")
    parts = [*obx.components(5), *[""] * (_DATA + 1)]
    if (parts[1].lower(), parts[2].lower()) not in PDF_WORDS or parts[3].lower() != ENCODING.lower():
        raise _refused("document-type", "Only a PDF in base64 is kept: ED.2 and ED.3 must say application and pdf, ED.4 Base64.")
    found = _decoded(obx.delimiters.component.join(parts[_DATA:]).rstrip(obx.delimiters.component)) if content is None else content
    if not found.startswith(MAGIC):
        raise _refused("document-not-pdf", "What ED.5 holds does not begin as a PDF does (%PDF-).")
    return found


def _decoded(text: str) -> bytes:
    wrong = _NOT_BASE64.search(text)
    if wrong is not None:
        raise _refused("document-not-base64", f"Character {wrong.start() + 1} of ED.5 is none of base64 (RFC 4648 section 4).")
    packed = _SPACE.sub("", text)
    if not packed:
        raise _refused("document-missing", "ED.5 is empty.")
    try:
        return base64.b64decode(packed, validate=True)
    except binascii.Error:
        pass
    raise _refused("document-not-base64", f"ED.5 is cut off or padded wrongly: it has {len(packed)} characters of base64.")


def _refused(code: str, hint: str) -> ItemRefused:
    return ItemRefused(code, hint, keep=False)


def fields_kept(obx: Segment, instance: str) -> dict[int, str]:
    """Of the OBX: its codes in our words, for others in it may be the name of a file; status and time as sent; no data."""
    component = obx.delimiters.component
    code, system = REPORT_CODE
    return {
        2: "ED",
        3: component.join((code, "", system)),
        4: instance,
        5: component.join(("", *MEDIA_TYPE.split("/"), ENCODING, "")),
        **{number: obx.field(number) for number in (8, 11, 14)},
    }


def kept_report(payload: bytes) -> tuple[Message, bytes] | None:
    """A report as it was kept: a message whose one result is an ED without data, and the PDF behind it. None for any other payload."""
    place = payload.find(_BEHIND)
    if place < 0 or len(payload) > PAYLOAD_BYTES_MAX:
        return None
    try:
        messages = list(read_messages(payload[:place]))
    except Unreadable:
        return None
    (message, *more) = messages
    if more or not isinstance(message, Message) or message.type != MESSAGE_TYPE or message.unread:
        return None
    results = [segment for segment in message.segments if segment.name == "OBX"]
    if len(results) != 1 or results[0].field(2).strip() != "ED" or any(results[0].components(5)[_DATA:]):
        return None
    return message, payload[place + 1 :]
