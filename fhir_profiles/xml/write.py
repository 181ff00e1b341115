"""The parsed JSON of a resource -> XML. https://hl7.org/fhir/R4/xml.html

Elements come in the order of their definition, whatever order the JSON has. Only what is a resource of R4 can be written:
what was checked when it came in, and what the hub builds.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

from fhir_profiles.definitions import Definition, Named, definition
from fhir_profiles.xml.names import FHIR, attribute
from fhir_profiles.xml.xhtml import as_xml

Json = Mapping[str, Any]

_DECLARATION: Final = '<?xml version="1.0" encoding="UTF-8"?>'
_INDENT: Final = "  "


def to_xml(resource: Json, *, pretty: bool = False) -> bytes:
    """Write a resource; a number that remembers its digits says them in `text`.

    Raises ValueError for what is no resource of R4.
    """
    writer = _Writer(pretty=pretty)
    try:
        writer.resource(resource, 0, f' xmlns="{FHIR}"')
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError("not a resource of R4") from error
    return "".join([_DECLARATION, *writer.written]).encode()


class _Writer:
    __slots__ = ("pretty", "written")

    def __init__(self, *, pretty: bool) -> None:
        self.pretty = pretty
        self.written: list[str] = []

    def tag(self, text: str, depth: int) -> None:
        if self.pretty:
            self.written.append("\n" + _INDENT * depth)
        self.written.append(text)

    def resource(self, resource: Json, depth: int, namespace: str = "") -> None:
        type = resource["resourceType"]
        plan = _plan(type)
        self.tag(f"<{type}{namespace}>", depth)
        self.elements(plan, resource, depth + 1)
        self.tag(f"</{type}>", depth)

    def elements(self, plan: "_Plan", content: Json, depth: int) -> None:
        for name, named in _present(plan, content):
            self.element(name, named, content.get(name), content.get(f"_{name}"), depth)

    def element(self, name: str, named: Named, value: Any, sibling: Any, depth: int) -> None:
        element, type = named
        if type.code == "xhtml":
            self.tag(as_xml(value), depth)
            return
        values = value if element.many and value is not None else [value]
        siblings = sibling if element.many and sibling is not None else [sibling]
        for index in range(max(len(values), len(siblings))):
            one: Any = values[index] if index < len(values) else None
            if type.is_primitive:
                self.primitive(name, one, siblings[index] if index < len(siblings) else None, depth)
            elif type.code == "Resource":
                self.tag(f"<{name}>", depth)
                self.resource(one, depth + 1)
                self.tag(f"</{name}>", depth)
            else:
                self.object(name, "", one, _plan(element.structure or type.code), depth)

    def primitive(self, name: str, value: Any, sibling: Json | None, depth: int) -> None:
        said = "" if value is None else f' value="{attribute(_text(value))}"'
        if sibling:
            self.object(name, said, sibling, _plan("Element"), depth)
        else:
            self.tag(f"<{name}{said}/>", depth)

    def object(self, name: str, attributes: str, content: Json, plan: "_Plan", depth: int) -> None:
        written = [f' {own}="{attribute(content[own])}"' for own in sorted(plan.attributes & content.keys())]
        start = f"<{name}{attributes}{''.join(written)}"
        if len(content) == len(written):
            self.tag(f"{start}/>", depth)
            return
        self.tag(f"{start}>", depth)
        self.elements(plan, content, depth + 1)
        self.tag(f"</{name}>", depth)


def _present(plan: "_Plan", content: Json) -> Iterator[tuple[str, Named]]:
    """The elements that are there, each once, in their order."""
    names = {key.removeprefix("_") for key in content} - plan.apart
    for name in sorted(names, key=plan.places.__getitem__):
        yield name, plan.named[name]


class _Plan:
    """What writing needs to know of a definition.

    attributes  elements that are written as such
    apart       what is no child: attributes, and the type of a resource, which is its tag
    """

    __slots__ = ("apart", "attributes", "named", "places")

    def __init__(self, found: Definition) -> None:
        self.named = found.named
        self.places = {name: place for place, name in enumerate(found.named)}
        self.attributes = frozenset(name for name, named in found.named.items() if named.element.attribute)
        self.apart = self.attributes | ({"resourceType"} if found.kind == "resource" else frozenset())


@cache
def _plan(name: str) -> _Plan:
    return _Plan(definition(name))


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    text = getattr(value, "text", None)
    return text if isinstance(text, str) else str(value)
