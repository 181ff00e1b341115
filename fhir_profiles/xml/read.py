"""XML -> the parsed JSON of a resource. https://hl7.org/fhir/R4/xml.html

One pass of expat over the bytes, with a stack of what is open. Comments and processing instructions are passed over; a
document type is refused before anything in it is looked at, and with it every entity (no expansion, nothing fetched).
Whatever cannot become JSON is refused with its place; whatever can is handed on as it stands, right or wrong.
"""

from collections.abc import Callable
from typing import Any, Final
from xml.parsers import expat

from fhir_profiles.definitions import RESOURCE_TYPES, Definition, Element, Type, definition
from fhir_profiles.structure import DEPTH_MAX, ELEMENT_NAME, Problem, ProblemCode
from fhir_profiles.xml.names import FHIR, INSTANCE, XHTML
from fhir_profiles.xml.xhtml import Div, split

Json = dict[str, Any]

_WHOLE: Final = frozenset({"integer", "positiveInt", "unsignedInt"})
_WHOLE_CHARS_MAX: Final = 18
_UTF_16: Final = (b"\xff\xfe", b"\xfe\xff")
_BOOLEAN: Final = {"true": True, "false": False}


class NotFhirXml(ValueError):
    """These bytes are no resource in XML; `problem` says what is wrong and where, and repeats no value."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.text)
        self.problem = problem


def from_xml(body: bytes, *, decimal: Callable[[str], Any]) -> Json:
    """Read a resource. `decimal` makes a number of its text and raises ValueError for what is none: it keeps the digits.

    Raises NotFhirXml.
    """
    return _Reader(body, decimal).read()


class _Open:
    """What is open: an object, a primitive with its extensions, or the place of a resource.

    definition  of what stands inside; None where a resource does
    content     what has been read of it
    seen        per element how often it came, for the index in an expression
    """

    __slots__ = ("content", "definition", "element", "index", "name", "seen", "type", "value")

    def __init__(
        self, definition: Definition | None, content: Json, *, element: Element | None = None, name: str = "", index: int = 0
    ) -> None:
        self.definition = definition
        self.content = content
        self.element = element
        self.name = name
        self.index = index
        self.type: Type | None = None
        self.value: Any = None
        self.seen: dict[str, int] = {}

    def words(self) -> str:
        """Its part of a FHIRPath expression."""
        if self.element is None:
            return ""
        return f".{self.element.name}" + (f"[{self.index}]" if self.element.many else "")


class _Reader:
    __slots__ = ("body", "decimal", "declared", "div", "parser", "result", "stack")

    def __init__(self, body: bytes, decimal: Callable[[str], Any]) -> None:
        self.body = body
        self.decimal = decimal
        self.stack: list[_Open] = []
        self.div: Div | None = None
        self.declared: list[tuple[str | None, str]] = []
        self.result: Json | None = None
        self.parser = expat.ParserCreate("utf-8", " ")
        self.parser.namespace_prefixes = True
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = self.doctype
        self.parser.XmlDeclHandler = self.declaration
        self.parser.StartNamespaceDeclHandler = self.namespace
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end
        self.parser.CharacterDataHandler = self.text

    def read(self) -> Json:
        if self.body.startswith(_UTF_16):
            self.declaration("", "utf-16", 0)
        try:
            self.parser.Parse(self.body, True)
        except expat.ExpatError as error:
            raise self.refused("structure", f"the body is not well-formed XML (line {error.lineno})") from None
        if self.result is None:
            raise self.refused("structure", "the body holds no resource")
        return self.result

    def refused(self, code: ProblemCode, text: str) -> NotFhirXml:
        top = next((one.definition.name for one in self.stack if one.definition is not None), "Resource")
        return NotFhirXml(Problem(code=code, expression=top + "".join(one.words() for one in self.stack), text=text))

    def doctype(self, *_: object) -> None:
        raise self.refused("not-supported", "a document type (DOCTYPE) is not taken: FHIR uses none")

    def declaration(self, _: str, encoding: str | None, __: int) -> None:
        if encoding is not None and encoding.lower() not in {"utf-8", "us-ascii"}:
            raise self.refused("not-supported", "the encoding has to be UTF-8")

    def namespace(self, prefix: str | None, uri: str | None) -> None:
        self.declared.append((prefix, uri or ""))

    def start(self, name: str, attributes: dict[str, str]) -> None:
        declared, self.declared = self.declared, []
        if self.div is not None:
            if not self.div.open(name, attributes.items()):
                raise self.refused("structure", "a div holds XHTML only")
            return
        namespace, local, _ = split(name)
        if len(self.stack) > DEPTH_MAX:
            raise self.refused("structure", f"elements are nested more than {DEPTH_MAX} deep")
        if not self.stack:
            self.resource(namespace, local, attributes, {})
            return
        above = self.stack[-1]
        if above.definition is None:
            self.resource(namespace, local, attributes, above.content)
        elif namespace == XHTML and local == "div" and "div" in above.definition.named:
            self.start_div(above, name, attributes, raw=declared == [(None, XHTML)])
        elif namespace != FHIR:
            raise self.refused("structure", "an element is not in the namespace of FHIR")
        else:
            self.element(above, local, attributes)

    def resource(self, namespace: str, local: str, attributes: dict[str, str], content: Json) -> None:
        """https://hl7.org/fhir/R4/xml.html#root: named by its type, at the top and inside."""
        if namespace != FHIR:
            raise self.refused("structure", "the resource is not in the namespace of FHIR")
        if local not in RESOURCE_TYPES:
            raise self.refused("not-supported", "this is not the name of a resource type of R4")
        if content:
            raise self.refused("structure", "there may be one resource here")
        if any(split(name)[0] != INSTANCE for name in attributes):
            raise self.refused("structure", "a resource has no attributes: its id is an element")
        content["resourceType"] = local
        self.stack.append(_Open(definition(local), content))

    def start_div(self, above: _Open, name: str, attributes: dict[str, str], *, raw: bool) -> None:
        if "div" in above.content:
            raise self.refused("structure", "div may be there once")
        self.div = Div(self.parser.CurrentByteIndex, raw=raw)
        self.div.open(name, attributes.items())

    def element(self, above: _Open, name: str, attributes: dict[str, str]) -> None:
        found = above.definition.named.get(name) if above.definition is not None else None
        if found is None or found.element.attribute or found.type.code == "xhtml":
            known = ELEMENT_NAME.fullmatch(name) is not None
            text = f"R4 has no element {name} here" if known else "an element has a name that no element of FHIR can have"
            raise self.refused("structure", text)
        element, type = found
        index = above.seen.get(name, 0)
        above.seen[name] = index + 1
        if index and not element.many:
            raise self.refused("structure", f"{name} may be there once")
        inside = None if type.code == "Resource" else definition(element.structure or type.profile or type.code)
        opened = _Open(inside, {}, element=element, name=name, index=index)
        opened.type = type
        self.stack.append(opened)
        self.attributes(opened, attributes)

    def attributes(self, opened: _Open, attributes: dict[str, str]) -> None:
        for name, text in attributes.items():
            if name == "value" and opened.type is not None and opened.type.is_primitive:
                opened.value = self.value(opened.type.code, text)
            elif opened.definition is not None and name in opened.definition.named and opened.definition.named[name].element.attribute:
                opened.content[name] = text
            else:
                raise self.refused("structure", "the element has an attribute that R4 does not give it")

    def value(self, type: str, text: str) -> Any:
        """As JSON says it; where it cannot, the text itself, which the check refuses for what it is."""
        try:
            if type == "boolean":
                return _BOOLEAN.get(text, text)
            if type in _WHOLE and len(text) <= _WHOLE_CHARS_MAX and text.isascii():
                return int(text)
            return self.decimal(text) if type == "decimal" else text
        except ValueError:
            return text

    def end(self, name: str) -> None:
        if self.div is not None:
            if self.div.close(name):
                self.end_div(self.div)
            return
        closed = self.stack.pop()
        if not self.stack:
            self.result = closed.content
        elif closed.element is not None:
            _put(self.stack[-1], closed)

    def end_div(self, div: Div) -> None:
        """The bytes of the document as they stand, or what has been collected of them."""
        self.div = None
        end = self.parser.CurrentByteIndex
        if div.raw:
            if self.body.startswith(b"</", end):
                end = self.body.index(b">", end) + 1
            text = self.body[div.start : end].decode().replace("\r\n", "\n").replace("\r", "\n")
        else:
            text = "".join(div.pieces)
        self.stack[-1].content["div"] = text

    def text(self, text: str) -> None:
        if self.div is not None:
            self.div.text(text)
        elif text.strip(" \t\r\n"):
            raise self.refused("structure", "there is text between the elements: values stand in attributes")


def _put(above: _Open, closed: _Open) -> None:
    """Where it belongs in the JSON of what it stands in. https://hl7.org/fhir/R4/json.html#primitive"""
    content, name = above.content, closed.name
    if closed.element is None or closed.type is None:
        return
    if not closed.type.is_primitive:
        if closed.element.many:
            content.setdefault(name, []).append(closed.content)
        else:
            content[name] = closed.content
    elif closed.element.many:
        _put_at(content, name, closed.index, closed.value)
        _put_at(content, f"_{name}", closed.index, closed.content or None)
    else:
        if closed.value is not None or not closed.content:
            content[name] = closed.value
        if closed.content:
            content[f"_{name}"] = closed.content


def _put_at(content: Json, name: str, index: int, item: Any) -> None:
    """Lists of values and of their extensions are as long as each other, or not there."""
    if name in content:
        content[name].append(item)
    elif item is not None:
        content[name] = [*([None] * index), item]
