"""The decision as conditions over a row, the policy's default, and what a write needs."""

import pytest

from security.access import ALWAYS, Condition, Restriction, policy_default, restriction, row_permitted, write_needs
from security.consent import asker, rules_of
from security.context import AccessContext, PolicyDefault
from security.period import OPEN_END_US
from security.scopes import Scopes
from tests.spec.consent.given import CALLER, CATEGORY, LOINC, NOW, TYPES, actor, concept, consent, us

HOSPITAL = "Organization/hospital"


def context(*, consent_default: PolicyDefault = "opt-out", purpose: str = "TREAT", organization: str = HOSPITAL) -> AccessContext:
    return AccessContext(
        client_id="client",
        client_name="EHR",
        organization=organization,
        scopes=Scopes.parse("system/*.rs"),
        purpose=purpose,
        consent_default=consent_default,
        recorder=False,
        importer=False,
        request_id="r",
    )


class Tokens:
    """Knows all words but one; a token is the code."""

    def class_tokens(self, system: str | None, code: str) -> frozenset[bytes]:  # noqa: ARG002 - told apart by code
        return frozenset() if code == "unknown" else frozenset({b"class " + code.encode()})

    def code_tokens(self, system: str | None, code: str) -> frozenset[bytes]:  # noqa: ARG002 - told apart by code
        return frozenset() if code == "unknown" else frozenset({b"code " + code.encode()})


def compiled(*consents: dict, default: bool = False) -> Restriction:
    rules = [rule for id, one in zip("abcd", consents, strict=False) for rule in rules_of(one, id=id, version="1")]
    return restriction(rules, CALLER, default=default, now_us=us(NOW), tokens=Tokens())


# The policy


@pytest.mark.parametrize(
    ("how", "managing_organization", "permit"),
    [
        ({}, HOSPITAL, True),
        ({}, "Organization/other", False),
        ({}, None, False),
        ({"organization": ""}, "", False),
        ({"purpose": "HRESCH"}, HOSPITAL, False),
        ({"purpose": "ETREAT"}, HOSPITAL, False),
        ({"consent_default": "opt-in"}, HOSPITAL, False),
    ],
)
def test_opt_out_is_for_treatment_by_the_patients_own_organisation(how: dict, managing_organization: str | None, permit: bool) -> None:
    """CSP L.1110-4: the care team by opt-out, everyone else by opt-in."""
    assert policy_default(context(**how), managing_organization=managing_organization) is permit


@pytest.mark.parametrize(
    ("resource_type", "creating", "names_patient", "need"),
    [
        ("Patient", True, True, "recorder"),
        ("Consent", True, True, "recorder"),
        ("Patient", False, True, "consent"),
        ("Patient", False, False, "consent"),
        ("Consent", False, True, "recorder"),
        ("Observation", True, True, "consent"),
        ("Observation", False, True, "consent"),
        ("Device", True, True, "consent"),
        ("Device", True, False, "scope"),
        ("Organization", True, False, "scope"),
        ("Practitioner", False, False, "scope"),
    ],
)
def test_what_must_say_yes_before_a_write(resource_type: str, creating: bool, names_patient: bool, need: str) -> None:
    """Law 1: recorder permission for a new Patient or Consent, else the decision for each patient named."""
    assert write_needs(resource_type, creating=creating, names_patient=names_patient) == need


def test_the_asker_is_the_client_and_its_organisation() -> None:
    """Reading 4, with what else the hub knows it by."""
    made = asker(context(), "collect", also=["Organization/group"])
    assert made.references == {"Device/client", HOSPITAL, "Organization/group"}
    assert (made.roles, made.purpose, made.action) == ({"IRCP", "PRCP"}, "TREAT", "collect")
    assert "" not in asker(context(organization=""), "access").references


# The restriction


def test_a_permit_without_conditions_asks_nothing_of_a_row() -> None:
    """It goes into the query as the patient alone."""
    assert compiled(consent("permit")).everything
    assert compiled(default=True).everything
    assert row_permitted(compiled(consent("permit")), frozenset(), None, None)


def test_what_can_never_permit_says_so() -> None:
    """The hub then need not ask the store at all."""
    other = consent("permit", actor=[actor("Organization/other")])
    for nothing in (compiled(), compiled(other), compiled(consent("permit"), consent("deny")), compiled(consent("deny"), default=True)):
        assert nothing.nothing
        assert nothing == Restriction(permits=(), denies=nothing.denies, default=False)
        assert not row_permitted(nothing, frozenset({b"code 8867-4"}), 0, 1)


def test_elements_become_sets_of_tokens_of_which_a_row_needs_one_each() -> None:
    """Repetitions are ORed inside a set, elements ANDed between the sets."""
    permit = consent(
        "permit", class_=[{"system": TYPES, "code": "Observation"}], code=[concept(LOINC, "8867-4"), concept(LOINC, "85354-9")]
    )
    condition = Condition((frozenset({b"class Observation"}), frozenset({b"code 8867-4", b"code 85354-9"})))
    assert compiled(permit) == Restriction(permits=(condition,), denies=(), default=False)
    assert row_permitted(compiled(permit), frozenset({b"class Observation", b"code 85354-9"}), None, None)
    assert not row_permitted(compiled(permit), frozenset({b"class Observation"}), None, None)


def test_a_permit_adds_nothing_where_the_policy_permits() -> None:
    """Equal restrictions are equal values, so patients can be grouped by them."""
    permit = consent("permit", code=[concept(LOINC, "8867-4")])
    assert compiled(permit, default=True) == compiled(default=True)
    assert compiled(permit, consent("permit")) == compiled(consent("permit"))
    assert hash(compiled(permit)) == hash(compiled(permit, permit))


@pytest.mark.parametrize(
    ("start", "end", "permit", "deny"),
    [
        (10, 20, True, True),
        (9, 20, False, True),
        (10, 21, False, True),
        (20, 21, False, False),
        (None, None, False, False),
        (15, None, False, True),
        (None, 11, False, True),
    ],
)
def test_a_rows_time_lies_inside_a_permit_or_touches_a_deny(start: int | None, end: int | None, permit: bool, deny: bool) -> None:
    """Reading 7; a row without time is in no period, one with an open side reaches as far as it gets."""
    condition = Condition(data=(10, 20))
    assert row_permitted(Restriction(permits=(condition,), denies=(), default=False), frozenset(), start, end) is permit
    assert row_permitted(Restriction(permits=(), denies=(condition,), default=True), frozenset(), start, end) is not deny


def test_an_open_period_takes_an_open_row() -> None:
    """Both reach to the end of time."""
    condition = Condition(data=(10, OPEN_END_US))
    assert row_permitted(Restriction(permits=(condition,), denies=(), default=False), frozenset(), 15, None)


def test_a_word_without_token_closes_a_permit_and_widens_a_deny() -> None:
    """Silence means no, on either side."""
    unknown, vital = {"system": CATEGORY, "code": "unknown"}, {"system": CATEGORY, "code": "vital-signs"}
    assert compiled(consent("permit", class_=[unknown])).nothing
    assert compiled(consent("permit", class_=[unknown, vital])).permits == (Condition((frozenset({b"class vital-signs"}),)),)
    assert compiled(consent("deny", class_=[unknown, vital]), default=True).denies == (ALWAYS,)


def test_what_is_not_understood_closes_the_restriction_too() -> None:
    """The query must not let out what the re-check refuses."""
    label = [{"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "N"}]
    assert compiled(consent("permit", securityLabel=label)).nothing
    assert compiled(consent("permit"), consent("deny", securityLabel=label), default=True).nothing
