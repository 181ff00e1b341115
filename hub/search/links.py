"""Links between the entries of a transaction: found, and written anew once it is known what they lead to. Pure.

https://hl7.org/fhir/R4/http.html#trules, https://hl7.org/fhir/R4/bundle.html#references. A link is a reference, an element of
type uri, url, oid or uuid, or the address of a link or an image in a narrative; a text that happens to look alike is none.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from hub.search.references import ID_PATTERN

TEXTS = frozenset({"value", "valueString", "valueMarkdown", "valueCode", "valueBase64Binary", "display", "text", "data"})
"""Elements whose text is never a link: the value of an identifier may be a urn:uuid of its own."""
DIV = "div"
BUNDLE = "Bundle"
URNS = ("urn:uuid:", "urn:oid:")
_CONDITIONAL = re.compile(r"[A-Z][A-Za-z]+\?.+", re.DOTALL)
_RELATIVE = re.compile(rf"([A-Z][A-Za-z]+/{ID_PATTERN})((?:/_history/{ID_PATTERN})?)")
_BASE = re.compile(rf"(https?://\S+/)[A-Z][A-Za-z]+/{ID_PATTERN}")
_ADDRESS = re.compile(r'((?:href|src)\s*=\s*")([^"]*)(")')

Replace = Callable[[str], str | None]
"""The text that takes the place of a link; None leaves it."""


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

    return _replaced(content, None, replace)


def _replaced(value: Any, name: str | None, replace: Replace) -> Any:
    if isinstance(value, dict):
        return {key: _replaced(inner, key, replace) for key, inner in value.items()}
    if isinstance(value, list):
        return [_replaced(item, name, replace) for item in value]
    if not isinstance(value, str) or name in TEXTS:
        return value
    if name == DIV:
        return _ADDRESS.sub(lambda found: found[1] + (replace(found[2]) or found[2]) + found[3], value)
    return replace(value) or value
