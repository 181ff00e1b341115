"""DESIGN 6, docs/consent.md: what Consents said at moments that have passed, an era for each version and for a rule that ends by itself."""

from hub.instants import from_person
from hub.repository.consents_then import ALWAYS_US, eras_of
from hub.repository.visibility import PatientRules
from security.consent import Rule, rules_of
from tests.support.resources import consent

NOW = PatientRules(rules=(), organization="Organization/o")


def said(version: int, type: str = "permit", **more: object) -> tuple[Rule, ...]:
    return rules_of({**consent("p", type), "id": "c", **more}, id="c", version=str(version))


def test_each_version_begins_an_era_and_takes_the_place_of_the_one_before() -> None:
    eras = eras_of([(10, "Consent/c", said(1)), (20, "Consent/c", said(2, status="inactive")), (30, "Consent/d", said(1, "deny"))], NOW)
    assert [(era.from_us, [rule.type for rule in era.rules.rules]) for era in eras] == [
        (ALWAYS_US, []),
        (10, ["permit"]),
        (20, []),
        (30, ["deny"]),
    ]
    assert {era.rules.organization for era in eras} == {"Organization/o"}


def test_a_rule_that_ends_by_itself_ends_an_era() -> None:
    """provision.period, within the time in which the version stood."""
    period = {"start": "2026-01-01T00:00:00Z", "end": "2026-01-31T00:00:00Z"}
    rule = said(1, provision={"type": "permit", "period": period})
    written, start, end = (from_person(text) for text in ("2025-12-01", "2026-01-01", "2026-01-31T00:00:01Z"))
    assert [era.from_us for era in eras_of([(written, "Consent/c", rule)], NOW)] == [ALWAYS_US, written, start, end]
    late = from_person("2026-01-15")
    assert [era.from_us for era in eras_of([(late, "Consent/c", rule)], NOW)] == [ALWAYS_US, late, end]
