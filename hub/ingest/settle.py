"""Duplicate, correction or new: decided against what is stored, so that any order of arrival ends in the same state.

DESIGN 7: a reading's id is a keyed hash of patient, device, measure and the device's own time text, so the same reading
can exist only once, whichever process gets it. The value is not part of it: the same value again is a duplicate, another
one a new version. Current is the value the source changed last, then the one with the larger hash; a value that lost
goes straight to the history, and so does each further value of a reading that somebody has deleted. A value that comes
again with a later time of change is current again: of each reading the row remembers the latest such time, or the order
of arrival would show.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from fhir_profiles.building import build, resource_type
from fhir_profiles.measurement import Amount, MeasuredValue, Measurement, Recorded, Strip
from hub import numbers
from hub.ingest import fates
from hub.ingest.fates import Answer
from hub.instants import fhir_instant
from hub.recording import Touched
from hub.search.index import Indexed, index
from hub.services import Services
from hub.store.protocol import ReadingMark, Remark, Replace, Stored
from security.envelope import DataKey, Purpose

BREATH_ITEMS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A reading that may be stored: bound, permitted, in our units."""

    id: str
    patient: bytes
    patient_reference: str
    measurement: Measurement
    basis: str
    start_us: int
    end_us: int
    value: bytes
    modified_us: int
    raw: bytes
    pointer: str

    @property
    def type(self) -> str:
        return resource_type(self.measurement)

    @property
    def row(self) -> str:
        return f"{self.type}/{self.id}"

    @property
    def rank(self) -> tuple[int, bytes]:
        return self.modified_us, self.value


@dataclass(slots=True)
class Settled:
    """What the store has to do, and the answers. `conflicts`: indices that must wait after all."""

    answers: dict[int, Answer] = field(default_factory=dict)
    inserts: list[Stored] = field(default_factory=list)
    replaces: list[Replace] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)
    past: list[Stored] = field(default_factory=list)
    touched: list[Touched] = field(default_factory=list)
    conflicts: list[int] = field(default_factory=list)

    @property
    def written(self) -> list[Stored]:
        return [*self.past, *self.inserts, *(one.new for one in self.replaces)]


async def settle(
    candidates: Sequence[tuple[int, Candidate]],
    existing: Mapping[str, Stored],
    keys: Mapping[Any, DataKey],
    *,
    services: Services,
    now_us: int,
) -> Settled:
    """Pure but for the nonces of sealing and for pauses. `existing`: current rows by "Type/id"."""
    settled = Settled()
    builder = Builder(services, keys, now_us)
    by_row: dict[str, list[tuple[int, Candidate]]] = {}
    for place, candidate in candidates:
        by_row.setdefault(candidate.row, []).append((place, candidate))
    for count, (row, group) in enumerate(by_row.items(), start=1):
        if count % BREATH_ITEMS == 0:
            await asyncio.sleep(0)  # others' requests go on between the readings of a large batch
        _settle_one(group, existing.get(row), builder, settled)
    return settled


def _settle_one(group: Sequence[tuple[int, Candidate]], stored: Stored | None, builder: "Builder", settled: Settled) -> None:
    """All readings of one identity in this batch, one after the other, against the one that is stored."""
    current, made = stored, []
    for place, candidate in group:
        resource = candidate.row
        if current is not None and candidate.start_us != current.start_us:
            settled.conflicts.append(place)
            settled.answers[place] = Answer(
                fate="quarantined", pointer=candidate.pointer, code=fates.TIME_CONFLICT, hint=fates.TIME_CONFLICT_HINT
            )
        elif current is None:
            current = builder.build(candidate, 1, (candidate.value,))
            made.append(current)
            settled.answers[place] = Answer(fate="stored", pointer=candidate.pointer, resource=resource)
        elif _is_nothing_new(candidate, current):
            current = _seen_again(candidate, current)
            made[-1:] = [current] if made else []
            settled.answers[place] = Answer(fate="duplicate", pointer=candidate.pointer, resource=resource)
        else:
            versions = _correct(candidate, current, builder)
            made += versions
            current = versions[-1]
            settled.answers[place] = _corrected(candidate, resource, superseded=len(versions) > 1)
    if stored is not None and not made and current is not None and current.reading != stored.reading:
        settled.remarks.append(Remark(old=stored, modified_us=_mark(current).modified_us))
    if made and current is not None:
        settled.past += made[:-1]
        if stored is None:
            settled.inserts.append(current)
        else:
            settled.replaces.append(Replace(new=current, old=stored))
        candidate = group[0][1]
        settled.touched.append(
            Touched(
                reference=current.row,
                version=current.version,
                patient=candidate.patient,
                patient_reference=candidate.patient_reference,
                basis=candidate.basis,
            )
        )


def _mark(stored: Stored) -> ReadingMark:
    return stored.reading or ReadingMark(modified_us=0, values=(b"",))


def _best(stored: Stored) -> tuple[int, bytes]:
    mark = _mark(stored)
    return mark.modified_us, mark.values[0]


def _is_nothing_new(candidate: Candidate, current: Stored) -> bool:
    """The value that is current, or one of the history that the source has not gone back to; of a deleted reading any it had."""
    values = _mark(current).values
    settled = current.deleted or candidate.rank <= _best(current)
    return candidate.value == values[0] or (candidate.value in values and bool(settled))


def _seen_again(candidate: Candidate, current: Stored) -> Stored:
    """The same, but for the time at which the source last said so."""
    if candidate.rank <= _best(current):
        return current
    return current._replace(reading=replace(_mark(current), modified_us=candidate.modified_us))


def _correct(candidate: Candidate, current: Stored, builder: "Builder") -> list[Stored]:
    """The versions that a second value makes: itself, or, if it lost, itself and the winner anew on top of it."""
    before = tuple(value for value in _mark(current).values if value != candidate.value)
    if candidate.rank > _best(current) and not current.deleted:
        return [builder.build(candidate, current.version + 1, (candidate.value, *before))]
    late = builder.build(candidate, current.version + 1, (candidate.value,))
    return [late, builder.again(current, current.version + 2, (*before, candidate.value))]


def _corrected(candidate: Candidate, resource: str, *, superseded: bool) -> Answer:
    if not superseded:
        return Answer(fate="corrected", pointer=candidate.pointer, resource=resource)
    return Answer(fate="corrected", pointer=candidate.pointer, resource=resource, code=fates.SUPERSEDED, hint=fates.SUPERSEDED_HINT)


class Builder:
    """Builds and seals resources. What is alike in all readings of a kind is worked out once."""

    def __init__(self, services: Services, keys: Mapping[Any, DataKey], now_us: int) -> None:
        self._services = services
        self._keys = keys
        self._now_us = now_us
        self._updated = fhir_instant(now_us)
        self._tokens: dict[tuple[Any, ...], tuple[tuple[bytes, ...], tuple[bytes, ...]]] = {}

    def build(self, candidate: Candidate, version: int, values: tuple[bytes, ...]) -> Stored:
        json = build(candidate.measurement, id=candidate.id, version=version, last_updated=self._updated)
        k, g = self._token_sets(candidate.measurement, json)
        vault, key, type = self._services.vault, self._keys[candidate.patient], candidate.type
        return Stored(
            type=type,
            id=candidate.id,
            version=version,
            updated_us=self._now_us,
            sealed=vault.seal(key, type, candidate.id, version, candidate.patient, json),
            key_version=key.version,
            patient=candidate.patient,
            tokens=k,
            global_tokens=g,
            start_us=candidate.start_us,
            end_us=candidate.end_us,
            raw=vault.seal(key, type, candidate.id, version, candidate.patient, candidate.raw, purpose="raw"),
            reading=ReadingMark(modified_us=candidate.modified_us, values=values),
        )

    def again(self, current: Stored, version: int, values: tuple[bytes, ...]) -> Stored:
        """The current content as a newer version, after a value that arrived too late to be current."""
        vault = self._services.vault
        key = self._keys[current.patient]
        content = numbers.loads(vault.open(key, current))
        content["meta"] |= {"versionId": str(version), "lastUpdated": self._updated}
        mark = current.reading or ReadingMark(modified_us=0, values=())
        return current._replace(
            version=version,
            updated_us=self._now_us,
            sealed=vault.seal(key, current.type, current.id, version, current.patient, numbers.dumps(content)),
            key_version=key.version,
            raw=self._again(current, version, current.raw, "raw"),
            reading=ReadingMark(modified_us=mark.modified_us, values=values),
            deleted=self._again(current, version, current.deleted, "deleted"),
        )

    def _again(self, current: Stored, version: int, sealed: bytes | None, purpose: Purpose) -> bytes | None:
        """What lies beside the content, bound to the newer version."""
        if sealed is None:
            return None
        vault, key = self._services.vault, self._keys[current.patient]
        plain = vault.open_sealed(key, current.type, current.id, current.version, current.patient, sealed, purpose=purpose)
        return vault.seal(key, current.type, current.id, version, current.patient, plain, purpose=purpose)

    def _token_sets(self, measurement: Measurement, json: bytes) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
        """Tokens speak of codes, device and status, never of numbers or times: one look serves all readings of a kind."""
        kind = _kind(measurement)
        if kind is None:
            return _sorted(self._index(json))
        found = self._tokens.get(kind)
        if found is None:
            found = self._tokens[kind] = _sorted(self._index(json))
        return found

    def _index(self, json: bytes) -> Indexed:
        blind = self._services.blind
        return index(orjson.loads(json), token=blind.token, patient_token=blind.patient, base=self._services.base_url)


def _kind(measurement: Measurement) -> tuple[Any, ...] | None:
    """Everything of a measurement that can show in a token; None when its values are codes themselves."""
    parts = tuple((name, _shape(value)) for name, value in measurement.components.items())
    if isinstance(measurement.value, Recorded):
        return None
    shape = _shape(measurement.value)
    if shape == "coded" or any(one == "coded" for _, one in parts):
        return None
    context = tuple(sorted((name, coding.system, coding.code) for name, coding in measurement.context.items()))
    return (
        measurement.measure,
        measurement.patient,
        measurement.device,
        measurement.manual,
        measurement.preliminary,
        measurement.flags,
        measurement.source,
        context,
        shape,
        parts,
    )


def _shape(value: MeasuredValue | None) -> str:
    if value is None:
        return ""
    if isinstance(value, Amount):
        return value.unit
    if isinstance(value, Strip):
        return f"strip of {value.unit}"
    return getattr(value, "reason", "coded")


def _sorted(indexed: Indexed) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
    return tuple(sorted(indexed.k)), tuple(sorted(indexed.g))
