"""docs/smart.md: what SMART App Launch 2.2 asks, and which test shows it. `python -m tests.spec.smart.blackbox.table` writes it.

A test says in its docstring what it shows: "15. SMART 2.2 …" for a behaviour by its number, "Beyond: …" for what the guide or an RFC asks
and the guide's own test kit leaves untested.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.spec.smart.blackbox.behaviours import BEHAVIOURS

HERE = Path(__file__).parent
ROOT = HERE.parents[3]
PAGE = ROOT / "docs/smart.md"
SAID = re.compile(r"(?:(?P<number>\d+)\.|(?P<beyond>Beyond):) (?P<clause>.+)", re.DOTALL)

HEAD = (HERE / "page.md").read_text()


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A test: what it shows (`number`: of a behaviour, None beyond them), by which clause, and where."""

    number: int | None
    clause: str
    name: str
    file: str

    @property
    def words(self) -> str:
        return self.name.removeprefix("test_").replace("_", " ")

    @property
    def link(self) -> str:
        return f"[{self.file.removeprefix('test_').removesuffix('.py')}](../tests/spec/smart/blackbox/{self.file})"


def shown() -> Iterator[Shown]:
    """Every test of the suite, in the order of the files. A docstring of another form is an error (ValueError)."""
    for path in sorted(HERE.glob("test_*.py")):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                said = SAID.fullmatch(ast.get_docstring(node) or "")
                if said is None:
                    raise ValueError(f"{path.name}: {node.name} does not say what it shows")
                number = None if said["number"] is None else int(said["number"])
                yield Shown(number=number, clause=" ".join(said["clause"].split()), name=node.name, file=path.name)


def page() -> str:
    tests = list(shown())
    rows = [_behaviour(number, [one for one in tests if one.number == number]) for number in BEHAVIOURS]
    beyond = [f"| {one.words} | {_cell(one.clause)} | {one.link} |" for one in tests if one.number is None]
    return HEAD.replace("BEHAVIOURS\n", "\n".join(rows) + "\n").replace("BEYOND\n", "\n".join(beyond) + "\n")


def _behaviour(number: int, tests: list[Shown]) -> str:
    names = "<br>".join(f"{one.words} ({one.link})" for one in tests)
    clause = _cell(tests[0].clause.partition(": ")[0]) if tests else ""
    return f"| {number} | {BEHAVIOURS[number]} | {clause} | {names} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page())
