"""Who may import whom: DESIGN 3. The contracts are rows of [tool.importlinter] in pyproject.toml."""

import ast
from itertools import permutations
from pathlib import Path

import pytest
from importlinter.cli import lint_imports

from tests.architecture.tree import MODULES, ROOT, imported, parsed, strings

PURE = ("hub/search", "fhir_profiles", "adapters", "audit/chain", "audit/events", "audit/verify", "security/access", "security/consent")
PURE_MODULES = [path for path in MODULES if str(path).startswith(PURE)]
NOW = {"now", "utcnow", "today", "environ", "getenv"}
"""Of whatever it is an attribute: a class may go by another name."""
NEEDED_OF_EACH_PRODUCT = {"README.md", "__init__.py", "mapping.py", "parse.py"}
"""What is peculiar to a format (a table of columns, its dates) may have modules of its own beside these."""

PRODUCTS = sorted(path.parent for path in (ROOT / "adapters").glob("*/parse.py"))


def test_the_import_contracts_are_kept(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(ROOT)
    assert lint_imports(no_cache=True) == 0, capsys.readouterr().out


def test_a_pure_module_asks_no_clock_and_no_environment() -> None:
    """DESIGN 3: time comes in as an argument; imports cannot show `datetime.now()`."""
    assert {str(path): found for path in PURE_MODULES if (found := attributes(path) & NOW)} == {}
    assert {str(path): found for path in PURE_MODULES if (found := called(path) & {"open", "input", "print"})} == {}


def test_no_module_knows_the_fhir_library() -> None:
    """docs/adr/0010: fhir.resources is the tests' second judge and nothing that runs."""
    named = {str(path) for path in MODULES for name in imported(path) | strings(path) if name.startswith(("fhir.", "fhir_core."))}
    assert named == set()


def test_every_product_has_the_same_files() -> None:
    """DESIGN 3: one folder per product with the same file names in each."""
    missing = {str(folder.relative_to(ROOT)): NEEDED_OF_EACH_PRODUCT - {path.name for path in folder.iterdir()} for folder in PRODUCTS}
    assert {folder: names for folder, names in missing.items() if names} == {}


def test_products_do_not_know_each_other() -> None:
    """DESIGN 3: a new adapter is one folder; none leans on another."""
    known = {
        (one.name, other.name)
        for one, other in permutations(PRODUCTS, 2)
        for path in one.rglob("*.py")
        if any(f"{name}.".startswith(f"adapters.{other.name}.") for name in imported(path.relative_to(ROOT)))
    }
    assert known == set()


def test_operation_outcomes_are_made_in_one_place() -> None:
    """DESIGN 3: `outcomes` is the only place that turns an error into an OperationOutcome."""
    assert [str(path) for path in MODULES if "OperationOutcome" in resource_types_made(path)] == ["hub/outcomes.py"]


def attributes(path: Path) -> set[str]:
    """ "now" for `datetime.now`."""
    return {node.attr for node in ast.walk(parsed(path)) if isinstance(node, ast.Attribute)}


def called(path: Path) -> set[str]:
    return {node.func.id for node in ast.walk(parsed(path)) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}


def resource_types_made(path: Path) -> set[object]:
    """What is written as {"resourceType": …}."""
    pairs = [pair for node in ast.walk(parsed(path)) if isinstance(node, ast.Dict) for pair in zip(node.keys, node.values, strict=True)]
    constants = [(key.value, value.value) for key, value in pairs if isinstance(key, ast.Constant) and isinstance(value, ast.Constant)]
    return {value for key, value in constants if key == "resourceType"}
