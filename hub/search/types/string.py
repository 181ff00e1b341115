"""Search type string: start of any word; `:exact`; `:contains`.

https://hl7.org/fhir/R4/search.html#string. Rows carry tokens of word prefixes (`hub.search.words`), which decide a
query of one word of up to eight characters; anything longer is narrowed by them and decided on the opened resource.
"""

from dataclasses import dataclass
from typing import Literal

from hub.search.elements import texts, typed
from hub.search.grammar import unescape
from hub.search.predicate import AnyOf, Predicate, all_of
from hub.search.row import Parameter
from hub.search.value import UNDECIDED, BadValue, Narrowing, Opened, Resource, Tokens, Written
from hub.search.words import PREFIX_CHARS_MAX, contains, readings, starts_a_word

Mode = Literal["starts", "exact", "contains"]
MODES: dict[str | None, Mode] = {None: "starts", "exact": "exact", "contains": "contains"}


@dataclass(frozen=True, slots=True)
class StringValue:
    """`wanted`: the normal forms of `text`."""

    text: str
    mode: Mode
    wanted: tuple[str, ...]

    def narrow(self, parameter: Parameter, tokens: Tokens) -> Narrowing:
        if parameter.where != "g" or self.mode == "contains" or not self.wanted:
            return UNDECIDED
        parts = tuple(_words_of(text, parameter, tokens) for text in self.wanted)
        decided = len(parts) == 1 and " " not in self.wanted[0] and len(self.wanted[0]) <= PREFIX_CHARS_MAX
        predicate = parts[0] if len(parts) == 1 else AnyOf(parts)
        return Narrowing(predicate, exact=decided and self.mode == "starts")

    def matches(self, parameter: Parameter, resource: Resource, opened: Opened) -> bool:  # noqa: ARG002
        found = (text for kind, element in typed(parameter, resource) for text in texts(kind, element))
        return any(map(self._is, found))

    def _is(self, text: str) -> bool:
        match self.mode:
            case "starts":
                return starts_a_word(text, self.wanted)
            case "contains":
                return contains(text, self.wanted)
            case "exact":
                return text == self.text


def modifiers(parameter: Parameter) -> frozenset[str]:  # noqa: ARG001 (one way to ask all types)
    return frozenset({"exact", "contains"})


def parse(written: Written, parameter: Parameter) -> StringValue:  # noqa: ARG001
    text = unescape(written.text)
    value = StringValue(text, MODES[written.modifier], readings(text))
    if value.mode != "exact" and not value.wanted:
        raise BadValue("must contain a letter or a digit")
    return value


def _words_of(text: str, parameter: Parameter, tokens: Tokens) -> Predicate:
    words = {word[:PREFIX_CHARS_MAX] for word in text.split()}
    return all_of(tokens.any_of(parameter, frozenset({word})) for word in sorted(words))
