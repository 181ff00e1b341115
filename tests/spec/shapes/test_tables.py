"""The tables of the shapes agree with the profiles that the hub ships and with the catalogue. DEVICES 1.2, 1.6 and 1.7."""

from decimal import Decimal

import pytest

from fhir_profiles.catalogue import MEASURES, QUALITY, SPECIALIZATIONS
from fhir_profiles.profiles.library import found
from fhir_profiles.shapes import tables
from fhir_profiles.ucum import canonical

CATALOGUE_CODES = {
    coding.code for measure in MEASURES.values() for unit in measure.units.values() or (measure,) for coding in unit.codings
} | {coding.code for measure in MEASURES.values() for coding in measure.codings}
FROM_ELSEWHERE = {"72514-3", "8287-5", "9843-4", "8280-0", "41950-7", "41653-7", "14743-9"}
"""No adapter has a row for these: they come in by FHIR."""


@pytest.mark.parametrize("measure", tables.ANS_MEASURES, ids=lambda one: one.key)
def test_each_french_measure_has_its_profile_and_a_unit_of_ucum(measure: tables.AnsMeasure) -> None:
    assert found(measure.profile) is not None
    assert canonical(Decimal(1), measure.unit) is not None
    assert set(measure.loinc) <= CATALOGUE_CODES | FROM_ELSEWHERE


@pytest.mark.parametrize("measure", tables.HDDT_MEASURES, ids=lambda one: one.kind)
def test_each_german_value_has_its_profile_and_a_delay(measure: tables.HddtMeasure) -> None:
    assert found(measure.profile) is not None
    assert measure.kind in tables.HDDT_DELAY_S
    assert measure.kind in tables.HDDT_DEVICE_TYPES
    assert set(measure.units) <= CATALOGUE_CODES | FROM_ELSEWHERE


def test_a_flag_that_is_a_status_is_one_of_ours() -> None:
    assert set(tables.PHD_STATUS) <= set(QUALITY)


def test_a_chunk_divides_the_day() -> None:
    """HDDT: chunks have a fixed size; here they begin where the day of UTC does, so that each can be asked for by its time."""
    assert [hours for hours in tables.HDDT_CHUNK_HOURS if 24 % hours] == []


def test_the_specializations_of_the_tables_are_those_of_the_catalogue() -> None:
    known = {one.coding.code for one in SPECIALIZATIONS.values()}
    assert {code for code in tables.HDDT_DEVICE_TYPES if code.isdigit()} | {tables.PHD_GENERIC} <= known


def test_a_meal_has_one_of_the_moments() -> None:
    assert set(tables.ANS_MOMENT_OF_MEAL.values()) <= set(tables.ANS_MOMENTS)
    assert set(tables.ANS_MOMENT_OF_MEAL) == {code for _, code in MEASURES["glucose-context-meal"].codes}
    assert tables.ANS_SINGLE_READING in tables.ANS_DAYS
