"""Records that are one reading together: a pressure of which each row says a part.

They are put together within one payload, never over several: what has not come yet cannot be waited for without a clock.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from adapters.declarative import kept
from adapters.declarative.measured import Measured, reading_of
from adapters.declarative.paths import pruned
from adapters.declarative.record import Record
from adapters.declarative.rules import Chain, CorrelationSpec
from adapters.declarative.source import Source, dumps
from adapters.declarative.values import Found
from adapters.reading import Item
from adapters.refusal import ItemRefused

Key = tuple[object, ...]


@dataclass(slots=True)
class _Group:
    chain: Chain
    spec: CorrelationSpec
    members: list[tuple[Record, Measured]] = field(default_factory=list)


@dataclass(slots=True)
class Groups:
    """What waits for its other parts until the payload ends, in the order in which groups began."""

    groups: dict[Key, _Group] = field(default_factory=dict)

    def add(self, chain: Chain, spec: CorrelationSpec, record: Record, part: Measured) -> None:
        """Take a part. Raises ItemRefused if what tells groups apart cannot be read."""
        by = tuple(record.short([source], "correlation-not-readable") for source in spec.by)
        key = (id(spec), part.device, part.time.text, part.source_id, by, _place(record))
        self.groups.setdefault(key, _Group(chain, spec)).members.append((record, part))

    def items(self, source: Source) -> Iterator[Item]:
        """Give one item for each group."""
        for group in self.groups.values():
            yield _item(group, source)


def _place(record: Record) -> Key:
    """Return the array in which a record lies; nothing where every record is a message of its own."""
    location = tuple(part for each in record.locations for part in each)
    indexes = [index for index, part in enumerate(location) if isinstance(part, int)]
    return (record.document, location[: indexes[-1]], location[indexes[-1] + 1 :]) if indexes else ()


def _item(group: _Group, source: Source) -> Item:
    records = [record for record, _ in group.members]
    first = group.members[0][1]
    raw = kept.raw(source, group.chain, records)
    try:
        return reading_of(_whole(group), raw)
    except ItemRefused as refused:
        return refused.item(pointer=first.pointer, raw=raw, device=first.device)


def _whole(group: _Group) -> Measured:
    """Put the parts together, whichever came first. Raises ItemRefused: incomplete-group, ambiguous-group."""
    parts = _ordered(group)
    components: dict[str, Found] = {}
    for part in parts:
        for key, found in part.components.items():
            if components.setdefault(key, found) != found:
                raise ItemRefused(
                    "ambiguous-group", "Several records of the group give the same component; nothing says which belong together."
                )
    if not set(group.spec.require) <= components.keys():
        raise ItemRefused("incomplete-group", "The records that make up this measurement are not all in the payload; send them together.")
    modified = [part.modified for part in parts if part.modified is not None]
    return replace(
        parts[0],
        components={key: components[key] for key in sorted(components)},
        flags=tuple(sorted({flag for part in parts for flag in part.flags})),
        manual=any(part.manual for part in parts),
        preliminary=any(part.preliminary for part in parts),
        modified=max(modified, default=None),
        pointer=group.members[0][1].pointer,
    )


def _ordered(group: _Group) -> list[Measured]:
    keyed = sorted(((dumps(pruned(record.node, group.chain.masks[-1])), index) for index, (record, _) in enumerate(group.members)))
    return [group.members[index][1] for _, index in keyed]
