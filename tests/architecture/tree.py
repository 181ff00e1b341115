"""The tree that the tests of this folder look at."""

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from itertools import takewhile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TABLE_HEAD_LINES = 2
ROOMS = ("hub", "fhir_profiles", "adapters", "security", "audit")
MODULES = tuple(sorted(path.relative_to(ROOT) for room in ROOMS for path in (ROOT / room).rglob("*.py")))


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse((ROOT / path).read_text())


@cache
def tracked() -> tuple[Path, ...]:
    """The files that are committed, or would be: relative paths."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True
    )
    names = listed.stdout.decode().split("\0")
    return tuple(Path(name) for name in names if name and (ROOT / name).is_file())


def texts() -> Iterator[tuple[Path, str]]:
    """Those of them that are text."""
    for path in tracked():
        try:
            yield path, (ROOT / path).read_text()
        except UnicodeDecodeError:
            continue


def imported(path: Path) -> frozenset[str]:
    """Dotted names of all modules a file imports, wherever in the file it does."""
    names: set[str] = set()
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module)
    return frozenset(names)


def functions_of(path: str) -> frozenset[str]:
    """Names of the functions of a file below tests/."""
    nodes = ast.walk(parsed(ROOT / "tests" / path))
    return frozenset(node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def rows_of(section: str) -> Iterator[str]:
    """Lines of the table with which a section of a page begins, without its head."""
    lines = section.strip().splitlines()
    yield from takewhile(lambda line: line.startswith("|"), lines[TABLE_HEAD_LINES:])


def strings(path: Path) -> frozenset[str]:
    return frozenset(node.value for node in ast.walk(parsed(path)) if isinstance(node, ast.Constant) and isinstance(node.value, str))
