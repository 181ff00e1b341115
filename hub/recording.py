"""What one interaction leaves in the log. No way out of an interaction but through here (law 2).

`async with Recording(...)`: when the block ends well and wrote nothing itself, the record is made durable before the
answer exists; when it ends in a refusal, the refusal is recorded before it is told; when the log cannot take the record,
there is no answer but 503. Writes commit their record in their own transaction through `commit`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, NamedTuple, Self, cast

from audit.agents import Source
from audit.events import events
from audit.interaction import Interaction, Item, Kind, Outcome
from audit.kinds import KINDS
from audit.log import drafts
from audit.record import Draft, Write
from hub import outcomes
from hub.errors import FhirError
from hub.services import KEYED, Services
from hub.store.protocol import SYSTEM_KEY, Asked, NoteWrite, Stored, Unavailable, Unit, Unsettled, Unsure
from hub.vault import AUDIT_TYPE
from security.context import AccessContext
from security.envelope import DataKey, fingerprint

BY_TOKEN = "Patient/token."  # noqa: S105 (a reference)
"""How a record names a patient whom the request aimed at by a hidden resource: by pseudonym, for nothing was opened."""
AS_RECORDED: Mapping[str, str] = {
    "token": "token-refused",
    "par": "authorize",
    "device-authorization": "authorize",
    "client-configuration": "client-list",
    "client-configuration-change": "client-change",
    "client-configuration-delete": "client-revoke",
    "introspect": "token-introspected",
    "revoke": "token-revoked",
    "unknown": "capabilities",
    "authentication": "authentication-failed",
    "conditional-update": "update",
    "conditional-patch": "patch",
    "conditional-delete": "delete",
    "search-compartment": "search",
    "quarantine-counts": "quarantine-list",
    "quarantine-item": "quarantine-list",
    "account-security-change": "account-security",
    "sign-in-page": "sign-in-refused",
    "second-factor-page": "sign-in-refused",
    "invitation-page": "sign-in-refused",
    "federated": "sign-in-refused",
    "federated-back": "sign-in-refused",
    "console-quarantine": "quarantine-list",
    "console-quarantine-act": "quarantine-discard",
    "console-units": "device-status",
    **dict.fromkeys(("console-clients", "console-client-new", "console-client", "console-client-ask"), "client-list"),
    **dict.fromkeys(("console-client-register", "console-client-act"), "client-change"),
    **dict.fromkeys(("console-users", "console-user-new", "console-user", "console-user-ask"), "account-list"),
    **dict.fromkeys(("console-user-add", "console-user-act"), "account-change"),
    **dict.fromkeys(("console-keys", "console-keys-ask"), "keys-status"),
    "console-keys-rotate": "keys-rotate",
    "console-confirm": "confirm-list",
    "console-confirm-assign": "confirm-assign",
    "console-confirm-reject": "confirm-reject",
    "account-authorize": "authorize-shown",
    "account-authorize-form": "authorize-denied",
    "account-device": "device-code-shown",
    "account-device-form": "device-code-shown",
    "account-launch": "launch-list",
    "account-launch-form": "launch-begin",
    "account-apps": "authorization-list",
    "account-app": "authorization-list",
    "account-app-withdraw": "authorization-end",
}
WITHOUT_CALLER = frozenset(
    {
        *("token", "unknown", "sign-in-refused", "authorize", "par", "device-authorization", "introspect", "revoke", "launch-open"),
        *("token-issued", "token-refreshed", "token-reused"),
    }
)
"""What may be recorded as itself though nobody is known to have asked."""
REFUSED: Outcome = "4"
FAILED: Outcome = "8"
SITE = "hds-hub"


class Touched(NamedTuple):
    """A resource returned or written, and by what right. `patient` is the token, `patient_reference` the words.

    others  tokens of the patients it concerns besides: whom it names, or who is paired with it
    """

    reference: str
    version: int | None
    patient: bytes | None
    patient_reference: str | None
    basis: str
    category: str | None = None
    others: tuple[bytes, ...] = ()

    def concerned(self) -> list[tuple[bytes | None, str | None]]:
        """Each patient with its words; (None, None) once for what concerns nobody."""
        own = None if self.patient is None else self.patient_reference or _by_token(self.patient)
        if not self.others:
            return [(self.patient, own)]
        others: list[tuple[bytes | None, str | None]] = [(other, _by_token(other)) for other in self.others]
        return others if self.patient is None else [(self.patient, own), *others]


def unacknowledged(error: Unavailable) -> FhirError:
    """Why the store does not say that it is done."""
    if isinstance(error, Unsettled):
        return outcomes.unsettled()
    return outcomes.unsure() if isinstance(error, Unsure) else outcomes.unavailable()


def write_of(stored: Stored) -> Write:
    """How the record names the version that is written with it."""
    return Write(row=stored.row, version=stored.version, tag=fingerprint(stored.sealed))


def _by_token(patient: bytes) -> str:
    return f"{BY_TOKEN}{patient.hex()}"


@dataclass(slots=True, kw_only=True)
class RequestFacts:
    """What is known of the request whatever becomes of it. `recorded` tells the guard that a record exists."""

    request_id: str
    interaction: str
    method: str | None = None
    path: str | None = None
    query: str = ""
    address: str | None = None
    client_request_id: str | None = None
    user: str | None = None
    reason: str | None = None
    caller: AccessContext | None = None
    recorded: bool = False
    asked: tuple[str, str, Sequence[Asked]] | None = None
    """The row that the request names, asked for while the caller was looked up. Good once."""


@dataclass(frozen=True, slots=True)
class _Sealed:
    sealed: bytes
    key_id: bytes
    key_version: int
    dictionary: int


Concerned = tuple[Touched, bytes | None, str | None]
"""A resource with one of the patients it concerns: token and words."""


@dataclass(slots=True)
class _Gathered:
    """`concerned` follows from `touched`: worked out when it is first asked for, and again when there is more."""

    touched: list[Touched] = field(default_factory=list)
    aimed: dict[bytes, str] = field(default_factory=dict)
    nobody: set[bytes] = field(default_factory=set)
    concerned: list[Concerned] | None = None


class Recording:
    """The record of one interaction in the making."""

    def __init__(self, kind: str, caller: AccessContext | None, facts: RequestFacts, services: Services) -> None:
        self._kind = kind
        self._caller = caller
        self._facts = facts
        self._services = services
        self._gathered = _Gathered()
        self._each: Sequence[tuple[Touched, bytes | None, str | None]] = ()
        """Each resource with each patient it concerns, as of the last time that records were made."""
        self._said: dict[str, Any] = {}
        self._committed = False
        self._began = services.vault.moment()
        self._known: frozenset[bytes] = frozenset()
        """Patients whom records beside this one speak of: nobody has to find out whether there are such patients."""

    def another(self, kind: str) -> "Recording":
        """Of the same request and whoever made it, to be committed beside this one."""
        return Recording(kind, self._caller, self._facts, self._services)

    def becomes(self, kind: str) -> None:
        """It turns out to be another interaction: a conditional create that finds its match only reads."""
        self._kind = kind

    def says(self, **more: Any) -> None:
        """What `Interaction` holds besides, where no caller says it: client_id, token_id, purpose, basis."""
        self._said |= more

    def asked_already(self, type: str, id: str) -> Sequence[Asked]:
        """What was asked of the store for the resource that the request names; nothing the second time."""
        asked, self._facts.asked = self._facts.asked, None
        return asked[2] if asked is not None and asked[:2] == (type, id) else ()

    def touch(self, touched: Touched) -> None:
        """Note a resource that is part of the answer, or was written."""
        self._gathered.touched.append(touched)
        self._gathered.concerned = None

    def forget(self) -> None:
        """The attempt is undone and will be made again."""
        self._gathered.touched.clear()
        self._gathered.concerned = None

    def aim(self, stored: Stored) -> None:
        """The request is about this row, whether or not it may be seen."""
        if stored.patient is not None:
            spoken = stored.type == "Patient" and not stored.id.startswith(KEYED)
            words = f"Patient/{stored.id}" if spoken else _by_token(stored.patient)
            self._gathered.aimed.setdefault(stored.patient, words)
        for other in stored.others:
            self.aim_patient(other)

    def aim_patient(self, patient: bytes) -> None:
        self._gathered.aimed.setdefault(patient, _by_token(patient))

    def aim_nobody(self, token: bytes) -> None:
        """As many records for what is not there as for what is hidden; nobody has such a token, nor a key."""
        self._gathered.nobody.add(token)
        self.aim_patient(token)

    async def commit(self, unit: Unit, writes: Sequence[Write], beside: Sequence["Recording"] = ()) -> None:
        """Write the unit and this record, and those beside it, in one transaction. Raises Conflict or Unavailable."""
        others = [draft for one in beside for draft in await one._drafts("0", None, ())]  # noqa: SLF001 (its own kind)
        self._known = frozenset(patient for one in beside for patient in one._reached())  # noqa: SLF001 (its own kind)
        unit.drafts = [*others, *await self._drafts("0", None, writes)]
        await self._services.store.commit(unit)
        self._committed = self._facts.recorded = True

    async def refused(self, error: FhirError, *, notes: Sequence[NoteWrite] = (), **more: Any) -> None:
        """Record a refusal. Raises FhirError transient if the log cannot take it: then nothing else may be told.

        notes  what is remembered of it, in the same transaction; with them it may raise Conflict
        """
        outcome = FAILED if error.code in outcomes.FAILURES else REFUSED
        await self._append(outcome, error.code, notes=notes, **more)

    async def token_issued(self, client_id: str, token_id: str, *, notes: Sequence[NoteWrite] = ()) -> None:
        """`notes`: what is remembered of it, in the same transaction; with them it may raise Conflict."""
        await self._append("0", None, notes=notes, kind="token-issued", client_id=client_id, token_id=token_id)

    async def oauth_refused(self, error: str) -> None:
        """As the interaction that was asked for, whatever it would have become; `error`: the code of RFC 6749 or one that builds on it."""
        self._kind = self._facts.interaction
        await self._append(REFUSED, error, token_id=None)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if isinstance(error, Unavailable):
            raise unacknowledged(error) from error
        if isinstance(error, FhirError):
            self.forget()
            await self.refused(error)
        elif isinstance(error, Exception):
            self.forget()
            await self._append(FAILED, type(error).__name__)
        elif error is None and not self._committed:
            await self._append("0", None)

    async def _append(self, outcome: Outcome, code: str | None, *, notes: Sequence[NoteWrite] = (), **more: Any) -> None:
        made = await self._drafts(outcome, code, (), **more)
        try:
            await self._services.store.commit(Unit(notes=notes, drafts=made))
        except Unavailable as error:
            raise outcomes.unavailable() from error
        self._facts.recorded = True

    async def _drafts(self, outcome: Outcome, code: str | None, writes: Sequence[Write], **more: Any) -> list[Draft]:
        self._each = tuple(self._concerned())
        interaction = self._interaction(outcome, code, **more)
        services, tokens = self._services, self._patient_tokens()
        source = Source(SITE, services.base_url)
        made = events(interaction, _ids(services), source)
        keys = await self._keys()
        return drafts(
            made,
            interaction=interaction,
            writes=writes,
            token=services.blind.token,
            patient_token=lambda reference: self._token(reference, tokens),
            seal=lambda reference, event, plain: self._seal(reference, event, plain, tokens, keys),
        )

    async def _keys(self) -> Mapping[bytes | None, DataKey]:
        """Patients only aimed at may be hidden or absent: finding out must take the same time (law 3)."""
        vault = self._services.vault
        known = {*self._reached(), *self._known}
        aimed = [patient for patient in self._gathered.aimed if patient not in known]
        return {**await vault.keys([None, *known]), **await vault.keys_afresh(aimed, self._began, self._gathered.nobody)}

    def _interaction(self, outcome: Outcome, code: str | None, **more: Any) -> Interaction:
        facts, caller = self._facts, self._caller
        who: dict[str, Any] = {"user": facts.user, "reason": facts.reason}
        if caller is not None:
            who |= {
                "client_id": caller.client_id,
                "client_name": caller.client_name,
                "organization": caller.organization,
                "purpose": caller.purpose,
                "token_id": caller.token_id,
            }
            if caller.vouched is not None:
                who |= {"issuer": caller.vouched.issuer, "subject": caller.vouched.subject}
            if caller.person is not None:
                who |= {"person": caller.person.fhir_user, "account": caller.person.account, "role": caller.person.role}
        return Interaction(
            **{
                "kind": self._recorded_kind(),
                "recorded_us": self._services.clock(),
                "request_id": facts.request_id,
                "outcome": outcome,
                "outcome_code": code,
                "network": facts.address,
                "method": facts.method,
                "query": _asked(facts),
                "target": _target(facts),
                "items": self._items(),
                "aimed": self._aimed(),
                **who,
                **self._said,
                **more,
            }
        )

    def _recorded_kind(self) -> Kind:
        """A request without a caller is a failed authentication, whatever it wanted."""
        kind = AS_RECORDED.get(self._kind, self._kind)
        if self._caller is None and self._facts.user is None and self._kind not in WITHOUT_CALLER:
            kind = "authentication-failed"
        return cast("Kind", kind if kind in KINDS else "capabilities")

    def _items(self) -> tuple[Item, ...]:
        return tuple(
            Item(
                reference=one.reference,
                version=None if one.version is None else str(one.version),
                patient=words,
                basis=one.basis,
                category=one.category,
            )
            for one, _, words in self._each
        )

    def _concerned(self) -> Sequence[Concerned]:
        """Each resource with each patient it concerns; a patient has one name, that of the resource which tells it."""
        gathered = self._gathered
        if gathered.concerned is None:
            spoken = {one.patient: one.patient_reference for one in gathered.touched if one.patient_reference is not None}
            gathered.concerned = [
                (one, patient, words if patient is None else spoken.get(patient) or words)
                for one in gathered.touched
                for patient, words in one.concerned()
            ]
        return gathered.concerned

    def _reached(self) -> Mapping[bytes, str]:
        """Patients of what was returned or written, with their words."""
        return {patient: words for _, patient, words in self._each if patient is not None and words is not None}

    def _aimed(self) -> tuple[str, ...]:
        reached = self._reached()
        return tuple(words for patient, words in self._gathered.aimed.items() if patient not in reached)

    def _patient_tokens(self) -> Mapping[str, bytes]:
        tokens = {words: patient for patient, words in self._gathered.aimed.items()}
        tokens |= {words: patient for _, patient, words in self._each if patient is not None and words is not None}
        return tokens

    def _token(self, reference: str, tokens: Mapping[str, bytes]) -> bytes:
        return tokens[reference]

    def _seal(
        self,
        reference: str | None,
        id: str,
        plain: bytes,
        tokens: Mapping[str, bytes],
        keys: Mapping[bytes | None, DataKey],
    ) -> _Sealed:
        """Under the patient's key, so that it vanishes with it; a patient without key was aimed at in vain."""
        patient = None if reference is None else tokens[reference]
        owner = patient if patient in keys else None
        key = keys[owner]
        sealed = self._services.vault.seal(key, AUDIT_TYPE, id, 1, owner, plain, purpose="audit")
        return _Sealed(sealed, owner or SYSTEM_KEY, key.version, sealed[1])


def _ids(services: Services) -> Iterator[str]:
    while True:
        yield services.new_id()


def _asked(facts: RequestFacts) -> str | None:
    """Path and query as sent; sealed with the record."""
    if facts.path is None:
        return None
    return f"{facts.path}?{facts.query}" if facts.query else facts.path


def _target(facts: RequestFacts) -> str | None:
    """What the URL names: `Observation/abc` or `Observation`."""
    if facts.path is None or not facts.path.startswith("/fhir/"):
        return None
    return "/".join(facts.path.removeprefix("/fhir/").split("/")[:2])
