"""What the words of Breeze mean, a cuff that nobody makes. The scaffold's file, as its maker would have edited it."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """A word of the payload.

    fields    component -> field of the record; "" for a measure with one value
    decimals  how many the device writes; usual: from where to where. Both are for the simulator only.
    """

    word: str
    measure: str
    unit: str
    fields: Mapping[str, str]
    decimals: int
    usual: Mapping[str, tuple[str, str]]


ROWS = (
    Row(
        word="BP",
        measure="blood-pressure",
        unit="mm[Hg]",
        fields={"systolic": "sys", "diastolic": "dia"},
        decimals=0,
        usual={"systolic": ("104", "148"), "diastolic": ("58", "92")},
    ),
    Row(
        word="PULSE",
        measure="heart-rate",
        unit="/min",
        fields={"": "reading"},
        decimals=0,
        usual={"": ("52", "104")},
    ),
    Row(
        word="SKIN",
        measure="skin-temperature",
        unit="Cel",
        fields={"": "reading"},
        decimals=1,
        usual={"": ("30.1", "35.9")},
    ),
)
ROW: Mapping[str, Row] = {row.word: row for row in ROWS}

FIELDS = ("id", "device", "time", "type", "sys", "dia", "reading")
"""What is read of a record, and kept of it. Fields about people do not belong here."""

ABSENT = {"LO": "unsupported", "HI": "unsupported", "--": "error", "ERR": "error", "": "error"}
"""What stands in a number's place when there is none: the reason, as the hub says it."""
