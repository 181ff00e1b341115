"""The one place that knows fhir.resources: is a parsed JSON object a resource of FHIR R4 (4.0.1)?

The library ships R4B. Where R4 differs, or where R4B's classes say less than the specification, `r4.json`, `primitives`
and `invariants` add it. The classes serve as definitions and not as parsers: their own validation coerces JSON types,
takes several times as long, refuses some right values (a uuid that is not of version 4) and repeats the offending value
in its message. The tests hold the two against each other.

The JSON is never rewritten, so the digits of a decimal survive in the bytes that the caller keeps.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from importlib import import_module
from importlib.resources import files
from types import MappingProxyType, UnionType
from typing import Annotated, Any, Final, Union, get_args, get_origin
from uuid import UUID

import orjson

from fhir_profiles.invariants import ANY_RESOURCE, INVARIANTS
from fhir_profiles.primitives import PRIMITIVES
from fhir_profiles.structure import Choice, Definition, Element, Problem, Walk

__all__ = ["RESOURCE_TYPES", "Problem", "check", "warm"]

_DATA: Final[Mapping[str, Any]] = orjson.loads(files("fhir_profiles").joinpath("r4.json").read_bytes())

RESOURCE_TYPES: Final[frozenset[str]] = frozenset(_DATA["resource_types"])
"""The resource types that can be checked."""


def check(resource: Mapping[str, Any]) -> tuple[Problem, ...]:
    """Say what keeps this parsed JSON object from being a resource of R4; nothing means that it is one.

    At most `structure.PROBLEMS_MAX` problems are named, in the order of the elements; no text repeats a value, because
    values may identify a person. Profiles are not looked at. The first resource of a type costs the import of its class
    (see `warm`).
    """
    walk = Walk(_of_type, _primitive_extension)
    walk.resource(resource, (), 0)
    return tuple(walk.problems)


def warm(types: Iterable[str]) -> None:
    """Read the definitions of these resource types, and of all that they consist of, before the first request.

    Raises ValueError for a type that cannot be checked.
    """
    waiting = [_definition(_class(type)) for type in types]
    seen: set[str] = set()
    while waiting:
        definition = waiting.pop()
        if definition.name not in seen:
            seen.add(definition.name)
            waiting.extend(part for element in definition.elements.values() if (part := element.definition()) is not None)


@cache
def _class(type: str) -> Any:
    """Import the library's class of a resource type."""
    if type not in RESOURCE_TYPES:
        raise ValueError("not a resource type that can be checked against R4")
    return getattr(import_module(f"fhir.resources.R4B.{type.lower()}"), type)


def _of_type(type: Any) -> Definition | None:
    return _definition(_class(type)) if isinstance(type, str) and type in RESOURCE_TYPES else None


@cache
def _primitive_extension() -> Definition:
    return _definition(import_module("fhir.resources.R4B.fhirprimitiveextension").FHIRPrimitiveExtension)


@cache
def _definition(model: Any) -> Definition:
    """Read a class of the library. Its fields know their JSON name, type and choice; primitives have a field for extensions."""
    name: str = model.get_resource_type()
    not_in_r4 = frozenset(_DATA["added_in_r4b"].get(name, ())) | {"fhir_comments", "resource_type"}
    fields = {field.alias or key: field for key, field in model.model_fields.items()}
    plain = {alias: field for alias, field in fields.items() if not alias.startswith("_") and alias not in not_in_r4}
    is_resource: bool = model.has_resource_base()
    return Definition(
        name=name,
        is_resource=is_resource,
        elements=MappingProxyType({alias: _element(name, alias, field, f"_{alias}" in fields) for alias, field in plain.items()}),
        required=tuple(alias for alias, field in plain.items() if field.is_required() or _extra(field).get("element_required")),
        choices=_choices(plain),
        invariants=INVARIANTS.get(name, ()) + (ANY_RESOURCE if is_resource else ()),
    )


def _extra(field: Any) -> Mapping[str, Any]:
    extra: Mapping[str, Any] = field.json_schema_extra or {}
    return extra


def _choices(fields: Mapping[str, Any]) -> tuple[Choice, ...]:
    names: dict[str, list[str]] = {}
    required: dict[str, bool] = {}
    for alias, field in fields.items():
        path = _extra(field).get("one_of_many")
        if path:
            names.setdefault(path, []).append(alias)
            required[path] = bool(_extra(field).get("one_of_many_required"))
    return tuple(Choice(path=path, names=tuple(aliases), required=required[path]) for path, aliases in names.items())


def _element(definition: str, alias: str, field: Any, extensible: bool) -> Element:
    many, primitive, model = _type(field.annotation, tuple(field.metadata))
    return Element(
        name=alias,
        path=_extra(field).get("one_of_many") or alias,
        many=many,
        primitive=primitive,
        holds=None if primitive is None else PRIMITIVES[primitive],
        load=None if model is None or model.__name__ == "ResourceType" else lambda: _definition(model.get_model_klass()),
        codes=_codes(definition, alias, field),
        extensible=extensible,
    )


def _codes(definition: str, alias: str, field: Any) -> frozenset[str] | None:
    """Codes of a required binding. The library copies the short description of an element, which may end in "+"."""
    bound = _DATA["required_bindings"].get(f"{definition}.{alias}") or _extra(field).get("enum_values")
    return frozenset(bound) if bound and "+" not in bound else None


def _type(annotation: Any, marks: tuple[Any, ...]) -> tuple[bool, str | None, Any]:
    """(repeats, name of the primitive type, the library's loader of a class) from the annotation of a field."""
    primitive = next((mark.__visit_name__ for mark in marks if hasattr(mark, "__visit_name__")), None)
    if primitive is not None:
        return False, primitive, None
    origin = get_origin(annotation)
    if origin is Annotated:
        inner, *inner_marks = get_args(annotation)
        return (False, "uuid", None) if inner is UUID else _type(inner, tuple(inner_marks))
    if origin in (Union, UnionType):
        return _type(next(part for part in get_args(annotation) if part is not type(None)), ())
    if origin is list:
        return (True, *_type(get_args(annotation)[0], ())[1:])
    return (False, "boolean", None) if annotation is bool else (False, None, annotation)
