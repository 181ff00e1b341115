"""`_include` and `_revinclude`: what comes along with the matches.

https://hl7.org/fhir/R4/search.html#include. Source, parameter and target type are parted by colons; `*` stands for
every reference. `:recurse` is what STU3 called `:iterate`.
"""

from hub.search.asked import Include
from hub.search.parameters import Parameter, ResourceType, resource_type
from hub.search.understood import BadName, UnknownName
from hub.search.value import BadValue

INCLUDE, REVINCLUDE = "_include", "_revinclude"
INCLUDES_MAX = 16
WILDCARD = "*"
_ITERATE = ("iterate", "recurse")
_PARTS_MAX = 3


def include(row: ResourceType, name: str, value: str) -> Include:
    """One pair whose name begins with `_include` or `_revinclude`. Raises NotTaken or BadValue."""
    code, colon, modifier = name.partition(":")
    if colon and modifier not in _ITERATE:
        raise BadName("has a modifier that is not supported; it takes :iterate")
    found = _read(row, code == REVINCLUDE, bool(colon), value)
    _check_direction(row, found)
    return found


def _read(row: ResourceType, reverse: bool, iterate: bool, value: str) -> Include:
    parts = value.split(":")
    if value == WILDCARD:
        if reverse:
            raise BadName("must name the type that refers to the matches, as in Provenance:target or Observation:*")
        return Include(source=row.name, parameter=None, target=None, iterate=iterate, reverse=reverse)
    if not 1 < len(parts) <= _PARTS_MAX or "" in parts:
        raise BadValue("must be TYPE:PARAMETER or TYPE:PARAMETER:TARGET, with * for every parameter")
    source, code, target = (*parts, None)[:3]
    referring = resource_type(str(source))
    if referring is None:
        raise UnknownName("names a type that the hub does not search")
    parameter = None if code == WILDCARD else _reference(referring, str(code))
    _check_target(parameter, target)
    return Include(
        source=referring.name, parameter=None if parameter is None else parameter.code, target=target, iterate=iterate, reverse=reverse
    )


def _reference(row: ResourceType, code: str) -> Parameter:
    parameter = row.parameters.get(code)
    if parameter is None or parameter.type != "reference":
        known = sorted(one.code for one in row.parameters.values() if one.type == "reference")
        raise UnknownName(f"asks for what {row.name} does not have: its references are {', '.join(known) or 'none'}")
    return parameter


def _check_target(parameter: Parameter | None, target: str | None) -> None:
    if target is not None and resource_type(target) is None:
        raise UnknownName("names a target type that the hub does not search")
    if target is not None and parameter is not None and parameter.targets and target not in parameter.targets:
        raise BadName(f"names a target type that {parameter.code} does not lead to: {', '.join(parameter.targets)}")


def _check_direction(row: ResourceType, found: Include) -> None:
    """Without :iterate only the matches count: what could never bring anything is a mistake, and is told."""
    if found.iterate:
        return
    if not found.reverse and found.source != row.name:
        raise BadName(f"begins at another type than {row.name}: write :iterate to follow what was included")
    if found.reverse and found.target not in (None, row.name):
        raise BadName(f"ends at another type than {row.name}: write :iterate to follow what was included")
    referring = resource_type(found.source)
    parameter = None if referring is None or found.parameter is None else referring.parameters[found.parameter]
    if found.reverse and parameter is not None and parameter.targets and row.name not in parameter.targets:
        raise BadName(f"asks for what cannot be: {found.parameter} of {found.source} refers to no {row.name}")
