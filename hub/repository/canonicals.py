"""Stored resources by canonical URL: of the version that is named, else the latest of that URL.

https://hl7.org/fhir/R4/references.html#canonical. Looking up takes a scope to search the type; what was found is recorded as shown.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from hub.errors import FhirError
from hub.recording import Recording
from hub.repository.rights import Rights
from hub.repository.searching import Searching
from hub.repository.searching_include import latest
from hub.search.canonicals import parted
from hub.search.follow import by_url

FOUND_MAX = 200
"""Resources that have the urls of one question, in all their versions."""


class Canonicals:
    """Looks up for one caller."""

    def __init__(self, rights: Rights, searching: Searching) -> None:
        self._rights = rights
        self._searching = searching

    async def found(self, type: str, canonicals: Iterable[str], recording: Recording) -> Mapping[str, Mapping[str, Any]]:
        """By canonical; what this caller may not see is not there."""
        asked = {one: parted(one) for one in canonicals}
        if not asked or not self._rights.covers(type, "s"):
            return {}
        matches = await self._searching.some(by_url(type, {one.url for one in asked.values()}), FOUND_MAX, recording)
        if len(matches) == FOUND_MAX:
            raise FhirError("too-costly", f"{FOUND_MAX} resources or more have these canonical urls; name a version, or ask for less.")
        found: dict[str, Mapping[str, Any]] = {}
        for text, canonical in asked.items():
            match = latest(canonical, matches)
            if match is not None:
                recording.touch(match.touched)
                found[text] = match.content
        return found
