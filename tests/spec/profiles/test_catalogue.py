"""The measure catalogue: every (code, name, unit, range) hangs together.

https://hl7.org/fhir/R4/observation-vitalsigns.html
"""

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from fhir_profiles.canonical import BASE, LOINC, MDC, MEASURE_SYSTEM
from fhir_profiles.catalogue import CATEGORIES, MEASURES, SPECIALIZATIONS, Measure, knows_flag
from fhir_profiles.measurement import Coding

KEYS = (
    "blood-pressure",
    "heart-rate",
    "body-weight",
    "body-height",
    "body-mass-index",
    "body-fat-percentage",
    "fat-free-mass",
    "fat-mass",
    "muscle-mass",
    "bone-mass",
    "body-water-mass",
    "body-temperature",
    "skin-temperature",
    "oxygen-saturation",
    "respiratory-rate",
    "glucose-interstitial",
    "glucose-capillary",
    "ketone-blood",
    "pulse-wave-velocity",
    "vo2max",
)

PROFILES = Path(__file__).parents[3] / "fhir_profiles"
VITAL_SIGNS = {
    "bp": ("85354-9", set()),
    "heartrate": ("8867-4", {"/min"}),
    "bodyweight": ("29463-7", {"g", "kg", "[lb_av]"}),
    "bodyheight": ("8302-2", {"cm", "[in_i]"}),
    "bmi": ("39156-5", {"kg/m2"}),
    "bodytemp": ("8310-5", {"Cel", "[degF]"}),
    "oxygensat": ("2708-6", {"%"}),
    "resprate": ("9279-1", {"/min"}),
    "headcircum": ("9843-4", {"cm", "[in_i]"}),
}
"""R4 profile -> the LOINC code it wants and the units it allows."""


def parts() -> Iterator[Measure]:
    for measure in MEASURES.values():
        yield from measure.components.values() if measure.components else (measure,)


def quantities() -> Iterator[Measure]:
    """Those with a unit: single values and strips."""
    yield from (part for part in parts() if not part.codes and not part.document)


def read(*path: str) -> Any:
    return json.loads(PROFILES.joinpath(*path).read_text("utf-8"))


def loinc(measure: Measure) -> set[str]:
    codings = [*measure.codings, *(coding for unit in measure.units.values() for coding in unit.codings)]
    return {coding.code for coding in codings if coding.system == LOINC}


def check_digit_holds(code: str) -> bool:
    """LOINC Users' Guide, "check digit": the number after the hyphen is that of Luhn."""
    number, digit = code.split("-")
    doubled = [int(char) * (2 if place % 2 == 0 else 1) for place, char in enumerate(reversed(number))]
    return (sum(n // 10 + n % 10 for n in doubled) + int(digit)) % 10 == 0


ALL_CODINGS = sorted({code for measure in (*MEASURES.values(), *parts()) for code in loinc(measure)})
QUANTITIES = [pytest.param(measure, id=measure.key) for measure in quantities()]


@pytest.mark.parametrize("key", KEYS)
def test_measures_that_adapters_name_are_there(key: str) -> None:
    assert MEASURES[key].key == key


@pytest.mark.parametrize("measure", [pytest.param(one, id=one.key) for one in (*MEASURES.values(), *parts())])
def test_each_row_has_a_name_a_code_and_a_source(measure: Measure) -> None:
    assert measure.text
    codings = {coding.system for coding in (*measure.codings, *(coding for unit in measure.units.values() for coding in unit.codings))}
    assert codings or measure.medication
    assert len(measure.source) > 10
    assert ("MDC: left out" in measure.source) == (MDC not in codings)
    assert ("LOINC: left out" in measure.source) == (LOINC not in codings)


def test_what_no_public_code_names_has_a_code_of_ours() -> None:
    """https://hl7.org/fhir/R4/codesystem.html: a code that we use under our own system is defined in it."""
    own = {coding.code for one in (*MEASURES.values(), *parts()) for coding in one.codings if coding.system == MEASURE_SYSTEM}
    assert own == {concept["code"] for concept in read("structure_definitions", "CodeSystem-measure.json").get("concept", [])}


@pytest.mark.parametrize("measure", [part for part in parts() if part.codes], ids=lambda one: one.key)
def test_the_codes_of_a_measure_are_defined_where_the_system_is_ours(measure: Measure) -> None:
    """A coded measure has no unit, and each of its codes stands in a CodeSystem that we ship, under the same display."""
    assert not measure.units
    for (system, code), display in measure.codes.items():
        if system.startswith(BASE):
            concepts = read("structure_definitions", f"CodeSystem-{system.rsplit('/', 1)[1]}.json")["concept"]
            assert (code, display) in {(one["code"], one["display"]) for one in concepts}


def test_a_key_is_used_once() -> None:
    """Adapters name a measure by its key, and a row that another file repeats would shadow it."""
    keys = [row["key"] for file in sorted((PROFILES / "measures").iterdir()) for row in read("measures", file.name)["measures"]]
    assert sorted(keys) == sorted(set(keys))


@pytest.mark.parametrize("code", ALL_CODINGS)
def test_loinc_codes_have_a_right_check_digit(code: str) -> None:
    """A code with two digits exchanged is the commonest fault of published tables."""
    assert check_digit_holds(code)


def test_a_printed_fault_would_be_found() -> None:
    """A national table printed 9463-7 for 29463-7."""
    assert not check_digit_holds("9463-7")


@pytest.mark.parametrize("measure", [one for one in MEASURES.values() if one.profile], ids=lambda one: one.key)
def test_vital_signs_have_the_code_and_the_unit_of_their_profile(measure: Measure) -> None:
    """The stored unit is one that the profile allows, and so is the LOINC code."""
    name = (measure.profile or "").removeprefix("http://hl7.org/fhir/StructureDefinition/")
    if name == "vitalsigns":  # the base profile fixes neither
        assert measure.category == "vital-signs"
        return
    code, units = VITAL_SIGNS[name]
    assert measure.category == "vital-signs"
    assert code in loinc(measure)
    assert {unit.stored for unit in measure.units.values()} <= units


def test_oxygen_saturation_has_both_codes() -> None:
    """The R4 profile wants 2708-6; 59408-5 says that it is pulse oximetry."""
    assert loinc(MEASURES["oxygen-saturation"]) == {"2708-6", "59408-5"}


def test_blood_pressure_has_the_components_of_its_profile() -> None:
    components = MEASURES["blood-pressure"].components
    assert {key: loinc(one) for key, one in components.items()} == {"systolic": {"8480-6"}, "diastolic": {"8462-4"}, "mean": {"8478-0"}}
    assert {key for key, one in components.items() if one.required} == {"systolic", "diastolic"}
    assert {unit.stored for one in components.values() for unit in one.units.values()} == {"mm[Hg]"}


@pytest.mark.parametrize(
    ("key", "unit", "code"),
    [
        ("glucose-interstitial", "mg/dL", "99504-3"),
        ("glucose-interstitial", "mmol/L", "105272-9"),
        ("glucose-capillary", "mg/dL", "2339-0"),
        ("glucose-capillary", "mmol/L", "15074-8"),
    ],
)
def test_glucose_has_the_code_of_its_unit_and_keeps_the_unit(key: str, unit: str, code: str) -> None:
    """HL7 CGM 1.0.0: Mass/volume and Moles/volume are two codes; gematik HDDT: a receiver compares unit and code."""
    row = MEASURES[key].units[unit]
    assert [coding.code for coding in row.codings if coding.system == LOINC] == [code]
    assert (row.stored, row.keeps) == (unit, True)
    assert ("Moles" in (row.codings[0].display or "")) == (unit == "mmol/L")


def test_glucose_conversion_is_said_to_be_molar() -> None:
    """mmol/L to mg/dL is no change of unit but needs the molar mass, which therefore stands in the row."""
    rows = read("measures", "laboratory.json")["measures"]
    for row in (row for row in rows if row["key"].startswith("glucose")):
        molar = next(unit for unit in row["units"] if unit["unit"] == "mmol/L")
        assert Decimal(molar["molar_mass_g_per_mol"]) / 10 == Decimal(molar["multiply"])


@pytest.mark.parametrize("measure", QUANTITIES)
def test_the_range_is_a_range_and_each_unit_leads_into_the_canonical_one(measure: Measure) -> None:
    assert measure.low < measure.high
    assert measure.units[measure.canonical].conversion.is_identity
    for unit in measure.units.values():
        assert unit.stored in measure.units
        assert unit.conversion.divide > 0
        assert unit.conversion.multiply > 0


@pytest.mark.parametrize("measure", QUANTITIES)
def test_ucum_codes_are_written_in_ascii_without_blanks(measure: Measure) -> None:
    """https://ucum.org/ucum: case sensitive, printable ASCII."""
    assert all(re.fullmatch(r"[!-~]+", unit) for unit in measure.units)


def test_categories_are_those_of_observation_category() -> None:
    """http://terminology.hl7.org/CodeSystem/observation-category"""
    assert CATEGORIES.keys() <= {
        "social-history",
        "vital-signs",
        "imaging",
        "laboratory",
        "procedure",
        "survey",
        "exam",
        "therapy",
        "activity",
    }
    assert {measure.category for measure in MEASURES.values() if measure.medication is None} <= CATEGORIES.keys()


PARTITIONS = {"_IDC_": 11, "DEV_": 8, "CTXT_": 128}
"""Word in a reference identifier -> partition; 29140 alone would be relative to one."""


def mdc_codings() -> list[Coding]:
    rows = [*MEASURES.values(), *parts()]
    answers = [
        Coding(system=MDC, code=code, display=display) for row in rows for (system, code), display in row.codes.items() if system == MDC
    ]
    return (
        [coding for row in rows for coding in row.codings if coding.system == MDC]
        + answers
        + [row.coding for row in SPECIALIZATIONS.values()]
    )


@pytest.mark.parametrize("coding", mdc_codings(), ids=lambda coding: coding.display)
def test_mdc_codes_are_of_32_bits_with_their_reference_identifier(coding: Coding) -> None:
    """ISO/IEEE 11073-10101: measurements are in partition 2, specializations in 8, implants in 11 (11073-10103),
    contexts of glucose in 128 (11073-10417)."""
    assert re.fullmatch(r"MDC_(?:[A-Z0-9_]+|IDC_ENUM_[A-Za-z0-9_]+)", coding.display or "")
    partition = next((number for word, number in PARTITIONS.items() if word in (coding.display or "")), 2)
    assert int(coding.code) >> 16 == partition


def test_one_mdc_code_means_one_thing() -> None:
    """A simulator in the field pairs 150456 with the name of another code: number and name are one to one."""
    pairs = {(coding.code, coding.display) for coding in mdc_codings()}
    assert len(pairs) == len({code for code, _ in pairs}) == len({name for _, name in pairs})


@pytest.mark.parametrize(
    ("flag", "known"),
    [
        ("body-movement", True),
        ("user-index:1", True),
        ("user-index:unknown", True),
        ("user-index", False),
        ("user-index:", False),
        ("user-index:A B", False),
        ("body-movement:1", False),
        ("surprise", False),
    ],
)
def test_flags_are_known_or_not(flag: str, known: bool) -> None:
    assert knows_flag(flag) is known


def test_two_kinds_of_heart_rate_variability_share_no_code() -> None:
    """SDNN and RMSSD of one night differ by half; a product that mixed them had to mend its data afterwards. LOINC 80404-7 is SDNN."""
    sdnn, rmssd = MEASURES["heart-rate-variability-sdnn"], MEASURES["heart-rate-variability-rmssd"]
    assert loinc(sdnn) == {"80404-7"}
    assert not {coding.code for coding in sdnn.codings} & {coding.code for coding in rmssd.codings}
