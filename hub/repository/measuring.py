"""What $measures puts into another shape: a page of a patient's Observations with the devices that they name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from fhir_profiles.shapes.chunks import window_of
from fhir_profiles.shapes.kept import Kept
from hub import numbers
from hub.errors import FhirError
from hub.repository.reading import Resource
from hub.repository.searching import Found
from hub.repository.searching_rows import Match

Kepts = Sequence[Kept]
ROWS_MAX = 5_000
"""Stored Observations of one page of chunks: three days of a value a minute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """The patient, a page in the order of time, and by device when the newest of its measurements came."""

    patient: Resource
    found: Found
    seen_us: Mapping[str, int]

    def before(self, us: int) -> "tuple[Measured, frozenset[str]]":
        """The part that began before a moment, and the devices of the rest."""
        kept = tuple(one for one in self.found.matches if _start_us(one) < us)
        rest = [one for one in self.found.matches if _start_us(one) >= us]
        devices = frozenset(str(one.content.get("device", {}).get("reference")) for one in rest)
        return replace(self, found=replace(self.found, matches=kept)), devices

    def kept(self) -> Kepts:
        """Each with its device, and with the sensor of that device which measures such things."""
        along = {f"{one.resource.type}/{one.resource.id}": numbers.loads(one.resource.json) for one in self.found.included}
        return [_kept(numbers.loads(one.resource.json), along) for one in self.found.matches]


def cut_at(measured: Measured, hours: int) -> int:
    """Where the next page begins: with the chunk that this page has in part. Raises FhirError too-costly."""
    matches = measured.found.matches
    start = window_of(_start_us(matches[-1]), hours).start_us
    if _start_us(matches[0]) >= start:
        text = f"More than {len(matches)} measurements lie in one chunk; ask for fewer codes (code) or shorter chunks (chunkHours)."
        raise FhirError("too-costly", text)
    return start


def _start_us(match: Match) -> int:
    return match.stored.start_us or 0


def _kept(observation: Mapping[str, Any], along: Mapping[str, Mapping[str, Any]]) -> Kept:
    named = str(observation.get("device", {}).get("reference"))
    found = along.get(named)
    if found is not None and found["resourceType"] == "DeviceMetric":
        return Kept(observation=observation, device=along.get(str(found.get("source", {}).get("reference"))), metric=found)
    return Kept(observation=observation, device=found, metric=_sensor_of(observation, named, along))


def _sensor_of(observation: Mapping[str, Any], device: str, along: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any] | None:
    codes = _codes(observation.get("code", {}))
    sensors = (one for one in along.values() if one["resourceType"] == "DeviceMetric" and one.get("source", {}).get("reference") == device)
    return next((one for one in sensors if codes & _codes(one.get("type", {}))), None)


def _codes(concept: Mapping[str, Any]) -> set[tuple[str, str]]:
    return {(str(one.get("system")), str(one.get("code"))) for one in concept.get("coding", ())}
