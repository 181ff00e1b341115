"""Launches that begin in the EHR. https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html#launch-app-ehr-launch"""

from collections.abc import Callable

import pytest

from tests.spec.smart.blackbox.launches import Launches
from tests.spec.smart.blackbox.party import Party, query_of
from tests.spec.smart.blackbox.target import Target

SCOPE = "launch openid fhirUser patient/Patient.rs patient/Observation.rs"


def test_the_app_is_called_with_iss_and_launch(public: Party, launches: Launches, target: Target) -> None:
    """14. SMART 2.2 app-launch, EHR launch: iss is the EHR's FHIR endpoint, launch an opaque identifier of this launch."""
    called = launches.from_ehr(public)
    assert called["iss"] == target.fhir
    assert len(called["launch"]) >= 22
    assert set(called) == {"iss", "launch"}


@pytest.mark.parametrize("name", ["public", "symmetric", "asymmetric"])
def test_the_context_is_the_one_that_was_chosen(party: Callable[[str], Party], launches: Launches, name: str) -> None:
    """14. SMART 2.2 scopes-and-launch-context, EHR launch: the launch scope asks for the context of the launch; nobody is asked again."""
    app = party(name)
    body = launches.tokens(app, SCOPE, who="practitioner", launch=launches.from_ehr(app)["launch"])
    assert body["patient"] == launches.target.people["practitioner"].patient
    assert body["encounter"] == launches.target.people["practitioner"].encounter
    assert isinstance(body["need_patient_banner"], bool)
    assert app.read(body["access_token"], f"Patient/{body['patient']}").status_code == 200


def test_a_launch_is_good_once(public: Party, launches: Launches) -> None:
    """Beyond: SMART 2.2 app-launch, launch: who replays it gets no code; nobody else can know it (ASVS 5.0 15.4.2)."""
    launch = launches.from_ehr(public)["launch"]
    assert launches.tokens(public, SCOPE, who="practitioner", launch=launch)["access_token"]
    request, landing = launches.landed(public, SCOPE, who="practitioner", launch=launch)
    answer = {} if landing.url is None else query_of(landing.url)
    assert "code" not in answer
    assert landing.url is None or answer["state"] == request.state


def test_a_launch_is_good_for_its_app_alone(party: Callable[[str], Party], public: Party, launches: Launches) -> None:
    """Beyond: SMART 2.2 app-launch: what was chosen for one app gives another one nothing."""
    _, landing = launches.landed(party("other"), SCOPE, who="practitioner", launch=launches.from_ehr(public)["launch"])
    assert landing.url is None or "code" not in query_of(landing.url)


def test_a_launch_is_good_for_who_chose_it(public: Party, launches: Launches) -> None:
    """Beyond: RFC 9700 section 4.7, login CSRF: another person's browser cannot be led into it."""
    _, landing = launches.landed(public, SCOPE, who="patient", launch=launches.from_ehr(public)["launch"])
    assert landing.url is None or "code" not in query_of(landing.url)
