"""The record is durable before the first byte that it covers leaves; if it is not, nothing leaves.

DESIGN law 2; SECURITY 3.4 (1, 5). The hub runs inside the test, so that its log can be held up and made to fail.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from audit.record import Record
from hub.store.committer import RoundWriter, Uncertain, Unreached
from hub.store.embedded import Endpoint
from hub.store.protocol import Unit
from tests.support.backstage import Account, new_client
from tests.support.inprocess import InProcess, in_process
from tests.support.outcomes import refused
from tests.support.resources import ABSENT, HEART_RATE, observation, organization, patient

Json = dict[str, Any]
KEY = [{"system": "urn:first", "value": "1"}]
PATIENCE_S, PATIENCE_TURNS = 180, 50
"""So often everybody else gets a turn before the test concludes that a request is waiting."""


class Gate:
    """Stands before the hub's own writer of rounds."""

    def __init__(self, writer: RoundWriter) -> None:
        self._writer = writer
        self.arrived, self.open = asyncio.Event(), asyncio.Event()
        self.failure: Exception | None = None
        self.fail_after_writing = False
        self.open.set()

    async def write(self, units: Sequence[Unit], records: Sequence[Record]) -> None:
        self.arrived.set()
        await self.open.wait()
        if self.failure is not None and not self.fail_after_writing:
            raise self.failure
        await self._writer.write(units, records)
        if self.failure is not None:
            raise self.failure


class Set:
    """A hub with one reading of one patient, its gate, and a caller."""

    def __init__(self, hub: InProcess, account: Account) -> None:
        self.hub = hub
        self.headers = {**hub.authorization(account, "system/*.cruds"), "Content-Type": "application/fhir+json"}
        lanes = hub.hub.services.store.committer.each
        self.gate = Gate(lanes[0]._writer)
        for lane in lanes:
            lane._writer = self.gate
        self.patient = self.reading = ""

    async def ask(self, method: str, path: str, body: Json | bytes | None = None, **headers: str) -> httpx.Response:
        sent = {"json": body} if isinstance(body, dict) else {"content": body}
        named = {**self.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
        return await self.hub.http.request(method, path, headers=named, **sent)  # type: ignore[arg-type]

    async def given(self) -> "Set":
        self.patient = (await self.ask("POST", "/fhir/Patient", patient(identifier=KEY))).json()["id"]
        self.reading = (await self.ask("POST", "/fhir/Observation", observation(self.patient))).json()["id"]
        return self


@pytest.fixture
async def set_up(clean_database: Endpoint, tmp_path: Path) -> AsyncIterator[Set]:
    async with in_process(tmp_path, clean_database) as hub:
        account = await hub.register(new_client("ehr", "system/*.cruds", consent_default="opt-out", recorder=True))
        made = Set(hub, account)
        try:
            yield await made.given()
        finally:
            made.gate.failure = None
            made.gate.open.set()  # or the hub would wait for what a failed test held up


Ask = Callable[[Set], Awaitable[httpx.Response]]
GROUP = (
    b'{"measuregrps": [{"grpid": 1, "attrib": 0, "date": 1750000000, "category": 1, "measures": [{"value": 71, "type": 1, "unit": 0}]}]}'
)
STATISTIC = "system=http://loinc.org&code=8867-4&statistic=average"
JSON_PATCH = "application/json-patch+json"
STALE = 'W/"7"'


def _bundle(type: str, on: Set) -> Json:
    """One entry that reads, one that writes nothing new, one search."""
    urls = (f"Observation/{on.reading}", f"Patient/{on.patient}", f"Observation?patient={on.patient}")
    entries: list[Json] = [{"request": {"method": "GET", "url": url}} for url in urls]
    made = {"request": {"method": "POST", "url": "Organization"}, "resource": organization()}
    return {"resourceType": "Bundle", "type": type, "entry": [*entries, made]}


def _found(on: Set) -> Json:
    """A transaction that writes nothing: what it asks for is there."""
    criteria = {"method": "POST", "url": "Patient", "ifNoneExist": "identifier=urn:first|1"}
    return {"resourceType": "Bundle", "type": "transaction", "entry": [{"request": criteria, "resource": patient(identifier=KEY)}]}


ASKED: dict[str, tuple[Ask, int]] = {
    "read": (lambda on: on.ask("GET", f"/fhir/Observation/{on.reading}"), 200),
    "vread": (lambda on: on.ask("GET", f"/fhir/Observation/{on.reading}/_history/1"), 200),
    "search": (lambda on: on.ask("GET", f"/fhir/Observation?patient={on.patient}"), 200),
    "count": (lambda on: on.ask("GET", f"/fhir/Observation?patient={on.patient}&_summary=count"), 200),
    "create": (lambda on: on.ask("POST", "/fhir/Observation", observation(on.patient)), 201),
    "update": (lambda on: on.ask("PUT", f"/fhir/Observation/{on.reading}", {**observation(on.patient), "id": on.reading}), 200),
    "ingest": (lambda on: on.ask("POST", "/ingest/withings?device=x", GROUP), 200),
    "quarantine": (lambda on: on.ask("GET", "/quarantine"), 200),
    "absent": (lambda on: on.ask("GET", f"/fhir/Observation/{ABSENT}"), 404),
    "malformed": (lambda on: on.ask("POST", "/fhir/Observation", b"{nonsense"), 400),
    "not allowed": (lambda on: on.ask("GET", "/fhir/AuditEvent"), 403),
    "no route": (lambda on: on.ask("GET", "/fhir/no/such/thing/here"), 404),
    "no method": (lambda on: on.ask("DELETE", f"/fhir/Observation/{on.reading}/_history/1"), 405),
    "history": (lambda on: on.ask("GET", f"/fhir/Observation/{on.reading}/_history"), 200),
    "history of a type": (lambda on: on.ask("GET", "/fhir/Observation/_history"), 200),
    "history of the system": (lambda on: on.ask("GET", "/fhir/_history"), 200),
    "head": (lambda on: on.ask("HEAD", f"/fhir/Observation/{on.reading}"), 200),
    "known already": (lambda on: on.ask("GET", f"/fhir/Observation/{on.reading}", If_None_Match='W/"1"'), 304),
    "include": (lambda on: on.ask("GET", "/fhir/Observation?_include=Observation:patient"), 200),
    "system search": (lambda on: on.ask("GET", "/fhir?_type=Patient,Observation"), 200),
    "compartment": (lambda on: on.ask("GET", f"/fhir/Patient/{on.patient}/Observation"), 200),
    "everything": (lambda on: on.ask("GET", f"/fhir/Patient/{on.patient}/$everything"), 200),
    "measures": (lambda on: on.ask("GET", f"/fhir/Patient/{on.patient}/$measures?shape=phd"), 200),
    "lastn": (lambda on: on.ask("GET", f"/fhir/Observation/$lastn?patient={on.patient}"), 200),
    "stats": (lambda on: on.ask("GET", f"/fhir/Observation/$stats?subject=Patient/{on.patient}&{STATISTIC}"), 200),
    "meta": (lambda on: on.ask("GET", f"/fhir/Observation/{on.reading}/$meta"), 200),
    "meta of a type": (lambda on: on.ask("GET", "/fhir/Observation/$meta"), 200),
    "validate": (lambda on: on.ask("GET", f"/fhir/Observation/{on.reading}/$validate"), 200),
    "expand": (lambda on: on.ask("GET", "/fhir/ValueSet/$expand?url=http://hl7.org/fhir/ValueSet/administrative-gender"), 200),
    "found instead of created": (
        lambda on: on.ask("POST", "/fhir/Patient", patient(identifier=KEY), If_None_Exist="identifier=urn:first|1"),
        200,
    ),
    "patch that changes nothing": (lambda on: on.ask("PATCH", f"/fhir/Observation/{on.reading}", b"[]", Content_Type=JSON_PATCH), 200),
    "patch whose test fails": (
        lambda on: on.ask(
            "PATCH",
            f"/fhir/Observation/{on.reading}",
            b'[{"op": "test", "path": "/status", "value": "x"}]',
            Content_Type=JSON_PATCH,
        ),
        422,
    ),
    "stale update": (
        lambda on: on.ask("PUT", f"/fhir/Observation/{on.reading}", {**observation(on.patient), "id": on.reading}, If_Match=STALE),
        412,
    ),
    "needed patient": (lambda on: on.ask("DELETE", f"/fhir/Patient/{on.patient}"), 409),
    "batch": (lambda on: on.ask("POST", "/fhir", _bundle("batch", on)), 200),
    "transaction": (lambda on: on.ask("POST", "/fhir", _bundle("transaction", on)), 200),
    "transaction that finds": (lambda on: on.ask("POST", "/fhir", _found(on), Prefer="return=representation"), 200),
    "delete": (lambda on: on.ask("DELETE", f"/fhir/Observation/{on.reading}"), 204),
}


@pytest.mark.parametrize("what", ASKED)
async def test_nothing_leaves_before_the_record_is_durable(set_up: Set, what: str) -> None:
    """Law 2: while the log is being written there is no answer; as soon as it is, there is."""
    ask, status = ASKED[what]
    gate = set_up.gate
    gate.open.clear()
    gate.arrived.clear()
    request = asyncio.ensure_future(ask(set_up))
    await asyncio.wait_for(gate.arrived.wait(), PATIENCE_S)
    for _ in range(PATIENCE_TURNS):
        await asyncio.sleep(0)
    assert not request.done()
    gate.open.set()
    assert (await request).status_code == status


@pytest.mark.parametrize("what", ASKED)
@pytest.mark.parametrize("failure", [Uncertain("gone"), Unreached("gone")], ids=["uncertain", "unreached"])
async def test_without_a_record_there_is_nothing_but_503(set_up: Set, what: str, failure: Exception) -> None:
    """SECURITY 3.4 (5): if the audit store cannot acknowledge: 503, no data. Afterwards the hub goes on without help."""
    ask, status = ASKED[what]
    set_up.gate.failure = failure
    answer = await ask(set_up)
    assert answer.status_code == 503
    if answer.request.method != "HEAD":
        refused(answer, 503, "transient")
    assert set_up.reading not in answer.text
    assert set_up.patient not in answer.text
    assert "etag" not in answer.headers
    set_up.gate.failure = None
    assert (await ask(set_up)).status_code == status


async def test_a_write_that_was_not_acknowledged_is_not_answered_as_done(set_up: Set) -> None:
    """Law 5: the transaction went through and its acknowledgement was lost: 503, and the client asks again."""
    set_up.gate.failure, set_up.gate.fail_after_writing = Uncertain("gone"), True
    told = refused(await set_up.ask("POST", "/fhir/Organization", organization("Perdue")), 503, "transient")[0]["diagnostics"]
    assert "nothing was done" not in told
    assert "If-None-Exist" in told


async def test_the_failure_of_one_write_is_not_its_neighbours(set_up: Set) -> None:
    """DESIGN 6: one request's failure must not fail its neighbours: the one that was overtaken is refused, the others stand."""
    stale = [{**observation(set_up.patient, HEART_RATE, value), "id": set_up.reading} for value in (171, 172, 173)]
    set_up.gate.open.clear()
    updates = [asyncio.ensure_future(set_up.ask("PUT", f"/fhir/Observation/{set_up.reading}", one)) for one in stale]
    creates = [asyncio.ensure_future(set_up.ask("POST", "/fhir/Organization", organization())) for _ in range(3)]
    await asyncio.wait_for(set_up.gate.arrived.wait(), PATIENCE_S)
    set_up.gate.open.set()
    assert {(await one).status_code for one in creates} == {201}
    assert {(await one).status_code for one in updates} == {200}
    versions = [
        (await set_up.ask("GET", f"/fhir/Observation/{set_up.reading}/_history/{version}")).status_code for version in (1, 2, 3, 4, 5)
    ]
    assert versions == [200, 200, 200, 200, 404]


async def test_who_hangs_up_leaves_a_record_all_the_same(set_up: Set) -> None:
    """SECURITY 3.4 (1): over-recording is allowed, under-recording is not; and nobody else is disturbed."""
    records = set_up.hub.hub.services.store._audit["records"]
    before = await records.count_documents({})
    set_up.gate.open.clear()
    set_up.gate.arrived.clear()
    request = asyncio.ensure_future(set_up.ask("GET", f"/fhir/Observation/{set_up.reading}"))
    await asyncio.wait_for(set_up.gate.arrived.wait(), PATIENCE_S)
    request.cancel()
    other = asyncio.ensure_future(set_up.ask("GET", f"/fhir/Patient/{set_up.patient}"))
    set_up.gate.open.set()
    assert (await other).status_code == 200
    assert await records.count_documents({}) - before == 4
