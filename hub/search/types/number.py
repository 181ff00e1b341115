"""Search type number. https://hl7.org/fhir/R4/search.html#number, `hub.search.intervals`"""

from dataclasses import dataclass
from typing import Any

from hub.search.elements import typed
from hub.search.grammar import unescape
from hub.search.intervals import COMPARE, Interval, Searched, decimal, searched, split_prefix
from hub.search.row import Parameter
from hub.search.value import UNDECIDED, Narrowing, Opened, Resource, Tokens, Written


@dataclass(frozen=True, slots=True)
class NumberValue:
    prefix: str
    asked: Searched

    def narrow(self, parameter: Parameter, tokens: Tokens) -> Narrowing:  # noqa: ARG002 (one way to ask all types)
        return UNDECIDED

    def matches(self, parameter: Parameter, resource: Resource, opened: Opened) -> bool:  # noqa: ARG002
        found = (interval(kind, element) for kind, element in typed(parameter, resource))
        return any(one is not None and COMPARE[self.prefix](one, self.asked) for one in found)


def modifiers(parameter: Parameter) -> frozenset[str]:  # noqa: ARG001 (one way to ask all types)
    return frozenset()


def parse(written: Written, parameter: Parameter) -> NumberValue:  # noqa: ARG001
    prefix, text = split_prefix(unescape(written.text))
    return NumberValue(prefix, searched(text))


def interval(kind: str, element: Any) -> Interval | None:
    """A number, or a Range by its numbers alone."""
    if kind == "Range":
        low, high = (decimal(element.get(side, {}).get("value")) for side in ("low", "high"))
        return None if low is None and high is None else Interval(low, high)
    value = decimal(element)
    return None if value is None else Interval(value, value)
