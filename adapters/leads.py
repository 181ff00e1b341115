"""Names of ECG leads as files write them, to measures of the catalogue."""

from collections.abc import Mapping
from types import MappingProxyType

UNSPECIFIED = "ecg-lead-unspecified"

LEADS: Mapping[str, str] = MappingProxyType(
    {name.lower(): f"ecg-lead-{name.lower()}" for name in ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")}
)
"""Lower-case name to key. Modified leads (MLII, MCL1) are others and have none of these codes."""


def lead(name: str) -> str | None:
    """The measure of a lead, however its letters are written; None for a name that is no standard lead."""
    return LEADS.get(name.strip().lower())
