"""The watch: silence makes a Device `unknown`, speaking makes it `active` again; exchange of sensors. DEVICES 1.6, docs/adr/0015."""

import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest

from fhir_profiles.product import Product
from fhir_profiles.unit import UnitNames
from hub.ingest.devices import device_token
from hub.metrics import UNITS
from hub.registry import Registry
from hub.store.embedded import Endpoint
from hub.store.protocol import Note
from hub.units.judge import FINDINGS
from hub.units.watch import Watch
from tests.support.backstage import new_client
from tests.support.caller import Caller, resources
from tests.support.fixtures import Running
from tests.support.inprocess import START_US, STEP_US, InProcess, in_process
from tests.support.payloads import WEIGHT, group, identifier_system, withings
from tests.support.resources import patient

Json = dict[str, Any]
PAUSE_US = 300_000_000
DAY_S, START_S = 86_400, START_US // STEP_US
SYSTEM = identifier_system("withings")
SCALE = Product(key="scale", manufacturer="A", model="B", name="C", silence_s=DAY_S)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A hub whose clock the test moves, with one unit that somebody has."""

    at: InProcess
    headers: dict[str, str]
    device: str

    async def read(self) -> Json:
        answer = await self.at.http.get(f"/fhir/{self.device}", headers=self.headers)
        found: Json = answer.json()
        return found

    async def weigh(self, at_s: int) -> None:
        payload = withings(group(at_s, (WEIGHT, 70_000, -3), date=START_S + at_s, deviceid="u"))
        answer = await self.at.http.post("/ingest/withings", content=payload, headers=self.headers)
        assert [one["fate"] for one in answer.json()] == ["stored"]

    async def watch(self) -> list[tuple[str, str]]:
        done = await Registry(self.at.hub).watch()
        return [(one.device, one.status) for one in done.changed]


@asynccontextmanager
async def scene(data_dir: Path, endpoint: Endpoint) -> AsyncIterator[Scene]:
    async with in_process(data_dir, endpoint, controlled=True) as hub:
        account = await hub.register(new_client("vendor", "system/*.cruds", consent_default="opt-out", recorder=True))
        headers = dict(hub.authorization(account, "system/*.cruds"))
        hub.turn.take(1)
        made = await hub.http.post("/fhir/Patient", json=patient(), headers={**headers, "Content-Type": "application/json"})
        registry = Registry(hub.hub)
        await registry.add_product(SCALE)
        device = await registry.register(UnitNames(system=SYSTEM, identifier="u"), SCALE.key)
        await registry.pair(
            system=SYSTEM,
            manufacturer="A",
            product="C",
            identifier="u",
            patient=f"Patient/{made.json()['id']}",
            from_us=0,
            to_us=None,
        )
        yield Scene(at=hub, headers=headers, device=device)


async def test_a_silent_unit_is_unknown_and_active_again_when_it_speaks(tmp_path: Path, clean_database: Endpoint) -> None:
    """gematik HDDT: `unknown` after the declared delay without a synchronisation."""
    async with scene(tmp_path, clean_database) as unit:
        turn = unit.at.turn
        await unit.weigh(2)
        turn.take(DAY_S)
        assert await unit.watch() == []
        turn.take(DAY_S + 10)
        assert await unit.watch() == [(unit.device, "unknown")]
        assert ((await unit.read())["status"], await unit.watch()) == ("unknown", [])
        turn.take(DAY_S + 20)
        await unit.weigh(DAY_S)
        late = await unit.read()
        assert late["status"] == "active"
        turn.take(3 * DAY_S)
        assert await unit.watch() == [(unit.device, "unknown")]
        turn.take(3 * DAY_S + 1)
        await unit.weigh(DAY_S + 400)
        assert (await unit.read())["status"] == "unknown", "what is sent late of long ago is no sign of life"
        turn.take(3 * DAY_S + 2)
        await unit.weigh(3 * DAY_S)
        spoke = await unit.read()
        assert (spoke["status"], "statusReason" in spoke) == ("active", False)


async def test_a_device_that_the_watch_has_written_is_hidden_as_before(tmp_path: Path, clean_database: Endpoint) -> None:
    """DESIGN 2, law 3: whoever may not see whose it is does not see it."""
    async with scene(tmp_path, clean_database) as unit:
        other = await unit.at.register(new_client("stranger", "system/*.cruds"))
        headers = dict(unit.at.authorization(other, "system/*.cruds"))
        unit.at.turn.take(2 * DAY_S)
        assert await unit.watch() == [(unit.device, "unknown")]
        assert (await unit.at.http.get(f"/fhir/{unit.device}", headers=headers)).status_code == 404
        await unit.weigh(2 * DAY_S)
        assert (await unit.read())["status"] == "active"
        assert (await unit.at.http.get(f"/fhir/{unit.device}", headers=headers)).status_code == 404


async def test_a_batch_that_says_nothing_new_asks_the_database_nothing_about_its_unit(
    tmp_path: Path, clean_database: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """docs/adr/0015: a look into memory, and every five minutes a note."""
    async with scene(tmp_path, clean_database) as unit:
        notes, asked = unit.at.hub.services.store.notes, list[int]()
        real = notes.of_keys

        async def counted(keys: Sequence[bytes]) -> Mapping[bytes, Note]:
            asked.append(len(keys))
            return await real(keys)

        monkeypatch.setattr(notes, "of_keys", counted)
        for moment in (1_000, 1_100, 1_299):
            unit.at.turn.take(moment)
            await unit.weigh(moment)
        assert asked == [1]
        unit.at.turn.take(1_300)
        await unit.weigh(1_300)
        assert asked == [1, 1]


async def test_another_limit_ends_the_silence(tmp_path: Path, clean_database: Endpoint) -> None:
    async with scene(tmp_path, clean_database) as unit:
        unit.at.turn.take(2 * DAY_S)
        assert await unit.watch() == [(unit.device, "unknown")]
        await Registry(unit.at.hub).change_product(SCALE.key, {"silence_s": 7 * DAY_S})
        assert await unit.watch() == [(unit.device, "active")]


async def test_a_unit_that_nobody_has_is_not_silent(tmp_path: Path, clean_database: Endpoint) -> None:
    async with scene(tmp_path, clean_database) as unit:
        unit.at.turn.take(10)
        await Registry(unit.at.hub).unpair(system=SYSTEM, identifier="u", to_us=START_US + 10 * STEP_US)
        unit.at.turn.take(9 * DAY_S)
        assert await unit.watch() == []


async def test_one_process_of_all_does_a_round_and_all_show_its_counts(
    tmp_path: Path, clean_database: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counts for /metrics, and nothing that names a unit."""
    async with scene(tmp_path, clean_database) as unit:
        unit.at.turn.take(2 * DAY_S)
        registry = Registry(unit.at.hub)
        first, second = (Watch(unit.at.hub.services, registry.recording) for _ in range(2))
        await first.turn(PAUSE_US)
        UNITS.clear()
        runs: list[int] = []
        monkeypatch.setattr(second, "run", lambda: runs.append(1))
        await second.turn(PAUSE_US)
        shown = {sample.labels["finding"]: sample.value for metric in UNITS.collect() for sample in metric.samples}
        assert (shown, runs) == ({"registered": 1, "paired": 1, "silent": 1, **dict.fromkeys(FINDINGS[1:], 0)}, [])


@pytest.fixture
def product(running: Running) -> str:
    key = f"sensor-{secrets.token_hex(4)}"
    made = running.process.invoke("product", "add", key, "--manufacturer", "ACME", "--model", "S", "--lifetime", "14d", "--silence", "6h")
    assert made.code == 0, made.err
    return key


def at(day: int, hour: int = 8) -> int:
    """2020-01-… as seconds."""
    return 1_577_836_800 + (day - 1) * DAY_S + hour * 3_600


def test_an_exchange_ends_one_pairing_and_begins_another_and_late_readings_go_to_whoever_had_it_then(
    running: Running, ehr: Caller, product: str
) -> None:
    """gematik HDDT: every exchange of a sensor is a new Device, with an expirationDate. DEVICES 6.5: unpairing never rewrites history."""
    hub, one, mark = running.process, ehr.create(patient())["id"], secrets.token_hex(4)
    old, new = f"old-{mark}", f"new-{mark}"
    first = hub.invoke("device", "register", "withings", old, "--product", product).json()["device"]
    hub.invoke("device", "pair", "withings", old, "--patient", f"Patient/{one}", "--from", "2020-01-01")
    done = hub.invoke("device", "exchange", "withings", old, new, "--at", "2020-01-10")
    assert done.code == 0, done.err
    told = done.json()
    assert (told["old"], told["at"], told["expires"], len(told["pairings"])) == (
        first,
        "2020-01-10T00:00:00.000Z",
        "2020-01-24T00:00:00.000Z",
        1,
    )
    retired, fresh = ehr.get(first).json(), ehr.get(told["new"]).json()
    assert (retired["status"], fresh["status"], fresh["expirationDate"]) == ("inactive", "active", told["expires"])
    assert fresh["definition"] == retired["definition"]

    sent = [(old, at(9)), (old, at(11)), (new, at(9)), (new, at(11))]
    fates = [ehr.fates("withings", withings(group(s, (WEIGHT, 70_000, -3), date=s, deviceid=unit)))[0] for unit, s in sent]
    assert [fate["fate"] for fate in fates] == ["stored", "quarantined", "quarantined", "stored"]
    devices = [one["device"]["reference"] for one in resources(ehr.search(f"Observation?patient={one}&_sort=date"))]
    assert devices == [first, told["new"]]


def test_an_exchange_is_refused_where_nobody_has_the_old_unit_or_the_new_one_is_known(running: Running, ehr: Caller, product: str) -> None:
    hub, one, mark = running.process, ehr.create(patient())["id"], secrets.token_hex(4)
    old, new = f"old-{mark}", f"new-{mark}"
    hub.invoke("device", "register", "withings", old, "--product", product)
    nobody = hub.invoke("device", "exchange", "withings", old, new)
    assert (nobody.code, "nobody has the old unit" in nobody.err) == (1, True)
    hub.invoke("device", "pair", "withings", old, "--patient", f"Patient/{one}", "--from", "2020-01-01")
    same = hub.invoke("device", "exchange", "withings", old, old)
    assert (same.code, "another unit" in same.err) == (1, True)
    unknown = hub.invoke("device", "exchange", "withings", "never-seen", new)
    assert (unknown.code, "no unit" in unknown.err) == (1, True)
    before = [one for one in hub.invoke("device", "list", "--json").json() if one["patient"] == f"Patient/{one}"]
    assert all(pairing["to"] is None for pairing in before)


def test_a_unit_of_several_people_is_exchanged_for_all_of_them(running: Running, ehr: Caller, product: str) -> None:
    hub, mark = running.process, secrets.token_hex(4)
    old, new = f"old-{mark}", f"new-{mark}"
    people = [ehr.create(patient())["id"] for _ in range(2)]
    hub.invoke("device", "register", "withings", old, "--product", product)
    for index, one in enumerate(people, start=1):
        paired = hub.invoke(
            "device", "pair", "withings", old, "--patient", f"Patient/{one}", "--from", "2020-01-01", "--user-index", str(index)
        )
        assert paired.code == 0, paired.err
    told = hub.invoke("device", "exchange", "withings", old, new, "--at", "2020-01-10").json()
    listed = [one for one in hub.invoke("device", "list", "--json").json() if one["device"] == told["new"]]
    assert sorted(one["patient"] for one in listed) == sorted(f"Patient/{one}" for one in people)
    assert len(told["pairings"]) == 2


def test_each_exchange_and_each_change_of_the_watch_is_in_the_log_of_its_patient(running: Running, ehr: Caller, product: str) -> None:
    """DESIGN 2, law 2."""
    hub, one, mark = running.process, ehr.create(patient())["id"], secrets.token_hex(4)
    hub.invoke("device", "register", "withings", f"old-{mark}", "--product", product)
    hub.invoke("device", "pair", "withings", f"old-{mark}", "--patient", f"Patient/{one}")
    told: Json = {}
    records = running.backstage.recorded_by(
        lambda: told.update(hub.invoke("device", "exchange", "withings", f"old-{mark}", f"new-{mark}", "--reason", "worn out").json())
    )
    token = running.backstage.patient_token(one)
    assert {record.kind for record in records} == {"device-exchange"}
    (mine,) = [record for record in records if record.patient == token]
    named = {one["what"]["reference"] for one in mine.event["entity"] if "reference" in one["what"]}
    assert {f"{told['old']}/_history/2", told["new"]} <= named
    whole = {one["what"]["reference"] for record in records for one in record.event["entity"] if "reference" in one["what"]}
    assert f"{told['new']}/_history/1" in whole


def test_status_tells_how_units_do_and_names_no_patient(running: Running, ehr: Caller, product: str) -> None:
    hub, one, mark = running.process, ehr.create(patient())["id"], secrets.token_hex(4)
    unit = f"unit-{mark}"
    device = hub.invoke("device", "register", "withings", unit, "--product", product, "--expires", "2020-01-31").json()["device"]
    hub.invoke("device", "pair", "withings", unit, "--patient", f"Patient/{one}")
    said = {"model": "X", "battery": "low", "fw": "7", "last_session_date": at(2), "deviceid": unit}
    ehr.fates("withings", orjson.dumps({"status": 0, "body": {"devices": [said]}}))
    (mine,) = [row for row in hub.invoke("device", "status", "--json").json() if row["device"] == device]
    assert mine == {
        "device": device,
        "identifier": unit,
        "product": product,
        "status": "active",
        "paired": True,
        "seen": "2020-01-02T08:00:00.000Z",
        "battery": "low",
        "clock": None,
        "versions": {"firmware": "7"},
        "expires": "2020-01-31T00:00:00.000Z",
        "findings": ["low-battery", "expired"],
    }
    listed = hub.invoke("device", "status", "--finding", "expired", "--json")
    assert device in {row["device"] for row in listed.json()}
    assert one not in listed.out
    assert hub.invoke("device", "status").code == 0
    assert hub.invoke("device", "status", "--finding", "sad").code == 2
    assert hub.invoke("device", "watch").json()["units"]["expired"] >= 1


async def test_an_exchange_is_all_or_nothing(tmp_path: Path, clean_database: Endpoint) -> None:
    """DESIGN 2, law 5: the database refuses the commit, and nothing of it is there."""
    async with scene(tmp_path, clean_database) as unit:
        services, registry = unit.at.hub.services, Registry(unit.at.hub)
        before = await services.store.pairings(device_token(services, SYSTEM, "u"))
        names = UnitNames(system=SYSTEM, identifier="v", serial="x" * 2_000_000)
        with pytest.raises(Exception, match=r"."):
            await registry.exchange((SYSTEM, "u"), names, at_us=START_US, key=None, expires=None)
        assert await services.store.pairings(device_token(services, SYSTEM, "u")) == before
        assert await services.store.claim(device_token(services, SYSTEM, "v")) is None
        assert (await unit.read())["status"] == "active"
