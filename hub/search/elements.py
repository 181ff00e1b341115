"""Elements of an opened resource by path. Knows nothing of tokens."""

from collections.abc import Iterator
from typing import Any

from hub.search.parameters import Parameter, Path
from hub.search.value import Resource


def elements(node: Any, path: Path) -> list[Any]:
    """What the path leads to, lists walked; nulls (places of primitive extensions) left out."""
    found = _repetitions(node)
    for name in path:
        found = [inner for outer in found if isinstance(outer, dict) for inner in _repetitions(outer.get(name))]
    return found


def of_parameter(parameter: Parameter, resource: Resource) -> Iterator[Any]:
    for path in parameter.paths:
        value = resource.get(path[0])
        if value is not None:
            yield from elements(value, path[1:]) if len(path) > 1 else _repetitions(value)


def _repetitions(value: Any) -> list[Any]:
    if isinstance(value, list):
        return [item for item in value if item is not None]
    return [] if value is None else [value]
