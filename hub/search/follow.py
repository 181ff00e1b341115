"""Which references an include follows. Pure; https://hl7.org/fhir/R4/search.html#include"""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from hub.search.asked import Criterion, Either, Include, Search
from hub.search.canonicals import Canonical, parted
from hub.search.elements import of_parameter
from hub.search.parameters import RESOURCE_TYPES, Parameter
from hub.search.references import LOCAL, literal
from hub.search.types.reference import CanonicalsValue, ReferenceValue
from hub.search.types.uri import UriValue
from hub.search.value import Resource, Value

HISTORY = "/_history/"
VERSION_DIGITS_MAX = 9
CANONICAL = frozenset(name for name, row in RESOURCE_TYPES.items() if {"url", "version"} <= row.parameters.keys())
"""Types that others refer to by canonical URL."""


class Referred(NamedTuple):
    """A resource of ours that is referred to; `version` only where the reference names one."""

    type: str
    id: str
    version: int | None = None

    @property
    def reference(self) -> str:
        return f"{self.type}/{self.id}"


def followed(include: Include, resource: Resource, base: str) -> Iterator[Referred]:
    """Where an `_include` leads from this resource, once for each reference. `base` ends with a slash."""
    if resource["resourceType"] != include.source:
        return
    for parameter in _parameters(include):
        for element in of_parameter(parameter, resource):
            found = referred(element, base)
            if found is not None and include.target in (None, found.type) and _leads_to(parameter, found.type):
                yield found


def referred(element: Any, base: str) -> Referred | None:
    """What of ours a Reference names; None for what lies inside, elsewhere or nowhere."""
    text = element.get("reference") if isinstance(element, dict) else None
    local = LOCAL.fullmatch(literal(text, base) or "") if isinstance(text, str) else None
    if local is None or local.group(1) not in RESOURCE_TYPES:
        return None
    version = str(text).partition(HISTORY)[2]
    named = version.isascii() and version.isdigit() and len(version) <= VERSION_DIGITS_MAX
    return Referred(local.group(1), local.group(2), int(version) if named else None)


def named(include: Include, resource: Resource) -> Iterator[tuple[str, Canonical]]:
    """Where an `_include` leads by canonical URL, with each type of which it may be."""
    if resource["resourceType"] != include.source:
        return
    for parameter in _parameters(include):
        for element in of_parameter(parameter, resource):
            if isinstance(element, str) and element and not element.startswith("#"):
                for type in canonical_types(parameter):
                    if include.target in (None, type):
                        yield type, parted(element)


def by_url(type: str, urls: Iterable[str]) -> Search:
    """The search for resources of a type by their canonical URLs."""
    values = tuple(UriValue(url, "is") for url in sorted(urls))
    return Search(type=type, criteria=(Criterion(parameter=RESOURCE_TYPES[type].parameters["url"], modifier=None, values=values),))


def canonical_types(parameter: Parameter) -> tuple[str, ...]:
    """Types to which a parameter leads by canonical URL; none if it does not."""
    if "Reference" in parameter.kinds:
        return ()
    return tuple(sorted(CANONICAL.intersection(parameter.targets) if parameter.targets else CANONICAL))


def referring(include: Include, to: Iterable[Resource]) -> Search | None:
    """The search that a `_revinclude` is: resources of its source that refer to one of these. None if none can."""
    wanted = [one for one in to if include.target in (None, one["resourceType"])]
    ways = []
    for parameter in _parameters(include):
        value = _by_canonical(parameter, wanted) if canonical_types(parameter) else _by_id(parameter, wanted)
        if value is not None:
            ways.append(Criterion(parameter=parameter, modifier=None, values=(value,)))
    if not ways:
        return None
    return Search(type=include.source, criteria=(ways[0] if len(ways) == 1 else Either(criteria=tuple(ways)),))


def _by_id(parameter: Parameter, wanted: Iterable[Resource]) -> Value | None:
    references = frozenset(f"{one['resourceType']}/{one['id']}" for one in wanted if _leads_to(parameter, one["resourceType"]))
    return ReferenceValue(references) if references else None


def _by_canonical(parameter: Parameter, wanted: Iterable[Resource]) -> Value | None:
    """By the URL alone, and with the version that each has."""
    types = canonical_types(parameter)
    urls = [one for one in wanted if one["resourceType"] in types and "url" in one]
    literals = {one["url"] for one in urls} | {f"{one['url']}|{one['version']}" for one in urls if "version" in one}
    return CanonicalsValue(frozenset(literals)) if literals else None


def _parameters(include: Include) -> list[Parameter]:
    rows = RESOURCE_TYPES[include.source].parameters
    if include.parameter is not None:
        return [rows[include.parameter]]
    return [parameter for parameter in rows.values() if parameter.type == "reference"]


def _leads_to(parameter: Parameter, type: str) -> bool:
    return not parameter.targets or type in parameter.targets
