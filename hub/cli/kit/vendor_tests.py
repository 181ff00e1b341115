"""For a vendor's own tests: the conformance kit as a list of results."""

from functools import cache
from pathlib import Path

from adapters.kit.examine import examine
from adapters.kit.rule import Result
from hub.cli.kit.subject import find


@cache
def results(folder: Path) -> tuple[Result, ...]:
    """Every rule on the adapter of a folder with a pyproject.toml. Raises NoSubject."""
    found = find(str(folder))
    return tuple(examine(found.subject(), found.exemptions()))
