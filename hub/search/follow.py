"""Which references an include follows. Pure; https://hl7.org/fhir/R4/search.html#include"""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from hub.search.asked import Criterion, Either, Include, Search
from hub.search.elements import of_parameter
from hub.search.parameters import RESOURCE_TYPES, Parameter
from hub.search.references import LOCAL, literal
from hub.search.types.reference import ReferenceValue
from hub.search.value import Resource

HISTORY = "/_history/"
VERSION_DIGITS_MAX = 9


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


def referring(include: Include, to: Iterable[Referred]) -> Search | None:
    """The search that a `_revinclude` is: resources of its source that refer to one of these. None if none can."""
    wanted = [one for one in to if include.target in (None, one.type)]
    ways = []
    for parameter in _parameters(include):
        references = frozenset(one.reference for one in wanted if _leads_to(parameter, one.type))
        if references:
            ways.append(Criterion(parameter=parameter, modifier=None, values=(ReferenceValue(references),)))
    if not ways:
        return None
    return Search(type=include.source, criteria=(ways[0] if len(ways) == 1 else Either(criteria=tuple(ways)),))


def _parameters(include: Include) -> list[Parameter]:
    rows = RESOURCE_TYPES[include.source].parameters
    if include.parameter is not None:
        return [rows[include.parameter]]
    return [parameter for parameter in rows.values() if parameter.type == "reference"]


def _leads_to(parameter: Parameter, type: str) -> bool:
    return not parameter.targets or type in parameter.targets
