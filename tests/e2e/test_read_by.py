"""Who read a reading is said as it was, however long it waited: in meta.source, and beside the item that is kept of it.

docs/adr/0017-rederivation.md: what one version of a mapping read has to be found by that version, or a mistake of it stays where it is.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from adapters.reading import Item, Reading
from fhir_profiles.derivation import ADAPTER
from hub.ingest import replay
from hub.ingest.fates import Answer
from hub.ingest.replay import How, replay_as_sent
from hub.store.quarantine import WaitingAsked
from tests.support.backstage import Backstage
from tests.support.caller import Caller
from tests.support.fixtures import Running
from tests.support.payloads import identifier_system, weight
from tests.support.rederiving import Bench, Mapping, tenfold
from tests.support.resources import patient

OLD, NEW = f"{ADAPTER}/withings/0.9.0", f"{ADAPTER}/withings/9.0.0"


@pytest.fixture
def person(ehr: Caller) -> str:
    return str(ehr.create(patient())["id"])


@pytest.fixture
def bench(ehr: Caller, backstage: Backstage, another: Callable[..., Caller]) -> Bench:
    """What it ingests, version 0.9.0 reads. Nothing else waits of this sender."""
    vendor = another("system/Observation.c", organization=ehr.account.organization, consent_default="opt-out")
    return Bench(backstage, vendor.account, "withings")


def let_in(bench: Bench, by: Mapping, monkeypatch: pytest.MonkeyPatch) -> list[Answer]:
    """All that waits of the sender, with this mapping installed."""
    monkeypatch.setattr(replay, "adapters", lambda: {"withings": by})
    asked = WaitingAsked(now_us=bench.backstage.hub.services.clock(), client=bench.account.id)

    async def run() -> list[Answer]:
        return [answer async for _, answers in replay_as_sent(bench.senders, asked, How()) for answer in answers]

    return bench.backstage.run(run())


def sources(caller: Caller, person: str) -> dict[float, str]:
    """By weight in kilograms."""
    found = [one["resource"] for one in caller.search(f"Observation?patient={person}").get("entry", ())]
    return {one["valueQuantity"]["value"]: one["meta"]["source"] for one in found}


def trips_over_the_heavy(reading: Reading) -> Item:
    if "71" in str(reading.value):
        raise KeyError("unit")
    return reading


def kept_as(bench: Bench, person: str, version: str) -> int:
    """How many items are kept as read by this version."""
    return sum(bench.plan(person, mapping_version=version).kinds.values())


def test_what_is_let_in_without_being_read_again_names_the_mapping_that_read_it(
    bench: Bench, ehr: Caller, backstage: Backstage, person: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two items that go through together, one is read again and one trips today's mapping: each says who read it."""
    unit = f"waits-{person}"
    for grams in (70_000, 71_000):
        bench.ingest(weight(grams, grams, date=1_750_000_000 + grams), device=unit)
    backstage.pair(identifier_system("withings"), unit, f"Patient/{person}", from_us=0)
    answers = let_in(bench, replace(bench.mended, mistake=trips_over_the_heavy), monkeypatch)
    assert [one.fate for one in answers] == ["stored", "stored"]
    assert sources(ehr, person) == {70: NEW, 71: OLD}
    assert (kept_as(bench, person, "0.9.0"), kept_as(bench, person, "9.0.0")) == (1, 1)


def test_what_goes_on_waiting_is_still_what_that_mapping_read(
    bench: Bench, ehr: Caller, backstage: Backstage, person: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Let in too early, and again when the unit is paired: the second time it is read by the mapping of then."""
    unit, bench.mistake = f"early-{person}", tenfold
    bench.ingest(weight(71_000), device=unit)
    tripping = replace(bench.mended, mistake=trips_over_the_heavy)
    assert [one.fate for one in let_in(bench, tripping, monkeypatch)] == ["quarantined"]
    backstage.pair(identifier_system("withings"), unit, f"Patient/{person}", from_us=0)
    assert [one.fate for one in let_in(bench, bench.mended, monkeypatch)] == ["stored"]
    assert sources(ehr, person) == {71: NEW}
    assert "71.0000" not in ehr.get(f"Observation?patient={person}").text, "it was read again"


def test_what_a_person_confirms_names_the_mapping_that_read_it(running: Running, bench: Bench, ehr: Caller, person: str) -> None:
    """Nobody reads it again: the person says whose it is, not what it is."""
    unit, other = f"shared-{person}", ehr.create(patient())["id"]
    command: Any = running.process.invoke
    for one in (person, other):
        assert command("device", "pair", "withings", unit, "--patient", f"Patient/{one}", "--from", "2020-01-01", "--shared").code == 0
    assert [one.fate for one in bench.ingest(weight(70_000), device=unit)] == ["quarantined"]
    (waiting,) = [
        one
        for one in command("device", "confirm", "list", "--json").json()
        if f"Patient/{person}" in {each["patient"] for each in one["candidates"]}
    ]
    assigned = command("device", "confirm", "assign", waiting["id"], "--patient", f"Patient/{person}", "--reason", "asked")
    assert assigned.json()["fate"] == "stored"
    assert sources(ehr, person) == {70: OLD}
    assert (kept_as(bench, person, "0.9.0"), kept_as(bench, person, "9.0.0")) == (1, 0)
