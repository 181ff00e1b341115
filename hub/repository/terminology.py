"""Value sets and code systems that a caller may go by: what comes with the hub, and what is stored as far as it may be seen.

https://hl7.org/fhir/R4/references.html#canonical: by url, of the version that is named, else of the latest. What comes with the
hub goes first; looking up what is stored takes a scope to search the type, and what was found is recorded as shown.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from fhir_profiles import shipped
from fhir_profiles.terminology import library
from fhir_profiles.terminology.code_systems import read
from fhir_profiles.terminology.gaps import untold
from fhir_profiles.terminology.terms import Needed, Terms, needed
from hub.errors import FhirError
from hub.recording import Recording
from hub.repository.rights import Rights
from hub.repository.searching import Match, Searching
from hub.repository.searching_include import latest
from hub.search.canonicals import Canonical, parted
from hub.search.follow import by_url

NEEDED_MAX = 1_000
"""Canonicals that one question may lead to."""
FOUND_MAX = 200
"""Stored resources that have the urls of one step, in all their versions."""

Resource = Mapping[str, Any]


class Terminology:
    """Looks up for one caller."""

    def __init__(self, rights: Rights, searching: Searching) -> None:
        self._rights = rights
        self._searching = searching

    async def value_set(self, canonical: str, recording: Recording) -> Resource | None:
        """None where nothing of this url is known to this caller."""
        known = library.value_set(canonical)
        if known is not None:
            return known
        one = Needed("ValueSet", canonical)
        return (await self._stored([one], recording)).get(one)

    async def terms(self, wanted: Iterable[Needed], recording: Recording) -> Terms:
        """Everything that is known of what is needed, and of what that needs again."""
        waiting, seen = frozenset(wanted), frozenset[Needed]()
        found: dict[Needed, Resource] = {}
        while waiting:
            seen |= waiting
            if len(seen) > NEEDED_MAX:
                raise FhirError("too-costly", f"More than {NEEDED_MAX} value sets and code systems would be asked; ask for less.")
            found |= await self._stored(waiting, recording)
            value_sets = [library.value_set(one.canonical) or found.get(one) for one in waiting if one.type == "ValueSet"]
            waiting = frozenset(inner for one in value_sets if one is not None for inner in needed(one)) - seen
        return Terms(
            value_sets={one.canonical: resource for one, resource in found.items() if one.type == "ValueSet"},
            code_systems={one.canonical: read(resource) for one, resource in found.items() if one.type == "CodeSystem"},
        )

    async def _stored(self, wanted: Iterable[Needed], recording: Recording) -> dict[Needed, Resource]:
        """Of what does not come with the hub: what is stored, once for all of a type."""
        asked: dict[str, dict[Needed, Canonical]] = {}
        for one in wanted:
            canonical = parted(one.canonical)
            if shipped.owner(canonical.url) is None and self._rights.covers(one.type, "s"):
                asked.setdefault(one.type, {})[one] = canonical
        found: dict[Needed, Resource] = {}
        for type, those in sorted(asked.items()):
            matches = await self._matches(type, those.values(), recording)
            for one, canonical in those.items():
                match = latest(canonical, matches)
                if match is not None:
                    recording.touch(match.touched)
                    found[one] = told(match.content)
        return found

    async def _matches(self, type: str, canonicals: Iterable[Canonical], recording: Recording) -> tuple[Match, ...]:
        matches = await self._searching.some(by_url(type, {one.url for one in canonicals}), FOUND_MAX, recording)
        if len(matches) == FOUND_MAX:
            raise FhirError("too-costly", f"{FOUND_MAX} resources or more have these canonical urls; name a version, or ask for less.")
        return matches


def told(resource: Resource) -> Resource:
    """A value set or code system by which can be answered. Raises FhirError for one that does not tell every code."""
    name = untold(resource)
    if name is not None:
        type = resource["resourceType"]
        raise FhirError("not-supported", f"The {type} has an extension where the value of {name} is needed.", expression=type)
    return resource
