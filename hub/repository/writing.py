"""FHIR create and update behind the one door: check, decide, seal, commit together with the audit record.

https://hl7.org/fhir/R4/http.html#create, #update. A reference to a hidden patient is answered exactly like one to a
patient that does not exist (law 1); nothing of a refused write is left behind.
"""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeVar

from audit.record import Write
from hub import numbers, outcomes
from hub.errors import FhirError, Issue
from hub.instants import fhir_instant
from hub.recording import Recording, Touched
from hub.repository.reading import Opened, Reading, Resource, basis_of, patient_reference
from hub.repository.rights import Rights
from hub.repository.visibility import PatientRules, grant_of
from hub.search.index import Indexed, index
from hub.search.parameters import resource_type
from hub.services import Services
from hub.store.protocol import Conflict, GrantWrite, Replace, Stored, Unit
from security.access import write_needs
from security.consent import problems, rules_of
from security.context import AccessContext
from security.envelope import DataKey, fingerprint

T = TypeVar("T")

REDO_MAX = 5
THING = re.compile(r"Location/[A-Za-z0-9\-.]{1,64}")
DECIDED_BY: Mapping[str, str] = {"Organization": "partOf", "Patient": "managingOrganization"}
"""Elements by which it is decided who may see (reading 4, opt-out)."""
UNKNOWN_PATIENT = "A patient this resource refers to cannot be found."


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A version sealed and ready, and what goes with it."""

    id: str
    stored: Stored
    json: bytes
    grants: tuple[GrantWrite, ...]
    touched: Touched


class Writing:
    """Writes for one caller."""

    def __init__(self, caller: AccessContext, services: Services, rights: Rights, reading: Reading) -> None:
        self._caller = caller
        self._services = services
        self._rights = rights
        self._reading = reading

    async def create(self, type: str, content: dict[str, Any], recording: Recording) -> Resource:
        """A new resource under an id of ours; whatever id the body brings is ignored."""
        self._rights.require(type, "c")
        self._require_recorder(type)
        return await self._redoing(lambda: self._create(type, self._services.new_id(), None, content, recording))

    async def update(
        self, type: str, id: str, content: dict[str, Any], if_match: int | None, recording: Recording
    ) -> tuple[Resource, Literal["created", "updated"]]:
        """A new version of what the caller may see. Only importers may bring an id that does not exist yet."""
        self._rights.require(type, "u")
        if type == "Consent":
            self._require_recorder(type)
        if content.get("id") != id:
            raise FhirError("invalid", "The id in the body must be the id in the URL.", expression=f"{type}.id")
        return await self._redoing(lambda: self._update(type, id, content, if_match, recording))

    async def _redoing(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Somebody else was first: read again, decide again, and do it again; give up as a conflict."""
        for _ in range(REDO_MAX):
            try:
                return await attempt()
            except Conflict:
                continue
        raise FhirError("conflict", "The resource is being changed by others; read it again and repeat.")

    async def _create(self, type: str, id: str, row_id: str | None, content: dict[str, Any], recording: Recording) -> Resource:
        made = await self._new_version(type, id, row_id or id, 1, content, None, recording)
        await self._commit(Unit(inserts=(made.stored,), grants=made.grants), made, recording)
        return _resource(made)

    async def _update(
        self, type: str, id: str, content: dict[str, Any], if_match: int | None, recording: Recording
    ) -> tuple[Resource, Literal["created", "updated"]]:
        current = await self._services.resolve(type, id)
        if current is None:
            return await self._update_as_create(type, id, content, if_match, recording), "created"
        recording.aim(current)
        opened = await (self._reading.open_for_recorder(current) if type == "Consent" else self._reading.open(current, "collect"))
        if if_match is not None and if_match != current.version:
            raise FhirError("precondition", f"The current version is {current.version}; read it and repeat.")
        made = await self._new_version(type, id, current.id, current.version + 1, content, opened, recording)
        await self._commit(Unit(replaces=(Replace(new=made.stored, old=current),), grants=made.grants), made, recording)
        return _resource(made), "updated"

    async def _update_as_create(self, type: str, id: str, content: dict[str, Any], if_match: int | None, recording: Recording) -> Resource:
        if not self._caller.importer or if_match is not None:
            await self._reading.as_if_hidden(type, id, recording)
            raise outcomes.absent()
        self._rights.require(type, "c")
        self._require_recorder(type)
        return await self._create(type, id, self._services.brought_id(type, id), content, recording)

    def _require_recorder(self, type: str) -> None:
        """Creating a Patient and writing a Consent rest on the client's recorder permission instead of a consent.

        Law 1 and docs/adr/0009: who may collect must not give itself leave to see, and a deny must not lock itself in.
        """
        if write_needs(type, creating=True, names_patient=True) == "recorder" and not self._caller.recorder:
            raise FhirError("forbidden", f"This client is not registered as a recorder and may not write a {type}.")

    def _require_recorder_of(self, type: str, content: Mapping[str, Any], before: Opened | None) -> None:
        """Who stands above an organisation, and who manages a patient, decides who may see: that is a recorder's to say."""
        element = DECIDED_BY.get(type)
        if element is None or before is None or self._caller.recorder:
            return
        if _reference(content, element) != _reference(before.content, element):
            raise FhirError(
                "forbidden",
                f"This client is not registered as a recorder and may not change {type}.{element}.",
                expression=f"{type}.{element}",
            )

    async def _new_version(
        self, type: str, id: str, row_id: str, version: int, content: dict[str, Any], before: Opened | None, recording: Recording
    ) -> Made:
        services, now_us = self._services, self._services.clock()
        if type == "Patient" and before is None and "managingOrganization" not in content:
            content = {**content, "managingOrganization": {"reference": self._caller.organization}}
        content = with_meta(content, id, version, now_us)
        services.check(content)
        refuse_what_is_not_understood(type, content)
        self._require_recorder_of(type, content, before)
        indexed = index(content, token=services.blind.token, patient_token=services.blind.patient, base=services.base_url)
        require_compartment(type, content, indexed)
        patient = None if indexed.patient is None else services.blind.patient(indexed.patient)
        named = {services.blind.patient(one) for one in indexed.named}
        # A Device stays with the patients it is paired with, whatever is written into it.
        others = tuple(sorted(named.union(before.stored.others) if before is not None and type == "Device" else named))
        if before is not None and before.stored.patient != patient:
            raise FhirError("business-rule", "A resource cannot move to another patient; create it anew there.")
        basis = await self._decide(type, content, patient, others, recording, creating=before is None)
        if not self._rights.scopes_match(type, "c" if before is None else "u", content):
            raise outcomes.forbidden()
        key = await self._key(type, patient, creating=before is None)
        json = numbers.dumps(content)
        # The mark of a reading stays: a device that sends it again must not undo what a person put right.
        mark = None if before is None else before.stored.reading
        stored = replace(self._stored(type, row_id, version, now_us, json, key, patient, others, indexed), reading=mark)
        grants = await self._grants(type, id, version, content, patient, key)
        touched = Touched(
            reference=f"{type}/{id}",
            version=version,
            patient=patient,
            patient_reference=patient_reference(content),
            basis=basis,
            others=others,
        )
        recording.aim(stored)
        return Made(id=id, stored=stored, json=json, grants=grants, touched=touched)

    async def _decide(
        self,
        type: str,
        content: Mapping[str, Any],
        patient: bytes | None,
        others: Sequence[bytes],
        recording: Recording,
        *,
        creating: bool,
    ) -> str:
        """Which rule lets this write happen. Raises the same error for hidden and for absent patients."""
        needs = write_needs(type, creating=creating, names_patient=patient is not None or bool(others))
        own = [] if patient is None or (needs == "recorder" and type == "Patient") else [patient]
        basis = "recorder" if needs == "recorder" else "scope"
        for token in (*own, *others):
            recording.aim_patient(token)
            rules = await self._rights.visibility.rules(token)
            if rules is None:
                raise FhirError("business-rule", UNKNOWN_PATIENT)
            if needs == "recorder" and token == patient:
                continue
            decision = self._rights.visibility.decide(rules, content, "collect", self._services.clock())
            if not decision.permit:
                raise FhirError("business-rule", UNKNOWN_PATIENT)
            basis = basis_of(decision) if token == patient else basis
        return basis

    async def _key(self, type: str, patient: bytes | None, *, creating: bool) -> DataKey:
        if type == "Patient" and creating and patient is not None:
            return await self._services.vault.create_key(patient)
        return await self._services.vault.key(patient)

    def _stored(
        self,
        type: str,
        id: str,
        version: int,
        now_us: int,
        json: bytes,
        key: DataKey,
        patient: bytes | None,
        others: tuple[bytes, ...],
        indexed: Indexed,
    ) -> Stored:
        return Stored(
            type=type,
            id=id,
            version=version,
            updated_us=now_us,
            sealed=self._services.vault.seal(key, type, id, version, patient, json),
            key_version=key.version,
            patient=patient,
            others=others,
            tokens=tuple(sorted(indexed.k)),
            global_tokens=tuple(sorted(indexed.g)),
            start_us=indexed.start_us,
            end_us=indexed.end_us,
        )

    async def _grants(
        self, type: str, id: str, version: int, content: Mapping[str, Any], patient: bytes | None, key: DataKey
    ) -> tuple[GrantWrite, ...]:
        """What this write changes of what the patient's consents come to; committed in the same transaction."""
        if patient is None or type not in ("Patient", "Consent"):
            return ()
        grant = await self._services.store.grant(patient)
        before = PatientRules(rules=(), organization=None)
        if grant is not None:
            before = (await self._rights.visibility.opened([grant]))[patient]
        after = _rules_after(before, type, id, version, content)
        if grant is not None and after == before:
            return ()
        expected = 0 if grant is None else grant.version
        new = grant_of(patient, expected + 1, after, blind=self._services.blind, vault=self._services.vault, key=key)
        return (GrantWrite(new=new, expected_version=expected),)

    async def _commit(self, unit: Unit, made: Made, recording: Recording) -> None:
        recording.touch(made.touched)
        write = Write(row=made.stored.row, version=made.stored.version, tag=fingerprint(made.stored.sealed))
        try:
            await recording.commit(unit, writes=(write,))
        except Conflict:
            recording.forget()
            raise


def with_meta(content: Mapping[str, Any], id: str, version: int, now_us: int) -> dict[str, Any]:
    """The body as it is stored: our id, version and time; the client's profiles and tags stay."""
    given = content.get("meta", {})
    # What is no object stays as it is: the check that follows refuses it.
    meta = {**given, "versionId": str(version), "lastUpdated": fhir_instant(now_us)} if isinstance(given, dict) else given
    rest = {name: value for name, value in content.items() if name not in ("resourceType", "id", "meta")}
    return {"resourceType": content["resourceType"], "id": id, "meta": meta, **rest}


def require_compartment(type: str, content: Mapping[str, Any], indexed: Indexed) -> None:
    """Whose data it is must be clear, or nobody's consent could be asked: a local reference to a Patient, or to a place.

    A device is no subject here: who wears it would not be asked. A subject known by identifier or display alone, on
    another server, or inside the resource would slip past consent.
    """
    row = resource_type(type)
    if row is None or row.compartment is None or indexed.patient is not None:
        return
    element = row.compartment[0]
    reference = (content.get(element) or {}).get("reference", "")
    if not THING.fullmatch(str(reference)):
        raise FhirError(
            "business-rule",
            f"{type}.{element} must be a reference to a Patient of this hub, written Patient/ID.",
            expression=f"{type}.{element}",
        )


def refuse_what_is_not_understood(type: str, content: Mapping[str, Any]) -> None:
    """A Consent that the hub could not decide by must not be stored as if it could."""
    found = problems(content) if type == "Consent" else ()
    if found:
        first, *more = [Issue(code="undecidable", text=f"{expression} {text}.", expression=expression) for expression, text in found]
        raise FhirError(first.code, first.text, expression=first.expression, more=tuple(more))


def _reference(content: Mapping[str, Any], element: str) -> Any:
    return (content.get(element) or {}).get("reference")


def _rules_after(before: PatientRules, type: str, id: str, version: int, content: Mapping[str, Any]) -> PatientRules:
    if type == "Patient":
        return PatientRules(rules=before.rules, organization=_reference(content, "managingOrganization"))
    kept = tuple(rule for rule in before.rules if rule.consent != f"Consent/{id}")
    return PatientRules(rules=(*kept, *rules_of(content, id=id, version=str(version))), organization=before.organization)


def _resource(made: Made) -> Resource:
    stored = made.stored
    return Resource(type=stored.type, id=made.id, version=stored.version, updated_us=stored.updated_us, json=made.json)
