"""Every fixture is read, soundly, to what a person expects and to the FHIR that was looked at."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from adapters.kit.rule import Outcome, Subject, Unproven
from adapters.kit.rules import faults, place_free
from adapters.reading import Absent, Coded, Document, Quantity, Reading, Rejected, Value

SOUND_CODE_CHARS = "abcdefghijklmnopqrstuvwxyz0123456789-"
TAKES_NUMBER = frozenset(
    {"unknown-measure", "unit-not-allowed", "implausible-value", "unknown-component", "unknown-quality", "unknown-context"}
)
"""Doubts that have a rule of their own."""
WAITS_RIGHTLY = frozenset({"time-ambiguous", "time-nonexistent", "no-time", "time-without-calendar", "time-in-future", "time-out-of-range"})
"""Doubts about a time are the device's: the reading was decoded, and the hub keeps it until somebody knows."""


def fixture_there(subject: Subject) -> Iterator[str]:
    if not subject.fixtures:
        yield "there is no fixture: put a payload, as the vendor sends it, into the folder of fixtures"


def fixture_decodes(subject: Subject) -> Iterator[str]:
    for fixture in subject.fixtures:
        found = subject.outcome(fixture)
        if found.crash:
            yield f"{fixture.name}: {found.crash} came out; only Unreadable may, before the first item"
        elif found.refusal is not None:
            yield f"{fixture.name}: refused as a whole with {found.refusal.code}"
        elif not found.readings:
            yield f"{fixture.name}: no reading in it"


def item_sound(subject: Subject) -> Iterator[str]:
    for fixture in subject.fixtures:
        yield from unsound(subject.outcome(fixture), fixture.name)


def unsound(outcome: Outcome, name: str) -> Iterator[str]:
    """What is wrong with the items or with the refusal of a payload."""
    for item in outcome.items:
        for fault in faults(item):
            yield f"{name} {item.pointer}: {fault}"
    refusal = outcome.refusal
    if refusal is not None and (not refusal.code or set(refusal.code) - set(SOUND_CODE_CHARS) or not refusal.hint.strip()):
        yield f"{name}: Unreadable needs a kebab-case code and a hint"


def pointer_there(subject: Subject) -> Iterator[str]:
    """Several readings of one frame share its place, but no two of the same measure."""
    for fixture in subject.fixtures:
        seen: set[tuple[str, str]] = set()
        for item in subject.outcome(fixture).items:
            place = (item.pointer, item.measure if isinstance(item, Reading) else "")
            if place in seen:
                yield f"{fixture.name} {item.pointer}: two items of one measure at one place; point at what each was read from"
            seen.add(place)


def raw_reads_alone(subject: Subject) -> Iterator[str]:
    for fixture in subject.fixtures:
        for item in subject.outcome(fixture).items:
            if isinstance(item, Rejected) and not item.keep:
                continue
            alone = subject.decode(item.raw, fixture.context)
            if repr(place_free(item)) not in {repr(place_free(other)) for other in alone.items}:
                yield f"{fixture.name} {item.pointer}: `raw`, read alone, does not give the item again; replay and re-derivation rest on it"


def deterministic(subject: Subject) -> Iterator[str]:
    for fixture in subject.fixtures:
        if repr(subject.decode(fixture.payload, fixture.context).items) != repr(subject.outcome(fixture).items):
            yield f"{fixture.name}: the same bytes gave other items the second time; no clock, no chance, no state (law 7)"


def expected_values(subject: Subject) -> Iterator[str]:
    """The worksheet: written by hand from the vendor's documentation, before the code."""
    if not any(fixture.expected is not None for fixture in subject.fixtures):
        raise Unproven("no fixture has its values written beside it by hand (NAME.expected.json)")
    for fixture in subject.fixtures:
        if fixture.expected is not None:
            yield from _differences(fixture.name, fixture.expected, [summary(one) for one in subject.outcome(fixture).readings])


def _differences(name: str, expected: Sequence[Mapping[str, Any]], found: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if len(expected) != len(found):
        yield f"{name}: {len(expected)} readings are expected and {len(found)} came out"
    for number, (one, other) in enumerate(zip(expected, found, strict=False), start=1):
        for key, value in one.items():
            if other.get(key) != value:
                yield f"{name}: reading {number} has another {key} than the worksheet says"


def summary(reading: Reading) -> dict[str, Any]:
    """A reading as the worksheet writes it: measure, value or components, time in the device's words, device."""
    made: dict[str, Any] = {"measure": reading.measure, "device": reading.device}
    made["time"] = None if reading.time is None else reading.time.text
    if reading.value is not None:
        made["value"] = said(reading.value)
    if reading.components:
        made["components"] = {name: said(value) for name, value in reading.components.items()}
    return made


def said(value: Value) -> str:
    """Write a value: "74.10 kg", "absent: error", "code: …", or how many samples there are."""
    match value:
        case Quantity():
            return f"{value.value} {value.unit}"
        case Absent(reason=reason):
            return f"absent: {reason}"
        case Coded(code=code):
            return f"code: {code}"
        case Document():
            return (
                f"recording of {', '.join(channel.label for channel in value.channels)}"
                if value.channels
                else f"report: {value.media_type}"
            )
        case _:
            return f"{value.data.count(' ') + 1} samples of {value.unit}, every {value.period_ms} ms"


def golden_fhir(subject: Subject) -> Iterator[str]:
    if not any(fixture.golden is not None for fixture in subject.fixtures):
        raise Unproven(
            "no fixture has its FHIR beside it (NAME.fhir.json): look at what comes out, then `hub adapters test … --write-golden`"
        )
    for fixture in subject.fixtures:
        if fixture.golden is None:
            continue
        built = [subject.bench.build(reading).resource for reading in subject.outcome(fixture).readings]
        found = [one for one in built if one is not None]
        if len(found) != len(fixture.golden):
            yield f"{fixture.name}: {len(fixture.golden)} resources are expected and {len(found)} came out"
        for number, (one, other) in enumerate(zip(fixture.golden, found, strict=False), start=1):
            if _canonical(one) != _canonical(other):
                yield f"{fixture.name}: resource {number} differs from the golden file"


def _canonical(resource: Any) -> str:
    return json.dumps(resource, sort_keys=True, default=str)


def fhir_built(subject: Subject) -> Iterator[str]:
    for fixture, reading in subject.readings():
        doubt = subject.bench.build(reading).doubt
        if doubt and doubt not in TAKES_NUMBER | WAITS_RIGHTLY:
            yield f"{fixture.name} {reading.pointer}: the hub would keep it waiting with {doubt}"


def fhir_valid(subject: Subject) -> Iterator[str]:
    """R4 itself, the vital signs profile of the code, and every profile that the resource claims (PHD among them)."""
    built = 0
    for fixture, reading in subject.readings():
        found = subject.bench.build(reading)
        built += found.resource is not None
        for problem in found.problems:
            yield f"{fixture.name} {reading.pointer}: {problem}"
    if not built:
        raise Unproven("nothing of the fixtures becomes FHIR")
