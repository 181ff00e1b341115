"""What a frame comes to before device and time are known, and what its rows are made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from adapters.gatt.octets import DateTime
from adapters.ieee11073 import Number
from adapters.limits import EXPONENT_ABS_MAX, MANTISSA_DIGITS_MAX
from adapters.reading import Absent, Coded, Quantity, Value
from adapters.refusal import ItemRefused

SNOMED_CT = "http://snomed.info/sct"
NUMBER_CHARS_MAX = MANTISSA_DIGITS_MAX + EXPONENT_ABS_MAX


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One reading of a frame.

    source      what tells it from the frame's other readings of the same measure
    offset_min  minutes between the time of the frame and that of the reading
    """

    measure: str
    value: Value | None = None
    components: Mapping[str, Value] = field(default_factory=dict)
    context: Mapping[str, Coded] = field(default_factory=dict)
    quality: tuple[str, ...] = ()
    source: str | None = None
    offset_min: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """A frame: its parts and what holds for all of them.

    sequence  the device's own number of the record
    session   the times of the parts count from the start of a session, which another frame says
    refused   fields of the frame that cannot be a reading, beside those that can
    """

    parts: tuple[Part, ...]
    time_stamp: DateTime | None = None
    user_id: int | None = None
    preliminary: bool = False
    quality: tuple[str, ...] = ()
    sequence: int | None = None
    session: bool = False
    refused: tuple[ItemRefused, ...] = ()


@dataclass(frozen=True, slots=True)
class StatusBits:
    """Value of a field inside a status word and the flag it raises."""

    mask: int
    value: int
    quality: str


def bits(*flags: tuple[int, str]) -> tuple[StatusBits, ...]:
    """Rows of single bits, by number."""
    return tuple(StatusBits(1 << bit, 1 << bit, quality) for bit, quality in flags)


def raised(rows: tuple[StatusBits, ...], status: int) -> tuple[str, ...]:
    """Return the flags of a status word, each once."""
    return tuple(dict.fromkeys(row.quality for row in rows if status & row.mask == row.value))


def body_site(code: str, display: str) -> Mapping[str, Coded]:
    return {"body-site": Coded(system=SNOMED_CT, code=code, display=display)}


def quantity(number: Number, unit: str) -> Value:
    """A number of the wire with its unit, or why there is none."""
    if isinstance(number, Absent):
        return number
    if len(number) > NUMBER_CHARS_MAX:
        raise ItemRefused("value-out-of-bounds", "The exponent of a FLOAT is that of no measurement.")
    return Quantity(value=number, unit=unit)
