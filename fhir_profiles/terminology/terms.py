"""Where a question about terminology looks: what the hub ships, then what is handed in with the question.

https://hl7.org/fhir/R4/references.html#canonical. What is shipped goes first: nobody can put another thing in its place.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from fhir_profiles.terminology import library
from fhir_profiles.terminology.code_systems import CodeSystem

Resource = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Handed in: each under the canonical, with its version if there is one, by which it is referred to."""

    value_sets: Mapping[str, Resource] = field(default_factory=dict)
    code_systems: Mapping[str, CodeSystem] = field(default_factory=dict)

    def value_set(self, canonical: str) -> Resource | None:
        return library.value_set(canonical) or self.value_sets.get(canonical)

    def code_system(self, canonical: str) -> CodeSystem | None:
        return library.code_system(canonical) or self.code_systems.get(canonical)


SHIPPED: Final = Terms()


class Needed(NamedTuple):
    """A canonical that a value set refers to, and whether it is that of a value set or of a code system."""

    type: str
    canonical: str


def needed(value_set: Resource) -> Iterator[Needed]:
    """What has to be known to answer for a value set, as far as it says so itself."""
    compose = value_set.get("compose", {})
    for part in (*compose.get("include", ()), *compose.get("exclude", ())):
        yield from (Needed("ValueSet", canonical) for canonical in part.get("valueSet", ()))
        if "system" in part:
            yield Needed("CodeSystem", canonical_of(part))


def canonical_of(part: Resource) -> str:
    """The code system of an include or exclude."""
    return f"{part['system']}|{part['version']}" if "version" in part else str(part["system"])
