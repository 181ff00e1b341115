"""ANS Mesures de santé: transactions that the feed takes. DEVICES 1.7; https://interop.esante.gouv.fr/ig/fhir/mesures, release 3.1.1."""

from typing import Any

import pytest
from fhir.resources.R4B.bundle import Bundle
from hypothesis import given
from hypothesis import strategies as st

from fhir_profiles import r4
from fhir_profiles.measurement import AbsentValue, Amount, Coding
from fhir_profiles.profiles import check
from fhir_profiles.shapes import ans
from fhir_profiles.shapes.kept import Kept, Shaped
from fhir_profiles.shapes.parts import decimal_text
from fhir_profiles.shapes.tables import ANS_EXTENSIONS, ANS_MEASURES, ANS_SUBJECTS
from hub import numbers
from tests.spec.profiles.measurements import measurement, one_of_each
from tests.spec.shapes import naive
from tests.spec.shapes.makings import DEVICE, INS, OID, about, kept, stored

Json = dict[str, Any]
LOINC, UCUM = "http://loinc.org", "http://unitsofmeasure.org"
PREPRANDIAL = Coding(system="urn:iso:std:iso:11073:10101", code="8417868")
DAY = {"effective": "2026-03-01T00:00:00+01:00", "until": "2026-03-02T00:00:00+01:00"}


def shaped(*given: Kept, **changes: Any) -> Shaped:
    return ans.shaped(given, about(**changes))


def one(*given: Kept, **changes: Any) -> Json:
    (entry,) = shaped(*given, **changes).matches
    bundle: Json = numbers.loads(numbers.dumps(entry.resource))
    assert r4.check(bundle) == check(bundle) == ()
    assert list(naive.ans_bundle(bundle, OID)) == []
    Bundle.model_validate_json(numbers.dumps(bundle))
    return bundle


def observation(*given: Kept, **changes: Any) -> Json:
    made: Json = one(*given, **changes)["entry"][1]["resource"]
    return made


def why_not(*given: Kept, **changes: Any) -> str:
    found = shaped(*given, **changes)
    assert found.matches == []
    return found.left[0].text


def extension(made: Json, name: str) -> list[Json]:
    return [each for each in made.get("extension", ()) if each["url"] == ANS_EXTENSIONS[name]]


def foreign(code: str, value: Any, unit: str, **more: Any) -> Kept:
    """As another system stored it."""
    made = {
        "resourceType": "Observation",
        "id": "f",
        "status": "final",
        "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "exam"}]}],
        "code": {"coding": [{"system": LOINC, "code": code}]},
        "subject": {"reference": "Patient/p1"},
        "effectiveDateTime": "2026-03-01T07:00:00+01:00",
        "device": {"reference": "Device/d1"},
        "valueQuantity": {"value": value, "unit": unit, "system": UCUM, "code": unit},
        **more,
    }
    return Kept(observation=made, device=DEVICE)


@pytest.mark.parametrize(("name", "made"), [*one_of_each()], ids=[name for name, _ in one_of_each()])
def test_each_measure_is_a_transaction_that_the_feed_takes_or_has_a_reason(name: str, made: Any) -> None:
    given = Kept(observation=stored(made), device=DEVICE)
    if shaped(given).matches:
        one(given)
    else:
        assert why_not(given)


@pytest.mark.parametrize("measure", [one for one in ANS_MEASURES if one.refused is None and not one.components], ids=lambda one: one.key)
def test_each_measure_of_the_guide_has_its_place_whoever_stored_it(measure: Any) -> None:
    days = {"url": ANS_EXTENSIONS["days"], "valueCodeableConcept": {"coding": [{"system": "urn:x", "code": "GEN-275"}]}}
    moment = {"url": ANS_EXTENSIONS["moment"], "valueCodeableConcept": {"coding": [{"system": "urn:x", "code": "53049-3"}]}}
    told = {"days": [days], "moment": [moment]}.get(str(measure.needs), [])
    for loinc in measure.loinc:
        unit = {"15074-8": "mmol/L", "105272-9": "mmol/L", "55423-8": "{steps}"}.get(loinc, measure.unit)
        lasting = {"effectivePeriod": {"start": DAY["effective"], "end": DAY["until"]}} if loinc == "55423-8" else {}
        given = foreign(loinc, 5, unit, **({"extension": told} if told else {}), **lasting)
        if lasting:
            del given.observation["effectiveDateTime"]  # type: ignore[attr-defined]
        made = observation(given)
        assert made["valueQuantity"]["code"] == measure.unit
        assert [each for each in told if each not in made["extension"]] == []


def test_blood_pressure_has_both_parts_and_the_mean_goes_along() -> None:
    made = observation(kept("blood-pressure"))
    assert [sorted(naive.codes(each["code"], LOINC)) for each in made["component"]] == [["8480-6"], ["8462-4"], ["8478-0"]]
    half = kept("blood-pressure", components={"systolic": Amount(value="120", unit="mm[Hg]")}, value=AbsentValue(reason="error"))
    assert "no value" in why_not(half)


@given(st.decimals(min_value="20", max_value="300", places=2).map(str))
def test_a_value_in_the_unit_of_the_profile_keeps_its_digits_and_its_time(text: str) -> None:
    given = kept("body-weight", value=Amount(value=text, unit="kg"), effective="2026-03-01T07:00:00.250+01:00")
    made = shaped(given).matches[0].resource["entry"][1]["resource"]
    assert (decimal_text(made["valueQuantity"]["value"]), made["effectiveDateTime"]) == (text, "2026-03-01T07:00:00.250+01:00")
    assert extension(made, "original") == []


def test_a_value_that_was_converted_has_the_original_beside_it() -> None:
    """Release 3.1.1: extension for the original value."""
    given = kept("body-weight", value=Amount(value="74.84", unit="kg", original=Amount(value="165.0", unit="[lb_av]")))
    made = observation(given)
    (told,) = extension(made, "original")
    assert [each["url"] for each in told["extension"]] == ["has-been-converted", "original-code", "original-value"]
    assert told["extension"][2]["valueCodeableConcept"] == {"text": "165.0 [lb_av]"}
    assert "extension" not in made["valueQuantity"]


def test_glucose_in_mmol_is_converted_by_the_molar_mass() -> None:
    """5.5 mmol/L are 99 mg/dL: 180.1559 g/mol."""
    made = observation(kept("glucose-interstitial", value=Amount(value="5.5", unit="mmol/L")))
    assert (made["valueQuantity"]["value"], made["valueQuantity"]["code"]) == (99, "mg/dL")
    assert extension(made, "original")[0]["extension"][2]["valueCodeableConcept"] == {"text": "5.5 mmol/L"}
    assert naive.codes(made["code"]) >= {"C159776", "MED-969", "105272-9"}


def test_a_single_value_of_a_sensor_is_over_none_of_the_numbers_of_days() -> None:
    (told,) = extension(observation(kept("glucose-interstitial")), "days")
    assert naive.codes(told["valueCodeableConcept"]) == {"GEN-092"}


def test_blood_glucose_takes_its_moment_from_the_meal_beside_it() -> None:
    """Device and time are those of the value; another one's meal says nothing."""
    meal = Kept(observation=stored(kept_meal(), id="meal"), device=DEVICE)
    (told,) = extension(shaped(kept("glucose-blood"), meal).matches[0].resource["entry"][1]["resource"], "moment")
    assert naive.codes(told["valueCodeableConcept"]) == {"88365-2"}
    later = Kept(observation={**meal.observation, "effectiveDateTime": "2015-05-30T23:07:23-07:00"}, device=DEVICE)
    assert "moment" in shaped(kept("glucose-blood"), later).left[0].text


def kept_meal() -> Any:
    return measurement("glucose-context-meal", value=PREPRANDIAL)


def test_a_moment_that_nobody_told_is_not_made_up() -> None:
    assert "not known" in why_not(kept("glucose-blood"))


@pytest.mark.parametrize(
    ("until", "has_place"),
    [("2026-03-02T00:00:00+01:00", True), ("2026-03-01T12:00:00+01:00", False), ("2026-03-04T00:00:00+01:00", False)],
)
def test_steps_have_a_place_where_they_are_those_of_a_day(until: str, has_place: bool) -> None:
    given = kept("steps", effective=DAY["effective"], until=until, value=Amount(value="8012", unit="{steps}"))
    if not has_place:
        assert "one day" in why_not(given)
        return
    made = observation(given)
    assert (made["valueQuantity"]["value"], made["valueQuantity"]["code"]) == (8012, "1/(24.h)")


def test_a_day_on_which_the_clock_is_changed_is_a_day() -> None:
    given = kept("steps", effective="2026-03-29T00:00:00+01:00", until="2026-03-30T00:00:00+02:00", value=Amount(value="1", unit="{steps}"))
    assert observation(given)["valueQuantity"]["value"] == 1


def test_what_has_no_place_says_why() -> None:
    assert "computed there" in why_not(kept("body-mass-index"))
    assert "no profile" in why_not(kept("pump-rate"))
    assert "no quantity" in why_not(kept("body-weight", value=AbsentValue(reason="error")))
    assert "no device" in why_not(kept("body-weight", device=None))
    assert "entered in error" in why_not(kept("body-weight", more={"status": "entered-in-error"}))
    assert "INS" in why_not(kept("body-weight"), patient={"resourceType": "Patient", "id": "p1"})
    assert "unit" in why_not(foreign("8280-0", 3, "[hd_i]"))


@pytest.mark.parametrize("place", range(len(ANS_SUBJECTS)))
def test_the_person_is_named_by_the_best_identifier_there_is(place: int) -> None:
    known = [
        {"system": "urn:hospital", "value": "4711"},
        *({"system": system, "value": system[-3:]} for system in reversed(ANS_SUBJECTS[place:])),
    ]
    patient = {"resourceType": "Patient", "id": "p1", "identifier": known, "name": [{"family": "Exemple"}]}
    made = observation(kept("body-weight"), patient=patient)
    assert made["subject"] == {"identifier": {"system": ANS_SUBJECTS[place], "value": ANS_SUBJECTS[place][-3:]}}


def test_a_device_without_an_oid_gets_a_name_below_the_senders() -> None:
    for identifier in (
        {"system": "http://example.org/serials", "value": "S 1"},
        {"system": "http://hl7.org/fhir/sid/eui-48/bluetooth", "value": "001C05FFE874"},
    ):
        bundle = one(kept("body-weight", device={**DEVICE, "identifier": [identifier]}))
        device, request = bundle["entry"][0]["resource"], bundle["entry"][0]["request"]
        assert request["ifNoneExist"] == f"identifier={OID}|{device['identifier'][0]['value']}"
        assert device["identifier"][1]["value"].replace("-", "") == identifier["value"].replace("-", "")


def test_the_same_unit_has_the_same_name_in_each_transaction() -> None:
    named = {"system": "http://example.org/serials", "value": "S 1"}
    first, second = (one(kept(key, device={**DEVICE, "identifier": [named]})) for key in ("body-weight", "heart-rate"))
    assert first["entry"][0] == second["entry"][0]
    assert first["entry"][1]["fullUrl"] == second["entry"][1]["fullUrl"], "of one stored Observation"


def test_nobody_but_the_person_is_named_and_what_is_left_out_is_told() -> None:
    given = kept("body-weight", more={"performer": [{"reference": "Practitioner/x"}], "encounter": {"reference": "Encounter/e"}})
    found = shaped(given)
    made = found.matches[0].resource["entry"][1]["resource"]
    assert "performer" not in made
    assert "encounter" not in made
    assert [each.lost for each in found.left] == [False]


def test_security_labels_stay() -> None:
    assert observation(kept("body-weight", quality=("test-data",)))["meta"]["security"][0]["code"] == "HTEST"
    assert observation(kept("body-weight"))["subject"]["identifier"] == INS
