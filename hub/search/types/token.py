"""Search type token: codings, codes, booleans, identifiers.

https://hl7.org/fhir/R4/search.html#token. `system|code`, `|code` (no system), `code` (any system), `system|`.
Codes are compared exactly, case included. Elements of type code and boolean have their system by definition.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from hub.search.concepts import ANY_SYSTEM, NO_SYSTEM, qualified, with_any_system
from hub.search.elements import of_parameter
from hub.search.grammar import split, unescape
from hub.search.parameters import Parameter
from hub.search.value import NONE, UNDECIDED, BadValue, Narrowing, Opened, Resource, Tokens, Written

MODIFIERS = frozenset({"not"})
BOOLEANS = ("true", "false")


@dataclass(frozen=True, slots=True)
class TokenValue:
    """`system`: None is any, "" is none. `code` is None for `system|`; not both are None."""

    system: str | None
    code: str | None

    def narrow(self, parameter: Parameter, tokens: Tokens) -> Narrowing:
        texts = self._texts(parameter)
        if texts is None:
            return UNDECIDED
        return Narrowing(tokens.any_of(parameter, texts), exact=True) if texts else NONE

    def matches(self, parameter: Parameter, resource: Resource, opened: Opened) -> bool:  # noqa: ARG002
        return any(self._is(system, code) for element in of_parameter(parameter, resource) for system, code in _pairs(parameter, element))

    def _texts(self, parameter: Parameter) -> frozenset[str] | None:
        """What a matching row carries at least one of; None if tokens cannot say."""
        if self.code is None:
            return None
        if parameter.element in ("code", "boolean"):
            own = self.system in (None, "", *parameter.systems)
            return frozenset({NO_SYSTEM + self.code} if own else ())
        if self.system is not None:
            return frozenset({qualified(self.system, self.code) if self.system else NO_SYSTEM + self.code})
        if parameter.element == "Identifier":
            return frozenset({ANY_SYSTEM + self.code})
        return with_any_system(self.code, parameter.systems)

    def _is(self, systems: tuple[str, ...], code: str) -> bool:
        return self.code in (None, code) and (self.system is None or self.system in systems)


def parse(written: Written, parameter: Parameter) -> TokenValue:
    pieces = [unescape(piece) for piece in split(written.text, "|")]
    match pieces:
        case [code] if code:
            value = TokenValue(None, code)
        case [system, code] if code:
            value = TokenValue(system, code)
        case [system, ""] if system:
            value = TokenValue(system, None)
        case _:
            raise BadValue("must be code, system|code, |code or system|; write a | inside a code as \\|")
    if parameter.element == "boolean" and value.code not in (None, *BOOLEANS):
        raise BadValue("must be true or false")
    return value


def _pairs(parameter: Parameter, element: Any) -> Iterator[tuple[tuple[str, ...], str]]:
    """Each code in the element, with the texts that name its system ("" where a search may say that it has none)."""
    match parameter.element:
        case "code":
            yield ("", *parameter.systems), element
        case "boolean":
            yield ("", *parameter.systems), "true" if element else "false"
        case "Identifier":
            if "value" in element:
                yield (element.get("system", ""),), element["value"]
        case "concept":
            for coding in element.get("coding", ()) if "coding" in element else (element,):
                if "code" in coding:
                    yield (coding.get("system", ""),), coding["code"]
