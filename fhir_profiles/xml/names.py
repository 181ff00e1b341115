"""Names of XML that FHIR uses, and text as markup. https://hl7.org/fhir/R4/xml.html, https://www.w3.org/TR/xml/"""

import re
from typing import Final

FHIR: Final = "http://hl7.org/fhir"
XHTML: Final = "http://www.w3.org/1999/xhtml"
INSTANCE: Final = "http://www.w3.org/2001/XMLSchema-instance"
XML: Final = "http://www.w3.org/XML/1998/namespace"

_MARKUP: Final = re.compile('[&<>"\t\n\r]')
_REFERENCE: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\t": "&#9;", "\n": "&#10;", "\r": "&#13;"}
_NO_CHARACTER: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def attribute(text: str) -> str:
    """As the value of an attribute. A line break or tab written plainly would be read as a blank (XML section 3.3.3)."""
    return _MARKUP.sub(lambda found: _REFERENCE[found[0]], characters(text))


def content(text: str) -> str:
    """As text between tags."""
    return characters(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#13;")


def characters(text: str) -> str:
    """What XML has no character for (section 2.2) becomes the replacement character: such a document could not be read."""
    return _NO_CHARACTER.sub("\ufffd", text)
