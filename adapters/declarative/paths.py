"""Which parts of a record a mapping reads, and records reduced to them: what is not read is not kept.

A path is names from a node downwards; ANY stands for every element of an array or member of an object.
"""

from collections.abc import Iterable
from typing import Any, Final


class _Any:
    def __repr__(self) -> str:
        return "*"


ANY: Final = _Any()
Path = tuple[str | int | _Any, ...]
Location = tuple[str | int, ...]
"""Where a node lies below another one: names and indexes."""

Mask = dict[str | int | _Any, Any] | bool
"""What is kept of a node: True for all of it, False for nothing, else what is kept of each member."""


def mask_of(paths: Iterable[Path]) -> Mask:
    """Put paths together: the end of each one is kept whole."""
    whole: Mask = {}
    for path in paths:
        whole = _added(whole, path)
    return whole


def joined(one: Mask, other: Mask) -> Mask:
    """Return the mask that keeps what either of them keeps."""
    if isinstance(one, bool) or isinstance(other, bool):
        return True if one is True or other is True else other if one is False else one
    return {key: joined(one.get(key, False), other.get(key, False)) for key in [*one, *(key for key in other if key not in one)]}


def pruned(node: Any, mask: Mask) -> Any:
    """Return a node reduced to its mask. Arrays keep their length, so that an index means the same."""
    if mask is True:
        return node
    if mask is False:
        return None
    if type(node) is dict:
        kept = {key: _member(mask, key) for key in node}
        return {key: pruned(node[key], member) for key, member in kept.items() if member is not False}
    if type(node) is list:
        element = mask.get(ANY, False)
        return [] if element is False else [pruned(item, element) for item in node]
    return None


def crosses(path: Path, location: Location) -> bool:
    """Say whether a path leads through the array in which a record lies: reduced to one record that array would read otherwise."""
    for step, part in zip(path, location, strict=False):
        if isinstance(part, int):
            return True
        if step is not ANY and step != part:
            return False
    return any(isinstance(part, int) for part in location[: len(path)])


def pointer(location: Iterable[str | int]) -> str:
    """https://www.rfc-editor.org/rfc/rfc6901#section-3"""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in location)


def _added(mask: Mask, path: Path) -> Mask:
    if mask is True or not path:
        return True
    members = {} if isinstance(mask, bool) else dict(mask)
    members[path[0]] = _added(members.get(path[0], False), path[1:])
    return members


def _member(mask: dict[str | int | _Any, Any], key: str) -> Mask:
    named, any_ = mask.get(key, False), mask.get(ANY, False)
    return named if any_ is False else any_ if named is False else joined(named, any_)
