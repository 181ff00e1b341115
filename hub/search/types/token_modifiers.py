"""Modifiers of tokens that ask another question: `:text`, `:of-type`, `:in`, `:not-in`, `:above`, `:below`.

https://hl7.org/fhir/R4/search.html#token. Value sets and hierarchies are those that the hub ships
(`fhir_profiles.terminology`); what it does not know it refuses rather than finds nothing.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fhir_profiles import terminology
from hub.search.concepts import ANY_SYSTEM, NO_SYSTEM, qualified
from hub.search.elements import typed
from hub.search.grammar import split, unescape
from hub.search.row import Parameter
from hub.search.understood import BadName
from hub.search.value import UNDECIDED, BadValue, Narrowing, Opened, Resource, Tokens, Value, Written
from hub.search.words import readings, starts_a_word

CODES_NARROWED_MAX = 1_000
"""A larger set of codes is no set of tokens for a query; the opened resource is asked."""
_OF_TYPE_PIECES = 3

Codes = frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class TextValue:
    """`:text`: what people read beside the code, compared as strings are."""

    wanted: tuple[str, ...]

    def narrow(self, parameter: Parameter, tokens: Tokens) -> Narrowing:  # noqa: ARG002 (one way to ask all types)
        return UNDECIDED

    def matches(self, parameter: Parameter, resource: Resource, opened: Opened) -> bool:  # noqa: ARG002
        found = (text for kind, element in typed(parameter, resource) for text in _displays(kind, element))
        return any(starts_a_word(text, self.wanted) for text in found)


@dataclass(frozen=True, slots=True)
class OfTypeValue:
    """`:of-type`: an identifier by the kind of it, and its value."""

    system: str
    code: str
    value: str

    def narrow(self, parameter: Parameter, tokens: Tokens) -> Narrowing:
        if not parameter.spaces:
            return UNDECIDED
        return Narrowing(tokens.any_of(parameter, frozenset({ANY_SYSTEM + self.value})), exact=False)

    def matches(self, parameter: Parameter, resource: Resource, opened: Opened) -> bool:  # noqa: ARG002
        return any(self._is(element) for kind, element in typed(parameter, resource) if kind == "Identifier")

    def _is(self, identifier: Any) -> bool:
        codings = identifier.get("type", {}).get("coding", ())
        kinds = {(coding.get("system"), coding.get("code")) for coding in codings if coding is not None}
        return identifier.get("value") == self.value and (self.system, self.code) in kinds


@dataclass(frozen=True, slots=True)
class CodesValue:
    """`:in`, `:not-in`, `:above`, `:below`: one of these codes, each of its system."""

    codes: Codes

    def narrow(self, parameter: Parameter, tokens: Tokens) -> Narrowing:
        if not parameter.spaces or len(self.codes) > CODES_NARROWED_MAX:
            return UNDECIDED
        if parameter.element == "code":
            texts = frozenset(NO_SYSTEM + code for system, code in self.codes if system in parameter.systems)
        else:
            texts = frozenset(qualified(system, code) for system, code in self.codes)
        return Narrowing(tokens.any_of(parameter, texts), exact=parameter.exact)

    def matches(self, parameter: Parameter, resource: Resource, opened: Opened) -> bool:  # noqa: ARG002
        found = (pair for kind, element in typed(parameter, resource) for pair in _coded(kind, element, parameter.systems))
        return any(pair in self.codes for pair in found)


def _text(written: Written, _parameter: Parameter) -> TextValue:
    wanted = readings(unescape(written.text))
    if not wanted:
        raise BadValue("must contain a letter or a digit")
    return TextValue(wanted)


def _of_type(written: Written, _parameter: Parameter) -> OfTypeValue:
    pieces = [unescape(piece) for piece in split(written.text, "|")]
    if len(pieces) != _OF_TYPE_PIECES or "" in pieces:
        raise BadValue("must be system|code|value with the modifier :of-type: the type of the identifier, and its value")
    return OfTypeValue(*pieces)


def _in(written: Written, _parameter: Parameter) -> CodesValue:
    found = terminology.members(unescape(written.text))
    if found is None:
        raise BadName("names a value set that this hub does not have or cannot list")
    return CodesValue(found)


def _above(written: Written, parameter: Parameter) -> CodesValue:
    return CodesValue(_related(written, parameter, terminology.ancestors))


def _below(written: Written, parameter: Parameter) -> CodesValue:
    return CodesValue(_related(written, parameter, terminology.descendants))


def _related(written: Written, parameter: Parameter, relation: Callable[[str, str], frozenset[str] | None]) -> Codes:
    pieces = [unescape(piece) for piece in split(written.text, "|")]
    match pieces:
        case [code] if code and parameter.element == "code":
            systems: Iterable[str] = parameter.systems
        case [system, code] if system and code:
            systems = (system,)
        case _:
            raise BadValue(f"must be system|code with the modifier :{written.modifier}")
    found = [(system, related) for system in systems if (related := relation(system, code)) is not None]
    if not found:
        raise BadName(f"takes :{written.modifier} only with codes of a code system that this hub has")
    return frozenset((system, one) for system, codes in found for one in codes)


def _displays(kind: str, element: Any) -> Iterator[str]:
    """R4 #modifiers: CodeableConcept.text, Coding.display, Identifier.type.text."""
    match kind:
        case "CodeableConcept":
            yield from _text_of(element)
            for coding in element.get("coding", ()):
                if coding is not None and "display" in coding:
                    yield coding["display"]
        case "Coding" if "display" in element:
            yield element["display"]
        case "Identifier":
            yield from _text_of(element.get("type", {}))


def _text_of(concept: Mapping[str, Any]) -> Iterator[str]:
    if "text" in concept:
        yield concept["text"]


def _coded(kind: str, element: Any, own: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    match kind:
        case "CodeableConcept" | "Coding":
            for coding in element.get("coding", ()) if "coding" in element else (element,):
                if coding is not None and "system" in coding and "code" in coding:
                    yield coding["system"], coding["code"]
        case _ if isinstance(element, str):
            for system in own:
                yield system, element


MODIFIED: Mapping[str | None, Callable[[Written, Parameter], Value]] = {
    "text": _text,
    "of-type": _of_type,
    "in": _in,
    "not-in": _in,
    "above": _above,
    "below": _below,
}
