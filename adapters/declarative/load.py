"""The text of a mapping -> an adapter. Pure: whoever has the text may load it, from a file, a package or a form."""

from collections.abc import Iterable, Mapping
from importlib.resources import files
from typing import Any, Final

import orjson
from pydantic import ValidationError

from adapters.contract import NO_CONTEXT, Context, Manifest
from adapters.declarative import advice, model, text
from adapters.declarative.compile import Compiled, compile_mapping
from adapters.declarative.csv_source import CsvSource
from adapters.declarative.decode import decode
from adapters.declarative.failure import Fault, MappingError, Path, Unusable
from adapters.declarative.source import JsonSource, NdjsonSource, Source
from adapters.declarative.xml_source import XmlSource
from adapters.reading import Item

MAPPING_FILE: Final = "mapping.yaml"
SCHEMA_ID: Final = "http://hds-hub.invalid/schema/mapping-1.json"
_NO_LINES: Final[Mapping[Path, int]] = {}


class DeclarativeAdapter:
    """An adapter made of a mapping. `decode` is pure, as the contract says."""

    def __init__(self, manifest: Manifest, mapping: Compiled, source: Source) -> None:
        self.manifest, self._mapping, self._source = manifest, mapping, source
        self.simulator: object | None = None
        """What writes payloads for the conformance kit (`adapters.kit.scene`), where somebody has written one."""

    def decode(self, payload: bytes, context: Context = NO_CONTEXT) -> Iterable[Item]:  # noqa: ARG002 - the payload says it all
        return decode(self._mapping, self._source, payload)


def load(content: str, name: str = MAPPING_FILE) -> DeclarativeAdapter:
    """Return the adapter that a mapping describes.

    content  YAML or JSON text
    name     of the file, for errors

    Raises MappingError with every place that is wrong and what to do.
    """
    document, lines = text.read(content, name)
    return load_document(document, name, lines)


def load_document(
    document: object, name: str, lines: Mapping[Path, int] = _NO_LINES, *, source: Source | None = None
) -> DeclarativeAdapter:
    """Return the adapter of a mapping that is no text any more; `source` reads the payload if not the one that `input` names.

    Raises MappingError.
    """
    try:
        mapping = model.Mapping.model_validate(document)
    except ValidationError as error:
        raise MappingError(name, _faults(error, document, lines)) from None
    try:
        compiled = compile_mapping(mapping)
    except Unusable as error:
        place = advice.written_place(error.path, document)
        raise MappingError(name, [Fault(place, error.message, text.line_of(place, lines))]) from None
    source = source or _source(mapping)
    return DeclarativeAdapter(_manifest(mapping, compiled, source), compiled, source)


def packaged(package: str, file: str = MAPPING_FILE, *, simulator: object | None = None) -> DeclarativeAdapter:
    """Load the mapping in a package; there `adapter` is what this gives for `__name__`. Raises MappingError."""
    made = load(files(package).joinpath(file).read_text("utf-8"), f"{package.replace('.', '/')}/{file}")
    made.simulator = simulator
    return made


def schema() -> bytes:
    """Return the JSON Schema (2020-12) of mappings, as the file schema.json beside this module has it."""
    made = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": SCHEMA_ID, **model.Mapping.model_json_schema()}
    return orjson.dumps(made, option=orjson.OPT_INDENT_2) + b"\n"


def _source(mapping: model.Mapping) -> Source:
    match mapping.input:
        case model.Csv(header=header):
            return CsvSource(header)
        case model.Xml():
            return XmlSource()
        case model.Json(format="ndjson"):
            return NdjsonSource()
    return JsonSource()


def _manifest(mapping: model.Mapping, compiled: Compiled, source: Source) -> Manifest:
    return Manifest(
        name=mapping.name,
        version=mapping.version,
        product=mapping.product,
        manufacturer=mapping.manufacturer,
        media_types=source.media_types,
        identifier_system=mapping.identifier_system,
        needs_time_zone="local" in compiled.time_kinds,
        measures=compiled.measures,
        transports=tuple(mapping.transports),
        time_kinds=compiled.time_kinds,
        evidence=mapping.evidence,
    )


def _faults(error: ValidationError, document: object, lines: Mapping[Path, int]) -> Iterable[Fault]:
    """Say each fault once: of a union every member has its own complaint."""
    seen: dict[Path, Fault] = {}
    for one in error.errors(include_url=False, include_input=False):
        path = _path(one["loc"], document)
        message = advice.of(one)
        if one["type"] == "missing":
            path = (*path, str(one["loc"][-1]))
        known = seen.get(path)
        if known is None:
            seen[path] = Fault(path, f"{message}.", text.line_of(path, lines))
        elif message not in known.message:
            seen[path] = Fault(path, f"{known.message[:-1]}, or {message}.", known.line)
    return seen.values()


def _path(loc: tuple[int | str, ...], document: object) -> Path:
    """Keep of pydantic's place what lies in the document: it also names the members of unions that it tried."""
    path: list[str | int] = []
    node: Any = document
    for part in loc:
        inside = part in node if isinstance(node, dict) else isinstance(node, list) and not isinstance(part, str) and part < len(node)
        if inside:
            node = node[part]
            path.append(part)
    return tuple(path)
