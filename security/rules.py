"""What one provision of a patient's Consent says, in words, and its canonical bytes.

The words come from the Consent (`security.provision`) and are compared in two ways: with an opened
resource (`security.consent.decide`) and with the tokens of a stored row (`security.access.restriction`).
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import Any, Final, Literal, TypeVar

import orjson

from security.period import OPEN_END_US, OPEN_START_US

RuleType = Literal["permit", "deny"]
"""https://hl7.org/fhir/R4/valueset-consent-provision-type.html"""

Pair = tuple[str | None, str]
"""A coding as (system, code)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One provision. Elements are ANDed, repetitions of one element ORed, an empty one does not constrain.

    consent         "Consent/{id}"; `version` the version that was read
    date_us         start of Consent.dateTime; the beginning of time if it has none
    start_us …      provision.period: when the rule holds
    actors          (role code, reference) of each actor: both hold. Role None: the actor has none
    actions         codes of consentaction; purposes: codes of v3-ActReason. Other systems as "system|code"
    classes, codes  (system, code); always with a system
    data_start_us … provision.dataPeriod; both None if there is none
    replaces        "Consent/{id}" that this one supersedes
    not_understood  the provision has something the hub cannot decide by; a permit then permits nothing
    """

    consent: str
    version: str
    type: RuleType
    date_us: int = OPEN_START_US
    start_us: int = OPEN_START_US
    end_us: int = OPEN_END_US
    actors: tuple[Pair, ...] = ()
    actions: tuple[str, ...] = ()
    purposes: tuple[str, ...] = ()
    classes: tuple[Pair, ...] = ()
    codes: tuple[Pair, ...] = ()
    data_start_us: int | None = None
    data_end_us: int | None = None
    replaces: tuple[str, ...] = ()
    not_understood: bool = False

    @property
    def data_period(self) -> tuple[int, int] | None:
        """provision.dataPeriod as a range of microseconds, or None if there is none."""
        if self.data_start_us is None or self.data_end_us is None:
            return None
        return self.data_start_us, self.data_end_us


_T = TypeVar("_T", str, Pair)

_TUPLES: Final = ("actors", "actions", "purposes", "classes", "codes", "replaces")
_PAIRS: Final = frozenset({"actors", "classes", "codes"})
_DEFAULTS: Final = {field.name: field.default for field in fields(Rule)}


def ordered(values: Iterable[_T]) -> tuple[_T, ...]:
    """Each value once, in one order."""
    return tuple(sorted(set(values), key=_sort_key))


def to_json(rules: Iterable[Rule]) -> bytes:
    """Canonical bytes: the same rules give the same bytes, whatever the order they come in."""
    return b"[" + b",".join(sorted({_rule_json(rule) for rule in rules})) + b"]"


def from_json(data: bytes) -> tuple[Rule, ...]:
    """What `to_json` or `shape` wrote. Raises ValueError if it is not JSON, TypeError if it is no list of rules."""
    return tuple(Rule(**_tuples(plain)) for plain in orjson.loads(data))


def shape(rules: Iterable[Rule]) -> bytes:
    """Canonical bytes of what the rules come to, so that patients with alike rules can be treated as one group.

    Without consent, version and date, but where superseding still depends on them. `from_json` reads it, and the
    restriction made of it is the same as the one made of `rules`.
    """
    kept = without_superseded_for_good(rules)
    known = {rule.consent for rule in kept}
    superseded = {old for rule in kept for old in rule.replaces}
    return to_json(_shape(rule, known, named=rule.consent in superseded) for rule in kept)


def superseded_consents(in_force: Iterable[Rule]) -> frozenset[str]:
    """Consents that drop out: a later one among `in_force` replaces them explicitly (reading 10).

    Not earlier is late enough, so that a consent can be replaced on its own day; a circle of such consents replaces
    nothing. One that is not understood replaces permits only: it must not lift a deny.
    """
    replaced = _replaced(list(in_force))
    return frozenset(old for new, olds in replaced.items() for old in olds if new not in _reached(old, replaced))


def without_superseded_for_good(rules: Iterable[Rule]) -> list[Rule]:
    """Without the rules that can never speak again, because what replaces them holds whenever they would."""
    kept = list(rules)
    while gone := _superseded_for_good(kept):
        kept = [rule for rule in kept if rule.consent not in gone]
    return kept


def _superseded_for_good(rules: list[Rule]) -> set[str]:
    replaced, by_consent = _replaced(rules), {rule.consent: rule for rule in rules}
    # What itself replaces something that is still there goes after it, or the older one would come back.
    pairs = ((by_consent[new], by_consent[old]) for new, olds in replaced.items() for old in olds if not replaced[old])
    return {old.consent for new, old in pairs if new.start_us <= old.start_us and new.end_us >= old.end_us}


def _replaced(rules: list[Rule]) -> dict[str, set[str]]:
    by_consent = {rule.consent: rule for rule in rules}
    return {
        new.consent: {old for old in new.replaces if old in by_consent and _may_replace(new, by_consent[old])}
        for new in by_consent.values()
    }


def _may_replace(new: Rule, old: Rule) -> bool:
    return new.date_us >= old.date_us and not (new.not_understood and old.type == "deny")


def _reached(consent: str, replaced: dict[str, set[str]]) -> set[str]:
    reached: set[str] = set()
    ahead = [consent]
    while ahead:
        found = replaced[ahead.pop()] - reached
        reached |= found
        ahead.extend(found)
    return reached


def _shape(rule: Rule, known: set[str], *, named: bool) -> Rule:
    replaces = tuple(old for old in rule.replaces if old in known)
    if replaces or named:
        return replace(rule, version="", replaces=replaces)
    return replace(rule, consent="", version="", date_us=OPEN_START_US, replaces=())


def _rule_json(rule: Rule) -> bytes:
    plain = {name: getattr(rule, name) for name in _DEFAULTS}
    plain |= {name: ordered(plain[name]) for name in _TUPLES}
    return orjson.dumps({name: value for name, value in plain.items() if value != _DEFAULTS[name]}, option=orjson.OPT_SORT_KEYS)


def _tuples(plain: dict[str, Any]) -> dict[str, Any]:
    return plain | {name: tuple(map(tuple, plain[name]) if name in _PAIRS else plain[name]) for name in _TUPLES if name in plain}


def _sort_key(value: str | Pair) -> tuple[str, str]:
    return (value, "") if isinstance(value, str) else (value[0] or "", value[1])
