"""Measurement -> Observation. https://hl7.org/fhir/R4/observation.html"""

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from fhir.resources.R4B.observation import Observation
from hypothesis import given
from hypothesis import strategies as st

from fhir_profiles import r4
from fhir_profiles.canonical import LOINC, MDC, MEASUREMENT_QUALITY, METHOD_SYSTEM, ORIGINAL_VALUE, QUALITY_SYSTEM, UCUM
from fhir_profiles.catalogue import ABSENT_REASONS, MEASURES, QUALITY
from fhir_profiles.measurement import AbsentValue, Amount, Coding, Measurement, Strip
from fhir_profiles.observation import observation
from tests.spec.profiles.measurements import UPDATED, WHEN, built, measurement, one_of_each, strip
from tests.support.payloads import SAMPLES, needs_samples

EACH = [pytest.param(made, id=name) for name, made in one_of_each()]


def parsed(made: Measurement) -> dict[str, Any]:
    """With decimals kept as text, so that digits can be compared."""
    resource: dict[str, Any] = json.loads(built(made), parse_float=str, parse_int=str)
    return resource


def quantities(resource: dict[str, Any]) -> list[dict[str, Any]]:
    return [part["valueQuantity"] for part in (resource, *resource.get("component", ())) if "valueQuantity" in part]


def codings(resource: dict[str, Any]) -> dict[str, list[str]]:
    """System -> codes of the Observation itself."""
    found: dict[str, list[str]] = {}
    for coding in resource["code"]["coding"]:
        found.setdefault(coding["system"], []).append(coding["code"])
    return found


@pytest.mark.parametrize("made", EACH)
def test_what_is_built_is_valid(made: Measurement) -> None:
    """DESIGN 7: Observations of our own builders are valid by construction; here it is proved for each row and unit."""
    resource = json.loads(built(made))
    assert r4.check(resource) == ()
    Observation.model_validate(resource)


@pytest.mark.parametrize("made", [one for one in EACH if not MEASURES[one.values[0].measure].codes])
def test_code_name_and_unit_belong_together(made: Measurement) -> None:
    """gematik HDDT: a receiver compares the unit with the LOINC code and does not use the value on a mismatch."""
    resource = parsed(made)
    measure = MEASURES[made.measure]
    rows = list(measure.components.values()) or [measure]
    for part, row in zip(resource.get("component", [resource]), rows, strict=True):
        sampled = part.get("valueSampledData")
        quantity = sampled["origin"] if sampled else part["valueQuantity"]
        unit = row.units[quantity["code"]]
        assert [(coding["system"], coding["code"], coding["display"]) for coding in part["code"]["coding"]] == [
            (coding.system, coding.code, coding.display) for coding in unit.codings
        ]
        assert (quantity["system"], quantity.get("unit", "")) == (UCUM, unit.label)
        assert quantity["code"] == unit.stored
        assert row.low <= unit.conversion.forward(Decimal(quantity["value"])) <= row.high


@pytest.mark.parametrize("made", EACH)
def test_the_vital_signs_profile_is_named_where_there_is_one(made: Measurement) -> None:
    """https://hl7.org/fhir/R4/observation-vitalsigns.html"""
    resource = parsed(made)
    assert resource["meta"].get("profile", [None]) == [MEASURES[made.measure].profile]
    assert resource["category"][0]["coding"][0]["code"] == MEASURES[made.measure].category


@pytest.mark.parametrize("text", ["116.0", "74.10", "0", "-0.0", "37", "1e2", "1.50E-2", "98.600000000000001"])
def test_digits_stay_as_given(text: str) -> None:
    """https://hl7.org/fhir/R4/datatypes.html#decimal: 116.0 stays 116.0."""
    assert f'"value":{text},'.encode() in built(measurement("body-weight", value=Amount(value=text, unit="kg")))


def test_version_and_time_of_update_are_in_meta() -> None:
    resource = json.loads(observation(measurement("body-weight"), id="o1", version=12, last_updated=UPDATED))
    assert resource["id"] == "o1"
    assert resource["meta"]["versionId"] == "12"
    assert resource["meta"]["lastUpdated"] == UPDATED


def test_subject_device_and_time_are_those_of_the_measurement() -> None:
    resource = parsed(measurement("heart-rate"))
    assert resource["subject"] == {"reference": "Patient/p1"}
    assert resource["device"] == {"reference": "Device/d1"}
    assert resource["effectiveDateTime"] == "2015-05-30T23:06:23-07:00"
    assert "performer" not in resource


@pytest.mark.parametrize(("preliminary", "status"), [(False, "final"), (True, "preliminary")])
def test_a_doubted_measurement_is_preliminary(preliminary: bool, status: str) -> None:
    """https://hl7.org/fhir/R4/valueset-observation-status.html"""
    assert parsed(measurement("heart-rate", preliminary=preliminary))["status"] == status


def test_a_manual_entry_names_the_patient_as_performer_and_no_device() -> None:
    resource = parsed(measurement("body-weight", manual=True, device=None))
    assert resource["performer"] == [{"reference": "Patient/p1"}]
    assert resource["method"]["coding"][0] | {"display": ""} == {"system": METHOD_SYSTEM, "code": "manual-entry", "display": ""}
    assert "device" not in resource
    assert r4.check(resource) != ()  # numbers were read as text here
    assert r4.check(json.loads(built(measurement("body-weight", manual=True, device=None)))) == ()


@pytest.mark.parametrize("reason", sorted(ABSENT_REASONS))
@pytest.mark.parametrize("key", ["body-weight", "blood-pressure"])
def test_an_absent_value_has_its_reason(key: str, reason: str) -> None:
    """Constraint vs-2: neither value nor component means a dataAbsentReason; HL7 PHD: NaN is no number in FHIR."""
    resource = json.loads(built(measurement(key, value=AbsentValue(reason=reason), components={})))
    assert r4.check(resource) == ()
    Observation.model_validate(resource)
    parts = resource.get("component", [resource])
    assert [part["dataAbsentReason"]["coding"][0]["code"] for part in parts] == [reason] * len(parts)
    assert not quantities(resource)


def test_a_pressure_that_is_missing_is_said_to_be_unknown() -> None:
    """R4 bp profile: systolic and diastolic are always there."""
    made = measurement("blood-pressure", components={"systolic": Amount(value="120", unit="mm[Hg]")})
    systolic, diastolic = parsed(made)["component"]
    assert systolic["valueQuantity"]["value"] == "120"
    assert diastolic["dataAbsentReason"]["coding"][0]["code"] == "unknown"
    assert r4.check(json.loads(built(made))) == ()


def test_a_mean_pressure_that_is_missing_is_left_out() -> None:
    made = measurement("blood-pressure", components={name: Amount(value="90", unit="mm[Hg]") for name in ("systolic", "diastolic")})
    assert len(parsed(made)["component"]) == 2


def test_the_original_value_stands_beside_a_converted_one() -> None:
    """The definition of the extension is in structure_definitions/."""
    made = measurement("body-weight", value=Amount(value="74.126", unit="kg", original=Amount(value="163.42", unit="[lb_av]")))
    quantity = quantities(parsed(made))[0]
    assert quantity["value"] == "74.126"
    assert quantity["extension"] == [
        {"url": ORIGINAL_VALUE, "valueQuantity": {"value": "163.42", "unit": "lb", "system": UCUM, "code": "[lb_av]"}}
    ]


@pytest.mark.parametrize("flag", sorted(QUALITY))
def test_each_flag_is_coded(flag: str) -> None:
    """No note: a flag is a code, so that it can be searched for and counted."""
    resource = json.loads(built(measurement("heart-rate", quality=(flag,))))
    assert resource["extension"] == [
        {"url": MEASUREMENT_QUALITY, "valueCoding": {"system": QUALITY_SYSTEM, "code": flag, "display": QUALITY[flag]}}
    ]
    assert r4.check(resource) == ()


def test_flags_posture_body_site_and_user_index_stand_side_by_side() -> None:
    """Posture goes into the standard extension observation-bodyPosition, body site and method into their elements."""
    site, posture, method = (Coding(system="http://snomed.info/sct", code=code) for code in ("1", "2", "3"))
    context = {"body-site": site, "posture": posture, "method": method}
    made = measurement("blood-pressure", quality=("body-movement", "user-index:1"), context=context)
    resource = json.loads(built(made))
    assert [extension["url"].rpartition("/")[2] for extension in resource["extension"]] == [
        "measurement-quality",
        "device-user-index",
        "observation-bodyPosition",
    ]
    assert resource["extension"][1]["valueString"] == "1"
    assert resource["bodySite"]["coding"] == [{"system": "http://snomed.info/sct", "code": "1"}]
    assert resource["method"]["coding"] == [{"system": "http://snomed.info/sct", "code": "3"}]
    assert r4.check(resource) == ()


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"measure": "shoe-size"}, id="unknown measure"),
        pytest.param({"patient": "Practitioner/p1"}, id="patient is no Patient"),
        pytest.param({"patient": 'Patient/p1","x":"'}, id="patient breaks out"),
        pytest.param({"device": "Patient/p1"}, id="device is no Device"),
        pytest.param({"effective": "2015-05-30T23:06:23"}, id="time without offset"),
        pytest.param({"effective": "2015-05-30"}, id="day only"),
        pytest.param({"value": None}, id="no value"),
        pytest.param({"value": Amount(value="74,1", unit="kg")}, id="decimal comma"),
        pytest.param({"value": Amount(value='1,"status":"amended"', unit="kg")}, id="value breaks out"),
        pytest.param({"value": Amount(value="74.1", unit="g")}, id="unit that is never stored"),
        pytest.param({"value": Amount(value="74.1", unit="mm[Hg]")}, id="unit of another measure"),
        pytest.param({"value": Amount(value="1", unit="kg", original=Amount(value="1", unit="oz"))}, id="original in an unknown unit"),
        pytest.param({"value": Coding(system="x", code="y")}, id="code for a quantity"),
        pytest.param({"value": AbsentValue(reason="because")}, id="reason that no device causes"),
        pytest.param({"components": {"systolic": Amount(value="1", unit="kg")}, "measure": "blood-pressure"}, id="value and components"),
        pytest.param({"components": {"pulse": Amount(value="1", unit="/min")}, "measure": "blood-pressure"}, id="unknown component"),
        pytest.param({"measure": "blood-pressure", "value": None}, id="no component"),
        pytest.param(
            {"measure": "blood-pressure", "value": None, "components": {"systolic": Amount(value="16", unit="kPa")}}, id="component in kPa"
        ),
        pytest.param({"quality": ("surprise",)}, id="unknown flag"),
        pytest.param({"context": {"weather": Coding(system="x", code="y")}}, id="unknown context"),
    ],
)
def test_what_the_catalogue_does_not_allow_is_not_built(changes: dict[str, Any]) -> None:
    """Silence means no; and the message says which part, not what stood in it."""
    right = measurement("body-weight")
    assert built(right)
    with pytest.raises(ValueError, match=r"^[A-Za-z_' -]+$"):
        built(measurement("body-weight", **changes))


@pytest.mark.parametrize(
    ("id", "version", "last_updated"),
    [
        ("", 1, UPDATED),
        ("a/b", 1, UPDATED),
        ("a" * 65, 1, UPDATED),
        ("a", 0, UPDATED),
        ("a", 1, "2026-11-22"),
        ("a", 1, "2026-11-22T09:30:00"),
    ],
)
def test_id_version_and_update_have_their_form(id: str, version: int, last_updated: str) -> None:
    with pytest.raises(ValueError, match=r"id|version|last_updated"):
        observation(measurement("body-weight"), id=id, version=version, last_updated=last_updated)


@given(
    text=st.from_regex(r"-?(0|[1-9][0-9]{0,9})(\.[0-9]{1,9})?", fullmatch=True),
    reference=st.from_regex(r"[A-Za-z0-9\-.]{1,64}", fullmatch=True),
)
def test_any_decimal_and_any_id_make_the_same_json_as_a_plain_writer(text: str, reference: str) -> None:
    """The rendered parts are put together like JSON: a plain parser reads them, and reads the value digit by digit."""
    made = measurement("body-weight", patient=f"Patient/{reference}", value=Amount(value=text, unit="kg"))
    resource = parsed(made)
    assert resource["subject"]["reference"] == f"Patient/{reference}"
    assert resource["valueQuantity"]["value"] == text


@needs_samples
def test_blood_pressure_has_the_shape_of_the_published_example() -> None:
    """HL7 PHD, example compound-numeric-blood-pressure: the same codes and quantities; what only a gateway knows is not ours."""
    published = json.loads((SAMPLES / "fhir-phd" / "compound-numeric-blood-pressure.json").read_text(), parse_int=str)
    values = {"systolic": "116", "diastolic": "71", "mean": "86"}
    ours = parsed(
        measurement(
            "blood-pressure",
            effective=published["effectiveDateTime"],
            components={name: Amount(value=value, unit="mm[Hg]") for name, value in values.items()},
        )
    )
    assert codings(ours) == codings(published)
    for mine, theirs in zip(ours["component"], published["component"], strict=True):
        assert {name: mine["valueQuantity"][name] for name in ("value", "system", "code")} == {
            name: theirs["valueQuantity"][name] for name in ("value", "system", "code")
        }
        assert codings(mine)[MDC] == codings(theirs)[MDC]
        assert set(codings(theirs).get(LOINC, ())) <= set(codings(mine)[LOINC])
    assert ours["status"] == published["status"]
    assert ours["category"][0]["coding"][0]["code"] == published["category"][0]["coding"][0]["code"]
    assert ours["effectiveDateTime"] == published["effectiveDateTime"]


@needs_samples
def test_a_value_that_is_no_number_has_the_shape_of_the_published_example() -> None:
    """HL7 PHD, example numeric-observation-not-a-number: no valueQuantity but a dataAbsentReason."""
    published = json.loads((SAMPLES / "fhir-phd" / "numeric-observation-not-a-number.json").read_text())
    ours = parsed(measurement("oxygen-saturation", value=AbsentValue(reason="not-a-number")))
    assert ours["dataAbsentReason"] == published["dataAbsentReason"]
    assert "valueQuantity" not in ours


def test_a_strip_becomes_sampled_data_with_its_digits() -> None:
    """https://hl7.org/fhir/R4/datatypes.html#SampledData: value = origin + factor * sample; E, L and U are no numbers."""
    made = measurement("ecg-lead-i", value=replace(strip("uV"), data="12 -3.50 E L U", origin="-5.0", lower=None))
    text = built(made).decode()
    assert json.loads(text)["valueSampledData"] == {
        "origin": {"value": -5.0, "unit": "µV", "system": UCUM, "code": "uV"},
        "period": 1.953125,
        "factor": 0.5,
        "upperLimit": 100,
        "dimensions": 1,
        "data": "12 -3.50 E L U",
    }
    assert '"value":-5.0,' in text


def test_what_a_strip_does_not_say_is_not_written() -> None:
    made = measurement("ecg-lead-i", value=Strip(data="1 2", period_ms="2", unit="uV", origin="0", factor="1"))
    assert parsed(made)["valueSampledData"].keys() == {"origin", "period", "dimensions", "data"}


@pytest.mark.parametrize("data", ["", " ", "1  2", "1 2 ", "1,5", "1e3", "NaN", "e", "1\n2"])
def test_samples_of_another_form_are_not_built(data: str) -> None:
    with pytest.raises(ValueError, match="samples"):
        built(measurement("ecg-lead-i", value=replace(strip("uV"), data=data)))


def test_what_lasts_has_a_period() -> None:
    """https://hl7.org/fhir/R4/observation-definitions.html#Observation.effective_x_"""
    resource = parsed(measurement("steps", until="2015-05-31T00:06:23-07:00"))
    assert resource["effectivePeriod"] == {"start": WHEN, "end": "2015-05-31T00:06:23-07:00"}
    assert "effectiveDateTime" not in resource


def test_a_coded_measure_has_its_code_as_value() -> None:
    coding = Coding(system="http://hds-hub.invalid/fhir/CodeSystem/ecg-classification", code="sinus-rhythm", display="Sinus rhythm")
    resource = parsed(measurement("ecg-classification", value=coding))
    assert resource["valueCodeableConcept"] == {"coding": [{"system": coding.system, "code": "sinus-rhythm", "display": "Sinus rhythm"}]}


@pytest.mark.parametrize(
    ("key", "other"),
    [
        ("ecg-lead-i", Amount(value="5", unit="uV")),
        ("heart-rate", strip("/min")),
        ("ecg-classification", Amount(value="1", unit="1")),
        ("ecg-classification", Coding(system="http://hds-hub.invalid/fhir/CodeSystem/ecg-classification", code="asystole", display="?")),
        ("heart-rate", Coding(system="http://example.org", code="x", display="x")),
    ],
)
def test_a_value_of_another_kind_is_not_built(key: str, other: Any) -> None:
    with pytest.raises(ValueError, match=r"kind|unit"):
        built(measurement(key, value=other))
