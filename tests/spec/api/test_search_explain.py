"""`_explain=true`: an administrator sees how a search ran, and learns nothing of what it may not see (docs/search.md)."""

from base64 import b64decode
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx
import pytest

from hub.store.embedded import Endpoint
from tests.support.backstage import Account, new_client
from tests.support.inprocess import InProcess, in_process
from tests.support.outcomes import refused
from tests.support.resources import HEART_RATE, LOINC, WEIGHT, concept, consent, observation, patient

SCOPE = "system/*.cruds system/AuditEvent.rs"
DEVICE = {"device": {"reference": "Device/worn"}}


@dataclass(slots=True)
class Scene:
    """The administrator may see one patient's data, and of others nothing or no more than heart rates."""

    hub: InProcess
    ehr: Account
    administrator: Account
    person: str = ""

    async def ask(self, who: Account, path: str, *, scope: str = SCOPE) -> httpx.Response:
        return await self.hub.http.get(f"/fhir/{path}", headers=self.hub.authorization(who, scope))

    async def given(self, type: str, body: object) -> str:
        answer = await self.hub.http.post(f"/fhir/{type}", json=body, headers={**self.hub.authorization(self.ehr, SCOPE), **FHIR})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    async def told(self, path: str) -> list[str]:
        """The explanation, without the times."""
        answer = await self.ask(self.administrator, f"{path}&_explain=true")
        assert answer.status_code == 200, answer.text
        lines = explained(answer.json())
        assert lines[-1].startswith("Times: chains, consents and plan ")
        return lines[:-1]


INDEXES = "k_1_p_1_d_-1__id_1, t_1_d_-1__id_1, t_1_e_1_present_z, p_1_t_1_e_1_present_z"
FHIR = {"Content-Type": "application/fhir+json"}


def explained(bundle: Any) -> list[str]:
    (outcome,) = [one["resource"] for one in bundle.get("entry", ()) if one["search"]["mode"] == "outcome"]
    assert {(one["severity"], one["code"]) for one in outcome["issue"]} == {("information", "informational")}
    return [one["diagnostics"] for one in outcome["issue"]]


@pytest.fixture
async def scene(clean_database: Endpoint, tmp_path: Path) -> AsyncIterator[Scene]:
    async with in_process(tmp_path, clean_database) as hub:
        ehr = await hub.register(new_client("ehr", SCOPE, consent_default="opt-out", recorder=True))
        made = Scene(hub, ehr, await hub.register(new_client("administrator", SCOPE, administrator=True)))
        made.person = await made.given("Patient", patient())
        await made.given("Consent", consent(made.person))
        for day in (1, 2, 3):
            await made.given("Observation", observation(made.person, HEART_RATE, 60 + day, at=f"2026-03-0{day}", **DEVICE))
        yield made


async def test_a_search_says_what_it_asked_and_how_much_came_up(scene: Scene) -> None:
    """https://hl7.org/fhir/R4/search.html#outcome: beside the matches, which are those of the same search without it."""
    path = f"Observation?patient={scene.person}&code={HEART_RATE}&date=ge2026-03-02&value-quantity=gt62"
    answer = (await scene.ask(scene.administrator, f"{path}&_explain=true")).json()
    plain = (await scene.ask(scene.administrator, path)).json()
    assert [one for one in answer["entry"] if one["search"]["mode"] == "match"] == plain["entry"]
    assert answer["link"][0]["url"].endswith("&_explain=true")
    assert explained(answer)[:-1] == [
        "search of Observation: patient asks patient + type; tokens decide, opened resources are compared once more.",
        "search of Observation: code asks token + type; tokens decide, opened resources are compared once more.",
        "search of Observation: date asks either(end, start) + end + type; tokens decide, opened resources are compared once more.",
        "search of Observation: value-quantity asks type; opened resources decide.",
        f"search of Observation: asks either(end, start) + end + patient + token + type in all, by d; indexes: {INDEXES}.",
        "search of Observation: consents of the patients named are joined.",
        "search of Observation: 2 came up that you may see, 1 of them match.",
    ]


@pytest.mark.parametrize(
    ("path", "lines"),
    [
        ("Observation?device=Device/worn", {"search of Observation: consents of those to whom its tokens lead are joined"}),
        ("Observation?date=ge2026-03-02&status:not=final", {"search of Observation: status:not asks not(token) + type"}),
        (
            "Observation?patient.gender=female",
            {"chain, searched first, of Patient: 0 came up", "search of Observation: patient asks nothing"},
        ),
        (
            "Device?_has:Observation:device:code=x",
            {"reverse chain, searched first, of Observation: code asks token", "search of Device: a reverse chain asks id"},
        ),
        ("Observation?code=8867-4&_revinclude=Observation:derived-from", {"reverse include of Observation: derived-from asks token"}),
        ("Observation?code=8867-4&_sort=status", {"search of Observation: asks token + type in all, as opened resources sort"}),
        ("AuditEvent?date=ge2026", {"search of AuditEvent: permitted by policy"}),
        ("Practitioner?address-city=brest", {"search of Practitioner: 0 came up that you may see, 0 of them match"}),
    ],
)
async def test_chains_and_what_comes_along_are_searches_too(scene: Scene, path: str, lines: set[str]) -> None:
    """https://hl7.org/fhir/R4/search.html#chaining: innermost first."""
    told = await scene.told(path)
    assert all(any(one.startswith(line) for one in told) for line in lines), told


@pytest.mark.parametrize("ask", ["", "_has", "all"])
async def test_nobody_else_is_told(scene: Scene, ask: str) -> None:
    """DESIGN 2: it is refused before anything is looked up, and the refusal is the same whatever there is."""
    query = {"": "code=x", "_has": "_has:Observation:device:code=x", "all": "_total=accurate"}[ask]
    issue = refused(await scene.ask(scene.ehr, f"Device?{query}&_explain=true"), 403, "forbidden")[0]
    assert "--administrator" in issue["diagnostics"]
    assert (await scene.ask(scene.ehr, f"Device?{query}&_explain=false")).status_code in (200, 400)


@pytest.mark.parametrize(
    ("query", "code"), [("Observation?_explain=yes", "invalid"), ("?_type=Observation&_explain=true", "not-supported")]
)
async def test_what_cannot_be_explained_is_refused(scene: Scene, query: str, code: str) -> None:
    """https://hl7.org/fhir/R4/search.html#errors"""
    refused(await scene.ask(scene.administrator, query), 400, code)


async def test_an_administrator_acts_within_its_scopes(scene: Scene) -> None:
    """Law 1: it sees no more than any other client."""
    refused(await scene.ask(scene.administrator, "Observation?_explain=true", scope="system/Patient.rs"), 403, "forbidden")


PATHS = (
    "Observation?code=8867-4,29463-7",
    "Observation?device=Device/worn&_count=2",
    "Observation?device=Device/worn&value-quantity=gt62&_total=accurate",
    "Observation?_sort=status",
    "Observation?patient.name=essai",
    "Patient?_has:Observation:patient:code=29463-7",
    "Patient?_has:Observation:patient:device=Device/worn",
    "Organization?_has:Patient:organization:name=essai",
    "Observation?code=8867-4&_include=*&_revinclude=Observation:derived-from&_revinclude=Provenance:target",
    "Observation?date=ge2026-03-02&_total=accurate",
    "Condition?code=x",
)


@pytest.mark.parametrize("path", PATHS)
async def test_what_is_hidden_changes_nothing_that_is_told(scene: Scene, path: str) -> None:
    """Law 3: no count, no choice of a way, no line tells of what may not be seen."""
    before = await scene.told(path)
    await hide(scene)
    assert await scene.told(path) == before


async def hide(scene: Scene) -> None:
    """What the administrator may not see: of nobody's leave, not of these codes, and because it names somebody else."""
    others = [await scene.given("Patient", patient()) for _ in range(3)]
    await scene.given("Consent", consent(others[1], provision={"code": [concept(LOINC, HEART_RATE)]}))
    for number, other in enumerate(others):
        weight = await scene.given("Observation", observation(other, WEIGHT, 80, at=f"2026-03-1{number}", **DEVICE))
        of = {"derivedFrom": [{"reference": f"Observation/{weight}"}], "focus": [{"reference": f"Patient/{others[0]}"}]}
        await scene.given("Observation", observation(other, HEART_RATE, 80, at=f"2026-03-2{number}", **of, **DEVICE))
        condition = {"resourceType": "Condition", "subject": {"reference": f"Patient/{other}"}, "code": concept("urn:x", "x")}
        await scene.given("Condition", condition)
    naming = {"focus": [{"reference": f"Patient/{others[0]}"}]}
    await scene.given("Observation", observation(scene.person, HEART_RATE, 90, at="2026-03-30", **naming, **DEVICE))


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_the_log_says_that_it_was_explained(scene: Scene, method: str) -> None:
    """Law 2: the record of the search holds the question as asked."""
    headers = scene.hub.authorization(scene.administrator, SCOPE)
    asked = {"code": HEART_RATE, "_explain": "true"}
    if method == "GET":
        answer = await scene.hub.http.get("/fhir/Observation", params=asked, headers=headers)
    else:
        answer = await scene.hub.http.post("/fhir/Observation/_search", data=asked, headers=headers)
    assert len(answer.json()["entry"]) == 4
    records = (await scene.ask(scene.administrator, "AuditEvent?action=E&_count=200")).json()["entry"]
    queries = [one["query"] for record in records for one in record["resource"].get("entity", ()) if "query" in one]
    assert any(f"code={HEART_RATE}" in unquote(text) and "_explain=true" in text for text in (b64decode(one).decode() for one in queries))
