"""What one caller may see and do, now: consent and policy, as a condition for queries and as a re-check in words.

DESIGN 6: the permission goes inside the query before any limit, and is decided anew for every request and page. The
two forms are computed by different code (`security.access` over tokens, `security.consent` over opened resources);
a disagreement is an error, never an answer.
"""

from collections.abc import Awaitable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from hub.search.index import class_tokens, code_tokens
from hub.search.predicate import EVERYTHING, NOTHING, AllOf, AnyOf, Between, HasToken, Not, PatientIs, Patientless, Predicate, all_of
from hub.search.references import LOCAL, literal, with_slash
from hub.services import Services
from hub.store.protocol import Grant, Snapshot, Stored
from hub.vault import Vault
from security.access import Condition, Restriction, policy_default, restriction
from security.blind import Blind
from security.consent import Asker, Decider, Decision, Rule, asker, decider, from_json, shape, to_json
from security.context import AccessContext, Action
from security.grounds import own_record, sees_patients

ANY_ACTOR = "*"
ORGANIZATIONS_ABOVE_MAX = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientRules:
    """What the consents of one patient come to, in words, and who manages the patient's record.

    deleted  the Patient is; what is left of it may be seen by whom it may be seen, but nothing new is collected
    version  of the grant that they were read from; what they say does not depend on it
    patient  token of whom they are; what they say does not depend on that either
    """

    rules: tuple[Rule, ...]
    organization: str | None
    deleted: bool = False
    version: int = field(default=0, compare=False)
    patient: bytes = field(default=b"", compare=False)

    def to_bytes(self) -> bytes:
        deleted = {"x": True} if self.deleted else {}
        return orjson.dumps({"o": self.organization, "r": orjson.Fragment(to_json(self.rules)), **deleted})

    @classmethod
    def from_bytes(cls, plain: bytes, version: int = 0, patient: bytes = b"") -> "PatientRules":
        found = orjson.loads(plain)
        rules = from_json(orjson.dumps(found["r"]))
        return cls(rules=rules, organization=found["o"], deleted=found.get("x", False), version=version, patient=patient)


@dataclass(frozen=True, slots=True, kw_only=True)
class Visible:
    """The restriction of a search.

    permitted  patients who let something be seen
    partly     those of them whose rules ask something of a row
    silent     of the patients that were asked about somebody may permit nothing, or not be there
    sure       the part of the restriction under which a row needs no further decision to be counted; `unsure` the rest
    """

    predicate: Predicate
    permitted: frozenset[bytes]
    partly: frozenset[bytes] = frozenset()
    silent: bool = False
    sure: Predicate = EVERYTHING
    unsure: Predicate = NOTHING
    rules: Mapping[bytes, PatientRules] = field(default_factory=dict)
    """In words, of the patients the search names: read in the same snapshot, for the re-check."""

    @property
    def exact(self) -> bool:
        """Rows that pass it need no further decision to be counted."""
        return not self.partly


class ConsentTokens:
    """Implements `security.access.ConsentTokens` with the tokens that the search index gives to rows."""

    def __init__(self, blind: Blind) -> None:
        self._token = blind.token

    def class_tokens(self, system: str | None, code: str) -> frozenset[bytes]:
        return class_tokens(system, code, self._token)

    def code_tokens(self, system: str | None, code: str) -> frozenset[bytes]:
        return code_tokens(system, code, self._token)


class Visibility:
    """Decides for one caller. Knows no route and no resource type by name."""

    def __init__(self, caller: AccessContext, services: Services) -> None:
        self._caller = caller
        self._services = services
        self._store = services.store
        self._vault = services.vault
        self._blind = services.blind
        self._tokens = ConsentTokens(services.blind)
        self._above: tuple[frozenset[str], frozenset[str]] | None = None
        self._askers: dict[tuple[Action, bool], Asker] = {}
        own = own_record(caller)
        self.own = None if own is None else services.blind.patient(own)
        self._sees_patients = sees_patients(caller)

    async def rules(self, patient: bytes, meanwhile: Awaitable[None] | None = None) -> PatientRules | None:
        """The patient's rules as of now, or None for a patient the hub does not know. `meanwhile`: something else to wait for."""
        # Looked up for whom nobody knows too, so that the time does not tell (law 3).
        grant = await self._store.grant(patient, self._look_above() if meanwhile is None else self._look_above_after(meanwhile))
        return None if grant is None else (await self.opened([grant])).get(patient)

    async def opened(self, grants: Iterable[Grant]) -> Mapping[bytes, PatientRules]:
        """Rules by patient; who has no key any more has no rules, and so permits nothing."""
        found = await open_grants(self._vault, list(grants))
        if any(rule.actors for one in found.values() for rule in one.rules):
            await self._look_above()
        return found

    async def _look_above_after(self, meanwhile: Awaitable[None]) -> None:
        await meanwhile
        await self._look_above()

    async def _look_above(self) -> None:
        """The organisations above the caller's and its app's, by Organization.partOf: an actor may be one of them (reading 4)."""
        if self._above is not None:
            return
        caller = self._caller
        own = await self._over(caller.organization)
        app = caller.app_organization
        self._above = own, own if app == caller.organization else await self._over(app)
        self._askers.clear()

    async def _over(self, organization: str) -> frozenset[str]:
        above: set[str] = set()
        reference = await self._part_of(organization)
        while reference is not None and reference not in above and len(above) < ORGANIZATIONS_ABOVE_MAX:
            above.add(reference)
            reference = await self._part_of(reference)
        return frozenset(above)

    async def _part_of(self, organization: str) -> str | None:
        """As Type/id, however it is written and whoever gave the organisation its id."""
        if LOCAL.fullmatch(organization) is None:
            return None
        stored = await self._services.resolve(*organization.split("/"))
        if stored is None:
            return None
        content = orjson.loads(self._vault.open(await self._vault.key(None), stored))
        reference = (content.get("partOf") or {}).get("reference")
        return None if reference is None else literal(str(reference), with_slash(self._services.base_url))

    def _asker(self, action: Action, *, own: bool = False) -> Asker:
        made = self._askers.get((action, own))
        if made is None:
            also, above_app = self._above or ((), ())
            made = self._askers[action, own] = asker(self._caller, action, also=also, above_app=above_app, own=own)
        return made

    def concerned(self, stored: Stored) -> list[bytes]:
        """Everybody who must permit that a row is seen: whose it is, and whom it names besides.

        Nobody else is asked for the caller's own Patient: it names others by Patient.link alone, as further records of the same
        person (R4), and what a recorder links denies nobody their own (GDPR Art. 15, docs/adr/0027).
        """
        if self.own is not None and stored.type == "Patient" and stored.patient == self.own:
            return [self.own]
        return [patient for patient in (stored.patient, *stored.others) if patient]

    def decide(self, patient: PatientRules, resource: Mapping[str, Any], action: Action, now_us: int) -> Decision:
        """In words, on an opened resource."""
        return self.decider(patient, action, now_us)(resource)

    def decider(self, patient: PatientRules, action: Action, now_us: int) -> Decider:
        """`decide` for many resources of one patient."""
        if not self._sees_patients:
            return decider((), self._asker(action), default=False, now_us=now_us)
        own = self.own is not None and patient.patient == self.own
        default = policy_default(self._caller, managing_organization=patient.organization)
        return decider(patient.rules, self._asker(action, own=own), default=default, now_us=now_us)

    async def of_patients(self, snapshot: Snapshot, patients: frozenset[bytes], now_us: int, *, patientless: bool = False) -> Visible:
        """The condition under which rows of these patients may be seen, and rows of nobody if `patientless`."""
        await self._look_above()
        rules = await self.opened((await snapshot.grants(sorted(patients))).values())
        parts: list[Predicate] = [Patientless()] if patientless else []
        found = self._visible([(frozenset({patient}), one) for patient, one in rules.items()], parts, rules, now_us)
        # Who was looked up is there, hidden or not, and who is absent is not among them: what follows must not depend on how many they are.
        return replace(found, silent=patientless or not patients <= found.permitted)

    async def of_all(self, snapshot: Snapshot, now_us: int) -> Visible:
        """The condition under which rows of any patient may be seen, and rows of nobody."""
        await self._look_above()
        if not self._sees_patients:
            return self._visible((), [Patientless()], {}, now_us)
        groups = await snapshot.grant_groups(actors=self._actor_tokens(), organization=self._own_organization())
        specimens = await self.opened(group.specimen for group in groups)
        alike = [(group.patients, specimens[group.specimen.patient]) for group in groups if group.specimen.patient in specimens]
        if self.own is not None:  # by policy, not by what the rules say to others who ask
            mine = await self.opened((await snapshot.grants([self.own])).values())
            alike = [(patients - {self.own}, one) for patients, one in alike] + [(frozenset(mine), one) for one in mine.values()]
        return self._visible([(patients, one) for patients, one in alike if patients], [Patientless()], {}, now_us)

    def _visible(
        self,
        alike: Iterable[tuple[frozenset[bytes], PatientRules]],
        parts: list[Predicate],
        rules: Mapping[bytes, PatientRules],
        now_us: int,
    ) -> Visible:
        permitted: set[bytes] = set()
        partly: set[bytes] = set()
        sure, unsure = list(parts), list[Predicate]()
        for patients, one in alike:
            found = self._restriction(one, now_us, own=self.own is not None and patients == {self.own})
            if found.nothing:
                continue
            permitted |= patients
            if found.everything:
                sure.append(PatientIs(patients))
            else:
                partly |= patients
                unsure.append(all_of([PatientIs(patients), predicate_of(found)]))
        return Visible(
            predicate=AnyOf((*sure, *unsure)),
            permitted=frozenset(permitted),
            partly=frozenset(partly),
            sure=AnyOf(tuple(sure)),
            unsure=AnyOf(tuple(unsure)),
            rules=rules,
        )

    def _restriction(self, patient: PatientRules, now_us: int, *, own: bool) -> Restriction:
        if not self._sees_patients:
            return restriction((), self._asker("access"), default=False, now_us=now_us, tokens=self._tokens)
        default = own or policy_default(self._caller, managing_organization=patient.organization)
        return restriction(patient.rules, self._asker("access", own=own), default=default, now_us=now_us, tokens=self._tokens)

    def _actor_tokens(self) -> frozenset[bytes]:
        names = (ANY_ACTOR, *self._asker("access").references)
        return frozenset(self._blind.token("grant-actor", name) for name in names)

    def _own_organization(self) -> bytes | None:
        """Only a caller whose organisation lets care go on without a Consent is joined by organisation."""
        if not policy_default(self._caller, managing_organization=self._caller.organization):
            return None
        return self._blind.token("grant-organization", self._caller.organization)


async def open_grants(vault: Vault, grants: Sequence[Grant]) -> Mapping[bytes, PatientRules]:
    keys = await vault.keys([grant.patient for grant in grants])
    return {
        grant.patient: PatientRules.from_bytes(
            vault.open_rules(keys[grant.patient], grant.patient, grant.version, grant.sealed), grant.version, grant.patient
        )
        for grant in grants
        if grant.patient in keys
    }


def grant_of(patient: bytes, version: int, content: PatientRules, *, blind: Blind, vault: Vault, key: Any) -> Grant:
    """Seal the rules, and lay beside them what a query needs to find the patients a caller may see."""
    organization = content.organization
    return Grant(
        patient=patient,
        version=version,
        sealed=vault.seal_rules(key, patient, version, content.to_bytes()),
        key_version=key.version,
        actors=tuple(sorted({blind.token("grant-actor", name) for name in permitted_actors(content.rules)})),
        organization=None if organization is None else blind.token("grant-organization", organization),
        shape=blind.token("grant-shape", (organization or "") + "\n" + shape(content.rules).decode()),
        deleted=content.deleted,
    )


def permitted_actors(rules: Iterable[Rule]) -> frozenset[str]:
    """Whom the permits name; a permit without actor may be used by anybody."""
    permits = [rule for rule in rules if rule.type == "permit"]
    return frozenset(name for rule in permits for name in ({reference for _, reference in rule.actors} or {ANY_ACTOR}))


def predicate_of(found: Restriction) -> Predicate:
    """A restriction over tokens as the predicate that goes into the query."""
    permitted: Predicate = EVERYTHING if found.default else AnyOf(tuple(_permit(one) for one in found.permits))
    return all_of([permitted, *(Not(_deny(one)) for one in found.denies)])


def _permit(condition: Condition) -> Predicate:
    """Data must lie wholly inside the data period."""
    parts: list[Predicate] = [HasToken(tokens) for tokens in condition.tokens]
    if condition.data is not None:
        start_us, end_us = condition.data
        parts += [Between("d", low=start_us), Between("e", high=end_us + 1)]
    return AllOf(tuple(parts))


def _deny(condition: Condition) -> Predicate:
    """Data need only touch the data period."""
    parts: list[Predicate] = [HasToken(tokens) for tokens in condition.tokens]
    if condition.data is not None:
        start_us, end_us = condition.data
        parts += [Between("d", high=end_us), Between("e", low=start_us + 1)]
    return AllOf(tuple(parts))
