"""Patient/$measures over HTTP: one feed in three shapes, each held against its published rules.

docs/shapes.md; DEVICES 1.2 (HL7 PHD), 1.6 (gematik HDDT), 1.7 (ANS Mesures de santé); laws 1, 2 and 3.
"""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from fhir_profiles import r4
from fhir_profiles.profiles import check
from tests.spec.shapes import naive
from tests.support.backstage import Backstage
from tests.support.caller import Caller, link, resources
from tests.support.outcomes import issues
from tests.support.resources import ABSENT, HEART_RATE, LOINC, WEIGHT, concept, consent, device, observation, patient

Json = dict[str, Any]
MDC = "urn:iso:std:iso:11073:10101"
INS = {"system": "urn:oid:1.2.250.1.213.1.4.10", "value": "279035121518989"}
OID = "urn:oid:1.2.250.1.99999.7"
SYSID = {"system": "urn:oid:1.2.840.10004.1.1.1.0.0.1.0.0.1.2680", "value": "74e8fffeff051c00"}
START = datetime(2026, 3, 1, 22, tzinfo=UTC)


def both(loinc: str, mdc: str) -> Json:
    return {"coding": [*concept(LOINC, loinc)["coding"], *concept(MDC, mdc)["coding"]]}


@pytest.fixture(scope="module")
def feed(ehr: Caller) -> Json:
    """A scale and a sensor for glucose: a weight, a heart rate, a body mass index, a diary entry, and 30 glucose values every 5 minutes."""
    person = ehr.create(patient("Formes", identifier=[INS]))
    of = person["id"]
    scale = ehr.create(device("Balance", identifier=[SYSID], manufacturer="Exemple", modelNumber="B1"))
    sensor = ehr.create(device("Capteur", identifier=[{"system": "http://example.org/sensors", "value": "S 1"}], manufacturer="Exemple"))
    on_scale, on_sensor = ({"device": {"reference": f"Device/{one['id']}"}} for one in (scale, sensor))
    ehr.create({**observation(of, WEIGHT, 74.5, at="2026-03-01T07:00:00+01:00"), "code": both(WEIGHT, "188736"), **on_scale})
    ehr.create(observation(of, HEART_RATE, 71, at="2026-03-01T07:00:30+01:00", **on_scale))
    ehr.create(observation(of, "39156-5", 23, at="2026-03-01T07:00:31+01:00", unit="kg/m2", **on_scale))
    ehr.create(observation(of, HEART_RATE, 80, at="2026-03-01T08:00:00+01:00"))
    for index in range(30):
        at = (START + timedelta(minutes=5 * index)).isoformat()
        made = observation(of, "99504-3", 100 + index, at=at, unit="mg/dL", category="laboratory")
        ehr.create({**made, "code": both("99504-3", "160212"), **on_sensor})
    return {"patient": person, "scale": scale, "sensor": sensor}


def ask(caller: Caller, feed: Json, query: str) -> Json:
    answer = caller.get(f"Patient/{feed['patient']['id']}/$measures?{query}")
    assert answer.status_code == 200, answer.text
    bundle: Json = answer.json()
    assert r4.check(bundle) == ()
    for one in bundle.get("entry", ()):
        assert r4.check(one["resource"]) == check(one["resource"]) == ()
    return bundle


def entries(bundle: Json, mode: str) -> list[Json]:
    return [one for one in bundle.get("entry", ()) if one["search"]["mode"] == mode]


def told(bundle: Json) -> list[str]:
    return [issue["diagnostics"] for one in entries(bundle, "outcome") for issue in one["resource"]["issue"]]


def test_the_feed_as_a_personal_health_gateway_would_upload_it(ehr: Caller, feed: Json) -> None:
    bundle = ask(ehr, feed, "shape=phd&_count=100")
    along = {one["fullUrl"]: one["resource"] for one in entries(bundle, "include")}
    found = [one["resource"] for one in entries(bundle, "match")]
    assert [fault for one in found for fault in naive.phd_observation(one, along)] == []
    assert [fault for one in along.values() for fault in naive.phd_device(one)] == []
    assert [one["valueQuantity"]["value"] for one in found] == [74.5, *range(100, 130)]
    scale = next(one for one in along.values() if one.get("modelNumber") == "B1")
    assert scale["identifier"][0]["value"] == "74-E8-FF-FE-FF-05-1C-00"
    assert found[0]["identifier"][0]["value"] == f"74E8FFFEFF051C00-{feed['patient']['id']}-188736-825663600+4"
    assert len([text for text in told(bundle) if "MDC" in text or "no device" in text]) == 2


def test_the_feed_as_transactions_for_mon_espace_sante(ehr: Caller, feed: Json) -> None:
    bundle = ask(ehr, feed, f"shape=ans&source={OID}&_count=100")
    found = [one["resource"] for one in entries(bundle, "match")]
    assert [fault for one in found for fault in naive.ans_bundle(one, OID)] == []
    observations = [one["entry"][1]["resource"] for one in found]
    assert [one["valueQuantity"]["value"] for one in observations] == [74.5, 71, *range(100, 130)]
    assert {one["subject"]["identifier"]["value"] for one in observations} == {INS["value"]}
    assert sorted("body mass index" in text or "no device" in text for text in told(bundle)) == [True, True]


def test_the_feed_as_chunks_for_german_applications(ehr: Caller, feed: Json) -> None:
    bundle = ask(ehr, feed, "shape=hddt&chunkHours=1")
    along = {one["fullUrl"]: one["resource"] for one in entries(bundle, "include")}
    found = [one["resource"] for one in entries(bundle, "match")]
    assert [fault for one in found for fault in naive.hddt_observation(one, along)] == []
    assert [fault for one in along.values() for fault in naive.hddt_along(one)] == []
    assert [one["effectivePeriod"]["start"][8:13] for one in found] == ["01T22", "01T23", "02T00"]
    assert [one["status"] for one in found] == ["final", "final", "preliminary"]
    assert found[0]["valueSampledData"]["data"] == " ".join(str(one) for one in range(100, 112))
    assert found[0]["valueSampledData"]["period"] == 300_000
    assert feed["patient"]["id"] not in str(found)
    assert INS["value"] not in str(bundle)


def test_the_pseudonym_is_one_for_each_client_and_the_same_each_time(ehr: Caller, reader: Caller, feed: Json) -> None:
    """HDDT, Security and Privacy: specific to the combination of application and recorder."""

    def pseudonyms(caller: Caller) -> set[str]:
        return {one["resource"]["subject"]["identifier"]["value"] for one in entries(ask(caller, feed, "shape=hddt"), "match")}

    assert len(pseudonyms(ehr)) == 1
    assert pseudonyms(ehr) == pseudonyms(ehr)
    assert pseudonyms(reader) != pseudonyms(ehr)


@pytest.mark.parametrize("query", ["shape=phd&_count=4", f"shape=ans&source={OID}&_count=3", "shape=hddt&chunkHours=1&_count=20"])
def test_pages_together_are_the_whole(ehr: Caller, feed: Json, query: str) -> None:
    """Whatever is named or shaped comes once; a chunk never lies on two pages."""
    size = query.rindex("&")
    whole = ask(ehr, feed, query[:size])
    found, next_url = [], f"{ehr.base}/Patient/{feed['patient']['id']}/$measures?{query}"
    while next_url:
        page = ehr.get(next_url).json()
        found += entries(page, "match")
        next_url = link(page, "next")
    assert [(one["fullUrl"], one["resource"]) for one in found] == [(one["fullUrl"], one["resource"]) for one in entries(whole, "match")]


def test_time_and_code_narrow_what_is_shaped(ehr: Caller, feed: Json) -> None:
    bundle = ask(ehr, feed, "shape=phd&code=http://loinc.org|99504-3&start=2026-03-01T22:10:00Z&end=2026-03-01T22:20:00Z")
    assert [one["resource"]["valueQuantity"]["value"] for one in entries(bundle, "match")] == [102, 103, 104]
    chunk = ask(ehr, feed, "shape=hddt&chunkHours=1&start=2026-03-01T22:10:00Z&end=2026-03-01T22:20:00Z")
    (only,) = entries(chunk, "match")
    assert only["resource"]["status"] == "preliminary", "the whole chunk is not there"
    assert only["resource"]["valueSampledData"]["data"] == "100 101 102 103 104"


def test_parameters_may_come_in_a_resource(ehr: Caller, feed: Json) -> None:
    """operations.html#request"""
    parameters = {
        "resourceType": "Parameters",
        "parameter": [{"name": "shape", "valueCode": "hddt"}, {"name": "chunkHours", "valueInteger": 1}],
    }
    answer = ehr.post(f"Patient/{feed['patient']['id']}/$measures", parameters)
    assert len(entries(answer.json(), "match")) == 3
    assert link(answer.json(), "self").endswith("$measures?shape=hddt&chunkHours=1")


@pytest.mark.parametrize(
    ("query", "code", "name"),
    [
        ("", "required", "shape"),
        ("shape=openehr", "invalid", "shape"),
        ("shape=ans", "required", "source"),
        ("shape=ans&source=1.2.3", "invalid", "source"),
        ("shape=phd&source=urn:oid:1.2.3", "not-supported", "source"),
        ("shape=phd&chunkHours=1", "not-supported", "chunkHours"),
        ("shape=hddt&chunkHours=5", "invalid", "chunkHours"),
        ("shape=phd&start=yesterday", "invalid", "start"),
        ("shape=phd&_count=0", "invalid", "_count"),
        ("shape=phd&colour=red", "not-supported", "colour"),
        ("shape=phd&code=" + ",".join(f"1-{one}" for one in range(21)), "invalid", "code"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_its_place(ehr: Caller, feed: Json, query: str, code: str, name: str) -> None:
    answer = ehr.get(f"Patient/{feed['patient']['id']}/$measures?{query}")
    assert answer.status_code == 400
    assert [(one["code"], one["expression"]) for one in issues(answer)] == [(code, [f"Parameters.parameter.where(name='{name}')"])]


def test_a_patient_who_is_hidden_is_answered_as_one_who_is_absent(stranger: Caller, feed: Json) -> None:
    """Law 3."""

    def answered(id: str) -> httpx.Response:
        return stranger.get(f"Patient/{id}/$measures?shape=phd")

    hidden, absent = answered(feed["patient"]["id"]), answered(ABSENT)
    assert hidden.status_code == absent.status_code == 404
    assert hidden.content == absent.content


def test_consent_takes_away_what_it_denies_and_nobody_is_told(ehr: Caller, reader: Caller) -> None:
    """Law 1: the permission is inside the search; law 3: what is hidden is not named among what has no place either."""
    person = ehr.create(patient("Refus"))
    scale = ehr.create(device("Balance", identifier=[SYSID], manufacturer="Exemple", modelNumber="B1"))
    for code, mdc, unit in ((WEIGHT, "188736", "kg"), (HEART_RATE, "149546", "/min")):
        made = {**observation(person["id"], code, 70, unit=unit), "code": both(code, mdc)}
        ehr.create({**made, "device": {"reference": f"Device/{scale['id']}"}})
    feed = {"patient": person}
    assert len(entries(ask(ehr, feed, "shape=phd"), "match")) == 2
    ehr.create(consent(person["id"], "deny", provision={"code": [concept(LOINC, WEIGHT)]}))
    bundle = ask(ehr, feed, "shape=phd")
    assert [naive.codes(one["resource"]["code"], LOINC) for one in entries(bundle, "match")] == [{HEART_RATE}]
    assert told(bundle) == []


def test_each_observation_that_is_shaped_is_recorded(ehr: Caller, feed: Json, backstage: Backstage) -> None:
    """Law 2."""
    answer = ehr.get(f"Patient/{feed['patient']['id']}/$measures?shape=hddt&code=99504-3")
    records = backstage.records(answer.headers["x-request-id"])
    assert [(one.kind, one.patient) for one in records] == [
        ("operation", None),
        ("operation", backstage.patient_token(feed["patient"]["id"])),
    ]
    named = [entity.get("what", {}).get("reference", "").partition("/_history/")[0] for entity in records[0].event["entity"]]
    assert sum(one.startswith("Observation/") for one in named) == 30


def test_without_the_scope_for_devices_nothing_is_shaped_and_the_reason_is_told(ehr: Caller, feed: Json) -> None:
    narrow = ehr.narrowed("system/Patient.r system/Observation.rs")
    bundle = ask(narrow, feed, "shape=phd")
    assert entries(bundle, "match") == []
    assert any("no device that this caller may see" in one for one in told(bundle))


def test_a_scope_for_observations_is_needed(ehr: Caller, feed: Json) -> None:
    answer = ehr.narrowed("system/Patient.r").get(f"Patient/{feed['patient']['id']}/$measures?shape=phd")
    assert answer.status_code == 403


def test_the_operation_is_defined_where_the_statement_says(ehr: Caller, http: httpx.Client) -> None:
    """operations.html: a server that has an operation of its own publishes its definition."""
    statement = http.get("/fhir/metadata").json()
    (of_patient,) = [one for one in statement["rest"][0]["resource"] if one["type"] == "Patient"]
    (said,) = [one["definition"] for one in of_patient["operation"] if one["name"] == "measures"]
    (definition,) = resources(ehr.search(f"OperationDefinition?url={said}"))
    names = {one["name"] for one in definition["parameter"] if one["use"] == "in"}
    assert names == {"shape", "code", "category", "start", "end", "source", "chunkHours", "_count"}


def test_what_the_page_asks_is_answered(ehr: Caller, feed: Json) -> None:
    """docs/shapes.md, Asking."""
    page = (Path(__file__).resolve().parents[3] / "docs" / "shapes.md").read_text()
    asked = re.findall(r"^GET (/fhir/\S+)$", page, re.MULTILINE)
    assert len(asked) == 4
    for path in asked:
        answer = ehr.get(path.format(patient=feed["patient"]["id"]))
        assert (answer.status_code, answer.json()["type"]) == (200, "searchset"), path


@pytest.mark.parametrize("refers", ["DeviceMetric", "Device"])
def test_the_sensor_and_its_calibration_come_along(ehr: Caller, refers: str) -> None:
    """HDDT: the Observation leads to the DeviceMetric, whether it was stored so or the sensor is found by its device."""
    person = ehr.create(patient("Capteur"))
    unit = ehr.create(device("Capteur", identifier=[SYSID], manufacturer="Exemple", expirationDate="2026-03-15"))
    sensor = ehr.create(
        {
            "resourceType": "DeviceMetric",
            "type": concept(MDC, "160212"),
            "unit": concept("http://unitsofmeasure.org", "mmol/L"),
            "source": {"reference": f"Device/{unit['id']}"},
            "category": "measurement",
            "calibration": [{"state": "not-calibrated"}, {"state": "calibrated", "time": "2026-03-01T22:07:00Z"}],
        }
    )
    reference = f"{refers}/{sensor['id'] if refers == 'DeviceMetric' else unit['id']}"
    for minute in (0, 5, 10):
        at = (START + timedelta(minutes=minute)).isoformat()
        made = observation(person["id"], "99504-3", 100, at=at, unit="mg/dL", category="laboratory")
        ehr.create({**made, "code": both("99504-3", "160212"), "device": {"reference": reference}})
    bundle = ask(ehr, {"patient": person}, "shape=hddt&chunkHours=1")
    along = {one["fullUrl"]: one["resource"] for one in entries(bundle, "include")}
    sensors = [along[one["resource"]["device"]["reference"]] for one in entries(bundle, "match")]
    assert [one["calibration"][0]["state"] for one in sensors] == ["not-calibrated", "calibrated"]
    assert {along[one["source"]["reference"]]["expirationDate"] for one in sensors} == {"2026-03-15"}
    assert {along[one["source"]["reference"]]["status"] for one in sensors} == {"active"}, "its values have just come"
