"""What a mistake of form in a mapping means for whoever wrote it: what was expected there, and what was perhaps meant."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any, Final

from pydantic import BaseModel

from adapters.declarative import model
from adapters.declarative.failure import Path

SHARED: Final = frozenset(model.Shared.model_fields) | {field.alias for field in model.Shared.model_fields.values() if field.alias}
"""Keys that a reading has of its rule or of `defaults` where it has none of its own."""
FORMS: Final[Mapping[str, str]] = {
    "name": "write it in lower case letters, digits and hyphens, beginning with a letter",
    "version": "write three numbers, such as 1.0.0",
    "identifier_system": "write an absolute URI, such as https://vendor.example/serial-number or urn:…",
    "scale": "write a number, such as 0.1",
    "add": "write a number, such as 0.1",
    "factor": "write a number, such as 0.1",
    "origin": "write a number, such as 0.1",
}
"""Key -> what is written there, for those that have a form."""
EXPECTED: Final[Mapping[str, str]] = {
    "extra_forbidden": "this key is not known here",
    "missing": "this key is needed",
    "union_tag_invalid": "`format` is json, ndjson, csv or xml",
    "union_tag_not_found": "`format` is json, ndjson, csv or xml",
    "dict_type": "write keys with values here, such as {$.type: pulse}",
    "model_type": "write keys with values here",
    "model_attributes_type": "write keys with values here",
    "list_type": "write a list here: [one, other]",
    "string_type": "write a text here, in quotes if it begins with [, {, %, *, & or @",
    "bool_type": "write true or false",
    "too_short": "something has to stand here",
    "string_too_short": "something has to stand here",
}
"""Kind of pydantic's error -> what was expected."""
NEAR_MAX: Final = 5


def of(error: Mapping[str, Any]) -> str:
    """Say what is wrong, from an error of pydantic: https://docs.pydantic.dev/latest/errors/validation_errors/"""
    kind, key = error["type"], str(error["loc"][-1]) if error["loc"] else ""
    if kind == "extra_forbidden":
        return EXPECTED[kind] + perhaps(key, _keys())
    if kind == "string_pattern_mismatch" and key in FORMS:
        return FORMS[key]
    if kind == "literal_error":
        return f"write {error['ctx']['expected']}"
    return EXPECTED.get(kind) or str(error["msg"])


def perhaps(word: str, known: Iterable[str]) -> str:
    """Return "; perhaps …" with the nearest of the known words, or nothing."""
    near = get_close_matches(word.lower(), list(known), n=NEAR_MAX)
    return f"; perhaps {' or '.join(near)}" if near else ""


def _keys() -> set[str]:
    """Every key of the language."""
    classes = [one for one in vars(model).values() if isinstance(one, type) and issubclass(one, BaseModel)]
    return {field.alias or name for one in classes for name, field in one.model_fields.items()}


def written_place(path: Path, document: Any) -> Path:
    """Where what is wrong was written: a reading has its time and the like from its rule or from `defaults`."""
    shared = next((at for at, part in enumerate(path) if part in SHARED), None)
    if shared is None or _depth(path, document) > shared:
        return path
    tail = path[shared:]
    above = [*([(*path[:2], *tail)] if path[:1] == ("rules",) else []), ("defaults", *tail)]
    return next((place for place in above if _depth(place, document) > len(place) - len(tail)), path)


def _depth(path: Path, document: Any) -> int:
    """How many parts of the path are there."""
    node = document
    for depth, part in enumerate(path):
        there = part in node if isinstance(node, dict) else isinstance(node, list) and isinstance(part, int) and part < len(node)
        if not there:
            return depth
        node = node[part]
    return len(path)
