"""The code systems and value sets that the hub ships, by canonical url: HL7's of R4 (`generate`), and ours.

https://hl7.org/fhir/R4/references.html#canonical: a version may follow the url after a bar; another version is another thing.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Final

import orjson

from fhir_profiles.terminology.code_systems import CodeSystem, read

Resource = Mapping[str, Any]
TYPES: Final = ("CodeSystem", "ValueSet")


def value_set(canonical: str) -> Resource | None:
    """The shipped ValueSet with this canonical url."""
    return _of_version(shipped("ValueSet"), canonical)


def code_system_resource(canonical: str) -> Resource | None:
    return _of_version(shipped("CodeSystem"), canonical)


def code_system(canonical: str) -> CodeSystem | None:
    """The shipped CodeSystem with this canonical url, read."""
    resource = code_system_resource(canonical)
    return None if resource is None else _read(resource["url"])


@cache
def shipped(type: str) -> Mapping[str, Resource]:
    """Every shipped CodeSystem or ValueSet by its url."""
    return MappingProxyType({resource["url"]: resource for resource in (*_theirs(type), *_ours(type))})


@cache
def _read(url: str) -> CodeSystem:
    return read(shipped("CodeSystem")[url])


def _of_version(resources: Mapping[str, Resource], canonical: str) -> Resource | None:
    url, _, version = canonical.partition("|")
    resource = resources.get(url)
    return resource if resource is not None and version in ("", resource.get("version")) else None


def _theirs(type: str) -> list[Resource]:
    name = {"CodeSystem": "code_systems.json", "ValueSet": "value_sets.json"}[type]
    resources: list[Resource] = orjson.loads(files("fhir_profiles.terminology").joinpath(name).read_bytes())
    return resources


def _ours(type: str) -> Iterator[Resource]:
    for path in files("fhir_profiles").joinpath("structure_definitions").iterdir():
        if path.name.startswith(f"{type}-"):
            yield orjson.loads(path.read_bytes())
