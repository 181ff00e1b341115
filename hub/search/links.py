"""Links between the entries of a transaction: found, and written anew once it is known what they lead to. Pure.

https://hl7.org/fhir/R4/http.html#trules, https://hl7.org/fhir/R4/bundle.html#references. A link is a reference, an element of
type uri or url, or the address of a link or an image in a narrative. A canonical is none, as R4 says, nor is a text that happens
to look alike; an oid and a uuid, which R4 counts among them, could not hold what a link comes to and stay as they are.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from fhir_profiles.definitions import RESOURCE_TYPES, Definition, Named, definition
from fhir_profiles.primitives import ID_PATTERN
from hub.numbers import dumps

LINKS = frozenset({"uri", "url"})
REFERENCE = "reference"
DIV = "div"
BUNDLE = "Bundle"
URNS = ("urn:uuid:", "urn:oid:")
_URNS = tuple(urn.encode() for urn in URNS)
_CONDITIONAL = re.compile(r"[A-Z][A-Za-z]+\?.+", re.DOTALL)
_RELATIVE = re.compile(rf"([A-Z][A-Za-z]+/{ID_PATTERN})((?:/_history/{ID_PATTERN})?)")
_BASE = re.compile(rf"(https?://\S+/)[A-Z][A-Za-z]+/{ID_PATTERN}")
_ADDRESS = re.compile(r'((?:href|src)\s*=\s*")([^"]*)(")')

Replace = Callable[[str], str | None]
"""The text that takes the place of a link; None leaves it."""


Steps = tuple["Steps", str | int] | None
"""The same with indexes as numbers."""
Way = tuple["Way", str] | None
"""From a place back to the resource, a name or an index at a time: it becomes text only where a reference stands."""


def references_in(content: Any) -> list[tuple[str, str]]:
    """Every Reference.reference, with its place below the resource (`subject.reference`, `performer[1].reference`).

    A Bundle that is kept as it is has links of its own.
    """
    found: list[tuple[str, str]] = []
    _collect(content, None, found)
    return found


def _collect(content: Any, way: Way, found: list[tuple[str, str]]) -> None:
    if isinstance(content, dict):
        if content.get("resourceType") == BUNDLE:
            return
        for name, value in content.items():
            if isinstance(value, dict | list):
                _collect(value, (way, "." + name), found)
            elif name == "reference" and isinstance(value, str):
                found.append((_path((way, ".reference")), value))
    elif isinstance(content, list):
        for place, item in enumerate(content):
            if isinstance(item, dict | list):
                _collect(item, (way, f"[{place}]"), found)


def _path(way: Way) -> str:
    steps: list[str] = []
    while way is not None:
        way, step = way
        steps.append(step)
    return "".join(reversed(steps)).removeprefix(".")


def is_conditional(reference: str) -> bool:
    """Of the form `Type?criteria`?"""
    return _CONDITIONAL.fullmatch(reference) is not None


def may_lead_elsewhere(content: Any) -> bool:
    """Can a Reference in it be conditional, or lead to an entry of its Bundle? No, where its JSON has neither a question mark nor a urn.

    Written by orjson in an eighth of the time that looking through it takes; most resources have neither.
    """
    written = dumps(content)
    return b"?" in written or any(urn in written for urn in _URNS)


def is_urn(reference: str) -> bool:
    """Does it lead to an entry of the same Bundle, if anywhere?"""
    return reference.startswith(URNS)


def mentions(content: Any, full_urls: frozenset[str]) -> bool:
    """Does it refer to one of these?"""
    if isinstance(content, dict):
        return any(mentions(value, full_urls) for value in content.values())
    if isinstance(content, list):
        return any(mentions(item, full_urls) for item in content)
    return isinstance(content, str) and content in full_urls


def linked(content: Any, full_url: str | None, told: Mapping[str, str]) -> Any:
    """The same with every link of `told` (full URL, or conditional reference -> Type/id) replaced.

    full_url  of the entry: relative references in it are meant from there
    """
    found = _BASE.fullmatch(full_url or "")
    base = found[1] if found else None

    def replace(text: str) -> str | None:
        if text in told:
            return told[text]
        relative = _RELATIVE.fullmatch(text) if base is not None else None
        return told.get(f"{base}{relative[1]}") if relative else None

    return _replaced(content, None, content, replace)


def _replaced(value: Any, steps: Steps, resource: Any, replace: Replace) -> Any:
    if isinstance(value, dict):
        return {name: _replaced(inner, (steps, name), resource, replace) for name, inner in value.items()}
    if isinstance(value, list):
        return [_replaced(item, (steps, place), resource, replace) for place, item in enumerate(value)]
    if not isinstance(value, str):
        return value
    if steps is not None and steps[1] == DIV:
        return _ADDRESS.sub(lambda found: found[1] + (replace(found[2]) or found[2]) + found[3], value)
    link = replace(value)
    return value if link is None or not _is_link(resource, steps) else link


def _is_link(resource: Any, steps: Steps) -> bool:
    """By the type that R4 gives to the element: asked of the few texts that look like one."""
    names: list[str | int] = []
    while steps is not None:
        steps, name = steps
        names.append(name)
    inside: Definition | None = None
    named, value = None, resource
    for name in reversed(names):
        if isinstance(name, str):
            inside = definition(value["resourceType"]) if value.get("resourceType") in RESOURCE_TYPES else inside
            named = inside.named.get(name) if inside is not None else None
            inside = _structure(name, named)
        value = value[name]
    return named is not None and (named.type.code in LINKS or names[0] == REFERENCE)


def _structure(name: str, named: Named | None) -> Definition | None:
    """Of what stands under the name; `_birthDate` has the extensions of a primitive."""
    if name.startswith("_"):
        return definition("Element")
    if named is None or named.type.is_primitive:
        return None
    return definition(named.element.structure or named.type.code)
