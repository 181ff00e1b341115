"""What is hidden, what was deleted while hidden and what never was cost the hub the same questions to its database.

DESIGN law 3 and 6: finding out must not take longer. Counted are the commands the database gets, not the time they take.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from pymongo import monitoring

from hub.store.embedded import Endpoint
from hub.wiring import AsyncMongoClient
from tests.support.backstage import Account, new_client
from tests.support.inprocess import InProcess, in_process
from tests.support.resources import ABSENT, LOINC, RESOURCE_TYPES, Json, action, actor, concept, consent, observation, patient

SCOPE = "system/*.cruds"
SYSTEM = "urn:example:readings"


@dataclass
class Commands(monitoring.CommandListener):
    """Names of commands with their collections, while `on`."""

    seen: list[str] = field(default_factory=list)
    on: bool = False

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        if self.on and event.command_name not in ("hello", "ping", "endSessions", "getMore"):
            self.seen.append(f"{event.command_name} {event.command.get(event.command_name)}")

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None: ...

    def failed(self, event: monitoring.CommandFailedEvent) -> None: ...


@dataclass(frozen=True, slots=True)
class Scene:
    hub: InProcess
    stranger: Account
    commands: Commands
    ehr: Account
    person: str
    hidden: str
    deleted: str

    async def given(self, resource: Json, **conditions: str) -> str:
        """Written by who may see it: under its id if it has one. Answers the id."""
        headers = {**self.hub.authorization(self.ehr, SCOPE), "Content-Type": "application/fhir+json", **conditions}
        type, id = resource["resourceType"], resource.get("id")
        method, path = ("POST", f"/fhir/{type}") if id is None else ("PUT", f"/fhir/{type}/{id}")
        answer = await self.hub.http.request(method, path, headers=headers, json=resource)
        assert answer.is_success, answer.text
        return str(answer.json()["id"])

    async def effort(self, method: str, path: str, body: Any = None, scope: str = SCOPE, **conditions: str) -> tuple[int, bytes, list[str]]:
        self.commands.seen.clear()
        self.commands.on = True
        headers = {**self.hub.authorization(self.stranger, scope), "Content-Type": "application/fhir+json", **conditions}
        answer = await self.hub.http.request(method, path, headers=headers, json=body)
        self.commands.on = False
        return answer.status_code, answer.content, sorted(self.commands.seen)


@pytest.fixture
async def scene(clean_database: Endpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Scene]:
    """The stranger sees nobody."""
    commands = Commands()

    def listened(url: str, **options: Any) -> Any:
        return AsyncMongoClient(url, event_listeners=[commands], **options)

    monkeypatch.setattr("hub.wiring.AsyncMongoClient", listened)
    async with in_process(tmp_path, clean_database) as hub:
        ehr = await hub.register(new_client("ehr", SCOPE, consent_default="opt-out", recorder=True))
        stranger = await hub.register(new_client("stranger", SCOPE))
        headers = {**hub.authorization(ehr, SCOPE), "Content-Type": "application/fhir+json"}
        person = (await hub.http.post("/fhir/Patient", json=patient(), headers=headers)).json()["id"]
        known = {**observation(person), "identifier": [{"system": SYSTEM, "value": "known"}]}
        ids = [(await hub.http.post("/fhir/Observation", json=known, headers=headers)).json()["id"] for _ in range(2)]
        assert (await hub.http.delete(f"/fhir/Observation/{ids[1]}", headers=headers)).status_code == 204
        made = Scene(hub, stranger, commands, ehr, person, *ids)
        await made.effort("GET", f"/fhir/Observation/{ABSENT}")  # what is asked once and then remembered
        yield made


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/fhir/Observation/{id}"),
        ("HEAD", "/fhir/Observation/{id}"),
        ("GET", "/fhir/Observation/{id}/_history"),
        ("GET", "/fhir/Observation/{id}/_history/1"),
        ("GET", "/fhir/Observation/{id}/_history/2"),
        ("DELETE", "/fhir/Observation/{id}"),
    ],
)
async def test_the_same_answer_for_the_same_effort(scene: Scene, method: str, path: str) -> None:
    """Law 3: status, bytes, and what was asked of the database."""
    absent, hidden, deleted = [await scene.effort(method, path.format(id=id)) for id in (ABSENT, scene.hidden, scene.deleted)]
    assert absent[0] == 404
    assert absent[2]
    assert hidden == absent
    assert deleted == absent


async def test_criteria_that_match_what_is_hidden_cost_what_criteria_cost_that_match_nothing(scene: Scene) -> None:
    """Law 3, for conditional interactions: the patient is nobody's, so that both are refused alike in the end."""
    body = observation(ABSENT)
    hidden, nothing = [await scene.effort("PUT", f"/fhir/Observation?identifier={SYSTEM}|{value}", body) for value in ("known", "unknown")]
    assert hidden[0] == 422
    assert hidden == nothing


async def test_a_condition_that_only_something_hidden_meets_costs_what_one_that_nothing_meets_costs(scene: Scene) -> None:
    """http.html#ccreate, law 3: the claim of what is hidden is looked at as long as one that nobody has."""
    keyed = {**observation(None), "subject": {"reference": f"Patient/{ABSENT}"}}
    ehr = {**scene.hub.authorization(scene.ehr, SCOPE), "If-None-Exist": "identifier=urn:effort|hidden"}
    made = observation(scene.person, identifier=[{"system": "urn:effort", "value": "hidden"}])
    assert (await scene.hub.http.post("/fhir/Observation", json=made, headers=ehr)).status_code == 201
    hidden, absent = [
        await scene.effort("POST", "/fhir/Observation", keyed, **{"If-None-Exist": f"identifier=urn:effort|{value}"})
        for value in ("hidden", "absent")
    ]
    assert hidden == absent
    assert absent[0] == 422


def _provenance(id: str) -> Any:
    told = {"resourceType": "Provenance", "recorded": "2026-05-01T10:00:00Z", "agent": [{"who": {"display": "somebody"}}]}
    return {**told, "target": [{"reference": f"Observation/{id}"}]}


def _patched(id: str) -> Any:
    """A transaction whose conditional reference is asked of what a patch would leave."""
    patch = {"resourceType": "Binary", "contentType": "application/json-patch+json", "data": "W10="}
    about = observation(None, subject={"reference": "Location/l1"}, hasMember=[{"reference": "Observation?identifier=urn:effort|none"}])
    entries = [
        {"request": {"method": "PATCH", "url": f"Observation/{id}"}, "resource": patch},
        {"request": {"method": "POST", "url": "Observation"}, "resource": about},
    ]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


COLD: dict[str, tuple[str, str, Callable[[str], Any]]] = {
    "read": ("GET", "/fhir/Observation/{id}", lambda _: None),
    "update": ("PUT", "/fhir/Observation/{id}", lambda who: observation(ABSENT, id=who)),
    "provenance": ("POST", "/fhir/Provenance", _provenance),
    "transaction": ("POST", "/fhir", _patched),
}


@pytest.mark.parametrize(("method", "path", "body"), COLD.values(), ids=[*COLD])
async def test_a_key_that_is_not_at_hand_costs_nothing_more(scene: Scene, method: str, path: str, body: Callable[[str], Any]) -> None:
    """Law 3: the key of somebody hidden is asked of the key store as often as the key of nobody, in a hub that has just begun too."""
    made = []
    for id in (ABSENT, scene.hidden, scene.deleted):
        scene.hub.hub.services.vault._ring._cache._entries.clear()
        status, _, asked = await scene.effort(method, path.format(id=id), body(id))
        made.append((status, asked))
    assert made[1:] == [made[0], made[0]]


PATIENTS = ["Observation?patient={id}&_total=accurate", "Patient/{id}/Observation", "Patient/{id}/$everything", "Patient/{id}"]


@pytest.mark.parametrize("path", PATIENTS)
async def test_a_patient_whose_key_is_not_at_hand_costs_nothing_more(scene: Scene, path: str) -> None:
    """The same for what names a patient."""
    made = []
    for id in (ABSENT, scene.person):
        scene.hub.hub.services.vault._ring._cache._entries.clear()
        status, _, asked = await scene.effort("GET", f"/fhir/{path.format(id=id)}")
        made.append((status, asked))
    assert made[0] == made[1]


IN_PART: dict[str, Json] = {
    "everything to somebody else": {"actor": [actor("Organization/elsewhere")]},
    "a code that there is nothing of": {"code": [concept(LOINC, "1111-1")]},
    "a type that there is nothing of": {"class": [{"system": RESOURCE_TYPES, "code": "Condition"}]},
    "a time in which there is nothing": {"dataPeriod": {"start": "2001-01-01", "end": "2001-02-01"}},
}
SCOPES = {
    "everything": SCOPE,
    "what tokens decide": "system/Observation.rs?category=vital-signs system/Patient.rs?gender=female",
    "what opened resources decide": "system/Observation.rs?value-quantity=gt900 system/Patient.rs",
    "several": "system/Observation.rs?status=final system/Observation.rs?code=9999-9 system/Patient.rs?name=x",
}
COUNTED = [
    "Observation?patient={id}&_total=accurate",
    "Observation?patient={id}&_summary=count",
    "Observation?patient={id}&_total=accurate&_sort=-date",
    "Patient?_id={id}&_total=accurate",
    "Patient?_id={id}&_has:Observation:patient:code=8867-4",
    "Patient?identifier=urn:effort|{id}&_total=accurate",
    "Observation?patient.identifier=urn:effort|{id}",
]


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("permitted", IN_PART)
async def test_who_permits_something_else_is_counted_like_somebody_who_is_not_there(scene: Scene, permitted: str, scope: str) -> None:
    """Law 3, scopes v2: of whom nothing is seen, it does not show that something might have been."""
    await scene.given({**patient(), "id": scene.person, "identifier": [{"system": "urn:effort", "value": scene.person}]})
    await scene.given(consent(scene.person, provision=IN_PART[permitted]))
    for path in COUNTED:
        hidden, absent = [await scene.effort("GET", f"/fhir/{path.format(id=id)}", scope=SCOPES[scope]) for id in (scene.person, ABSENT)]
        assert (absent[0], absent[2]) == (hidden[0], hidden[2]), path


@pytest.mark.parametrize("gone", [False, True])
async def test_what_is_made_because_only_something_hidden_matches_costs_what_it_costs_where_nothing_does(scene: Scene, gone: bool) -> None:
    """http.html#ccreate, law 3: the claim is taken from who is hidden, or deleted, as if nobody had it."""
    made = observation(scene.person, identifier=[{"system": "urn:effort", "value": "hidden"}])
    held = await scene.given(made, **{"If-None-Exist": "identifier=urn:effort|hidden"})
    if gone:
        headers = scene.hub.authorization(scene.ehr, SCOPE)
        assert (await scene.hub.http.delete(f"/fhir/Observation/{held}", headers=headers)).status_code == 204
    own = await scene.given(patient())
    await scene.given(consent(own, provision={"action": [action("collect"), action("access")]}))
    made_now = []
    for value in ("first", "hidden", "absent"):  # the first pays for what is remembered
        criteria = {"If-None-Exist": f"identifier=urn:effort|{value}"}
        made_now.append(await scene.effort("POST", "/fhir/Observation", observation(own), **criteria))
    assert [one[0] for one in made_now] == [201, 201, 201]
    assert made_now[1][2] == made_now[2][2]


BESIDE = [
    "Observation?_id={seen},{reading}",
    "Observation?identifier=urn:beside|seen,urn:beside|{name}",
    "Patient?_id={own},{person}",
    "Patient?identifier=urn:beside|seen,urn:beside|{name}",
    "Observation?patient={own},{person}",
    "Observation?patient.identifier=urn:beside|seen,urn:beside|{name}",
    "Observation?performer=Patient/{own},Patient/{person}",
    "Patient?_has:Observation:patient:identifier=urn:beside|seen,urn:beside|{name}",
]


@pytest.mark.parametrize("scope", SCOPES)
async def test_who_is_asked_for_beside_somebody_who_is_seen_costs_as_much_hidden_as_absent(scene: Scene, scope: str) -> None:
    """Law 3: what is seen is found, and the rest of the question does not show by the effort either."""

    async def known(name: str) -> tuple[str, str]:
        borne: Json = {"identifier": [{"system": "urn:beside", "value": name}]}
        person = await scene.given(patient(**borne))
        return person, await scene.given({**observation(person, **borne), "performer": [{"reference": f"Patient/{person}"}]})

    (own, seen), (person, reading) = await known("seen"), await known("hidden")
    await scene.given(consent(own))
    hidden = {"own": own, "seen": seen, "person": person, "reading": reading, "name": "hidden"}
    absent = {**hidden, "person": ABSENT, "reading": ABSENT, "name": "absent"}
    for path, how in product(BESIDE, ("_total=accurate", "_summary=count", "_count=50")):
        asked = [f"/fhir/{path.format(**on)}&{how}" for on in (hidden, hidden, absent)]  # the first pays for what is remembered
        made = [await scene.effort("GET", one, scope=SCOPES[scope]) for one in asked]
        assert (made[2][0], made[2][2]) == (made[1][0], made[1][2]), (path, how)
