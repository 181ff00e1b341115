"""HL7's search parameters of R4 (4.0.1) as rows: `generate.py` makes `rows.json`, this reads it.

https://hl7.org/fhir/R4/searchparameter-registry.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Final

import orjson

from hub.search.row import Only, Path, SearchType


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a parameter looks. `kind`: the FHIR type of what stands there; `only`: a condition on a part of the path."""

    path: Path
    kind: str
    only: Only | None = None
    absolute: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One component of a composite: the code of the parameter that it is like, and its places inside what repeats."""

    code: str
    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Defined:
    """A parameter as HL7 defines it, its expression resolved to places."""

    type: SearchType
    places: tuple[Place, ...]
    targets: tuple[str, ...] = ()
    systems: tuple[str, ...] = ()
    roots: tuple[Path, ...] = ()
    parts: tuple[Part, ...] = ()


def _path(dotted: str) -> Path:
    return tuple(name for name in dotted.split(".") if name)


def _place(row: list[str]) -> Place:
    dotted, kind = row
    only = None
    names = []
    for place, name in enumerate(_path(dotted.removeprefix("/"))):
        bare, bracket, condition = name.partition("[")
        if bracket:
            element, _, value = condition.removesuffix("]").partition("=")
            only = (place, element, value)
        names.append(bare)
    return Place(path=tuple(names), kind=kind, only=only, absolute=dotted.startswith("/"))


def _defined(row: Mapping[str, Any]) -> Defined:
    return Defined(
        type=row["type"],
        places=tuple(map(_place, row.get("paths", ()))),
        targets=tuple(row.get("targets", ())),
        systems=tuple(row.get("systems", ())),
        roots=tuple(map(_path, row.get("roots", ()))),
        parts=tuple(Part(code=part["code"], places=tuple(map(_place, part["paths"]))) for part in row.get("components", ())),
    )


_ROWS: Final[Mapping[str, Any]] = orjson.loads(files("hub.search.definitions").joinpath("rows.json").read_bytes())

DEFINED: Final[Mapping[str, Mapping[str, Defined]]] = {
    type: {code: _defined(row) for code, row in rows.items()} for type, rows in _ROWS["types"].items()
}
CATEGORISED: Final = frozenset(_ROWS["categories"])
"""Types whose `category` is a concept."""
COMPARTMENTS: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    compartment: {type: tuple(codes) for type, codes in types.items()} for compartment, types in _ROWS["compartments"].items()
}
"""Compartment -> type -> codes of the parameters by which a resource of the type lies in it.

https://hl7.org/fhir/R4/compartmentdefinition.html
"""
