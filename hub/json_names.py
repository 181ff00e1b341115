"""Names that a JSON object has twice. Parsers keep one of the values and say nothing; which one, nobody can know.

https://hl7.org/fhir/R4/json.html: property names shall be unique; a repeating element is an array.
"""

import json
import re
from typing import Any

from hub.numbers import dumps

_NAME_END = re.compile(rb'"[ \t\r\n]*:')
"""Where a name ends; inside a string it may look like it."""
_ESCAPED_QUOTE = rb"\u0022"
"""A quote that would be written otherwise: then nothing can be counted, and the slower way is taken."""


class _Twice(dict[str, Any]):
    """An object with a name more than once."""

    name: str = ""


def repeated_name(body: bytes, value: Any) -> str | None:
    """The path of the first name that an object of `body` has twice, from the resource on; None if there is none.

    value  what `body` was parsed to. Written again it has as many ends of names, in strings too, unless some were lost
    """
    if _ESCAPED_QUOTE not in body and len(_NAME_END.findall(body)) == dumps(value).count(b'":'):
        return None
    return _path(json.loads(body, object_pairs_hook=_noted))


def _noted(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) == len(pairs):
        return made
    names = [name for name, _ in pairs]
    twice = _Twice(pairs)
    twice.name = next(name for name in names if names.count(name) > 1)
    return twice


def _path(value: Any) -> str | None:
    left = [(str(value.get("resourceType", "")) if isinstance(value, dict) else "", value)]
    while left:
        path, one = left.pop()
        if isinstance(one, _Twice):
            return f"{path}.{one.name}".lstrip(".")
        if isinstance(one, dict):
            left += [(f"{path}.{name}", inner) for name, inner in one.items()]
        elif isinstance(one, list):
            left += [(f"{path}[{place}]", inner) for place, inner in enumerate(one)]
    return None
