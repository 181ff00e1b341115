"""One record of a message, with everything around it that a mapping may ask: the steps it was reached by, and the message."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from adapters.declarative.expressions import MISSING, RECORD, Expression
from adapters.declarative.paths import Location
from adapters.limits import FIELD_CHARS_MAX
from adapters.refusal import ItemRefused


@dataclass(slots=True, eq=False)
class Frame:
    """A node that records have in common, with what was asked of it already, and what of it is kept with each of them."""

    node: Any
    answers: dict[int, Any] = field(default_factory=dict)
    kept: Any = None


@dataclass(slots=True, eq=False)
class Record:
    """`frames` from the document inwards, by the names of their steps; `locations` of each below the one before it."""

    node: Any
    frames: dict[str, Frame]
    chain: tuple[Frame, ...]
    locations: tuple[Location, ...]
    pointer: str
    document: int

    def value(self, expression: Expression) -> Any:
        """Return what the expression finds: a node, None for the payload's null, or MISSING. Raises ItemRefused."""
        if expression.scope == RECORD:
            return expression.value(self.node)
        frame = self.frames[expression.scope]
        key = id(expression)
        if key not in frame.answers:
            frame.answers[key] = _answer(expression, frame.node)
        answer = frame.answers[key]
        if isinstance(answer, ItemRefused):
            raise answer
        return answer

    def text(self, expression: Expression) -> str | None:
        """Return a scalar as text, None if there is none; an array or object is no scalar. Raises ItemRefused."""
        return scalar(self.value(expression))

    def short(self, expressions: Sequence[Expression], code: str) -> str | None:
        """Return the first text that is there. Raises ItemRefused with `code` if it is longer than what is kept."""
        for expression in expressions:
            text = (self.text(expression) or "").strip()
            if len(text) > FIELD_CHARS_MAX:
                raise ItemRefused(code, f"Identifiers and times have at most {FIELD_CHARS_MAX} characters.")
            if text:
                return text
        return None


def scalar(value: Any) -> str | None:
    """Return a payload's scalar as text: numbers with the digits they had; None for null, nothing, arrays and objects."""
    if type(value) is str:
        return value
    if value is None or value is MISSING:
        return None
    if type(value) is bool:
        return "true" if value else "false"
    return str(value) if isinstance(value, int | Decimal) else None


def _answer(expression: Expression, node: Any) -> Any:
    try:
        return expression.value(node)
    except ItemRefused as refused:
        return refused
