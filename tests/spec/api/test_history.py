"""FHIR history of an instance, a type and the system. https://hl7.org/fhir/R4/http.html#history; FHIR.md 4b.7."""

import time
from typing import Any

import pytest

from fhir_profiles import r4
from tests.support.backstage import Backstage
from tests.support.caller import Caller, link
from tests.support.outcomes import refused
from tests.support.payloads import identifier_system, weight
from tests.support.resources import ABSENT, HEART_RATE, LOINC, STEPS, actor, concept, consent, observation, organization, patient

Json = dict[str, Any]
Made = tuple[str, str]
"""Id and version id."""


def history(caller: Caller, path: str) -> Json:
    answer = caller.get(path)
    assert answer.status_code == 200, answer.text
    bundle: Json = answer.json()
    return bundle


def entries(bundle: Json) -> list[Json]:
    found: list[Json] = bundle.get("entry", [])
    return found


def told(bundle: Json) -> list[Made]:
    """Ids and versions, deletions included."""
    return [(one["fullUrl"].rsplit("/", 1)[1], one["response"]["etag"].removeprefix('W/"').removesuffix('"')) for one in entries(bundle)]


def of(resource: Json, bundle: Json) -> list[str]:
    """The versions of one resource among all."""
    return [version for id, version in told(bundle) if id == resource["id"]]


def walk(caller: Caller, path: str, relation: str = "next") -> list[Json]:
    made = [history(caller, path)]
    while (following := link(made[-1], relation)) is not None:
        made.append(history(caller, following))
    return made


def name_of(resource: Json) -> str:
    return f"{resource['resourceType']}/{resource['id']}"


def delete(caller: Caller, resource: Json) -> None:
    assert caller.request("DELETE", name_of(resource)).status_code == 204


@pytest.fixture
def person(ehr: Caller) -> Json:
    return ehr.create(patient())


@pytest.fixture
def reading(ehr: Caller, person: Json) -> Json:
    return ehr.create(observation(person["id"]))


@pytest.fixture
def versions(ehr: Caller) -> list[Json]:
    """Three versions of one resource, then its deletion."""
    made = [ehr.create(organization("0"))]
    for name in ("1", "2"):
        made.append(ehr.update(made[-1], name=name))
    delete(ehr, made[-1])
    return made


def test_every_version_is_there_newest_first_with_the_deletion(ehr: Caller, versions: list[Json]) -> None:
    """http.html#history: sorted with the latest version first; a deletion has no resource, and DELETE as its method."""
    bundle = history(ehr, f"{name_of(versions[0])}/_history")
    assert (bundle["resourceType"], bundle["type"], bundle["total"]) == ("Bundle", "history", 4)
    assert told(bundle) == [(versions[0]["id"], str(number)) for number in (4, 3, 2, 1)]
    assert [one.get("resource") for one in entries(bundle)] == [None, *reversed(versions)]
    assert r4.check(bundle) == ()


def test_each_entry_says_how_the_version_came_to_be(ehr: Caller, versions: list[Json]) -> None:
    """bundle.html, bdl-3 and bdl-4: request and response in every entry; fullUrl is that of the resource, not of a version."""
    name = name_of(versions[0])
    found = entries(history(ehr, f"{name}/_history"))
    assert [(one["request"]["method"], one["request"]["url"]) for one in found] == [
        ("DELETE", name),
        ("PUT", name),
        ("PUT", name),
        ("POST", "Organization"),
    ]
    assert [one["response"]["status"] for one in found] == ["204", "200", "200", "201"]
    assert {one["fullUrl"] for one in found} == {f"{ehr.base}/{name}"}
    assert [one["response"]["lastModified"] for one in found[1:]] == [one["meta"]["lastUpdated"] for one in reversed(versions)]


def test_an_importers_resource_came_by_put(importer: Caller) -> None:
    """http.html#upsert"""
    importer.put("Organization/brought-h", organization(id="brought-h"))
    (entry,) = entries(history(importer, "Organization/brought-h/_history"))
    assert (entry["request"], entry["response"]["status"]) == ({"method": "PUT", "url": "Organization/brought-h"}, "201")


@pytest.mark.parametrize("path", ["{name}/_history", "Organization/_history?_since={since}", "_history?_since={since}"])
@pytest.mark.parametrize("sort", ["-_lastUpdated", "_lastUpdated"])
def test_pages_go_forwards_and_back_without_gaps_or_doubles(ehr: Caller, versions: list[Json], path: str, sort: str) -> None:
    """http.html#paging; FHIR.md 4b.7."""
    asked = path.format(name=name_of(versions[0]), since=versions[0]["meta"]["lastUpdated"])
    separator = "&" if "?" in asked else "?"
    whole = told(history(ehr, f"{asked}{separator}_count=1000&_sort={sort}"))
    assert len(whole) >= 4
    pages = walk(ehr, f"{asked}{separator}_count=2&_sort={sort}")
    forwards = [one for page in pages for one in told(page)]
    assert [one for one in forwards if one[0] == versions[0]["id"]] == [one for one in whole if one[0] == versions[0]["id"]]
    assert len(forwards) == len(set(forwards))
    back = walk(ehr, link(pages[-1], "previous") or "", "previous")
    assert [one for page in reversed(back) for one in told(page)] == [one for page in pages[:-1] for one in told(page)]
    assert told(history(ehr, link(pages[-1], "first") or "")) == told(pages[0])
    assert link(pages[0], "previous") is None


def test_pages_stay_as_they_are_while_others_write(ehr: Caller, versions: list[Json]) -> None:
    """A version that is replaced moves to the past; the next page neither shows it twice nor leaves one out."""
    made = ehr.create(organization("a"))
    for name in "bcde":
        made = ehr.update(made, name=name)
    first = history(ehr, f"{name_of(made)}/_history?_count=2")
    ehr.update(made, name="f")
    rest = walk(ehr, link(first, "next") or "")
    assert [version for page in (first, *rest) for _, version in told(page)] == ["5", "4", "3", "2", "1"]


def test_since_leaves_out_what_is_older(ehr: Caller) -> None:
    """http.html#history: versions created at or after the instant, to the millisecond."""
    made = [ehr.create(organization("0"))]
    for name in ("1", "2"):
        time.sleep(0.002)  # another millisecond
        made.append(ehr.update(made[-1], name=name))
    for index, one in enumerate(made):
        bundle = history(ehr, f"{name_of(made[0])}/_history?_since={one['meta']['lastUpdated']}")
        assert [version for _, version in told(bundle)] == ["3", "2", "1"][: 3 - index]
        assert bundle["total"] == 3 - index


def test_at_shows_what_was_current_then(ehr: Caller) -> None:
    """http.html#history: versions that were current at some point during the time; a moment has one."""
    made = [ehr.create(organization("0"))]
    for name in ("1", "2"):
        time.sleep(0.002)  # another millisecond
        made.append(ehr.update(made[-1], name=name))
    for index, one in enumerate(made):
        for path in (f"{name_of(made[0])}/_history", "Organization/_history"):
            found = told(history(ehr, f"{path}?_at={one['meta']['lastUpdated']}&_count=1000"))
            assert [version for id, version in found if id == made[0]["id"]] == [str(index + 1)]
    assert told(history(ehr, f"{name_of(made[0])}/_history?_at=2020")) == []
    assert len(told(history(ehr, f"{name_of(made[0])}/_history?_at={made[0]['meta']['lastUpdated'][:4]}"))) == 3


@pytest.mark.parametrize(
    "query", ["_since=never", "_at=2026-13", "_count=-1", "_sort=date", "_total=some", "_since=2026&_since=2025", "_page=x&_count=1"]
)
@pytest.mark.parametrize("path", ["Organization/{id}/_history", "Organization/_history", "_history"])
def test_what_cannot_be_read_is_refused(ehr: Caller, path: str, query: str) -> None:
    made = ehr.create(organization())
    refused(ehr.get(f"{path.format(id=made['id'])}?{query}"), 400, "invalid", expression=f"http.{query.partition('=')[0]}")


def test_what_is_not_offered_is_refused_or_left_out_as_the_client_prefers(ehr: Caller, versions: list[Json]) -> None:
    """search.html#errors, http.html#history: _list is no guess of ours. A name is repeated as in searches, a value never."""
    path = f"{name_of(versions[0])}/_history"
    refused(ehr.get(f"{path}?_list=42"), 400, "not-supported", expression="http._list")
    refused(ehr.get(f"{path}?name=Durand"), 400, "not-supported", expression="http.name")
    assert "Durand" not in ehr.get(f"{path}?name=Durand").text
    assert "1980" not in ehr.get(f"{path}?born-1980=x").text
    assert "1980" not in ehr.get(f"{path}?born-1980=x", headers={"Prefer": "handling=lenient"}).text.replace("self", "")
    lenient = ehr.get(f"{path}?name=Durand", headers={"Prefer": "handling=lenient"}).json()
    assert [one["response"].get("outcome", {}).get("resourceType") for one in entries(lenient)][-1] == "OperationOutcome"
    assert r4.check(lenient) == ()


def test_count_zero_is_the_total_alone(ehr: Caller, versions: list[Json]) -> None:
    bundle = history(ehr, f"{name_of(versions[0])}/_history?_count=0")
    assert (bundle["total"], entries(bundle)) == (4, [])


def test_a_total_over_a_type_is_counted_for_whom_asks(ehr: Caller, versions: list[Json]) -> None:
    """As for searches: exact for this caller, and only on request."""
    path = f"Organization/_history?_since={versions[0]['meta']['lastUpdated']}"
    assert "total" not in history(ehr, path)
    whole = walk(ehr, f"{path}&_count=1000")
    assert history(ehr, f"{path}&_total=accurate&_count=1")["total"] >= sum(len(entries(page)) for page in whole)


def test_a_type_has_its_own_versions_only_and_the_system_those_of_all(ehr: Caller, person: Json, reading: Json) -> None:
    since = person["meta"]["lastUpdated"]
    of_type = told(history(ehr, f"Observation/_history?_since={since}&_count=1000"))
    of_system = told(history(ehr, f"_history?_since={since}&_count=1000"))
    assert (reading["id"], "1") in of_type
    assert (person["id"], "1") not in of_type
    assert {(reading["id"], "1"), (person["id"], "1")} <= set(of_system)


@pytest.mark.parametrize("path", [f"Organization/{ABSENT}/_history", "Nonsense/_history", f"Nonsense/{ABSENT}/_history"])
def test_what_is_not_there_has_no_history(ehr: Caller, path: str) -> None:
    """FHIR.md 4b.7: 404 for a resource, or a type, that is not known."""
    refused(ehr.get(path), 404, "not-found")


def test_the_history_of_an_empty_answer_is_an_empty_bundle(ehr: Caller) -> None:
    bundle = history(ehr, "Organization/_history?_since=2126")
    assert entries(bundle) == []
    assert r4.check(bundle) == ()


def test_the_log_has_no_past(auditor: Caller) -> None:
    """An AuditEvent is written once: its history is itself, that of the type is a search."""
    event = auditor.search("AuditEvent?_count=1")["entry"][0]["resource"]
    assert told(history(auditor, f"AuditEvent/{event['id']}/_history")) == [(event["id"], "1")]
    refused(auditor.get("AuditEvent/_history"), 400, "not-supported")


def test_late_values_of_a_reading_are_in_its_history(ehr: Caller, person: Json, backstage: Backstage) -> None:
    """DESIGN 7: a value that came too late to be current goes straight to the history; it was current at no time."""
    backstage.pair(identifier_system("withings"), person["id"], name_of(person), from_us=0)
    (first,) = ehr.fates("withings", weight(71_000, modified=1_760_000_000), device=person["id"])
    assert ehr.fates("withings", weight(72_000, modified=1_759_000_000), device=person["id"])[0]["code"] == "superseded"
    bundle = history(ehr, f"{first['resource']}/_history")
    assert [one["resource"]["valueQuantity"]["value"] for one in entries(bundle)] == [71, 72, 71]
    late = entries(bundle)[1]["resource"]["meta"]["lastUpdated"]
    assert [version for _, version in told(history(ehr, f"{first['resource']}/_history?_at={late}"))] in (["3"], ["3", "1"])


# Who may see what


def test_scopes_decide_which_history_there_is(ehr: Caller, reading: Json) -> None:
    """SMART App Launch 2.2: r is read, vread and the history of an instance; s is search and the history of a type."""
    read, search = ehr.narrowed("system/Observation.r"), ehr.narrowed("system/Observation.s")
    assert told(history(read, f"{name_of(reading)}/_history")) == [(reading["id"], "1")]
    for path in ("Observation/_history", "_history"):
        refused(read.get(path), 403, "forbidden")
        assert (reading["id"], "1") in told(history(search, f"{path}?_since={reading['meta']['lastUpdated']}"))
    refused(search.get(f"{name_of(reading)}/_history"), 403, "forbidden")


@pytest.mark.parametrize("scope", [f"system/Observation.rs?code={LOINC}|{STEPS}", "system/Observation.rs?_id={id}"])
def test_a_granular_scope_decides_about_each_version(ehr: Caller, person: Json, reading: Json, scope: str) -> None:
    """What the scope does not cover is not there; the newest version must be covered too."""
    covered = ehr.create(observation(person["id"], STEPS))
    changed = ehr.update(ehr.create(observation(person["id"], HEART_RATE)), code=concept(LOINC, STEPS))
    caller = ehr.narrowed(scope.format(id=covered["id"]))
    found = told(history(caller, f"Observation/_history?_since={person['meta']['lastUpdated']}&_count=1000"))
    expected = {(covered["id"], "1")} | ({(changed["id"], "2")} if "code" in scope else set())
    assert set(found) == expected
    refused(caller.get(f"{name_of(reading)}/_history"), 404, "not-found")


def test_who_may_not_see_the_newest_version_sees_none(ehr: Caller, stranger: Caller, person: Json) -> None:
    """Law 3: an older version never shows what a newer one hides; instance, type and system alike."""
    permit = {"actor": [actor(stranger.account.organization)], "code": [concept(LOINC, HEART_RATE)]}
    ehr.create(consent(person["id"], provision=permit))
    since = person["meta"]["lastUpdated"]
    first = ehr.create(observation(person["id"], HEART_RATE))
    for path in (f"{name_of(first)}/_history", f"Observation/_history?_since={since}", f"_history?_since={since}"):
        assert of(first, history(stranger, path)) == ["1"]
    ehr.update(first, code=concept(LOINC, STEPS))
    refused(stranger.get(f"{name_of(first)}/_history"), 404, "not-found")
    for path in (f"Observation/_history?_since={since}&_total=accurate", f"_history?_since={since}&_total=accurate"):
        bundle = history(stranger, path)
        assert of(first, bundle) == []
        assert bundle["total"] == len(entries(bundle))
    again = ehr.update(first, code=concept(LOINC, HEART_RATE))
    assert [version for _, version in told(history(stranger, f"{name_of(first)}/_history"))] == ["3", "1"]
    delete(ehr, again)
    for path in (f"{name_of(first)}/_history", f"Observation/_history?_since={since}", f"_history?_since={since}"):
        assert of(first, history(stranger, path)) == ["4", "3", "1"]


def test_a_withdrawn_consent_ends_the_next_page(ehr: Caller, stranger: Caller, person: Json) -> None:
    """Law 1: a link is no permission; every page is decided anew."""
    agreed = ehr.create(consent(person["id"], provision={"actor": [actor(stranger.account.organization)]}))
    readings = [ehr.create(observation(person["id"])) for _ in range(3)]
    first = history(stranger, f"Observation/_history?_since={person['meta']['lastUpdated']}&_count=1")
    assert told(first) == [(readings[-1]["id"], "1")]
    following = link(first, "next") or ""
    assert told(history(stranger, following)) == [(readings[-2]["id"], "1")]
    ehr.update(agreed, status="inactive")
    assert told(history(stranger, following)) == []


def test_a_page_link_is_for_its_caller_and_its_history(ehr: Caller, reader: Caller, versions: list[Json]) -> None:
    """FHIR.md: opaque, bound to the caller; a link of somebody else's does not exist."""
    following = link(history(ehr, f"{name_of(versions[0])}/_history?_count=1"), "next") or ""
    refused(reader.get(following), 404, "not-found")
    refused(ehr.get(f"Organization/_history?{following.partition('?')[2]}"), 404, "not-found")
    assert versions[0]["id"] not in following.partition("?")[2]


def test_every_version_that_is_shown_is_recorded(ehr: Caller, person: Json, backstage: Backstage) -> None:
    """Law 2: what was returned, under the patient whom it concerns."""
    made = ehr.update(ehr.create(observation(person["id"])), status="amended")
    delete(ehr, made)
    kinds = {"history-instance": f"{name_of(made)}/_history", "history-type": f"Observation/_history?_since={made['meta']['lastUpdated']}"}
    for kind, path in kinds.items():
        records = backstage.records(ehr.get(path).headers["x-request-id"])
        assert {(one.kind, one.outcome) for one in records} == {(kind, "0")}
        (of_patient,) = [one for one in records if one.patient == backstage.patient_token(person["id"])]
        shown = {entity["what"]["reference"] for entity in of_patient.event["entity"] if "reference" in entity.get("what", {})}
        expected = {f"{name_of(made)}/_history/{number}" for number in ((1, 2, 3) if kind == "history-instance" else (2, 3))}
        assert expected <= shown


def test_a_hidden_history_is_answered_as_an_absent_one(ehr: Caller, stranger: Caller, reading: Json) -> None:
    """Law 3: before and after the deletion."""
    absent = stranger.get(f"Observation/{ABSENT}/_history")
    for _ in range(2):
        hidden = stranger.get(f"{name_of(reading)}/_history")
        assert (hidden.status_code, hidden.content) == (absent.status_code, absent.content) == (404, absent.content)
        ehr.request("DELETE", name_of(reading))


def test_what_brings_back_a_deleted_resource_has_created_it(ehr: Caller, versions: list[Json]) -> None:
    """http.html#history, #update: the answer to that PUT was 201, and so says its entry; the ones after it say 200 again."""
    path = name_of(versions[-1])
    assert ehr.put(path, {**versions[-1], "name": "back"}).status_code == 201
    assert ehr.put(path, {**versions[-1], "name": "changed"}).status_code == 200
    for found in (history(ehr, f"{path}/_history"), history(ehr, f"Organization/_history?_count={5}")):
        entries = [one for one in found["entry"] if one["fullUrl"].endswith(path)][:5]
        assert [one["response"]["status"] for one in entries] == ["200", "201", "204", "200", "200"]
        assert [one["request"]["method"] for one in entries] == ["PUT", "PUT", "DELETE", "PUT", "PUT"]
    delete(ehr, versions[-1])
    (last, *_) = history(ehr, f"{path}/_history")["entry"]
    assert last["response"]["status"] == "204"
