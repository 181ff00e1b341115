"""An Observation -> readings: itself, with the components that belong to its measure; and each component that is a measure of its own.

https://hl7.org/fhir/R4/observation.html. What the shapes of different guides want beyond that is said by a `Shape`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any

from adapters import json_fields, json_payload
from adapters.fhir import keep
from adapters.fhir.bundle import Bundle, Entry
from adapters.fhir.devices import Identify, identifiers, is_clock, unit_of
from adapters.fhir.terms import Term, chosen, codings, measures_of
from adapters.fhir.times import effective, zoned
from adapters.fhir.values import has_value, value_of
from adapters.json_values import Json, listed, part
from adapters.reading import DeviceTime, Item, Reading, Value, Whose
from adapters.refusal import ItemRefused, check_length
from adapters.whose import whose
from fhir_profiles.canonical import ACT_REASON
from fhir_profiles.shapes.tables import PHD_PROFILES, PHD_STATUS, PHD_STATUS_SYSTEM

PRELIMINARY = frozenset({"registered", "preliminary"})
FINAL = frozenset({"final", "amended", "corrected"})
WITHDRAWN = frozenset({"cancelled", "entered-in-error"})
"""https://hl7.org/fhir/R4/valueset-observation-status.html"""

COINCIDENT = f"{PHD_PROFILES}CoincidentTimeStampReference"
INTERPRETATION = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
OBSERVATION_VALUE = "http://terminology.hl7.org/CodeSystem/v3-ObservationValue"
FLAGS: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        **{(PHD_STATUS_SYSTEM, code): flag for flag, code in PHD_STATUS.items()},
        (PHD_STATUS_SYSTEM, "msmt-ongoing"): "measurement-ongoing",
        (INTERPRETATION, "<"): "below-range",
        (INTERPRETATION, ">"): "above-range",
        (OBSERVATION_VALUE, "UNRELIABLE"): "unreliable",
        (OBSERVATION_VALUE, "UNCERTREL"): "questionable",
        (ACT_REASON, "HTEST"): "test-data",
    }
)
"""Interpretations and security labels that say how good a measurement is. High and low are a judgement on a person, not kept as a flag."""

Check = Callable[[Bundle, Entry, Json | None], None]
"""Raises ItemRefused for what a guide does not allow. The last argument: the Device that measured, if the payload has it."""


def no_check(bundle: Bundle, entry: Entry, device: Json | None) -> None:
    """Everything that R4 allows."""


Span = tuple[DeviceTime | None, DeviceTime | None]
"""Start and end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What a guide makes of Observation.

    identify  how it identifies units
    check     what it does not allow
    names     further names of LOINC codes, in lower case
    measure   what its codes mean where they mean something else than the catalogue's
    by_metric the DeviceMetric that measured is part of what a reading is: its id tells two channels of one unit apart
    instance  URL of the extension that numbers components which are the same thing several times
    silent    (system, code) of components that describe others and measure nothing
    moment    when a component was measured, of all components, if others say so
    besides   further readings of an Observation: place in it, measure, value
    """

    identify: Identify
    check: Check = no_check
    names: Mapping[str, str] = field(default_factory=dict)
    measure: Callable[[Json], Term | None] = lambda _: None
    by_metric: bool = False
    instance: str | None = None
    silent: frozenset[tuple[str, str]] = frozenset()
    moment: Callable[[Json, Sequence[Json]], Span | None] = lambda _one, _all: None
    besides: Callable[[Json], Sequence[tuple[str, str, Value]]] = lambda _: ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What an Observation says of all its readings."""

    device: str | None
    time: DeviceTime | None
    end: DeviceTime | None
    modified: datetime | None
    preliminary: bool
    flags: tuple[str, ...] = ()
    whose: tuple[Whose, ...] = ()


class Reader:
    """Reads one Observation of a Bundle in one shape."""

    def __init__(self, bundle: Bundle, entry: Entry, shape: Shape) -> None:
        self._bundle, self._entry, self._shape = bundle, entry, shape
        self._fields = entry.resource
        self._at = entry.pointer
        self._unit: str | None = None
        self._device: Json | None = None
        self._beside: Sequence[Json] = ()
        self._broken_clock = self._clock_at_fault()
        self._metric = metric_of(bundle, self._fields) if shape.by_metric else None

    def items(self) -> Iterator[Item]:
        """In the order of the Observation: itself, then what its components measure."""
        try:
            self._unit, self._device = unit_of(self._bundle, self._fields, self._shape.identify)
            measured = self._measured()
        except ItemRefused as refused:
            yield self._refused(refused, None)
            return
        components = [one for one in listed(self._fields, "component") if type(one) is dict]
        beside = {json_payload.dumps(keep.component(one)): one for one in components if self._is_beside(one)}
        self._beside = [beside[kept] for kept in sorted(beside)]  # in no order but their own, and each once
        measuring = [one for one in components if not self._is_beside(one)]
        try:
            whole = self._whole(measuring)
        except ItemRefused as refused:
            yield self._refused(refused, None)
            return
        if whole is not None:
            term, _, values, value, flags = whole
            yield self._reading(measured, self._at or "/code", term.measure, value, values, None, None, flags)
        own = set() if whole is None else {id(one) for one in whole[1]}
        alone = [one for one in measuring if id(one) not in own]
        places = {id(one): index for index, one in enumerate(listed(self._fields, "component"))}
        for one in alone:
            yield self._alone(measured, places[id(one)], one, components)
        if whole is None and not alone:
            yield self._refused(ItemRefused("unknown-measure", "The catalogue has no measure of these codes; the item is kept."), None)
        for place, measure, value in self._shape.besides(self._fields) if whole is not None else ():
            yield self._reading(measured, f"{self._at}{place}", measure, value, {}, None, None, ())

    def _clock_at_fault(self) -> Json | None:
        """The coincident time stamp that the Observation names, if it says that the device's clock could not be read."""
        for one in listed(self._fields, "extension"):
            if type(one) is dict and one.get("url") == COINCIDENT:
                clock = self._bundle.follow(one.get("valueReference"), inside=self._fields)
                if clock is not None and is_clock(clock) and "dataAbsentReason" in clock:
                    return clock
        return None

    def _measured(self) -> Measured:
        """Raises ItemRefused."""
        fields = self._fields
        if is_clock(fields):
            raise ItemRefused("device-clock", "It says how a device's clock stood and measures nobody; it is read as that.", keep=False)
        status = json_fields.word(fields, "status")
        if status in WITHDRAWN:
            raise ItemRefused("result-withdrawn", "The status takes back a result that was sent before; correct it in the record by hand.")
        if status not in PRELIMINARY | FINAL:
            raise ItemRefused("status-unknown", "`status` is missing, or none of R4's that a measurement has.", keep=False)
        self._shape.check(self._bundle, self._entry, self._device)
        time, end = effective(fields)
        return Measured(
            device=self._unit,
            time=time,
            end=end,
            modified=_modified(fields),
            preliminary=status in PRELIMINARY,
            flags=(
                *flags_of(part(fields, "meta").get("security"), *listed(fields, "interpretation")),
                *(("clock-uncertain",) if self._broken_clock is not None else ()),
            ),
            whose=self._whose(),
        )

    def _whose(self) -> tuple[Whose, ...]:
        """Identifiers of the subject: at the reference itself, or of the Patient in the payload that it leads to."""
        subject = part(self._fields, "subject")
        person = self._bundle.follow(subject, inside=self._fields) or {}
        given = [*identifiers({"identifier": [part(subject, "identifier")]}), *identifiers(person)]
        return tuple(dict.fromkeys(whose(system, value) for system, value in given))

    def _whole(self, components: Sequence[Json]) -> tuple[Term, list[Json], Mapping[str, Value], Value | None, tuple[str, ...]] | None:
        """The measure of the Observation with its value or its components; None if it only holds components. Raises ItemRefused."""
        valued = has_value(self._fields)
        try:
            term = self._whole_term(self._fields)
        except ItemRefused as refused:
            if valued or not components or refused.code != "unknown-measure":
                raise
            return None
        parts = [(one, found) for one in components if (found := self._part(one, term)) is not None]
        if not parts and not valued and components:
            return None
        read = [(one, found, *value_of(one, found.row)) for one, found in parts]
        if len({found.component for _, found in parts}) < len(parts):
            raise ItemRefused("component-repeated", "A component is there twice; send one Observation for each measurement.", keep=False)
        flags = tuple(flag for one, _, _, own in read for flag in (*own, *flags_of(None, *listed(one, "interpretation"))))
        values = {found.component or "": value for _, found, value, _ in read}
        if values:
            if valued and "dataAbsentReason" not in self._fields:
                raise ItemRefused("value-contradicts", "The measure consists of components and has no value of its own.", keep=False)
            return term, [one for one, _ in parts], values, None, flags
        value, own = value_of(self._fields, term.row)
        return term, [], {}, value, own

    def _whole_term(self, fields: Json) -> Term:
        term = self._term(fields)
        if term.component is not None:
            raise ItemRefused("part-of-a-measure", "The code is that of a part; send the whole with its parts as components.")
        return term

    def _term(self, fields: Json) -> Term:
        found = self._shape.measure(fields)
        terms = (found,) if found is not None else measures_of(fields.get("code"), names=self._shape.names)
        return chosen(terms, sampled="valueSampledData" in fields)

    def _part(self, fields: Json, whole: Term) -> Term | None:
        """The component of the measure that it is; None if it is something else. Raises ItemRefused for codes that contradict."""
        try:
            terms = measures_of(fields.get("code"), names=self._shape.names)
        except ItemRefused as refused:
            if refused.code == "unknown-measure":
                return None
            raise
        return next((term for term in terms if term.measure == whole.measure and term.component is not None), None)

    def _is_beside(self, fields: Json) -> bool:
        """Does it describe the others rather than measure?"""
        return any((coding["system"], coding["code"]) in self._shape.silent for coding in codings(fields.get("code")))

    def _alone(self, measured: Measured, index: int, fields: Json, components: Sequence[Json]) -> Item:
        """A component that is a reading of its own."""
        pointer, kept = f"{self._at}/component/{index}", [fields, *self._beside]
        try:
            term = self._whole_term(fields)
            value, own = value_of(fields, term.row)
            when = self._shape.moment(fields, components)
            instance = instance_of(fields, self._shape.instance)
        except ItemRefused as refused:
            return self._refused(refused, (pointer, kept))
        there = measured if when is None else _at(measured, *when)
        flags = (*own, *flags_of(None, *listed(fields, "interpretation")))
        return self._reading(there, pointer, term.measure, value, {}, instance, kept, flags)

    def _reading(
        self,
        measured: Measured,
        pointer: str,
        measure: str,
        value: Value | None,
        values: Mapping[str, Value],
        source_id: str | None,
        components: Sequence[Json] | None,
        flags: tuple[str, ...],
    ) -> Item:
        raw = self._raw(components)
        try:
            check_length(raw)
        except ItemRefused as refused:
            return refused.item(pointer=pointer, raw=raw, device=measured.device)
        return Reading(
            measure=measure,
            device=measured.device,
            time=measured.time,
            end=measured.end,
            value=value,
            components=values,
            source_id=source_id or self._metric,
            modified=measured.modified,
            pointer=pointer,
            raw=raw,
            preliminary=measured.preliminary,
            quality=tuple(dict.fromkeys((*measured.flags, *flags))),
            whose=measured.whose,
        )

    def _refused(self, refused: ItemRefused, place: tuple[str, Sequence[Json]] | None) -> Item:
        pointer, components = (self._at or "/code", None) if place is None else place
        return refused.item(pointer=pointer, raw=self._raw(components), device=self._unit)

    def _raw(self, components: Sequence[Json] | None) -> bytes:
        """The Observation as it is kept, with the Device that measured.

        `components`: of one that is a reading of its own, itself and what describes it. The value of the Observation is another
        reading, which would be there twice once this one is read again.
        """
        bundle, entry = self._bundle, self._entry
        reference: Json | None = None
        entries: list[tuple[Json, Mapping[str, Any]]] = []
        if self._device is not None and self._device.get("id") is None and bundle.kind is None and self._metric is None:
            reference = {"identifier": keep.device(self._device)["identifier"][0]}
        elif self._device is not None:
            reference = {"reference": f"Device/{keep.DEVICE_ID}"}
            request = next((one.request for one in bundle.entries if one.resource is self._device), {})
            entries.append((keep.device(self._device), request))
        if self._metric is not None:  # also where no Device is found behind it: it is part of what the reading is
            entries.append((keep.metric(self._metric), {}))
            reference = {"reference": f"DeviceMetric/{self._metric}"}
        fields = self._fields if components is None else keep.without_value(self._fields)
        kept = keep.observation(fields, components=components, device=reference)
        if self._broken_clock is not None:
            named = {"url": COINCIDENT, "valueReference": {"reference": f"Observation/{keep.CLOCK_ID}"}}
            kept["extension"] = [*kept.get("extension", ()), named]
            entries.append((keep.observation(self._broken_clock) | {"id": keep.CLOCK_ID}, {}))
        entries.append((kept, entry.request))
        return keep.bundle(bundle.kind, entries)


def _at(measured: Measured, time: DeviceTime | None, end: DeviceTime | None) -> Measured:
    return replace(measured, time=time, end=end)


def flags_of(security: Any, *interpretations: Any) -> tuple[str, ...]:
    """Flags that labels and interpretations bring."""
    labels = {"coding": security} if type(security) is list else {}
    found = [(coding["system"], coding["code"]) for concept in (labels, *interpretations) for coding in codings(concept)]
    return tuple(dict.fromkeys(FLAGS[one] for one in found if one in FLAGS))


def _modified(fields: Json) -> datetime | None:
    """When the source changed it last: said by a server, which numbers versions, and by nobody else."""
    meta = part(fields, "meta")
    text = json_fields.word(meta, "lastUpdated") if json_fields.word(meta, "versionId") else None
    return None if text is None else zoned(text).instant


def metric_of(bundle: Bundle, fields: Json) -> str | None:
    """The id of the DeviceMetric in the payload that measured."""
    found = bundle.follow(fields.get("device"), inside=fields)
    return None if found is None or found.get("resourceType") != "DeviceMetric" else json_fields.word(found, "id")


def instance_of(fields: Json, url: str | None) -> str | None:
    """Which of several: a battery, a zone, a lead."""
    for one in listed(fields, "extension"):
        if type(one) is dict and one.get("url") == url and type(one.get("valueInteger")) is int:
            return str(one["valueInteger"])
    return None
