"""Profiles that a caller may have a resource held against: what comes with the hub, and what is stored as far as it may be seen.

https://hl7.org/fhir/R4/profiling.html. Looked up by canonical url before anything is checked, with all that they rest on; what
comes with the hub goes first. Stored ones are for $validate alone: a write is held against the hub's own.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from fhir_profiles import shipped
from fhir_profiles.profiles import SHIPPED, Library
from fhir_profiles.profiles.tree import elements
from hub.errors import FhirError
from hub.recording import Recording
from hub.repository.canonicals import Canonicals
from hub.search.canonicals import without_version

DEFINITIONS_MAX = 50
ELEMENTS_MAX = 1_000
"""Of all stored definitions that one question leads to; the largest that comes with the hub has 40."""
TYPE = "StructureDefinition"


class Profiles:
    """Looks up for one caller."""

    def __init__(self, canonicals: Canonicals) -> None:
        self._canonicals = canonicals

    async def library(self, urls: Iterable[str], recording: Recording) -> Library:
        """Knows these profiles as far as the caller may see them, and those that they rest on. SHIPPED where none is stored."""
        waiting, seen = frozenset(urls), frozenset[str]()
        found: dict[str, Mapping[str, Any]] = {}
        while waiting:
            seen |= waiting
            stored = await self._canonicals.found(TYPE, [one for one in waiting if _may_be_stored(one)], recording)
            found |= {without_version(url): definition for url, definition in stored.items()}
            if len(found) > DEFINITIONS_MAX or sum(len(elements(one)) for one in found.values()) > ELEMENTS_MAX:
                raise FhirError(
                    "too-costly",
                    f"The profiles rest on more than {DEFINITIONS_MAX} stored ones, or have more than {ELEMENTS_MAX} elements.",
                )
            waiting = frozenset(inner for one in stored.values() for inner in _rests_on(one)) - seen
        return Library(lambda url: SHIPPED.definition(url) or found.get(url)) if found else SHIPPED


def _may_be_stored(url: str) -> bool:
    return shipped.owner(url) is None and SHIPPED.definition(without_version(url)) is None


def _rests_on(definition: Mapping[str, Any]) -> Iterator[str]:
    """What it is based on, and the profiles of its elements' types."""
    yield from (one for one in [definition.get("baseDefinition")] if one is not None)
    for element in elements(definition):
        for type in element.get("type", ()):
            yield from (one for one in (*type.get("profile", ()), *type.get("targetProfile", ())) if one is not None)
