"""gematik HDDT: chunks, single values, devices, and nobody's name. DEVICES 1.6; https://gematik.de/fhir/hddt, version 1.0.1."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class
from hypothesis import given
from hypothesis import strategies as st

from fhir_profiles import r4
from fhir_profiles.measurement import Amount
from fhir_profiles.profiles import check
from fhir_profiles.shapes import hddt
from fhir_profiles.shapes.kept import Kept, Shaped
from fhir_profiles.shapes.parts import moment_us
from hub import numbers
from tests.spec.profiles.measurements import one_of_each
from tests.spec.shapes import naive
from tests.spec.shapes.makings import DEVICE, INS, NOON, about, every, kept, sensor_value, stored, us

Json = dict[str, Any]
METRIC: Json = {
    "resourceType": "DeviceMetric",
    "id": "m1",
    "type": {"coding": [{"system": "urn:iso:std:iso:11073:10101", "code": "160212"}]},
    "unit": {"coding": [{"system": "http://unitsofmeasure.org", "code": "mmol/L"}]},
    "source": {"reference": "Device/d1"},
    "category": "measurement",
    "calibration": [
        {"type": "gain", "state": "not-calibrated", "time": "2026-03-01T11:00:00Z"},
        {"type": "gain", "state": "calibrated", "time": "2026-03-01T12:30:00Z"},
    ],
}
LATER = us(NOON + timedelta(days=2))


def shaped(*given: Kept, **changes: Any) -> Shaped:
    found = hddt.shaped(given, about(**{"chunk_hours": 1, "now_us": LATER, **changes}))
    along = {url: entry.resource for url, entry in found.along.items()}
    for entry in (*found.matches, *found.along.values()):
        written = numbers.loads(numbers.dumps(entry.resource))
        assert r4.check(written) == check(written) == ()
        get_fhir_model_class(written["resourceType"]).model_validate_json(numbers.dumps(written))
    assert [fault for entry in found.matches for fault in naive.hddt_observation(entry.resource, along)] == []
    assert [fault for one in along.values() for fault in naive.hddt_along(one)] == []
    return found


def chunks(*given: Kept, **changes: Any) -> list[Json]:
    return [entry.resource for entry in shaped(*given, **changes).matches]


def data(chunk: Json) -> str:
    made: str = chunk["valueSampledData"]["data"]
    return made


def device(found: Shaped) -> Json:
    return next(entry.resource for entry in found.along.values() if entry.resource["resourceType"] == "Device")


@pytest.mark.parametrize(("name", "made"), [*one_of_each()], ids=[name for name, _ in one_of_each()])
def test_each_measure_is_valid_or_has_a_reason(name: str, made: Any) -> None:
    found = shaped(Kept(observation=stored(made), device=DEVICE))
    assert bool(found.matches) != any(each.lost for each in found.left)


@given(st.lists(st.decimals(min_value="40", max_value="400", places=1).map(str), min_size=1, max_size=40), st.sampled_from([1, 5, 15]))
def test_values_times_and_unit_of_a_sensor_come_back_to_the_digit(texts: list[str], minutes: int) -> None:
    given = every(minutes, texts)
    back = []
    for entry in hddt.shaped(given, about(chunk_hours=1, now_us=LATER)).matches:
        samples, start = entry.resource["valueSampledData"], moment_us(entry.resource["effectivePeriod"]["start"])
        assert (samples["origin"]["value"], samples["origin"]["code"], samples.get("factor", 1)) == (0, "mg/dL", 1)
        step = int(Decimal(str(samples["period"])) * 1_000)
        back += [(start + place * step, text) for place, text in enumerate(samples["data"].split(" ")) if text != "E"]
    assert back == [(us(NOON + timedelta(minutes=minutes * index)), text) for index, text in enumerate(texts)]


def test_a_single_measurement_keeps_its_digits_and_its_time() -> None:
    given = kept("glucose-blood", value=Amount(value="5.40", unit="mmol/L"))
    (made,) = chunks(given)
    assert b'"value":5.40,' in numbers.dumps(made)
    assert made["effectiveDateTime"] == given.observation["effectiveDateTime"]


def test_lo_and_hi_are_l_and_u_and_what_is_missing_is_e() -> None:
    """Lo and Hi Values; limits are told where a value was at them."""
    given = [
        sensor_value(NOON, "60"),
        sensor_value(NOON + timedelta(minutes=5), None, "below-range"),
        sensor_value(NOON + timedelta(minutes=10), None, "sensor-fault"),
        sensor_value(NOON + timedelta(minutes=20), None, "above-range"),
        sensor_value(NOON + timedelta(minutes=25), "400", "at-upper-limit"),
    ]
    (made,) = chunks(*given)
    assert data(made) == "60 L E E U 400"
    assert made["valueSampledData"]["upperLimit"] == 400
    assert "lowerLimit" not in made["valueSampledData"]
    assert made["note"] == [{"text": "Sensor at fault: 1"}]


def test_a_chunk_is_preliminary_until_it_is_full_or_a_later_value_has_come() -> None:
    hour = ["100"] * 12
    assert [one["status"] for one in chunks(*every(5, hour))] == ["final"]
    assert [one["status"] for one in chunks(*every(5, hour[:4]))] == ["preliminary"]
    assert [one["status"] for one in chunks(*every(5, hour[:4]), sensor_value(NOON + timedelta(hours=1), "9"))] == ["final", "preliminary"]
    behind = frozenset({"Device/d1"})
    assert [one["status"] for one in chunks(*every(5, hour[:4]), behind=behind)] == ["final"], "the later value is on the next page"
    assert [one["status"] for one in chunks(*every(5, hour), now_us=us(NOON + timedelta(minutes=59)))] == ["preliminary"]


def test_an_incomplete_chunk_has_its_whole_period() -> None:
    (made,) = chunks(*every(5, ["100"] * 3))
    assert made["effectivePeriod"] == {"start": "2026-03-01T12:00:00Z", "end": "2026-03-01T13:00:00Z"}


def test_the_end_of_what_was_asked_cuts_the_values_and_not_the_period() -> None:
    (made,) = chunks(*every(5, ["100"] * 12), until_us=us(NOON + timedelta(minutes=15)))
    assert (data(made), made["status"], made["effectivePeriod"]["end"]) == ("100 100 100", "preliminary", "2026-03-01T13:00:00Z")


def test_a_chunk_without_any_value_is_temporarily_unknown() -> None:
    """Quality of Data and Missing Values: other chunks are as usual."""
    found = chunks(sensor_value(NOON, "100"), sensor_value(NOON + timedelta(hours=2), "101"))
    assert [one["status"] for one in found] == ["final", "preliminary", "preliminary"]
    assert naive.codes(found[1]["dataAbsentReason"]) == {"temp-unknown"}
    assert "valueSampledData" not in found[1]


def test_the_chunk_that_has_just_begun_is_there_before_its_first_value() -> None:
    found = chunks(*every(5, ["100"] * 12), now_us=us(NOON + timedelta(minutes=65)))
    assert [one["effectivePeriod"]["start"][11:13] for one in found] == ["12", "13"]
    assert naive.codes(found[1]["dataAbsentReason"]) == {"temp-unknown"}


def test_a_sensor_that_was_silent_for_long_leaves_a_gap_and_that_is_told() -> None:
    found = shaped(sensor_value(NOON - timedelta(days=3), "100"), sensor_value(NOON, "101"))
    assert len(found.matches) == 1 + 31 + 1


def test_a_change_of_the_calibration_ends_a_chunk_and_each_part_has_its_state() -> None:
    given = every(5, ["100"] * 12, metric=METRIC)
    found = shaped(*given)
    first, second = (entry.resource for entry in found.matches)
    assert (first["effectivePeriod"]["end"], second["effectivePeriod"]["start"]) == ("2026-03-01T12:30:00Z",) * 2
    assert (first["status"], data(first), data(second)) == ("final", " ".join(["100"] * 6), " ".join(["100"] * 6))
    states = [found.along[one["device"]["reference"]].resource["calibration"][0]["state"] for one in (first, second)]
    assert states == ["not-calibrated", "calibrated"]


def test_the_same_state_told_again_changes_nothing() -> None:
    again = {**METRIC, "calibration": [METRIC["calibration"][0], {**METRIC["calibration"][0], "time": "2026-03-01T12:30:00Z"}]}
    assert len(chunks(*every(5, ["100"] * 12, metric=again))) == 1


def test_a_sensor_says_what_unit_the_person_prefers_and_which_device_it_is_part_of() -> None:
    found = shaped(*every(5, ["100"], metric=METRIC))
    sensor = next(entry.resource for entry in found.along.values() if entry.resource["resourceType"] == "DeviceMetric")
    assert naive.codes(sensor["unit"]) == {"mmol/L"}
    assert found.along[sensor["source"]["reference"]].resource["serialNumber" if "serialNumber" in DEVICE else "modelNumber"] == "B1"


def test_a_new_sensor_ends_the_chunk_of_the_old_one() -> None:
    """Changing Devices: a new chunk with a new reference; the old one is final."""
    new = {**DEVICE, "id": "d2"}
    given = [*every(5, ["100"] * 3), *every(5, ["200"] * 2, NOON + timedelta(minutes=30), device=new)]
    old, fresh = chunks(*given)
    assert (old["effectivePeriod"]["end"], fresh["effectivePeriod"]["start"]) == ("2026-03-01T12:30:00Z",) * 2
    assert (old["status"], data(old), data(fresh)) == ("final", "100 100 100", "200 200")
    assert old["device"] != fresh["device"]


def test_two_sensors_worn_at_once_have_chunks_of_their_own() -> None:
    other = {**DEVICE, "id": "d2"}
    given = [*every(5, ["100"] * 3), *every(5, ["200"] * 3, device=other)]
    assert sorted(data(one) for one in chunks(*given)) == ["100 100 100", "200 200 200"]


def test_two_values_at_one_time_are_never_put_in_one_place() -> None:
    found = shaped(sensor_value(NOON, "100"), sensor_value(NOON, "140"))
    assert data(found.matches[0].resource) == "100"
    assert any("share their time" in each.text and each.lost for each in found.left)


def test_a_strip_that_is_stored_as_one_is_read_with_its_scaling() -> None:
    samples = {"origin": {"value": 10, "code": "mg/dL"}, "period": 300_000, "factor": 0.5, "dimensions": 1, "data": "180 181 E L"}
    strip = sensor_value(NOON, "1", valueSampledData=samples)
    del strip.observation["valueQuantity"]  # type: ignore[attr-defined]
    (made,) = chunks(strip)
    assert data(made) == "100.0 100.5 E L"


def test_the_status_of_a_device_is_unknown_once_nothing_has_come_for_long() -> None:
    """HddtPersonalHealthDevice.status; what the registry says otherwise stays."""
    heard = {"Device/d1": LATER - 60_000_000}
    given = sensor_value(NOON, "100")
    assert device(shaped(given, seen_us=heard))["status"] == "active"
    assert device(shaped(given, seen_us={"Device/d1": us(NOON)}))["status"] == "unknown"
    assert device(shaped(given))["status"] == "unknown"
    off = replace(given, device={**DEVICE, "status": "inactive"})
    assert device(shaped(off, seen_us=heard))["status"] == "inactive"


def test_a_device_has_a_type_of_the_guide_its_expiry_and_no_definition_of_elsewhere() -> None:
    cgm = {"systemType": {"coding": [{"system": "urn:iso:std:iso:11073:10101", "code": "528409"}]}, "version": "1"}
    more = {"expirationDate": "2026-03-14", "definition": {"reference": "DeviceDefinition/x"}, "patient": {"reference": "Patient/p1"}}
    made = device(shaped(sensor_value(NOON, "100", device={**DEVICE, "specialization": [cgm], **more})))
    assert naive.codes(made["type"]) == {"700585005"}
    assert made["expirationDate"] == "2026-03-14"
    assert {"definition", "patient"}.isdisjoint(made)
    registered = {"reference": "https://hiis.bfarm.de/fhir/DeviceDefinition/1"}
    assert device(shaped(sensor_value(NOON, "1", device={**DEVICE, "definition": registered})))["definition"] == registered


def test_nobody_is_named() -> None:
    """Security and Privacy: no identifying data; what is left out is told."""
    said = {
        "performer": [{"reference": "Patient/p1"}],
        "note": [{"text": "Mme Exemple"}],
        "subject": {"reference": "Patient/p1", "display": "Mme Exemple"},
        "encounter": {"reference": "Encounter/e"},
        "identifier": [{"value": "279035121518989"}],
    }
    found = shaped(kept("blood-pressure", more=said), kept("glucose-blood", more=said), sensor_value(NOON, "100", **said))
    written = numbers.dumps([entry.resource for entry in (*found.matches, *found.along.values())]).decode()
    assert len(found.matches) == 3
    assert [text for text in ("p1", 'Exemple"', "Encounter", INS["value"], "Patient/") if text in written.replace('"Exemple"', "")] == []
    assert {entry.resource["subject"]["identifier"]["value"] for entry in found.matches} == {"k3Jq"}
    assert any("note" in each.text and not each.lost for each in found.left)


def test_two_clients_cannot_tell_by_a_name_that_an_entry_is_of_the_same_person() -> None:
    given = [kept("blood-pressure"), sensor_value(NOON, "100")]
    mine, theirs = shaped(*given), shaped(*given, pseudonym="other")
    assert {entry.url for entry in mine.matches} & {entry.url for entry in theirs.matches} == set()
    assert mine.along.keys() & theirs.along.keys() == set()
    assert [entry.url for entry in mine.matches] == [entry.url for entry in shaped(*given).matches]


def test_what_has_no_place_says_why() -> None:
    def why_not(given: Kept) -> str:
        found = shaped(given)
        assert found.matches == []
        return found.left[0].text

    wrong = sensor_value(NOON, "5.5")
    wrong.observation["valueQuantity"]["code"] = "mmol/L"
    assert "its LOINC code" in why_not(wrong)
    assert "no value of its code" in why_not(kept("body-weight"))
    assert "no device" in why_not(replace(sensor_value(NOON, "1"), device=None))
    assert "entered in error" in why_not(sensor_value(NOON, "1", status="entered-in-error"))
    assert "no time" in why_not(sensor_value(NOON, "1", effectiveDateTime="2026-03-01"))


def test_what_was_not_asked_for_is_not_there_though_its_chunk_was_read() -> None:
    given = [kept("glucose-blood", effective="2026-03-01T12:01:00Z"), *every(5, ["100"] * 4)]
    found = chunks(*given, from_us=us(NOON + timedelta(minutes=10)))
    assert [data(one) for one in found] == ["100 100 100 100"]


def test_data_for_tests_is_in_a_chunk_of_its_own() -> None:
    label = {"meta": {"security": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "HTEST"}]}}
    found = chunks(sensor_value(NOON, "100"), sensor_value(NOON + timedelta(minutes=5), "101", **label))
    assert [("security" in one["meta"], data(one)) for one in found] == [(False, "100"), (True, "E 101")]
