"""What an adapter yields: readings as the device gave them, nothing added and nothing lost.

An adapter knows no patient, no FHIR and no clock (law 7). Values stay decimal text so that 116.0 remains 116.0;
times stay the device's own text together with their kind, because inventing a zone is the commonest fault of all.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

TimeKind = Literal["utc", "offset", "local", "ticks"]
"""utc: the text denotes an instant; offset: local time with its offset; local: wall clock without zone;
ticks: counter without a calendar."""

AbsentReason = Literal[
    "not-a-number", "negative-infinity", "positive-infinity", "error", "not-performed", "temp-unknown", "unsupported", "unknown"
]
"""https://hl7.org/fhir/R4/codesystem-data-absent-reason.html, the codes a device can cause."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceTime:
    """When the device says it measured.

    `text` is the device's own writing and part of the reading's identity. `instant` is filled for `utc` and `offset`
    (aware datetime), `wall` for `local` (naive datetime); the hub resolves `wall` with a zone the sender states.
    """

    kind: TimeKind
    text: str
    instant: datetime | None = None
    wall: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """A number as written (`"74.126"`) and the unit as UCUM code, as the vendor's documentation defines it."""

    value: str
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Coded:
    system: str
    code: str
    display: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Absent:
    reason: AbsentReason


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """A strip of values at a fixed distance, in the device's own scaling; value = origin + factor * sample.

    https://hl7.org/fhir/R4/datatypes.html#SampledData with one dimension; a longer recording is a document.

    data          the samples as decimal text, a space between them; "E" not valid, "L" below `lower`, "U" above `upper`
    period_ms     milliseconds from one sample to the next, decimal text
    unit          UCUM code of origin and of what factor makes of a sample
    lower, upper  the device's limits in samples, where it has any
    """

    data: str
    period_ms: str
    unit: str
    origin: str = "0"
    factor: str = "1"
    lower: str | None = None
    upper: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """One signal of a recording: its label, the measure it is of if the catalogue has one, and how its samples are scaled.

    unit    UCUM code, or None where the file's own word for it is not known; value = origin + factor * sample
    """

    label: str
    measure: str | None
    period_ms: str
    unit: str | None
    origin: str
    factor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A stretch of the payload, in bytes."""

    start: int
    length: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A recording that is too long for a strip, or a report: the bytes are the reading's `raw`, and may be as long as a payload.

    A recording names nobody. A report is what a person reads, as its maker wrote it: whoever it names stays in it, so it may be nowhere
    but in the document.

    channels  none for a report
    content   of one that was read in pieces (`decode_stream`): what the document consists of, in order; `raw` is empty then
    start     where in `raw` the document begins. What stands before it says whose device's it is and of when, for a document that does
              not say it in a form that can be read; with it `raw` is read again like any other
    """

    media_type: str
    channels: tuple[Channel, ...] = ()
    content: tuple[bytes | Span, ...] = ()
    start: int = 0


Value = Quantity | Coded | Absent | Samples | Document


@dataclass(frozen=True, slots=True, kw_only=True)
class Whose:
    """An identifier that a payload gives for whoever was measured: its system, and SHA-256 of its value in hexadecimal."""

    system: str
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One measurement.

    measure      key of our catalogue (`fhir_profiles.catalogue`), e.g. "body-weight", "blood-pressure"
    device       the unit's identifier in the adapter's own space, or None if the payload does not say
    time         when, in the device's words; None if the device gave no time at all
    end          when it ended, for what lasts (a night's sleep, an hour's steps); `time` is then its start
    value        the value, or None when the measure consists of components only
    components   component measure key -> value, e.g. {"systolic": …, "diastolic": …}
    source_id    the vendor's id of the record, part of the identity where it exists
    modified     when the source last changed the record (aware), for corrections; None if unknown
    pointer      where in the payload (JSON pointer, `row 12`, `byte 0`), for answers to the vendor
    raw          the item's own bytes as received, kept sealed for re-derivation; never holds a file preamble;
                 of a Document the document itself from its `start`, unless it says its `content`
    manual       typed in by a person rather than measured
    preliminary  the vendor doubts whose or how good it is
    context      body-site, posture, method and the like: key of our catalogue -> coded value
    quality      flags in our own vocabulary ("body-movement", "cuff-too-loose", …)
    whose        what the payload says about whose it is. The pairing decides, this never; a reading that it contradicts is not stored.
                 No part of what the reading is: `raw` does not have it (docs/adr/0019)
    """

    measure: str
    device: str | None
    time: DeviceTime | None
    value: Value | None = None
    components: Mapping[str, Value] = field(default_factory=dict)
    source_id: str | None = None
    modified: datetime | None = None
    pointer: str
    raw: bytes
    manual: bool = False
    preliminary: bool = False
    context: Mapping[str, Coded] = field(default_factory=dict)
    quality: tuple[str, ...] = ()
    end: DeviceTime | None = None
    whose: tuple[Whose, ...] = field(default=(), compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """An item that could not become a reading. It is answered and, if `keep`, quarantined; never dropped in silence.

    code     stable, kebab-case, e.g. "unknown-measure", "value-not-a-number", "frame-too-short", "user-goal"
    hint     what the sender can do about it, in English
    keep     True: quarantined (the hub may learn to read it); False: refused (it can never be a reading)
    """

    code: str
    hint: str
    pointer: str
    raw: bytes
    device: str | None = None
    keep: bool = True


Item = Reading | Rejected
