"""$validate against profiles that clients have stored. https://hl7.org/fhir/R4/resource-operation-validate.html"""

from collections.abc import Callable
from typing import Any

import pytest

from tests.spec.profiles.given_profiles import BASE, LOINC, profile
from tests.support.backstage import Backstage
from tests.support.caller import Caller
from tests.support.outcomes import refused
from tests.support.resources import ABSENT, observation

Json = dict[str, Any]
SCOPE = "system/StructureDefinition.cruds system/Observation.cruds"
SITE, SITE_BASE = "urn:example:site-heart-rate", "urn:example:site-base"
HEART_RATE = f"{BASE}heartrate"


@pytest.fixture(scope="module")
def author(another: Callable[..., Caller]) -> Caller:
    """Has stored a profile that is based on another stored one, which is based on one of the hub's; in two versions."""
    author = another(SCOPE).narrowed(SCOPE)
    author.create(profile({"id": "Observation.method", "min": 1}, base=HEART_RATE, url=SITE_BASE))
    for version, element in (("1.10", "device"), ("1.9", "note")):
        author.create({**profile({"id": f"Observation.{element}", "min": 1}, base=SITE_BASE, url=SITE), "version": version})
    return author


def errors(answer: Any) -> list[tuple[str, str]]:
    assert answer.status_code == 200, answer.text
    return [(one["code"], one["expression"][0]) for one in answer.json()["issue"] if one["severity"] == "error"]


def warnings(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [one["diagnostics"] for one in answer.json()["issue"] if one["severity"] == "warning"]


def heart_rate(*profiles: str, **more: Any) -> Json:
    meta = {"meta": {"profile": list(profiles)}} if profiles else {}
    return {**observation(ABSENT), **meta, **more}


@pytest.mark.parametrize(("version", "missing"), [("", "device"), ("|1.10", "device"), ("|1.9", "note")])
def test_a_stored_profile_is_followed_with_what_it_rests_on(author: Caller, version: str, missing: str) -> None:
    """Named by the parameter or claimed; of the version that is named, else the latest."""
    expected = [("required", "Observation.method"), ("required", f"Observation.{missing}")]
    assert sorted(errors(author.post(f"Observation/$validate?profile={SITE}{version}", heart_rate()))) == sorted(expected)
    assert sorted(errors(author.post("Observation/$validate", heart_rate(f"{SITE}{version}")))) == sorted(expected)
    right = heart_rate(method={"text": "x"}, device={"display": "x"}, note=[{"text": "x"}])
    assert errors(author.post(f"Observation/$validate?profile={SITE}{version}", right)) == []


def test_a_profile_that_may_not_be_seen_is_not_known(author: Caller) -> None:
    """Law 3: as one that nobody has stored."""
    narrow = author.narrowed("system/Observation.cruds")
    unknown = [narrow.post(f"Observation/$validate?profile={url}", heart_rate()).json() for url in (SITE, "urn:example:nowhere")]
    assert unknown[0] == unknown[1]
    assert errors(narrow.post(f"Observation/$validate?profile={SITE}", heart_rate())) == []


def test_the_profiles_are_in_the_log(author: Caller, backstage: Backstage) -> None:
    """Law 2: what an answer rests on was shown."""
    answer = author.post(f"Observation/$validate?profile={SITE}", heart_rate())
    (record,) = backstage.records(answer.headers["x-request-id"])
    assert str(record.event["entity"]).count("StructureDefinition/") == 2


def test_a_write_is_held_against_the_hubs_own_profiles_alone(author: Caller, ehr: Caller) -> None:
    """Who may store a profile does not decide what others may write."""
    person = ehr.create({"resourceType": "Patient", "name": [{"family": "Zprofil"}]})["id"]
    claimed = {**observation(person), "meta": {"profile": [SITE]}}
    assert ehr.post("Observation", claimed).status_code == 201
    refused(ehr.post("Observation", {**claimed, "valueQuantity": {**claimed["valueQuantity"], "code": "kg"}}), 422, "value")


@pytest.mark.parametrize(
    "element",
    [
        {"id": "Observation.component", "slicing": {"rules": "open", "description": "by eye"}},
        {"id": "Observation.nothing.at.all", "min": 1},
        {"id": "Observation.value[x]", "type": [{"code": "Nonsense"}]},
        {"id": "Observation.value[x]", "type": [{"_code": {"extension": [{"url": "urn:x", "valueCode": "y"}]}}]},
        {"id": "Observation.note", "contentReference": "#Nothing.note"},
        {"id": "Observation.note", "constraint": [{"key": "x-1", "severity": "error", "human": "x", "expression": "(("}]},
    ],
)
def test_a_profile_that_is_not_understood_refuses_nothing(author: Caller, element: Json, request: pytest.FixtureRequest) -> None:
    """FHIR.md 4b.11: never 5xx for what a client has stored."""
    url = f"urn:example:odd-{abs(hash(request.node.name))}"
    author.create(profile(element, {"id": "Observation.component:A", "min": 1}, url=url))
    answer = author.post(f"Observation/$validate?profile={url}", heart_rate())
    assert errors(answer) in ([], [("required", "Observation.component")])


def test_a_profile_of_another_type_or_of_nothing_refuses_in_words(author: Caller) -> None:
    author.create({**profile(url="urn:example:no-type"), "type": "Nonsense"})
    answer = author.post("Observation/$validate?profile=urn:example:no-type", heart_rate())
    assert ["cannot be followed" in text for text in warnings(answer)].count(True) == 1


def test_a_profile_that_takes_too_many_steps_is_given_up(author: Caller) -> None:
    """FHIR.md 4b.11: a limit, and not a hub that is busy for minutes."""
    costly = "descendants().where($this.descendants().count() > 0).descendants().where(descendants().count() > 0).count() > 0"
    constraints = [{"key": f"x-{number}", "severity": "error", "human": "x", "expression": costly} for number in range(50)]
    author.create(profile({"id": "Observation.component", "constraint": constraints}, url="urn:example:costly"))
    component = {"code": {"coding": [{"system": LOINC, "code": str(code)} for code in range(40)]}, "valueInteger": 1}
    answer = author.post("Observation/$validate?profile=urn:example:costly", heart_rate(component=[component] * 60))
    assert any("more steps than are allowed" in text for text in warnings(answer)), answer.text


def test_profiles_with_too_many_elements_are_refused(author: Caller) -> None:
    slices = [{"id": f"Observation.component:s{number}", "min": 0} for number in range(1_001)]
    author.create(profile(*slices, url="urn:example:huge"))
    refused(author.post("Observation/$validate?profile=urn:example:huge", heart_rate()), 403, "too-costly")


def test_an_instance_is_held_against_a_stored_profile(author: Caller, ehr: Caller) -> None:
    """GET on an instance, as it is stored."""
    person = ehr.create({"resourceType": "Patient", "name": [{"family": "Zinstance"}]})["id"]
    made = ehr.create(observation(person))
    both = ehr.get(f"Observation/{made['id']}/$validate?profile={SITE}")
    assert sorted(errors(both)) == [("required", "Observation.device"), ("required", "Observation.method")]
