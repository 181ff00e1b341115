"""Scopes as part of every question: 401, 403, and granular scopes inside the query.

https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html; SECURITY 1.3 (50 to 52); law 1.
"""

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.caller import Caller, ids, resources
from tests.support.outcomes import refused
from tests.support.resources import (
    ABSENT,
    HEART_RATE,
    LOINC,
    OBSERVATION_CATEGORY,
    consent,
    device,
    observation,
    organization,
    patient,
    practitioner,
)

Json = dict[str, Any]
VITAL_SIGNS = f"category={OBSERVATION_CATEGORY}|vital-signs"
TYPES = {
    "Patient": patient(),
    "Practitioner": practitioner(),
    "Organization": organization(),
    "Device": device(),
    "Observation": observation(ABSENT),
    "Consent": consent(ABSENT),
}
LETTERS = "crus"


def ask(caller: Caller, letter: str, type: str) -> int:
    match letter:
        case "c":
            return caller.post(type, TYPES[type]).status_code
        case "r":
            return caller.get(f"{type}/{ABSENT}").status_code
        case "u":
            return caller.put(f"{type}/{ABSENT}", {**TYPES[type], "id": ABSENT}).status_code
        case _:
            return caller.get(f"{type}?_id={ABSENT}").status_code


@pytest.mark.parametrize("granted", LETTERS)
@pytest.mark.parametrize("type", TYPES)
def test_a_letter_for_one_type_opens_that_and_nothing_else(ehr: Caller, type: str, granted: str) -> None:
    """51: every interaction and type not granted is refused with 403, and the granted one is not."""
    caller = ehr.narrowed(f"system/{type}.{granted}")
    for other in TYPES:
        for letter in LETTERS:
            assert (ask(caller, letter, other) == 403) is ((other, letter) != (type, granted)), (other, letter)


def test_vread_goes_with_read(ehr: Caller) -> None:
    """Scopes v2: r covers read and vread."""
    made = ehr.create(organization())
    path = f"Organization/{made['id']}/_history/1"
    assert ehr.narrowed("system/Organization.r").get(path).status_code == 200
    refused(ehr.narrowed("system/Organization.s").get(path), 403, "forbidden")


def test_a_refusal_does_not_depend_on_whether_the_thing_exists(ehr: Caller) -> None:
    """Law 3: the scope is asked before anything is looked for."""
    made = ehr.create(organization())
    caller = ehr.narrowed("system/Device.rs")
    assert caller.get(f"Organization/{made['id']}").content == caller.get(f"Organization/{ABSENT}").content


def test_no_wildcard_covers_the_log(ehr: Caller, auditor: Caller) -> None:
    """Law 1: AuditEvent is given by name only."""
    event = auditor.search("AuditEvent?_count=1")["entry"][0]["resource"]
    for caller in (ehr, ehr.narrowed("system/*.read"), ehr.narrowed("system/*.rs")):
        refused(caller.get("AuditEvent"), 403, "forbidden")
        refused(caller.get(f"AuditEvent/{event['id']}"), 403, "forbidden")
        refused(caller.get(f"AuditEvent/{event['id']}/_history/1"), 403, "forbidden")
        refused(caller.request("POST", "AuditEvent/_search", data={"_count": "1"}), 403, "forbidden")


def test_who_may_read_the_log_may_read_nothing_else(auditor: Caller) -> None:
    for type in TYPES:
        for letter in LETTERS:
            assert ask(auditor, letter, type) == 403


@pytest.fixture(scope="module")
def mixed(ehr: Caller) -> Json:
    """A patient with four vital signs and three laboratory values, in turns."""
    made = ehr.create(patient())
    for day in range(1, 8):
        category, code = ("laboratory", "2339-0") if day % 2 == 0 else ("vital-signs", HEART_RATE)
        ehr.create(observation(made["id"], code, at=f"2026-02-0{day}", category=category))
    return made


def categories(resources: list[Json]) -> list[str]:
    return [one["category"][0]["coding"][0]["code"] for one in resources]


@pytest.mark.parametrize("query", ["", "&_sort=date", "&_sort=code,date", "&code:not=nothing"])
def test_a_granular_scope_narrows_search_totals_and_pages(ehr: Caller, mixed: Json, query: str) -> None:
    """52: only the matching part, in entries, totals and pages, which are full."""
    caller = ehr.narrowed(f"system/Observation.rs?{VITAL_SIGNS}")
    pages = caller.pages(f"Observation?patient={mixed['id']}&_count=2&_total=accurate{query}")
    assert [len(ids(page)) for page in pages] == [2, 2]
    assert [page["total"] for page in pages] == [4, 4]
    assert {one for page in pages for one in categories(resources(page))} == {"vital-signs"}
    assert caller.search(f"Observation?patient={mixed['id']}&_summary=count")["total"] == 4
    assert caller.search(f"Observation?patient={mixed['id']}&category=laboratory&_summary=count")["total"] == 0


def test_a_granular_scope_narrows_read(ehr: Caller, mixed: Json) -> None:
    """52, law 3: what lies outside does not exist for this token."""
    caller = ehr.narrowed(f"system/Observation.rs?{VITAL_SIGNS}")
    for one in resources(ehr.search(f"Observation?patient={mixed['id']}")):
        inside = categories([one]) == ["vital-signs"]
        for path in (f"Observation/{one['id']}", f"Observation/{one['id']}/_history/1", f"Observation/{one['id']}/_history/9"):
            answer = caller.get(path)
            assert answer.status_code == (200 if inside and not path.endswith("/_history/9") else 404)
            if not inside:
                assert answer.content == caller.get(path.replace(one["id"], ABSENT)).content


def test_a_granular_scope_narrows_what_may_be_created(ehr: Caller) -> None:
    """Scopes v2: c with a query covers only what matches it."""
    made = ehr.create(patient())
    caller = ehr.narrowed(f"system/Observation.c?{VITAL_SIGNS}")
    assert caller.post("Observation", observation(made["id"])).status_code == 201
    refused(caller.post("Observation", observation(made["id"], category="laboratory")), 403, "forbidden")


def test_a_granular_scope_narrows_what_may_be_updated_before_and_after(ehr: Caller) -> None:
    """Scopes v2: neither out of the scope into it, nor from inside out of it."""
    made = ehr.create(patient())
    vital, laboratory = (ehr.create(observation(made["id"], category=category)) for category in ("vital-signs", "laboratory"))
    caller = ehr.narrowed(f"system/Observation.u?{VITAL_SIGNS}")
    assert caller.put(f"Observation/{vital['id']}", vital).status_code == 200
    refused(caller.put(f"Observation/{vital['id']}", {**vital, "category": laboratory["category"]}), 403, "forbidden")
    refused(caller.put(f"Observation/{laboratory['id']}", {**laboratory, "category": vital["category"]}), 404, "not-found")


def test_several_granular_scopes_add_up_and_each_holds_for_its_own_letters(ehr: Caller, mixed: Json) -> None:
    """Scopes v2: the union of the scopes; a query binds the letters it stands with."""
    caller = ehr.narrowed(f"system/Observation.rs?code={LOINC}|2339-0 system/Observation.r?{VITAL_SIGNS}")
    assert categories(resources(caller.search(f"Observation?patient={mixed['id']}"))) == ["laboratory"] * 3
    for id in ehr.found(f"Observation?patient={mixed['id']}"):
        assert caller.get(f"Observation/{id}").status_code == 200


def test_several_parameters_of_one_scope_must_all_hold(ehr: Caller, mixed: Json) -> None:
    caller = ehr.narrowed(f"system/Observation.rs?{VITAL_SIGNS}&date=ge2026-02-05")
    assert len(caller.found(f"Observation?patient={mixed['id']}")) == 2


def test_a_scope_by_status_follows_the_current_version(ehr: Caller) -> None:
    """SECURITY 2.4 (65): an older version does not show what the current one takes out of the scope."""
    person = ehr.create(patient())
    made = ehr.create(observation(person["id"], status="preliminary"))
    caller = ehr.narrowed("system/Observation.r?status=preliminary")
    assert caller.get(f"Observation/{made['id']}/_history/1").status_code == 200
    ehr.update(made, status="final")
    refused(caller.get(f"Observation/{made['id']}"), 404, "not-found")
    refused(caller.get(f"Observation/{made['id']}/_history/1"), 404, "not-found")
    refused(caller.get(f"Observation/{made['id']}/_history/2"), 404, "not-found")


def test_a_granular_scope_over_patients(ehr: Caller) -> None:
    """Scopes v2: any search parameter of the type, strings and dates too."""
    old, young = (ehr.create(patient("Zqportee", birthDate=date)) for date in ("1940-01-01", "1990-01-01"))
    caller = ehr.narrowed("system/Patient.rs?birthdate=lt1950")
    assert caller.found("Patient?name=Zqportee") == [old["id"]]
    assert caller.search("Patient?name=Zqportee&_summary=count")["total"] == 1
    assert caller.get(f"Patient/{old['id']}").status_code == 200
    refused(caller.get(f"Patient/{young['id']}"), 404, "not-found")


def test_a_scope_over_the_log_can_be_granular_too(auditor: Caller, ehr: Caller) -> None:
    ehr.get(f"Observation/{ABSENT}")
    caller = auditor.narrowed("system/AuditEvent.rs?outcome=4")
    found = resources(caller.search("AuditEvent?_count=50"))
    assert found
    assert {one["outcome"] for one in found} == {"4"}
    done = resources(auditor.search("AuditEvent?outcome=0&_count=1"))[0]
    refused(caller.get(f"AuditEvent/{done['id']}"), 404, "not-found")


def test_a_client_cannot_ask_for_more_than_its_registration(another: Callable[..., Caller], ehr: Caller, mixed: Json) -> None:
    """RFC 6749 3.3: what is registered with a query comes back with that query."""
    client = another(f"system/Observation.rs?{VITAL_SIGNS}", organization=ehr.account.organization, consent_default="opt-out")
    narrowed = client.narrowed("system/Observation.rs")
    assert narrowed.ask_token().json()["scope"] == f"system/Observation.rs?{VITAL_SIGNS}"
    assert narrowed.search(f"Observation?patient={mixed['id']}&category=laboratory&_summary=count")["total"] == 0
