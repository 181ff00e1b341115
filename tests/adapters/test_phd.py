"""http://hl7.org/fhir/uv/phd and its public examples in shared/samples."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.contract import Unreadable
from adapters.fhir.bundle import BUNDLE
from adapters.kit.rules import faults, parses_alone, place_free
from adapters.limits import ITEMS_MAX
from adapters.phd import adapter
from adapters.reading import Absent, Coded, Quantity, Reading, Rejected, Samples
from tests.support.payloads import SAMPLES, needs_samples

FIXTURE = Path(__file__).parent / "fixtures" / "phd" / "upload.json"
MDC, LOINC, UCUM = "urn:iso:std:iso:11073:10101", "http://loinc.org", "http://unitsofmeasure.org"
DEVICE = {
    "resourceType": "Device",
    "id": "oxi",
    "identifier": [{"system": "urn:oid:1.2.840.10004.1.1.1.0.0.1.0.0.1.2680", "value": "00-1C-05-01-00-00-00-03"}],
}


def coding(system: str, code: str, display: str | None = None) -> dict[str, str]:
    return {"system": system, "code": code} | ({"display": display} if display else {})


SPO2 = [coding(MDC, "150456", "MDC_PULS_OXIM_SAT_O2"), coding(LOINC, "2708-6")]


def quantity(value: Any, code: str = "%", unit: str | None = None) -> dict[str, Any]:
    return {"value": value, "system": UCUM, "code": code} | ({"unit": unit} if unit else {})


def observation(codes: Any = None, **fields: Any) -> dict[str, Any]:
    made = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": SPO2 if codes is None else codes},
        "subject": {"reference": "Patient/p"},
        "effectiveDateTime": "2026-05-04T07:40:02+02:00",
        "device": {"reference": "Device/oxi"},
    } | ({} if "component" in fields or "valueSampledData" in fields else {"valueQuantity": quantity(97)})
    return {name: value for name, value in (made | fields).items() if value is not None}


def bundle(*resources: dict[str, Any], type: str = "collection") -> bytes:
    return json.dumps({"resourceType": BUNDLE, "type": type, "entry": [{"resource": one} for one in resources]}).encode()


def read(payload: bytes) -> list[Any]:
    return list(adapter.decode(payload))


def only(resource: dict[str, Any]) -> Any:
    (item,) = read(bundle(DEVICE, resource))
    assert faults(item) == ()
    if isinstance(item, Reading) or item.keep:
        assert parses_alone(adapter.decode, item)
    return item


@needs_samples
@pytest.mark.parametrize(
    ("name", "measure", "time", "value"),
    [
        ("glucose-observation", "glucose-plasma", "2025-01-08T19:07:48-05:00", Quantity(value="99", unit="mg/dL")),
        ("numeric-observation-not-a-number", "oxygen-saturation-quality", "2018-11-11T19:07:48-05:00", Absent(reason="not-a-number")),
        (
            "rtsa-example",
            "plethysmogram",
            "2018-08-02T02:25:24-04:00",
            Samples(data="123 110 97 99 112 118", period_ms="2.000", unit="1", origin="-3.4", factor="3.0"),
        ),
    ],
)
def test_the_examples_of_the_guide_are_what_their_pages_say(name: str, measure: str, time: str, value: Any) -> None:
    (item,) = read((SAMPLES / "fhir-phd" / f"{name}.json").read_bytes())
    assert (item.measure, item.time.text, item.value, item.device) == (measure, time, value, None)


@needs_samples
def test_the_blood_pressure_of_the_guide_has_its_three_values() -> None:
    (item,) = read((SAMPLES / "fhir-phd" / "compound-numeric-blood-pressure.json").read_bytes())
    values = {name: (value.value, value.unit) for name, value in item.components.items()}
    assert values == {"systolic": ("116", "mm[Hg]"), "diastolic": ("71", "mm[Hg]"), "mean": ("86", "mm[Hg]")}
    assert (item.measure, item.time.text) == ("blood-pressure", "2018-11-11T11:38:15-05:00")


@needs_samples
def test_the_guide_s_device_and_its_faulty_clock_are_facts_and_no_readings() -> None:
    (fact,) = adapter.device_facts((SAMPLES / "fhir-phd" / "phd-74E8FFFEFF051C00.001C05FFE874.json").read_bytes())
    assert (fact.device, fact.manufacturer, fact.model, fact.serial_number) == (
        "74-E8-FF-FE-FF-05-1C-00",
        "Nonin_Medical_Inc.",
        "Model 3230",
        "501900083",
    )
    assert (fact.firmware, fact.software, fact.hardware) == ("r2.1", "r1.5 9.7", "r1.0")
    assert fact.identifiers == ("EUI-64 74-E8-FF-FE-FF-05-1C-00", "EUI-48 00-1C-05-FF-E8-74")
    (item,) = read((SAMPLES / "fhir-phd" / "coin-example-timefault.json").read_bytes())
    assert (item.code, item.keep) == ("device-clock", False)


def test_a_bundle_gives_readings_of_the_devices_that_it_brings() -> None:
    items = read(FIXTURE.read_bytes())
    readings = [item for item in items if isinstance(item, Reading)]
    assert [(item.measure, (item.device or "")[-2:]) for item in readings] == [
        ("blood-pressure", "02"),
        ("oxygen-saturation", "03"),
        ("heart-rate-oximeter", "03"),
        ("oxygen-saturation-quality", "03"),
        ("plethysmogram", "03"),
        ("glucose-capillary", "04"),
        ("glucose-context-meal", "04"),
        ("glucose-plasma", "04"),
        ("body-temperature", "02"),
    ]
    assert [item.code for item in items if isinstance(item, Rejected)] == [
        "device-clock",
        "unknown-measure",
        "unknown-measure",
        "device-clock",
    ]


def test_how_far_a_clock_is_off_is_said_of_the_device() -> None:
    """A coincident time stamp: what the device showed, and when the gateway looked."""
    told = [fact for fact in adapter.device_facts(FIXTURE.read_bytes()) if fact.said_at is not None]
    assert [(fact.device, fact.clock_ahead_s) for fact in told] == [("00-1C-05-01-00-00-00-02", -90), ("00-1C-05-01-00-00-00-04", None)]


def test_a_clock_that_could_not_be_read_makes_the_time_of_its_readings_doubtful() -> None:
    """The guide's example of a sensor's time fault, which readings name in CoincidentTimeStampReference."""
    url = "http://hl7.org/fhir/uv/phd/StructureDefinition/CoincidentTimeStampReference"
    clock = {"resourceType": "Observation", "id": "coin", "status": "final", "code": {"coding": [coding(MDC, "67975")]}, "subject": {}}
    fault = {"dataAbsentReason": {"coding": [coding("http://terminology.hl7.org/CodeSystem/data-absent-reason", "unknown")]}}
    named = observation(extension=[{"url": url, "valueReference": {"reference": "Observation/coin"}}])
    for shown, flags in ((fault, ("clock-uncertain",)), ({"valueDateTime": "2026-05-04T07:40:00+02:00"}, ())):
        _, item = read(bundle(DEVICE, clock | shown, named))
        assert item.quality == flags
        assert parses_alone(adapter.decode, item)


def test_the_identifier_for_conditional_creation_changes_nothing_and_is_not_kept() -> None:
    """It is there for `ifNoneExist`, never to be interpreted; it holds the patient's identifier."""
    with_one = only(
        observation(identifier=[{"system": "http://hl7.org/fhir/uv/phd/StructureDefinition/PhdBaseObservation", "value": "x-ada-150456-y"}])
    )
    assert with_one == only(observation())
    assert b"ada" not in with_one.raw


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"codes": [coding(MDC, "150456", "MDC_PULS_OXIM_PULS_RATE")]}, "code-name-mismatch"),
        ({"codes": [coding(MDC, "150456", "MDC_SOMETHING_ELSE")]}, "code-name-mismatch"),
        ({"codes": [coding(LOINC, "8867-4", "Diastolic blood pressure")], "valueQuantity": quantity(80, "mm[Hg]")}, "code-name-mismatch"),
        ({"codes": [coding(MDC, "150456"), coding(LOINC, "8867-4")]}, "code-mismatch"),
        ({"codes": [coding(LOINC, "8867-4")], "valueQuantity": quantity(80, "mm[Hg]")}, "code-unit-mismatch"),
        ({"codes": [coding(LOINC, "4548-4")], "valueQuantity": quantity(92, "mg/dL")}, "code-unit-mismatch"),
        ({"codes": [coding(LOINC, "99504-3")], "valueQuantity": quantity(92, "mg/dL", "mmol/L")}, "unit-mismatch"),
        ({"codes": [coding(LOINC, "9463-7")], "valueQuantity": quantity(71, "kg")}, "unknown-measure"),
        ({"codes": []}, "code-missing"),
        ({"valueQuantity": {"value": 97, "unit": "%"}}, "unit-unknown"),
        ({"valueQuantity": quantity("97")}, "value-not-a-number"),
        ({"valueQuantity": None}, "value-missing"),
        ({"dataAbsentReason": {"coding": []}}, "value-contradicts"),
        ({"valueQuantity": None, "valueString": "Ada Lovelace"}, "value-type"),
        ({"effectiveDateTime": "2026-05-04T07:40:02"}, "time-zone-missing"),
        ({"effectiveDateTime": "2026-05-04"}, "time-not-readable"),
        ({"status": "entered-in-error"}, "result-withdrawn"),
        ({"status": "done"}, "status-unknown"),
        ({"subject": None}, "subject-missing"),
    ],
)
def test_what_contradicts_itself_is_refused_and_costs_nothing_else(changed: dict[str, Any], code: str) -> None:
    """DEVICES 0.6: code, name, unit and value must agree; published examples do not."""
    refused, good = read(bundle(DEVICE, observation(**changed), observation()))
    assert (refused.code, refused.pointer) == (code, "/entry/1/resource")
    assert isinstance(good, Reading)
    assert only(observation(**changed)).code == code
    assert "Lovelace" not in str(refused)


@pytest.mark.parametrize(
    ("codes", "measure"),
    [
        ([coding(LOINC, "8867-4")], "heart-rate"),
        ([coding(LOINC, "8867-4"), coding(LOINC, "40443-4")], "heart-rate-resting"),
        ([coding(LOINC, "8867-4"), coding(MDC, "149530")], "heart-rate-oximeter"),
        ([coding(MDC, "147842", "MDC_ECG_CARD_BEAT_RATE")], "heart-rate-ecg"),
    ],
)
def test_a_code_that_several_measures_share_is_told_apart_by_the_others(codes: Any, measure: str) -> None:
    assert only(observation(codes, valueQuantity=quantity(64, "/min"))).measure == measure


def test_a_value_beyond_what_the_device_can_tell_is_absent_with_its_side() -> None:
    item = only(observation([coding(LOINC, "99504-3")], valueQuantity=quantity(40, "mg/dL") | {"comparator": "<"}))
    assert (item.value, item.quality) == (Absent(reason="unsupported"), ("below-range",))


@pytest.mark.parametrize(
    ("labels", "flags"),
    [
        ({"meta": {"security": [coding("http://terminology.hl7.org/CodeSystem/v3-ActReason", "HTEST")]}}, ("test-data",)),
        ({"meta": {"security": [coding("http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "UNRELIABLE")]}}, ("unreliable",)),
        (
            {"interpretation": [{"coding": [coding("http://hl7.org/fhir/uv/pocd/CodeSystem/measurement-status", "in-alarm")]}]},
            ("in-alarm",),
        ),
        ({"interpretation": [{"coding": [coding("http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation", "H")]}]}, ()),
    ],
)
def test_labels_say_how_good_a_measurement_is(labels: dict[str, Any], flags: tuple[str, ...]) -> None:
    assert only(observation(**labels)).quality == flags


@pytest.mark.parametrize(("status", "preliminary"), [("final", False), ("amended", False), ("corrected", False), ("preliminary", True)])
def test_the_status_says_whether_it_is_preliminary(status: str, preliminary: bool) -> None:
    assert only(observation(status=status)).preliminary is preliminary


def test_only_a_server_says_when_a_resource_was_changed() -> None:
    """A gateway that posts has no say in `lastUpdated`: https://hl7.org/fhir/R4/http.html#create."""
    said = {"lastUpdated": "2026-05-04T08:00:00Z"}
    assert only(observation(meta=said)).modified is None
    assert only(observation(meta=said | {"versionId": "2"})).modified.utcoffset() == timedelta(0)


def test_a_component_that_is_a_reading_of_its_own_is_read_again_without_the_value_beside_it() -> None:
    """What waits is that one thing: once it is known, its replay brings the value of the Observation no second time. DEVICES 6.4."""
    others = [{"code": {"coding": [coding(MDC, code)]}, "valueQuantity": quantity(7)} for code in ("1", "2")]
    value, *parts = read(bundle(DEVICE, observation(valueQuantity=quantity(97), component=others)))
    assert (value.measure, [one.code for one in parts]) == ("oxygen-saturation", ["unknown-measure"] * 2)
    for one in parts:
        assert [place_free(again) for again in read(one.raw)] == [place_free(one)]


@pytest.mark.parametrize(
    "device",
    [
        {"reference": "Device/oxi"},
        {"reference": "Device/oxi/_history/3"},
        {"reference": "urn:uuid:0f0e"},
        {"identifier": {"system": "urn:oid:1.2.840.10004.1.1.1.0.0.1.0.0.1.2680", "value": "001c050100000003"}},
        {"reference": "DeviceMetric/m"},
        {"reference": "Device/part"},
        {"reference": "#inside"},
    ],
)
def test_the_device_is_found_however_it_is_named(device: dict[str, Any]) -> None:
    """https://hl7.org/fhir/R4/bundle.html#references; a DeviceMetric has a source, a part a parent."""
    metric = {"resourceType": "DeviceMetric", "id": "m", "source": {"reference": "Device/part"}}
    part = {"resourceType": "Device", "id": "part", "parent": {"reference": "Device/oxi"}}
    inside = observation(device=device, contained=[DEVICE | {"id": "inside"}])
    entries = [{"resource": DEVICE, "fullUrl": "urn:uuid:0f0e"}, *({"resource": one} for one in (metric, part, inside))]
    (item,) = read(json.dumps({"resourceType": BUNDLE, "type": "collection", "entry": entries}).encode())
    assert item.device == "00-1C-05-01-00-00-00-03"
    assert parses_alone(adapter.decode, item)


@pytest.mark.parametrize("device", [None, {"reference": "Device/elsewhere"}, {"reference": 1}, "oxi", {"reference": "Device/loop"}])
def test_a_device_that_the_payload_does_not_have_is_for_the_sender_to_state(device: Any) -> None:
    loop = {"resourceType": "Device", "id": "loop", "parent": {"reference": "Device/loop"}}
    (item,) = read(bundle(DEVICE, loop, observation(device=device)))
    assert item.device is None


@pytest.mark.parametrize("value", ["00-1C-05", "zz-1C-05-01-00-00-00-03", "00-00-00-00-00-00-00-00"])
def test_an_identifier_that_is_no_eui_64_is_not_passed_on(value: str) -> None:
    broken = DEVICE | {"identifier": [{"system": "urn:oid:1.2.840.10004.1.1.1.0.0.1.0.0.1.2680", "value": value}]}
    (item,) = read(bundle(broken, observation()))
    assert (item.code, item.device) == ("device-not-readable", None)


def test_coded_values_are_those_of_the_catalogue() -> None:
    value = {"coding": [coding(MDC, "8417868", "MDC_CTXT_GLU_MEAL_PREPRANDIAL")], "text": "avant le repas d'Ada"}
    item = only(observation([coding(MDC, "8417864", "MDC_CTXT_GLU_MEAL")], valueQuantity=None, valueCodeableConcept=value))
    assert item.value == Coded(system=MDC, code="8417868", display="MDC_CTXT_GLU_MEAL_PREPRANDIAL")
    wrong = {"coding": [coding(MDC, "8417868", "MDC_CTXT_GLU_MEAL_FASTING")]}
    refused = only(observation([coding(MDC, "8417864")], valueQuantity=None, valueCodeableConcept=wrong))
    assert refused.code == "unknown-value-code"


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"data": "1 2 x"}, "strip-unreadable"),
        ({"data": ""}, "strip-unreadable"),
        ({"dimensions": 2}, "strip-unreadable"),
        ({"period": 0}, "strip-unreadable"),
        ({"period": 30_000}, "strip-too-long"),
        ({"origin": {"value": 0, "unit": "1"}}, "unit-unknown"),
    ],
)
def test_a_strip_that_is_none_is_refused(changed: dict[str, Any], code: str) -> None:
    strip = {"origin": quantity(0, "1"), "period": 10, "dimensions": 1, "data": "1 2 3"}
    item = only(observation([coding(MDC, "150452")], valueSampledData=strip | changed))
    assert item.code == code


def test_limits_are_kept_where_a_sample_lies_beyond_them() -> None:
    """https://hl7.org/fhir/R4/datatypes.html#SampledData: needed for L and U."""
    strip = {"origin": quantity(0, "1"), "period": 10, "dimensions": 1, "lowerLimit": 0, "upperLimit": 255}
    assert only(observation([coding(MDC, "150452")], valueSampledData=strip | {"data": "1 U 3"})).value.upper == "255"
    assert only(observation([coding(MDC, "150452")], valueSampledData=strip | {"data": "1 2 3"})).value.upper is None


@pytest.mark.parametrize("document", [1, "x", {}, [], [1], {"resourceType": 1}, [{"entry": []}]])
def test_what_is_no_fhir_is_refused_as_a_whole(document: Any) -> None:
    with pytest.raises(Unreadable, match="resourceType"):
        read(json.dumps(document).encode())


def test_more_entries_than_are_read_at_once_are_refused() -> None:
    with pytest.raises(Unreadable):
        read(b'{"resourceType":"Bundle","type":"batch","entry":[' + b"{}," * ITEMS_MAX + b"{}]}")


@pytest.mark.parametrize(
    ("resource", "request_", "code"),
    [
        ({"resourceType": "MedicationAdministration"}, {}, "resource-not-supported"),
        ({}, {}, "resource-not-supported"),
        (observation(), {"method": "DELETE", "url": "Observation/1"}, "method-not-supported"),
    ],
)
def test_what_is_not_read_is_answered(resource: dict[str, Any], request_: dict[str, str], code: str) -> None:
    entry = {"resource": resource, "request": request_}
    (item,) = read(json.dumps({"resourceType": BUNDLE, "type": "batch", "entry": [entry]}).encode())
    assert (item.code, item.keep) == (code, False)


def items_of(document: Any) -> set[Any]:
    return {repr(place_free(item)) for item in read(json.dumps(document).encode()) if isinstance(item, Reading)}


@settings(deadline=None, max_examples=25)
@given(data=st.data())
def test_any_order_any_splitting_and_any_repetition_give_the_same_readings(data: st.DataObject) -> None:
    """Each part of the upload brings the devices that it speaks of."""
    whole = json.loads(FIXTURE.read_bytes())
    shown = [one for one in whole["entry"] if one["resource"]["resourceType"] == "Device"]
    measured = [one for one in whole["entry"] if one["resource"]["resourceType"] == "Observation"]
    again = data.draw(st.permutations([*measured, *data.draw(st.lists(st.sampled_from(measured), max_size=4))]))
    cut = data.draw(st.integers(0, len(again)))
    parts = [{**whole, "entry": [*again[:cut], *shown]}, {**whole, "entry": [*shown, *again[cut:]]}]
    assert items_of(parts) == items_of(whole)


WORDS = (
    *("resourceType", "status", "code", "coding", "system", "value", "valueQuantity", "valueCodeableConcept", "valueSampledData"),
    *("extension", "component", "subject", "identifier", "effectiveDateTime", "effectivePeriod", "device", "reference", "meta"),
    *("entry", "resource", "dataAbsentReason", "interpretation", "url", "valueString", "contained", "display", "unit", "comparator"),
    *("data", "period"),
)
RESOURCES = st.recursive(
    st.sampled_from(
        [1, 2.5, "final", "%", UCUM, MDC, LOINC, "150456", "2708-6", "Device/oxi", "2026-05-04T07:40:02Z", None, True, "é" * 300]
    ),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(WORDS),
            inner,
            max_size=6,
        )
    ),
    max_leaves=30,
)


@settings(deadline=None, max_examples=300)
@given(parts=st.dictionaries(st.sampled_from(sorted(observation())), RESOURCES, max_size=4), more=RESOURCES)
def test_whatever_stands_in_an_observation_gives_sound_items(parts: dict[str, Any], more: Any) -> None:
    fields = observation() | parts | (more if type(more) is dict else {}) | {"resourceType": "Observation"}
    for item in read(bundle(DEVICE, fields)):
        assert faults(item) == ()
        if isinstance(item, Reading) or item.keep:
            assert parses_alone(adapter.decode, item), item
