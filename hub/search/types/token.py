"""Search type token: codings, codes, booleans, identifiers, contact points.

https://hl7.org/fhir/R4/search.html#token. `system|code`, `|code` (no system), `code` (any system), `system|`.
Codes are compared exactly, case included. Elements of type code and boolean have their system by definition.
Modifiers with a meaning of their own are in `hub.search.types.token_modifiers`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hub.search.concepts import ANY_SYSTEM, NO_SYSTEM, qualified, with_any_system
from hub.search.elements import reader, typed
from hub.search.grammar import split, unescape
from hub.search.row import Element, Parameter
from hub.search.types.token_modifiers import MODIFIED
from hub.search.value import NONE, UNDECIDED, BadValue, Narrowing, Opened, Resource, Test, Tokens, Value, Written

BOOLEANS = ("true", "false")
DECEASED = "deceased"
CODED = frozenset({"CodeableConcept", "Coding"})
_SETS = ("in", "not-in", "above", "below")
_MODIFIERS: Mapping[Element, frozenset[str]] = {
    "concept": frozenset({"not", "text", *_SETS}),
    "code": frozenset({"not", *_SETS}),
    "Identifier": frozenset({"not", "text", "of-type"}),
}


def modifiers(parameter: Parameter) -> frozenset[str]:
    return _MODIFIERS.get(parameter.element, frozenset({"not"}))


@dataclass(frozen=True, slots=True)
class TokenValue:
    """`system`: None is any, "" is none. `code` is None for `system|`; not both are None."""

    system: str | None
    code: str | None

    def narrow(self, parameter: Parameter, tokens: Tokens) -> Narrowing:
        texts = self._texts(parameter) if parameter.spaces else None
        if texts is None:
            return UNDECIDED
        if not texts:
            return NONE
        exact = parameter.exact and (parameter.element != "ContactPoint" or self.system is None)
        return Narrowing(tokens.any_of(parameter, texts), exact=exact)

    def matches(self, parameter: Parameter, resource: Resource, opened: Opened) -> bool:
        return self.test(parameter, opened)(resource)

    def test(self, parameter: Parameter, opened: Opened) -> Test:  # noqa: ARG002
        if not CODED.issuperset(parameter.kinds):
            return lambda resource: any(self._is(systems, code) for systems, code in pairs(parameter, resource))
        read, system, code = reader(parameter), self.system, self.code

        def holds(resource: Resource) -> bool:
            for element in read(resource):
                for coding in _codings(element):
                    if code in (None, coding["code"]) and (system is None or system == coding.get("system", "")):
                        return True
            return False

        return holds

    def _texts(self, parameter: Parameter) -> frozenset[str] | None:
        """What a matching row carries at least one of; None if tokens cannot say."""
        if self.code is None:
            return None
        match parameter.element:
            case "code" | "boolean":
                own = self.system in (None, "", *parameter.systems)
                return frozenset({NO_SYSTEM + self.code} if own else ())
            case "ContactPoint":
                return frozenset({self.code})
            case "Identifier" if self.system is None:
                return frozenset({ANY_SYSTEM + self.code})
        if self.system is not None:
            return frozenset({qualified(self.system, self.code) if self.system else NO_SYSTEM + self.code})
        return with_any_system(self.code, parameter.systems)

    def _is(self, systems: tuple[str, ...], code: str) -> bool:
        return self.code in (None, code) and (self.system is None or self.system in systems)


def parse(written: Written, parameter: Parameter) -> Value:
    if written.modifier in MODIFIED:
        return MODIFIED[written.modifier](written, parameter)
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
    if (parameter.element == "boolean" or parameter.code == DECEASED) and value.code not in (None, *BOOLEANS):
        raise BadValue("must be true or false")
    return value


def pairs(parameter: Parameter, resource: Resource) -> Iterator[tuple[tuple[str, ...], str]]:
    """Each code the parameter looks at, with the texts that name its system ("" where a search may say that it has none)."""
    if parameter.code == DECEASED:
        # R4: `Patient.deceased.exists() and Patient.deceased != false`
        dead = any(kind != "boolean" or element for kind, element in typed(parameter, resource))
        yield ("", *parameter.systems), "true" if dead else "false"
        return
    for kind, element in typed(parameter, resource):
        yield from _of(kind, element, parameter.systems)


def _codings(element: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Those with a code, of a CodeableConcept or of a Coding that stands alone."""
    found = element.get("coding", (element,))
    return [coding for coding in found if coding is not None and "code" in coding]


def _of(kind: str, element: Any, own: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    match kind:
        case "CodeableConcept" | "Coding":
            for coding in _codings(element):
                yield (coding.get("system", ""),), coding["code"]
        case "Identifier":
            if "value" in element:
                yield (element.get("system", ""),), element["value"]
        case "ContactPoint":
            if "value" in element:
                yield ("", element.get("system", "")), element["value"]
        case "boolean":
            yield ("", *own), "true" if element else "false"
        case _:
            yield ("", *own), element
