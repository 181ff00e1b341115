"""The bytes that are kept of an item: its record, reduced to what the mapping reads, inside just enough of the message to be read again."""

from collections.abc import Sequence
from typing import Any, Final

from adapters.declarative.paths import Location, Mask, pruned
from adapters.declarative.record import Frame, Record
from adapters.declarative.rules import Chain
from adapters.declarative.source import Source, dumps
from adapters.refusal import ItemRefused

HOST_BYTES_MAX: Final = 16 * 1024
_TOO_LONG: Final = object()


def raw(source: Source, chain: Chain, records: Sequence[Record]) -> bytes:
    """Return the bytes of one record, or of several that make up one reading, the same in whichever order they came.

    Raises ItemRefused if what lies around them is too long.
    """
    nodes = {dumps(node): (record, node) for record in records for node in (pruned(record.node, chain.masks[-1]),)}
    ordered = [nodes[key] for key in sorted(nodes)]
    if len({record.document for record, _ in ordered}) == 1:
        return source.write([_tree(chain, ordered[0][0], [node for _, node in ordered])])
    return source.write([_tree(chain, record, [node]) for record, node in ordered])


def _tree(chain: Chain, record: Record, children: list[Any]) -> Any:
    """Put the children back where the record lay, from the innermost step out."""
    for depth in range(len(chain.steps) - 1, -1, -1):
        children = [_placed(_host(record.chain[depth], chain.masks[depth]), record.locations[depth], children)]
    return children[0]


def _host(frame: Frame, mask: Mask) -> Any:
    """Return what is kept of a node that records have in common. Raises ItemRefused: all of them would carry it."""
    if frame.kept is None:
        host = pruned(frame.node, mask)
        frame.kept = host if len(dumps(host)) <= HOST_BYTES_MAX else _TOO_LONG
    if frame.kept is _TOO_LONG:
        hint = f"What the mapping reads around the records has more than {HOST_BYTES_MAX} bytes, and would be kept with each of them."
        raise ItemRefused("surroundings-too-long", hint, keep=False)
    return frame.kept


def _placed(host: Any, location: Location, children: list[Any]) -> Any:
    """Return `host` with the children at a location: an array holds them and nothing else, an object its other members too."""
    if not location:
        return joined_trees(host, children[0])
    part, rest = location[0], location[1:]
    if isinstance(part, int):
        return [_placed(None, rest, children)] if rest else children
    members = dict(host) if type(host) is dict else {}
    inner = members.pop(part, None)
    members[part] = _placed(inner, rest, children)
    return members


def joined_trees(one: Any, other: Any) -> Any:
    """Return what two reductions of the same node keep: the message may be asked about what is a record, too."""
    if type(one) is dict and type(other) is dict:
        return {key: joined_trees(one.get(key), other.get(key)) for key in [*one, *(key for key in other if key not in one)]}
    if type(one) is list and type(other) is list and len(one) == len(other):
        return [joined_trees(*pair) for pair in zip(one, other, strict=True)]
    return one if other is None or other == [] else other
