"""fhirpy (Python), unchanged, synchronous and asynchronous, against a running hub. https://hl7.org/fhir/R4/http.html

A backend's token goes into `authorization`, as it documents. Its `count()` sends a parameter of another server; with
`Prefer: handling=lenient` the hub leaves it out of account, as R4 says.
"""

from typing import Any

import pytest
from fhirpy import AsyncFHIRClient, SyncFHIRClient
from fhirpy.base.exceptions import MultipleResourcesFound, OperationOutcome, ResourceNotFound

from tests.support.caller import Caller
from tests.support.resources import ABSENT, consent, observation, patient


@pytest.fixture
def client(ehr: Caller) -> SyncFHIRClient:
    return connected(SyncFHIRClient, ehr)


def connected(kind: Any, ehr: Caller, **headers: str) -> Any:
    return kind(ehr.base, authorization=f"Bearer {ehr.token}", extra_headers={"Prefer": "handling=lenient", **headers})


def person(client: SyncFHIRClient) -> Any:
    made = client.resource("Patient", **patient("Fhirpy"))
    made.save()
    client.resource("Consent", **consent(made.id)).save()
    return made


def transaction(family: str) -> dict[str, Any]:
    one = "urn:uuid:8f3c1f6e-3333-4000-8000-000000000001"
    return {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {"fullUrl": one, "resource": patient(family), "request": {"method": "POST", "url": "Patient"}},
            {
                "fullUrl": "urn:uuid:8f3c1f6e-3333-4000-8000-000000000002",
                "resource": {**observation(None), "subject": {"reference": one}},
                "request": {"method": "POST", "url": "Observation"},
            },
        ],
    }


def test_it_reads_the_capabilities(client: SyncFHIRClient) -> None:
    """http.html#capabilities"""
    assert client.execute("metadata", method="get")["fhirVersion"] == "4.0.1"


def test_it_creates_reads_updates_and_deletes(client: SyncFHIRClient) -> None:
    """http.html: create, read, update, vread, history, delete; afterwards its own exception for what is gone."""
    who = person(client)
    made = client.resource("Observation", **observation(who.id, value=71))
    made.save()
    read = client.reference("Observation", made.id).to_resource()
    assert read.serialize() == made.serialize()
    read["status"] = "amended"
    read.save()
    assert read["meta"]["versionId"] == "2"
    assert client.execute(f"Observation/{made.id}/_history/1", method="get")["status"] == "final"
    history = client.execute(f"Observation/{made.id}/_history", method="get")
    assert [entry["resource"]["meta"]["versionId"] for entry in history["entry"]] == ["2", "1"]
    made.delete()
    with pytest.raises(ResourceNotFound, match="deleted"):
        client.reference("Observation", made.id).to_resource()


def test_it_searches_by_pages_and_includes(client: SyncFHIRClient) -> None:
    """search.html: its own iterator follows the next links; a count; an include."""
    who = person(client)
    for value in range(70, 75):
        client.resource("Observation", **observation(who.id, value=value)).save()
    found = client.resources("Observation").search(patient=who.id, code="http://loinc.org|8867-4", date__ge="2026-01-01")
    assert len({one.id for one in found.limit(2)}) == 5
    assert found.count() == 5
    bundle = found.limit(1).include("Observation", "subject").fetch_raw()
    assert [entry["resource"]["resourceType"] for entry in bundle["entry"]] == ["Observation", "Patient"]


def test_it_sends_a_transaction_a_patch_and_conditions(client: SyncFHIRClient, ehr: Caller) -> None:
    """http.html#transaction, #patch (FHIRPath Patch), #ccreate, #cond-update, #3.1.0.7.1"""
    answered = client.execute("", data=transaction("FhirpyTx"))
    made = [entry["response"]["location"].split("/_history")[0].split("/")[-1] for entry in answered["entry"]]
    assert client.reference("Observation", made[1]).to_resource()["subject"]["reference"] == f"Patient/{made[0]}"

    part = [{"name": "type", "valueCode": "replace"}, {"name": "path", "valueString": "Observation.status"}]
    patch = {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": [*part, {"name": "value", "valueCode": "amended"}]}]}
    assert client.execute(f"Observation/{made[1]}", method="patch", data=patch)["status"] == "amended"

    identified = observation(made[0], identifier=[{"system": "urn:fhirpy", "value": made[1]}])
    careful = connected(SyncFHIRClient, ehr, **{"If-None-Exist": f"identifier=urn:fhirpy|{made[1]}"})
    first, second = (careful.execute("Observation", data=identified) for _ in range(2))
    assert first["id"] == second["id"]

    search = client.resources("Observation").search(identifier=f"urn:fhirpy|{made[1]}")
    updated, created = search.update(client.resource("Observation", **{**identified, "status": "amended"}))
    assert (updated.id, updated["status"], created) == (first["id"], "amended", False)
    search.delete()
    assert search.fetch_all() == []


def test_errors_are_its_own_exceptions(client: SyncFHIRClient, ehr: Caller) -> None:
    """http.html#Status-Codes"""
    with pytest.raises(ResourceNotFound):
        client.reference("Patient", ABSENT).to_resource()
    who = person(client)
    with pytest.raises(OperationOutcome) as invalid:
        client.execute("Observation", data={"resourceType": "Observation", "subject": {"reference": f"Patient/{who.id}"}})
    assert invalid.value.resource["issue"][0]["code"] == "required"
    made = client.resource("Observation", **observation(who.id))
    made.save()
    stale = connected(SyncFHIRClient, ehr, **{"If-Match": 'W/"7"'})
    with pytest.raises(MultipleResourcesFound):  # its name for every 412
        stale.execute(f"Observation/{made.id}", method="put", data=made.serialize())


async def test_the_asynchronous_one_does_the_same(ehr: Caller) -> None:
    """The same interactions, awaited."""
    client = connected(AsyncFHIRClient, ehr)
    who = client.resource("Patient", **patient("Async"))
    await who.save()
    await client.resource("Consent", **consent(who.id)).save()
    made = client.resource("Observation", **observation(who.id))
    await made.save()
    made["status"] = "amended"
    await made.save()
    assert made["meta"]["versionId"] == "2"
    for value in (72, 73):
        await client.resource("Observation", **observation(who.id, value=value)).save()
    assert len([one async for one in client.resources("Observation").search(patient=who.id).limit(2)]) == 3
    answered = await client.execute("", data=transaction("AsyncTx"))
    assert [entry["response"]["status"][:3] for entry in answered["entry"]] == ["201", "201"]
    await made.delete()
    with pytest.raises(ResourceNotFound):
        await client.reference("Observation", made.id).to_resource()
