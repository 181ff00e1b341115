"""Names that stand in a payload stay there. Law 4.

Names are planted: in every object of JSON, in every element of XML, as one more column and above the head of a table, in PID and NK1 of
HL7. What an item says, its hints, its identity and the FHIR must not have them; `raw` must not have those of a preamble. Where the kit
knows no place for a name, those that a fixture has already are looked for (NAME.names.json).
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from adapters.kit.pieces import document_of, dumped, pieces
from adapters.kit.rule import Fixture, Outcome, Subject, Unproven
from adapters.reading import Item, Reading, Rejected

ABOVE, BESIDE = "Quillfeather-Above", "Quillfeather-Beside"
"""Of nobody: planted in what is around the records, and in the records themselves."""
FIELDS = ("name", "patientName", "patient", "owner", "user", "email", "comment", "birthName")
BROKEN = (b'{"patient": "%s", ', b'<patient name="%s"', b'"%s\n"', b"MSH|^~\\&|%s", b"%s")
_PID = re.compile(rb"^(PID\|(?:[^|\r\n]*\|){4})[^|\r\n]*", re.MULTILINE)
_TAG = re.compile(rb"<([A-Za-z][\w:.-]*)(?=[\s/>])")


def names_stay(subject: Subject) -> Iterator[str]:
    tried = 0
    for fixture, made in _planted(subject):
        outcome = subject.decode(made, fixture.context)
        if not outcome.items:
            continue
        tried += 1
        yield from _leaks(subject, fixture, outcome)
    named = [fixture for fixture in subject.fixtures if fixture.names]
    for fixture in named:
        yield from _own_names(subject, fixture)
    if not tried and not named:
        raise Unproven("the kit knows no place in this format where a name could be planted, and no fixture has NAME.names.json beside it")


def _own_names(subject: Subject, fixture: Fixture) -> Iterator[str]:
    """Of a fixture that has names of its own: nothing that is kept or answered has them, `raw` neither."""
    for name in fixture.names:
        if name.encode() not in fixture.payload and name.encode("utf-16-le") not in fixture.payload:
            yield f"{fixture.name}: NAME.names.json has a name that is not in the payload"
    for item in subject.outcome(fixture).items:
        built = subject.bench.build(item).resource if isinstance(item, Reading) else None
        if any(name in f"{item!r}{built!r}" or name.encode() in item.raw for name in fixture.names):
            yield f"{fixture.name} {item.pointer}: a name of the payload came out"


def _leaks(subject: Subject, fixture: Fixture, outcome: Outcome) -> Iterator[str]:
    for item in outcome.items:
        place = f"{fixture.name} {item.pointer}"
        if _names(repr(_without_raw(item))):
            yield f"{place}: a name of the payload came out in the item ({_where(item)})"
        if ABOVE.encode() in item.raw:
            yield f"{place}: `raw` keeps a name that stood outside the record"
        if isinstance(item, Reading) and _names(repr(subject.bench.build(item).resource)):
            yield f"{place}: a name of the payload came out in the FHIR"


def _where(item: Item) -> str:
    if isinstance(item, Rejected):
        return "hint" if _names(item.hint) else "device or code"
    parts = ("device", "source_id", "time", "context", "quality", "value", "pointer")
    return ", ".join(part for part in parts if _names(repr(getattr(item, part)))) or "elsewhere"


def _without_raw(item: Item) -> Item:
    return replace(item, raw=b"")


def _names(text: str) -> bool:
    return "Quillfeather" in text


def silent(subject: Subject) -> Iterator[str]:
    """Nothing is printed or logged, of a payload that is read or of one that is not."""
    for fixture, made in [*((fixture, fixture.payload) for fixture in subject.fixtures), *_planted(subject)]:
        if subject.decode(made, fixture.context).said:
            yield f"{fixture.name}: the adapter prints or logs; it may only answer"


def refusal_blank(subject: Subject) -> Iterator[str]:
    """A traceback prints chained exceptions, and those of parsers hold the document."""
    for form in BROKEN:
        refusal = subject.decode(form.replace(b"%s", ABOVE.encode())).refusal
        if refusal is None:
            continue
        if _names(f"{refusal}{refusal.hint}{refusal.pointer}{refusal.code}"):
            yield "Unreadable repeats text of the payload; say what is wrong and where, never what stood there"
        if refusal.__context__ is not None and _names(_chain(refusal.__context__)):
            yield "Unreadable drags the parser's own exception along, and that holds the document; raise it outside the `except`"


def _chain(error: BaseException | None) -> str:
    said = ""
    while error is not None:
        said += f"{error!r}{vars(error)}"
        error = error.__context__
    return said


def _planted(subject: Subject) -> Iterator[tuple[Fixture, bytes]]:
    for fixture in subject.fixtures:
        for made in _ways(fixture, subject.outcome(fixture)):
            yield fixture, made


def _ways(fixture: Fixture, outcome: Outcome) -> Iterator[bytes]:
    payload = fixture.payload
    document = document_of(payload)
    if document is not None:
        yield dumped(_in_objects(document, _record_objects(fixture, outcome)))
    elif payload.lstrip().startswith(b"<"):
        yield _in_elements(payload)
    elif payload.lstrip().startswith(b"MSH|"):
        yield _PID.sub(rb"\g<1>" + BESIDE.encode() + b"^Ada", payload)
    else:
        yield from _in_lines(payload, outcome)


def _record_objects(fixture: Fixture, outcome: Outcome) -> frozenset[str]:
    """The records as JSON texts: a name in one of them stands beside, every other above."""
    taken = pieces(fixture.payload, outcome.items)
    return frozenset(dumped(record).decode() for record in taken.records) if taken is not None else frozenset()


def _in_objects(node: Any, records: frozenset[str], *, inside: bool = False) -> Any:
    inside = inside or not records or dumped(node).decode() in records
    if isinstance(node, list):
        return [_in_objects(child, records, inside=inside) for child in node]
    if not isinstance(node, dict):
        return node
    made = {key: _in_objects(value, records, inside=inside) for key, value in node.items()}
    free = [name for name in FIELDS if name not in made]
    return {**made, **dict.fromkeys(free, BESIDE if inside else ABOVE)}


def _in_elements(payload: bytes) -> bytes:
    return _TAG.sub(lambda tag: tag[0] + b' ownerName="' + BESIDE.encode() + b'"', payload)


def _in_lines(payload: bytes, outcome: Outcome) -> Iterator[bytes]:
    rows = sorted({int(item.pointer[4:]) for item in outcome.items if item.pointer.startswith("row ")})
    lines = payload.splitlines(keepends=True)
    if not rows:
        return
    first = lines[rows[0] - 1]
    if document_of(first) is not None:  # one JSON object a line
        yield b"\n".join(dumped(_in_objects(document_of(line), frozenset())) for line in lines if document_of(line) is not None)
        return
    delimiter = max((b",", b";", b"\t"), key=first.count)
    yield b"Report of" + delimiter + ABOVE.encode() + b"\n" + payload
    head = lines[: rows[0] - 1]
    if head:
        titled = head[-1].rstrip(b"\r\n") + delimiter + b"Patient name\n"
        body = [line.rstrip(b"\r\n") + delimiter + BESIDE.encode() + b"\n" for line in lines[rows[0] - 1 :]]
        yield b"".join([*head[:-1], titled, *body])
