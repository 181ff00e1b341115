"""The patients that a person may see through an app, before the app may: through the one door, decided and recorded.

The repository is made for the person as the app in question would have it, with nothing but Patients and Encounters to read: whoever can be
chosen is who the app will be able to see, by the same consents and the same policy (laws 1 to 3).
"""

from typing import Final

from hub.authenticate import caller_of, in_the_hands_of
from hub.errors import FhirError
from hub.recording import RequestFacts
from hub.repository import Repository
from hub.repository.reading import Resource
from hub.search.parse import parse_search
from hub.services import Services
from security.oauth.clients import Client
from security.oauth.person import Person
from security.oauth.roles import ROLE_ROWS
from security.scopes import Scopes

SEEN: Final = Scopes.parse("user/Patient.rs user/Encounter.rs")
AS_ABSENT: Final = frozenset({"not-found", "deleted", "forbidden", "login"})


def repository_through(services: Services, person: Person, client: Client, facts: RequestFacts) -> Repository:
    """Of the person, through this app. `facts`: of this repository's own; its caller becomes who asks."""
    app = caller_of(client, SEEN, ROLE_ROWS[person.role].purpose, facts.request_id, services.store.changes)
    facts.caller = caller = in_the_hands_of(person, app)
    return Repository(caller, services, facts)


async def patient_seen(repository: Repository, id: str) -> Resource | None:
    """The patient, if it may be seen now; recorded as a read."""
    try:
        return await repository.read("Patient", id)
    except FhirError as error:
        if error.code in AS_ABSENT:
            return None
        raise


async def is_visit_seen(repository: Repository, patient: str, encounter: str) -> bool:
    """Is this a visit of this patient that may be seen now? Recorded as a search."""
    asked = [("patient", f"Patient/{patient}"), ("_id", encounter)]
    found = await repository.search(parse_search("Encounter", asked, lenient=False), None)
    return bool(found.matches)
