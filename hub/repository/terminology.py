"""Value sets and code systems that a caller may go by: what comes with the hub, and what is stored as far as it may be seen.

https://hl7.org/fhir/R4/terminology-module.html. What comes with the hub goes first (`hub.repository.canonicals` for the rest).
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
from hub.repository.canonicals import Canonicals

NEEDED_MAX = 1_000
"""Canonicals that one question may lead to."""

Resource = Mapping[str, Any]


class Terminology:
    """Looks up for one caller."""

    def __init__(self, canonicals: Canonicals) -> None:
        self._canonicals = canonicals

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
        asked: dict[str, list[str]] = {}
        for one in sorted(wanted):
            if shipped.owner(one.canonical) is None:
                asked.setdefault(one.type, []).append(one.canonical)
        found: dict[Needed, Resource] = {}
        for type, those in asked.items():
            resources = await self._canonicals.found(type, those, recording)
            found |= {Needed(type, canonical): told(resource) for canonical, resource in resources.items()}
        return found


def told(resource: Resource) -> Resource:
    """A value set or code system by which can be answered. Raises FhirError for one that does not tell every code."""
    name = untold(resource)
    if name is not None:
        type = resource["resourceType"]
        raise FhirError("not-supported", f"The {type} has an extension where the value of {name} is needed.", expression=type)
    return resource
