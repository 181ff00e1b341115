"""Mapping templates of microsoft/iomt-fhir, read as they are: "device content" and "FHIR mapping" -> an adapter.

https://github.com/microsoft/iomt-fhir/blob/main/docs/Configuration.md. Both files are turned into a mapping of our own language, so
that its bounds, its units and its answers hold. Patient and encounter are not taken: whose a reading is, the pairing of its device says.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import orjson

from adapters.contract import NO_CONTEXT, Context, Evidence, Manifest
from adapters.declarative import iomt_terms
from adapters.declarative.failure import Fault, MappingError
from adapters.declarative.iomt_terms import Contradiction, Finding
from adapters.declarative.load import DeclarativeAdapter, load_document
from adapters.declarative.source import Document, JsonSource
from adapters.reading import Item
from fhir_profiles.catalogue import Measure

CONTENT, FHIR = "devicecontent.json", "fhirmapping.json"
_WRAP: Final = "message"
_WHOLE: Final = f"$document.{_WRAP}"
_HUB_DEVICE: Final = f"{_WHOLE}.SystemProperties['iothub-connection-device-id']"
_HUB_TIME: Final = f"{_WHOLE}.Properties['iothub-creation-time-utc']"
_HYPHENED: Final = re.compile(r"\.([A-Za-z_][A-Za-z0-9_]*(?:-[A-Za-z0-9_]+)+)")
_BARE: Final = re.compile(r"@(?=[A-Za-z_])")
_MATCHED: Final = "matchedToken"
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class IomtAdapter:
    """An adapter, and what its templates contradict themselves in; what that concerns is answered `terminology-mismatch` and kept."""

    manifest: Manifest
    findings: tuple[Finding, ...]
    inner: DeclarativeAdapter

    def decode(self, payload: bytes, context: Context = NO_CONTEXT) -> Iterable[Item]:
        return (replace(item, pointer=item.pointer.removeprefix(f"/{_WRAP}")) for item in self.inner.decode(payload, context))


def load(
    device_content: str,
    fhir_mapping: str,
    *,
    name: str,
    version: str,
    product: str,
    manufacturer: str,
    identifier_system: str,
    evidence: Evidence = "synthetic",
) -> IomtAdapter:
    """Return the adapter of two template files; the rest is what their language has no words for. Raises MappingError."""
    entries = {str(one.get("typeName")): one for one in _templates(_read(fhir_mapping, FHIR), "CollectionFhir", FHIR)}
    rules: list[Json] = []
    findings: list[Finding] = []
    for kind, template in _content(_read(device_content, CONTENT)):
        rule, finding = _rule(kind, template, entries, len(rules))
        rules.append(rule)
        findings += [] if finding is None else [finding]
    head = {
        "mapping": "1",
        "name": name,
        "version": version,
        "product": product,
        "manufacturer": manufacturer,
        "identifier_system": identifier_system,
        "evidence": evidence,
        "input": {"format": "json"},
        "rules": rules,
    }
    made = load_document(head, CONTENT, source=_Wrapped())
    return IomtAdapter(made.manifest, tuple(findings), made)


class _Wrapped(JsonSource):
    """Their queries look at the message itself, too; a descent of RFC 9535 looks at what lies in something only."""

    def read(self, payload: bytes) -> Iterable[Document]:
        return [Document({_WRAP: one.tree}) for one in super().read(payload) if isinstance(one, Document)]

    def write(self, trees: Any) -> bytes:
        return super().write([tree.get(_WRAP, {}) for tree in trees])


def _read(text: str, file: str) -> Json:
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise MappingError(file, [Fault((), f"This is no JSON: {error.msg}.", error.lineno)]) from None
    if type(document) is not dict:
        raise MappingError(file, [Fault((), "A template is an object with templateType and template.")])
    return document


def _templates(document: Json, collection: str, file: str) -> Iterator[Json]:
    """Give what a collection holds, or the one template that the file is."""
    if document.get("templateType") != collection:
        raise MappingError(file, [Fault(("templateType",), f"This file begins with the templateType {collection}.")])
    entries = document.get("template") or []
    if type(entries) is not list:
        raise MappingError(file, [Fault(("template",), "A collection holds a list of templates.")])
    for index, one in enumerate(entries):
        if type(one) is not dict or type(one.get("template")) is not dict:
            raise MappingError(file, [Fault(("template", index), "Each entry has templateType and template.")])
        yield one["template"]


def _content(document: Json) -> Iterator[tuple[str, Json]]:
    inner = list(_templates(document, "CollectionContent", CONTENT))
    for index, (one, template) in enumerate(zip(document.get("template") or [], inner, strict=True)):
        kind = one.get("templateType")
        if type(kind) is not str or kind not in _ANCHORS:
            known = ", ".join(_ANCHORS)
            raise MappingError(CONTENT, [Fault(("template", index, "templateType"), f"Read are {known}.")])
        yield kind, template


def _objects(given: Any) -> list[Json]:
    """The objects of a list; none of what is no list."""
    return [one for one in given if type(one) is dict] if type(given) is list else []


def _rule(kind: str, template: Json, entries: Mapping[str, Json], index: int) -> tuple[Json, Finding | None]:
    type_name = str(template.get("typeName", ""))
    device, time = _ANCHORS[kind](template)
    values = {str(one.get("valueName")): one for one in _objects(template.get("values"))}
    calculated = kind == "CalculatedContent"
    sources = {name: _expression(one.get("valueExpression"), calculated=calculated) for name, one in values.items()}
    rule: Json = {
        "name": f"template-{index}",
        "foreach": [{"record": _match(template)}],
        "device": device,
        "time": {"from": time, "format": "iso", "kind": "utc"},
    }
    try:
        return {**rule, "readings": [_reading(entries.get(type_name), sources, values)]}, None
    except Contradiction as error:
        said = f"The mapping of type {type_name!r} contradicts the catalogue: {error.message} Correct the template and replay."
        drop = {"when": {}, "code": "terminology-mismatch", "reason": said[:500], "keep": True}
        kept = [source for source in sources.values() if type(source) is str]
        return {**rule, "drop": [drop], "keep": kept, "readings": []}, Finding(type_name, error.code, error.message)


def _reading(entry: Json | None, sources: Mapping[str, Any], values: Mapping[str, Json]) -> Json:
    if entry is None:
        raise Contradiction("type-without-entry", "The FHIR mapping has no entry for the type.")
    row = iomt_terms.row_of(entry.get("codes"), iomt_terms.all_rows(), "the type")
    if not row.components:
        return {"measure": row.key, "value": _value(row, entry.get("value"), sources, values)}
    components: Json = {}
    for one in _objects(entry.get("components")):
        named = one.get("value")
        what = f"the component {str(named.get('valueName') if type(named) is dict else None)!r}"
        part = iomt_terms.row_of(one.get("codes"), row.components.values(), what)
        components[part.key] = _value(part, one.get("value"), sources, values)
    if not components:
        raise Contradiction("no-components", f"{row.text} consists of components, and the entry has none.")
    return {"measure": row.key, "components": components}


def _value(row: Measure, value: Any, sources: Mapping[str, Any], values: Mapping[str, Json]) -> Json:
    given = value if type(value) is dict else {}
    name = str(given.get("valueName"))
    if given.get("valueType") not in ("Quantity", "SampledData") or row.codes or row.sampled:
        raise Contradiction("value-type", f"{row.text} is one number for each message; the entry's valueType is another.")
    if name not in sources:
        raise Contradiction("value-without-source", f"The device content gives no value called {name!r}.")
    made: Json = {"from": sources[name], "unit": iomt_terms.unit_of(row, given, f"the value {name!r}")}
    return {**made, "required": True} if values[name].get("required") is True else made


def _match(template: Json) -> str:
    text, language = _text(template.get("typeMatchExpression"))
    if language == "JmesPath":
        raise MappingError(CONTENT, [Fault(("typeMatchExpression",), "Write it in JSONPath: JMESPath does not say where a thing lies.")])
    return _rfc9535(text).replace("$", f"$.{_WRAP}", 1) if not text.startswith("$..") else _rfc9535(text)


def _expression(given: Any, *, calculated: bool) -> Any:
    """Return an expression of ours: theirs is asked of the matched token, or of the message that has it as `matchedToken`."""
    text, language = _text(given)
    if language == "JmesPath":
        inner = text.replace(f"{_MATCHED}.", "")
        return {"jmespath": inner} if inner != text or not calculated else {"jmespath": f"{_WRAP}.{text}", "of": "document"}
    path = _rfc9535(text)
    if not calculated:
        return path
    if path.startswith(f"$.{_MATCHED}"):
        return "$" + path.removeprefix(f"$.{_MATCHED}")
    return _WHOLE + path[1:]


def _text(given: Any) -> tuple[str, str]:
    if type(given) is dict:
        return str(given.get("value", "")), str(given.get("language", "JsonPath"))
    return str(given or ""), "JsonPath"


def _rfc9535(text: str) -> str:
    """Their JSONPath lets `.` after @ be left out, and names hold hyphens."""
    return _HYPHENED.sub(r"['\1']", _BARE.sub("@.", text))


def _own(template: Json) -> tuple[Any, Any]:
    return _expression(template.get("deviceIdExpression"), calculated=False), _expression(
        template.get("timestampExpression"), calculated=False
    )


def _calculated(template: Json) -> tuple[Any, Any]:
    return _expression(template.get("deviceIdExpression"), calculated=True), _expression(
        template.get("timestampExpression"), calculated=True
    )


_ANCHORS: Final[Mapping[str, Callable[[Json], tuple[Any, Any]]]] = {
    "JsonPathContent": _own,
    "CalculatedContent": _calculated,
    "IotJsonPathContent": lambda _: (_HUB_DEVICE, _HUB_TIME),
    "IotCentralJsonPathContent": lambda _: ("$.deviceId", "$.enqueuedTime"),
}
"""Kind of template -> where it takes device and time from."""
