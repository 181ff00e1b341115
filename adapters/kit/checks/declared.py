"""What an adapter says of itself, held against what it does."""

import re
from collections.abc import Iterator

from adapters.kit.checks.simulation import every_sort, simulator_of
from adapters.kit.rule import NotApplicable, Subject
from fhir_profiles.catalogue import MEASURES

_NAME = re.compile(r"[a-z][a-z0-9-]*")
_VERSION = re.compile(r"\d+\.\d+\.\d+(?:[-+][0-9A-Za-z.-]+)?")
_MEDIA_TYPE = re.compile(r"[a-z]+/[a-z0-9.+-]+")
_URI = re.compile(r"(?:https?://|urn:)\S+")


def manifest_complete(subject: Subject) -> Iterator[str]:
    """SemVer 2.0.0, RFC 6838 media types, an absolute URI as Device.identifier.system."""
    manifest = subject.adapter.manifest
    if not _NAME.fullmatch(manifest.name):
        yield "name: lower case letters, digits and hyphens, beginning with a letter"
    if not _VERSION.fullmatch(manifest.version):
        yield "version: three numbers, as SemVer writes them"
    if not manifest.product.strip() or not manifest.manufacturer.strip():
        yield "product and manufacturer: say them; a format that any maker sends has the manufacturer `unknown`"
    if not manifest.media_types or not all(_MEDIA_TYPE.fullmatch(one) for one in manifest.media_types):
        yield "media_types: at least one, such as text/csv, without parameters"
    if not _URI.fullmatch(manifest.identifier_system):
        yield "identifier_system: an absolute URI for the space in which a device's identifier is unique"


def manifest_measures(subject: Subject) -> Iterator[str]:
    manifest = subject.adapter.manifest
    if not manifest.measures:
        yield "measures: name at least one key of the catalogue"
    for key in manifest.measures:
        if key not in MEASURES:
            yield f"measures: {key!r} is not in the catalogue (fhir_profiles/measures)"
    if not manifest.transports or not manifest.time_kinds:
        yield "transports and time_kinds: name at least one of each"
    if ("local" in manifest.time_kinds) != manifest.needs_time_zone:
        yield "needs_time_zone: True exactly when time_kinds has `local`"


def manifest_true(subject: Subject) -> Iterator[str]:
    """What comes out of the fixtures is declared."""
    manifest = subject.adapter.manifest
    for fixture, reading in subject.readings():
        if reading.measure not in manifest.measures:
            yield f"{fixture.name} {reading.pointer}: gives {reading.measure!r}, which the manifest does not name"
        for time in (reading.time, reading.end):
            if time is not None and time.kind not in manifest.time_kinds:
                yield f"{fixture.name} {reading.pointer}: a time of the kind {time.kind!r}, which the manifest does not name"


def measures_shown(subject: Subject) -> Iterator[str]:
    """In a fixture, or among what the simulator writes and `simulator-true` holds against what is read."""
    simulator = simulator_of(subject)
    shown = {reading.measure for _, reading in subject.readings()} | {sort.measure for sort in (every_sort(simulator) if simulator else ())}
    for key in subject.adapter.manifest.measures:
        if key not in shown:
            yield f"neither a fixture nor the simulator shows {key!r}; add a record of it, or take it out of the manifest"


def evidence_outside(subject: Subject) -> Iterator[str]:
    if subject.adapter.manifest.evidence == "synthetic":
        yield "evidence is `synthetic`: hold the decoding against the vendor's documentation or a payload of a real unit, then say so"


def zone_needed(subject: Subject) -> Iterator[str]:
    """A wall clock that the hub cannot place without a zone is not hidden behind another kind."""
    if subject.adapter.manifest.needs_time_zone:
        return
    for fixture, reading in subject.readings():
        if reading.time is not None and reading.time.kind == "local":
            yield f"{fixture.name} {reading.pointer}: local time, but the manifest says that no zone is needed"


def vocabulary_known(subject: Subject) -> Iterator[str]:
    """Flags and circumstances that the hub has no word for would keep every reading waiting."""
    seen = False
    for fixture, reading in subject.readings():
        seen = seen or bool(reading.quality or reading.context)
        doubt = subject.bench.build(reading).doubt
        if doubt in {"unknown-quality", "unknown-context"}:
            yield f"{fixture.name} {reading.pointer}: {doubt}; the words are in fhir_profiles/structure_definitions and catalogue.json"
    if not seen:
        raise NotApplicable("no reading carries a flag or a circumstance")
