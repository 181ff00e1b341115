"""A payload that waits whole may be many readings when it is read: it goes through in parts, and stands before no other.

DESIGN law 5, DESIGN 7.
"""

from collections.abc import Callable
from typing import Any

import pytest

from adapters.reading import Rejected
from hub.errors import FhirError
from hub.ingest import pipeline
from hub.ingest.fates import Answer
from hub.ingest.intake import Parcel, known_adapter
from hub.ingest.replay import How, replay_as_sent
from hub.ingest.sender import Senders
from hub.store.protocol import Unavailable
from hub.store.quarantine import WaitingAsked
from tests.support.backstage import Backstage
from tests.support.caller import Caller
from tests.support.payloads import WEIGHT, group, identifier_system, weight, withings
from tests.support.resources import patient


class Scene:
    """A vendor whose messages wait whole, as those of a broker do that could not be taken in, and a patient."""

    def __init__(self, backstage: Backstage, ehr: Caller, vendor: Caller) -> None:
        self.backstage, self.ehr, self.vendor = backstage, ehr, vendor
        self.person: str = ehr.create(patient())["id"]
        services, find = backstage.hub.services, backstage.hub.oauth.find_client
        self.senders = Senders(services=services, find_client=find, user="tests", reason="tests")

    def pair(self, unit: str) -> None:
        self.backstage.pair(identifier_system("withings"), unit, f"Patient/{self.person}", from_us=0)

    def keep(self, unit: str, payload: bytes) -> None:
        async def act() -> None:
            repository = await self.senders.repository(self.vendor.account.id)
            sent = Parcel(adapter=known_adapter("withings"), payload=payload, device=unit).sent
            item = Rejected(code="message-transient", hint="Replay it.", pointer="", raw=payload, device=unit)
            async with repository.recording("ingest") as recording:
                await pipeline.Pipeline(repository, sent, recording).run([item])

        self.backstage.run(act())

    def replay(self) -> list[Answer]:
        services = self.backstage.hub.services
        asked = WaitingAsked(now_us=services.clock(), client=self.vendor.account.id)

        async def act() -> list[Answer]:
            return [answer async for _, answers in replay_as_sent(self.senders, asked, How()) for answer in answers]

        return self.backstage.run(act())

    def waiting(self) -> dict[str, Any]:
        return {one["id"]: one for one in self.vendor.get("/quarantine?_count=1000").json()}

    def total(self) -> int:
        count: int = self.ehr.search(f"Observation?patient={self.person}&_summary=count")["total"]
        return count


@pytest.fixture
def scene(backstage: Backstage, ehr: Caller, another: Callable[..., Caller]) -> Scene:
    return Scene(backstage, ehr, another("system/Observation.c", organization=ehr.account.organization, consent_default="opt-out"))


def test_a_payload_of_many_readings_goes_through_in_parts(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """One transaction has its limits, and what waits is freed with the last of them."""
    unit, sizes, settle = f"many-{scene.person}", [], pipeline.settle
    scene.pair(unit)
    scene.keep(unit, withings(*(group(number, (WEIGHT, 70 + number, 0), date=1_750_000_000 + number) for number in range(5))))

    async def watched(candidates: Any, *given: Any, **more: Any) -> Any:
        sizes.append((len(candidates), len(scene.waiting())))
        return await settle(candidates, *given, **more)

    monkeypatch.setattr(pipeline, "settle", watched)
    monkeypatch.setattr(pipeline, "BATCH_ITEMS_MAX", 2)
    assert [answer.fate for answer in scene.replay()] == ["stored"] * 5
    assert sizes == [(2, 1), (2, 1), (1, 1)]
    assert (scene.total(), scene.waiting()) == (5, {})


def test_what_goes_on_waiting_in_an_earlier_part_is_not_freed_with_the_last(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        scene.vendor.fates("withings", weight(70_000 + number, number), device="nobody")
    before = scene.waiting()
    monkeypatch.setattr(pipeline, "BATCH_ITEMS_MAX", 1)
    assert [answer.fate for answer in scene.replay()] == ["quarantined"] * 3
    assert (len(before), scene.waiting()) == (3, before)


@pytest.mark.parametrize(
    ("fault", "code"),
    [(FhirError("too-costly", "Too much."), "too-costly"), (Unavailable(), "transient"), (ValueError("70.1 kg"), "exception")],
)
def test_what_cannot_go_through_waits_and_the_others_go_through(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, fault: Exception, code: str
) -> None:
    """It is said of the items which it concerns, and recorded (law 2); nothing that was measured is in the answer."""
    settle, met = pipeline.settle, []
    for number in (1, 2):
        scene.pair(f"{number}-{scene.person}")
        scene.keep(f"{number}-{scene.person}", weight(70_000 + number, number))

    async def failing(*given: Any, **more: Any) -> Any:
        met.append(1)
        if len(met) == 1:
            raise fault
        return await settle(*given, **more)

    monkeypatch.setattr(pipeline, "settle", failing)
    answers: list[Answer] = []
    records = scene.backstage.recorded_by(lambda: answers.extend(scene.replay()))
    assert [(answer.fate, answer.code) for answer in answers] == [("quarantined", code), ("stored", None)]
    assert "70.1" not in str(answers[0].hint)
    assert {one.outcome for one in records} == {"0", "4" if code == "too-costly" else "8"}
    assert [answer.fate for answer in scene.replay()] == ["stored"]
    assert (scene.total(), scene.waiting()) == (2, {})
