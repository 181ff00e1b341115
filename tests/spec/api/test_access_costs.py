"""A search that would open too much is refused with a hint; what is hidden does not count, or the refusal would tell.

DESIGN 5: more than 100,000 resources that the caller may see; hidden ones do not count. https://hl7.org/fhir/R4/http.html#search
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from hub.repository import searching_include, searching_join, searching_plan, searching_rows
from hub.store.embedded import Endpoint
from hub.store.mongo import MongoSnapshot
from tests.support.backstage import Account, new_client
from tests.support.inprocess import InProcess, in_process
from tests.support.outcomes import refused
from tests.support.resources import HEART_RATE, LOINC, WEIGHT, concept, consent, observation, patient

OPENED_MAX, CHUNK_ROWS = 10, 4


@dataclass(slots=True)
class Scene:
    hub: InProcess
    ehr: Account
    stranger: Account
    person: str = ""

    async def ask(self, who: Account, method: str, path: str, body: object = None) -> httpx.Response:
        headers = {**self.hub.authorization(who, "system/*.cruds"), "Content-Type": "application/fhir+json"}
        return await self.hub.http.request(method, f"/fhir/{path}", headers=headers, json=body)

    async def readings(self, code: str, number: int) -> None:
        for _ in range(number):
            assert (await self.ask(self.ehr, "POST", "Observation", observation(self.person, code))).status_code == 201


@pytest.fixture
async def scene(clean_database: Endpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Scene]:
    """The stranger may see heart rates and nothing else; limits are small."""
    monkeypatch.setattr(searching_rows, "OPENED_MAX", OPENED_MAX)
    monkeypatch.setattr(searching_rows, "CHUNK_ROWS", CHUNK_ROWS)
    async with in_process(tmp_path, clean_database) as hub:
        ehr = await hub.register(new_client("ehr", "system/*.cruds", consent_default="opt-out", recorder=True))
        made = Scene(hub, ehr, await hub.register(new_client("stranger", "system/*.cruds")))
        made.person = (await made.ask(ehr, "POST", "Patient", patient())).json()["id"]
        permit = consent(made.person, provision={"code": [concept(LOINC, HEART_RATE)]})
        assert (await made.ask(ehr, "POST", "Consent", permit)).status_code == 201
        yield made


@pytest.mark.parametrize("query", ["_sort=code", "_sort=status&_count=1", "code=http://loinc.org|&_total=accurate", "value-quantity=gt500"])
async def test_what_is_visible_counts_and_what_is_hidden_does_not(scene: Scene, query: str) -> None:
    """Law 3: the refusal comes for what may be seen alone."""
    await scene.readings(HEART_RATE, OPENED_MAX - 2)
    await scene.readings(WEIGHT, OPENED_MAX * 2)
    path = f"Observation?patient={scene.person}&{query}"
    assert (await scene.ask(scene.stranger, "GET", path)).status_code == 200
    issue = refused(await scene.ask(scene.ehr, "GET", path), 403, "too-costly")[0]
    assert "narrow it" in issue["diagnostics"]
    await scene.readings(HEART_RATE, CHUNK_ROWS * 2)
    refused(await scene.ask(scene.stranger, "GET", path), 403, "too-costly")


ASKED = ["_sort=code", "value-quantity=gt500", "_total=accurate", "_sort=date&_count=2"]


@pytest.mark.parametrize("query", ASKED)
async def test_what_turns_out_hidden_when_it_is_opened_does_not_count(scene: Scene, query: str) -> None:
    """Law 3: rows that name somebody who permits nothing are known by their opening; the limit is met as if they were not there."""
    path = f"Observation?patient={scene.person}&{query}"
    other = (await scene.ask(scene.ehr, "POST", "Patient", patient())).json()["id"]
    naming = observation(scene.person, performer=[{"reference": f"Patient/{other}"}])
    for visible in (OPENED_MAX // 2, OPENED_MAX - OPENED_MAX // 2):
        await scene.readings(HEART_RATE, visible)
        for _ in range(OPENED_MAX):
            assert (await scene.ask(scene.ehr, "POST", "Observation", naming)).status_code == 201
    assert (await scene.ask(scene.stranger, "GET", path)).status_code == 200


@pytest.mark.parametrize("query", ASKED)
async def test_what_lies_outside_the_scope_does_not_count(scene: Scene, query: str) -> None:
    """Law 3, scopes v2: a scope that only the opened resource can decide is no reason to refuse what lies within it."""
    await scene.readings(HEART_RATE, OPENED_MAX * 2)
    headers = scene.hub.authorization(scene.ehr, "system/Observation.rs?value-quantity=gt900")
    answer = await scene.hub.http.get(f"/fhir/Observation?patient={scene.person}&{query}", headers=headers)
    assert answer.status_code == 200
    assert "entry" not in answer.json()


async def test_what_a_chain_leads_to_is_counted_whether_or_not_there_is_something_around_it(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Law 3: a type of which there is nothing but what is hidden is searched like one of which there is nothing."""
    monkeypatch.setattr(searching_join, "FOUND_MAX", 2)
    for _ in range(3):
        made = (await scene.ask(scene.ehr, "POST", "Patient", patient(gender="female"))).json()["id"]
        assert (await scene.ask(scene.ehr, "POST", "Consent", consent(made))).status_code == 201
    path = "?_type=Basic&subject:Patient.gender=female"
    absent = await scene.ask(scene.stranger, "GET", path)
    hidden = (await scene.ask(scene.ehr, "POST", "Patient", patient())).json()["id"]
    basic = {"resourceType": "Basic", "code": {"text": "x"}, "subject": {"reference": f"Patient/{hidden}"}}
    assert (await scene.ask(scene.ehr, "POST", "Basic", basic)).status_code == 201
    refused(absent, 403, "too-costly")
    assert (await scene.ask(scene.stranger, "GET", path)).content == absent.content


@pytest.fixture
async def counted(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """More patients with a weight whom the stranger may see than a search may find one by one; and the questions that find them all."""
    monkeypatch.setattr(searching_join, "FOUND_MAX", OPENED_MAX)
    for _ in range(OPENED_MAX + 2):
        made = (await scene.ask(scene.ehr, "POST", "Patient", patient())).json()["id"]
        assert (await scene.ask(scene.ehr, "POST", "Consent", consent(made))).status_code == 201
        assert (await scene.ask(scene.ehr, "POST", "Observation", observation(made, WEIGHT))).status_code == 201
    return [f"Observation?code={WEIGHT}&_total=accurate&_count=2", f"Patient?_has:Observation:patient:code={WEIGHT}&_count=2&_sort=_id"]


@pytest.mark.parametrize("named_max", [1, 190])
async def test_who_is_all_but_hidden_makes_nothing_too_much(
    scene: Scene, counted: list[str], monkeypatch: pytest.MonkeyPatch, named_max: int
) -> None:
    """Law 3: somebody who permits what there is nothing of, or is named besides, is no reason to count all others one by one."""
    monkeypatch.setattr(searching_plan, "NAMED_MAX", named_max)
    before = [await scene.ask(scene.stranger, "GET", query) for query in counted]
    assert [one.status_code for one in before] == [200, 200]
    assert before[0].json()["total"] == OPENED_MAX + 2
    hidden = (await scene.ask(scene.ehr, "POST", "Patient", patient())).json()["id"]
    nothing = consent(hidden, provision={"code": [concept(LOINC, HEART_RATE)]})
    naming = observation(scene.person, WEIGHT, performer=[{"reference": f"Patient/{hidden}"}])
    for one in (observation(hidden, WEIGHT), naming, nothing):
        assert (await scene.ask(scene.ehr, "POST", one["resourceType"], one)).status_code == 201
    after = [await scene.ask(scene.stranger, "GET", query) for query in counted]
    assert [(one.status_code, told(one)) for one in after] == [(one.status_code, told(one)) for one in before]


def told(answer: httpx.Response) -> tuple[object, object]:
    """Without the links, which are sealed anew each time."""
    return answer.json().get("total"), answer.json().get("entry")


async def test_what_tokens_decide_opens_nothing_more_than_the_page(scene: Scene) -> None:
    """DESIGN 5: a search by patient, code and date costs as much among many as among few."""
    await scene.readings(HEART_RATE, OPENED_MAX * 2)
    path = f"Observation?patient={scene.person}&code={HEART_RATE}&_total=accurate"
    found = (await scene.ask(scene.ehr, "GET", f"{path}&_count=3")).json()
    assert (found["total"], len(found["entry"])) == (OPENED_MAX * 2, 3)


@pytest.mark.parametrize(
    "query", ["Observation?patient.name=rare", "Observation?patient.gender=female", "Device?_has:Observation:device:code=x"]
)
async def test_a_chain_that_leads_to_too_many_is_refused_and_never_cut(scene: Scene, monkeypatch: pytest.MonkeyPatch, query: str) -> None:
    """FHIR.md 2b, chained searches; law 3: the refusal comes for what may be seen alone."""
    monkeypatch.setattr(searching_join, "FOUND_MAX", 2)
    for number in range(3):
        made = (await scene.ask(scene.ehr, "POST", "Patient", patient("Rare", gender="female"))).json()
        worn = {"device": {"reference": f"Device/d{number}"}, "code": concept("urn:x", "x")}
        assert (await scene.ask(scene.ehr, "POST", "Observation", {**observation(made["id"]), **worn})).status_code == 201
    refused(await scene.ask(scene.ehr, "GET", query), 403, "too-costly")
    assert (await scene.ask(scene.stranger, "GET", query)).json().get("entry") is None


async def test_what_would_come_along_is_never_cut(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """FHIR.md 2b: includes are complete, or refused with a hint; what is hidden does not count."""
    monkeypatch.setattr(searching_include, "INCLUDED_MAX", 4)
    await scene.readings(HEART_RATE, 4)
    await scene.readings(WEIGHT, 2)
    path = f"Patient?_id={scene.person}&_revinclude=Observation:patient"
    assert refused(await scene.ask(scene.ehr, "GET", path), 403, "too-costly")
    everything = consent(scene.person, provision={"class": [{"system": "http://hl7.org/fhir/resource-types", "code": "Patient"}]})
    assert (await scene.ask(scene.ehr, "POST", "Consent", everything)).status_code == 201
    assert len((await scene.ask(scene.stranger, "GET", path)).json()["entry"]) == 5


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is asked of the snapshots, in order."""
    calls: list[str] = []

    def noted(name: str) -> None:
        real = getattr(MongoSnapshot, name)

        def call(self: MongoSnapshot, *given: object, **more: object) -> object:
            calls.append(name)
            return real(self, *given, **more)

        monkeypatch.setattr(MongoSnapshot, name, call)

    for name in ("grants", "grant_groups", "concerned", "carriers", "find", "count", "rows", "versions", "patients"):
        noted(name)
    return calls


@pytest.mark.parametrize(
    "query", ["Patient?identifier=urn:rare|1", "Patient?name=rare&_total=accurate", "Patient?_id={id}", "Device?_id={id}"]
)
async def test_what_can_be_looked_up_is_decided_by_the_rules_of_those_it_concerns(scene: Scene, asked: list[str], query: str) -> None:
    """DESIGN 6; found for somebody hidden and for nobody take the same questions in the same order (law 3)."""
    path = query.format(id=scene.person)
    absent = await scene.ask(scene.stranger, "GET", path)
    assert absent.json().get("entry") is None
    for_nobody = list(asked)
    assert "grant_groups" not in for_nobody
    made = await scene.ask(scene.ehr, "POST", "Patient", patient("Rare", identifier=[{"system": "urn:rare", "value": "1"}]))
    assert made.status_code == 201
    asked.clear()
    assert (await scene.ask(scene.stranger, "GET", path)).json().get("entry") is None
    assert asked == for_nobody
    if "rare" in path:
        assert len((await scene.ask(scene.ehr, "GET", path)).json()["entry"]) == 1


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("Observation?device=Device/{other}", 1),
        ("Observation?performer=Practitioner/p,Practitioner/{other}", 1),
        ("Observation?code=http://loinc.org|9999-9", 1),
        ("Practitioner?_has:Observation:performer:code=9999-9", 0),
    ],
)
async def test_what_a_reference_or_a_code_leads_to_is_decided_by_the_rules_of_those_it_leads_to(
    scene: Scene, asked: list[str], query: str, found: int
) -> None:
    """docs/adr/0012: nobody else's grants are joined; hidden and absent take the same questions in the same order (law 3)."""
    other = "1" * 22
    path = query.format(other=other)
    assert (await scene.ask(scene.stranger, "GET", path)).json().get("entry") is None
    for_nobody = list(asked)
    assert "grant_groups" not in for_nobody
    assert "carriers" in for_nobody
    made = {**observation(scene.person, "9999-9"), "device": {"reference": f"Device/{other}"}}
    made["performer"] = [{"reference": f"Practitioner/{other}"}]
    assert (await scene.ask(scene.ehr, "POST", "Observation", made)).status_code == 201
    asked.clear()
    assert (await scene.ask(scene.stranger, "GET", path)).json().get("entry") is None
    assert asked[: len(for_nobody)] == for_nobody
    assert len((await scene.ask(scene.ehr, "GET", path)).json().get("entry", ())) == found


async def test_what_is_told_of_a_resource_is_found_without_the_grants_of_all(scene: Scene, asked: list[str]) -> None:
    """docs/adr/0012: `_revinclude=Provenance:target` and its like; hidden and absent alike (law 3)."""
    made = (await scene.ask(scene.ehr, "POST", "Observation", observation(scene.person, "9999-9"))).json()["id"]
    about = {"resourceType": "Provenance", "recorded": "2026-01-05T08:00:00Z", "agent": [{"who": {"display": "somebody"}}]}
    about["target"] = [{"reference": f"Observation/{made}"}]
    assert (await scene.ask(scene.ehr, "POST", "Provenance", about)).status_code == 201
    asked.clear()
    assert (await scene.ask(scene.stranger, "GET", f"Provenance?target=Observation/{'1' * 22}")).json().get("entry") is None
    for_nobody = list(asked)
    asked.clear()
    assert (await scene.ask(scene.stranger, "GET", f"Provenance?target=Observation/{made}")).json().get("entry") is None
    assert asked[: len(for_nobody)] == for_nobody
    path = f"Observation?_id={made}&_revinclude=Provenance:target"
    assert len((await scene.ask(scene.ehr, "GET", path)).json()["entry"]) == 2
    assert "grant_groups" not in asked


async def test_a_token_of_too_many_patients_is_joined_by_the_grants_of_all(
    scene: Scene, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """docs/adr/0007: the answer is the same either way."""
    for _ in range(3):
        person = (await scene.ask(scene.ehr, "POST", "Patient", patient())).json()["id"]
        assert (await scene.ask(scene.ehr, "POST", "Observation", observation(person, "9999-9"))).status_code == 201
    path = "Observation?code=9999-9&_total=accurate"
    few = (await scene.ask(scene.ehr, "GET", path)).json()
    assert "grant_groups" not in asked
    monkeypatch.setattr(searching_plan, "NAMED_MAX", 2)
    many = (await scene.ask(scene.ehr, "GET", path)).json()
    assert "grant_groups" in asked
    assert (few["total"], few["entry"]) == (3, many["entry"])


async def test_too_many_to_look_up_are_joined_by_the_grants_of_all(scene: Scene, asked: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """docs/adr/0007: the answer is the same either way."""
    for _ in range(3):
        await scene.ask(scene.ehr, "POST", "Patient", patient("Rare"))
    few = (await scene.ask(scene.ehr, "GET", "Patient?name=rare&_total=accurate")).json()
    assert "grant_groups" not in asked
    monkeypatch.setattr(searching_plan, "CARRIERS_MAX", 2)
    many = (await scene.ask(scene.ehr, "GET", "Patient?name=rare&_total=accurate")).json()
    assert "grant_groups" in asked
    assert (few["total"], few["entry"]) == (3, many["entry"])


async def test_only_who_permits_is_among_those_who_carry_the_same(scene: Scene) -> None:
    """Law 3: rules are asked for by patient, and each decides for its own rows."""
    given = {"identifier": [{"system": "urn:rare", "value": "1"}]}
    ids = [(await scene.ask(scene.ehr, "POST", "Patient", patient("Rare", **given))).json()["id"] for _ in range(3)]
    assert (await scene.ask(scene.ehr, "POST", "Consent", consent(ids[1]))).status_code == 201
    found = (await scene.ask(scene.stranger, "GET", "Patient?identifier=urn:rare|1&_total=accurate")).json()
    assert ([one["resource"]["id"] for one in found["entry"]], found["total"]) == ([ids[1]], 1)


async def test_a_reverse_chain_on_patients_opens_no_reading(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """DESIGN 5, "Tokens": where tokens decide, nothing is opened; the answer is the same as by opening."""
    await scene.readings(HEART_RATE, OPENED_MAX * 2)
    monkeypatch.setattr(searching_join, "FOUND_MAX", 0)
    for who, code, expected in ((scene.ehr, HEART_RATE, 1), (scene.ehr, WEIGHT, 0)):
        found = (await scene.ask(who, "GET", f"Patient?_has:Observation:patient:code={code}&_total=accurate")).json()
        assert found["total"] == expected


async def test_a_page_with_includes_asks_for_them_together(scene: Scene, asked: list[str]) -> None:
    """One query for a hop, whatever the number of matches; hidden and absent cost alike (law 3)."""
    hidden = (await scene.ask(scene.ehr, "POST", "Patient", patient())).json()["id"]
    questions = []
    for other in (hidden, "0" * 22):
        made = {**observation(scene.person), "device": {"reference": f"Device/{other}"}}
        made["note"] = [{"text": "x", "authorReference": {"reference": "Practitioner/p"}}]
        for _ in range(3):
            assert (await scene.ask(scene.ehr, "POST", "Observation", made)).status_code == 201
        asked.clear()
        path = f"Observation?patient={scene.person}&_include=Observation:device&_include=Observation:patient"
        assert (await scene.ask(scene.stranger, "GET", path)).status_code == 200
        questions.append(list(asked))
    assert questions[0] == questions[1]
    assert questions[0].count("rows") == 1


async def test_a_reverse_chain_does_not_count_whom_it_may_not_see(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Law 3: nobody is told by a refusal how many others there are."""
    monkeypatch.setattr(searching_join, "PATIENTS_MAX", 1)
    given = (await scene.ask(scene.ehr, "GET", f"Consent?patient={scene.person}")).json()["entry"][0]["resource"]["id"]
    assert (await scene.ask(scene.ehr, "DELETE", f"Consent/{given}")).status_code == 204
    await scene.readings(HEART_RATE, 1)
    hidden, scene.person = scene.person, (await scene.ask(scene.ehr, "POST", "Patient", patient())).json()["id"]
    await scene.readings(HEART_RATE, 1)
    assert (await scene.ask(scene.ehr, "POST", "Consent", consent(scene.person))).status_code == 201
    path = f"Patient?_has:Observation:patient:code={HEART_RATE}"
    found = await scene.ask(scene.stranger, "GET", path)
    assert [one["resource"]["id"] for one in found.json()["entry"]] == [scene.person] != [hidden]
    refused(await scene.ask(scene.ehr, "GET", path), 403, "too-costly")
