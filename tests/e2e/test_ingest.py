"""Real payloads become the Observations that a reader of the vendors' documents expects.

DESIGN 7; DEVICES 2.1 (Withings getmeas), 2.3 (LibreView), 2.4 (Bluetooth GATT). Expected values are written down here by
hand; none is computed by the code under test.
"""

import json
from collections import Counter
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from adapters.discovery import adapters
from hub.ingest.raw import Raw
from tests.support.backstage import Backstage
from tests.support.caller import Caller, resources
from tests.support.fixtures import Running
from tests.support.payloads import (
    PULSE,
    SAMPLES,
    WEIGHT,
    frame,
    gatt,
    group,
    identifier_system,
    libreview,
    needs_samples,
    weight,
    withings,
)
from tests.support.resources import patient

Json = dict[str, Any]
UCUM = "http://unitsofmeasure.org"
LIBRE_SERIAL = "7F354325-542B-43DB-8E4C-F8FAF6F31CAC"


def key_file(caller: Caller, directory: Path) -> Path:
    path = directory / f"{caller.account.id}.pem"
    path.write_bytes(caller.account.key)
    return path


class Sender:
    """`hub ingest` and `hub device pair`, as a vendor and an operator type them."""

    def __init__(self, running: Running, caller: Caller, directory: Path) -> None:
        self._process, self._caller = running.process, caller
        self._key = key_file(caller, directory)

    def pair(self, adapter: str, identifier: str, patient_id: str, since: str) -> Json:
        done = self._process.invoke("device", "pair", adapter, identifier, "--patient", f"Patient/{patient_id}", "--from", since)
        assert done.code == 0, done.err
        made: Json = done.json()
        return made

    def ingest(self, adapter: str, path: Path, *flags: str) -> list[Json]:
        common = ("--base-url", self._process.url, "--client-id", self._caller.account.id, "--key", str(self._key))
        done = self._process.command("ingest", adapter, str(path), *common, *flags, data=False)
        assert done.code == 0, done.err
        return done.lines()


@pytest.fixture
def sender(running: Running, ehr: Caller, tmp_path: Path) -> Sender:
    return Sender(running, ehr, tmp_path)


def fates(items: list[Json]) -> Counter[str]:
    return Counter(item["fate"] for item in items)


def of(ehr: Caller, patient_id: str, loinc: str) -> list[Json]:
    """Observations of a code, earliest first."""
    found = [
        one
        for page in ehr.pages(f"Observation?patient={patient_id}&code=http://loinc.org|{loinc}&_sort=date&_count=200")
        for one in resources(page)
    ]
    assert all(one["subject"] == {"reference": f"Patient/{patient_id}"} for one in found)
    return found


def quantity(value: Json) -> tuple[float, str]:
    assert value["system"] == UCUM
    return value["value"], value["code"]


def components(resource: Json) -> dict[str, tuple[float, str]]:
    return {one["code"]["coding"][0]["code"]: quantity(one["valueQuantity"]) for one in resource["component"]}


def instant(resource: Json) -> datetime:
    return datetime.fromisoformat(resource["effectiveDateTime"])


@needs_samples
def test_the_withings_sample_is_read_as_its_reader_expects(ehr: Caller, sender: Sender) -> None:
    """DEVICES 2.1: value times ten to the unit; types 1, 4, 9, 10, 11, 71; attrib 2 is typed in; type 18 is kept and reported."""
    person = ehr.create(patient())["id"]
    device = sender.pair("withings", f"scale-{person}", person, "2010-01-01")["device"]
    path = SAMPLES / "withings" / "withings-body-measures.json"
    first = sender.ingest("withings", path, "--device", f"scale-{person}")
    assert fates(first) == {"stored": 8, "quarantined": 3}
    assert {one["code"] for one in first if one["fate"] == "quarantined"} == {"unknown-measure"}
    assert [one["pointer"] for one in first if one["fate"] == "quarantined"] == [
        f"/body/measuregrps/{at}" for at in ("0/measures/3", "2/measures/1", "3/measures/1")
    ]

    pacific_summer = timezone(timedelta(hours=-7))
    earlier, weight_ = of(ehr, person, "29463-7")
    assert quantity(weight_["valueQuantity"]) == (74.126, "kg")
    assert instant(weight_) == datetime(2015, 5, 30, 23, 6, 23, tzinfo=pacific_summer)
    assert weight_["device"] == {"reference": device}
    assert weight_["status"] == "final"
    assert (quantity(earlier["valueQuantity"]), instant(earlier)) == (
        (74.128, "kg"),
        datetime(2015, 4, 20, 10, 13, 56, tzinfo=pacific_summer),
    )

    (pressure,) = of(ehr, person, "85354-9")
    assert components(pressure) == {"8480-6": (104, "mm[Hg]"), "8462-4": (68, "mm[Hg]")}
    assert instant(pressure) == instant(weight_)

    pulses = of(ehr, person, "8867-4")
    assert [quantity(one["valueQuantity"]) for one in pulses] == [(47, "/min"), (51, "/min"), (41, "/min")]
    (height,) = of(ehr, person, "8302-2")
    assert quantity(height["valueQuantity"]) == (193.0, "cm")
    assert '"value":193.0' in ehr.get(f"Observation/{height['id']}").text, "1.930 m has a decimal that 193 cm would lose"
    (temperature,) = of(ehr, person, "8310-5")
    assert quantity(temperature["valueQuantity"]) == (37, "Cel")
    for typed in (*pulses[:2], height, temperature):
        assert typed["performer"] == [{"reference": f"Patient/{person}"}]
        assert "device" not in typed
    assert "performer" not in pulses[2]

    again = sender.ingest("withings", path, "--device", f"scale-{person}")
    assert fates(again) == {"duplicate": 8, "quarantined": 3}
    assert [one.get("resource") for one in again] == [one.get("resource") for one in first]
    assert {one["meta"]["versionId"] for one in (weight_, pressure, height)} == {"1"}


@needs_samples
def test_one_withings_group_that_comes_twice_is_one_reading(ehr: Caller, backstage: Backstage) -> None:
    """DEVICES 2.1: the same grpid may come with attrib 0 and 8; 118003 and -3 are 118.003 kg, by the Body+ named inside."""
    person = ehr.create(patient())["id"]
    payload = (SAMPLES / "withings" / "getmeas.json").read_bytes().replace(b"f998be4b", person.encode())
    backstage.pair(
        identifier_system("withings"), f"{person}9ccc9e136fd8cd8e8e344c31ec3b271d".replace("9ccc", "9ccc"), f"Patient/{person}", from_us=0
    )
    backstage.pair(identifier_system("withings"), json.loads(payload)["body"]["measuregrps"][0]["deviceid"], f"Patient/{person}", from_us=0)
    assert [one["fate"] for one in ehr.fates("withings", payload)] == ["stored", "duplicate"]
    (only,) = of(ehr, person, "29463-7")
    assert quantity(only["valueQuantity"]) == (118.003, "kg")
    assert only["effectiveDateTime"] == "2023-09-02T10:39:11Z"


@needs_samples
def test_the_libreview_sample_is_read_row_by_row(ehr: Caller, sender: Sender) -> None:
    """DEVICES 2.3: 398 rows of type 0 in mg/dL, day first, local time of Paris, which in 1961 was one hour ahead all year."""
    person = ehr.create(patient())["id"]
    path = next((SAMPLES / "libreview-csv").glob("*.csv"))
    sender.pair("libreview", LIBRE_SERIAL, person, "1960-01-01")
    first = sender.ingest("libreview", path, "--time-zone", "Europe/Paris")
    assert fates(first) == {"stored": 398}
    found = [one for page in ehr.pages(f"Observation?patient={person}&_sort=date&_count=200") for one in resources(page)]
    assert len(found) == 398
    assert all("160212" in {coding["code"] for coding in one["code"]["coding"]} for one in found)
    assert all("99504-3" in {coding["code"] for coding in one["code"]["coding"]} for one in found)
    assert [quantity(one["valueQuantity"]) for one in (*found[:3], *found[-3:])] == [
        (98, "mg/dL"),
        (99, "mg/dL"),
        (98, "mg/dL"),
        (64, "mg/dL"),
        (59, "mg/dL"),
        (55, "mg/dL"),
    ]
    assert [found[0]["effectiveDateTime"], found[-1]["effectiveDateTime"]] == ["1961-04-12T22:30:00+01:00", "1961-04-14T07:35:00+01:00"]
    assert (min(quantity(one["valueQuantity"])[0] for one in found), max(quantity(one["valueQuantity"])[0] for one in found)) == (55, 149)
    days = Counter(one["effectiveDateTime"][:10] for one in found)
    assert days == {"1961-04-12": 18, "1961-04-13": 288, "1961-04-14": 92}
    assert ehr.search(f"Observation?patient={person}&date=1961-04-12T21:30:00Z&_summary=count")["total"] == 1
    again = sender.ingest("libreview", path, "--time-zone", "Europe/Paris")
    assert fates(again) == {"duplicate": 398}
    assert ehr.search(f"Observation?patient={person}&_summary=count")["total"] == 398


@pytest.fixture
def cuff(ehr: Caller, backstage: Backstage) -> tuple[str, str]:
    """A patient with a Bluetooth device: (patient id, system id)."""
    person = ehr.create(patient())["id"]
    system_id = "-".join(f"{byte:02X}" for byte in person.encode()[:8])
    backstage.pair(identifier_system("gatt"), system_id, f"Patient/{person}", from_us=0)
    return person, system_id


def test_a_cuff_frame_gives_pressures_and_pulse(ehr: Caller, cuff: tuple[str, str]) -> None:
    """GATT 2A35, Nordic's vector: 138/88, mean 120, pulse 60, user 1, four status bits; no year, so the gateway's time."""
    person, unit = cuff
    made = ehr.fates("gatt", gatt(frame("2A35", "1E8A00580078000000041114293B3C00012700", system_id=unit)))
    assert fates(made) == {"stored": 2}
    (pressure,) = of(ehr, person, "85354-9")
    assert components(pressure) == {"8480-6": (138, "mm[Hg]"), "8462-4": (88, "mm[Hg]"), "8478-0": (120, "mm[Hg]")}
    assert pressure["effectiveDateTime"] == "2026-01-05T08:30:00+01:00"
    flags = {one.get("valueCoding", {}).get("code") or one.get("valueString") for one in pressure["extension"]}
    assert len(flags) == 5
    assert "1" in flags
    (pulse,) = of(ehr, person, "8867-4")
    assert quantity(pulse["valueQuantity"]) == (60, "/min")


def test_kilopascals_are_converted_and_kept(ehr: Caller, cuff: tuple[str, str]) -> None:
    """GATT 2A35, flag 0: 18.9, 11 and 15.9 kPa; R4's bp profile fixes mm[Hg], ANS has an extension for the original."""
    person, unit = cuff
    ehr.fates("gatt", gatt(frame("2A35", "15BDF00B009FF03C001200", system_id=unit)))
    (pressure,) = of(ehr, person, "85354-9")
    values = components(pressure)
    assert values["8480-6"] == (141.8, "mm[Hg]")
    assert abs(values["8462-4"][0] - 82.5) <= 0.5
    assert values["8478-0"] == (119.3, "mm[Hg]")
    original = pressure["component"][0]["valueQuantity"]["extension"][0]["valueQuantity"]
    assert (original["value"], original["code"]) == (18.9, "kPa")


def test_a_thermometers_own_time_needs_a_zone(ehr: Caller, cuff: tuple[str, str]) -> None:
    """GATT 2A1C: 37.60 Cel of a finger at 11:50:27 of 5 December 2012, in no zone that the device knows."""
    person, unit = cuff
    payload = gatt(frame("2A1C", "06B00E00FEDC070C050B321B04", system_id=unit))
    assert ehr.fates("gatt", payload)[0]["code"] == "time-zone-missing"
    assert fates(ehr.fates("gatt", payload, timeZone="Europe/Paris")) == {"stored": 1}
    (temperature,) = of(ehr, person, "8310-5")
    assert quantity(temperature["valueQuantity"]) == (37.6, "Cel")
    assert '"value":37.60' in ehr.get(f"Observation/{temperature['id']}").text
    assert temperature["effectiveDateTime"] == "2012-12-05T11:50:27+01:00"
    assert "finger" in json.dumps(temperature["bodySite"]).lower()


def test_heart_rates_of_one_and_two_octets(ehr: Caller, cuff: tuple[str, str]) -> None:
    """GATT 2A37: 85 in one octet, 257 in two; energy and RR intervals are readings of their own; a short frame harms no other."""
    person, unit = cuff
    frames = [
        frame("2A37", "0055", received_at="2026-01-05T08:30:00+01:00", system_id=unit),
        frame("2A35", "010203040506", system_id=unit),
        frame("2A37", "1F0101320101000201FFFF", received_at="2026-01-05T08:31:00+01:00", system_id=unit),
    ]
    made = ehr.fates("gatt", gatt(*frames))
    assert [(one["pointer"], one["fate"]) for one in made[:3]] == [("/0", "stored"), ("/1", "refused"), ("/2", "stored")]
    assert {one["pointer"] for one in made[3:]} == {"/2"}
    assert made[1]["code"] == "frame-too-short"
    assert [quantity(one["valueQuantity"]) for one in of(ehr, person, "8867-4")] == [(85, "/min"), (257, "/min")]


def test_a_special_float_is_an_absence_and_no_number(ehr: Caller, cuff: tuple[str, str]) -> None:
    """DEVICES 2.4: a cuff in error sends 07FF three times; one app showed 2047 mmHg."""
    person, unit = cuff
    assert fates(ehr.fates("gatt", gatt(frame("2A35", "00FF07FF07FF07", system_id=unit)))) == {"stored": 1}
    (pressure,) = of(ehr, person, "85354-9")
    assert all("valueQuantity" not in one for one in pressure["component"])
    assert {one["dataAbsentReason"]["coding"][0]["code"] for one in pressure["component"]} == {"not-a-number"}


@pytest.fixture
def scale(ehr: Caller, backstage: Backstage) -> tuple[str, str]:
    """A patient with a scale: (patient id, unit)."""
    person = ehr.create(patient())["id"]
    backstage.pair(identifier_system("withings"), f"scale-{person}", f"Patient/{person}", from_us=0)
    return person, f"scale-{person}"


def test_another_value_is_a_new_version_and_the_old_one_is_kept(ehr: Caller, scale: tuple[str, str]) -> None:
    """DESIGN 7: same key, other value: corrected; the value of before is a duplicate, for it is in the history."""
    person, unit = scale
    (first,) = ehr.fates("withings", weight(71_000, modified=1_750_000_100), device=unit)
    (second,) = ehr.fates("withings", weight(72_500, modified=1_750_000_200), device=unit)
    (late,) = ehr.fates("withings", weight(71_000, modified=1_750_000_100), device=unit)
    assert [first["fate"], second["fate"], late["fate"]] == ["stored", "corrected", "duplicate"]
    assert first["resource"] == second["resource"] == late["resource"]
    current = ehr.get(first["resource"]).json()
    assert (quantity(current["valueQuantity"]), current["meta"]["versionId"]) == ((72.5, "kg"), "2")
    old = ehr.get(f"{first['resource']}/_history/1").json()
    assert quantity(old["valueQuantity"]) == (71, "kg")
    assert len(of(ehr, person, "29463-7")) == 1


def test_an_older_value_that_arrives_late_goes_to_the_history(ehr: Caller, scale: tuple[str, str]) -> None:
    """DESIGN 7: current is what the source changed last, whatever comes first; never "latest wins" by arrival."""
    _, unit = scale
    ehr.fates("withings", weight(72_500, modified=1_750_000_200), device=unit)
    (late,) = ehr.fates("withings", weight(71_000, modified=1_750_000_100), device=unit)
    assert (late["fate"], late["code"]) == ("corrected", "superseded")
    current = ehr.get(late["resource"]).json()
    assert (quantity(current["valueQuantity"]), current["meta"]["versionId"]) == ((72.5, "kg"), "3")
    assert quantity(ehr.get(f"{late['resource']}/_history/2").json()["valueQuantity"]) == (71, "kg")


def test_a_value_that_the_source_takes_back_is_current_again(ehr: Caller, scale: tuple[str, str]) -> None:
    """DESIGN 7: the latest source-modified time decides, also when it brings an earlier value back."""
    _, unit = scale
    for grams, modified in ((71_000, 100), (72_500, 200), (71_000, 300)):
        (last,) = ehr.fates("withings", weight(grams, modified=1_750_000_000 + modified), device=unit)
    assert quantity(ehr.get(last["resource"]).json()["valueQuantity"]) == (71, "kg")


def test_digits_are_part_of_a_value(ehr: Caller, scale: tuple[str, str]) -> None:
    """datatypes.html#decimal: 74.1 and 74.10 are not the same."""
    _, unit = scale
    made = [ehr.fates("withings", withings(group(1, (WEIGHT, value, power))), device=unit)[0] for value, power in ((741, -1), (7410, -2))]
    assert [one["fate"] for one in made] == ["stored", "corrected"]


def test_what_a_person_put_right_is_not_undone_by_the_device(ehr: Caller, scale: tuple[str, str]) -> None:
    """GDPR Art. 16: the device sends its data again; the rectified Observation stays."""
    _, unit = scale
    (made,) = ehr.fates("withings", weight(71_000), device=unit)
    resource = ehr.get(made["resource"]).json()
    ehr.update(resource, status="entered-in-error")
    assert ehr.fates("withings", weight(71_000), device=unit)[0]["fate"] == "duplicate"
    assert ehr.get(made["resource"]).json()["status"] == "entered-in-error"


def test_one_bad_item_never_takes_good_ones_with_it(ehr: Caller, scale: tuple[str, str]) -> None:
    """DESIGN 7: each item has its own fate, in the payload's order, with a pointer into it."""
    person, unit = scale
    goal = group(3, (WEIGHT, 60, 0), category=2)
    payload = withings(group(1, (WEIGHT, 70, 0)), group(2, (WEIGHT, 9_999, 0)), goal, group(4, (PULSE, 61, 0)))
    made = ehr.fates("withings", payload, device=unit)
    assert [(one["fate"], one.get("code")) for one in made] == [
        ("stored", None),
        ("quarantined", "implausible-value"),
        ("refused", "user-goal"),
        ("stored", None),
    ]
    assert [one["pointer"] for one in made] == [f"/body/measuregrps/{n}/measures/0" for n in range(4)]
    assert ehr.search(f"Observation?patient={person}&_summary=count")["total"] == 2


def test_readings_lie_with_whoever_wore_the_device_then(ehr: Caller, backstage: Backstage) -> None:
    """DESIGN 7: pairing is for a period; what was before and after is nobody's, or somebody else's."""
    one, two = (ehr.create(patient())["id"] for _ in range(2))
    unit, system = f"shared-{one}", identifier_system("withings")
    day = 86_400
    start = 1_750_000_000
    backstage.pair(system, unit, f"Patient/{one}", from_us=start * 1_000_000, to_us=(start + day) * 1_000_000)
    backstage.pair(system, unit, f"Patient/{two}", from_us=(start + 2 * day) * 1_000_000)
    payload = withings(*(group(n, (WEIGHT, 70 + n, 0), date=start + seconds) for n, seconds in enumerate((-1, 0, day - 1, day, 2 * day))))
    made = ehr.fates("withings", payload, device=unit)
    assert [item["fate"] for item in made] == ["quarantined", "stored", "stored", "quarantined", "stored"]
    assert [quantity(found["valueQuantity"])[0] for found in of(ehr, one, "29463-7")] == [71, 72]
    assert [quantity(found["valueQuantity"])[0] for found in of(ehr, two, "29463-7")] == [74]


def test_the_vendor_needs_only_leave_to_create(ehr: Caller, vendor: Caller, scale: tuple[str, str]) -> None:
    """Law 1: a vendor's scope is system/Observation.c; it reads nothing back."""
    _, unit = scale
    (made,) = vendor.fates("withings", weight(80_000), device=unit)
    assert made["fate"] == "stored"
    assert vendor.get(made["resource"]).status_code == 403
    assert ehr.get(made["resource"]).status_code == 200


def test_answers_come_as_one_array_or_line_by_line(ehr: Caller, scale: tuple[str, str]) -> None:
    """DESIGN 4: 200 with one object per item, NDJSON on request."""
    _, unit = scale
    payload = withings(group(1, (WEIGHT, 70, 0)), group(2, (PULSE, 60, 0)))
    array = ehr.ingest("withings", payload, device=unit)
    lines = ehr.ingest("withings", payload, device=unit, headers={"Accept": "application/x-ndjson"})
    assert (array.headers["content-type"], lines.headers["content-type"]) == ("application/json", "application/x-ndjson")
    assert [one["pointer"] for one in array.json()] == [json.loads(line)["pointer"] for line in lines.text.splitlines()]


def test_the_raw_item_is_kept_without_the_preamble(ehr: Caller, backstage: Backstage) -> None:
    """DESIGN 7: kept sealed per item, with adapter and version, so that a mapping mistake can be re-derived."""
    person = ehr.create(patient())["id"]
    backstage.pair(identifier_system("libreview"), f"S-{person}", f"Patient/{person}", from_us=0)
    (made,) = ehr.fates("libreview", libreview(f"S-{person}", ("25-01-2026 08:15", "0", "104")), timeZone="Europe/Paris")
    stored = backstage.store(lambda store: store.current(made["resource"]))
    vault = backstage.hub.services.vault
    key = backstage.run(vault.key(stored.patient))
    raw = vault.open_sealed(key, "Observation", stored.id, stored.version, stored.patient, stored.raw, purpose="raw")
    kept = Raw.from_bytes(raw)
    manifest = adapters()["libreview"].manifest
    assert (kept.adapter, kept.mapping_version, kept.client) == ("libreview", manifest.version, ehr.account.id)
    assert (kept.software or "").startswith("hds-hub/")
    assert (kept.device, kept.time_zone) == (None, "Europe/Paris")
    assert b"25-01-2026 08:15" in kept.item
    assert b"Nobody" not in raw
