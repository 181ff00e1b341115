"""What a verification of the log can find."""

from dataclasses import dataclass
from typing import Literal

Code = Literal[
    "record-changed",  # a field does not fit its hash
    "record-moved",  # it is whole, but its place is another
    "record-removed",
    "record-replaced",  # it is whole, but the record after it was linked to another
    "record-duplicate",
    "record-unreadable",
    "chain-missing",  # signed or testified to, but no record of it is there
    "chain-cut-off",  # shorter than what was signed
    "chain-rewritten",  # another hash than the one that was signed
    "chain-unsigned",  # no signed head for it
    "head-unreadable",
    "head-signature",
    "resource-older",
    "resource-newer",
    "resource-changed",
    "resource-missing",
    "resource-unaudited",
    "more",  # there were more findings than are listed
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong, and where.

    writer, sequence, last   the place in the log; `last` ends a range
    what                     id of the AuditEvent, row of `resources` or name of the head's file
    text                     for a person, in English, without anything that identifies a patient
    """

    code: Code
    text: str
    writer: bytes | None = None
    sequence: int | None = None
    last: int | None = None
    what: str | None = None


def short(writer: bytes) -> str:
    """A writer as people see it in texts: enough to tell writers apart."""
    return writer.hex()[:12]
