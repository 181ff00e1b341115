"""Searches by a List over HTTP. https://hl7.org/fhir/R4/search.html#list"""

from typing import Any

import pytest

from tests.support.caller import Caller, link
from tests.support.outcomes import refused
from tests.support.resources import ABSENT, consent, observation, patient

Json = dict[str, Any]


def listed(subject: str, *items: Json, **more: Any) -> Json:
    entries = [{"item": {"reference": f"{one['resourceType']}/{one['id']}"}} for one in items]
    about = {"reference": f"Patient/{subject}"}
    return {"resourceType": "List", "status": "current", "mode": "working", "subject": about, "entry": entries, **more}


def test_what_a_list_holds_is_found_by_it(ehr: Caller) -> None:
    """Of the type that is searched, together with the other criteria; the self link says so."""
    person = ehr.create(patient())
    one, two, outside = (ehr.create(observation(person["id"], value=value)) for value in (61, 62, 63))
    made = ehr.create(listed(person["id"], one, two, person))
    assert sorted(ehr.found(f"Observation?_list={made['id']}")) == sorted([one["id"], two["id"]])
    assert ehr.found(f"Observation?_list={made['id']}&value-quantity=62") == [two["id"]]
    assert ehr.found(f"Patient?_list={made['id']}") == [person["id"]]
    assert ehr.found(f"Device?_list={made['id']}") == []
    assert ehr.found(f"Observation?_list={ABSENT}&_id={outside['id']}") == []
    bundle = ehr.search(f"Observation?_list={made['id']}&_total=accurate")
    assert bundle["total"] == 2
    assert f"_list={made['id']}" in str(link(bundle, "self"))
    assert [len(page["entry"]) for page in ehr.pages(f"Observation?_list={made['id']}&_count=1")] == [1, 1]


def test_a_list_that_may_not_be_seen_holds_nothing(ehr: Caller, stranger: Caller) -> None:
    """Law 3: neither a hidden List nor a hidden item is there."""
    seen, hidden = ehr.create(patient()), ehr.create(patient())
    ehr.create(consent(seen["id"]))
    one, other = ehr.create(observation(seen["id"])), ehr.create(observation(hidden["id"]))
    of_hidden, of_seen = ehr.create(listed(hidden["id"], one)), ehr.create(listed(seen["id"], one, other))
    answers = [stranger.get(f"Observation?_list={id}&_total=accurate") for id in (of_hidden["id"], ABSENT)]
    assert answers[0].text.replace(of_hidden["id"], ABSENT) == answers[1].text
    assert stranger.found(f"Observation?_list={of_seen['id']}") == [one["id"]]
    refused(stranger.narrowed("system/Observation.rs").get(f"Observation?_list={of_seen['id']}"), 403, "forbidden")


@pytest.mark.parametrize("value", ["$current-problems", "$current-allergies"])
def test_lists_that_a_server_keeps_up_are_refused(ehr: Caller, value: str) -> None:
    """lifecycle.html#lists: the hub keeps none; lenient handling does not turn the question into another."""
    for headers in ({}, {"Prefer": "handling=lenient"}):
        refused(ehr.get(f"Condition?_list={value}", headers=headers), 400, "not-supported", expression="http._list")


@pytest.mark.parametrize(
    ("type", "name", "reason"),
    [
        ("Observation", "_text", "no index of their words"),
        ("Observation", "_content", "no index of their words"),
        ("Observation", "_filter", "write the conditions as parameters"),
        ("Observation", "_query", "no named queries"),
        ("Location", "near", "positions are sealed"),
    ],
)
def test_what_is_not_offered_is_refused_with_the_reason(ehr: Caller, type: str, name: str, reason: str) -> None:
    """search.html#errors: strict is the default; under lenient handling it is left out, and an outcome says so."""
    found = refused(ehr.get(f"{type}?{name}=x&_id={ABSENT}"), 400, "not-supported", expression=f"http.{name}")
    assert reason in found[0]["diagnostics"]
    bundle = ehr.search(f"{type}?{name}=x&_id={ABSENT}", headers={"Prefer": "handling=lenient"})
    (outcome,) = [one["resource"] for one in bundle["entry"]]
    assert name in outcome["issue"][0]["diagnostics"]
    assert name not in str(link(bundle, "self"))
