"""The decision as a restriction that goes inside a query, and what must say yes before a write.

`restriction` compiles what `security.consent.decide` says of an opened resource into conditions over the tokens and
times of a stored row, so that what a caller may not see is not found (DESIGN 6).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from security.consent import Asker, Rule, speaking
from security.context import AccessContext
from security.instance import OPAQUE, RESOURCE_TYPES
from security.period import OPEN_END_US, OPEN_START_US, Range, overlap, within
from security.rules import Pair, RuleType

Need = Literal["recorder", "consent", "scope"]

RECORDED: Final = frozenset({"Patient", "Consent"})
TREATMENT: Final = "TREAT"


class ConsentTokens(Protocol):
    """What the rules' words are in the store. A row has one of these tokens iff it belongs to the class or contains the coding.

    The words are those of `security.instance.classes` and `.codings`, from which a row's tokens are made.
    """

    def class_tokens(self, system: str | None, code: str) -> frozenset[bytes]: ...
    def code_tokens(self, system: str | None, code: str) -> frozenset[bytes]: ...


@dataclass(frozen=True, slots=True)
class Condition:
    """Holds for a row that has a token of each set and whose time fits `data`: wholly inside it for a permit,
    touching it for a deny. A row without time fits no `data`; `data` None asks for no time.

    data  [start, end) in microseconds; an open side is security.period.OPEN_START_US or OPEN_END_US
    """

    tokens: tuple[frozenset[bytes], ...] = ()
    data: Range | None = None


ALWAYS: Final = Condition()


@dataclass(frozen=True, slots=True)
class Restriction:
    """A row is permitted iff no deny holds and, unless `default`, some permit does.

    Rules that come to the same thing give equal restrictions, so it may serve as a key to group patients by.
    """

    permits: tuple[Condition, ...]
    denies: tuple[Condition, ...]
    default: bool

    @property
    def nothing(self) -> bool:
        """It can never permit."""
        return ALWAYS in self.denies or not (self.default or self.permits)

    @property
    def everything(self) -> bool:
        """It asks nothing of a row."""
        return not self.denies and (self.default or ALWAYS in self.permits)


def policy_default(context: AccessContext, *, managing_organization: str | None) -> bool:
    """What holds when no Consent speaks: no, but for the opt-out policy of the client's own organisation.

    Opt-out is for treatment and for patients whose managing organisation ("Organization/{id}") is the client's (CSP
    L.1110-4: the care team by opt-out, others by opt-in).
    """
    own = managing_organization is not None and managing_organization != "" and managing_organization == context.organization
    return own and context.consent_default == "opt-out" and context.purpose == TREATMENT


def write_needs(resource_type: str, *, creating: bool, names_patient: bool) -> Need:
    """What must say yes to a write besides the scope (law 1 of the design).

    "recorder": the client's recorder permission; for a Consent always, or a deny could never be withdrawn again (GDPR
    Art. 7(3), docs/adr/0009). "consent": the decision with the action collect, of each patient
    named. "scope": nothing else.
    """
    if resource_type == "Consent" or (creating and resource_type in RECORDED):
        return "recorder"
    return "consent" if names_patient or resource_type in RECORDED else "scope"


def restriction(rules: Iterable[Rule], asker: Asker, *, default: bool, now_us: int, tokens: ConsentTokens) -> Restriction:
    """What `rules`, those of all Consents of one patient, let this asker see at `now_us`, whatever the order they come in."""
    spoken = speaking(rules, asker, now_us=now_us)
    denies = _conditions(spoken, "deny", tokens)
    if ALWAYS in denies:
        return Restriction(permits=(), denies=(ALWAYS,), default=False)
    # Where the policy permits what no Consent denies, a permit adds nothing.
    return Restriction(permits=() if default else _conditions(spoken, "permit", tokens), denies=denies, default=default)


def row_permitted(restriction: Restriction, tokens: frozenset[bytes], start_us: int | None, end_us: int | None) -> bool:
    """Does the restriction permit a row with these tokens and this time? The naive twin of the store's own translation.

    Both times None: the row is undated. One None: that side is open.
    """
    data = None
    if start_us is not None or end_us is not None:
        data = (OPEN_START_US if start_us is None else start_us, OPEN_END_US if end_us is None else end_us)
    if any(_holds(condition, tokens, data, overlap) for condition in restriction.denies):
        return False
    return restriction.default or any(_holds(condition, tokens, data, within) for condition in restriction.permits)


def _holds(condition: Condition, tokens: frozenset[bytes], data: Range | None, fits: Callable[[Range, Range], bool]) -> bool:
    if any(tokens.isdisjoint(any_of) for any_of in condition.tokens):
        return False
    return condition.data is None or (data is not None and fits(data, condition.data))


def _conditions(rules: list[Rule], type: RuleType, tokens: ConsentTokens) -> tuple[Condition, ...]:
    found = {condition for rule in rules if rule.type == type and (condition := _condition(rule, tokens))}
    if type == "deny" and any(condition != ALWAYS for condition in found):
        # Whatever it is about, it is about bytes that nobody can look into.
        found.add(Condition((tokens.class_tokens(RESOURCE_TYPES, OPAQUE),)))
    return (ALWAYS,) if ALWAYS in found else tuple(sorted(found, key=_sort_key))


def _condition(rule: Rule, tokens: ConsentTokens) -> Condition | None:
    """The rule over tokens; None if no row can fulfil it."""
    if rule.not_understood:
        return ALWAYS if rule.type == "deny" else None
    elements = ((rule.classes, tokens.class_tokens), (rule.codes, tokens.code_tokens))
    sets = tuple(_any_of(rule.type, words, of) for words, of in elements if words)
    if rule.type == "permit" and not all(sets):
        return None
    return Condition(tuple(any_of for any_of in sets if any_of), rule.data_period)


def _any_of(type: RuleType, words: tuple[Pair, ...], of: Callable[[str | None, str], frozenset[bytes]]) -> frozenset[bytes]:
    """The tokens for an element. A deny with a word that has no token is not bound by that element: silence means no."""
    sets = [of(system, code) for system, code in words]
    return frozenset() if type == "deny" and not all(sets) else frozenset().union(*sets)


def _sort_key(condition: Condition) -> tuple[Range, list[list[bytes]]]:
    return condition.data or (OPEN_START_US, OPEN_START_US), [sorted(any_of) for any_of in condition.tokens]
