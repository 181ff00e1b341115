"""What payloads say of units: seen, firmware, battery, clock; written only when it is new. DEVICES 6.5 (clock), docs/adr/0015."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from hub.store.protocol import Unit
from hub.units.state import UnitState, UnitStates
from tests.support.caller import Caller, resources
from tests.support.fixtures import Running
from tests.support.payloads import identifier_system, weight
from tests.support.rederiving import Bench, stored, tenfold
from tests.support.resources import patient

Json = dict[str, Any]
NOW = datetime.now(UTC).replace(microsecond=0)


def octets(text: str) -> str:
    return text.encode().hex().upper()


def system_id() -> str:
    return "-".join(f"{one:02X}" for one in b"\x74" + secrets.token_bytes(7))


@dataclass(frozen=True, slots=True, kw_only=True)
class Cuff:
    """A unit that sends GATT frames through a gateway."""

    unit: str
    device: str
    patient: str
    running: Running

    def frame(self, characteristic: str, value: str, at: datetime = NOW) -> Json:
        return {"deviceInfo": {"systemId": self.unit}, "characteristic": characteristic, "hex": value, "receivedAt": at.isoformat()}

    def battery(self, percent: int, at: datetime = NOW) -> Json:
        return self.frame("2A19", f"{percent:02X}", at)

    def firmware(self, text: str) -> Json:
        return self.frame("2A26", octets(text))

    def clock(self, ahead_s: int, at: datetime = NOW) -> Json:
        shown = at + timedelta(seconds=ahead_s)
        parts = shown.year.to_bytes(2, "little") + bytes([shown.month, shown.day, shown.hour, shown.minute, shown.second, 0, 0, 0])
        return self.frame("2A2B", parts.hex().upper(), at)

    def thermometer(self, at: datetime = NOW) -> Json:
        """36.4 degrees Celsius, in the IEEE 11073 form of HL7's and Bluetooth's examples."""
        return self.frame("2A1C", "006C0100FF", at)

    @property
    def state(self) -> UnitState:
        states = UnitStates(self.running.backstage.hub.services)

        async def read() -> UnitState:
            return (await states.read([self.device]))[self.device].state

        return self.running.backstage.run(read())

    @property
    def notes(self) -> int:
        """How often the state was written."""
        key = UnitStates(self.running.backstage.hub.services).key(self.device)
        found = self.running.backstage.admin["hub"]["notes"].find_one({"_id": key})
        return 0 if found is None else int(found["v"])


@pytest.fixture
def cuff(running: Running, ehr: Caller) -> Cuff:
    unit, one = system_id(), ehr.create(patient())["id"]
    paired = running.process.invoke("device", "pair", "gatt", unit, "--patient", f"Patient/{one}", "--from", "2020-01-01")
    assert paired.code == 0, paired.err
    return Cuff(unit=unit, device=paired.json()["device"], patient=one, running=running)


def send(caller: Caller, *frames: Mapping[str, Any]) -> list[Json]:
    return caller.fates("gatt", orjson.dumps(list(frames)))


def test_firmware_becomes_a_version_of_the_device_and_only_when_it_changes(cuff: Cuff, ehr: Caller) -> None:
    """HL7 PHD PhdDevice.version: 531976 firmware."""
    for text, version in (("1.0", "2"), ("1.0", "2"), ("1.1", "3")):
        send(ehr, cuff.firmware(text))
        device = ehr.get(cuff.device).json()
        assert (device["meta"]["versionId"], device["version"][0]["value"]) == (version, text)
    assert device["version"][0]["type"]["coding"][0]["code"] == "531976"


def test_names_that_nobody_has_said_are_added_and_those_that_are_there_stay(cuff: Cuff, ehr: Caller) -> None:
    send(ehr, cuff.frame("2A24", octets("BP-7")), cuff.frame("2A25", octets("S-1")))
    assert {name: ehr.get(cuff.device).json()[name] for name in ("modelNumber", "serialNumber")} == {
        "modelNumber": "BP-7",
        "serialNumber": "S-1",
    }
    send(ehr, cuff.frame("2A24", octets("BP-8")))
    assert ehr.get(cuff.device).json()["modelNumber"] == "BP-7"


def test_a_client_that_may_not_write_devices_changes_none(cuff: Cuff, ehr: Caller) -> None:
    """DESIGN 2, law 1: without a scope for it the Device stays; battery and last seen are the hub's own to note."""
    sender = ehr.narrowed("system/Observation.c")
    send(sender, cuff.firmware("9.9"), cuff.battery(55))
    assert "version" not in ehr.get(cuff.device).json()
    assert cuff.state.battery_percent == 55
    send(ehr, cuff.firmware("9.9"))


def test_a_battery_is_noted_and_makes_no_version(cuff: Cuff, ehr: Caller) -> None:
    send(ehr, cuff.battery(80))
    send(ehr, cuff.battery(12))
    send(ehr, cuff.battery(90, NOW - timedelta(days=2)))
    assert (cuff.state.battery_percent, ehr.get(cuff.device).json()["meta"]["versionId"]) == (12, "1")


def test_the_clock_is_kept_as_an_observation_about_the_device_and_no_time_is_corrected(cuff: Cuff, ehr: Caller) -> None:
    """HL7 PHD PhdCoincidentTimeStampObservation; DEVICES 6.5: keep both."""
    (fate,) = [one for one in send(ehr, cuff.clock(95), cuff.thermometer()) if one["fate"] == "stored"]
    (told,) = resources(ehr.search(f"Observation?subject={cuff.device}&code=67975"))
    assert told["subject"]["reference"] == cuff.device
    assert told["meta"]["profile"] == ["http://hds-hub.invalid/fhir/StructureDefinition/phd-coincident-time-stamp"]
    value, effective = (datetime.fromisoformat(told[name]) for name in ("valueDateTime", "effectiveDateTime"))
    assert (value - effective, effective) == (timedelta(seconds=95), NOW)
    gateway = ehr.get(told["device"]["reference"]).json()
    assert gateway["type"]["coding"][0]["code"] == "531981"
    assert datetime.fromisoformat(ehr.get(fate["resource"]).json()["effectiveDateTime"]) == NOW
    assert cuff.state.clock_ahead_s == 95


def flags(caller: Caller, fate: Json) -> list[str]:
    """Quality flags of what a fate is about."""
    found = caller.get(fate["resource"]).json().get("extension", ())
    return [one["valueCoding"]["code"] for one in found if one["url"].endswith("/measurement-quality")]


def test_what_is_taken_in_while_the_clock_is_known_to_be_off_says_so_and_keeps_its_time(cuff: Cuff, ehr: Caller) -> None:
    """DEVICES 6.5: flag quality. Known from the same payload or from one before; right again, no more; two minutes are allowed."""
    seconds = iter(range(60))

    def taken(*before: Json) -> tuple[list[str], datetime]:
        at = NOW + timedelta(seconds=next(seconds))
        (fate,) = [one for one in send(ehr, *before, cuff.thermometer(at)) if one["fate"] == "stored"]
        stored = datetime.fromisoformat(ehr.get(fate["resource"]).json()["effectiveDateTime"])
        assert stored == at
        return flags(ehr, fate), stored

    first, _ = taken()
    told = [first, *(taken(cuff.clock(ahead, NOW + timedelta(seconds=ahead_at)))[0] for ahead_at, ahead in enumerate((119, 181, -190)))]
    assert told == [[], [], ["clock-off"], ["clock-off"]]
    assert taken()[0] == ["clock-off"], "known from before"
    assert taken(cuff.clock(3_600 + 5, NOW + timedelta(seconds=10)))[0] == [], "another zone is no drift"
    assert taken(cuff.clock(0, NOW + timedelta(seconds=20)))[0] == []


def test_a_reading_that_comes_again_is_a_duplicate_whatever_is_known_of_the_clock(cuff: Cuff, ehr: Caller) -> None:
    """DESIGN 7: the flag is the hub's and no part of what was measured; it stays as it was when the reading was taken in."""
    (fate,) = send(ehr, cuff.thermometer())
    send(ehr, cuff.clock(300))
    assert [one["fate"] for one in send(ehr, cuff.thermometer())] == ["duplicate"]
    assert flags(ehr, fate) == []
    (later,) = send(ehr, cuff.thermometer(NOW + timedelta(seconds=1)))
    send(ehr, cuff.clock(0, NOW + timedelta(seconds=2)))
    assert [one["fate"] for one in send(ehr, cuff.thermometer(NOW + timedelta(seconds=1)))] == ["duplicate"]
    assert flags(ehr, later) == ["clock-off"]


def test_how_far_off_is_the_products_to_say(cuff: Cuff, running: Running, ehr: Caller) -> None:
    product = f"cuff-{secrets.token_hex(4)}"
    added = running.process.invoke("product", "add", product, "--manufacturer", "A", "--model", "B", "--drift", "10m")
    assert added.code == 0, added.err
    assert running.process.invoke("device", "register", "gatt", cuff.unit, "--product", product).code == 0
    (lenient,) = [one for one in send(ehr, cuff.clock(300), cuff.thermometer()) if one["fate"] == "stored"]
    assert flags(ehr, lenient) == []
    later = NOW + timedelta(seconds=1)
    (beyond,) = [one for one in send(ehr, cuff.clock(700, later), cuff.thermometer(later)) if one["fate"] == "stored"]
    assert flags(ehr, beyond) == ["clock-off"]


def test_a_reading_that_is_derived_anew_keeps_what_was_known_of_the_clock(running: Running, ehr: Caller) -> None:
    """docs/adr/0017: the mapping changes, and not what the hub knew when it took the reading in."""
    person, backstage = ehr.create(patient())["id"], running.backstage
    made = backstage.pair(identifier_system("withings"), f"off-{person}", f"Patient/{person}", from_us=0)
    states = UnitStates(backstage.hub.services)

    async def clock(ahead_s: int) -> None:
        page = (await states.read([made.device]))[made.device]
        await backstage.hub.services.store.commit(Unit(notes=[await states.write(page, UnitState(clock_ahead_s=ahead_s, clock_us=1))]))

    bench = Bench(backstage, ehr.account, "withings", tenfold)
    backstage.run(clock(500))
    (reference,) = stored(bench.ingest(weight(70_000), device=f"off-{person}"))
    backstage.run(clock(0))
    plan = bench.plan(person)
    assert [[change[0] for change in one.changes] for one in bench.shown] == [["valueQuantity.value"]]
    bench.apply(plan)
    assert (ehr.get(reference).json()["meta"]["versionId"], flags(ehr, {"resource": reference})) == ("2", ["clock-off"])


def test_a_clock_is_kept_anew_when_it_moved_and_once_a_day(cuff: Cuff, ehr: Caller) -> None:
    yesterday = NOW - timedelta(days=2)
    asked = f"Observation?subject={cuff.device}&code=67975"
    for ahead, at, kept in (
        (95, yesterday, 1),
        (97, yesterday + timedelta(hours=1), 1),
        (110, yesterday + timedelta(hours=2), 2),
        (110, NOW, 3),
    ):
        send(ehr, cuff.clock(ahead, at))
        assert len(ehr.found(asked)) == kept, (ahead, at)


def test_the_clock_of_a_paired_device_is_seen_by_whoever_may_see_the_device(cuff: Cuff, ehr: Caller, stranger: Caller) -> None:
    """DESIGN 2, law 3: what names a patient's device is hidden as the device is."""
    send(ehr, cuff.clock(95))
    assert len(ehr.found(f"Observation?subject={cuff.device}&code=67975")) == 1
    assert stranger.found("Observation?code=67975") == []
    assert stranger.get(cuff.device).status_code == 404


def test_a_batch_that_says_nothing_new_writes_nothing_of_its_unit(cuff: Cuff, ehr: Caller) -> None:
    frames = (cuff.firmware("1.0"), cuff.battery(50), cuff.thermometer())
    send(ehr, *frames)
    before = cuff.notes
    send(ehr, *frames)
    send(ehr, cuff.thermometer(NOW + timedelta(seconds=1)))
    assert (before, cuff.notes, ehr.get(cuff.device).json()["meta"]["versionId"]) == (1, 1, "2")


def test_last_seen_is_when_it_measured_and_not_when_that_came(cuff: Cuff, ehr: Caller) -> None:
    """docs/adr/0015: an old export does not make a sensor in the bin look alive."""
    old = NOW - timedelta(days=30)
    send(ehr, cuff.thermometer(old))
    assert cuff.state.seen_us == int(old.timestamp()) * 1_000_000
    send(ehr, cuff.thermometer(NOW))
    send(ehr, cuff.thermometer(old + timedelta(hours=1)))
    assert cuff.state.seen_us == int(NOW.timestamp()) * 1_000_000


def test_of_a_unit_whose_patient_does_not_permit_it_nothing_is_noted(cuff: Cuff, ehr: Caller, stranger: Caller) -> None:
    """DESIGN 2, law 1: silence means no."""
    assert {one["fate"] for one in send(stranger, cuff.thermometer(), cuff.battery(5), cuff.firmware("1.0"))} <= {"quarantined", "refused"}
    assert (cuff.state, cuff.notes) == (UnitState(), 0)
    assert ehr.get(cuff.device).json()["meta"]["versionId"] == "1"


def test_of_a_unit_that_nobody_registered_nothing_is_kept(ehr: Caller, running: Running) -> None:
    before = running.backstage.admin["hub"]["notes"].count_documents({"kd": "unit"})
    stray = Cuff(unit=system_id(), device="Device/none", patient="none", running=running)
    send(ehr, stray.battery(5), stray.thermometer())
    assert running.backstage.admin["hub"]["notes"].count_documents({"kd": "unit"}) == before


def test_a_payload_about_units_alone_is_read(ehr: Caller, running: Running) -> None:
    """https://developer.withings.com/api-reference#tag/user/operation/userv2-getdevice: it holds no measurement."""
    unit, one = f"scale-{secrets.token_hex(4)}", ehr.create(patient())["id"]
    device = running.process.invoke("device", "pair", "withings", unit, "--patient", f"Patient/{one}").json()["device"]
    said = {"type": "Scale", "model": "Body+", "battery": "low", "fw": "1491", "last_session_date": int(NOW.timestamp()), "deviceid": unit}
    assert ehr.fates("withings", orjson.dumps({"status": 0, "body": {"devices": [said]}})) == []
    found = ehr.get(device).json()
    assert (found["version"][0]["value"], found["modelNumber"]) == ("1491", "Body+")
    scale = Cuff(unit=unit, device=device, patient=one, running=running)
    assert (scale.state.battery_level, scale.state.seen_us) == ("low", int(NOW.timestamp()) * 1_000_000)
    assert ehr.ingest("withings", b'{"status": 401, "battery": 1, "fw": "1"}').status_code == 400


def test_what_is_said_of_a_unit_lies_sealed(cuff: Cuff, ehr: Caller, running: Running) -> None:
    """DESIGN 2, law 4."""
    word = f"FW{secrets.token_hex(6)}"
    send(ehr, cuff.firmware(word))
    clear = [
        collection
        for collection in ("notes", "resources", "history")
        for document in running.backstage.admin["hub"][collection].find()
        if word in repr(document)
    ]
    assert clear == []
    (record,) = [
        one
        for one in running.backstage.recorded_by(lambda: send(ehr, cuff.firmware(word + "2")))
        if one.kind == "ingest" and one.patient is not None
    ]
    assert f"{cuff.device}/_history/3" in repr(record.event)
