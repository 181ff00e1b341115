"""The profiles that the hub ships: what follows them does, and each rule of each of them is found when it is broken."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from fhir_profiles import r4
from fhir_profiles.catalogue import MEASURES
from fhir_profiles.profiles import SHIPPED, asked, check, findings, shipped
from fhir_profiles.profiles.library import followed
from fhir_profiles.profiles.vital_signs import PROFILES
from tests.spec.profiles.examples import ABSENT, EXAMPLES, LOINC, MDC, PROFILE_OF, concept, examples, ours, phd, quantity, vital_sign
from tests.spec.profiles.measurements import built, one_of_each
from tests.spec.profiles.mutations import mutants

Json = dict[str, Any]
ELEMENTS = [(id, element) for id, url in PROFILE_OF.items() for element in shipped()[url]["differential"]["element"]]
UNTRIED = {"hasMember", "derivedFrom"}
"""Elements that no example has: that they lead to Observations is told in one place below."""


@pytest.mark.parametrize("url", shipped())
def test_every_shipped_profile_is_right_and_can_be_followed(url: str) -> None:
    assert r4.check(shipped()[url]) == ()
    assert SHIPPED.check(url) is not None


def test_every_profile_has_an_example_that_follows_it() -> None:
    assert EXAMPLES.keys() == PROFILE_OF.keys()
    for id in EXAMPLES:
        for resource in examples(id):
            assert r4.check(resource) == (), id
            assert [one for one in findings(resource, [PROFILE_OF[id]]) if one.severity == "error"] == [], id


@pytest.mark.parametrize(("id", "element"), ELEMENTS, ids=[f"{id} {element['id']}" for id, element in ELEMENTS])
def test_each_rule_of_each_profile_is_found_when_it_is_broken(id: str, element: Json) -> None:
    """Every rule is broken in every place where the example has it; each kind of break is found at least once."""
    broken: dict[str, list[bool]] = {}
    for rule, mutant in broken_in_all_ways(id, element):
        errors = [one for one in findings(mutant, [PROFILE_OF[id]], advice=False) if one.severity == "error"]
        broken.setdefault(rule, []).append(bool(errors or r4.check(mutant)))
    missed = {rule for rule, outcomes in broken.items() if not any(outcomes)}
    assert not missed or tells_apart(id, element), missed


def broken_in_all_ways(id: str, element: Json) -> Iterator[tuple[str, Json]]:
    return (one for resource in examples(id) for one in mutants(resource, element))


def tells_apart(id: str, element: Json) -> bool:
    """An item of an optional slice that loses what marks it is simply not in that slice any more."""
    rules = {one["id"]: one for one in shipped()[PROFILE_OF[id]]["differential"]["element"]}
    for slice_id, rule in rules.items():
        if "sliceName" not in rule or rule.get("min") or not element["id"].startswith(f"{slice_id}."):
            continue
        below = element["id"].removeprefix(f"{slice_id}.")
        slicing = rules.get(slice_id.rpartition(":")[0], {}).get("slicing", {"discriminator": [{"path": "url"}]})
        paths = [one["path"] for one in slicing["discriminator"]]
        return any(path == below or path.startswith(f"{below}.") or below.startswith(f"{path}.") for path in paths)
    return False


def test_every_rule_is_tried() -> None:
    """A rule that no example can break would prove nothing."""
    kinds = ("fixed", "pattern", "binding")
    untried = {
        element["id"].split(".")[-1]
        for id, element in ELEMENTS
        if (element.get("min") or element.get("max") == "0" or any(name.startswith(kinds) for name in element if name != "binding"))
        and "." in element["id"]
        and not list(broken_in_all_ways(id, element))
    }
    assert untried <= UNTRIED


@pytest.mark.parametrize(
    ("id", "broken", "key"),
    [
        ("vitalsigns", vital_sign("8302-2"), "vs-2"),
        ("vitalsigns", vital_sign("8302-2", valueQuantity=quantity("cm"), effectiveDateTime="2026-11"), "vs-1"),
        ("vitalsigns", vital_sign("85354-9", component=[{"code": concept(LOINC, "8480-6")}]), "vs-3"),
        ("ans-glucose", vital_sign("2339-0", valueQuantity=quantity("mg/dL")), "ans-glucose-1"),
        ("ans-glucose", {**EXAMPLES["ans-glucose"], "valueQuantity": quantity("mmol/L")}, "ans-glucose-2"),
        ("phd-compound-numeric-observation", phd(component=[{"code": concept(LOINC, "1"), "valueQuantity": quantity("%")}]), "phd-mdc"),
        ("phd-compound-numeric-observation", phd(component=[{"code": concept(MDC, "1"), "valueString": "x"}]), "phd-quantity"),
        ("phd-bits-observation", phd(component=[{"code": concept(MDC, "1"), "valueString": "x"}]), "phd-boolean"),
    ],
)
def test_each_constraint_is_found_broken(id: str, broken: Json, key: str) -> None:
    assert [one.text.split(":")[0] for one in findings(broken, [PROFILE_OF[id]]) if one.code == "invariant"] == [key]


def test_a_constraint_that_is_advice_is_not_asked_on_a_write() -> None:
    """HL7 PHD mdc-1 is a warning."""
    without = phd(code=concept(LOINC, "8867-4"), valueQuantity=quantity("/min"))
    profile = PROFILE_OF["phd-numeric-observation"]
    assert [one.severity for one in findings(without, [profile])] == ["warning"]
    assert findings(without, [profile], advice=False) == []


def test_what_our_builder_makes_follows_the_profiles_it_claims_and_those_of_its_vital_sign() -> None:
    """DESIGN 7: Observations built by our own builders are valid by construction."""
    for name, made in one_of_each():
        assert check(json.loads(built(made))) == (), name


@pytest.mark.parametrize("key", MEASURES)
def test_our_vital_signs_follow_the_french_profiles(key: str) -> None:
    by_code = {"85354-9": "ans-blood-pressure", "29463-7": "ans-body-weight", "8302-2": "ans-body-height", "8867-4": "ans-heart-rate"}
    by_code |= {
        "8310-5": "ans-body-temperature",
        "2708-6": "ans-oxygen-saturation",
        "9279-1": "ans-respiratory-rate",
        "41950-7": "ans-steps-by-day",
    }
    codes = {coding.code for coding in MEASURES[key].codings} & by_code.keys()
    for code in codes:
        assert findings(ours(key), [PROFILE_OF[by_code[code]]], advice=False) == []


@pytest.mark.parametrize(("code", "profile"), PROFILES.items())
def test_a_vital_sign_is_held_against_its_profile_without_claiming_it(code: str, profile: str) -> None:
    """https://hl7.org/fhir/R4/observation-vitalsigns.html"""
    observation = vital_sign(code, valueString="x")
    assert asked(observation) == [profile]
    assert check(observation)
    assert asked({**observation, "category": [concept("http://terminology.hl7.org/CodeSystem/observation-category", "exam")]}) == []
    assert asked({**observation, "code": concept("http://example.org", code)}) == []
    assert asked({**observation, "meta": {"profile": [profile]}}) == [profile]


def test_a_blood_pressure_with_a_value_absent_still_has_both_parts() -> None:
    """https://hl7.org/fhir/R4/bp.html: "if a value is missing, dataAbsentReason" """
    both = [{"code": concept(LOINC, code), "dataAbsentReason": ABSENT} for code in ("8480-6", "8462-4")]
    assert check(vital_sign("85354-9", component=both)) == ()
    (one,) = [one for one in check(vital_sign("85354-9", component=[*both[:1], both[0]])) if one.code == "required"]
    assert one.expression == "Observation.component"
    assert "8462-4" in one.text


def test_what_members_lead_to_is_an_observation() -> None:
    panel = vital_sign("85353-1", hasMember=[{"reference": "Patient/p"}])
    assert [one.expression for one in check(panel)] == ["Observation.hasMember[0]"]


def test_a_claim_of_a_published_guide_is_held_against_the_profile_of_ours_that_follows_it() -> None:
    assert followed()["http://hl7.org/fhir/uv/phd/StructureDefinition/PhdNumericObservation"] == PROFILE_OF["phd-numeric-observation"]
    claimed = {**phd(valueString="x"), "meta": {"profile": ["http://hl7.org/fhir/uv/phd/StructureDefinition/PhdNumericObservation"]}}
    assert [one.expression for one in check(claimed)] == ["Observation.value"]
