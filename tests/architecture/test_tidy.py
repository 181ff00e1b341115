"""Sizes that keep a file readable, and nothing left for later (STYLE, head and section 8)."""

import ast
import re
from functools import cache
from pathlib import Path

from tests.architecture.tree import MODULES, ROOT, parsed, texts

FILE_LINES_MAX = 500
FILE_LINES_USUAL = 300
FUNCTION_LINES_MAX = 60
FUNCTION_LINES_MEDIAN = 10
UNFINISHED = re.compile(r"\b(?:TO[D]O|FIX[M]E|XX[X])\b|raise NotImplemented[E]rror")

SKIPS = re.compile(r"pytest\.(?:skip|xfail|importorskip)\(|mark\.(?:skip|xfail)")

Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def functions() -> list[tuple[str, Function]]:
    """Of all modules, by place and name. Not made on import: every process of a run imports every file of tests."""
    return [(f"{path}:{node.name}", node) for path in MODULES for node in ast.walk(parsed(path)) if isinstance(node, Function)]


def length(function: Function) -> int:
    return (function.end_lineno or 0) - function.lineno + 1


def lines(path: Path) -> int:
    return (ROOT / path).read_text().count("\n")


def test_no_file_has_more_than_500_lines() -> None:
    assert [str(path) for path in MODULES if lines(path) > FILE_LINES_MAX] == []


def test_no_function_has_more_than_60_lines() -> None:
    assert [name for name, function in functions() if length(function) > FUNCTION_LINES_MAX] == []


def test_every_function_says_what_it_returns() -> None:
    assert [name for name, function in functions() if function.returns is None] == []


def test_nine_modules_of_ten_fit_into_300_lines() -> None:
    longer = [str(path) for path in MODULES if lines(path) > FILE_LINES_USUAL]
    assert len(longer) <= len(MODULES) / 10, longer


def test_the_median_function_fits_into_ten_lines() -> None:
    """STYLE, head: 5 to 12 lines at the median in the codebases that are pleasant to read."""
    lengths = sorted(length(function) for _, function in functions())
    assert lengths[len(lengths) // 2] <= FUNCTION_LINES_MEDIAN


def test_no_test_skips_itself_but_for_what_cannot_be_installed_with_the_rest() -> None:
    """The real samples, a browser, an MQTT broker, and the toolchains of other languages: asked for in one place each, with the reason."""
    places = {path.as_posix() for path, text in texts() if path.parts[0] == "tests" and path.suffix == ".py" and SKIPS.search(text)}
    assert places == {"tests/support/payloads.py", "tests/support/browser.py", "tests/support/broker.py", "tests/e2e/clients/given.py"}


def test_nothing_is_left_for_later() -> None:
    left = [str(path) for path, text in texts() if path.suffix in {".py", ".yaml", ".toml", ".md", ""} and UNFINISHED.search(text)]
    assert left == []
