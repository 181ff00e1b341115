"""The div of a narrative between JSON, where it is a string, and XML, where it is elements of another namespace.

https://hl7.org/fhir/R4/xml.html#xhtml. Its bytes are kept wherever they stand on their own; they are written anew where
they lean on what surrounds them (a prefix, a namespace declared further out) or are HTML but no XML (`&nbsp;`).
"""

from collections.abc import Iterable
from html.parser import HTMLParser
from xml.parsers import expat

from fhir_profiles.xml.names import XHTML, XML, attribute, characters, content

_EMPTY = frozenset({"br", "col", "hr", "img"})
"""What XHTML writes as one tag."""


def as_xml(div: str) -> str:
    """A div that XML can carry."""
    div = characters(div)
    return div if _is_xml(div) else _written_anew(div)


def start_tag(tag: str, attributes: Iterable[tuple[str, str]], *, ends: bool = False) -> str:
    written = "".join(f' {name}="{attribute(value)}"' for name, value in attributes)
    return f"<{tag}{written}{'/' if ends else ''}>"


def _is_xml(div: str) -> bool:
    if "<!DOCTYPE" in div:
        return False
    try:
        expat.ParserCreate("utf-8", " ").Parse(div, True)
    except expat.ExpatError:
        return False
    return True


class _Writer(HTMLParser):
    """Writes what it reads as XML; entities have become characters."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.written: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.written.append(start_tag(tag, ((name, value or "") for name, value in dict(attrs).items())))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.written.append(start_tag(tag, ((name, value or "") for name, value in dict(attrs).items()), ends=True))

    def handle_endtag(self, tag: str) -> None:
        self.written.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        self.written.append(content(data))


def _written_anew(div: str) -> str:
    writer = _Writer()
    writer.feed(div)
    writer.close()
    written = "".join(writer.written)
    return written if _is_xml(written) else f'<div xmlns="{XHTML}">{content(div)}</div>'


class Div:
    """Collects the elements of a div while a document is read.

    start  where its bytes begin in the document
    raw    it declares its namespace itself and uses no prefix: its bytes can stand on their own
    """

    __slots__ = ("depth", "pieces", "raw", "start")

    def __init__(self, start: int, *, raw: bool) -> None:
        self.start = start
        self.raw = raw
        self.depth = 0
        self.pieces: list[str] = []

    def open(self, name: str, attributes: Iterable[tuple[str, str]]) -> bool:
        """`name` as expat gives it: namespace, local name, prefix if there is one. False for what is no XHTML."""
        namespace, tag, prefix = split(name)
        declared = [] if self.depth else [("xmlns", XHTML)]
        self.raw = self.raw and not prefix
        self.depth += 1
        self.pieces.append(start_tag(tag, [*declared, *((_named(name), value) for name, value in attributes)]))
        return namespace == XHTML

    def close(self, name: str) -> bool:
        """Is the div itself closed?"""
        _, tag, _ = split(name)
        self.depth -= 1
        if tag in _EMPTY and self.pieces[-1].startswith(f"<{tag}"):
            self.pieces[-1] = f"{self.pieces[-1][:-1]}/>"
        else:
            self.pieces.append(f"</{tag}>")
        return not self.depth

    def text(self, text: str) -> None:
        self.pieces.append(content(text))


def split(name: str) -> tuple[str, str, str]:
    """(namespace, local name, prefix) of a name as expat gives it; empty where there is none."""
    match name.split(" "):
        case [namespace, local, prefix]:
            return namespace, local, prefix
        case [namespace, local]:
            return namespace, local, ""
        case _:
            return "", name, ""


def _named(name: str) -> str:
    namespace, local, _ = split(name)
    return f"xml:{local}" if namespace == XML else local
