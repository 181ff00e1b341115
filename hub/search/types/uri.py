"""Search type uri: the whole text, character by character; `:below`, `:above`, `:contains`.

https://hl7.org/fhir/R4/search.html#uri. `:below` and `:above` end at a segment of a URL; a URN has no segments. A
canonical is found by its URL whatever its version, or with `|version` by both.
"""

from dataclasses import dataclass
from typing import Literal

from hub.search.canonicals import canonical_is, without_version
from hub.search.elements import typed
from hub.search.grammar import unescape
from hub.search.row import Parameter
from hub.search.value import UNDECIDED, Narrowing, Opened, Resource, Tokens, Written

Mode = Literal["is", "below", "above", "contains"]
MODES: dict[str | None, Mode] = {None: "is", "below": "below", "above": "above", "contains": "contains"}
_SEGMENT_ENDS = ("/", "?", "#", "|")


@dataclass(frozen=True, slots=True)
class UriValue:
    text: str
    mode: Mode

    def narrow(self, parameter: Parameter, tokens: Tokens) -> Narrowing:
        if self.mode != "is" or parameter.where != "k":
            return UNDECIDED
        # Tokens know no versions.
        return Narrowing(tokens.any_of(parameter, frozenset({without_version(self.text)})), exact=False)

    def matches(self, parameter: Parameter, resource: Resource, opened: Opened) -> bool:  # noqa: ARG002
        return any(self._is(kind, text) for kind, text in typed(parameter, resource) if isinstance(text, str))

    def _is(self, kind: str, text: str) -> bool:
        match self.mode:
            case "is":
                return canonical_is(text, self.text) if kind == "canonical" else text == self.text
            case "below":
                return is_below(text, self.text)
            case "above":
                return is_below(self.text, text)
            case "contains":
                return self.text in text


def modifiers(parameter: Parameter) -> frozenset[str]:  # noqa: ARG001 (one way to ask all types)
    return frozenset({"below", "above", "contains"})


def parse(written: Written, parameter: Parameter) -> UriValue:  # noqa: ARG001
    return UriValue(unescape(written.text), MODES[written.modifier])


def is_below(text: str, above: str) -> bool:
    """Is `text` the URL `above`, or does it go on from it after a whole segment?"""
    if text == above:
        return True
    if "://" not in above or not text.startswith(above):
        return False
    return above.endswith("/") or text[len(above)] in _SEGMENT_ENDS
