"""OBX-2, OBX-5, OBX-8 and OBX-11 -> value, flags and whether it is preliminary."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from adapters.hl7v2.message import Segment
from adapters.hl7v2.units import ucum_of
from adapters.limits import MANTISSA_DIGITS_MAX
from adapters.reading import Absent, AbsentReason, Quantity, Value
from adapters.refusal import ItemRefused

NUMBER = re.compile(r"(?:\+|(?P<sign>-))?0*(?P<whole>[0-9]*)(?:\.(?P<rest>[0-9]*))?", re.ASCII)
NUMBER_CHARS_MAX = MANTISSA_DIGITS_MAX + 2


@dataclass(frozen=True, slots=True)
class Status:
    """A word of OBX-8 (HL7 PoCD guide, mapping of PCD-01): what it does to the reading."""

    flag: str = ""
    absent: AbsentReason | None = None


STATUS_WORDS: Mapping[str, Status] = {
    "INV": Status("unreliable", "error"),
    "QUES": Status("questionable"),
    "NAV": Status(absent="temp-unknown"),
    "CAL": Status("calibration-ongoing"),
    "TEST": Status("test-data"),
    "DEMO": Status("test-data"),
    "VAL": Status("validated"),
    "EARLY": Status("early-indication"),
    "BUSY": Status("measurement-ongoing", "temp-unknown"),
    "ALACT": Status("in-alarm"),
    "ALINH": Status("alarms-off"),
    "NI": Status(absent="unknown"),
    "OFF": Status(absent="not-performed"),
    ">": Status("above-range"),
    "<": Status("below-range"),
    "N": Status(),
    "L": Status("below-device-limit"),
    "LL": Status("far-below-device-limit"),
    "H": Status("above-device-limit"),
    "HH": Status("far-above-device-limit"),
    "A": Status("abnormal-for-device"),
    "PN": Status(),
    "PL": Status("in-alarm"),
    "PM": Status("in-alarm"),
    "PH": Status("in-alarm"),
}
PRELIMINARY = frozenset({"R", "P", "I", "S"})
FINAL = frozenset({"F", "C", "U", "B", ""})
WITHDRAWN = frozenset({"D", "W"})
NO_RESULT = frozenset({"X"})
NOT_ASKED = frozenset({"N", "O"})
"""HL7 table 0085. R is how PCD-01 says that nobody has reviewed what the device measured."""


@dataclass(frozen=True, slots=True)
class Said:
    """What OBX-8 and OBX-11 say beside the value."""

    flags: tuple[str, ...]
    absent: AbsentReason | None
    preliminary: bool


def said_of(obx: Segment) -> Said:
    """Raises ItemRefused for a result that was withdrawn, is none, or has a status that is not known."""
    result = obx.field(11).strip()
    if result in WITHDRAWN:
        raise ItemRefused("result-withdrawn", "OBX-11 takes back a result that was sent before; correct it in the record by hand.")
    if result in NOT_ASKED:
        raise ItemRefused("no-result", "OBX-11 says that there is no result.", keep=False)
    words = [word for text in obx.repetitions(8) if (word := obx.split(text)[0])]
    known = [STATUS_WORDS[word] for word in words if word in STATUS_WORDS]
    if len(known) != len(words) or result not in PRELIMINARY | FINAL | NO_RESULT:
        raise ItemRefused("status-unknown", "OBX-8 or OBX-11 has a word that this version does not know; the item is kept.")
    absent = next((status.absent for status in known if status.absent), "temp-unknown" if result in NO_RESULT else None)
    flags = tuple(dict.fromkeys(status.flag for status in known if status.flag))
    return Said(flags=flags, absent=absent, preliminary=result in PRELIMINARY)


def numeric(obx: Segment, said: Said, *, plain_units: bool = False) -> tuple[Value, tuple[str, ...]]:
    """Value and flags of an OBX of type NM or SN. Raises ItemRefused."""
    if said.absent is not None:
        return Absent(reason=said.absent), ()
    if len(obx.repetitions(5)) > 1:
        raise ItemRefused("value-repeated", "OBX-5 has more than one value; send one OBX for each.")
    comparator, text = _structured(obx) if obx.field(2) == "SN" else ("", obx.component(5, 1))
    if not text or text == '""':
        raise ItemRefused("value-missing", "OBX-5 has no value, and neither OBX-8 nor OBX-11 says why.")
    if comparator in OUT_OF_RANGE:
        return Absent(reason="unsupported"), (OUT_OF_RANGE[comparator],)
    return Quantity(value=number(text), unit=ucum_of(obx.components(6), plain=plain_units)), ()


OUT_OF_RANGE: Mapping[str, str] = {">": "above-range", ">=": "above-range", "<": "below-range", "<=": "below-range"}


def _structured(obx: Segment) -> tuple[str, str]:
    """HL7 v2.6, data type SN: comparator, first number, separator, second number."""
    comparator, first, *more = [*obx.components(5), "", ""][:4]
    if any(more) or comparator not in {"", "=", *OUT_OF_RANGE}:
        raise ItemRefused("value-not-a-number", "A structured number must be one number, with =, <, <=, > or >= before it at most.")
    return comparator, first


def number(text: str) -> str:
    """HL7 v2.6, data type NM, as FHIR's decimal: no plus, no leading zeros; the digits after the point stay."""
    found = NUMBER.fullmatch(text) if len(text) <= NUMBER_CHARS_MAX else None
    if found is None or not any(char.isdigit() for char in text):
        raise ItemRefused("value-not-a-number", "OBX-5 must be a number such as -12.5.")
    rest = found["rest"]
    return f"{found['sign'] or ''}{found['whole'] or '0'}{f'.{rest}' if rest else ''}"
