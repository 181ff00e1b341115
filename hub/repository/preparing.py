"""A write prepared: checked, decided, sealed, and put with the others of its unit. Nothing is written here.

https://hl7.org/fhir/R4/http.html#create, #update. A reference to a hidden patient is answered exactly like one to a
patient that does not exist (law 1).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from hub import numbers, outcomes
from hub.errors import FhirError, Issue
from hub.instants import fhir_instant
from hub.recording import Recording, Touched
from hub.repository.compartment import about, place_of, require_compartment, subject_of
from hub.repository.pending import Made, Pending
from hub.repository.reading import Opened, Reading, basis_of, patient_reference
from hub.repository.reserved import refuse_reserved, refuse_taken
from hub.repository.rights import READ_OR_SEARCH, Rights, Whose
from hub.repository.standing import Standing
from hub.repository.visibility import PatientRules
from hub.search.index import Indexed, index
from hub.services import Services
from hub.store.protocol import DECIDING, Stored
from security.access import write_needs
from security.consent import problems, rules_of
from security.context import AccessContext
from security.envelope import DataKey

DECIDED_BY: Mapping[str, str] = {"Organization": "partOf", "Patient": "managingOrganization"}
"""Elements by which it is decided who may see (reading 4, opt-out)."""
UNKNOWN = "A resource this one is about cannot be found."


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What writes of one caller need, whichever they are."""

    caller: AccessContext
    services: Services
    rights: Rights
    reading: Reading
    standing: Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class _Concerned:
    """Whose a resource is, and whom it concerns besides."""

    patient: bytes | None
    others: tuple[bytes, ...]


class Preparing:
    """Prepares the writes of one attempt."""

    def __init__(self, means: Means, pending: Pending, recording: Recording) -> None:
        self._caller = means.caller
        self._services = means.services
        self._rights = means.rights
        self._reading = means.reading
        self._pending = pending
        self._recording = recording

    async def create(self, type: str, id: str, content: Mapping[str, Any], *, row_id: str | None = None) -> Made:
        """A new resource. `row_id`: under which its row is kept, if that is another one."""
        if type == "Patient" and "managingOrganization" not in content:
            content = {**content, "managingOrganization": {"reference": self._caller.organization}}
        return await self._prepared(type, id, row_id or id, 1, content, None)

    async def update(self, type: str, id: str, content: Mapping[str, Any], opened: Opened) -> Made:
        """A new version in place of the one that was opened."""
        current = opened.stored
        return await self._prepared(type, id, current.id, current.version + 1, content, opened)

    async def _prepared(self, type: str, id: str, row_id: str, version: int, content: Mapping[str, Any], before: Opened | None) -> Made:
        services, pending = self._services, self._pending
        content = with_meta(content, id, version, pending.now_us)
        services.check(content)
        refuse_what_is_not_understood(type, content)
        refuse_reserved(type, id)
        refuse_taken(type, content)
        self._require_recorder_of(type, content, before)
        indexed = index(content, token=services.blind.token, patient_token=services.blind.patient, base=services.base_url)
        derived = await self._derived(type, content)
        concerned = self._concerned(type, indexed, before, derived)
        require_compartment(type, content, indexed, derived=bool(derived))
        letter = "c" if before is None else "u"
        if before is not None:  # whom it has concerned is nobody's to take out of it either
            self._require_reached(type, letter, before.stored)
        self._require_reached(type, letter, concerned)
        basis = await self._decide(type, content, concerned, creating=before is None)
        if not self._rights.scopes_match(type, letter, content, concerned):
            raise outcomes.forbidden()
        key = await self._key(type, concerned.patient, creating=before is None)
        # By its identifiers it is decided whether what a device sends is about this patient (docs/adr/0019, 0023).
        renamed = before is not None and type == "Patient" and content.get("identifier") != before.content.get("identifier")
        await self._change_rules(type, id, version, content, concerned.patient, anew=renamed)
        json = numbers.dumps(content)
        stored = self._stored(type, row_id, version, json, key, concerned, indexed, before)
        self._recording.aim(stored)
        touched = Touched(
            reference=f"{type}/{id}",
            version=version,
            patient=concerned.patient,
            patient_reference=patient_reference(content),
            basis=basis,
            others=concerned.others,
        )
        made = Made(id=id, stored=stored, json=json, content=content, touched=touched, old=None if before is None else before.stored)
        pending.made.append(made)
        return made

    def _require_reached(self, type: str, letter: str, concerned: Whose) -> None:
        """What would lie outside each compartment that the token speaks of is refused before anybody's rules are looked at: it must not
        make a difference whether there is somebody there (law 3).
        """
        if self._rights.reaches(type, letter, concerned):
            return
        for one in (concerned.patient, *concerned.others):
            if one is not None:
                self._recording.aim_patient(one)
        raise outcomes.forbidden()

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

    async def _derived(self, type: str, content: Mapping[str, Any]) -> set[bytes]:
        """The patients of what a Provenance or a Binary is about, and those behind a subject: it says something of them."""
        found: set[bytes] = set()
        for element, reference in about(type, content, self._services.base_url):
            stored = self._pending.written(reference) or await self._seen(reference, f"{type}.{element}")
            self._recording.aim(stored)
            found |= {one for one in (stored.patient, *stored.others) if one is not None}
        return found

    async def _seen(self, reference: str, expression: str) -> Stored:
        """What somebody else has written, if this caller may see it: of what is hidden nothing can be said, as of what is absent."""
        type, _, id = reference.partition("/")
        unknown = FhirError("business-rule", UNKNOWN, expression=expression)
        stored = await self._services.resolve(type, id)
        if stored is None:
            await self._reading.as_if_hidden(type, id, self._recording)
            raise unknown
        self._recording.aim(stored)
        try:
            return (await self._reading.open(stored, "access", READ_OR_SEARCH)).stored
        except FhirError:
            raise unknown from None

    def _concerned(self, type: str, indexed: Indexed, before: Opened | None, derived: set[bytes]) -> _Concerned:
        blind = self._services.blind
        patient = None if indexed.patient is None else blind.patient(indexed.patient)
        named = {blind.patient(one) for one in indexed.named} | derived
        if before is not None:
            if before.stored.patient != patient:
                text = "A resource cannot move to another patient; create it anew there."
                raise FhirError("business-rule", text, expression=subject_of(type))
            if type == "Device" or derived:  # it stays with the patients it has been about, whatever is written into it
                named |= set(before.stored.others)
        return _Concerned(patient=patient, others=tuple(sorted(named)))

    async def _decide(self, type: str, content: Mapping[str, Any], concerned: _Concerned, *, creating: bool) -> str:
        """Which rule lets this write happen. Raises the same error for hidden and for absent patients."""
        patient, others = concerned.patient, concerned.others
        needs = write_needs(type, creating=creating, names_patient=patient is not None or bool(others))
        own = [] if patient is None or (needs == "recorder" and type == "Patient") else [patient]
        basis = "recorder" if needs == "recorder" else "scope"
        for token in (*own, *others):
            self._recording.aim_patient(token)
            rules = await self._pending.rules(token)
            brings_back = token == patient and type in ("Patient", "Consent")
            if rules is None or (rules.deleted and not brings_back):
                raise self._unknown(type, content, partial(self._is_patient, token))
            if needs == "recorder" and token == patient:
                continue
            decision = self._rights.visibility.decide(rules, content, "collect", self._pending.now_us)
            if not decision.permit:
                raise self._unknown(type, content, partial(self._is_patient, token))
            basis = basis_of(decision) if token == patient else basis
        return basis

    def _unknown(self, type: str, content: Mapping[str, Any], leads_there: Callable[[str], bool]) -> FhirError:
        place = place_of(type, content, self._services.base_url, leads_there)
        return FhirError("business-rule", UNKNOWN, expression=place)

    def _is_patient(self, token: bytes, reference: str) -> bool:
        type, _, id = reference.partition("/")
        return type == "Patient" and self._services.blind.patient(id) == token

    async def _key(self, type: str, patient: bytes | None, *, creating: bool) -> DataKey:
        if type == "Patient" and creating and patient is not None:
            return await self._pending.create_key(patient)
        return await self._pending.key(patient)

    async def _change_rules(
        self, type: str, id: str, version: int, content: Mapping[str, Any], patient: bytes | None, *, anew: bool
    ) -> None:
        if patient is not None and type in DECIDING:
            await self._pending.change_rules(patient, lambda before: rules_after(before, type, id, version, content), anew=anew)

    def _stored(
        self,
        type: str,
        id: str,
        version: int,
        json: bytes,
        key: DataKey,
        concerned: _Concerned,
        indexed: Indexed,
        before: Opened | None,
    ) -> Stored:
        return Stored(
            type=type,
            id=id,
            version=version,
            updated_us=self._pending.now_us,
            sealed=self._services.vault.seal(key, type, id, version, concerned.patient, json),
            key_version=key.version,
            patient=concerned.patient,
            others=concerned.others,
            tokens=tuple(sorted(indexed.k)),
            global_tokens=tuple(sorted(indexed.g)),
            start_us=indexed.start_us,
            end_us=indexed.end_us,
            # The mark of a reading stays: a device that sends it again must not undo what a person put right.
            reading=None if before is None else before.stored.reading,
            revived=before is not None and before.stored.deleted is not None,
        )


def with_meta(content: Mapping[str, Any], id: str, version: int, now_us: int) -> dict[str, Any]:
    """The body as it is stored: our id, version and time; the client's profiles and tags stay."""
    given = content.get("meta", {})
    # What is no object stays as it is: the check that follows refuses it.
    meta = {**given, "versionId": str(version), "lastUpdated": fhir_instant(now_us)} if isinstance(given, dict) else given
    rest = {name: value for name, value in content.items() if name not in ("resourceType", "id", "meta")}
    return {"resourceType": content["resourceType"], "id": id, "meta": meta, **rest}


def require_recorder(caller: AccessContext, type: str) -> None:
    """Creating a Patient and writing a Consent rest on the client's recorder permission instead of a consent.

    Law 1 and docs/adr/0009: who may collect must not give itself leave to see, and a deny must not lock itself in.
    """
    if write_needs(type, creating=True, names_patient=True) == "recorder" and not caller.recorder:
        raise FhirError("forbidden", f"This client is not registered as a recorder and may not write a {type}.")


def refuse_by_content(type: str, content: Mapping[str, Any], services: Services) -> None:
    """What a write is refused for by its content alone, whoever asks and whatever is stored. Nothing is looked up.

    Whether what it is about exists, and concerns anybody, is not asked.
    """
    refuse_what_is_not_understood(type, content)
    refuse_taken(type, content)
    content = with_meta(content, services.new_id(), 1, services.clock())
    indexed = index(content, token=services.blind.token, patient_token=services.blind.patient, base=services.base_url)
    require_compartment(type, content, indexed, derived=any(about(type, content, services.base_url)))


def refuse_what_is_not_understood(type: str, content: Mapping[str, Any]) -> None:
    """A Consent that the hub could not decide by must not be stored as if it could."""
    found = problems(content) if type == "Consent" else ()
    if found:
        first, *more = [Issue(code="undecidable", text=f"{expression} {text}.", expression=expression) for expression, text in found]
        raise FhirError(first.code, first.text, expression=first.expression, more=tuple(more))


def rules_after(before: PatientRules, type: str, id: str, version: int, content: Mapping[str, Any]) -> PatientRules:
    """What a patient's consents come to once this Patient or Consent is written."""
    if type == "Patient":
        return replace(before, organization=_reference(content, "managingOrganization"), deleted=False, version=0)
    kept = tuple(rule for rule in before.rules if rule.consent != f"Consent/{id}")
    return replace(before, rules=(*kept, *rules_of(content, id=id, version=str(version))))


def _reference(content: Mapping[str, Any], element: str) -> Any:
    return (content.get(element) or {}).get("reference")
