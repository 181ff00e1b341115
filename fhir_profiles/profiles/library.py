"""Profiles by their url, compiled when first asked for: those that the hub ships, and any others that are handed in.

https://hl7.org/fhir/R4/structuredefinition.html
"""

from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Final

import orjson

from fhir_profiles.definitions import RESOURCE_TYPES
from fhir_profiles.profiles.compile import compiled
from fhir_profiles.profiles.finding import Path, ProfileError, understood
from fhir_profiles.profiles.run import Check, Run
from fhir_profiles.profiles.tree import Node, elements, grown
from fhir_profiles.profiles.vital_signs import PROFILES

CANONICAL: Final = "http://hl7.org/fhir/StructureDefinition/"
BASES_MAX: Final = 8
"""Profiles that are based on each other; also what stops a circle."""

Definition = Mapping[str, Any]


@cache
def shipped() -> Mapping[str, Definition]:
    """The StructureDefinitions that the hub ships, by url."""
    paths = (
        path for path in files("fhir_profiles").joinpath("structure_definitions").iterdir() if path.name.startswith("StructureDefinition-")
    )
    definitions: list[Definition] = [orjson.loads(path.read_bytes()) for path in paths]
    return MappingProxyType({definition["url"]: definition for definition in definitions})


@cache
def followed() -> Mapping[str, str]:
    """Url of a shipped profile by the url of the published one whose rules it follows (`identifier`)."""
    return MappingProxyType({one["value"]: url for url, definition in shipped().items() for one in definition.get("identifier", ())})


def found(url: str) -> Definition | None:
    """The shipped profile of this url, or the one that follows it."""
    return shipped().get(followed().get(url, url))


class Library:
    """Compiles what `find` finds by url, and keeps it.

    Profiles of types of R4 (`http://hl7.org/fhir/StructureDefinition/Patient`) are known to all.
    """

    def __init__(self, find: Callable[[str], Definition | None]) -> None:
        self._find = find
        self._checks: dict[str, Check] = {}

    def check(self, url: str) -> Check | None:
        """The check of a profile; None if it is unknown. Raises ProfileError if it cannot be followed."""
        url = url.partition("|")[0]
        if url not in self._checks:
            made = self._made(url)
            if made is None:
                return None
            self._checks[url] = made
        return self._checks[url]

    def warm(self) -> None:
        """Compile the profiles that R4 asks of vital signs before the first request; others when first claimed."""
        for url in PROFILES.values():
            self.check(url)

    def definition(self, url: str) -> Definition | None:
        return self._find(url)

    def type_of(self, url: str) -> str | None:
        plain = url.removeprefix(CANONICAL)
        if plain in RESOURCE_TYPES:
            return plain
        definition = self._find(url)
        return None if definition is None else str(definition["type"])

    def _made(self, url: str) -> Check | None:
        type = url.removeprefix(CANONICAL)
        if type in RESOURCE_TYPES:
            return _is_a(type)
        definition = self._find(url)
        if definition is None:
            return None
        with understood():
            return _counted(compiled(self._tree(definition, 0), self.type_of), len(elements(definition)))

    def _tree(self, definition: Definition, depth: int) -> Node:
        if definition.get("derivation") != "constraint" or depth > BASES_MAX:
            raise ProfileError("only a profile that constrains a type of R4 is followed")
        base = definition["baseDefinition"].partition("|")[0]
        found = self._find(base)
        if found is not None:
            return grown(definition, self._tree(found, depth + 1))
        if base != f"{CANONICAL}{definition['type']}":
            raise ProfileError("the profile is based on another one that is not known here")
        return grown(definition, None)


def _counted(check: Check, size: int) -> Check:
    """Each time that somebody else's profile is followed, its elements count."""

    def counted(value: Any, path: Path, run: Run) -> None:
        if run.budget is not None:
            run.budget.spend(size)
        check(value, path, run)

    return counted


def _is_a(type: str) -> Check:
    def check(value: Any, path: Path, run: Run) -> None:
        if value.get("resourceType") != type:
            run.add("error", "structure", path, f"this has to be a {type}")

    return check


SHIPPED: Final = Library(found)
