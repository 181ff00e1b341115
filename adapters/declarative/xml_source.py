"""XML as a tree: {"Export": {"@version": "1", "Device": [{"@serial": "…", "#text": "…"}]}}.

Children are always arrays, so that one and several are read alike; names bear no namespace. Entities and document types are refused
(defusedxml): nothing is ever expanded or fetched.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final
from xml.etree.ElementTree import Element, ParseError
from xml.sax.saxutils import escape, quoteattr

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from adapters.contract import Unreadable
from adapters.declarative.source import Damaged, Document
from adapters.json_payload import check_size
from adapters.limits import DEPTH_MAX

TEXT, ATTRIBUTE = "#text", "@"
_CONTROLS: Final = {"\r": "&#13;"}


class XmlSource:
    """https://www.w3.org/TR/xml/"""

    media_types = ("application/xml", "text/xml")

    def read(self, payload: bytes) -> Iterable[Document | Damaged]:
        check_size(payload)
        root, code = _parsed(payload)
        if root is None:
            raise Unreadable(code, REFUSALS[code])
        return [Document({_name(root): _tree(root, 1)})]

    def write(self, trees: Sequence[Any]) -> bytes:
        ((name, tree),) = trees[0].items()
        return "".join(_written(name, tree or {})).encode()


REFUSALS: Final = {
    "not-xml": "The payload is no well-formed XML.",
    "entities-refused": "The XML declares a document type or entities; send it without.",
    "encoding": "The XML's encoding is not known; send UTF-8.",
}


def _parsed(payload: bytes) -> tuple[Element | None, str]:
    try:
        return fromstring(payload, forbid_dtd=True), ""
    except DefusedXmlException:
        return None, "entities-refused"
    except ParseError:
        return None, "not-xml"
    except (LookupError, ValueError):
        return None, "encoding"


def _name(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _tree(element: Element, depth: int) -> dict[str, Any]:
    if depth > DEPTH_MAX:
        raise Unreadable("too-deep", f"The XML is nested deeper than {DEPTH_MAX} levels.")
    tree: dict[str, Any] = {ATTRIBUTE + name.rpartition("}")[2]: value for name, value in element.attrib.items()}
    for child in element:
        tree.setdefault(_name(child), []).append(_tree(child, depth + 1))
    if text := (element.text or "").strip():
        tree[TEXT] = text
    return tree


def _written(name: str, tree: dict[str, Any]) -> Iterable[str]:
    """Children in the order of their names: what the tree does not tell, the text does not either."""
    yield f"<{name}"
    for key, value in tree.items():
        if key.startswith(ATTRIBUTE):
            yield f" {key[1:]}={quoteattr(value, _CONTROLS)}"
    yield f">{escape(tree.get(TEXT, ''), _CONTROLS)}"
    for key, children in tree.items():
        if not key.startswith(ATTRIBUTE) and key != TEXT:
            for child in children:
                yield from _written(key, child or {})
    yield f"</{name}>"
