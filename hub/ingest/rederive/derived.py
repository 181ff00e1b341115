"""What becomes of a row, and which of an item's readings takes its place. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from adapters.reading import Reading
from fhir_profiles.building import build
from hub import numbers
from hub.ingest.fates import NOT_PAIRED
from hub.ingest.rederive.diff import Change, changes, settled
from hub.ingest.settle import Candidate
from hub.ingest.weighed import Content
from hub.store.protocol import ReadingMark, Stored

Kind = Literal["unchanged", "changed", "moved", "nothing", "elsewhere"]
"""unchanged   the same comes out
changed     another content under the same key
moved       another key: another time, measure, unit or record
nothing     nothing comes out that may be stored
elsewhere   what comes out is of a time at which somebody else had the unit, or of somebody else by its own words"""
RETRACTED: Final = frozenset({"nothing", "elsewhere"})
"""Entered in error without anything in its place, if that is asked for."""
Left = Literal["not-permitted", "sender-gone", "sender-unknown", "raw-unreadable", "content-missing", "content-too-long", "ambiguous"]
"""Why a row is neither shown nor touched."""
IN_ERROR: Final = "entered-in-error"
NONE_OF_ITS_VALUES: Final = ReadingMark(modified_us=0, values=(b"\0",))
"""Of what was entered in error. Should a mapping some day read it under this key again, it is no duplicate of what is in error."""
NEVER: Final = "2000-01-01T00:00:00Z"
"""When what is only compared was updated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A resource of the reading: as it is, None where it is not there, and as it would be."""

    stored: Stored | None
    old: Mapping[str, Any] | None
    candidate: Candidate
    new: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Derived:
    """What becomes of a row. `parts`: one, of a recording three; none where nothing is to be written.

    stored, content  the row as it is, opened
    rows             all resources of the reading as they are, with their content
    code             why nothing comes out
    content_bytes    the recording itself, read as it is asked for
    """

    kind: Kind
    stored: Stored
    content: Mapping[str, Any]
    client: str
    basis: str
    rows: Sequence[tuple[Stored, Mapping[str, Any]]]
    parts: Sequence[Part] = ()
    code: str | None = None
    content_bytes: Content = field(default=b"", repr=False)

    @property
    def becomes(self) -> str | None:
        """The row that would take its place."""
        return self.parts[0].candidate.row if self.kind == "moved" else None

    @property
    def value(self) -> bytes:
        """Keyed hash of what would stand there."""
        return self.parts[0].candidate.value

    @property
    def changes(self) -> list[Change]:
        """Of the reading itself and what goes with it; of one that has no counterpart, none."""
        if self.kind not in ("changed", "moved"):
            return []
        olds = {stored.type: content for stored, content in self.rows}
        made = []
        for part in self.parts:
            before = olds.get(part.candidate.type, {})
            prefix = "" if part.candidate.type == self.stored.type else f"{part.candidate.type}:"
            made += [
                Change(prefix + one.path, one.old, one.new) for one in changes(before, part.new) if not one.path.startswith("extension")
            ]
            made += [Change(prefix + one.path, one.old, one.new) for one in changes(*_extensions(before, part.new))]
        return made

    @property
    def after(self) -> bytes:
        """What would be written, in a form that the same result always has."""
        return numbers.canonical([[part.candidate.row, settled(part.new)] for part in self.parts])


def _extensions(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """But for the one that names the replaced reading, which is no difference of the mapping."""
    kept = [{"extension": [one for one in content.get("extension", ()) if "valueReference" not in one]} for content in (old, new)]
    return kept[0], kept[1]


Bound = tuple[Candidate, Reading, bool]
"""A reading as it would be stored, and whether the patient had the unit then."""


def elsewhere(base: Derived) -> Derived:
    return replace(base, kind="elsewhere", code=NOT_PAIRED)


def counterpart(base: Derived, free: Sequence[Bound]) -> Bound | None:
    """Which of the readings takes the place of the row: one of the same kind, else one of the same value, else the only one."""
    return alike(base, free) or (free[0] if len(free) == 1 else None)


def alike(base: Derived, among: Sequence[Bound]) -> Bound | None:
    """The only one of the same kind, else the only one of the same value."""
    for said in (_kind_of, _value_of):
        some = [one for one in among if said(_probe(one[0])) == said(base.content)]
        if len(some) == 1:
            return some[0]
    return None


def _probe(candidate: Candidate) -> Mapping[str, Any]:
    made: Mapping[str, Any] = numbers.loads(build(candidate.measurement, id="probe", version=1, last_updated=NEVER))
    return made


def _kind_of(content: Mapping[str, Any]) -> Any:
    return content.get("code") or content.get("medicationCodeableConcept")


def _value_of(content: Mapping[str, Any]) -> Any:
    return [value for name, value in sorted(content.items()) if name.startswith("value") or name in ("component", "dosage")]


def is_as_it_is(part: Part) -> bool:
    return part.old is not None and numbers.canonical(settled(part.old)) == numbers.canonical(settled(part.new))


def document_of(row: str, content: Mapping[str, Any]) -> str | None:
    """The DocumentReference of a recording or a report; None for any other reading. `row`: "Type/id"."""
    type, _, id = row.partition("/")
    if type == "DiagnosticReport":
        return f"DocumentReference/{id}"
    if type != "Observation" or "derivedFrom" not in content or "valueSampledData" in content:
        return None
    return str(content["derivedFrom"][0]["reference"])


def content_of(document: Mapping[str, Any]) -> str:
    return str(document["content"][0]["attachment"]["url"])


def device_of(contents: Sequence[Mapping[str, Any]]) -> str | None:
    """Of an Observation an element, of a MedicationAdministration a list; a DiagnosticReport's is named by its document."""
    for content in contents:
        device = content.get("device") or content.get("context", {}).get("related")
        if isinstance(device, list):
            device = device[0] if device else None
        if device is not None:
            return str(device["reference"])
    return None
