"""Elements of an opened resource by path. Knows nothing of tokens."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from hub.search.row import Only, Parameter, Path
from hub.search.value import Resource

NAME_PARTS = ("text", "family", "given", "prefix", "suffix")
ADDRESS_PARTS = ("text", "line", "city", "district", "state", "postalCode", "country")
PARTS: Mapping[str, tuple[str, ...]] = {"HumanName": NAME_PARTS, "Address": ADDRESS_PARTS}


def elements(node: Any, path: Path, only: Only | None = None) -> list[Any]:
    """What the path leads to, lists walked; nulls (places of primitive extensions) left out."""
    found = _repetitions(node)
    for place, name in enumerate(path):
        found = [inner for outer in found if isinstance(outer, dict) for inner in _repetitions(outer.get(name))]
        if only is not None and only[0] == place:
            found = [inner for inner in found if isinstance(inner, dict) and inner.get(only[1]) == only[2]]
    return found


def reader(parameter: Parameter) -> Callable[[Resource], list[Any]]:
    """`of_parameter` for many resources."""
    if any(len(path) != 1 for path in parameter.paths) or any(parameter.only):
        return lambda resource: [element for _, element in typed(parameter, resource)]
    names = tuple(path[0] for path in parameter.paths)

    def read(resource: Resource) -> list[Any]:
        found: list[Any] = []
        for name in names:
            if name in resource:
                found += _repetitions(resource[name])
        return found

    return read


def of_parameter(parameter: Parameter, resource: Resource) -> Iterator[Any]:
    for _, element in typed(parameter, resource):
        yield element


def typed(parameter: Parameter, resource: Resource) -> list[tuple[str, Any]]:
    """Each element with the FHIR type of its path."""
    found: list[tuple[str, Any]] = []
    for place, path in enumerate(parameter.paths):
        if path and path[0] not in resource:
            continue
        kind, only = parameter.kinds[place], parameter.only[place] if parameter.only else None
        if len(path) == 1 and only is None:
            found += [(kind, element) for element in _repetitions(resource[path[0]])]
        else:
            found += [(kind, element) for element in elements(resource, path, only)]
    return found


def texts(kind: str, element: Any) -> Iterator[str]:
    """The strings in an element that a string search looks at. https://hl7.org/fhir/R4/search.html#string"""
    if isinstance(element, str):
        yield element
        return
    for part in PARTS.get(kind, ()):
        yield from (text for text in _repetitions(element.get(part)) if isinstance(text, str))


def _repetitions(value: Any) -> list[Any]:
    if isinstance(value, list):
        return [item for item in value if item is not None]
    return [] if value is None else [value]
