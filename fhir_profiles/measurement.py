"""What our builders turn into an Observation: units settled, time resolved, patient and device known."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Coding:
    system: str
    code: str
    display: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """`value` is decimal text, written into JSON as a number with its digits kept; `unit` a UCUM code.

    `original` is the amount as the device gave it, when `value` was computed from it.
    """

    value: str
    unit: str
    original: "Amount | None" = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AbsentValue:
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Strip:
    """Values at a fixed distance; https://hl7.org/fhir/R4/datatypes.html#SampledData. All numbers are decimal text.

    data is what stands in SampledData.data; `period_ms` milliseconds; `unit` the UCUM code of origin; lower and upper in samples.
    """

    data: str
    period_ms: str
    unit: str
    origin: str
    factor: str
    lower: str | None = None
    upper: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedChannel:
    """A signal of a recording: what it is called, what it is, and the scaling of its samples as decimal text."""

    label: str
    codings: tuple[Coding, ...]
    period_ms: str
    unit: str | None
    origin: str
    factor: str


CLOCK_OFF: Final = "clock-off"
"""The quality flag of ours that is the hub's own to give."""
RecordingPart = Literal["Observation", "DiagnosticReport", "DocumentReference", "Binary"]
RECORDING_BESIDE: Final[tuple[RecordingPart, ...]] = ("DocumentReference", "Binary")
"""What a recording becomes beside what it is found by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A recording: one Observation to find it by, a DocumentReference that describes it, a Binary that holds it.

    A report is a DiagnosticReport in place of the Observation.

    part       which of the three this measurement becomes
    sha1       of the bytes, in base64, as https://hl7.org/fhir/R4/datatypes.html#Attachment asks
    document   "DocumentReference/id"; content "Binary/id"
    stored_as  where the hub keeps the bytes; only the Binary says so
    """

    part: RecordingPart
    media_type: str
    size_bytes: int
    sha1: str
    channels: tuple[RecordedChannel, ...]
    document: str
    content: str
    stored_as: str = ""


MeasuredValue = Amount | Coding | AbsentValue | Strip | Recorded


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One Observation to be.

    measure    catalogue key
    effective  FHIR dateTime with offset, seconds or finer ("2015-05-30T23:06:23-07:00")
    until      the same form; when it ended, for what lasts
    patient    "Patient/id"; device "Device/id", of an Observation also "DeviceMetric/id", or None (typed in by hand)
    quality    flags of the device; clock_off: the hub knew its clock to be off, which is no part of what was measured
    source     URI of the adapter and of the mapping's version, for meta.source
    replaces   "Type/id" of the reading in whose place this one stands since it was derived anew under another key
    """

    measure: str
    patient: str
    device: str | None
    effective: str
    until: str | None = None
    value: MeasuredValue | None = None
    components: Mapping[str, MeasuredValue] = field(default_factory=dict)
    manual: bool = False
    preliminary: bool = False
    context: Mapping[str, Coding] = field(default_factory=dict)
    quality: tuple[str, ...] = ()
    clock_off: bool = False
    source: str | None = None
    replaces: str | None = None

    @property
    def flags(self) -> tuple[str, ...]:
        """All that qualifies it, whoever says it."""
        return (*self.quality, CLOCK_OFF) if self.clock_off and CLOCK_OFF not in self.quality else self.quality
