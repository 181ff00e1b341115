"""Each question that a search may put to the database is answered by an index, whatever lies around it.

The registry has thousands of parameters and few kinds of questions (`hub.search.shape`). Each kind is asked here over HTTP of a store in
which far more lies than it should read: what was asked of the database is asked again as `explain`, and keys are counted.
https://hl7.org/fhir/R4/search.html; DESIGN 5.
"""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import orjson
import pytest
import pytest_asyncio
from pymongo import MongoClient, monitoring

from hub.errors import FhirError
from hub.search.index import index
from hub.search.parameters import RESOURCE_TYPES, Parameter
from hub.search.predicate import Predicate
from hub.search.shape import shape
from hub.search.sort import row_order
from hub.search.types import SEARCH_TYPES
from hub.search.types.date import COMPARE
from hub.store.documents import document
from hub.store.embedded import Endpoint
from hub.store.leads import leads
from hub.store.mongo import CARRIERS_READS_MAX, CARRIERS_ROWS
from hub.store.protocol import Order, Stored
from hub.wiring import AsyncMongoClient
from tests.spec.search.examples import FIRST, value
from tests.spec.search.given import narrowed, search, token
from tests.support.backstage import Account, new_client
from tests.support.inprocess import InProcess, in_process
from tests.support.resources import HEART_RATE, WEIGHT, observation, patient

SCOPE = "system/*.cruds system/AuditEvent.rs"
Document = dict[str, Any]
SEEN, HIDDEN = 230, 400
"""Patients whose data the caller may see: more than can be asked one by one. Patients whose data it may not see."""
HISTORY, NOISE = 3_000, 12_000
"""Rows of the one patient who is asked for, which nobody asks for; rows of those who are hidden."""
PAGE = 50
KEYS_MAX = 3 * PAGE + 4 * SEEN + CARRIERS_ROWS * CARRIERS_READS_MAX
"""What may be read for one page: the page, a few keys for each patient who may be seen, and a look at whom a token leads to."""
KEYS_OF_PATIENT_MAX = 3 * PAGE
"""The same where the patient is named: the page, and what is known of the patient."""
ME, DEVICE, RARE, WHO = "{me}", "Device/worn", "1234-5", "Practitioner/who"

QUESTIONS: Mapping[str, Sequence[str]] = {
    # shape of the criterion: searches that have it
    "token + type": (
        f"Observation?device={DEVICE}",
        f"Observation?patient={ME}&device={DEVICE}",
        f"Observation?code={RARE}",
        f"Observation?code={RARE}&_total=accurate",
        f"Observation?patient={ME}&code={RARE}&date=ge2026-01-01&_total=accurate",
        f"Observation?code={HEART_RATE}",
        f"Observation?patient={ME}&code={HEART_RATE}",
        f"Observation?performer={WHO}&_sort=_lastUpdated",
        "Condition?code=rare",
        "Provenance?target=Observation/nothing",
    ),
    "across + type": ("Observation?identifier=urn:x|1", f"Patient?name=seltene&_id={ME}", "Patient?family=seltene"),
    "patient + type": (f"Observation?patient={ME}", f"Condition?patient={ME}&_sort=-_lastUpdated", f"Encounter?subject=Patient/{ME}"),
    "id + type": ("Observation?_id={one}", "Condition?_id=nothing"),
    "id + patient + type": (f"Patient?_id={ME}",),
    "start + type": ("Observation?date=sa2030", f"Observation?patient={ME}&date=lt2016-01-05", "Encounter?date=lt2016-01-05"),
    "end + type": ("Observation?date=gt2030", f"Observation?patient={ME}&date=gt2030", "Encounter?date=gt2030"),
    "end + start + type": (
        "Observation?date=2026-03-01",
        f"Observation?patient={ME}&date=2026-03-01&_total=accurate",
        "Encounter?date=ap2030",
        "Encounter?date=eb2016",
    ),
    "either(end, start) + end + type": (
        "Observation?date=ge2030",
        f"Observation?patient={ME}&date=ge2030",
        f"Observation?patient={ME}&date=ge2030&_sort=date",
        f"Observation?patient={ME}&code={HEART_RATE}&date=ge2030&_total=accurate",
        "Encounter?date=ge2030",
    ),
    "either(end, start) + start + type": (f"Observation?patient={ME}&date=le2016-01-05", "Encounter?date=le2016-01-05"),
    "either(end, start) + type": (f"Observation?patient={ME}&date=ne2026-03-01", "Observation?date=ne2026-03-01"),
    "type + updated": (
        "Observation?_lastUpdated=gt2030",
        "Observation?_lastUpdated=gt2030&_sort=_lastUpdated",
        "Encounter?_lastUpdated=lt2016",
    ),
    "type": ("Practitioner?address-city=brest", "Encounter?length=gt5"),
    "not(token) + type": (f"Observation?patient={ME}&status:not=final", "Encounter?status:not=final"),
    "not(across) + type": (f"Observation?patient={ME}&code={RARE}&identifier:not=1", "Practitioner?identifier:not=1"),
    "not(start) + type": (f"Observation?patient={ME}&date:missing=true", "Encounter?date:missing=true"),
    "either(patient, token) + type": (f"AuditEvent?patient={ME}&date=gt2030",),
}
JOINED = (
    f"Observation?patient={ME}&code={RARE}&_include=Observation:device&_include=Observation:subject",
    f"Patient?_id={ME}&_revinclude=Encounter:subject",
    "Observation?_id={one}&_revinclude=Provenance:target",
    "Observation?device.manufacturer=seltene",
    "Observation?patient.family=seltene",
    f"Patient?_has:Observation:patient:code={RARE}",
    f"Practitioner?_has:Observation:performer:code={RARE}",
    f"Patient?_has:Observation:patient:device={DEVICE}&_total=accurate",
    "?_type=Condition,Encounter&_lastUpdated=gt2030",
    f"Patient/{ME}/Encounter",
    f"Patient/{ME}/$everything?_count=5",
    f"Patient/{ME}/$measures?shape=phd&code={RARE}",
    f"Patient/{ME}/$measures?shape=hddt&start=2026-02",
    f"{DEVICE}/Observation",
    f"Observation/$lastn?patient={ME}&code={RARE}",
)
"""Chains, reverse chains, includes, compartments, operations: made of the same questions, one after the other."""
WITHIN_ONE_PATIENT = frozenset({f"Observation?patient={ME}&status:not=final", f"Observation?patient={ME}&date:missing=true"})
"""What no token tells is looked for in all of the patient's rows of the type, and no further."""


def asks(row: Parameter) -> Iterator[tuple[str, str]]:
    """The parameter with every modifier and every prefix it takes."""
    written = {value(row, kind, FIRST) for kind in row.kinds if kind != "SampledData"} if row.code != "deceased" else {"true"}
    for text in {"2026-01-05"} if row.code == "_lastUpdated" else written:
        yield row.code, text
        if row.type == "date":
            yield from ((row.code, prefix + text) for prefix in COMPARE)
        for modifier in sorted(SEARCH_TYPES[row.type].modifiers(row) - {"[type]"}):
            yield f"{row.code}:{modifier}", text
    if row.code != "_id":
        yield f"{row.code}:missing", "true"


@pytest.mark.parametrize("type", RESOURCE_TYPES)
def test_every_parameter_asks_a_question_of_a_kind_that_is_tested(type: str) -> None:
    """FHIR.md 4b: each advertised parameter has an index plan, or is decided by opening what its type token leads to."""
    of_type = token("_type", type)
    for row in RESOURCE_TYPES[type].parameters.values():
        for asked in asks(row):
            try:
                found = narrowed(search(type, asked)).predicate
            except FhirError:
                continue  # the value does not go with the modifier
            assert shape(found, of_type) in QUESTIONS, asked


@pytest.mark.parametrize("kind", QUESTIONS)
def test_each_question_here_is_of_its_kind(kind: str) -> None:
    """One of its criteria alone; what narrows it further may stand beside it."""
    for question in QUESTIONS[kind]:
        type, _, query = question.partition("?")
        pairs = [tuple(pair.split("=", 1)) for pair in query.replace(ME, "me").replace("{one}", "one").split("&")]
        shapes = {_shape(type, pair) for pair in pairs if not pair[0].startswith(("_total", "_sort"))}
        assert kind in shapes, question


def _shape(type: str, pair: Any) -> str:
    found: Predicate = narrowed(search(type, pair)).predicate
    return shape(found, token("_type", type))


@dataclass
class Asked(monitoring.CommandListener):
    """The queries that the database gets, while `on`."""

    seen: list[Document] = field(default_factory=list)
    on: bool = False

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        if self.on and event.command_name in ("find", "aggregate"):
            self.seen.append(dict(event.command))

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None: ...

    def failed(self, event: monitoring.CommandFailedEvent) -> None: ...


@dataclass(frozen=True, slots=True)
class Seen:
    """The answer, the plans of what was asked for it, and how many keys and documents were read."""

    answer: Document
    plans: list[Document]
    keys: int
    documents: int


@dataclass(frozen=True, slots=True)
class Scene:
    hub: InProcess
    ehr: Account
    asked: Asked
    me: str
    one: str
    mongod: MongoClient[Document]

    async def ask(self, question: str) -> Seen:
        path = question.replace(ME, self.me).replace("{one}", self.one)
        self.asked.seen.clear()
        self.asked.on, before = True, self._read()
        answer = await self.hub.http.get(f"/fhir/{path}", headers=self.hub.authorization(self.ehr, SCOPE))
        self.asked.on, after = False, self._read()
        assert answer.status_code == 200, answer.text
        return Seen(answer.json(), [self._explained(one) for one in self.asked.seen], after[0] - before[0], after[1] - before[1])

    def _read(self) -> tuple[int, int]:
        """Keys and documents that the server has examined since it began. What commands ask of it is explained, not counted."""
        counted = self.mongod.admin.command("serverStatus", metrics=1)["metrics"]["queryExecutor"]
        return int(counted["scanned"]), int(counted["scannedObjects"])

    def _explained(self, command: Document) -> Document:
        kept = ("find", "aggregate", "filter", "sort", "limit", "hint", "projection", "pipeline")
        asked = {name: command[name] for name in kept if name in command}
        if "aggregate" in asked:
            asked["cursor"] = {}
        return dict(self.mongod[command["$db"]].command("explain", asked, verbosity="queryPlanner"))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene(mongod: Endpoint, admin: MongoClient[Document], tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    for database in ("hub", "hub_keys", "hub_audit"):
        for name in admin[database].list_collection_names():
            admin[database][name].delete_many({})
    asked = Asked()

    def listened(url: str, **options: Any) -> Any:
        return AsyncMongoClient(url, event_listeners=[asked], **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hub.wiring.AsyncMongoClient", listened)
        async with in_process(tmp_path_factory.mktemp("plans"), mongod) as hub:
            ehr = await hub.register(new_client("ehr", SCOPE, consent_default="opt-out", recorder=True))
            yield await _filled(hub, ehr, asked, admin)


async def _filled(hub: InProcess, ehr: Account, asked: Asked, admin: MongoClient[Document]) -> Scene:
    headers = {**hub.authorization(ehr, SCOPE), "Content-Type": "application/fhir+json"}

    async def post(type: str, body: Document) -> str:
        answer = await hub.http.post(f"/fhir/{type}", json=body, headers=headers)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    me = await post("Patient", patient("Seltene"))
    seen = [me]
    while len(seen) < SEEN:
        entries = [{"resource": patient(), "request": {"method": "POST", "url": "Patient"}} for _ in range(min(50, SEEN - len(seen)))]
        answer = await hub.http.post("/fhir", json={"resourceType": "Bundle", "type": "batch", "entry": entries}, headers=headers)
        seen += [one["response"]["location"].split("/Patient/")[1].split("/")[0] for one in answer.json()["entry"]]
    rare = [observation(me, RARE, device={"reference": DEVICE}, performer=[{"reference": WHO}], at=f"2026-03-{n + 1:02}") for n in range(9)]
    rare[0]["identifier"] = [{"system": "urn:x", "value": "1"}]
    one, *_ = [await post("Observation", body) for body in rare]
    await post("Provenance", {**_provenance(), "target": [{"reference": f"Observation/{one}"}]})
    admin.hub.resources.insert_many(await _noise(hub, me, seen))
    return Scene(hub, ehr, asked, me, one, admin)


def _provenance() -> Document:
    return {"resourceType": "Provenance", "recorded": "2026-01-05T08:00:00Z", "agent": [{"who": {"display": "somebody"}}]}


async def _noise(hub: InProcess, me: str, seen: Sequence[str]) -> list[Document]:
    """One patient's long history of other codes, and rows of many who are hidden, which bear what everybody's do."""
    random, blind = Random(1), hub.hub.services.blind
    made = [await _sealed(hub, observation(me, WEIGHT, at=_day(random)), f"history{n}") for n in range(HISTORY)]
    made += [await _sealed(hub, observation(one, HEART_RATE, at=_day(random)), f"seen{one}") for one in seen]
    made += [await _sealed(hub, _encounter(one, _day(random)), f"seen{one}") for one in seen]
    hidden = [blind.patient(f"hidden{n}") for n in range(HIDDEN)]
    for n in range(NOISE):
        like = random.choice(made[HISTORY:])
        made.append({**like, "_id": f"{like['t']}/hidden{n}", "p": random.choice(hidden), "d": like["d"] + n, "e": like["e"] + n})
    return made


def _encounter(person: str, day: str) -> Document:
    return {
        "resourceType": "Encounter",
        "status": "finished",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
        "subject": {"reference": f"Patient/{person}"},
        "period": {"start": day, "end": f"{int(day[:4]) + 1}{day[4:]}"},
    }


def _day(random: Random) -> str:
    return f"{random.randint(2016, 2025)}-{random.randint(1, 12):02}-{random.randint(1, 28):02}"


async def _sealed(hub: InProcess, content: Document, id: str) -> Document:
    """A row as the hub writes it, without its record in the log."""
    services, type = hub.hub.services, content["resourceType"]
    content = {**content, "id": id}
    found = index(content, token=services.blind.token, patient_token=services.blind.patient, base=services.base_url)
    owner = None if found.patient is None else services.blind.patient(found.patient)
    key = await services.vault.key(owner)
    row = Stored(
        type=type,
        id=id,
        version=1,
        updated_us=1_700_000_000_000_000,
        sealed=services.vault.seal(key, type, id, 1, owner, orjson.dumps(content)),
        key_version=key.version,
        patient=owner,
        tokens=tuple(sorted(found.k)),
        global_tokens=tuple(sorted(found.g)),
        start_us=found.start_us,
        end_us=found.end_us,
    )
    return document(row)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("question", [*(one for those in QUESTIONS.values() for one in those), *JOINED])
async def test_a_page_costs_no_more_than_it_shows_and_one_look_at_whom_it_may_show(scene: Scene, question: str) -> None:
    """DESIGN 5: no collection is read, nothing but what matches is sorted in memory, and keys are read for what is answered."""
    found = await scene.ask(question)
    stages = [stage for plan in found.plans for stage in _stages(plan)]
    assert "COLLSCAN" not in {stage["stage"] for stage in stages}
    _assert_as_explained(question, found)
    most = KEYS_OF_PATIENT_MAX if "patient={me}" in question else KEYS_MAX
    most += HISTORY if question in WITHIN_ONE_PATIENT else 0
    assert (found.keys <= most, found.documents <= most) == (True, True)


def _assert_as_explained(question: str, found: Seen) -> None:
    """`_explain` names every index that MongoDB may choose: the last query in an order is that of the matches."""
    if question in JOINED:
        return
    type, _, query = question.partition("?")
    pairs = [pair.split("=", 1) for pair in query.replace(ME, "me").replace("{one}", "one").split("&")]
    asked = search(type, *((name, text) for name, text in pairs))
    kind = shape(narrowed(asked).predicate, token("_type", type))
    told = leads(type, kind, Order(field=(row_order(asked) or (("id", False),))[0][0]))
    of_matches = [plan for plan in found.plans if "sort" in plan["command"] and "projection" not in plan["command"]]
    chosen = {stage["indexName"] for plan in of_matches for stage in _stages(plan) if "indexName" in stage}
    assert chosen <= set(told)


def _stages(plan: Any) -> Iterator[Mapping[str, Any]]:
    if "stages" in plan:
        for one in plan["stages"]:
            if "$cursor" in one:
                yield from _stages(one["$cursor"])
        return
    yield from _below(plan["queryPlanner"]["winningPlan"])


def _below(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    if "stage" in plan:
        yield plan
    for one in (*plan.get("inputStages", ()), *(plan[name] for name in ("inputStage", "queryPlan") if name in plan)):
        yield from _below(one)
