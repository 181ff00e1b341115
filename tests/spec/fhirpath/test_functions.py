"""The functions, section by section. https://hl7.org/fhirpath/N1/#functions"""

from typing import Any

import pytest

from fhir_profiles.fhirpath import FhirPathEvaluationError, compile_
from tests.spec.fhirpath.given import OBSERVATION, PATIENT, PLAIN, shown

EXISTENCE = [
    ("name.empty()", [False]),
    ("photo.empty()", [True]),
    ("name.exists()", [True]),
    ("name.exists(use = 'old')", [False]),
    ("name.given.exists($this = 'Marie')", [True]),
    ("name.all(given.exists())", [True]),
    ("photo.all(false)", [True]),
    ("(true | true).allTrue()", [True]),
    ("(true | false).allTrue()", [False]),
    ("{}.allTrue()", [True]),
    ("(true | false).anyTrue()", [True]),
    ("{}.anyTrue()", [False]),
    ("(false).allFalse()", [True]),
    ("(true | false).anyFalse()", [True]),
    ("(1 | 2).subsetOf(1 | 2 | 3)", [True]),
    ("(1 | 2).supersetOf(1 | 2 | 3)", [False]),
    ("name.count()", [2]),
    ("('a').combine('a').distinct()", ["a"]),
    ("(1 | 1.0 | 2).count()", [2]),
    ("('a').combine('a').isDistinct()", [False]),
    ("name.isDistinct()", [True]),
    ("active.not()", [False]),
    ("{}.not()", []),
    ("gender.not()", [False]),
]
FILTERING = [
    ("name.where(use = 'usual').given.first()", ["Nan"]),
    ("name.where($index = 1).use", ["usual"]),
    ("name.select(given.first())", ["Anne", "Nan"]),
    ("name.select(given.count())", [2, 2]),
    ("contained.repeat($this).name", ["Clinic"]),
    ("Patient.contained.ofType(Organization).name", ["Clinic"]),
    ("Patient.contained.ofType(Patient)", []),
    ("name.family.ofType(string).count()", [1]),
]
SUBSETTING = [
    ("name[0].use", ["official"]),
    ("name[2]", []),
    ("name[0].given.single()", FhirPathEvaluationError),
    ("gender.single()", ["female"]),
    ("name.given.first()", ["Anne"]),
    ("name.first().given.last()", ["Marie"]),
    ("name.first().given.tail()", ["Marie"]),
    ("name.given.skip(2).first()", ["Nan"]),
    ("name.given.take(2)", ["Anne", "Marie"]),
    ("name.given.take(-1)", []),
    ("name.given.intersect('Marie' | 'x')", ["Marie"]),
    ("name.first().given.exclude('Marie')", ["Anne"]),
]
COMBINING = [
    ("name.first().given | 'Anne'", ["Anne", "Marie"]),
    ("name.first().given.union('x')", ["Anne", "Marie", "x"]),
    ("name.first().given.combine('Anne').count()", [3]),
    ("name.select(use | given.first())", ["official", "Anne", "usual", "Nan"]),
    ("name.select(use.union(given.first()))", ["official", "Anne", "usual", "Nan"]),
]
CONVERSION = [
    ("iif(active, 'yes', 'no')", ["yes"]),
    ("iif(photo.exists(), 'yes')", []),
    ("iif(true, 1, 'x'.toInteger() + {}.single().single())", [1]),
    ("name.iif(empty(), 'none', first().use)", ["official"]),
    ("'1'.toInteger()", [1]),
    ("'1.5'.toInteger()", []),
    ("true.toInteger()", [1]),
    ("'1.50'.toDecimal()", [1.5]),
    ("'T'.toBoolean()", [True]),
    ("'0.0'.toBoolean()", [False]),
    ("2.toBoolean()", []),
    ("1.50.toString()", ["1.50"]),
    ("true.toString()", ["true"]),
    ("(5 'mg').toString()", ["5 'mg'"]),
    ("birthDate.toString()", ["1980-02-29"]),
    ("'2026-11'.toDate()", ["2026-11"]),
    ("'2026-11-22T10'.toDate()", ["2026-11-22"]),
    ("'2026-13'.toDate()", []),
    ("'2026-11-22'.toDateTime()", ["2026-11-22"]),
    ("'09:30'.toTime()", ["09:30"]),
    ("'5 days'.toQuantity() = 5 days", [True]),
    ("'5 \\'mg\\''.toQuantity() = 5 'mg'", [True]),
    ("'5 eggs'.convertsToQuantity()", [False]),
    ("'x'.convertsToInteger()", [False]),
    ("'1'.convertsToInteger()", [True]),
    ("{}.convertsToInteger()", []),
    ("'1'.convertsToBoolean()", [True]),
    ("'2026'.convertsToDateTime()", [True]),
    ("'25:00'.convertsToTime()", [False]),
    ("'14'.convertsToTime()", [True]),
    ("'140'.convertsToTime()", [False]),
]
STRINGS = [
    ("'abc'.indexOf('c')", [2]),
    ("'abc'.indexOf('x')", [-1]),
    ("'abc'.substring(1)", ["bc"]),
    ("'abc'.substring(1, 1)", ["b"]),
    ("'abc'.substring(3)", []),
    ("'abc'.substring(-1)", []),
    ("gender.startsWith('fe')", [True]),
    ("gender.startsWith('')", [True]),
    ("gender.endsWith('male')", [True]),
    ("gender.contains('ma')", [True]),
    ("{}.contains('ma')", []),
    ("'aB'.upper() & 'aB'.lower()", ["ABab"]),
    ("' a '.trim()", ["a"]),
    ("'abcb'.replace('b', 'x')", ["axcx"]),
    ("'abc'.matches('^[a-c]+$')", [True]),
    ("'abc'.matches('b')", [True]),
    ("'abc'.matches('^b$')", [False]),
    ("'11/30'.replaceMatches('([0-9]+)/([0-9]+)', '$2-$1')", ["30-11"]),
    ("'abc'.replaceMatches('', 'x')", ["abc"]),
    ("'abc'.length()", [3]),
    ("{}.length()", []),
    ("'ab'.toChars()", ["a", "b"]),
    ("'a,b'.split(',')", ["a", "b"]),
    ("name.first().given.join('-')", ["Anne-Marie"]),
    ("1.startsWith('1')", FhirPathEvaluationError),
]
MATH = [
    ("(-5).abs()", [5]),
    ("(-5.5 'mg').abs() = 5.5 'mg'", [True]),
    ("1.1.ceiling()", [2]),
    ("(-1.1).ceiling()", [-1]),
    ("(-1.1).floor()", [-2]),
    ("(-1.9).truncate()", [-1]),
    ("3.14159.round(3)", [3.142]),
    ("1.5.round()", [2.0]),
    ("9.sqrt()", [3.0]),
    ("(-1).sqrt()", []),
    ("0.exp()", [1.0]),
    ("1.ln()", [0.0]),
    ("100.log(10)", [2.0]),
    ("16.log(2) = 4", [True]),
    ("2.power(3)", [8]),
    ("(-1).power(0.5)", []),
    ("2.power(100000000)", []),
]
TREE = [
    ("managingOrganization.children()", ["#o1"]),
    ("children().where($this is boolean).count()", [2]),
    ("name.descendants().where($this = 'Marie')", ["Marie"]),
    ("birthDate.children().url", ["http://example.org/at"]),
]
UTILITY = [
    ("name.trace('names').count()", [2]),
    ("today()", ["2026-11-29"]),
    ("now()", ["2026-11-29T09:30:15.250000+00:00"]),
    ("timeOfDay()", ["09:30:15.250000"]),
    ("now() = now()", [True]),
    ("(1 | 2 | 3).aggregate($total + $this, 0)", [6]),
    ("(3 | 1 | 2).aggregate(iif($total.empty() or $this < $total, $this, $total))", [1]),
]
FHIR = [
    ("birthDate.hasValue()", [True]),
    ("name.given.last().hasValue()", [False]),
    ("name.given.hasValue()", [False]),
    ("name.first().hasValue()", [False]),
    ("birthDate.getValue()", ["1980-02-29"]),
    ("name.first().getValue()", []),
    ("birthDate.extension('http://example.org/at').value", ["1980-02-29T07:00:00+01:00"]),
    ("name.given.extension('http://example.org/why').value", ["asked"]),
    ("name.given.extension('http://example.org/other')", []),
    ("managingOrganization.resolve().name", ["Clinic"]),
    ("managingOrganization.resolve() is Organization", [True]),
    ("generalPractitioner.where(resolve() is Practitioner).reference", ["Practitioner/x"]),
    ("generalPractitioner.where(resolve() is Organization).count()", [1]),
    ("generalPractitioner.first().memberOf('http://example.org/vs')", []),
    ("active.type().name", ["boolean"]),
    ("1.type().namespace", ["System"]),
]
TABLE = [*EXISTENCE, *FILTERING, *SUBSETTING, *COMBINING, *CONVERSION, *STRINGS, *MATH, *TREE, *UTILITY, *FHIR]


@pytest.mark.parametrize(("expression", "expected"), TABLE, ids=[row[0] for row in TABLE])
def test_a_function_gives_what_its_section_says(expression: str, expected: Any) -> None:
    """https://hl7.org/fhirpath/N1/#functions"""
    if expected is FhirPathEvaluationError:
        with pytest.raises(FhirPathEvaluationError):
            compile_(expression)(PATIENT, environment=PLAIN)
    else:
        assert shown(compile_(expression)(PATIENT, environment=PLAIN)) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("Observation.value", [OBSERVATION["valueQuantity"]]),
        ("value.unit", ["lbs"]),
        ("value is Quantity", [True]),
        ("value is string", [False]),
        ("(value as Quantity).code", ["[lb_av]"]),
        ("value.ofType(FHIR.Quantity).code", ["[lb_av]"]),
        ("(value as string)", []),
        ("effective is dateTime", [True]),
        ("effective is Period", [False]),
        ("value > 80 'kg'", [True]),
        ("value = 185 '[lb_av]'", [True]),
        ("valueQuantity.code", ["[lb_av]"]),
        ("Patient.value", []),
    ],
)
def test_an_element_with_a_choice_of_types_is_found_without_its_type(expression: str, expected: list[Any]) -> None:
    """https://hl7.org/fhir/R4/fhirpath.html#polymorphism"""
    assert compile_(expression)(OBSERVATION) == expected
