"""Units that several people use: whose a reading is, and who says so where the unit does not. DEVICES 6.5; DESIGN 7; laws 1 to 5.

docs/guides/units.md
"""

import asyncio
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hub.ingest.confirm import ToConfirm, to_confirm
from hub.operator import Operator, OperatorError
from tests.support.backstage import Backstage
from tests.support.caller import Caller
from tests.support.fixtures import Running
from tests.support.outcomes import refused
from tests.support.payloads import frame, gatt, identifier_system
from tests.support.process import Done
from tests.support.resources import consent, patient

Json = dict[str, Any]
UNPAIRED = {"fate": "quarantined", "code": "device-not-paired"}
CONFIRMING = "system/Patient.r system/Observation.r system/Device.r"
RESOURCE_TYPES = "http://hl7.org/fhir/resource-types"
units = iter(range(1, 1_000_000))


@dataclass(frozen=True)
class Home:
    """Two people with one cuff."""

    running: Running
    vendor: Caller
    ehr: Caller
    unit: str
    one: str
    other: str

    def hub(self, *words: str) -> Done:
        return self.running.process.invoke(*words)

    def pair(self, person: str, *flags: str) -> Done:
        return self.hub("device", "pair", "gatt", self.unit, "--patient", f"Patient/{person}", *(flags or ("--from", "2026-01-01")))

    def measured(self, *users: int | None, day: int = 5, minute: int = 0) -> bytes:
        """One blood pressure for each, a minute apart."""
        return gatt(*(pressure(self.unit, user, f"2026-02-{day:02}T08:{minute + n:02}:00+01:00") for n, user in enumerate(users)))

    def send(self, payload: bytes) -> list[Json]:
        return self.vendor.fates("gatt", payload)

    def waiting(self) -> list[Json]:
        done = self.hub("device", "confirm", "list", "--json")
        assert done.code == 0, done.err
        return [
            one for one in done.json() if {each["patient"] for each in one["candidates"]} & {f"Patient/{self.one}", f"Patient/{self.other}"}
        ]

    def paired(self) -> list[Json]:
        people = {f"Patient/{self.one}", f"Patient/{self.other}"}
        return [one for one in self.hub("device", "list", "--json").json() if one["patient"] in people]

    def total(self, person: str) -> int:
        count: int = self.ehr.search(f"Observation?patient={person}&_summary=count")["total"]
        return count


def pressure(unit: str, user: int | None, at: str) -> Json:
    """120/80 mm[Hg]; flags: bit 3 says that a User ID follows."""
    values = "780050005d00"
    return frame("2A35", f"00{values}" if user is None else f"08{values}{user:02x}", received_at=at, system_id=unit)


@pytest.fixture
def home(running: Running, ehr: Caller, vendor: Caller) -> Home:
    one, other = (ehr.create(patient())["id"] for _ in range(2))
    unit = f"74-E8-FF-FE-FF-{next(units):02X}-00-01"
    return Home(running, vendor, ehr, unit, one, other)


@pytest.fixture
def indexed(home: Home) -> Home:
    """One is user 1 of the cuff, the other user 2."""
    assert home.pair(home.one, "--from", "2026-01-01", "--user-index", "1").code == 0
    assert home.pair(home.other, "--from", "2026-01-01", "--user-index", "2").code == 0
    return home


def test_each_user_of_a_cuff_gets_their_own_readings(indexed: Home) -> None:
    """DEVICES 6.5: multi-user cuffs by user index."""
    assert [one["fate"] for one in indexed.send(indexed.measured(1, 2, 2))] == ["stored"] * 3
    assert (indexed.total(indexed.one), indexed.total(indexed.other)) == (1, 2)


@pytest.mark.parametrize("user", [None, 255, 3])
def test_without_an_index_that_is_somebodys_a_person_is_asked(indexed: Home, user: int | None) -> None:
    """None, one whom the cuff does not know, one who is not paired: nobody is guessed."""
    (answer,) = indexed.send(indexed.measured(user))
    assert answer.items() >= UNPAIRED.items()
    (waiting,) = indexed.waiting()
    assert {one["patient"] for one in waiting["candidates"]} == {f"Patient/{indexed.one}", f"Patient/{indexed.other}"}
    assert waiting["userIndex"] == {None: None, 255: "unknown", 3: 3}[user]
    assert (indexed.total(indexed.one), indexed.total(indexed.other)) == (0, 0)


def test_the_sender_is_told_what_it_would_be_told_of_an_unpaired_unit(indexed: Home) -> None:
    """Law 3: fate, code and text; the list of what waits; and the second sending."""
    stranger = "74-E8-FF-FE-FF-FF-FF-FF"
    told = [indexed.send(gatt(pressure(unit, None, "2026-02-07T08:00:00+01:00"))) for unit in (indexed.unit, stranger)]
    assert told[0] == told[1]
    shown = indexed.vendor.get("/quarantine?_count=1000").json()[-2:]
    said = [{**one, "id": "", "received": "", "expires": ""} for one in shown]
    assert said[0] == said[1]
    again = [indexed.vendor.post(f"/quarantine/{one['id']}/replay", b"").json() for one in shown]
    assert again[0] == again[1]


def test_what_a_person_assigns_is_stored_for_that_patient_and_waits_no_more(indexed: Home, backstage: Backstage) -> None:
    indexed.send(indexed.measured(None))
    (waiting,) = indexed.waiting()
    done: list[Done] = []
    records = backstage.recorded_by(
        lambda: done.append(
            indexed.hub("device", "confirm", "assign", waiting["id"], "--patient", f"Patient/{indexed.other}", "--reason", "asked her")
        )
    )
    assert done[0].json()["fate"] == "stored"
    assert (indexed.total(indexed.one), indexed.total(indexed.other), indexed.waiting()) == (0, 1, [])
    own = records[0]
    assert (own.kind, own.outcome) == ("confirm-assign", "0")
    assert "asked her" in json.dumps(own.event)
    assert {one.patient for one in records[1:]} == {backstage.patient_token(indexed.one), backstage.patient_token(indexed.other)}
    assert waiting["id"] not in {one["id"] for one in indexed.vendor.get("/quarantine?_count=1000").json()}


def test_sent_again_it_is_the_same_reading_and_nobody_is_asked_twice(indexed: Home) -> None:
    """A person's word is remembered by what it stored: sending twice stays safe."""
    payload = indexed.measured(None)
    indexed.send(payload)
    (waiting,) = indexed.waiting()
    indexed.hub("device", "confirm", "assign", waiting["id"], "--patient", f"Patient/{indexed.one}")
    assert [one["fate"] for one in indexed.send(payload)] == ["duplicate"]
    assert (indexed.total(indexed.one), indexed.waiting()) == (1, [])


def test_what_is_nobodys_is_asked_about_no_more_and_stays_as_it_was_to_its_sender(indexed: Home) -> None:
    payload = indexed.measured(255)
    first = indexed.send(payload)
    (waiting,) = indexed.waiting()
    assert indexed.hub("device", "confirm", "reject", waiting["id"]).code == 0
    assert indexed.waiting() == []
    assert indexed.send(payload) == first
    assert indexed.waiting() == []
    assert waiting["id"] in {one["id"] for one in indexed.vendor.get("/quarantine?_count=1000").json()}
    assert indexed.hub("device", "confirm", "reject", waiting["id"]).code == 1


def test_it_is_assigned_only_to_who_had_the_unit_then_and_permits_it(indexed: Home) -> None:
    """One text for both, and nothing is done (laws 1 and 3)."""
    guest = indexed.ehr.create(patient())["id"]
    indexed.send(indexed.measured(None))
    (waiting,) = indexed.waiting()
    texts = {indexed.hub("device", "confirm", "assign", waiting["id"], "--patient", f"Patient/{who}").err for who in (guest, "nobody")}
    assert len(texts) == 1
    assert "not-assignable" in texts.pop()
    assert len(indexed.waiting()) == 1


def test_a_unit_that_does_not_tell_its_users_apart_is_shared(home: Home) -> None:
    """In a period that two patients share, a person is asked; before it and after it, whoever had the unit has the reading."""
    assert home.pair(home.one, "--from", "2026-01-01", "--to", "2026-02-03").code == 0
    assert home.pair(home.one, "--from", "2026-02-03", "--to", "2026-02-10", "--shared").code == 0
    assert home.pair(home.other, "--from", "2026-02-03", "--to", "2026-02-10", "--shared").code == 0
    assert home.pair(home.other, "--from", "2026-02-10").code == 0
    answers = [home.send(home.measured(None, day=day))[0]["fate"] for day in (12, 2, 5)]
    assert answers == ["stored", "stored", "quarantined"]
    assert (home.total(home.one), home.total(home.other), len(home.waiting())) == (1, 1, 1)


def test_late_readings_go_to_whoever_had_the_unit_then(home: Home) -> None:
    """After the unit has gone to somebody else, and that pairing has ended too."""
    assert home.pair(home.one, "--from", "2026-02-01").code == 0
    assert home.hub("device", "unpair", "gatt", home.unit, "--to", "2026-02-10").code == 0
    assert home.pair(home.other, "--from", "2026-02-10").code == 0
    assert home.hub("device", "unpair", "gatt", home.unit, "--to", "2026-02-20").code == 0
    fates = [home.send(home.measured(None, day=day))[0]["fate"] for day in (25, 15, 5)]
    assert fates == ["quarantined", "stored", "stored"]
    assert (home.total(home.one), home.total(home.other)) == (1, 1)


CONTRADICTIONS = {
    "whole, and whole": ((), ()),
    "whole, and an index": ((), ("--user-index", "1")),
    "an index, and whole": (("--user-index", "1"), ()),
    "whole, and shared": ((), ("--shared",)),
    "the same index": (("--user-index", "1"), ("--user-index", "1")),
}


@pytest.mark.parametrize("flags", CONTRADICTIONS.values(), ids=CONTRADICTIONS)
def test_pairings_that_cannot_both_be_true_are_refused(home: Home, flags: tuple[tuple[str, ...], tuple[str, ...]]) -> None:
    first, second = flags
    assert home.pair(home.one, "--from", "2026-01-01", *first).code == 0
    refusal = home.pair(home.other, "--from", "2026-02-01", *second)
    assert refusal.code == 1
    assert "in this period" in refusal.err
    assert home.pair(home.other, "--from", "2025-01-01", "--to", "2026-01-01", *second).code == 0


def test_two_who_pair_one_unit_at_once_do_not_both_get_it(home: Home, backstage: Backstage) -> None:
    """Each reads what the other did before deciding anew: of contradicting pairings one stays, in whichever order."""
    assert home.pair(home.one, "--from", "2025-01-01", "--to", "2025-02-01").code == 0
    words = {"system": identifier_system("gatt"), "manufacturer": "unknown", "product": "cuff", "identifier": home.unit}

    async def both() -> list[object]:
        acts = [
            Operator(backstage.hub, "tests").pair(**words, patient=f"Patient/{who}", from_us=1_767_225_600_000_000, to_us=None)
            for who in (home.one, home.other)
        ]
        return list(await asyncio.gather(*acts, return_exceptions=True))

    done = backstage.run(both())
    assert [type(one) for one in done if isinstance(one, BaseException)] == [OperatorError]
    assert len({one["patient"] for one in home.paired() if one["from"].startswith("2026")}) == 1


def test_one_of_several_is_unpaired_by_name_or_index(indexed: Home) -> None:
    assert indexed.hub("device", "unpair", "gatt", indexed.unit, "--to", "2026-02-01").code == 1
    assert indexed.hub("device", "unpair", "gatt", indexed.unit, "--to", "2026-02-01", "--user-index", "2").json() == {"ended": 1}
    assert [one["fate"] for one in indexed.send(indexed.measured(1))] == ["stored"]
    assert [one["fate"] for one in indexed.send(indexed.measured(2, minute=5))] == ["quarantined"]


@pytest.fixture
def ward(another: Callable[..., Caller], ehr: Caller) -> Caller:
    """An application in which people confirm, of the organisation that manages the patients."""
    return another(CONFIRMING, organization=ehr.account.organization, consent_default="opt-out", confirmer=True)


def of(caller: Caller, home: Home) -> list[Json]:
    return [one for one in caller.get("/confirm").json() if f"Patient/{home.one}" in {each["patient"] for each in one["candidates"]}]


def test_an_application_confirms_over_http_and_the_record_names_it(indexed: Home, ward: Caller, backstage: Backstage) -> None:
    indexed.send(indexed.measured(None, 255))
    first, second = of(ward, indexed)
    assert not {"value", "components"} & set(first)
    answer = ward.post(f"/confirm/{first['id']}/assign", {"patient": f"Patient/{indexed.one}"})
    assert (answer.status_code, answer.json()["fate"]) == (200, "stored")
    records = backstage.records(answer.headers["x-request-id"])
    assert records[0].kind == "confirm-assign"
    assert ward.account.id in json.dumps(records[0].event)
    assert ward.post(f"/confirm/{second['id']}/reject", b"").status_code == 204
    assert (of(ward, indexed), indexed.total(indexed.one)) == ([], 1)


def test_whoever_may_not_see_all_of_them_sees_nothing_of_it(indexed: Home, another: Callable[..., Caller], ehr: Caller) -> None:
    """Law 3: hidden is absent, with the same answer as for an id that nobody gave."""
    indexed.send(indexed.measured(None))
    (waiting,) = indexed.waiting()
    stranger = another(CONFIRMING, confirmer=True)
    assert stranger.get("/confirm").json() == []
    body = {"patient": f"Patient/{indexed.one}"}
    hidden, absent = (stranger.post(f"/confirm/{id}/assign", body) for id in (waiting["id"], "A" * 22))
    refused(hidden, 404, "not-found")
    assert hidden.content == absent.content
    assert stranger.post(f"/confirm/{waiting['id']}/reject", b"").content == absent.content


def test_one_of_them_hidden_hides_it(home: Home, ward: Caller, importer: Caller) -> None:
    """Of two whom it may be, one is of another organisation: as a resource that names both would be, it is not there."""
    hidden = importer.create(patient())["id"]
    assert home.pair(home.one, "--from", "2026-01-01", "--user-index", "1").code == 0
    assert home.pair(hidden, "--from", "2026-01-01", "--user-index", "2").code == 0
    home.send(home.measured(None))
    (waiting,) = home.waiting()
    assert of(ward, home) == []
    answer = ward.post(f"/confirm/{waiting['id']}/assign", {"patient": f"Patient/{home.one}"})
    refused(answer, 404, "not-found")
    assert (home.total(home.one), len(home.waiting())) == (0, 1)


def test_only_a_confirmer_confirms(indexed: Home) -> None:
    indexed.send(indexed.measured(None))
    refused(indexed.ehr.get("/confirm"), 403, "forbidden")
    refused(indexed.ehr.post(f"/confirm/{indexed.waiting()[0]['id']}/reject", b""), 403, "forbidden")


def test_of_two_who_confirm_at_once_one_does(indexed: Home, ward: Caller) -> None:
    """Law 5: it leaves the queue in the transaction that stores it, so it is stored once."""
    for round in range(6):
        indexed.send(indexed.measured(None, minute=10 + round))
        (waiting,) = of(ward, indexed)

        def assign(who: str, id: str = waiting["id"]) -> int:
            return ward.post(f"/confirm/{id}/assign", {"patient": f"Patient/{who}"}).status_code

        with ThreadPoolExecutor(2) as both:
            assert sorted(both.map(assign, (indexed.one, indexed.other))) == [200, 404]
        assert indexed.total(indexed.one) + indexed.total(indexed.other) == round + 1


def absent(caller: Caller, id: str, who: str) -> None:
    """The same answers as for an id that nobody gave."""
    body = {"patient": f"Patient/{who}"}
    hidden, nothing = (caller.post(f"/confirm/{one}/assign", body) for one in (id, "A" * 22))
    refused(hidden, 404, "not-found")
    assert hidden.content == nothing.content == caller.post(f"/confirm/{id}/reject", b"").content


def test_whoever_may_not_read_observations_sees_no_reading_that_waits(
    indexed: Home, another: Callable[..., Caller], ehr: Caller, ward: Caller
) -> None:
    """Measure and time are what an Observation says: a scope for Patients alone does not reach them."""
    narrow = another("system/Patient.r", organization=ehr.account.organization, consent_default="opt-out", confirmer=True)
    indexed.send(indexed.measured(None))
    (waiting,) = of(ward, indexed)
    assert of(narrow, indexed) == []
    absent(narrow, waiting["id"], indexed.one)


@pytest.mark.parametrize("denying", ["one", "other"])
def test_a_patient_who_denies_observations_hides_what_may_be_theirs(indexed: Home, ward: Caller, ehr: Caller, denying: str) -> None:
    """Law 1: of those whom it may be, each has to permit that it is read; the patients themselves may be seen."""
    indexed.send(indexed.measured(None))
    (waiting,) = of(ward, indexed)
    person = getattr(indexed, denying)
    provision = {"class": [{"system": RESOURCE_TYPES, "code": "Observation"}]}
    assert ehr.post("/fhir/Consent", consent(person, "deny", provision=provision)).status_code == 201
    assert ward.get(f"/fhir/Patient/{person}").status_code == 200
    assert of(ward, indexed) == []
    absent(ward, waiting["id"], indexed.one)


def test_the_unit_is_named_to_who_may_read_devices(indexed: Home, another: Callable[..., Caller], ehr: Caller, ward: Caller) -> None:
    scope = "system/Patient.r system/Observation.r"
    narrow = another(scope, organization=ehr.account.organization, consent_default="opt-out", confirmer=True)
    indexed.send(indexed.measured(None))
    (named,), (unnamed,) = of(ward, indexed), of(narrow, indexed)
    assert named["device"].startswith("Device/")
    assert unnamed == {**named, "device": None}


def test_what_may_not_be_shown_takes_nobodys_place_in_the_list(indexed: Home, backstage: Backstage) -> None:
    """What is hidden or has expired comes before what may be seen: the list goes on until it is full."""
    indexed.send(indexed.measured(None, None, 255, 255))
    ids = [one["id"] for one in indexed.waiting()]
    gone = datetime.now(UTC) - timedelta(minutes=1)
    backstage.admin["hub"]["quarantine"].update_one({"_id": ids[0]}, {"$set": {"x": gone}})

    async def shown(one: ToConfirm) -> bool:
        return one.item.id in {ids[0], *ids[2:]}

    services = backstage.hub.services
    assert [one.item.id for one in backstage.run(to_confirm(services, 1, shown=shown))] == ids[2:3]
    assert [one.item.id for one in backstage.run(to_confirm(services, 2, shown=shown))] == ids[2:]


def test_a_look_at_what_waits_is_on_record_for_whom_it_may_be(indexed: Home, backstage: Backstage) -> None:
    """Law 2: of a unit that two have, both; of an index that is somebody's, whose reading waits for another cause, that one."""
    one, other = (backstage.patient_token(each) for each in (indexed.one, indexed.other))
    assert indexed.ehr.post("/fhir/Consent", consent(indexed.other, "deny")).status_code == 201
    before = {each["id"] for each in indexed.vendor.get("/quarantine?_count=1000").json()}
    for payload, named in ((indexed.measured(None), {one, other}), (indexed.measured(2, minute=9), {other})):
        assert indexed.send(payload)[0].items() >= UNPAIRED.items()
        (id,) = {each["id"] for each in indexed.vendor.get("/quarantine?_count=1000").json()} - before
        before.add(id)
        done: list[Done] = []

        def look(id: str = id, done: list[Done] = done) -> None:
            done.append(indexed.hub("quarantine", "show", id, "--reason", "to see"))

        records = [each for each in backstage.recorded_by(look) if each.kind == "quarantine-read"]
        assert done[0].code == 0
        assert {each.patient for each in records if each.patient is not None} == named
