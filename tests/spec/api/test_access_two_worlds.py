"""The two-world test: what a caller may not see changes nothing of any answer, byte for byte.

SECURITY 2.6 (1), which covers paths 1 to 55 and 67 to 70 of 2.4; DESIGN law 3. Clock and ids of the hub depend on the
number of the request alone, so nothing is masked but the sealed page links, and of those the length is compared.
"""

import os
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from pymongo import MongoClient

from adapters.discovery import adapters
from hub.operator import Operator
from hub.services import random_id
from hub.store.embedded import Endpoint
from tests.spec.api.two_worlds import OWN, Question, Thing, questions, things
from tests.spec.api.two_worlds_more import more_questions, more_things
from tests.support.backstage import Account, new_client
from tests.support.inprocess import InProcess, in_process

LOADER = new_client("loader", "system/*.cruds", consent_default="opt-out", recorder=True, importer=True)
SCOPES = {
    "everything": "system/*.cruds",
    "vital signs": "system/Observation.crus?category=vital-signs system/Patient.rs system/Consent.rs system/Device.rus "
    "system/Provenance.crs",
}
CALLERS = {
    "opt-in": new_client("asker", "system/*.cruds"),
    "opt-out elsewhere": new_client("opt-out", "system/*.cruds", consent_default="opt-out"),
    "another purpose": new_client("payer", "system/*.cruds", purpose="HPAYMT"),
}
LOADER_TURN, FIRST_QUESTION = 900, 1_000
QUESTIONS = int(os.environ.get("HUB_TWO_WORLDS_QUESTIONS", "300"))
TYPES = ("Patient", "Observation", "Device", "Consent", "Organization", "Practitioner")
PAGE = re.compile(r"_page=([\w-]+)")


@dataclass(frozen=True, slots=True)
class Answer:
    question: str
    status: int
    headers: tuple[tuple[str, str], ...]
    body: str

    @classmethod
    def of(cls, question: str, response: httpx.Response) -> "Answer":
        body = PAGE.sub(lambda found: f"_page={len(found[1])}", response.text)
        return cls(question, response.status_code, tuple(sorted(response.headers.items())), body)


@dataclass(slots=True)
class World:
    """One of the two: loaded with all things or with those that are not hidden."""

    hub: InProcess
    asker: Account
    scope: str
    shown: Mapping[str, str] | None = None
    """The header of a person's token; None: the client asks by itself."""

    async def load(self, loaded: Sequence[Thing], *, hidden: bool) -> None:
        authorization = self.hub.authorization(LOADER, "system/*.cruds")
        for number, thing in enumerate(loaded):
            if thing.hidden and not hidden:
                continue
            self.hub.turn.take(number)
            if thing.paired is not None:
                await self._pair(thing)
                continue
            body = with_organization(thing.resource, self.asker.organization)
            answer = await self.hub.http.put(
                f"/fhir/{thing.name}", json=body, headers={**authorization, "Content-Type": "application/fhir+json"}
            )
            assert answer.status_code == 201, (thing.name, answer.text)
            if thing.deleted:
                assert (await self.hub.http.delete(f"/fhir/{thing.name}", headers=authorization)).status_code == 204

    async def _pair(self, thing: Thing) -> None:
        manifest = adapters()["withings"].manifest
        await Operator(self.hub.hub).pair(
            system=manifest.identifier_system,
            manufacturer=manifest.manufacturer,
            product=manifest.product,
            identifier=thing.resource["id"],
            patient=f"Patient/{thing.paired}",
            from_us=0,
            to_us=None,
        )

    async def totals(self) -> dict[str, int]:
        """What somebody sees who may see nearly everything."""
        headers = self.hub.authorization(LOADER, "system/*.cruds")
        answers = {type: await self.hub.http.get(f"/fhir/{type}?_summary=count", headers=headers) for type in TYPES}
        return {type: answer.json()["total"] for type, answer in answers.items()}

    async def answers(self, asked: Sequence[Question]) -> list[Answer]:
        authorization = self.shown or self.hub.authorization(self.asker, self.scope)
        made = []
        for number, question in enumerate(asked, start=FIRST_QUESTION):
            self.hub.turn.take(number)
            made += await self._answers(question, authorization)
        return made

    async def _answers(self, question: Question, authorization: Any) -> list[Answer]:
        url, made = question.path, []
        headers = {**authorization, **dict(question.headers)}
        for step in range(question.follow + 1):
            method, body = (question.method, question.body) if step == 0 else ("GET", None)
            response = await self.hub.http.request(method, url, content=body, headers=headers)
            name = f"{method} {PAGE.sub('…', url)} {'' if step else dict(question.headers)} {(body or b'')[:200].decode()}"
            made.append(Answer.of(name, response))
            following = next_link(response) if question.follow else None
            if following is None:
                break
            url = following
        return made


Begin = Callable[[InProcess], Awaitable[World]]
"""Who asks, at a hub that is empty yet."""


def next_link(response: httpx.Response) -> str | None:
    if response.status_code != 200:
        return None
    return next((str(one["url"]) for one in response.json()["link"] if one["relation"] == "next"), None)


def with_organization(resource: dict[str, Any], organization: str) -> dict[str, Any]:
    provision = resource.get("provision", {})
    if not any(one["reference"]["reference"] == OWN for one in provision.get("actor", ())):
        return resource
    actors = [{**one, "reference": {"reference": organization}} for one in provision["actor"]]
    return {**resource, "provision": {**provision, "actor": actors}}


def drawn_for_the_log(_: Any) -> Iterator[str]:
    """Ids of records: one request has more of them in one world, which must not move the ids of what it creates."""
    while True:
        yield random_id()


def emptied(admin: MongoClient[dict[str, Any]]) -> None:
    """All but the keys: the tokens by which rows are found and ordered have to be the same in both worlds."""
    for database in ("hub", "hub_audit"):
        for name in admin[database].list_collection_names():
            admin[database][name].delete_many({})


@pytest.mark.parametrize(
    ("caller", "scope"),
    [("opt-in", "everything"), ("opt-in", "vital signs"), ("opt-out elsewhere", "everything"), ("another purpose", "everything")],
)
async def test_what_is_hidden_changes_nothing(
    caller: str,
    scope: str,
    clean_database: Endpoint,
    admin: MongoClient[dict[str, Any]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """SECURITY 2.6 (1): the same questions to both worlds, the same answers in status, headers and body."""
    monkeypatch.setattr("hub.recording._ids", drawn_for_the_log)
    asked = questions(QUESTIONS, seed=[*CALLERS].index(caller) + len(scope))
    await compare(by_itself(caller, scope), asked, things(), clean_database, admin, tmp_path)


@pytest.mark.parametrize(
    ("caller", "scope"),
    [("opt-in", "everything"), ("opt-in", "vital signs"), ("opt-out elsewhere", "everything"), ("another purpose", "everything")],
)
async def test_what_is_hidden_changes_nothing_of_what_else_there_is(
    caller: str,
    scope: str,
    clean_database: Endpoint,
    admin: MongoClient[dict[str, Any]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The same for compartments, operations, conditional interactions, patches, batches and transactions."""
    monkeypatch.setattr("hub.recording._ids", drawn_for_the_log)
    asked = more_questions(QUESTIONS, seed=[*CALLERS].index(caller) + len(scope))
    await compare(by_itself(caller, scope), asked, more_things(), clean_database, admin, tmp_path)


def by_itself(caller: str, scope: str) -> Begin:
    async def begin(hub: InProcess) -> World:
        return World(hub, await hub.register(CALLERS[caller]), SCOPES[scope])

    return begin


async def compare(
    begin: Begin,
    asked: Sequence[Question],
    loaded: Sequence[Thing],
    database: Endpoint,
    admin: MongoClient[dict[str, Any]],
    directory: Path,
) -> None:
    transcripts, seen_by_others = [], []
    for hidden in (False, True):
        emptied(admin)
        async with in_process(directory, database, controlled=True) as hub:
            hub.turn.take(LOADER_TURN)
            await hub.register(LOADER)
            hub.turn.take(LOADER_TURN + 1)
            world = await begin(hub)
            await world.load(loaded, hidden=hidden)
            seen_by_others.append(await world.totals())
            transcripts.append(await world.answers(asked))
    for type, (few, many) in {type: (seen_by_others[0][type], seen_by_others[1][type]) for type in TYPES}.items():
        assert few < many, f"the set-up hides no {type}"
    different = [pair for pair in zip(*transcripts, strict=True) if pair[0] != pair[1]]
    assert not different, f"{len(different)} of {len(transcripts[0])} answers differ, first: {different[:3]}"
    assert 500 not in {one.status for one in transcripts[0]}
    assert sum(one.status == 200 for one in transcripts[0]) > QUESTIONS / 5
