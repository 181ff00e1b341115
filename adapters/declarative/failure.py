"""What is wrong with a mapping: where (file, line, path) and what to do about it."""

from collections.abc import Iterable
from dataclasses import dataclass

Path = tuple[str | int, ...]
"""A place inside the mapping, e.g. ("rules", 0, "time")."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing to mend. `line` counts from 1; None where the text gives no lines."""

    path: Path
    message: str
    line: int | None = None


class MappingError(Exception):
    """A mapping that cannot be used; `faults` are all that were found, and the text of the error has one a line."""

    def __init__(self, name: str, faults: Iterable[Fault]) -> None:
        self.name, self.faults = name, tuple(faults)
        super().__init__("\n".join(_written(name, fault) for fault in self.faults))


class Unusable(Exception):
    """Raised while a mapping is compiled, never out of `load`: one fault, its line not yet known."""

    def __init__(self, path: Path, message: str) -> None:
        super().__init__(message)
        self.path, self.message = path, message


def written(path: Path) -> str:
    """rules[0].time.format, as editors and people write it."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".") or "the mapping"


def _written(name: str, fault: Fault) -> str:
    place = name if fault.line is None else f"{name}:{fault.line}"
    return f"{place}: {written(fault.path)}: {fault.message}"
