"""HL7 PHD, as a gateway would upload: DEVICES 1.2; https://hl7.org/fhir/uv/phd/."""

from decimal import Decimal
from typing import Any

import pytest
from fhir.resources.R4B.device import Device
from fhir.resources.R4B.observation import Observation
from hypothesis import given
from hypothesis import strategies as st

from fhir_profiles import r4
from fhir_profiles.measurement import AbsentValue, Amount, Strip
from fhir_profiles.profiles import check
from fhir_profiles.shapes import phd
from fhir_profiles.shapes.kept import Kept, Shaped
from fhir_profiles.shapes.parts import decimal_text
from hub import numbers
from tests.spec.profiles.measurements import one_of_each
from tests.spec.shapes import naive
from tests.spec.shapes.makings import DEVICE, SYSID, about, flagged, kept, stored

Json = dict[str, Any]
MDC = "urn:iso:std:iso:11073:10101"
PHD = "http://hl7.org/fhir/uv/phd/StructureDefinition/"


def shaped(*given: Kept) -> Shaped:
    return phd.shaped(given, about(), "0.1.0")


def one(given: Kept) -> Json:
    (entry,) = shaped(given).matches
    return entry.resource


def why_not(given: Kept) -> str:
    found = shaped(given)
    assert found.matches == []
    return found.left[0].text


@pytest.mark.parametrize(("name", "made"), [*one_of_each()], ids=[name for name, _ in one_of_each()])
def test_each_measure_with_an_mdc_code_is_valid_by_four_judges(name: str, made: Any) -> None:
    """The published rules read naively, our compiled profiles, R4's own, and fhir.resources."""
    found = shaped(Kept(observation=stored(made), device=DEVICE))
    if not found.matches:
        assert "MDC" in found.left[0].text
        return
    written = numbers.loads(numbers.dumps(found.matches[0].resource))
    assert r4.check(written) == check(written) == ()
    assert list(naive.phd_observation(written, {url: entry.resource for url, entry in found.along.items()})) == []
    Observation.model_validate_json(numbers.dumps(written))
    for entry in found.along.values():
        assert r4.check(entry.resource) == check(entry.resource) == ()
        assert list(naive.phd_device(entry.resource)) == []
        Device.model_validate_json(numbers.dumps(entry.resource))


@given(st.decimals(min_value="20", max_value="300", places=2).map(str))
def test_a_value_keeps_its_digits_its_unit_and_its_time(text: str) -> None:
    """PhdNumericObservation: the precision of the device shall be honoured. 116.0 stays 116.0."""
    given = kept("body-weight", value=Amount(value=text, unit="kg"), effective="2026-03-01T07:00:00.250+01:00")
    made = one(given)
    assert decimal_text(made["valueQuantity"]["value"]) == text
    assert f'"value":{text},'.encode() in numbers.dumps(made)
    assert (made["valueQuantity"]["code"], made["effectiveDateTime"]) == ("kg", "2026-03-01T07:00:00.250+01:00")


def test_samples_keep_the_scaling_of_the_device() -> None:
    """PhdRtsaObservation: factor and origin are those of the device; a factor of 1 is said."""
    strip = Strip(data="123 110 E 97", period_ms="2.0", unit="1", origin="-3.4", factor="3.0", lower="0", upper="255")
    made = one(kept("plethysmogram", value=strip))["valueSampledData"]
    assert (made["data"], decimal_text(made["origin"]["value"]), decimal_text(made["factor"])) == ("123 110 E 97", "-3.4", "3.0")
    plain = one(kept("plethysmogram", value=Strip(data="1 2", period_ms="2", unit="1", origin="0", factor="1")))["valueSampledData"]
    assert plain["factor"] == 1


@pytest.mark.parametrize("reason", ["not-a-number", "positive-infinity", "negative-infinity", "error"])
def test_a_special_float_is_a_reason_and_no_value(reason: str) -> None:
    made = one(kept("body-weight", value=AbsentValue(reason=reason)))
    assert made["dataAbsentReason"]["coding"][0]["code"] == reason
    assert "valueQuantity" not in made
    assert made["meta"]["profile"][0] == f"{PHD}PhdNumericObservation"


@pytest.mark.parametrize(
    ("flag", "status"),
    [
        ("questionable", "questionable"),
        ("calibration-ongoing", "calibration-ongoing"),
        ("early-indication", "early-indication"),
        ("validated", "validated-data"),
        ("in-alarm", "in-alarm"),
        ("alarms-off", "alarm-inhibited"),
    ],
)
def test_the_measurement_status_stands_where_the_guide_puts_it(flag: str, status: str) -> None:
    made = one(kept("body-weight", quality=(flag,)))
    (coding,) = [coding for each in made["interpretation"] for coding in each["coding"]]
    assert coding == {"system": "http://hl7.org/fhir/uv/pocd/CodeSystem/measurement-status", "code": status}


def test_test_data_and_preliminary_values_are_marked() -> None:
    made = one(kept("body-weight", quality=("test-data",), preliminary=True))
    assert made["meta"]["security"][0]["code"] == "HTEST"
    assert made["status"] == "preliminary"


@pytest.mark.parametrize(
    ("effective", "until", "part"),
    [
        ("2000-01-01T00:00:00Z", None, "0+0"),
        ("2021-11-22T11:56:30.567+01:00", None, "690897390.567+4"),
        ("2021-11-22T11:56:30-03:30", None, "690897390-14"),
        ("2021-11-22T11:56:30.000Z", "2021-11-22T11:56:31.000Z", "690897390.000+0..1.000"),
        ("2021-11-22T11:56:30+01:00", "2021-11-22T11:57:30+01:00", "690897390+4..60"),
    ],
)
def test_the_time_of_the_identifier_is_that_of_the_device(effective: str, until: str | None, part: str) -> None:
    """Generating the PHD Reported Timestamp: seconds since 2000 in its resolution, offset in quarters of an hour, duration."""
    made = one(kept("body-weight", effective=effective, until=until))
    assert made["identifier"] == [{"system": f"{PHD}PhdBaseObservation", "value": f"74E8FFFEFF051C00-p1-188736-{part}"}]


def test_the_identifier_that_a_gateway_made_stays_and_supplements_are_part_of_ours() -> None:
    theirs = {"system": f"{PHD}PhdBaseObservation", "value": "its own"}
    assert one(kept("body-weight", more={"identifier": [theirs]}))["identifier"] == [theirs]
    spot = {"code": {"coding": [{"system": MDC, "code": "68193"}]}, "valueCodeableConcept": {"coding": [{"system": MDC, "code": "150588"}]}}
    assert one(kept("oxygen-saturation", more={"component": [spot]}))["identifier"][0]["value"].endswith("-150588")


def test_a_gateway_and_a_coincident_time_stamp_that_were_stored_are_referred_to_where_they_are() -> None:
    gateway = {"url": "http://hl7.org/fhir/StructureDefinition/observation-gatewayDevice", "valueReference": {"reference": "Device/phone"}}
    coincident = {"url": f"{PHD}CoincidentTimeStampReference", "valueReference": {"reference": "Observation/coin"}}
    made = one(kept("body-weight", more={"extension": [gateway, coincident]}))
    references = [each["valueReference"]["reference"] for each in made["extension"]]
    assert references == ["https://hub.example/fhir/Device/phone", "https://hub.example/fhir/Observation/coin"]


def test_what_has_no_place_says_why() -> None:
    assert "no device" in why_not(kept("body-weight", device=None))
    assert "MDC" in why_not(kept("steps"))
    assert "entered in error" in why_not(kept("body-weight", more={"status": "entered-in-error"}))
    assert "stands alone" in why_not(kept("body-weight", device={**DEVICE, "parent": {"reference": "Device/monitor"}}))
    assert "no identifier" in why_not(kept("body-weight", device={**DEVICE, "identifier": []}))
    assert "manufacturer" in why_not(kept("body-weight", device={name: one for name, one in DEVICE.items() if name != "manufacturer"}))


def test_one_without_a_place_takes_no_other_with_it() -> None:
    found = shaped(kept("steps"), kept("body-weight"), kept("heart-rate", device=None))
    assert (len(found.matches), len(found.left)) == (1, 2)


@pytest.mark.parametrize("written", ["74e8fffeff051c00", "74-E8-FF-FE-FF-05-1C-00", "74:e8:ff:fe:ff:05:1c:00"])
def test_a_system_id_is_written_in_capitals_and_dashes(written: str) -> None:
    found = shaped(kept("body-weight", device={**DEVICE, "identifier": [{**SYSID, "value": written}]}))
    device = next(entry.resource for entry in found.along.values() if "modelNumber" in entry.resource)
    assert device["identifier"][0]["value"] == "74-E8-FF-FE-FF-05-1C-00"
    assert naive.codes(device["identifier"][0]["type"]) == {"SYSID"}


def test_what_is_not_known_of_a_device_is_said_to_be_unknown() -> None:
    """Specialization is obligatory with its version: generic is the word for a device of no kind, and no version is invented."""
    (device,) = [entry.resource for entry in shaped(kept("body-weight")).along.values() if "modelNumber" in entry.resource]
    assert naive.codes(device["specialization"][0]["systemType"]) == {"528457"}
    assert device["specialization"][0]["_version"]["extension"][0]["valueCode"] == "unknown"
    named = {**DEVICE, "deviceName": [{"name": "Balance", "type": "manufacturer-name"}]}
    del named["modelNumber"]
    (device,) = [entry.resource for entry in shaped(kept("body-weight", device=named)).along.values() if "modelNumber" in entry.resource]
    assert device["modelNumber"] == "Balance"


def test_versions_and_properties_of_a_device_stay() -> None:
    version = [{"type": {"coding": [{"system": MDC, "code": "531976"}]}, "value": "r2.1"}]
    property = [{"type": {"coding": [{"system": MDC, "code": "68220"}]}, "valueCode": [{"coding": [{"system": MDC, "code": "532224"}]}]}]
    device = {**DEVICE, "version": version, "property": property, "patient": {"reference": "Patient/p1"}}
    found = next(entry.resource for entry in shaped(kept("body-weight", device=device)).along.values() if "modelNumber" in entry.resource)
    assert (found["version"], found["property"]) == (version, property)
    assert "patient" not in found


def test_the_same_is_named_the_same_each_time_and_other_things_are_not() -> None:
    first, again = shaped(kept("body-weight")), shaped(kept("body-weight"))
    other = shaped(Kept(observation={**kept("body-weight").observation, "id": "o2"}, device=DEVICE))
    assert first.matches[0].url == again.matches[0].url != other.matches[0].url
    assert len(first.along) == 2


def test_quality_that_is_no_status_stays_as_it_is() -> None:
    made = one(kept("blood-pressure", quality=("irregular-pulse",)))
    assert flagged("irregular-pulse")[0] in made["extension"]
    assert "interpretation" not in made
    assert Decimal(decimal_text(made["component"][0]["valueQuantity"]["value"])) > 0
