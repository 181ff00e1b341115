"""What the adapter does not know is said, not swallowed."""

import re
from collections.abc import Iterator
from typing import Any

from adapters.kit.pieces import Pieces, document_of, dumped, pieces
from adapters.kit.rule import Fixture, NotApplicable, Outcome, Subject, Unproven
from adapters.reading import Rejected

UNKNOWN = "zz-9-unknown"
NUMBER = 987_654_321
RECORDS_MAX = 20
MESSAGE = b"MSH|"
_ENDS = re.compile(rb"([\r\n]+)")


def nothing_dropped(subject: Subject) -> Iterator[str]:
    """One word after the other is exchanged for one that nobody knows: each record still gives an item, or the payload is refused."""
    tried = 0
    for fixture in subject.fixtures:
        taken = pieces(fixture.payload, subject.outcome(fixture).items)
        if taken is None:
            continue
        tried += 1
        yield from _of(subject, fixture, taken)
    if not tried and not any(map(_says_unknown, (subject.outcome(fixture) for fixture in subject.fixtures))):
        raise Unproven("no fixture has several records that the kit can take apart, or an unknown word that is answered as such")


def _says_unknown(outcome: Outcome) -> bool:
    """Of a format that the kit cannot take apart, a fixture that has a word nobody knows shows what comes of it."""
    return any(isinstance(item, Rejected) and item.code.startswith("unknown-") for item in outcome.items)


def _of(subject: Subject, fixture: Fixture, taken: Pieces) -> Iterator[str]:
    for number, record in enumerate(taken.records[:RECORDS_MAX], start=1):
        if not subject.decode(taken.join([record]), fixture.context).items:
            continue
        for name, changed in _variants(record):
            outcome = subject.decode(taken.join([changed]), fixture.context)
            if outcome.crash:
                yield f"{fixture.name} record {number}, {name}: {outcome.crash} came out"
            elif not outcome.items and outcome.refusal is None:
                yield f"{fixture.name} record {number}, {name}: with an unknown word there the record disappeared; give a Rejected"


def _variants(record: Any) -> Iterator[tuple[str, Any]]:
    line = document_of(record) if isinstance(record, bytes) else None
    if isinstance(line, dict):
        yield from ((name, dumped(made) + b"\n") for name, made in _variants(line))
        return
    if isinstance(record, bytes):
        yield from _fields(record) if record.startswith(MESSAGE) else _cells(record)
        return
    for path, leaf in _leaves(record):
        yield "/".join(map(str, path)), _put(record, path, NUMBER if isinstance(leaf, int) else UNKNOWN)


def _cells(record: bytes) -> Iterator[tuple[str, bytes]]:
    delimiter = max((b",", b";", b"\t", b"|"), key=record.count)
    cells = record.rstrip(b"\r\n").split(delimiter)
    if b'"' in record or len(cells) == 1:
        return
    for index, cell in enumerate(cells):
        if cell:
            yield f"cell {index + 1}", delimiter.join([*cells[:index], UNKNOWN.encode(), *cells[index + 1 :]]) + b"\n"


def _fields(message: bytes) -> Iterator[tuple[str, bytes]]:
    """Each field of each segment of HL7 v2, the segment's name among them; a line end belongs to no field."""
    parts = _ENDS.split(message)
    for at in range(0, len(parts), 2):
        fields = parts[at].split(b"|")
        for index, field in enumerate(fields):
            if field and (at or index):
                changed = b"|".join([*fields[:index], UNKNOWN.encode(), *fields[index + 1 :]])
                yield f"segment {at // 2 + 1}, field {index}", b"".join([*parts[:at], changed, *parts[at + 1 :]])


def _leaves(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else None
    if children is None:
        if path:
            yield path, node
        return
    for key, child in children:
        yield from _leaves(child, (*path, key))


def _put(node: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    made = dict(node) if isinstance(node, dict) else list(node)
    made[path[0]] = _put(node[path[0]], path[1:], value)
    return made


def unknown_members(subject: Subject) -> Iterator[str]:
    """A field that the vendor adds next year does no harm."""
    tried = 0
    for fixture in subject.fixtures:
        taken = pieces(fixture.payload, subject.outcome(fixture).items)
        added = None if taken is None else [_with_more(record) for record in taken.records]
        if taken is None or added is None or None in added:
            continue
        tried += 1
        whole = subject.decode(taken.join(taken.records), fixture.context)
        if len(subject.decode(taken.join(added), fixture.context).readings) != len(whole.readings):
            yield f"{fixture.name}: a field that is added to the records changes what is read"
    if not tried and not any(document_of(fixture.payload) for fixture in subject.fixtures):
        raise NotApplicable("records of this format have no named fields, or a head says where they are")
    if not tried:
        raise Unproven("no fixture is JSON with several records")


def _with_more(record: Any) -> Any:
    if isinstance(record, bytes):
        made = _with_more(document_of(record))
        return None if made is None else dumped(made) + b"\n"
    return {**record, "zzAddedNextYear": {"a": [1]}} if isinstance(record, dict) else None
