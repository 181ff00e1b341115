"""fhirclient (SMART on FHIR, Python), unchanged, against a running hub, with a backend's assertion as its settings allow.

https://hl7.org/fhir/R4/http.html. What the library has no method for (vread, history, patch, transaction) goes through its server
object, as it documents for such cases.
"""

from typing import Any

import pytest
import requests
from fhirclient import client
from fhirclient.models.bundle import Bundle
from fhirclient.models.consent import Consent
from fhirclient.models.observation import Observation
from fhirclient.models.patient import Patient
from fhirclient.server import FHIRNotFoundException, FHIRServer

from tests.support.caller import Caller
from tests.support.resources import ABSENT, consent, observation, patient

JSON_PATCH = "application/json-patch+json"


@pytest.fixture
def server(ehr: Caller) -> FHIRServer:
    """Its own way to a token: `jwt_token` is the assertion of SMART Backend Services."""
    settings = {"app_id": ehr.account.id, "api_base": ehr.base, "scope": "system/*.cruds", "jwt_token": ehr.assertion()}
    smart = client.FHIRClient(settings=settings)
    smart.wants_patient = False
    assert not smart.prepare()
    smart.server.authorize()
    assert smart.ready
    server: FHIRServer = smart.server
    return server


def sent(server: FHIRServer, method: str, path: str, **more: Any) -> requests.Response:
    """A request through the session of the library, signed by it."""
    headers = server.auth.signed_headers(more.pop("headers", {}))
    answer: requests.Response = server.session.request(method, server.base_uri + path, headers=headers, **more)
    server.raise_for_status(answer)
    return answer


def person(server: FHIRServer) -> Any:
    made = Patient(Patient(patient("Fhirclient")).create(server))
    Consent(consent(made.id)).create(server)
    return made


def test_it_reads_the_capabilities_and_gets_a_token_by_itself(server: FHIRServer) -> None:
    """SMART App Launch 2.2: it finds the token endpoint in the CapabilityStatement."""
    assert server.capabilityStatement.fhirVersion == "4.0.1"


def test_it_creates_reads_updates_and_deletes(server: FHIRServer) -> None:
    """http.html: create, read, update, vread, history, delete; 410 afterwards."""
    who = person(server)
    made = Observation(Observation(observation(who.id, value=71)).create(server))
    assert (made.meta.versionId, made.valueQuantity.value) == ("1", 71)
    read = Observation.read(made.id, server)
    assert read.as_json() == made.as_json()
    read.status = "amended"
    assert Observation(read.update(server)).meta.versionId == "2"
    assert server.request_json(f"Observation/{made.id}/_history/1")["status"] == "final"
    history = Bundle(server.request_json(f"Observation/{made.id}/_history"))
    assert [entry.resource.meta.versionId for entry in history.entry] == ["2", "1"]
    Observation.read(made.id, server).delete()
    with pytest.raises(requests.HTTPError) as gone:
        Observation.read(made.id, server)
    assert gone.value.response.status_code == 410


def test_it_searches_by_pages_and_includes(server: FHIRServer) -> None:
    """search.html: its own iterator follows the next links; included resources come along."""
    who = person(server)
    ids = {Observation(Observation(observation(who.id, value=value)).create(server)).id for value in range(70, 75)}
    search = Observation.where({"patient": who.id, "code": "http://loinc.org|8867-4", "date": "ge2026-01-01", "_count": "2"})
    assert {one.id for one in search.perform_resources_iter(server)} == ids
    with_patient = Observation.where({"_id": min(ids)}).include("subject").perform_resources_iter(server)
    assert [one.resource_type for one in with_patient] == ["Observation", "Patient"]


def test_it_sends_a_transaction_a_patch_and_a_condition(server: FHIRServer) -> None:
    """http.html#transaction, #patch, #ccreate"""
    one, two = "urn:uuid:8f3c1f6e-2222-4000-8000-000000000001", "urn:uuid:8f3c1f6e-2222-4000-8000-000000000002"
    bundle = Bundle(
        {
            "resourceType": "Bundle",
            "type": "transaction",
            "entry": [
                {"fullUrl": one, "resource": patient("Tx"), "request": {"method": "POST", "url": "Patient"}},
                {
                    "fullUrl": two,
                    "resource": {**observation(None), "subject": {"reference": one}},
                    "request": {"method": "POST", "url": "Observation"},
                },
            ],
        }
    )
    answered = Bundle(server.post_json("", bundle.as_json()).json())
    made = [entry.response.location.split("/_history")[0].split("/")[-1] for entry in answered.entry]
    assert Observation.read(made[1], server).subject.reference == f"Patient/{made[0]}"

    patch = [{"op": "replace", "path": "/status", "value": "amended"}]
    assert sent(server, "PATCH", f"Observation/{made[1]}", json=patch, headers={"Content-Type": JSON_PATCH}).json()["status"] == "amended"

    identified = observation(made[0], identifier=[{"system": "urn:fhirclient", "value": made[1]}])
    condition = {"If-None-Exist": f"identifier=urn:fhirclient|{made[1]}", "Content-Type": "application/fhir+json"}
    first, second = (sent(server, "POST", "Observation", json=identified, headers=condition) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["id"] == second.json()["id"]


def test_errors_are_its_own_exceptions(server: FHIRServer) -> None:
    """http.html#Status-Codes, with an OperationOutcome in each."""
    with pytest.raises(FHIRNotFoundException) as absent:
        Patient.read(ABSENT, server)
    assert absent.value.response.json()["resourceType"] == "OperationOutcome"
    who = person(server)
    with pytest.raises(requests.HTTPError) as invalid:
        server.post_json("Observation", {"resourceType": "Observation", "subject": {"reference": f"Patient/{who.id}"}})
    assert invalid.value.response.status_code in (400, 422)
    made = Observation(Observation(observation(who.id)).create(server))
    with pytest.raises(requests.HTTPError) as stale:
        sent(
            server, "PUT", f"Observation/{made.id}", json=made.as_json(), headers={"If-Match": 'W/"7"', "Content-Type": "application/json"}
        )
    assert stale.value.response.status_code == 412
