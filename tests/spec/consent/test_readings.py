"""The readings of docs/consent.md, one by one. `permitted(...)` asks with the policy saying no unless told otherwise."""

from datetime import UTC, datetime

import pytest

from tests.spec.consent.given import (
    ACTION,
    CATEGORY,
    DEVICE,
    LOINC,
    PATIENT,
    POLICY,
    PROFILE,
    REASON,
    SCOPE,
    TYPES,
    actor,
    concept,
    consent,
    decision,
    permitted,
    replaces,
)

PERMIT, DENY = consent("permit"), consent("deny")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# Reading 1: which consents count


@pytest.mark.parametrize(
    ("status", "permit"),
    [("active", True), ("draft", False), ("proposed", False), ("rejected", False), ("inactive", False), ("entered-in-error", False)],
)
def test_only_an_active_consent_counts(status: str, permit: bool) -> None:
    """https://hl7.org/fhir/R4/valueset-consent-state-codes.html"""
    assert permitted(consent("permit", root={"status": status})) is permit
    assert permitted(consent("deny", root={"status": status}), default=True) is not permit


@pytest.mark.parametrize(("code", "counts"), [("patient-privacy", True), ("research", True), ("adr", False), ("treatment", False)])
def test_consents_to_treatment_and_advance_directives_say_nothing_about_access(code: str, counts: bool) -> None:
    """https://hl7.org/fhir/R4/valueset-consent-scope.html"""
    scope = {"scope": concept(SCOPE, code)}
    assert permitted(consent("permit", root=scope)) is counts
    assert permitted(consent("deny", root=scope), default=True) is not counts


def test_a_consent_without_patient_is_nobodys() -> None:
    """Only consents of the resource's patient count."""
    assert not permitted(consent("permit", root={"patient": None}))
    assert permitted(consent("deny", root={"patient": None}), default=True)


@pytest.mark.parametrize(
    ("now", "in_force"),
    [
        ("2026-02-28T23:59:59.999999", False),
        ("2026-03-01T00:00:00", True),
        ("2026-03-31T23:59:59.999999", True),
        ("2026-04-01T00:00:00", False),
    ],
)
def test_a_consent_holds_only_in_its_period(now: str, in_force: bool) -> None:
    """Consent.provision.period; a partial date stands for the whole of it, no zone is UTC."""
    period = {"start": "2026-03-01", "end": "2026-03"}
    assert permitted(consent("permit", period=period), now=at(now)) is in_force
    assert permitted(consent("deny", period=period), now=at(now), default=True) is not in_force


def test_an_open_side_of_the_period_never_ends_it() -> None:
    """https://hl7.org/fhir/R4/datatypes.html#Period"""
    assert permitted(consent("permit", period={"start": "2026"}), now=at("2999-01-01"))
    assert permitted(consent("permit", period={"end": "2026"}), now=at("1971-01-01"))


# Reading 4: whom a rule is about


@pytest.mark.parametrize(
    ("reference", "role", "holds"),
    [
        ("Organization/hospital", "IRCP", True),
        ("Organization/hospital", "PRCP", True),
        ("Organization/hospital", None, True),
        ("Device/client", "IRCP", True),
        ("Organization/hospital/_history/3", "IRCP", True),
        ("Organization/other", "IRCP", False),
        ("Practitioner/dr-p", "IRCP", False),
    ],
)
def test_an_actor_is_the_caller_or_its_organisation(reference: str, role: str | None, holds: bool) -> None:
    """Reference and role of one actor both hold; IRCP and PRCP hold for whoever asks."""
    assert permitted(consent("permit", actor=[actor(reference, role)])) is holds


def test_a_deny_bites_only_the_actor_it_names() -> None:
    """Without a matching actor a deny is silence."""
    assert not permitted(PERMIT, consent("deny", actor=[actor("Organization/hospital")]))
    assert permitted(PERMIT, consent("deny", actor=[actor("Organization/other")]))


def test_reference_and_role_must_hold_of_the_same_actor() -> None:
    """Two actors do not lend each other their halves."""
    assert not permitted(consent("permit", actor=[actor("Organization/hospital", "CST"), actor("Organization/other", "IRCP")]))


def test_an_organisation_above_is_named_by_whoever_knows_it() -> None:
    """The organisation acted for or one above it: the hub adds what it knows to the caller's references."""
    above = consent("permit", actor=[actor("Organization/group")])
    assert not permitted(above)
    assert permitted(above, references=frozenset({"Organization/hospital", "Organization/group"}))


# Reading 2.1: repetitions are ORed, elements ANDed, absent ones do not constrain


@pytest.mark.parametrize(("purpose", "holds"), [("TREAT", True), ("HPAYMT", True), ("HRESCH", False)])
def test_repetitions_of_an_element_are_alternatives(purpose: str, holds: bool) -> None:
    """https://hl7.org/fhir/R4/consent.html#6.2.2"""
    purposes = [{"system": REASON, "code": "TREAT"}, {"system": REASON, "code": "HPAYMT"}]
    assert permitted(consent("permit", purpose=purposes), purpose=purpose) is holds


@pytest.mark.parametrize(
    ("purpose", "organization", "holds"), [("TREAT", "hospital", True), ("HRESCH", "hospital", False), ("TREAT", "other", False)]
)
def test_elements_of_a_provision_must_all_hold(purpose: str, organization: str, holds: bool) -> None:
    """https://hl7.org/fhir/R4/consent.html#6.2.2"""
    both = consent("permit", purpose=[{"system": REASON, "code": "TREAT"}], actor=[actor("Organization/hospital")])
    assert permitted(both, purpose=purpose, references=frozenset({f"Organization/{organization}"})) is holds


@pytest.mark.parametrize(("action", "holds"), [("access", True), ("collect", False)])
def test_an_action_is_the_one_asked_for(action: str, holds: bool) -> None:
    """https://hl7.org/fhir/R4/valueset-consent-action.html"""
    assert permitted(consent("permit", action=[concept(ACTION, "access")]), action=action) is holds


def test_a_purpose_of_another_code_system_is_another_purpose() -> None:
    """A code means something only in its system."""
    assert not permitted(consent("permit", purpose=[{"system": "https://elsewhere.example/purposes", "code": "TREAT"}]))


def test_denying_access_may_spell_out_use_and_disclosure() -> None:
    """Who may not access can neither use nor disclose."""
    deny = consent("deny", action=[concept(ACTION, "access"), concept(ACTION, "use"), concept(ACTION, "disclose")])
    assert not permitted(PERMIT, deny, action="access")
    assert permitted(PERMIT, deny, action="collect")


# Reading 5: which data a rule is about


@pytest.mark.parametrize(
    ("system", "code", "holds"),
    [
        (LOINC, "85354-9", True),
        (LOINC, "8480-6", True),
        ("http://snomed.info/sct", "261665006", True),
        (CATEGORY, "vital-signs", True),
        (LOINC, "8867-4", False),
        ("http://snomed.info/sct", "85354-9", False),
        (LOINC, "tagged", False),
        ("http://unitsofmeasure.org", "mm[Hg]", False),
    ],
)
def test_a_code_matches_a_coding_anywhere_in_the_instance_outside_meta(system: str, code: str, holds: bool) -> None:
    """Components and values included; a tag is no content, a unit no coding."""
    assert permitted(consent("permit", code=[concept(system, code)])) is holds


@pytest.mark.parametrize(
    ("coding", "holds"),
    [
        ({"system": TYPES, "code": "Observation"}, True),
        ({"system": TYPES, "code": "Patient"}, False),
        ({"system": TYPES, "code": PROFILE}, False),
        ({"system": "urn:ietf:rfc:3986", "code": PROFILE}, True),
        ({"code": PROFILE}, True),
        ({"code": "http://hl7.org/fhir/StructureDefinition/heartrate"}, False),
        ({"system": CATEGORY, "code": "vital-signs"}, True),
        ({"system": CATEGORY, "code": "laboratory"}, False),
        ({"system": LOINC, "code": "85354-9"}, False),
    ],
)
def test_a_class_is_a_type_else_a_profile_else_a_category(coding: dict[str, str], holds: bool) -> None:
    """https://hl7.org/fhir/R4/consent-definitions.html#Consent.provision.class"""
    assert permitted(consent("permit", class_=[coding])) is holds


@pytest.mark.parametrize("coding", [{"system": TYPES, "code": "Patient"}, {"system": "urn:ietf:rfc:3986", "code": PROFILE}])
def test_a_category_does_not_pass_for_a_type_or_a_profile(coding: dict[str, str]) -> None:
    """Whoever writes a category must not choose with it which consent lets it out."""
    disguised = {"resourceType": "Observation", "category": [{"coding": [coding]}]}
    assert not permitted(consent("permit", class_=[coding]), about=disguised)


# Reading 7: when the data is from


@pytest.mark.parametrize(
    ("effective", "permit", "deny"),
    [
        ({"effectiveDateTime": "2026-02-28T23:59:59Z"}, False, False),
        ({"effectiveDateTime": "2026-03-01"}, True, True),
        ({"effectiveDateTime": "2026-03"}, True, True),
        ({"effectiveDateTime": "2026"}, False, True),
        ({"effectiveDateTime": "2026-04-01T00:30:00+01:00"}, True, True),
        ({"effectiveDateTime": "2026-04-01"}, False, False),
        ({"effectivePeriod": {"start": "2026-03-30", "end": "2026-04-02"}}, False, True),
        ({"effectivePeriod": {"start": "2026-03-30"}}, False, True),
        ({"effectiveTiming": {"event": ["2026-03-02", "2026-03-04"]}}, True, True),
        ({"effectiveTiming": {"repeat": {"boundsPeriod": {"start": "2026-03-02", "end": "2026-03-04"}}}}, True, True),
        ({"effectiveTiming": {"code": {"text": "twice a day"}}}, False, False),
        ({"effectiveDateTime": "sometime"}, False, True),
        ({}, False, False),
    ],
)
def test_a_permit_needs_the_data_wholly_inside_a_deny_only_touching(effective: dict, permit: bool, deny: bool) -> None:
    """Consent.provision.dataPeriod: what might lie outside is not permitted, what might lie inside is denied."""
    about = {"resourceType": "Observation", **effective}
    march = {"start": "2026-03-01", "end": "2026-03-31"}
    assert permitted(consent("permit", dataPeriod=march), about=about) is permit
    assert permitted(consent("deny", dataPeriod=march), about=about, default=True) is not deny


@pytest.mark.parametrize("about", [PATIENT, DEVICE])
def test_undated_data_is_in_no_period(about: dict) -> None:
    """A Patient or a Device: neither permitted nor denied by a rule about a time."""
    always = {"start": "1900"}
    assert not permitted(consent("permit", dataPeriod=always), about=about)
    assert permitted(consent("deny", dataPeriod=always), about=about, default=True)


BINARY: dict = {"resourceType": "Binary", "id": "b", "contentType": "application/pdf", "securityContext": {"reference": "Observation/bp"}}


@pytest.mark.parametrize(
    "about_what",
    [
        {"class_": [{"system": CATEGORY, "code": "laboratory"}]},
        {"class_": [{"system": TYPES, "code": "Observation"}]},
        {"code": [concept(LOINC, "8867-4")]},
        {"dataPeriod": {"start": "2020", "end": "2021"}},
    ],
)
def test_a_deny_of_anything_denies_bytes_that_nobody_can_look_into(about_what: dict) -> None:
    """R4 binary.html, Binary.securityContext: bytes are as sensitive as what they belong to, which may change after them."""
    assert not permitted(consent("deny", **about_what), about=BINARY, default=True)
    assert not permitted(consent("permit", **about_what), about=BINARY)


def test_bytes_are_permitted_by_a_permit_that_names_them_or_everything() -> None:
    assert permitted(consent("permit"), about=BINARY)
    assert permitted(consent("permit", class_=[{"system": TYPES, "code": "Binary"}]), about=BINARY)


def test_a_deny_for_somebody_else_leaves_bytes_alone() -> None:
    assert permitted(consent("deny", code=[concept(LOINC, "8867-4")], actor=[actor("Organization/other")]), about=BINARY, default=True)


# Reading 9: silence, and a root without type


def test_a_permit_that_does_not_match_is_silence() -> None:
    """The policy then decides, as if there were no Consent."""
    other = consent("permit", actor=[actor("Organization/other")])
    assert permitted(other, default=True)
    assert decision(other).basis == "policy"


@pytest.mark.parametrize(
    ("policy", "permit"),
    [
        ([(POLICY, "OPTIN")], True),
        ([(POLICY, "OPTOUT")], False),
        ([("https://elsewhere.example", "OPTIN")], False),
        ([(POLICY, "OPTIN"), (POLICY, "OPTOUT")], False),
        ([], False),
    ],
)
def test_a_root_without_type_goes_by_its_policy_rule_else_denies(policy: list[tuple[str, str]], permit: bool) -> None:
    """Consent.policyRule OPTIN or OPTOUT."""
    rule = {"policyRule": {"coding": [{"system": system, "code": code} for system, code in policy]}} if policy else {}
    assert permitted(consent(None, root=rule), default=not permit) is permit
    assert permitted(consent(None, root={**rule, "provision": None}), default=not permit) is permit


def test_the_type_of_the_root_beats_its_policy_rule() -> None:
    """policyRule speaks only where the type is absent."""
    assert permitted(consent("permit", root={"policyRule": concept(POLICY, "OPTOUT")}))
    assert not permitted(consent("deny", root={"policyRule": concept(POLICY, "OPTIN")}), default=True)


# Reading 10: consents that disagree


@pytest.mark.parametrize("older", ["2020-01-01", "2026-02-01"])
def test_any_deny_beats_any_permit_whatever_their_dates(older: str) -> None:
    """Superseding is explicit: a later permit alone lifts nothing."""
    deny = consent("deny", root={"dateTime": older})
    assert not permitted(PERMIT, deny, default=True)
    assert permitted(PERMIT, default=True)


def test_any_permit_beats_the_policy_and_the_policy_speaks_last() -> None:
    """Then any permit; then the organisation's policy."""
    assert permitted(PERMIT, default=False)
    assert permitted(default=True)
    assert not permitted(default=False)


def test_the_decision_names_the_version_that_decided() -> None:
    """SECURITY 3.4: the audit record says which Consent a decision rests on; of several, the latest."""
    later = consent("permit", root={"dateTime": "2026-02-01"})
    assert decision(PERMIT, later).consent == "Consent/b/_history/1"
    assert decision(later, PERMIT).consent == "Consent/a/_history/1"
    assert decision(later, DENY).consent == "Consent/b/_history/1"
    assert decision().consent is None


@pytest.mark.parametrize(
    ("date", "status", "period", "lifted"),
    [
        ("2026-02-01", "active", None, True),
        ("2026-01-01", "active", None, True),
        ("2025-12-31", "active", None, False),
        ("2026-02-01", "inactive", None, False),
        ("2026-02-01", "active", {"end": "2026-03-09"}, False),
        ("2026-02-01", "active", {"start": "2026-03-11"}, False),
    ],
)
def test_a_consent_is_superseded_by_a_later_one_in_force_that_names_it(date: str, status: str, period: dict | None, lifted: bool) -> None:
    """The replaces extension; on its own day it is late enough."""
    limits = {"period": period} if period else {}
    new = consent("permit", root={"dateTime": date, "status": status, **replaces("a")}, **limits)
    assert permitted(DENY, new) is lifted


def test_what_a_superseded_consent_had_replaced_does_not_come_back() -> None:
    """In force means active and within its period, superseded or not."""
    second = consent("permit", root={"dateTime": "2026-02-01", **replaces("a")})
    third = consent("permit", root={"dateTime": "2026-02-02", **replaces("b")})
    assert permitted(DENY, second, third)


def test_a_circle_of_consents_replaces_nothing() -> None:
    """Nobody can say which of them is the later one, so the deny stands."""
    assert not permitted(consent("deny", root=replaces("b")), consent("permit", root=replaces("a")), default=True)
    assert not permitted(consent("deny", root=replaces("a")), default=True)
