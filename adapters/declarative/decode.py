"""A payload -> items, by the rules of a mapping. Each record that is found gives at least one item."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from adapters.contract import Unreadable
from adapters.declarative import kept
from adapters.declarative.compile import Compiled
from adapters.declarative.conditions import hold
from adapters.declarative.correlate import Groups
from adapters.declarative.expressions import DOCUMENT
from adapters.declarative.measured import measured, reading_of
from adapters.declarative.paths import crosses, pointer, pruned
from adapters.declarative.record import Frame, Record
from adapters.declarative.rules import Chain, RuleSpec
from adapters.declarative.source import Damaged, Document, Source
from adapters.limits import ITEMS_MAX, PAYLOAD_BYTES_MAX, RAW_BYTES_MAX
from adapters.reading import Item, Rejected
from adapters.refusal import ItemRefused

_NO_RECORDS = "It holds none of the records that the mapping reads; check that it is of this product and of this version."
KEPT_BYTES_MAX = 4 * PAYLOAD_BYTES_MAX
_NOTHING = b"{}"
"""Stands for what is refused for good and holds nothing that the mapping reads: whatever else is in it may be about a person."""


@dataclass(slots=True)
class _Payload:
    """What is known while one payload is read."""

    source: Source
    groups: Groups = field(default_factory=Groups)
    records: int = 0
    places: int = 0
    documents: int = 0
    kept: int = 0


def decode(mapping: Compiled, source: Source, payload: bytes) -> Iterable[Item]:
    """Read. Raises Unreadable before the first item, or never."""
    state = _Payload(source)
    items = _items(mapping, source.read(payload), state)
    first = next(items, None)
    if first is not None:
        return _from(first, items)
    if state.documents and not state.places:
        raise Unreadable("no-records", _NO_RECORDS)
    return ()


def _from(first: Item, rest: Iterator[Item]) -> Iterator[Item]:
    yield first
    yield from rest


def _items(mapping: Compiled, found: Iterable[Document | Damaged], state: _Payload) -> Iterator[Item]:
    for number, one in enumerate(found):
        state.documents += 1
        if isinstance(one, Damaged):
            yield Rejected(code=one.code, hint=one.hint, pointer=one.pointer, raw=one.excerpt[:RAW_BYTES_MAX], keep=False)
            continue
        before = state.records + state.places
        yield from _document(mapping, one, number, state)
        if state.records + state.places == before and one.pointer:
            yield Rejected(code="no-records", hint=_NO_RECORDS, pointer=one.pointer, raw=_NOTHING, keep=False)
        if state.records > ITEMS_MAX:
            return
    yield from state.groups.items(state.source)


def _document(mapping: Compiled, document: Document, number: int, state: _Payload) -> Iterator[Item]:
    whole = Frame(document.tree)
    if not _accepted(mapping, document, whole, number):
        return
    for chain in mapping.chains:
        state.places += any(step.has_place(document.tree) for step in chain.steps[:1])
        for record in _records(chain, document, whole, number):
            state.records += 1
            if state.records > ITEMS_MAX:
                hint = f"Send at most {ITEMS_MAX} records at once; this one and those after it were not read."
                yield Rejected(code="too-many-items", hint=hint, pointer=record.pointer, raw=_NOTHING, keep=False)
                return
            try:
                yield from _record(chain, record, state)
            except ItemRefused as unfit:  # nothing of it is kept
                yield unfit.item(pointer=record.pointer, raw=_NOTHING)


def _accepted(mapping: Compiled, document: Document, whole: Frame, number: int) -> bool:
    try:
        return not mapping.accept or hold(mapping.accept, Record(document.tree, {}, (whole,), (), document.pointer, number))
    except ItemRefused:
        return False


def _records(chain: Chain, document: Document, whole: Frame, number: int) -> Iterator[Record]:
    outer = Record(document.tree, {DOCUMENT: whole} if chain.steps else {}, (whole,), (), document.pointer, number)
    return _step(chain, document, 0, outer) if chain.steps else iter((outer,))


def _step(chain: Chain, document: Document, depth: int, outer: Record) -> Iterator[Record]:
    last = depth + 1 == len(chain.steps)
    for location, node in chain.steps[depth].nodes(outer.node):
        frame = Frame(node)
        frames = outer.frames if last else {**outer.frames, chain.names[depth]: frame}
        place = document.pointer or outer.pointer + pointer(location)
        inner = Record(node, frames, (*outer.chain, frame), (*outer.locations, location), place, outer.document)
        if last:
            yield inner
        else:
            yield from _step(chain, document, depth + 1, inner)


def _record(chain: Chain, record: Record, state: _Payload) -> Iterator[Item]:
    _check_fit(chain, record)
    raw = kept.raw(state.source, chain, (record,))
    state.kept += len(raw)
    if state.kept > KEPT_BYTES_MAX:
        raise ItemRefused("payload-too-large", "The payload's records are too long to be kept one by one; send it in parts.", keep=False)
    taken = False
    for rule in chain.rules:
        try:
            matches = hold(rule.match, record)
        except ItemRefused as unclear:
            yield unclear.item(pointer=record.pointer, raw=raw)
            taken = True
            continue
        if matches:
            taken = True
            yield from _rule(chain, rule, record, raw, state)
    if not taken:
        hint = "No rule of the mapping takes this record: its kind is not known to this version. It is kept."
        yield ItemRefused("unknown-record", hint).item(pointer=record.pointer, raw=raw)


def _check_fit(chain: Chain, record: Record) -> None:
    """Raise ItemRefused for what cannot be a record at all."""
    if type(record.node) is not dict:
        raise ItemRefused("not-an-object", "A record is an object with members, not a bare value.", keep=False)
    if not pruned(record.node, chain.masks[-1]):
        raise ItemRefused("nothing-to-read", "The record holds nothing that the mapping reads.", keep=False)
    if chain.guarded and any(crosses(path, record.locations[0]) for path in chain.guarded):
        hint = "An expression of the mapping asks the whole message about an array of which this record is an element."
        raise ItemRefused("expression-ambiguous", hint, keep=False)


def _rule(chain: Chain, rule: RuleSpec, record: Record, raw: bytes, state: _Payload) -> Iterator[Item]:
    device = None
    try:
        device = record.short(rule.device, "device-not-readable")
        drop = next((drop for drop in rule.drops if hold(drop.when, record)), None)
        unknown = _unknown_members(rule, record)
    except ItemRefused as refused:
        yield refused.item(pointer=record.pointer, raw=raw, device=device)
        return
    if drop is not None:
        yield ItemRefused(drop.code, drop.reason, keep=drop.keep).item(pointer=record.pointer, raw=raw, device=device)
        return
    if unknown:
        yield unknown.item(pointer=record.pointer, raw=raw, device=device)
    yield from _readings(chain, rule, record, raw, state, device=device, quiet=unknown is not None)


def _unknown_members(rule: RuleSpec, record: Record) -> ItemRefused | None:
    if rule.vocabulary is None:
        return None
    members = record.value(rule.vocabulary.of)
    unknown = sum(key not in rule.vocabulary.known for key in members) if type(members) is dict else 0
    if not unknown:
        return None
    return ItemRefused("unknown-field", f"{unknown} members of the record are neither read nor ignored by the mapping. The record is kept.")


def _readings(
    chain: Chain, rule: RuleSpec, record: Record, raw: bytes, state: _Payload, *, device: str | None, quiet: bool
) -> Iterator[Item]:
    """Give what the record measured; `quiet` if it has had an answer already."""
    for spec in rule.readings:
        try:
            found = measured(spec, record, device)
            if found is None:
                continue
            quiet = True
            if spec.correlate is None:
                yield reading_of(found, raw)
            else:
                state.groups.add(chain, spec.correlate, record, found)
        except ItemRefused as refused:
            quiet = True
            yield refused.item(pointer=record.pointer, raw=raw, device=device)
    if not quiet:
        hint = "The record's kind of measurement is not in the mapping, or it has no value. It is kept."
        yield ItemRefused("unknown-measure", hint).item(pointer=record.pointer, raw=raw, device=device)
