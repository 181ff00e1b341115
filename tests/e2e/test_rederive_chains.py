"""Readings that take each other's place go where they belong: all of a chain or nothing, none hidden, lost or doubled.

docs/adr/0017-rederivation.md, docs/guides/rederivation.md.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from adapters.reading import Item, Reading, Rejected
from hub.ingest.rederive.applying import Applied, Applier
from hub.ingest.rederive.plan import Plan
from hub.ingest.rederive.report import entry, page
from tests.support.backstage import Backstage
from tests.support.caller import Caller
from tests.support.edf import File, Signal
from tests.support.fixtures import Running
from tests.support.payloads import identifier_system, libreview
from tests.support.rederiving import Bench, shifted, stored
from tests.support.resources import patient

Json = dict[str, Any]
STEP = timedelta(minutes=15)
TIMES = ("08:00", "08:15", "08:30", "08:45")
VALUES = (101, 102, 102, 103)
"""Two neighbours say the same: whoever comes is no duplicate of who is about to leave."""
RIGHT = list(zip(TIMES, VALUES, strict=True))


@pytest.fixture
def person(ehr: Caller) -> str:
    return str(ehr.create(patient())["id"])


@pytest.fixture
def grid(ehr: Caller, backstage: Backstage, person: str) -> Bench:
    """A sensor whose intervals are read one step late: each reading lies where the next one belongs."""
    backstage.pair(identifier_system("libreview"), f"sensor-{person}", f"Patient/{person}", from_us=0)
    return Bench(backstage, ehr.account, "libreview", shifted(lambda _: STEP))


@pytest.fixture(params=[1, 500], ids=["in many transactions", "in one"])
def unit_rows(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    rows: int = request.param
    monkeypatch.setattr("hub.ingest.rederive.plan.UNIT_ROWS", rows)
    return rows


def take_in(bench: Bench, person: str, rows: list[tuple[str, int]] = RIGHT) -> list[str]:
    lines = [(f"25-01-2026 {time}", "0", str(value)) for time, value in rows]
    return stored(bench.ingest(libreview(f"sensor-{person}", *lines), zone="UTC"))


def final(caller: Caller, person: str) -> list[tuple[str, int]]:
    found = caller.search(f"Observation?patient={person}&status=final&_sort=date&_count=100").get("entry", ())
    return [(one["resource"]["effectiveDateTime"][11:16], one["resource"]["valueQuantity"]["value"]) for one in found]


def versions(caller: Caller, reference: str) -> list[tuple[str, Any]]:
    """Status and value of each, the oldest first."""
    found = caller.get(f"{reference}/_history").json()["entry"]
    return [(one["resource"]["status"], one["resource"]["valueQuantity"]["value"]) for one in reversed(found)]


def linked(resource: Json) -> dict[str, str]:
    return {one["url"].rpartition("/")[2]: one["valueReference"]["reference"] for one in resource.get("extension", ())}


def test_a_grid_that_was_read_one_step_off_moves_as_a_whole(grid: Bench, ehr: Caller, person: str, unit_rows: int) -> None:
    """Every reading gets to its place, and every place shows who was there before."""
    rows = take_in(grid, person)
    assert [time for time, _ in final(ehr, person)] == ["08:15", "08:30", "08:45", "09:00"]
    plan = grid.plan(person)
    assert (dict(plan.kinds), [len(unit) for unit in plan.chains[0]], plan.stuck) == ({"moved": 4}, [1] * 4 if unit_rows == 1 else [4], {})
    applied = grid.apply(plan)
    assert (applied.done, applied.is_whole) == (4, True)
    assert final(ehr, person) == RIGHT
    assert versions(ehr, rows[0]) == [("final", 101), ("entered-in-error", 101), ("final", 102)]
    assert versions(ehr, rows[3]) == [("final", 103), ("entered-in-error", 103)], "nobody comes to the last one's place"
    assert linked(ehr.get(f"{rows[1]}/_history/2").json()) == {"replaced-by": rows[0]}
    assert linked(ehr.get(rows[0]).json()) == {"observation-replaces": f"{rows[1]}/_history/1"}, "the version: the row has another one now"


def test_applied_again_it_changes_nothing_and_a_new_plan_finds_nothing(grid: Bench, ehr: Caller, person: str, unit_rows: int) -> None:
    take_in(grid, person)
    plan = grid.plan(person)
    grid.apply(plan)
    again = grid.apply(plan)
    assert (again.done, again.already, again.is_whole) == (0, 4, True)
    assert final(ehr, person) == RIGHT
    assert dict(grid.plan(person).kinds) == {"unchanged": 4}
    lines = [(f"25-01-2026 {time}", "0", str(value)) for time, value in RIGHT]
    sent_again = grid.ingest(libreview(f"sensor-{person}", *lines), zone="UTC", by=grid.mended)
    assert {one.fate for one in sent_again} == {"duplicate"}


def swapped(reading_time: str) -> timedelta:
    return {"08:00": STEP, "08:15": -STEP}.get(reading_time, timedelta())


def test_two_that_were_taken_for_each_other_change_places(grid: Bench, ehr: Caller, person: str, unit_rows: int) -> None:
    """A circle goes in one transaction, whatever it takes of others."""
    grid.mistake = shifted(swapped)
    first, second = take_in(grid, person, RIGHT[:2])
    assert final(ehr, person) == [("08:00", 102), ("08:15", 101)]
    plan = grid.plan(person)
    if unit_rows == 1:
        assert plan.stuck == dict.fromkeys(sorted((first, second)), "circle-too-long")
        assert grid.apply(plan).done == 0
        return
    assert grid.apply(plan).done == 2
    assert final(ehr, person) == RIGHT[:2]
    assert versions(ehr, first) == [("final", 101), ("entered-in-error", 101), ("final", 102)]
    assert linked(ehr.get(first).json()) == {"observation-replaces": f"{second}/_history/1"}
    assert linked(ehr.get(second).json()) == {"observation-replaces": f"{first}/_history/1"}
    assert grid.apply(plan).already == 2
    assert dict(grid.plan(person).kinds) == {"unchanged": 2}


def test_a_circle_of_two_senders_is_one_transaction_with_a_record_of_each(
    grid: Bench, ehr: Caller, backstage: Backstage, another: Callable[..., Caller], running: Running, person: str
) -> None:
    """Law 2: each is decided and recorded as a write of the client that sent it."""
    grid.mistake = shifted(swapped)
    vendor = another("system/Observation.c", organization=ehr.account.organization, consent_default="opt-out")
    (first,) = take_in(grid, person, RIGHT[:1])
    (second,) = take_in(replace(grid, account=vendor.account), person, RIGHT[1:2])
    plan, done = grid.plan(person), list[Applied]()
    records = backstage.recorded_by(lambda: done.append(grid.apply(plan)))
    assert (done[0].done, final(ehr, person)) == (2, RIGHT[:2])
    mine = [one for one in records if one.patient == backstage.patient_token(person)]
    said = [str(one.event) for one in mine]
    assert len(said) == 2
    assert all(any(f"{row}/_history/{version}" in one for one in said) for row in (first, second) for version in (2, 3))
    assert running.process.invoke("audit", "verify").code == 0


def test_of_a_chain_with_one_that_has_changed_nothing_moves(grid: Bench, ehr: Caller, person: str, unit_rows: int) -> None:
    """All or nothing, in one transaction or in several; the rest of the plan is done."""
    rows = take_in(grid, person, [*RIGHT, ("12:00", 150)])
    plan = grid.plan(person)
    ehr.update(ehr.get(rows[2]).json(), note=[{"text": "a person looked at it"}])
    before = [ehr.get(one).json() for one in rows[:4]]
    applied = grid.apply(plan)
    assert (applied.done, applied.differs, dict(applied.refused)) == (1, 1, {"chain-broken": 3})
    assert [ehr.get(one).json() for one in rows[:4]] == before
    assert ehr.get(rows[4]).json()["status"] == "entered-in-error"


def test_what_changes_between_two_transactions_of_a_chain_stops_it_and_hides_nothing(
    grid: Bench, ehr: Caller, person: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first have moved; who is behind the change stays, and so does everybody's value."""
    monkeypatch.setattr("hub.ingest.rederive.plan.UNIT_ROWS", 1)
    rows = take_in(grid, person)
    plan, services = grid.plan(person), grid.backstage.hub.services
    amended: list[Json] = []

    def after_the_first(_: int) -> None:
        if not amended:
            amended.append(ehr.update(ehr.get(rows[2]).json(), note=[{"text": "a person looked at it"}]))

    applier = Applier(services, grid.senders, Plan.from_bytes(plan.to_bytes(services), services), grid.mended)
    applied = grid.backstage.run(applier.run(after_the_first))
    assert (applied.done, applied.differs, dict(applied.refused)) == (2, 1, {"chain-broken": 1})
    assert final(ehr, person) == [("08:00", 101), ("08:15", 102), ("08:45", 102), ("09:00", 103)]
    assert ehr.get(rows[2]).json() == amended[0]


def test_where_a_plan_is_limited_by_time_who_holds_a_place_comes_into_it_whenever_it_was_stored(
    grid: Bench, ehr: Caller, person: str
) -> None:
    """`--since` does not cut a chain in two: without the first of it, the second would be taken for its correction."""
    first = take_in(grid, person, RIGHT[:2])
    since_us = grid.backstage.hub.services.clock()
    rest = take_in(grid, person, RIGHT[2:])
    plan = grid.plan(person, since_us=since_us)
    assert (dict(plan.kinds), plan.beyond, plan.stuck) == ({"moved": 4}, 2, {})
    assert {one.stored.row for one in grid.shown} == {*first, *rest}, "what came into it is shown like the others"
    assert "2 of them were not asked for" in page(plan.summary(), [entry(one) for one in grid.shown], 0)
    assert grid.apply(plan).done == 4
    assert final(ehr, person) == RIGHT


def test_where_who_holds_a_place_outside_of_the_period_cannot_be_read_anew_both_stay_and_it_says_why(
    grid: Bench, ehr: Caller, backstage: Backstage, person: str
) -> None:
    """What was kept of it is gone, so nobody knows where it belongs."""
    (holder,) = take_in(grid, person, RIGHT[:1])
    since_us = grid.backstage.hub.services.clock()
    comer, behind, alone = take_in(grid, person, [*RIGHT[1:3], ("12:00", 150)])
    backstage.admin["hub"]["resources"].update_one({"_id": holder}, {"$unset": {"r": 1}})
    plan = grid.plan(person, since_us=since_us)
    assert (dict(plan.kinds), plan.stuck) == ({"moved": 1, "stuck": 2}, dict.fromkeys(sorted((comer, behind)), "place-held"))
    applied = grid.apply(plan)
    assert (applied.done, applied.is_whole) == (1, False)
    assert [versions(ehr, one) for one in (holder, comer, behind)] == [[("final", value)] for value in VALUES[:3]]
    assert ehr.get(alone).json()["status"] == "entered-in-error"


def test_where_a_plan_is_limited_to_one_version_who_holds_a_place_comes_into_it_too(grid: Bench, ehr: Caller, person: str) -> None:
    take_in(grid, person, RIGHT[:2])
    older = replace(grid.wrong, version="0.8.0")
    lines = [(f"25-01-2026 {time}", "0", str(value)) for time, value in RIGHT[2:]]
    stored(grid.ingest(libreview(f"sensor-{person}", *lines), zone="UTC", by=older))
    plan = grid.plan(person, mapping_version="0.8.0")
    assert (dict(plan.kinds), plan.beyond) == ({"moved": 4}, 2)
    assert grid.apply(plan).done == 4
    assert final(ehr, person) == RIGHT


def test_what_came_to_a_place_after_the_plan_is_not_taken_for_the_same_reading(grid: Bench, ehr: Caller, person: str) -> None:
    """The wrong mapping was still at work: who came has to move as well, so a new plan is needed."""
    (row,) = take_in(grid, person, RIGHT[1:2])
    plan = grid.plan(person)
    take_in(grid, person, RIGHT[:1])
    applied = grid.apply(plan)
    assert (applied.done, applied.differs) == (0, 1)
    assert versions(ehr, row) == [("final", 102)]
    assert grid.apply(grid.plan(person)).done == 2
    assert final(ehr, person) == RIGHT[:2]


def test_what_holds_a_place_and_comes_to_nothing_is_retracted_first_or_holds_all(
    grid: Bench, ehr: Caller, person: str, unit_rows: int
) -> None:
    """Without --retract it stays, and with it who would come to its place."""
    take_in(grid, person)

    def mended(reading: Reading) -> Item:
        if "101" in str(reading.value):
            return Rejected(code="user-goal", hint="A goal.", pointer=reading.pointer, raw=reading.raw, keep=False)
        return reading

    by = replace(grid.mended, mistake=mended)
    plan = grid.plan(person, by=by)
    assert dict(plan.kinds) == {"moved": 3, "nothing": 1}
    held = grid.apply(plan, by=by)
    assert (held.done, held.held, held.is_whole) == (0, 4, True)
    done = grid.apply(plan, by=by, retract=True)
    assert (done.done, done.retracted) == (3, 1)
    assert final(ehr, person) == RIGHT[1:]


def test_who_goes_where_a_reading_stays_under_the_mended_mapping_meets_it_as_any_reading_does(
    grid: Bench, ehr: Caller, person: str, unit_rows: int
) -> None:
    """Two readings of one identity: one is a correction of the other (ADR 6), and both are in the history."""
    grid.mistake = shifted(lambda time: STEP if time == "08:15" else timedelta())
    first, _ = take_in(grid, person, RIGHT[:2])
    grid.mistake = shifted(lambda time: -STEP if time == "08:15" else timedelta())
    mended = replace(grid.mended, mistake=grid.mistake)
    plan = grid.plan(person, by=mended)
    assert (dict(plan.kinds), plan.chains, plan.stuck) == ({"moved": 1, "unchanged": 1}, [], {})
    assert grid.apply(plan, by=mended).done == 1
    assert {value for _, value in versions(ehr, first)} == {101, 102}


def hour_later(reading: Reading) -> Reading:
    def moved(time: Any) -> Any:
        wall = time.wall + timedelta(hours=1)
        return replace(time, wall=wall, text=f"{wall.isoformat()}")

    return replace(reading, time=moved(reading.time), end=moved(reading.end))


def test_recordings_that_take_each_others_place_take_their_documents_and_bytes_along(
    ehr: Caller, backstage: Backstage, person: str, unit_rows: int
) -> None:
    """ADR 14: whoever comes to a place is no correction of the bytes that were there."""
    backstage.pair(identifier_system("edf"), f"eeg-{person}", f"Patient/{person}", from_us=0)
    bench, labels = Bench(backstage, ehr.account, "edf", hour_later), [f"EEG C{n}" for n in range(4)]
    mended = replace(bench.mended, mistake=_canonical)
    for n, label in enumerate(labels):
        signal = Signal(label=label, records=[[second, -second] * 150 for second in range(60)])
        file = File(time=f"{8 + n:02}.00.00", signals=[signal])
        stored(bench.ingest(bytes(file), device=f"eeg-{person}", zone="UTC"))
    plan = bench.plan(person, by=mended)
    assert (dict(plan.kinds), plan.stuck) == ({"moved": 4}, {})
    assert bench.apply(plan, by=mended).done == 4
    found = [one["resource"] for one in ehr.search(f"Observation?patient={person}&status=final&_sort=date")["entry"]]
    assert [one["effectivePeriod"]["start"][11:16] for one in found] == ["08:00", "09:00", "10:00", "11:00"]
    for label, observation in zip(labels, found, strict=True):
        document = ehr.get(observation["derivedFrom"][0]["reference"]).json()
        content = ehr.get(document["content"][0]["attachment"]["url"], headers={"Accept": "application/edf"}).content
        assert label.encode() in content
        assert document["content"][0]["attachment"]["size"] == len(content)
    assert bench.apply(plan, by=mended).already == 4


def _canonical(reading: Reading) -> Reading:
    """The text of a time as `hour_later` writes it."""

    def said(time: Any) -> Any:
        return replace(time, text=time.wall.isoformat())

    return replace(reading, time=said(reading.time), end=said(reading.end))
