"""Two versions of a resource, element by element. Pure; what changes with every version is left out, and so is whose it is."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from hub import numbers

VOLATILE: Final = frozenset({"versionId", "lastUpdated", "source"})
"""Of meta: they say when and by which mapping, not what."""
UNSAID: Final = frozenset({"id", "subject", "performer", "device", "derivedFrom", "securityContext"})
"""Whom and which resource it is about: of no interest to a mapping, and not for a report."""


class Change(NamedTuple):
    """An element that changes, as a path into the JSON; None where it is not there. Values as JSON text."""

    path: str
    old: str | None
    new: str | None


def settled(content: Mapping[str, Any]) -> dict[str, Any]:
    """A resource without what changes with every version."""
    meta = {name: value for name, value in content.get("meta", {}).items() if name not in VOLATILE}
    return {**content, "meta": meta}


def changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
    """In the order of the elements' names."""
    before, after = dict(_leaves("", settled(old))), dict(_leaves("", settled(new)))
    return [
        Change(path, before.get(path), after.get(path))
        for path in sorted({*before, *after})
        if before.get(path) != after.get(path) and path.partition(".")[0].partition("[")[0] not in UNSAID
    ]


def _leaves(path: str, value: Any) -> Iterator[tuple[str, str]]:
    match value:
        case dict() if value:
            for name, inner in value.items():
                yield from _leaves(f"{path}.{name}" if path else name, inner)
        case list() if value:
            for index, inner in enumerate(value):
                yield from _leaves(f"{path}[{index}]", inner)
        case dict() | list():
            return
        case _:
            yield path, numbers.dumps(value).decode()
