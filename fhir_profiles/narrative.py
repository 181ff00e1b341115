"""Is a text a FHIR narrative: one XHTML div that formats text and does nothing else?

https://hl7.org/fhir/R4/narrative.html, constraints txt-1 and txt-2. Browsers forgive what XML does not, so whatever is
not on the list of the specification is refused instead of cleaned. Links may lead anywhere; what a browser loads by itself
(images, also those of a style) lies in the text or on the same server, else whoever opens a record would tell others so.
"""

import re
from html.parser import HTMLParser
from typing import Final

XHTML: Final = "http://www.w3.org/1999/xhtml"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_TAGS: Final = _words(
    "a abbr acronym address b bdo big blockquote br caption cite code col colgroup dd dfn div dl dt em h1 h2 h3 h4 h5 h6 hr i img kbd li "
    "ol p pre q samp small span strong sub sup table tbody td tfoot th thead tr tt ul var"
)
"""Those that txt-1 lists in XPath, and address, bdo and kbd of the chapters that it names."""
_ATTRIBUTES: Final = _words(
    "abbr accesskey align alt axis bgcolor border cellhalign cellpadding cellspacing cellvalign char charoff charset class "
    "cite colspan compact coords dir frame headers height href hreflang hspace id lang longdesc name nowrap rel rev rowspan "
    "rules scope shape span src start style summary tabindex title type valign value vspace width xml:lang xml:space xmlns"
)
_REST: Final = r"[^\s\x00-\x20<>\\]*+"
_HERE: Final = rf"#{_REST}|cid:{_REST}|urn:(?:uuid|oid):[A-Za-z0-9.\-]++|(?!//)[A-Za-z0-9_./~%+,=@\-]++(?:[?#]{_REST})?"
"""Inside the resource or its Bundle, or on the same server: without a colon before ? and # there is no scheme, without // no other host."""
_IMAGE: Final = r"data:[ ]?image/(?:png|gif|jpeg);base64,[A-Za-z0-9+/=\s]*+"
_ADDRESSES: Final = {
    **dict.fromkeys(("href", "cite", "longdesc"), re.compile(rf"(?:https?://|mailto:){_REST}|{_HERE}|{_IMAGE}")),
    "src": re.compile(rf"{_HERE}|{_IMAGE}"),
}
_NEAR: Final = r"(?!//)[A-Za-z0-9_./~%+,=@\-]++(?:(?<=\.png|\.gif|\.jpg)|(?<=\.jpeg))"
_LOADED: Final = rf"(?:{_IMAGE}|{_NEAR})"
_HARMLESS_STYLE: Final = re.compile(
    rf"(?:url\((?:{_LOADED}|'{_LOADED}'|\"{_LOADED}\")\)"
    r"|(?:rgb|hsl)a?\([0-9\s.,%/]*+\)|var\(--[A-Za-z0-9\-]++(?:,[A-Za-z0-9\s#%.\-]*+)?\)"
    r"|[A-Za-z0-9\s:;,.%#!'\"/\-])*+",
    re.IGNORECASE,
)
"""Without other brackets, without backslash and @, a style can neither load nor run anything."""

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
        self.has_content |= tag == "img" and "src" in dict(attrs)


def _is_harmless(name: str, value: str | None) -> bool:
    if value is None or name not in _ATTRIBUTES:
        return False
    if name in _ADDRESSES:
        return _ADDRESSES[name].fullmatch(value) is not None
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
