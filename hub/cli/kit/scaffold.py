"""A vendor's package from a few answers: worksheet, mapping, reader, simulator, fixture and test, green before anything is edited."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, Literal

from jinja2 import Environment, PackageLoader, StrictUndefined

from adapters.contract import Transport
from adapters.declarative import schema
from adapters.kit.checks.simulation import scenes_of
from adapters.kit.scene import Scene
from adapters.reading import TimeKind
from fhir_profiles.catalogue import MEASURES, Measure
from hub.cli.kit import golden
from hub.cli.kit.subject import EXPECTED, find

Format = Literal["json", "csv"]
KINDS: Final = ("utc", "offset", "local")
"""A counter without a calendar is for code by hand: nothing can be stored of it without the moment at which it was read."""

USUAL: Final[Mapping[str, tuple[str, str, int]]] = {
    "body-weight": ("52", "98", 1),
    "body-height": ("152", "194", 0),
    "body-temperature": ("36.1", "37.9", 1),
    "body-fat-percentage": ("14", "38", 1),
    "heart-rate": ("52", "104", 0),
    "respiratory-rate": ("10", "22", 0),
    "oxygen-saturation": ("93", "99", 0),
    "systolic": ("104", "148", 0),
    "diastolic": ("58", "92", 0),
    "mean": ("74", "110", 0),
    "glucose-interstitial": ("70", "180", 0),
    "glucose-capillary": ("70", "180", 0),
}
"""From, to and decimals, in the canonical unit; what is not here gets the middle of what is possible."""

TIME_WORDS: Final[Mapping[str, str]] = {
    "utc": "an instant in UTC",
    "offset": "local time with its offset",
    "local": "a wall clock without a zone, which the sender of the payload states",
}
TIME_HINTS: Final[Mapping[str, str]] = {
    "utc": "ISO 8601 in UTC, such as 2024-05-06T07:08:09Z",
    "offset": "ISO 8601 with its offset, such as 2024-05-06T07:08:09+02:00",
    "local": "ISO 8601 without a zone, such as 2024-05-06T07:08:09",
}
MEDIA_TYPES: Final[Mapping[str, str]] = {"json": "application/json", "csv": "text/csv"}
_NAME: Final = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")


class BadAnswer(ValueError):
    """An answer of which no package can be made; says which and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What the scaffold asks.

    name        of the adapter, as in `POST /ingest/{name}`
    measures    keys of the catalogue
    declarative  a mapping in YAML instead of code
    """

    name: str
    product: str
    manufacturer: str
    transports: tuple[Transport, ...]
    measures: tuple[str, ...]
    time_kind: TimeKind
    format: Format
    declarative: bool = False


def make(answers: Answers, into: Path) -> Path:
    """Write the package below `into` and return its folder. Raises BadAnswer, FileExistsError."""
    rows = [_row(key) for key in _checked(answers).measures]
    folder, module = into / answers.name, answers.name.replace("-", "_") + "_adapter"
    folder.mkdir(parents=True)
    said = _said(answers, module, rows)
    for place, template in _files(module, answers).items():
        path = folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_rendered(template, said))
    if answers.declarative:
        (folder / "src" / module / "mapping.schema.json").write_bytes(schema())
    _write_fixture(folder, answers.format)
    return folder


def _checked(answers: Answers) -> Answers:
    if not _NAME.fullmatch(answers.name):
        raise BadAnswer("NAME: lower case letters, digits and hyphens, beginning with a letter")
    if not answers.product.strip() or not answers.manufacturer.strip() or not answers.measures or not answers.transports:
        raise BadAnswer("product, manufacturer, at least one measure and one transport are needed")
    for key in answers.measures:
        if key not in MEASURES:
            raise BadAnswer(f"measure: {key!r} is not in the catalogue; there are: {', '.join(sorted(usable()))}")
        if key not in usable():
            raise BadAnswer(f"measure: {key!r} is no plain quantity; take another for the scaffold, and add it by hand")
    return answers


def usable() -> Mapping[str, Measure]:
    """What the scaffold can write a row for: quantities, and sets of quantities."""
    return {key: one for key, one in MEASURES.items() if one.medication is None and (_plain(one) or _all_plain(one))}


def _plain(measure: Measure) -> bool:
    return bool(measure.units) and not measure.sampled


def _all_plain(measure: Measure) -> bool:
    return bool(measure.components) and all(_plain(one) for one in measure.components.values())


def _row(key: str) -> dict[str, Any]:
    """A row of mapping.py: the word is the measure's own name until the worksheet says the vendor's."""
    measure = MEASURES[key]
    parts = {name: one for name, one in measure.components.items() if one.required} or measure.components or {"": measure}
    usual = {name: _usual(one) for name, one in parts.items()}
    first = next(iter(parts.values()))
    codings = measure.codings or next(iter(measure.units.values())).codings
    return {
        "word": key.replace("-", "_"),
        "measure": key,
        "unit": first.canonical,
        "fields": {name: name or "value" for name in parts},
        "decimals": max(decimals for _, _, decimals in usual.values()),
        "usual": {name: (low, high) for name, (low, high, _) in usual.items()},
        "codes": ", ".join(coding.code for coding in codings),
        "possible": "; ".join(f"{name or 'value'} {one.low} to {one.high}" for name, one in parts.items()),
    }


def _usual(measure: Measure) -> tuple[str, str, int]:
    if measure.key in USUAL:
        return USUAL[measure.key]
    middle = (measure.low + measure.high) / 2
    return _short(middle), _short(middle + (measure.high - measure.low) / 8), 2


def _short(number: Decimal) -> str:
    return f"{number:.2f}"


def _said(answers: Answers, module: str, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {
        "name": answers.name,
        "package": f"{answers.name}-adapter",
        "module": module,
        "product": answers.product,
        "manufacturer": answers.manufacturer,
        "transports": answers.transports,
        "time_kind": answers.time_kind,
        "format": answers.format,
        "media_type": MEDIA_TYPES[answers.format],
        "identifier_system": f"https://{answers.name}.example/unit",
        "rows": rows,
        "value_fields": list(dict.fromkeys(field for row in rows for field in row["fields"].values())),
        "time_words": TIME_WORDS,
        "time_hint": TIME_HINTS[answers.time_kind],
        "declarative": answers.declarative,
    }


def _files(module: str, answers: Answers) -> Mapping[str, str]:
    """Place in the package -> template."""
    code = {
        f"src/{module}/__init__.py": "__init__.py.j2",
        f"src/{module}/mapping.py": "mapping.py.j2",
        f"src/{module}/parse.py": f"parse_{answers.format}.py.j2",
        f"src/{module}/simulate.py": "simulate.py.j2",
    }
    declared = {
        f"src/{module}/__init__.py": "__init__declarative.py.j2",
        f"src/{module}/mapping.yaml": "mapping.yaml.j2",
        f"src/{module}/simulate.py": "simulate_declarative.py.j2",
    }
    return {
        "pyproject.toml": "pyproject.toml.j2",
        "README.md": "README.md.j2",
        "WORKSHEET.md": "WORKSHEET.md.j2",
        **(declared if answers.declarative else code),
        "tests/test_conformance.py": "test_conformance.py.j2",
    }


def _rendered(template: str, said: Mapping[str, Any]) -> str:
    made = _ENVIRONMENT.get_template(template).render(said)
    return made.rstrip("\n") + "\n"


def _quoted(text: str) -> str:
    """A string literal that both Python and TOML read."""
    return json.dumps(text, ensure_ascii=False)


def _environment() -> Environment:
    made = Environment(  # noqa: S701 - writes source files, not pages
        loader=PackageLoader("hub.cli.kit"), undefined=StrictUndefined, keep_trailing_newline=True, trim_blocks=False
    )
    made.filters["quoted"] = _quoted
    made.filters["source"] = lambda value: repr(value).replace("'", '"')
    return made


_ENVIRONMENT: Final = _environment()


def _write_fixture(folder: Path, format: Format) -> None:
    """A first payload, what a person would read in it, and the FHIR that it becomes."""
    found = find(str(folder))
    simulator = found.adapter.simulator  # type: ignore[attr-defined]
    scenes = [scene for sort in simulator.sorts for scene in scenes_of(simulator, sort)[:2]]
    scenes = [_numbered(scene, number) for number, scene in enumerate(scenes)]
    path = folder / "tests" / "fixtures" / f"first.{format}"
    path.parent.mkdir(parents=True)
    path.write_bytes(simulator.write(scenes))
    expected = [_expected(scene) for scene in scenes]
    path.with_name(path.name + EXPECTED).write_text("[\n" + ",\n".join(json.dumps(one) for one in expected) + "\n]\n")
    golden.write(found)


def _numbered(scene: Scene, number: int) -> Scene:
    return replace(scene, number=number)


def _expected(scene: Scene) -> dict[str, Any]:
    """Written from the measurement, not from what the reader makes of it."""
    said = {name: f"{value} {scene.sort.unit}" for name, value in scene.values.items()}
    made: dict[str, Any] = {"measure": scene.sort.measure, "device": scene.device}
    return made | ({"value": said[""]} if "" in said else {"components": said})
