"""Canonical bytes of rules (SECURITY 2.7), and the groups they put patients into (DESIGN 6, docs/adr/0007)."""

from dataclasses import replace

import pytest

from security.consent import Rule, from_json, rules_of, shape, to_json
from tests.spec.consent.given import CATEGORY, LOINC, REASON, TYPES, actor, concept, consent, replaces

FULL = consent(
    "permit",
    period={"start": "2026"},
    actor=[actor("Organization/b"), actor("Organization/a", None)],
    purpose=[{"system": REASON, "code": "TREAT"}, {"system": REASON, "code": "HPAYMT"}],
    class_=[{"system": TYPES, "code": "Observation"}, {"system": CATEGORY, "code": "vital-signs"}],
    code=[concept(LOINC, "8867-4"), concept(LOINC, "8867-4")],
    dataPeriod={"end": "2026-03"},
    root=replaces("z", "y"),
)


def rules(*consents: dict, first: str = "a") -> list[Rule]:
    return [rule for number, one in enumerate(consents) for rule in rules_of(one, id=chr(ord(first) + number), version="1")]


def test_rules_come_back_from_their_bytes() -> None:
    """What the store keeps is what was read."""
    assert list(from_json(to_json(rules(FULL)))) == rules(FULL)


def test_the_same_rules_give_the_same_bytes() -> None:
    """In whatever order consents and repetitions come, and however often."""
    turned = FULL | {"provision": FULL["provision"] | {name: FULL["provision"][name][::-1] for name in ("actor", "purpose", "class")}}
    assert to_json(rules(turned)) == to_json(rules(FULL))
    (rule,) = rules(FULL)
    assert to_json([replace(rule, codes=rule.codes * 2, actors=rule.actors[::-1])]) == to_json([rule])
    assert to_json([*rules(FULL, consent("deny")), *rules(FULL)]) == to_json(rules(FULL, consent("deny"))[::-1])


@pytest.mark.parametrize("data", [b"", b"{", b"[{}]", b'[{"consent": "Consent/a", "version": "1", "type": "permit", "later": 1}]'])
def test_bytes_that_are_no_rules_are_an_error(data: bytes) -> None:
    """A rule that this version cannot read must not be dropped in silence."""
    with pytest.raises((ValueError, TypeError)):
        from_json(data)


def test_patients_with_alike_rules_have_one_shape() -> None:
    """Consent, version and date do not matter to what is permitted."""
    plain, deny = consent("permit"), consent("deny", actor=[actor("Organization/a")])
    dated = plain | {"dateTime": "2020"}
    assert shape(rules(plain, deny)) == shape(rules(deny, dated, plain, first="m"))
    assert shape(rules(plain)) != shape(rules(plain, deny))
    assert shape([]) == b"[]"


def test_a_superseded_consent_leaves_no_trace_in_the_shape() -> None:
    """Whoever has replaced a consent for good stands with those who never had the old one."""
    new = consent("permit", root={"dateTime": "2026-02-01", **replaces("a")})
    newer = consent("permit", root={"dateTime": "2026-02-02", **replaces("b")})
    assert shape(rules(consent("deny"), new)) == shape(rules(consent("deny"), new, newer)) == shape(rules(consent("permit")))
    assert shape(rules(consent("permit", root=replaces("gone")))) == shape(rules(consent("permit")))


def test_superseding_that_may_end_stays_in_the_shape() -> None:
    """When the newer consent runs out, the older one speaks again."""
    new = consent("permit", root={"dateTime": "2026-02-01", **replaces("a")}, period={"end": "2026-06"})
    kept = from_json(shape(rules(consent("deny"), new)))
    assert {(rule.consent, rule.replaces) for rule in kept} == {("Consent/a", ()), ("Consent/b", ("Consent/a",))}
    assert {rule.version for rule in kept} == {""}


def test_a_rule_says_whether_it_is_about_a_time() -> None:
    """An absent dataPeriod is not one that is open on both sides."""
    (rule,) = rules(FULL)
    assert rule.data_period == (rule.data_start_us, rule.data_end_us)
    assert replace(rule, data_start_us=None, data_end_us=None).data_period is None
