"""A recording waits like any item: in pieces under the hub's key, then under its patient's; and no piece stays that nothing names.

docs/adr/0014-recordings.md, docs/adr/0017-rederivation.md; DESIGN laws 4 and 5.
"""

from dataclasses import replace
from typing import Any

import pytest

from hub.ingest.recordings import GRACE_US
from hub.ingest.sweeping import DAY_US, Sweeper
from hub.operator import Operator
from hub.repository.content import CONTENT_PIECE_BYTES
from hub.store.contents import Piece
from security.envelope import EnvelopeError
from tests.e2e.test_ingest_recording import PARIS, content, parts, recording
from tests.support.backstage import Backstage
from tests.support.caller import Caller
from tests.support.fixtures import Running
from tests.support.payloads import identifier_system
from tests.support.resources import patient

Json = dict[str, Any]
LONG_AGO_US = 2 * GRACE_US


@pytest.fixture
def person(ehr: Caller) -> str:
    return str(ehr.create(patient())["id"])


def pieces(backstage: Backstage, prefix: str) -> list[Json]:
    found = backstage.admin["hub"]["contents"].find({"_id": {"$regex": f"^{prefix}"}}).sort("_id", 1)
    return list(found)


def waits(caller: Caller, unit: str, payload: bytes, **query: str) -> str:
    """The id under which it waits."""
    before = {one["id"] for one in caller.get("/quarantine?_count=1000").json()}
    (fate,) = caller.fates("edf", payload, device=unit, **query)
    assert fate["fate"] == "quarantined", fate
    (id,) = {one["id"] for one in caller.get("/quarantine?_count=1000").json()} - before
    return str(id)


def age(backstage: Backstage, prefix: str) -> None:
    """As if nobody had relied on them for two hours."""
    backstage.admin["hub"]["contents"].update_many({"_id": {"$regex": f"^{prefix}"}}, {"$inc": {"t": -LONG_AGO_US}})


def sweep(running: Running) -> Json:
    done: Json = running.process.invoke("contents", "sweep", "--reason", "tests").json()
    return done


def test_a_recording_waits_in_pieces_and_goes_to_its_patient_when_it_is_replayed(
    running: Running, ehr: Caller, backstage: Backstage, person: str
) -> None:
    """Sealed under the hub's key while nobody is known; then under the patient's, and nothing is left of the first."""
    payload = recording(11)
    id = waits(ehr, f"w-{person}", payload, **PARIS)
    waiting = pieces(backstage, f"~{id}\\.")
    assert len(waiting) == -(-len(payload) // CONTENT_PIECE_BYTES)
    assert {one["p"] for one in waiting} == {b"system"}
    assert not any(b"EEG Fpz-Cz" in one["c"] for one in waiting)
    age(backstage, f"~{id}\\.")
    assert sweep(running)["pieces"] == 0, "what waits is named by its row"
    backstage.pair(identifier_system("edf"), f"w-{person}", f"Patient/{person}", from_us=0)
    (fate,) = ehr.request("POST", f"/quarantine/{id}/replay").json()
    assert fate["fate"] == "stored"
    _, _, url = parts(ehr, fate)
    assert content(ehr, url)[256:] == payload[256:], "but for whom the header names"
    assert pieces(backstage, f"~{id}\\.") == []
    assert {one["p"] for one in pieces(backstage, url.removeprefix("Binary/"))} == {backstage.patient_token(person)}


def test_the_zone_said_afterwards_lets_a_recording_in(ehr: Caller, backstage: Backstage, person: str) -> None:
    backstage.pair(identifier_system("edf"), f"z-{person}", f"Patient/{person}", from_us=0)
    id = waits(ehr, f"z-{person}", recording(12))
    (fate,) = ehr.request("POST", f"/quarantine/{id}/replay?timeZone=Europe/Paris").json()
    assert fate["fate"] == "stored"


def test_the_same_recording_sent_twice_waits_once(ehr: Caller, backstage: Backstage, person: str) -> None:
    id = waits(ehr, f"t-{person}", recording(13), **PARIS)
    before = len(pieces(backstage, f"~{id}\\."))
    ehr.fates("edf", recording(13), device=f"t-{person}", **PARIS)
    assert len(pieces(backstage, f"~{id}\\.")) == before


def test_a_recording_whose_bytes_are_lost_goes_on_waiting_and_says_so(ehr: Caller, backstage: Backstage, person: str) -> None:
    id = waits(ehr, f"l-{person}", recording(14), **PARIS)
    backstage.admin["hub"]["contents"].delete_one({"_id": f"~{id}.waiting.0"})
    (fate,) = ehr.request("POST", f"/quarantine/{id}/replay").json()
    assert (fate["fate"], fate["code"]) == ("quarantined", "content-missing")


def test_what_is_given_up_and_what_expires_takes_its_pieces_along(running: Running, ehr: Caller, backstage: Backstage, person: str) -> None:
    given_up = waits(ehr, f"g-{person}", recording(15), **PARIS)
    age(backstage, f"~{given_up}\\.")
    ehr.request("POST", f"/quarantine/{given_up}/discard", json={"reason": "tests"})
    assert pieces(backstage, f"~{given_up}\\.") == []
    expired = waits(ehr, f"x-{person}", recording(16), **PARIS)
    age(backstage, f"~{expired}\\.")
    backstage.admin["hub"]["quarantine"].update_one({"_id": expired}, [{"$set": {"x": {"$subtract": ["$x", 91 * 86_400_000]}}}])
    sweep(running)
    assert pieces(backstage, f"~{expired}\\.") == []


def test_pieces_that_nothing_names_are_swept_when_they_are_old_and_only_then(
    running: Running, ehr: Caller, backstage: Backstage, person: str
) -> None:
    """The hub was ended between the pieces and their row. A write that goes on at this moment is younger than an hour."""
    services = backstage.hub.services
    token, now_us = backstage.patient_token(person), services.clock()
    orphans = [Piece(f"Orphan{person}.{'a' * 32}.{number}", token, 1, b"sealed", now_us) for number in range(3)]
    for one in orphans:
        backstage.run(services.store.contents.put(one))
    sweep(running)
    assert len(pieces(backstage, f"Orphan{person}")) == 3
    age(backstage, f"Orphan{person}")
    records = backstage.recorded_by(lambda: sweep(running))
    assert pieces(backstage, f"Orphan{person}") == []
    assert "contents-sweep" in {one.kind for one in records}


class Asking(Sweeper):
    """Keeps of which contents it was asked who names them."""

    asked: tuple[str, ...] = ()

    async def _is_named(self, content: str) -> bool:
        self.asked = (*self.asked, content)
        return await super()._is_named(content)


def test_who_names_a_recording_is_asked_once_and_then_each_week(ehr: Caller, backstage: Backstage, person: str) -> None:
    """The sweep of each hour looks at what came since the last; who asks for one by command has everything looked at."""
    backstage.pair(identifier_system("edf"), f"o-{person}", f"Patient/{person}", from_us=0)
    (fate,) = ehr.fates("edf", recording(20), device=f"o-{person}", **PARIS)
    binary, hub = parts(ehr, fate)[2].removeprefix("Binary/"), backstage.hub

    def asks(after_days: float, *, whole: bool = False) -> bool:
        services = replace(hub.services, clock=lambda: hub.services.clock() + int(after_days * DAY_US))
        operator = Operator(hub, "tests")
        sweeper = Asking(services, lambda kind, path, query: operator.recording(kind, path=path, query=query))
        backstage.run(sweeper.run(whole=whole))
        return any(one.startswith(f"{binary}.") for one in sweeper.asked)

    assert asks(1000, whole=True), "from here on, whatever ran before"
    assert asks(0.5), "a clock that was ahead has looked at nothing"
    assert (asks(1), asks(2.5), asks(4), asks(6)) == (True, True, False, False), "a day is looked at twice"
    assert asks(6, whole=True)
    assert (asks(8), asks(10), asks(14)) == (False, False, True)


def test_pieces_of_every_version_stay_and_those_of_a_deleted_recording_too(
    running: Running, ehr: Caller, backstage: Backstage, person: str
) -> None:
    """History stays, and with it what it names."""
    backstage.pair(identifier_system("edf"), f"v-{person}", f"Patient/{person}", from_us=0)
    (first,) = ehr.fates("edf", recording(17), device=f"v-{person}", **PARIS)
    (second,) = ehr.fates("edf", recording(18), device=f"v-{person}", **PARIS)
    assert [first["fate"], second["fate"]] == ["stored", "corrected"]
    _, _, url = parts(ehr, first)
    binary = url.removeprefix("Binary/")
    assert ehr.request("DELETE", url).status_code == 204
    before = [one["_id"] for one in pieces(backstage, binary)]
    age(backstage, binary)
    sweep(running)
    assert [one["_id"] for one in pieces(backstage, binary)] == before
    assert len({one.split(".")[1] for one in before}) == 2


def test_who_relies_on_old_pieces_says_so_before_a_sweep_can_take_them(
    running: Running, ehr: Caller, backstage: Backstage, person: str
) -> None:
    """A recording sent again takes up what was left; a sweep that comes at this moment leaves it alone."""
    backstage.pair(identifier_system("edf"), f"r-{person}", f"Patient/{person}", from_us=0)
    (first,) = ehr.fates("edf", recording(19), device=f"r-{person}", **PARIS)
    _, _, url = parts(ehr, first)
    binary = url.removeprefix("Binary/")
    left = pieces(backstage, binary)
    age(backstage, binary)
    ehr.fates("edf", recording(19), device=f"r-{person}", **PARIS)
    assert min(one["t"] for one in pieces(backstage, binary)) > min(one["t"] for one in left) - GRACE_US
    contents = backstage.hub.services.store.contents
    assert backstage.run(contents.drop_untouched([one["_id"] for one in left], backstage.hub.services.clock() - GRACE_US)) == 0


def test_when_the_patients_key_is_destroyed_the_pieces_cannot_be_read(ehr: Caller, backstage: Backstage, person: str) -> None:
    """GDPR art. 17: what was sealed under the key goes with it, the pieces of recordings included."""
    backstage.pair(identifier_system("edf"), f"k-{person}", f"Patient/{person}", from_us=0)
    (fate,) = ehr.fates("edf", recording(20), device=f"k-{person}", **PARIS)
    _, _, url = parts(ehr, fate)
    (piece, *_), vault, token = (
        pieces(backstage, url.removeprefix("Binary/")),
        backstage.hub.services.vault,
        backstage.patient_token(person),
    )
    key = backstage.run(vault.key(token))
    args = ("_content", piece["_id"], 1, token, piece["c"])
    assert vault.open_sealed(key, *args, purpose="content").startswith(b"0       ")
    other = ehr.create(patient())["id"]
    for wrong in (backstage.run(vault.key(None)), backstage.run(vault.key(backstage.patient_token(other)))):
        with pytest.raises(EnvelopeError):
            vault.open_sealed(wrong, *args, purpose="content")
    backstage.admin["hub_keys"]["keys"].delete_one({"_id": token})
    assert backstage.admin["hub_keys"]["keys"].find_one({"_id": token}) is None
    found = backstage.run(vault.keys_afresh([token], vault.moment()))
    assert token not in found, "nobody who asks for the key gets one, and no other opens the piece"
