"""People who act through an app: their token is asked about at each request (SECURITY 1.3 item 53, DESIGN laws 1 and 3)."""

import httpx

from tests.support.backstage import Backstage
from tests.support.caller import Caller
from tests.support.persons import app_of, as_patient
from tests.support.resources import patient


def test_what_a_person_withdrew_ends_with_the_next_request(backstage: Backstage, http: httpx.Client, ehr: Caller) -> None:
    """RFC 7009; ASVS 5.0 8.3.2: changes take effect at once."""
    id = ehr.create(patient())["id"]
    person = as_patient(backstage, http, app_of(backstage, "patient/*.rs"), id, "patient/*.rs")
    token = person.token
    headers = {"Authorization": f"Bearer {token}"}
    assert http.get(f"/fhir/Patient/{id}", headers=headers).status_code != 401
    person.end()
    refused = http.get(f"/fhir/Patient/{id}", headers=headers)
    assert refused.status_code == 401
    assert "invalid_token" in refused.headers["WWW-Authenticate"]
