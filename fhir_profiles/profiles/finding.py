"""What a check against a profile finds, and the errors of a profile that cannot be checked."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, Literal

from fhir_profiles.structure import ProblemCode

FINDINGS_MAX: Final = 50

Severity = Literal["error", "warning", "information"]
Path = tuple[Any, ...]
"""(where it hangs, FHIRPath name, index or None); () is the top. Put into words only when something is found."""


class ProfileError(Exception):
    """A StructureDefinition that cannot be followed. The text names elements of it and what is not understood."""


@contextmanager
def understood() -> Iterator[None]:
    """Around the compiling of a definition that may be anybody's: R4 lets its elements be odd in ways that nothing follows from."""
    try:
        yield
    except (LookupError, TypeError, ValueError, AttributeError, RecursionError) as fault:
        raise ProfileError("an element of it says something that is not understood") from fault


class Budget:
    """How much may be looked at for profiles that are not the hub's own: elements of profiles, slices tried, steps of FHIRPath."""

    def __init__(self, steps: int) -> None:
        self.left = steps

    def spend(self, steps: int) -> None:
        """Raises ProfileError when it is used up."""
        self.left -= steps
        if self.left < 0:
            raise ProfileError("holding this resource against it takes more steps than are allowed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """`expression` is the FHIRPath of the element; `text` says what to do, and holds no value of the resource."""

    severity: Severity
    code: ProblemCode
    expression: str
    text: str


def words(path: Path) -> str:
    if not path:
        return ""
    above, name, index = path
    return f"{words(above)}.{name}" + ("" if index is None else f"[{index}]")
