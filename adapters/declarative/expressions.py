"""Expressions of a mapping: JSONPath (RFC 9535) or JMESPath, compiled once, within limits, and asked what they read.

`$.pulse` reads the record, `$device.serial` the step of `foreach` called device, `$document.header` the whole message; a text that does
not begin with $ is JMESPath on the record. Nothing in either language runs code, and no pattern is ever matched.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from adapters.declarative import jmes_path, json_path
from adapters.declarative.failure import Path as Place
from adapters.declarative.failure import Unusable
from adapters.declarative.json_path import MISSING
from adapters.declarative.paths import Location, Path

__all__ = ["DOCUMENT", "MISSING", "RECORD", "Expression", "compiled", "constant", "split_scope"]

EXPRESSION_CHARS_MAX: Final = 500
RECORD: Final = ""
DOCUMENT: Final = "document"


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Expression:
    """What an expression was compiled to.

    scope     whose node it is asked of: RECORD, DOCUMENT or the name of a step
    reads     the paths it can read from there
    value     node -> the value, or MISSING; None is the payload's own null. Raises ItemRefused
    location  where the one node lies that it means, if it can mean only one
    """

    scope: str
    reads: tuple[Path, ...]
    value: Callable[[Any], Any]
    location: Location | None


def compiled(text: str, at: Place, *, scope: str = RECORD, jmespath: bool = False) -> Expression:
    """Compile one expression. Raises Unusable."""
    if len(text) > EXPRESSION_CHARS_MAX:
        raise Unusable(at, f"An expression has at most {EXPRESSION_CHARS_MAX} characters.")
    if jmespath or not text.startswith("$"):
        searched = jmes_path.compiled(text, at)
        return Expression(scope=scope, reads=searched.reads, value=searched.value, location=None)
    named, query = split_scope(text)
    found = json_path.compiled(query, at)
    return Expression(scope=named, reads=found.reads, value=found.value, location=found.location)


def constant(text: str) -> Expression:
    """Return an expression that is the same for every record."""
    return Expression(scope=RECORD, reads=(), value=lambda _: text, location=None)


def split_scope(text: str) -> tuple[str, str]:
    """$device.serial -> ("device", "$.serial")."""
    end = next((index for index, char in enumerate(text[1:], start=1) if not (char.isalnum() or char in "_-")), len(text))
    return text[1:end], "$" + text[end:]
