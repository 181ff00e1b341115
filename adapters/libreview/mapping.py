"""What LibreView's columns and record types mean, as rows.

The vendor publishes no description; names and codes are those seen in exports (English and French).
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Column:
    """A column we read, by any of its names as `plain` writes them, without the unit."""

    role: str
    names: frozenset[str]


COLUMNS = (
    Column("serial", frozenset({"serial number", "numero de serie"})),
    Column("timestamp", frozenset({"device timestamp", "horodatage de l'appareil"})),
    Column("record-type", frozenset({"record type", "type d'enregistrement"})),
    Column("historic", frozenset({"historic glucose", "historique de la glycemie"})),
    Column("scan", frozenset({"scan glucose", "numerisation de la glycemie", "scan de glycemie"})),
    Column("strip", frozenset({"strip glucose", "glycemie par bandelette", "glycemie de la bandelette"})),
    Column("ketone", frozenset({"ketone", "cetone"})),
    Column("rapid-insulin", frozenset({"rapid-acting insulin (units)", "insuline a action rapide (unites)"})),
    Column(
        "long-insulin",
        frozenset({"long-acting insulin (units)", "long-acting insulin value (units)", "insuline a action longue (unites)"}),
    ),
    Column("carbohydrates", frozenset({"carbohydrates (grams)", "glucides (grammes)"})),
)
REQUIRED_ROLES = frozenset({"timestamp", "record-type"})


@dataclass(frozen=True, slots=True)
class RecordType:
    """`Record Type` of a row: which column holds its value and what that value measures.

    unit    UCUM code, where the column's name has the unit in words; None where it ends in mg/dL or mmol/L
    manual  a person writes it down; a pen that is read out looks the same in the file
    """

    code: str
    role: str
    measure: str
    quality: tuple[str, ...] = ()
    clamped: bool = False
    unit: str | None = None
    manual: bool = False


RECORD_TYPES = (
    RecordType("0", "historic", "glucose-interstitial", clamped=True),
    RecordType("1", "scan", "glucose-interstitial", quality=("scan",), clamped=True),
    RecordType("2", "strip", "glucose-capillary"),
    RecordType("3", "ketone", "ketone-blood"),
    RecordType("4", "rapid-insulin", "insulin-rapid", unit="[iU]", manual=True),
    RecordType("4", "long-insulin", "insulin-long", unit="[iU]", manual=True),
    RecordType("5", "carbohydrates", "carbohydrate-intake", unit="g", manual=True),
)
RECORD_TYPE: Mapping[str, tuple[RecordType, ...]] = {
    code: tuple(row for row in RECORD_TYPES if row.code == code) for code in {row.code for row in RECORD_TYPES}
}
"""The rows of a record type: a record of insulin has its value in one column of two, or in both."""

UNMAPPED: Mapping[str, str] = {"6": "an event"}

UNITS: Mapping[str, str] = {"mg/dl": "mg/dL", "mmol/l": "mmol/L"}
"""Unit in a column's name -> UCUM code."""

CLAMP: Mapping[str, Mapping[Decimal, str]] = {
    "mg/dL": {Decimal(40): "at-lower-limit", Decimal(500): "at-upper-limit"},
    "mmol/L": {Decimal("2.2"): "at-lower-limit", Decimal("27.8"): "at-upper-limit"},
}
"""The sensor writes its limit for everything beyond: such a number means "at most" or "at least"."""

BELOW_RANGE, ABOVE_RANGE = "below-range", "above-range"
SENTINELS: Mapping[str, str] = {
    "lo": BELOW_RANGE,
    "low": BELOW_RANGE,
    "bas": BELOW_RANGE,
    "<": BELOW_RANGE,
    "hi": ABOVE_RANGE,
    "high": ABOVE_RANGE,
    "haut": ABOVE_RANGE,
    "eleve": ABOVE_RANGE,
    ">": ABOVE_RANGE,
}
"""Words for "outside what the device can measure"; `<40` and `>500` count by their sign."""

_UNIT = re.compile(r"(?P<name>.*?)\s*\(?(?P<unit>mg/dl|mmol/l)\)?", re.DOTALL)


def plain(text: str) -> str:
    """Lower case, without accents, one kind of apostrophe and of blank: how names are compared."""
    folded = unicodedata.normalize("NFKD", text.casefold().replace("’", "'"))
    return " ".join("".join(char for char in folded if not unicodedata.combining(char)).split())


def column_of(heading: str) -> tuple[str, str | None] | None:
    """Return role and UCUM unit of a heading, or None for a column that is not read."""
    name = plain(heading)
    with_unit = _UNIT.fullmatch(name)
    name, unit = (with_unit["name"], UNITS[with_unit["unit"]]) if with_unit else (name, None)
    return next(((column.role, unit) for column in COLUMNS if name in column.names), None)
