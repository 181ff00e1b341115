"""What a check against a profile finds, and the errors of a profile that cannot be checked."""

from dataclasses import dataclass
from typing import Any, Final, Literal

from fhir_profiles.structure import ProblemCode

FINDINGS_MAX: Final = 50

Severity = Literal["error", "warning", "information"]
Path = tuple[Any, ...]
"""(where it hangs, FHIRPath name, index or None); () is the top. Put into words only when something is found."""


class ProfileError(Exception):
    """A StructureDefinition that cannot be followed. The text names elements of it and what is not understood."""


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
