"""FHIR read and vread behind the one door: resolve, decide, open, re-check, record.

https://hl7.org/fhir/R4/http.html#read. What may not be seen and what does not exist take the same way and give the
same answer (law 3); the log alone knows the difference.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import orjson

from hub import outcomes
from hub.errors import Deleted
from hub.recording import Recording, Touched
from hub.repository.rights import Rights
from hub.repository.visibility import PatientRules
from hub.services import Services
from hub.store.protocol import Stored
from hub.vault import AUDIT_TYPE
from security.consent import Decision
from security.context import AccessContext, Action

POLICY_ONLY = frozenset({AUDIT_TYPE})
"""Types that no patient's consent governs, but policy: a scope that names them (law 1)."""
AUDIT_BASIS = "policy audit-scope"


class Resource(NamedTuple):
    """One version as it leaves: its JSON as stored, never parsed and written again on the way out."""

    type: str
    id: str
    version: int
    updated_us: int
    json: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A row decided on. `rules`: versions of the patients' rules that it was decided by."""

    stored: Stored
    json: bytes
    content: Mapping[str, Any]
    touched: Touched
    rules: Mapping[bytes, int] = field(default_factory=dict)


class Reading:
    """Reads for one caller."""

    def __init__(self, caller: AccessContext, services: Services, rights: Rights) -> None:
        self._caller = caller
        self._services = services
        self._rights = rights

    async def read(self, type: str, id: str, recording: Recording) -> Resource:
        """Of what is deleted, whoever could see it last is told so; for everybody else it is absent."""
        stored = await self._resolve(type, id, "r", recording)
        return await self._answer(stored, recording, "access")

    async def vread(self, type: str, id: str, version: int, recording: Recording) -> Resource:
        """The current version must be visible too: an older one never shows what a newer one hides."""
        current = await self._resolve(type, id, "r", recording)
        if current.version == version:
            return await self._answer(current, recording, "access")
        await self.open(current, "access")
        found = await self._services.store.version(current.row, version)
        if found is None:
            raise outcomes.absent()
        return await self._answer(found, recording, "access")

    async def open(self, stored: Stored, action: Action, letters: str | None = None) -> Opened:
        """Decide and open one row, or answer as for an absent one. A tombstone opens as the content that was deleted.

        `letters` of the scopes of which one must cover it, where it is not that of a read or an update.
        """
        rules = await self._rules(stored)
        json, content = await self._opened(stored)
        basis = AUDIT_BASIS if stored.type in POLICY_ONLY else self._permitted(rules, content, action)
        if action == "collect":  # what may not be seen is not there to be changed either (law 3)
            self._permitted(rules, content, "access")
        letters = letters or ("r" if action == "access" else "u")
        if not any(self._rights.scopes_match(stored.type, letter, content, stored) for letter in letters):
            raise outcomes.absent()
        versions = dict(zip(self._concerned(stored), (one.version for one in rules), strict=True))
        return Opened(stored=stored, json=json, content=content, touched=touched(stored, content, basis), rules=versions)

    async def open_for_recorder(self, stored: Stored, letter: str = "u") -> Opened:
        """A Consent that a recorder replaces or deletes: what it says cannot be the reason why it may not be changed."""
        await self._rules(stored)
        json, content = await self._opened(stored)
        if not self._rights.scopes_match(stored.type, letter, content, stored):
            raise outcomes.absent()
        return Opened(stored=stored, json=json, content=content, touched=touched(stored, content, "recorder"))

    async def _rules(self, stored: Stored) -> list[PatientRules]:
        """The rules of everybody the row concerns; who is not known any more permits nothing."""
        rules = [await self._rights.visibility.rules(patient) for patient in self._concerned(stored)]
        known = [one for one in rules if one is not None]
        if len(known) < len(rules):
            raise outcomes.absent()
        return known

    def _concerned(self, stored: Stored) -> list[bytes]:
        return [] if stored.type in POLICY_ONLY else self._rights.visibility.concerned(stored)

    async def _opened(self, stored: Stored) -> tuple[bytes, dict[str, Any]]:
        services = self._services
        keys = await services.vault.keys([stored.patient])
        if stored.patient not in keys:
            raise outcomes.absent()  # its key has been destroyed: nobody can read it any more
        key = keys[stored.patient]
        json = services.vault.open_deleted(key, stored, stored.deleted) if stored.deleted else services.vault.open(key, stored)
        return json, orjson.loads(json)

    async def _resolve(self, type: str, id: str, letter: str, recording: Recording) -> Stored:
        """Scope first, then the row; whose patient it is goes to the log before anything is decided."""
        self._rights.require(type, letter)
        stored = await self._services.resolve(type, id, deleted=True, asked=recording.asked_already(type, id))
        if stored is None:
            await self.as_if_hidden(type, id, recording)
            raise outcomes.absent()
        recording.aim(stored)
        return stored

    async def as_if_hidden(self, type: str, id: str, recording: Recording) -> None:
        """Ask and record for what is absent as much as for what is hidden, so that the time does not tell them apart."""
        if type in POLICY_ONLY:
            return
        blind = self._services.blind
        nobody = blind.patient(id) if type == "Patient" else blind.token("nobody", f"{type}/{id}")
        recording.aim_patient(nobody)
        await self._rights.visibility.rules(nobody)

    async def _answer(self, stored: Stored, recording: Recording, action: Action) -> Resource:
        opened = await self.open(stored, action)
        if stored.deleted:
            raise Deleted(stored.version)
        recording.touch(opened.touched)
        id = opened.content["id"]
        return Resource(type=stored.type, id=id, version=stored.version, updated_us=stored.updated_us, json=opened.json)

    def _permitted(self, rules: list[PatientRules], content: Mapping[str, Any], action: Action) -> str:
        """Every patient concerned must permit; patientless resources rest on the scope."""
        now_us = self._services.clock()
        decisions = [self._rights.visibility.decide(one, content, action, now_us) for one in rules]
        if not all(decision.permit for decision in decisions):
            raise outcomes.absent()
        return basis_of(decisions[0]) if decisions else "scope"


def basis_of(decision: Decision) -> str:
    """What decided, for the log: the Consent by its version, or which policy."""
    return f"consent {decision.consent}" if decision.basis == "consent" else f"policy {decision.policy}"


def touched(stored: Stored, content: Mapping[str, Any], basis: str) -> Touched:
    return Touched(
        reference=f"{stored.type}/{content['id']}",
        version=stored.version,
        patient=stored.patient,
        patient_reference=patient_reference(content),
        basis=basis,
        others=stored.others,
    )


def patient_reference(content: Mapping[str, Any]) -> str | None:
    """The patient in whose compartment the resource lies, as a reference."""
    if content["resourceType"] == "Patient":
        return f"Patient/{content['id']}"
    for element in ("subject", "patient"):
        held = content.get(element)
        # An array, as Account.subject is, names whom the resource concerns; it lies in the compartment of none of them.
        reference = str(held.get("reference", "")) if isinstance(held, dict) else ""
        if "Patient/" in reference:
            return "Patient/" + reference.rsplit("Patient/", 1)[1].split("/", maxsplit=1)[0]
    return None
