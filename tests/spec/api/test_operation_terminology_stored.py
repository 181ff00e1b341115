"""$expand and $validate-code for what clients have stored, by url and on an instance.

https://hl7.org/fhir/R4/valueset-operations.html, https://hl7.org/fhir/R4/codesystem-operations.html
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.support.backstage import Backstage
from tests.support.caller import Caller
from tests.support.outcomes import refused
from tests.support.resources import ABSENT

Json = dict[str, Any]
SCOPE = "system/ValueSet.cruds system/CodeSystem.cruds"
COLOURS, WARM, MIXED = "urn:example:colours", "urn:example:warm", "urn:example:mixed"
GENDER, GENDERS = "http://hl7.org/fhir/administrative-gender", "http://hl7.org/fhir/ValueSet/administrative-gender"


def code_system(version: str, *more: str, **changed: Any) -> Json:
    red = {"code": "red", "display": "Red", "concept": [{"code": "crimson", "display": "Crimson"}, *({"code": one} for one in more)]}
    return {
        "resourceType": "CodeSystem",
        "url": COLOURS,
        "version": version,
        "status": "active",
        "content": "complete",
        "concept": [red, {"code": "blue", "display": "Blue"}],
        **changed,
    }


def value_set(url: str, *include: Json, **changed: Any) -> Json:
    return {"resourceType": "ValueSet", "url": url, "status": "active", "compose": {"include": list(include)}, **changed}


RED: Json = {"system": COLOURS, "filter": [{"property": "concept", "op": "is-a", "value": "red"}]}


@dataclass(frozen=True, slots=True)
class Stored:
    author: Caller
    old: str
    new: str
    warm: str


@pytest.fixture(scope="module")
def stored(another: Callable[..., Caller]) -> Stored:
    author = another(SCOPE).narrowed(SCOPE)
    old, new = (author.create(code_system(*one))["id"] for one in (("1.9", "rust"), ("1.10", "scarlet")))
    warm = author.create(value_set(WARM, RED))["id"]
    author.create(value_set(MIXED, {"valueSet": [WARM]}, {"valueSet": [GENDERS]}))
    return Stored(author, old, new, warm)


def codes(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [one["code"] for one in answer.json()["expansion"].get("contains", ())]


def told(answer: Any) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    return {one["name"]: one.get("valueBoolean", one.get("valueString")) for one in answer.json()["parameter"]}


def parameters(*parameter: Json) -> Json:
    return {"resourceType": "Parameters", "parameter": list(parameter)}


def test_a_stored_value_set_is_expanded_by_url_and_on_itself(stored: Stored) -> None:
    """Over a code system that is stored too, of which the latest version is meant (1.10 is later than 1.9)."""
    expected = ["red", "crimson", "scarlet"]
    assert codes(stored.author.get(f"ValueSet/$expand?url={WARM}")) == expected
    assert codes(stored.author.get(f"ValueSet/{stored.warm}/$expand")) == expected
    assert codes(stored.author.post(f"ValueSet/{stored.warm}/$expand", parameters({"name": "count", "valueInteger": 2}))) == expected[:2]


def test_a_value_set_made_of_others_is_expanded(stored: Stored) -> None:
    """valueset.html#compositions: a stored one and one that comes with the hub."""
    assert codes(stored.author.get(f"ValueSet/$expand?url={MIXED}"))[2:5] == ["scarlet", "male", "female"]


def test_what_is_sent_may_rest_on_what_is_stored(stored: Stored) -> None:
    sent = {"name": "valueSet", "resource": value_set("urn:example:sent", {**RED, "version": "1.9"})}
    assert codes(stored.author.post("ValueSet/$expand", parameters(sent))) == ["red", "crimson", "rust"]


def test_what_comes_with_the_hub_is_expanded_on_itself(ehr: Caller) -> None:
    assert codes(ehr.get("ValueSet/administrative-gender/$expand?filter=fem")) == ["female"]
    assert told(ehr.get(f"ValueSet/administrative-gender/$validate-code?system={GENDER}&code=male"))["result"] is True
    assert told(ehr.get("CodeSystem/administrative-gender/$validate-code?code=men"))["result"] is False


@pytest.mark.parametrize("path", [f"ValueSet/$validate-code?url={WARM}&", "ValueSet/{warm}/$validate-code?"])
def test_a_code_is_held_against_a_stored_value_set(stored: Stored, path: str) -> None:
    asked = path.format(warm=stored.warm)
    assert told(stored.author.get(f"{asked}system={COLOURS}&code=scarlet"))["result"] is True
    assert told(stored.author.get(f"{asked}system={COLOURS}&code=blue"))["result"] is False
    assert told(stored.author.get(f"{asked}code=crimson")) == {"result": True, "display": "Crimson"}


@pytest.mark.parametrize(("version", "result"), [(None, True), ("1.10", True), ("1.9", False)])
def test_a_code_system_is_asked_in_the_version_that_is_named(stored: Stored, version: str | None, result: bool) -> None:
    """codesystem-operation-validate-code.html, the parameter `version`; without it the latest."""
    named = "" if version is None else f"&version={version}"
    assert told(stored.author.get(f"CodeSystem/$validate-code?url={COLOURS}&code=scarlet{named}"))["result"] is result


def test_a_version_that_is_not_known_is_not_judged(stored: Stored, ehr: Caller) -> None:
    for url in (COLOURS, GENDER):
        refused(stored.author.get(f"CodeSystem/$validate-code?url={url}&code=red&version=7"), 400, "not-supported")
    refused(ehr.get(f"ValueSet/$validate-code?url={GENDERS}&system={GENDER}&systemVersion=7&code=male"), 400, "not-supported")
    refused(ehr.get(f"ValueSet/$expand?url={GENDERS}&valueSetVersion=7"), 404, "not-found")
    assert len(codes(ehr.get(f"ValueSet/$expand?url={GENDERS}&valueSetVersion=4.0.1"))) == 4


def test_a_code_is_held_against_one_stored_code_system(stored: Stored) -> None:
    """On an instance: this one, whatever is later."""
    assert told(stored.author.get(f"CodeSystem/{stored.old}/$validate-code?code=rust"))["result"] is True
    assert told(stored.author.get(f"CodeSystem/{stored.new}/$validate-code?code=rust"))["result"] is False
    coding = {"name": "coding", "valueCoding": {"system": GENDER, "code": "red"}}
    assert told(stored.author.post(f"CodeSystem/{stored.old}/$validate-code", parameters(coding)))["result"] is False


def test_a_code_is_held_against_a_code_system_that_is_sent(ehr: Caller) -> None:
    sent = {"name": "codeSystem", "resource": code_system("0", "ruby")}
    assert told(ehr.post("CodeSystem/$validate-code", parameters(sent, {"name": "code", "valueCode": "ruby"})))["result"] is True


def test_on_an_instance_no_other_can_be_named(stored: Stored) -> None:
    refused(stored.author.get(f"ValueSet/{stored.warm}/$expand?url={GENDERS}"), 400, "not-supported")
    refused(stored.author.get(f"CodeSystem/{stored.old}/$validate-code?code=red&url={GENDER}"), 400, "not-supported")


def test_what_may_not_be_seen_is_not_known(stored: Stored, ehr: Caller, another: Callable[..., Caller]) -> None:
    """Law 3: scopes decide, granular ones too; hidden equals absent."""
    reading = stored.author.narrowed("system/ValueSet.r")
    refused(reading.get(f"ValueSet/$expand?url={WARM}"), 404, "not-found")
    elsewhere = "system/ValueSet.rs?url=urn:example:elsewhere"
    hidden = another(elsewhere).narrowed(elsewhere)
    assert hidden.get(f"ValueSet/$expand?url={WARM}").content == hidden.get("ValueSet/$expand?url=urn:example:none").content
    refused(hidden.get(f"ValueSet/{stored.warm}/$expand"), 404, "not-found")
    refused(ehr.get(f"ValueSet/{ABSENT}/$expand"), 404, "not-found")
    refused(stored.author.narrowed("system/ValueSet.rs").get(f"ValueSet/$expand?url={WARM}"), 400, "not-supported")


def test_what_an_answer_rests_on_is_in_the_log(stored: Stored, backstage: Backstage) -> None:
    """Law 2: no data without a record."""
    answer = stored.author.get(f"ValueSet/$expand?url={WARM}")
    (record,) = backstage.records(answer.headers["x-request-id"])
    named = str(record.event["entity"])
    assert (f"ValueSet/{stored.warm}" in named, f"CodeSystem/{stored.new}" in named, f"CodeSystem/{stored.old}" in named) == (
        True,
        True,
        False,
    )


def test_value_sets_made_of_each_other_in_a_circle_are_refused(stored: Stored) -> None:
    for one, other in (("urn:example:a", "urn:example:b"), ("urn:example:b", "urn:example:a")):
        stored.author.create(value_set(one, {"valueSet": [other]}))
    refused(stored.author.get("ValueSet/$expand?url=urn:example:a"), 400, "invalid")
    refused(stored.author.get("ValueSet/$validate-code?url=urn:example:a&system=urn:x&code=x"), 400, "not-supported")


def test_more_concepts_than_can_be_looked_at_are_refused(ehr: Caller) -> None:
    """FHIR.md 4b.11: a limit with its own outcome, and not a hub that is busy for minutes."""
    largest = "http://hl7.org/fhir/ValueSet/security-labels"
    sent = {"name": "valueSet", "resource": value_set("urn:example:large", *({"valueSet": [largest]} for _ in range(1_000)))}
    refused(ehr.post("ValueSet/$expand", parameters(sent)), 403, "too-costly")


def test_a_stored_value_set_with_an_extension_in_place_of_a_code_is_refused(stored: Stored) -> None:
    """https://hl7.org/fhir/R4/json.html#primitive: R4 allows it, but there is no code to list."""
    gap = {"_code": {"extension": [{"url": "urn:x", "valueBoolean": True}]}}
    id = stored.author.create(value_set("urn:example:gap", {"system": COLOURS, "concept": [gap]}))["id"]
    refused(stored.author.get(f"ValueSet/{id}/$expand"), 400, "not-supported", expression="ValueSet")
    refused(stored.author.get("ValueSet/$expand?url=urn:example:gap"), 400, "not-supported", expression="ValueSet")
