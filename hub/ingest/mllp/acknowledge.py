"""Acknowledgements of HL7 v2: which are wanted, and how they are written. HL7 v2.6 sections 2.9.2 (original and enhanced mode), 2.14.

Pure. The same message gets the same verdict whenever it comes; only control id and time of the acknowledgement differ.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from adapters.hl7v2.message import CHARSETS, Delimiters, Message, Segment, read_messages
from hub.ingest.fates import Answer
from hub.instants import fhir_instant

Code = Literal["A", "E", "R"]
"""Accepted, error, rejected: AA, AE, AR as application acknowledgement, CA, CE, CR as accept acknowledgement."""
ERRORS_MAX = 50
FIELD_CHARS_MAX = 199
TABLE_0357: Mapping[str, str] = {
    "101": "Required field missing",
    "102": "Data type error",
    "103": "Table value not found",
    "200": "Unsupported message type",
    "204": "Unknown key identifier",
    "207": "Application internal error",
}
CONDITION: Mapping[str, str] = {
    "value-missing": "101",
    "unit-unknown": "101",
    "sample-rate-missing": "101",
    "no-time": "101",
    "device-missing": "101",
    "control-id-missing": "101",
    "time-not-readable": "102",
    "value-not-a-number": "102",
    "value-type": "102",
    "message-type": "200",
    "sender-unknown": "204",
    "device-not-paired": "204",
    "hub-failed": "207",
}
"""Code of an item -> HL7 table 0357; of all others "103": a word that is not in a table."""
NEVER, ALWAYS, ON_ERROR, ON_SUCCESS = "NE", "AL", "ER", "SU"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """An ERR segment: where, our code, what to do. `warning`: the message was taken in nevertheless."""

    code: str
    hint: str
    place: str = ""
    warning: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`accept`: was the message taken into safe keeping; `application`: what came of its content."""

    accept: Code
    application: Code
    troubles: Sequence[Trouble] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """What the header of a message says; enough to answer it even if nothing else of it can be read."""

    header: Segment
    charset: str
    message: Message | None

    @property
    def control_id(self) -> str:
        return self.header.field(10)

    @property
    def application(self) -> str:
        return self.header.component(3, 1)

    @property
    def facility(self) -> str:
        return self.header.component(4, 1)

    def place(self, pointer: str) -> str:
        """`row 7` as ERR-2 writes it: segment and its number among those of its kind."""
        row = int(pointer.removeprefix("row ")) if pointer.startswith("row ") else 0
        segments = self.message.segments if self.message is not None else ()
        found = next((segment for segment in segments if segment.row == row), None)
        if found is None:
            return ""
        number = sum(segment.name == found.name and segment.row <= row for segment in segments)
        return self.header.delimiters.component.join((found.name, str(number)))


def asked_of(frame: bytes) -> Asked | None:
    """None if there is no MSH that could be answered."""
    try:
        one = next(iter(read_messages(frame)))
    except Exception:  # noqa: BLE001 - whatever it is, it has no header
        return None
    if isinstance(one, Message):
        named = one.header.component(18, 1).upper()
        return Asked(one.header, CHARSETS[named], one)
    first = frame.split(b"\r")[0].decode("latin-1")
    name, *fields = first.split("|")
    return Asked(Segment(name, (name, "|", *fields), 1, Delimiters()), "latin-1", None) if name == "MSH" else None


def verdict_of(asked: Asked, answers: Sequence[Answer]) -> Verdict:
    """Taken in; an application error only if nothing of it is kept at all."""
    troubles = [
        Trouble(code=answer.code or answer.fate, hint=answer.hint or "", place=asked.place(answer.pointer), warning=True)
        for answer in answers
        if answer.fate in ("quarantined", "refused")
    ]
    lost = bool(answers) and all(answer.fate == "refused" for answer in answers)
    return Verdict(accept="A", application="E" if lost else "A", troubles=troubles)


def acknowledgements(asked: Asked, verdict: Verdict, *, ids: Sequence[str], now_us: int) -> list[bytes]:
    """The messages to send back, without frames: none, one, or accept and application acknowledgement. `ids`: two control ids."""
    accept, application = asked.header.component(15, 1), asked.header.component(16, 1)
    if not accept and not application:
        return [_written(asked, f"A{verdict.application}", verdict.troubles, ids[0], now_us)]
    made = []
    if _wanted(accept, verdict.accept):
        made.append(_written(asked, f"C{verdict.accept}", verdict.troubles if verdict.accept != "A" else (), ids[0], now_us))
    if _wanted(application, verdict.application) and verdict.accept == "A":
        made.append(_written(asked, f"A{verdict.application}", verdict.troubles, ids[1], now_us))
    return made


def _wanted(condition: str, code: Code) -> bool:
    """HL7 table 0155; silence is never."""
    return condition == ALWAYS or (condition == ON_ERROR and code != "A") or (condition == ON_SUCCESS and code == "A")


def _written(asked: Asked, code: str, troubles: Sequence[Trouble], control_id: str, now_us: int) -> bytes:
    header, field, component = asked.header, asked.header.delimiters.field, asked.header.delimiters.component
    time = fhir_instant(now_us)
    stamp = f"{time[:19].replace('-', '').replace('T', '').replace(':', '')}+0000"
    kind = component.join(("ACK", header.component(9, 2) or "R01", "ACK"))
    tail = [kind, control_id, header.field(11) or "P", header.field(12) or "2.6", *[""] * 5, header.field(18)]
    msh = ["MSH", header.field(2), header.field(5), header.field(6), header.field(3), header.field(4), stamp, "", *tail]
    lines = [msh, ["MSA", code, header.field(10)[:FIELD_CHARS_MAX]], *(_err(one, header.delimiters) for one in troubles[:ERRORS_MAX])]
    return ("\r".join(field.join(line).rstrip(field) for line in lines) + "\r").encode(asked.charset, "replace")


def _err(trouble: Trouble, delimiters: Delimiters) -> list[str]:
    number = CONDITION.get(trouble.code, "103")
    table = delimiters.component.join((number, TABLE_0357[number], "HL70357"))
    own = delimiters.component.join((trouble.code, "", "L"))
    return ["ERR", "", trouble.place, table, "W" if trouble.warning else "E", own, "", "", escaped(trouble.hint, delimiters)]


def escaped(text: str, delimiters: Delimiters) -> str:
    """HL7 v2.6 section 2.7."""
    marks = {
        delimiters.escape: "E",
        delimiters.field: "F",
        delimiters.component: "S",
        delimiters.repetition: "R",
        delimiters.subcomponent: "T",
    }
    return "".join(f"{delimiters.escape}{marks[char]}{delimiters.escape}" if char in marks else char for char in text)
