"""The shipped profiles for people: which there are, and what each demands beyond its base.

`python -m fhir_profiles.profiles.overview` prints the generated part of docs/profiles.md; a test keeps it current.
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from fhir_profiles.profiles.library import CANONICAL, shipped
from fhir_profiles.profiles.rules import STRENGTHS
from fhir_profiles.profiles.tree import VALUES
from fhir_profiles.profiles.values import said

Json = Mapping[str, Any]
FAMILIES: Final[tuple[tuple[str, Callable[[Json], bool]], ...]] = (
    ("FHIR vital signs", lambda one: one["type"] == "Observation" and one["url"].startswith(CANONICAL)),
    ("HL7 Personal Health Device", lambda one: one["id"].startswith(("phd-", "phg-"))),
    ("French measures (ANS, Mesures de santé)", lambda one: one["id"].startswith("ans-")),
    ("German device data (gematik, HDDT)", lambda one: one["id"].startswith("hddt-")),
    ("Extensions", lambda one: one["type"] == "Extension"),
)
"""Each profile is in the first that takes it."""


def overview() -> str:
    """Markdown: a table of all, then what each of them says, element by element."""
    parts = []
    for title, takes in FAMILIES:
        family = sorted((one for one in shipped().values() if takes(one)), key=lambda one: str(one["id"]))
        rows = "".join(f"| {' | '.join(_row(one))} |\n" for one in family)
        told = "".join(f"- **{one['id']}**: {'; '.join(demands(one)) or 'what its base demands'}.\n" for one in family)
        parts.append(f"### {title}\n\n| profile | claim | type, based on | what it is |\n|---|---|---|---|\n{rows}\n{told}")
    return "\n".join(parts)


def demands(profile: Json) -> Iterator[str]:
    """What the differential says that can be broken: one text an element."""
    for element in profile["differential"]["element"]:
        found = list(_demanded(element))
        if found:
            place = element["id"].partition(".")[2] or profile["type"]
            yield f"`{place}` {', '.join(found)}"


def _row(profile: Json) -> Iterator[str]:
    yield f"`{profile['id']}`"
    yield " or ".join(f"`{url}`" for url in (profile["url"], *(one["value"] for one in profile.get("identifier", ()))))
    yield f"{profile['type']}, `{profile['baseDefinition'].rpartition('/')[2]}`"
    yield str(profile["title"])


def _demanded(element: Json) -> Iterator[str]:
    if "." in element["id"]:
        yield from _often(element.get("min", 0), element.get("max", "*"))
    if "slicing" in element:
        yield _sliced(element["slicing"])
    types = element.get("type", ())
    if types and (element["id"].endswith("[x]") or any(len(one) > 1 for one in types)):
        yield f"is a {' or '.join(map(_type, types))}"
    for name, value in element.items():
        kind = next((one for one in VALUES if name.startswith(one)), None)
        if kind is not None:
            yield f"{WORDS[kind]} {_code(said(value))}"
    binding = element.get("binding", {})
    if binding.get("strength") in STRENGTHS and "valueSet" in binding:
        yield f"{BOUND[binding['strength']]} {_code(binding['valueSet'])}"
    yield from map(_sentence, element.get("constraint", ()))


WORDS: Final = {"fixed": "is", "pattern": "has", "minValue": "at least", "maxValue": "at most"}
BOUND: Final = {"required": "of", "extensible": "where one fits, of"}


def _often(minimum: int, maximum: str) -> Iterator[str]:
    if maximum == "0":
        yield "not allowed"
    elif minimum:
        yield "needed" if (minimum, maximum) == (1, "*") else f"at least {minimum}" if maximum == "*" else f"{minimum}..{maximum}"
    elif maximum != "*":
        yield f"at most {maximum}"


def _sliced(slicing: Json) -> str:
    by = ", ".join(f"{one['type']} of {_code(one['path'])}" for one in slicing.get("discriminator", ()))
    return f"in slices{f' by {by}' if by else ''}{', and no others' if slicing.get('rules') == 'closed' else ''}"


def _type(type: Json) -> str:
    leads = [target.rpartition("/")[2] for target in (*type.get("targetProfile", ()), *type.get("profile", ()))]
    return f"{type['code']}{' to ' + ' or '.join(leads) if leads else ''}"


def _sentence(constraint: Json) -> str:
    advice = "" if constraint["severity"] == "error" else " (advice)"
    return f"{constraint['key']}{advice}: {str(constraint['human']).removesuffix('.')}"


def _code(text: str) -> str:
    return "`" + text.replace("|", "\\|") + "`"


if __name__ == "__main__":
    sys.stdout.write(overview())
