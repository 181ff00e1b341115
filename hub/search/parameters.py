"""The search parameters the hub knows: a resource type is a row, a parameter is a row of it.

https://hl7.org/fhir/R4/searchparameter-registry.html. Parsing, indexing, compiling, re-checking and the
CapabilityStatement all read these rows; nothing else names a parameter. They come from HL7's own definitions
(`hub.search.definitions`); `hub.search.curated` says what tokens answer them.
"""

from collections.abc import Mapping
from dataclasses import replace

from hub.search.compartment_table import COMPARTMENT_ELEMENT, MAY_NAME_NOBODY, MUST_NAME_SOMEBODY
from hub.search.curated import IN_THE_LOG, REFUSED, common
from hub.search.definitions import CATEGORISED, DEFINED, Defined
from hub.search.derive import derive
from hub.search.row import Component, Element, Only, Parameter, Path, ResourceType, SearchType, Where

__all__ = [
    "COMMON",
    "RESOURCE_TYPES",
    "Component",
    "Element",
    "Only",
    "Parameter",
    "Path",
    "ResourceType",
    "SearchType",
    "Where",
    "resource_type",
]

COMMON = common()


def resource_type(name: str) -> ResourceType | None:
    return RESOURCE_TYPES.get(name)


def _common(type: str) -> tuple[Parameter, ...]:
    """The log writes no tokens of what is in `meta`."""
    if type not in IN_THE_LOG:
        return COMMON
    return tuple(row if row.where != "k" else replace(row, where="opened", spaces=(), writes=None, exact=False) for row in COMMON)


def _type(name: str, defined: Mapping[str, Defined]) -> ResourceType:
    compartment = COMPARTMENT_ELEMENT.get(name)
    path = None if compartment is None else tuple(compartment.split("."))
    refused = REFUSED.get(name, {})
    rows = derive(name, {code: one for code, one in defined.items() if code not in refused}, path)
    told = [row.code for row in rows.values() if row.where == "p" and row.paths == (path,) and row.writes is not None]
    return ResourceType(
        name=name,
        compartment=path,
        compartment_space=told[0] if told else None,
        without_patient=name in MAY_NAME_NOBODY or (path is None and name not in MUST_NAME_SOMEBODY),
        category=name in CATEGORISED,
        parameters={row.code: row for row in _common(name)} | rows,
        refused=refused,
    )


RESOURCE_TYPES: Mapping[str, ResourceType] = {name: _type(name, defined) for name, defined in DEFINED.items()}
