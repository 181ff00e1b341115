"""From a name or a folder to an adapter under examination: the adapter, its fixtures, its exemptions, its hash."""

import importlib
import json
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, Final

from adapters.contract import Adapter, Context
from adapters.discovery import GROUP, BrokenAdapter, adapters, collect
from adapters.kit.rule import Fixture, Subject
from hub.cli.kit.bench import HubBench

EXPECTED, GOLDEN, CONTEXT, NAMES, EXEMPTIONS = ".expected.json", ".fhir.json", ".context.json", ".names.json", "exemptions.json"
BESIDE: Final = (EXPECTED, GOLDEN, CONTEXT, NAMES)
"""Endings of what stands beside a fixture NAME as NAME + ending."""
FIXTURE_FOLDERS: Final = ("tests/fixtures", "fixtures")


class NoSubject(Exception):
    """There is no such adapter, or it cannot be loaded; says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """fixtures is the folder; `code` the files that the adapter consists of."""

    adapter: Adapter
    fixtures: Path
    code: Path

    def subject(self) -> Subject:
        return Subject(adapter=self.adapter, fixtures=tuple(map(_fixture, payloads(self.fixtures))), bench=HubBench())

    def exemptions(self) -> Mapping[str, str]:
        """Id of a rule to the reason why it does not hold, from exemptions.json in the folder of fixtures."""
        path = self.fixtures / EXEMPTIONS
        made: Mapping[str, str] = _json(path) if path.is_file() else {}
        return made

    def digest(self) -> str:
        """SHA-256 over the names and contents of the adapter's files: another file, another hash."""
        told = sha256()
        for path in sorted(path for path in self.code.rglob("*") if path.is_file() and "__pycache__" not in path.parts):
            told.update(path.relative_to(self.code).as_posix().encode() + b"\0" + sha256(path.read_bytes()).digest())
        return told.hexdigest()


def find(name_or_path: str, fixtures: Path | None = None) -> Found:
    """An installed adapter by its name, or one in a folder with a pyproject.toml, installed or not. Raises NoSubject."""
    folder = Path(name_or_path)
    if (folder / "pyproject.toml").is_file():
        return _in_folder(folder.resolve(), fixtures)
    try:
        found = adapters().get(name_or_path)
    except BrokenAdapter as error:
        raise NoSubject(str(error)) from None
    if found is None:
        raise NoSubject(f"{name_or_path!r} is neither an installed adapter ({', '.join(adapters())}) nor a folder with a pyproject.toml")
    (point,) = entry_points(group=GROUP, name=name_or_path)
    code = _code_of(point.module)
    return Found(adapter=found, fixtures=fixtures or _fixtures_near(code), code=code)


def payloads(folder: Path) -> list[Path]:
    """The fixtures of a folder: every file but those that stand beside one."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.is_file() and not path.name.endswith(BESIDE) and path.name != EXEMPTIONS)


def _in_folder(folder: Path, fixtures: Path | None) -> Found:
    points = tomllib.loads((folder / "pyproject.toml").read_text()).get("project", {}).get("entry-points", {}).get(GROUP, {})
    if len(points) != 1:
        raise NoSubject(f'{folder}/pyproject.toml must name one adapter under [project.entry-points."{GROUP}"]; it names {len(points)}')
    ((name, value),) = points.items()
    for place in (str(folder / "src"), str(folder)):
        if place not in sys.path:
            sys.path.insert(0, place)
    importlib.invalidate_caches()
    try:
        found = collect([EntryPoint(name=name, value=value, group=GROUP)])[name]
    except BrokenAdapter as error:
        raise NoSubject(str(error)) from None
    given = fixtures or next((folder / one for one in FIXTURE_FOLDERS if (folder / one).is_dir()), folder / FIXTURE_FOLDERS[0])
    return Found(adapter=found, fixtures=given, code=_code_of(value.partition(":")[0]))


def _code_of(module: str) -> Path:
    """The folder of the package that the entry point names: of a mapping in YAML, that of the mapping."""
    return Path(str(sys.modules[module].__file__)).resolve().parent


def _fixtures_near(code: Path) -> Path:
    """In the package itself, or in the checkout beside it."""
    inside = code / "fixtures"
    return inside if inside.is_dir() else code.parents[1] / "tests" / "adapters" / "fixtures" / code.name


def _fixture(path: Path) -> Fixture:
    said = _beside(path, CONTEXT) or {}
    return Fixture(
        name=path.name,
        payload=path.read_bytes(),
        expected=_beside(path, EXPECTED),
        golden=_beside(path, GOLDEN),
        names=_beside(path, NAMES) or (),
        context=Context(media_type=said.get("media_type"), device=said.get("device")),
    )


def _beside(path: Path, ending: str) -> Any:
    beside = path.with_name(path.name + ending)
    return _json(beside) if beside.is_file() else None


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(), parse_float=Decimal)
    except ValueError:
        raise NoSubject(f"{path} is not JSON") from None
