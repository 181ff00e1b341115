"""What the hub does not decide by is refused when written, and fails closed if it is met anyway."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from security.consent import CONSENT_REPLACES, problems, rules_of
from tests.spec.consent.given import (
    ACTION,
    CATEGORY,
    LOINC,
    PARTICIPATION,
    PROFILE,
    SCOPE,
    TYPES,
    actor,
    concept,
    consent,
    permitted,
    replaces,
)

CONFIDENTIAL = {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}
SAID = "Zzyqxcanary"

NOT_UNDERSTOOD = [
    ("Consent.provision.provision", {"provision": [{"type": "deny"}]}),
    ("Consent.provision.securityLabel", {"securityLabel": [CONFIDENTIAL]}),
    ("Consent.provision.data", {"data": [{"meaning": "instance", "reference": {"reference": f"Observation/{SAID}"}}]}),
    ("Consent.provision.modifierExtension", {"modifierExtension": [{"url": "https://elsewhere.example/x", "valueString": SAID}]}),
    ("Consent.provision", {SAID: [SAID]}),
    ("Consent.provision.period", {"period": {"start": SAID}}),
    ("Consent.provision.period", {"period": {"start": "2026", "end": "2025"}}),
    ("Consent.provision.period", {"period": {"end": "2999", "_start": {"extension": []}}}),
    ("Consent.provision.dataPeriod", {"dataPeriod": {}}),
    ("Consent.provision.actor", {"actor": []}),
    ("Consent.provision.actor", {"actor": actor("Organization/hospital")}),
    ("Consent.provision.actor[0]", {"actor": [SAID]}),
    ("Consent.provision.actor[1]", {"actor": [actor("Organization/hospital"), actor("#dr-p")]}),
    ("Consent.provision.actor[0]", {"actor": [actor("https://elsewhere.example/Organization/hospital")]}),
    ("Consent.provision.actor[0]", {"actor": [{"reference": {"identifier": {"value": SAID}}}]}),
    ("Consent.provision.actor[0]", {"actor": [actor("Organization/hospital") | {"role": {"text": SAID}}]}),
    ("Consent.provision.actor[0]", {"actor": [actor("Organization/hospital") | {"modifierExtension": []}]}),
    ("Consent.provision.action[0]", {"action": [{"text": SAID}]}),
    ("Consent.provision.purpose[0]", {"purpose": [{"display": SAID}]}),
    ("Consent.provision.class[0]", {"class": [{"system": TYPES}]}),
    ("Consent.provision.class[0]", {"class": [{"code": "vital-signs"}]}),
    ("Consent.provision.class[0]", {"class": [{"system": "urn:ietf:rfc:3986", "code": f"{PROFILE}|4.0.1"}]}),
    ("Consent.provision.code[0]", {"code": [{"coding": [{"system": LOINC, "display": SAID}]}]}),
    ("Consent.provision.code[0]", {"code": [{"coding": [{"code": "8867-4"}]}]}),
]
"""Of permits and denies alike."""

NOT_TOLD = [
    ("Consent.provision.actor[0]", {"actor": [actor("CareTeam/t")]}),
    ("Consent.provision.actor[0]", {"actor": [actor("Practitioner/dr-p")]}),
    ("Consent.provision.actor[0]", {"actor": [actor("Organization/other", "CST")]}),
    (
        "Consent.provision.actor[0]",
        {"actor": [{"role": concept("https://elsewhere.example", "IRCP"), **actor("Organization/other", None)}]},
    ),
    ("Consent.provision.action[0]", {"action": [concept(ACTION, "disclose")]}),
    ("Consent.provision.action[1]", {"action": [concept(ACTION, "access"), concept(ACTION, "correct")]}),
    ("Consent.provision.action[0]", {"action": [concept("https://elsewhere.example", "access")]}),
    ("Consent.provision.purpose[0]", {"purpose": [{"code": "HRESCH"}]}),
    ("Consent.provision.class[0]", {"class": [{"system": CATEGORY, "code": "https://elsewhere.example/category"}]}),
]
"""Of denies only: a permit with them permits less than it might, a deny would deny less than it says."""


@pytest.mark.parametrize("type", ["permit", "deny"])
@pytest.mark.parametrize(("expression", "provision"), NOT_UNDERSTOOD)
def test_what_is_not_understood_is_named_and_fails_closed(type: str, expression: str, provision: dict[str, Any]) -> None:
    """Law 6: the hub does it or says clearly that it does not; law 1: silence means no."""
    strange = consent(type, **provision)
    assert [where for where, _ in problems(strange)] == [expression]
    assert not permitted(strange, default=False)
    assert permitted(strange, default=True) is (type == "permit")
    assert permitted(consent("permit"), strange) is (type == "permit")


@pytest.mark.parametrize(("expression", "provision"), NOT_TOLD)
def test_a_deny_that_cannot_be_told_for_sure_is_refused_and_denies_all(expression: str, provision: dict[str, Any]) -> None:
    """A deny must never be missed because the hub lacks a fact."""
    assert [where for where, _ in problems(consent("deny", **provision))] == [expression]
    assert not permitted(consent("permit"), consent("deny", **provision), default=True)
    assert problems(consent("permit", **provision)) == ()


@pytest.mark.parametrize(
    ("expression", "root"),
    [
        ("Consent.provision", {"provision": [{"type": "permit"}]}),
        ("Consent.provision.type", {"provision": {"type": SAID}}),
        ("Consent.modifierExtension", {"modifierExtension": [{"url": "https://elsewhere.example/x", "valueBoolean": True}]}),
        ("Consent.implicitRules", {"implicitRules": "https://elsewhere.example/rules"}),
        ("Consent.patient", {"patient": {"identifier": {"value": SAID}}}),
        ("Consent.patient", {"patient": None}),
        ("Consent.patient", {"patient": {"reference": "Group/g"}}),
        ("Consent.scope", {"scope": {"coding": [{"system": SCOPE, "code": "adr"}, {"system": SCOPE, "code": "patient-privacy"}]}}),
        ("Consent.dateTime", {"dateTime": SAID}),
        ("Consent.dateTime", {"dateTime": None, **replaces("a")}),
        ("Consent.extension", {"extension": [{"url": CONSENT_REPLACES, "valueReference": {"reference": "Patient/1"}}]}),
        ("Consent.extension", {"extension": [{"url": CONSENT_REPLACES, "valueString": SAID}]}),
    ],
)
def test_what_is_not_understood_of_the_root_is_named_and_permits_nothing(expression: str, root: dict[str, Any]) -> None:
    """Law 6 and law 1, for the elements outside the provision."""
    strange = consent("permit", root=root)
    assert [where for where, _ in problems(strange)] == [expression]
    assert not permitted(strange)


@pytest.mark.parametrize(
    "provision",
    [
        {},
        {"period": {"start": "2026"}, "dataPeriod": {"end": "2026-03"}},
        {"actor": [actor("Organization/hospital"), actor("Device/client", "PRCP"), actor("Organization/other", None)]},
        {"action": [concept(ACTION, code) for code in ("access", "use", "disclose", "collect", "correct")]},
        {"class": [{"system": TYPES, "code": "Observation"}, {"code": PROFILE}], "code": [concept(LOINC, "8867-4")]},
        {
            "code": [{"coding": [{"system": LOINC, "code": "8867-4"}, {"code": "pulse"}]}],
            "class": [{"code": "https://elsewhere.example/profile"}],
        },
        {"extension": [{"url": "https://elsewhere.example/x", "valueString": "may be ignored"}]},
        {"actor": [{"role": {"coding": [{"system": PARTICIPATION, "code": "IRCP"}, {"code": "us"}]}, **actor("Organization/other", None)}]},
    ],
)
def test_what_the_hub_decides_by_is_accepted(provision: dict[str, Any]) -> None:
    """Refusal and success share a set-up: the same Consent with understood elements has no problem."""
    for type in ("permit", "deny"):
        assert problems(consent(type, **provision)) == ()


@pytest.mark.parametrize("root", [{"status": "draft"}, {"scope": concept(SCOPE, "treatment")}])
def test_a_consent_that_says_nothing_about_access_is_not_refused(root: dict[str, Any]) -> None:
    """It may hold what it likes: nothing is decided by it."""
    assert problems(consent("permit", root=root, securityLabel=[CONFIDENTIAL])) == ()


def test_no_problem_repeats_a_value() -> None:
    """Law 4: error texts carry nothing that identifies a person."""
    told = [problems(consent(type, **provision)) for type in ("permit", "deny") for _, provision in NOT_UNDERSTOOD + NOT_TOLD]
    assert SAID not in json.dumps(told)


def test_what_is_not_understood_lifts_no_deny_but_ends_the_permit_it_replaces() -> None:
    """A replacement that cannot be read counts as the narrower of what it might be."""
    strange = consent("permit", root=replaces("a"), securityLabel=[CONFIDENTIAL])
    assert not permitted(consent("deny"), strange, default=True)
    assert not permitted(consent("permit"), strange, default=False)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(["permit", "2026", "Organization/hospital"]),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["coding", "system", "code", "reference", "start", "role"]), inner)
    ),
    max_leaves=6,
)
ROOT = ["scope", "patient", "dateTime", "policyRule", "extension", "provision"]
PROVISION = ["type", "period", "actor", "action", "purpose", "class", "code", "dataPeriod", "data"]


@given(st.dictionaries(st.sampled_from(ROOT), anything), st.dictionaries(st.sampled_from(PROVISION), anything, min_size=1))
def test_no_json_makes_reading_fail_or_permit_what_it_does_not_say(root: dict[str, Any], provision: dict[str, Any]) -> None:
    """What came past the validator is still no way round the decision."""
    strange = consent("permit") | {"provision": provision} | root
    elements = {"actor": "actors", "action": "actions", "purpose": "purposes", "class": "classes", "code": "codes"}
    for rule in rules_of(strange, id="a", version="1"):
        assert rule.not_understood == bool(problems(strange))
        if not rule.not_understood:
            assert {name for name, of in elements.items() if getattr(rule, of)} == elements.keys() & strange["provision"].keys()
            assert (rule.data_period is None) == ("dataPeriod" not in strange["provision"])
