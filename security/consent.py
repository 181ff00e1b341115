"""What a patient's Consents say to one question: may this caller do this with this resource?

SECURITY 2.7 has the readings, docs/consent.md states them for the data protection officer. `decide` is the re-check
on the opened resource; `security.access.restriction` says the same over the tokens of a stored row.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Final, Literal

from security.context import AccessContext, Action
from security.instance import OPAQUE, classes, codings, data_period
from security.period import overlap, within
from security.problems import Problem, problems
from security.provision import rules_of
from security.rules import Rule, RuleType, from_json, shape, superseded_consents, to_json
from security.words import CONSENT_REPLACES, RECIPIENT_ROLES

__all__ = [
    "CONSENT_REPLACES",
    "Asker",
    "Decision",
    "Problem",
    "Rule",
    "asker",
    "decide",
    "decider",
    "from_json",
    "problems",
    "rules_of",
    "shape",
    "speaking",
    "to_json",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """What of a caller and its wish the rules look at.

    references  all it may be named by, e.g. "Organization/{id}"; roles: codes of v3-ParticipationType it has
    purpose     code of v3-ActReason; action: code of consentaction
    app         what a person acts through may be named by: a deny may refuse that, a permit says nothing of it
    own         it is the patient at the own record: law lets it (GDPR Art. 15), and a deny refuses the app by name or not at all
    """

    references: frozenset[str]
    roles: frozenset[str]
    purpose: str
    action: Action
    app: frozenset[str] = frozenset()
    own: bool = False


Policy = Literal["opt-out", "patient-access", "patient-act"]
"""What decides where no Consent does: care goes on in the own organisation; the patient looks at the own record, or writes into it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """`consent` is the version that decided, e.g. "Consent/x/_history/2"; None when `policy` did."""

    permit: bool
    basis: Literal["consent", "policy"]
    consent: str | None
    policy: Policy = "opt-out"


Decider = Callable[[Mapping[str, Any]], Decision]
"""What the rules of one patient say of an opened resource."""

DECISIONS_CACHED_MAX: Final = 1_024
"""A page asks the same few rules about each of its resources."""

BY_POLICY: Final = {permit: Decision(permit=permit, basis="policy", consent=None) for permit in (False, True)}
OWN: Final[Mapping[Action, Decision]] = {
    "access": Decision(permit=True, basis="policy", consent=None, policy="patient-access"),
    "collect": Decision(permit=True, basis="policy", consent=None, policy="patient-act"),
}
"""Of the patient who asks: to see is law, to write is the patient's own act, to which the app was authorized."""


def asker(context: AccessContext, action: Action, *, also: Iterable[str] = (), above_app: Iterable[str] = (), own: bool = False) -> Asker:
    """The caller as the rules see it (reading 4): itself, the person who acts, the organisation, and `also`, what else it may be named by.

    `also` is for the organisations above its own, `above_app` for those above the one that a person's app is registered for.
    """
    client, person = f"Device/{context.client_id}", context.person
    references = {client, context.organization, *also, (person.fhir_user if person else None) or ""} - {""}
    app = frozenset[str]() if person is None else frozenset({client, context.app_organization, *above_app} - {""})
    return Asker(references=frozenset(references), roles=RECIPIENT_ROLES, purpose=context.purpose, action=action, app=app, own=own)


def decide(rules: Iterable[Rule], asker: Asker, resource: Mapping[str, Any], *, default: bool, now_us: int) -> Decision:
    """Reading 10: any deny, then any permit, then the policy's `default`.

    `rules` are those of all Consents of the resource's patient, in any order. Of several rules that would decide the
    same, the one of the latest Consent is named.
    """
    return decider(rules, asker, default=default, now_us=now_us)(resource)


def decider(rules: Iterable[Rule], asker: Asker, *, default: bool, now_us: int) -> Decider:
    """`decide` for many resources of one patient at one moment: which rules speak, and in which order, is the same for all."""
    spoken = sorted(speaking(rules, asker, now_us=now_us), key=_weight, reverse=True)
    by_policy = OWN[asker.action] if asker.own else BY_POLICY[default]

    def decided(resource: Mapping[str, Any]) -> Decision:
        instance = _Instance(resource)
        for rule in spoken:
            if _covers(rule, instance):
                return _by_consent(rule.type, rule.consent, rule.version)
        return by_policy

    return decided


@lru_cache(DECISIONS_CACHED_MAX)
def _by_consent(type: RuleType, consent: str, version: str) -> Decision:
    return Decision(permit=type == "permit", basis="consent", consent=f"{consent}/_history/{version}")


def speaking(rules: Iterable[Rule], asker: Asker, *, now_us: int) -> list[Rule]:
    """The rules that are in force, not superseded, and about this asker, whatever the resource."""
    in_force = [rule for rule in rules if rule.start_us <= now_us < rule.end_us]
    gone = superseded_consents(in_force) if any(rule.replaces for rule in in_force) else frozenset()
    return [rule for rule in in_force if rule.consent not in gone and _concerns(rule, asker)]


def _concerns(rule: Rule, asker: Asker) -> bool:
    if asker.own and not _refuses_app(rule, asker):
        return False
    if rule.not_understood:
        return rule.type == "deny"
    return (
        (not rule.actions or asker.action in rule.actions)
        and (not rule.purposes or asker.purpose in rule.purposes)
        and (not rule.actors or _names(rule, asker))
    )


def _names(rule: Rule, asker: Asker) -> bool:
    """Reading 4: reference and role of one actor both hold."""
    named = asker.references | asker.app if asker.app and rule.type == "deny" else asker.references
    return any((role is None or role in asker.roles) and reference in named for role, reference in rule.actors)


def _refuses_app(rule: Rule, asker: Asker) -> bool:
    """Who denies everybody, or an organisation, does not shut out oneself: the app is refused where it is named."""
    return rule.type == "deny" and any(reference in asker.app for _, reference in rule.actors)


class _Instance:
    """A resource, looked through no more often than the rules ask for."""

    def __init__(self, resource: Mapping[str, Any]) -> None:
        self.resource = resource

    @property
    def opaque(self) -> bool:
        return self.resource.get("resourceType") == OPAQUE

    @cached_property
    def classes(self) -> frozenset[tuple[str | None, str]]:
        return classes(self.resource)

    @cached_property
    def codings(self) -> frozenset[tuple[str | None, str]]:
        return codings(self.resource)


def _covers(rule: Rule, instance: _Instance) -> bool:
    if rule.not_understood or instance.opaque:
        # Of what cannot be looked into a deny is about anything, a permit only about what it names.
        if rule.type == "deny":
            return True
        if rule.not_understood:
            return False
    return (
        (not rule.classes or not instance.classes.isdisjoint(rule.classes))
        and _in_data_period(rule, instance)
        and (not rule.codes or not instance.codings.isdisjoint(rule.codes))
    )


def _in_data_period(rule: Rule, instance: _Instance) -> bool:
    """Reading 7: a permit needs the data wholly inside, a deny only touching; undated data is in no period."""
    if (bounds := rule.data_period) is None:
        return True
    data = data_period(instance.resource)
    return data is not None and (within(data, bounds) if rule.type == "permit" else overlap(data, bounds))


def _weight(rule: Rule) -> tuple[bool, int, str, str]:
    return rule.type == "deny", rule.date_us, rule.consent, rule.version
