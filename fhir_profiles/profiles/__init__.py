"""Does a resource follow the profiles that it claims, and those that R4 asks of it? Pure.

https://hl7.org/fhir/R4/profiling.html, https://hl7.org/fhir/R4/structuredefinition.html

    check(observation)                  what is wrong by the profiles that this hub knows
    findings(observation, [url], …)     everything that can be said about these profiles, advice included

The resource is one that R4 itself finds right (`fhir_profiles.r4`).
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from fhir_profiles.profiles.finding import Budget, Finding, ProfileError
from fhir_profiles.profiles.library import SHIPPED, Library, shipped
from fhir_profiles.profiles.run import Run
from fhir_profiles.profiles.vital_signs import vital_sign

__all__ = ["SHIPPED", "Budget", "Finding", "Library", "ProfileError", "asked", "check", "findings", "shipped"]


def check(resource: Mapping[str, Any]) -> tuple[Finding, ...]:
    """Errors by the profiles that the resource, or one inside it, claims or has to follow, as far as the hub knows them."""
    found: list[Finding] = []
    for top, inner in _resources(resource):
        found.extend(findings(inner, asked(inner), root=resource, top=top, advice=False))
    return tuple(found)


def asked(resource: Mapping[str, Any]) -> list[str]:
    """The profiles that a resource claims, then the one that R4 asks of a vital sign."""
    claimed: list[str] = list(resource.get("meta", {}).get("profile", ()))
    implied = vital_sign(resource)
    return claimed if implied is None or implied in claimed else [*claimed, implied]


def findings(
    resource: Mapping[str, Any],
    profiles: Iterable[str],
    *,
    root: Mapping[str, Any] | None = None,
    top: str | None = None,
    advice: bool = True,
    library: Library = SHIPPED,
    budget: Budget | None = None,
) -> list[Finding]:
    """What is found by each of these profiles.

    root, top  what the resource stands in, and where (the resource itself)
    advice     warnings too, also about profiles that nobody here knows
    budget     for profiles that are not the hub's own: beyond it, a profile cannot be followed
    """
    top = top or str(resource["resourceType"])
    found: list[Finding] = []
    for url in profiles:
        run = Run(root or resource, library.check, advice=advice, top=top, budget=budget)
        _follow(run, resource, url, library)
        found.extend(finding for finding in run.findings if finding not in found)
    return found


def _follow(run: Run, resource: Mapping[str, Any], url: str, library: Library) -> None:
    claimed: list[str] = resource.get("meta", {}).get("profile", [])
    below = f".meta.profile[{claimed.index(url)}]" if url in claimed else ""
    try:
        check = library.check(url)
        if check is not None:
            check(resource, (), run)
    except ProfileError as error:
        run.add("warning", "not-supported", (), f"this profile cannot be followed: {error}", below)
        return
    if check is None and run.advice:
        run.add("warning", "not-supported", (), "the profile is not known here, so nothing was checked against it", below)


def _resources(resource: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The resource, what it contains, and the entries of a Bundle."""
    top = str(resource["resourceType"])
    yield top, resource
    for index, contained in enumerate(resource.get("contained", ())):
        yield f"{top}.contained[{index}]", contained
    if top == "Bundle":
        for index, entry in enumerate(resource.get("entry", ())):
            if "resource" in entry:
                yield f"{top}.entry[{index}].resource", entry["resource"]
