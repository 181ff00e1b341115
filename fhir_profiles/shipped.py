"""Every conformance resource that comes with the hub, as others are to read it: HL7's of R4 (4.0.1), and ours.

StructureDefinitions of all types of R4 and of our profiles, SearchParameters, CodeSystems and ValueSets. HL7's have the
ids under which HL7 publishes them. Ids and urls are nobody else's to use. https://hl7.org/fhir/R4/resource.html#canonical
"""

import gzip
from collections.abc import Iterator, Mapping
from functools import cache
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import Any, Final

import orjson

Resource = Mapping[str, Any]

FORM: Final = b"1"
"""Another one whenever the same data is written in another way."""
_ROOM: Final = files("fhir_profiles")
_PACKED: Final = _ROOM.joinpath("definitions", "published.json.gz")
_LISTS: Final = tuple(_ROOM.joinpath("terminology", name) for name in ("code_systems.json", "value_sets.json"))
_OURS: Final = _ROOM.joinpath("structure_definitions")


def resources() -> Iterator[Resource]:
    """Each one once, in an order that is always the same. They are read anew: 10 MB that nobody needs to keep."""
    yield from orjson.loads(gzip.decompress(_PACKED.read_bytes()))
    for path in _LISTS:
        yield from orjson.loads(path.read_bytes())
    for path in _ours():
        yield orjson.loads(path.read_bytes())


def digest() -> str:
    """Tells this set from that of another release."""
    told = sha256(FORM)
    for path in (_PACKED, *_LISTS, *_ours()):
        told.update(sha256(path.read_bytes()).digest())
    return told.hexdigest()


def is_reserved(type: str, id: str) -> bool:
    """Is this the id of a resource that comes with the hub?"""
    return id in _names().ids.get(type, frozenset())


def owner(url: str) -> str | None:
    """The type of the shipped resource that has this canonical url, with or without a version."""
    return _names().types.get(url.partition("|")[0])


def warm() -> None:
    """Read the ids and urls before the first request."""
    _names()


class _Names:
    """Ids by type, and types by url."""

    def __init__(self) -> None:
        ids: dict[str, set[str]] = {}
        by_url: dict[str, str] = {}
        for one in resources():
            ids.setdefault(one["resourceType"], set()).add(one["id"])
            by_url[one["url"]] = one["resourceType"]
        self.ids: Mapping[str, frozenset[str]] = MappingProxyType({type: frozenset(those) for type, those in ids.items()})
        self.types: Mapping[str, str] = MappingProxyType(by_url)


@cache
def _names() -> _Names:
    return _Names()


def _ours() -> list[Traversable]:
    return sorted((path for path in _OURS.iterdir() if path.name.endswith(".json")), key=lambda path: path.name)
