"""Is a text a FHIR narrative: one XHTML div that formats text and does nothing else?

https://hl7.org/fhir/R4/narrative.html, constraints txt-1 and txt-2. Browsers forgive what XML does not, so whatever is
not on the list of the specification is refused instead of cleaned.
"""

import re
from html.parser import HTMLParser
from typing import Final

XHTML: Final = "http://www.w3.org/1999/xhtml"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_TAGS: Final = _words(
    "a abbr acronym b big blockquote br caption cite code col colgroup dd dfn div dl dt em h1 h2 h3 h4 h5 h6 hr i img li ol p pre q "
    "samp small span strong sub sup table tbody td tfoot th thead tr tt ul var"
)
_ATTRIBUTES: Final = _words(
    "abbr accesskey align alt axis border cellhalign cellpadding cellspacing cellvalign char charoff charset class cite colspan compact "
    "coords dir frame headers height href hreflang hspace id lang longdesc name nowrap rel rev rowspan rules scope shape span src start "
    "style summary tabindex title type valign value vspace width xml:lang xmlns"
)
_ADDRESSES: Final = frozenset({"href", "src", "cite", "longdesc"})
_HARMLESS_ADDRESS: Final = re.compile(
    r"(?:https?://|mailto:|cid:|#|data:image/(?:png|gif|jpeg);base64,)[^\s\x00-\x20<>]*|[A-Za-z0-9_./\-]+"
)
_HARMLESS_STYLE: Final = re.compile(r"[A-Za-z0-9\s:;,.%#\-]*")
"""Without brackets, quotes and backslashes a style can neither load nor run anything."""

_HARMLESS_COMMENT: Final = re.compile(r"(?!-)(?:(?!--)[^<>])*(?<!-)")


class _Refused(Exception):
    """The only way out of the parser."""


class _Reader(HTMLParser):
    """Follows the open elements; raises _Refused at the first thing that a narrative may not have."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.closed = False
        self.has_content = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._start(tag, attrs)
        self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._start(tag, attrs)
        self.closed = not self.open

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            raise _Refused
        self.closed = not self.open

    def handle_data(self, data: str) -> None:
        if data.strip():
            if not self.open:
                raise _Refused
            self.has_content = True

    def handle_comment(self, data: str) -> None:
        """Where a comment ends is what parsers disagree about; inside this one there is nothing to disagree on."""
        if not _HARMLESS_COMMENT.fullmatch(data):
            raise _Refused

    def handle_decl(self, decl: str) -> None:  # noqa: ARG002 -- the parser's signature, here and below
        raise _Refused

    def unknown_decl(self, data: str) -> None:  # noqa: ARG002
        raise _Refused

    def handle_pi(self, data: str) -> None:  # noqa: ARG002
        raise _Refused

    def _start(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self.closed or tag not in _TAGS or (not self.open and (tag != "div" or ("xmlns", XHTML) not in attrs)):
            raise _Refused
        if not all(_is_harmless(name, value) for name, value in attrs):
            raise _Refused
        self.has_content |= tag == "img"


def _is_harmless(name: str, value: str | None) -> bool:
    if value is None or name not in _ATTRIBUTES:
        return False
    if name in _ADDRESSES:
        return _HARMLESS_ADDRESS.fullmatch(value) is not None
    return name != "style" or _HARMLESS_STYLE.fullmatch(value) is not None


def is_narrative(text: str) -> bool:
    """One div in the XHTML namespace, well nested, with content, and nothing that could act."""
    reader = _Reader()
    try:
        reader.feed(text)
        reader.close()
    except (_Refused, AssertionError):  # the parser asserts where a declaration is broken off
        return False
    return reader.closed and not reader.open and reader.has_content
