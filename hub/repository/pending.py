"""What one unit is going to write, and what is known meanwhile: each patient's rules and key are asked for once.

Made for one attempt. Several writes become one unit (a transaction); what is decided later in it sees what was prepared
before: a new Patient, and what the Consents of the same unit say.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from audit.record import Write
from hub.recording import Touched, write_of
from hub.repository.reading import Resource
from hub.repository.standing import Standing
from hub.repository.visibility import PatientRules, Visibility, grant_of
from hub.services import Services
from hub.store.protocol import Claim, Closing, Decided, Grant, GrantWrite, Replace, Stored, Unit
from security.envelope import DataKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A version sealed and ready. `old`: the version whose place it takes, None for a new resource."""

    id: str
    stored: Stored
    json: bytes
    content: Mapping[str, Any]
    touched: Touched
    old: Stored | None = None

    @property
    def resource(self) -> Resource:
        stored = self.stored
        return Resource(type=stored.type, id=self.id, version=stored.version, updated_us=stored.updated_us, json=self.json)

    @property
    def write(self) -> Write:
        return write_of(self.stored)


@dataclass(slots=True)
class _Changed:
    """Rules that this unit changes: the grant as it is stored, and what it comes to."""

    grant: Grant | None
    before: PatientRules
    after: PatientRules
    anew: bool = False
    """Written again in any case: something besides has changed that others may have decided by."""

    @property
    def written(self) -> bool:
        return self.grant is None or self.after != self.before or self.anew


class Pending:
    """Gathers what is prepared until `unit` is asked for."""

    def __init__(self, services: Services, visibility: Visibility, standing: Standing) -> None:
        self._services = services
        self._standing = standing
        self._visibility = visibility
        self.now_us = services.clock()
        self.made: list[Made] = []
        self.claims: list[Claim] = []
        self.closing: list[Closing] = []
        self._changes = services.store.changes  # before anything is decided
        self._rules: dict[bytes, PatientRules | None] = {}
        self._opened: dict[bytes, int] = {}
        self._keys: dict[bytes | None, DataKey] = {}
        self._changed: dict[bytes, _Changed] = {}

    def written(self, reference: str) -> Stored | None:
        """What this unit writes under that reference (Type/id)."""
        return next((one.stored for one in self.made if f"{one.stored.type}/{one.id}" == reference), None)

    async def rules(self, patient: bytes) -> PatientRules | None:
        """As of now with what this unit changes; None for a patient the hub does not know."""
        if patient not in self._rules:
            self._rules[patient] = await self._visibility.rules(patient)
        return self._rules[patient]

    def rest_on(self, versions: Mapping[bytes, int]) -> None:
        """Versions of rules by which something was opened that is written anew, or deleted."""
        for patient, version in versions.items():
            self._opened[patient] = min(version, self._opened.get(patient, version))

    async def key(self, patient: bytes | None) -> DataKey:
        if patient not in self._keys:
            self._keys[patient] = await self._services.vault.key(patient)
        return self._keys[patient]

    async def create_key(self, patient: bytes) -> DataKey:
        self._keys[patient] = await self._services.vault.create_key(patient)
        return self._keys[patient]

    async def change_rules(self, patient: bytes, change: Callable[[PatientRules], PatientRules], *, anew: bool = False) -> None:
        """What a Patient or a Consent changes of what the patient's consents come to; committed in the same transaction.

        anew  what they come to counts as changed though they say the same
        """
        changed = self._changed.get(patient)
        if changed is None:
            grant = await self._services.store.grant(patient)
            before = PatientRules(rules=(), organization=None, patient=patient)
            if grant is not None:
                before = (await self._visibility.opened([grant]))[patient]
            changed = self._changed[patient] = _Changed(grant, before, before)
        changed.anew |= anew
        self._rules[patient] = changed.after = change(changed.after)

    def unit(self) -> Unit:
        return Unit(
            inserts=tuple(one.stored for one in self.made if one.old is None),
            replaces=tuple(Replace(new=one.stored, old=one.old) for one in self.made if one.old is not None),
            grants=tuple(self._grant(patient, one) for patient, one in self._changed.items() if one.written),
            claims=tuple(self.claims),
            closing=tuple(self.closing),
            decided=self._decided(),
        )

    def _decided(self) -> Decided:
        """What it rests on, but for the rules that it changes itself: those are compared where they are written."""
        asked = {patient: 0 if one is None else one.version for patient, one in self._rules.items()}
        # Of what was asked twice the older answer counts.
        both = {patient: min(version, self._opened.get(patient, version)) for patient, version in {**self._opened, **asked}.items()}
        unchanged = {patient: one.grant.version for patient, one in self._changed.items() if one.grant and not one.written}
        rules = {patient: version for patient, version in both.items() if patient not in self._changed} | unchanged
        callers = () if self._standing.registered is None else (self._standing.registered,)
        return Decided(changes=self._changes, rules=rules, callers=callers, notes=self._standing.notes)

    def _grant(self, patient: bytes, changed: _Changed) -> GrantWrite:
        expected = 0 if changed.grant is None else changed.grant.version
        services = self._services
        new = grant_of(patient, expected + 1, changed.after, blind=services.blind, vault=services.vault, key=self._keys[patient])
        return GrantWrite(new=new, expected_version=expected)
