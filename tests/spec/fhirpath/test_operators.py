"""Operators, literals and variables. https://hl7.org/fhirpath/N1/#operations"""

from typing import Any

import pytest

from fhir_profiles.fhirpath import FhirPathEvaluationError, compile_
from tests.spec.fhirpath.given import PATIENT, PLAIN, shown

EQUALITY = [
    ("1 = 1.0", [True]),
    ("'a' = 'A'", [False]),
    ("'a' ~ ' A'", [True]),
    ("1 = true", [False]),
    ("{} = 1", []),
    ("{} ~ {}", [True]),
    ("(1 | 2) = (2 | 1)", [False]),
    ("(1 | 2) ~ (2 | 1)", [True]),
    ("(1 | 2) = 1", [False]),
    ("name.first() = name.first()", [True]),
    ("name.first() = name.last()", [False]),
    ("name.first() != name.last()", [True]),
    ("1.001 ~ 1.0", [True]),
    ("1 !~ 2", [True]),
    ("4 'g' = 4000 'mg'", [True]),
    ("4 'g' = 4 'cm'", []),
    ("4 'g' ~ 4000 'mg'", [True]),
    ("1 year = 12 months", [True]),
    ("7 days = 1 week", [True]),
    ("@2026 = @2026-01", []),
    ("@2026 ~ @2026-01", [False]),
    ("@2026-01-01T10:00:00Z = @2026-01-01T11:00:00+01:00", [True]),
    ("@2026-01-01T10:00:00.0Z = @2026-01-01T10:00:00Z", [True]),
    ("birthDate = @1980-02-29", [True]),
    ("birthDate = '1980-02-29'", [True]),
    ("@T10:00 = @T10:00", [True]),
    ("@T10:00 = @2026-01-01", [False]),
]
COMPARISON = [
    ("1 < 2.0", [True]),
    ("'a' < 'b'", [True]),
    ("2 >= 2", [True]),
    ("{} < 1", []),
    ("1 < 'a'", FhirPathEvaluationError),
    ("(1 | 2) < 3", FhirPathEvaluationError),
    ("1 'cm' < 1 'm'", [True]),
    ("1 'cm' < 1 'g'", []),
    ("@2026-01 < @2026-02", [True]),
    ("@2026-01 < @2026-01-15", []),
    ("@2026-01-01T10:00:00Z < @2026-01-01T10:00:00+01:00", [False]),
    ("@2026-01-01T10:00 < @2026-03-01T10:00Z", [True]),
    ("@2026-01-01T10:00 < @2026-01-01T11:00Z", []),
    ("@T10:00 < @T10:01", [True]),
]
TYPES = [
    ("active is boolean", [True]),
    ("active is Boolean", [False]),
    ("true is Boolean", [True]),
    ("true is System.Boolean", [True]),
    ("1 is Integer", [True]),
    ("1 is Decimal", [False]),
    ("@2026 is Date", [True]),
    ("(1 'mg') is Quantity", [True]),
    ("{} is Integer", []),
    ("deceased is boolean", [True]),
    ("Patient is DomainResource", [True]),
    ("$this.is(Patient)", [True]),
    ("$this as Observation", []),
    ("(1 | 2) is Integer", FhirPathEvaluationError),
]
COLLECTIONS = [
    ("1 in (1 | 2)", [True]),
    ("3 in (1 | 2)", [False]),
    ("{} in (1 | 2)", []),
    ("(1 | 2) contains 2", [True]),
    ("{} contains 2", [False]),
    ("gender in ('male' | 'female')", [True]),
    ("1 | 2 | 1", [1, 2]),
]
LOGIC = [
    ("true and {}", []),
    ("false and {}", [False]),
    ("{} and false", [False]),
    ("true or {}", [True]),
    ("{} or true", [True]),
    ("false or {}", []),
    ("true xor true", [False]),
    ("true xor {}", []),
    ("false implies {}", [True]),
    ("{} implies true", [True]),
    ("{} implies false", []),
    ("true implies {}", []),
    ("true implies false", [False]),
    ("1 and true", [True]),
    ("(1 | 2) and true", FhirPathEvaluationError),
]
MATH = [
    ("1 + 2 * 3", [7]),
    ("(1 + 2) * 3", [9]),
    ("7 / 2", [3.5]),
    ("1 / 0", []),
    ("7 div 2", [3]),
    ("-7 div 2", [-3]),
    ("7 mod 2", [1]),
    ("1 mod 0", []),
    ("1.1 + 2", [3.1]),
    ("0.1 + 0.2 = 0.3", [True]),
    ("'a' + 'b'", ["ab"]),
    ("'a' + {}", []),
    ("'a' & {}", ["a"]),
    ("-(1)", [-1]),
    ("+1", [1]),
    ("1 + 'a'", FhirPathEvaluationError),
    ("1 'mg' + 2 'mg' = 3 'mg'", [True]),
    ("2 * 3 'mg' = 6 'mg'", [True]),
    ("2.0 'cm' * 2.0 'm' = 0.040 'm2'", [True]),
    ("4 'g' / 2 'm' = 2 'g/m'", [True]),
    ("1 'm' / 1 'm' = 1 '1'", [True]),
    ("1 'm' / 0 'm'", []),
    ("1 year * 2 'm'", []),
    ("@2026-01-31 + 1 month", ["2026-02-28"]),
    ("@2024-02-29 + 1 year", ["2025-02-28"]),
    ("@2026-01-31 + 1 day", ["2026-02-01"]),
    ("@2026-01-01 - 1 week", ["2025-12-25"]),
    ("@2026 + 24 months", ["2028"]),
    ("@2026-01-01T23:30:00Z + 45 minutes", ["2026-01-02T00:15:00Z"]),
    ("@2026-01-01T10:00:00.5+01:00 + 500 milliseconds", ["2026-01-01T10:00:01.0+01:00"]),
    ("@2026-01-01T10:00:00.000Z + 7.7 days", ["2026-01-08T10:00:00.000Z"]),
    ("@T23:30 + 45 minutes", ["00:15"]),
    ("@9999-12-31 + 1 day", []),
    ("today() - 1 'd'", ["2026-11-28"]),
]
LITERALS = [
    ("{}", []),
    (r"'\u0041\'\n\\'", ["A'\n\\"]),
    ("`name`.`use`.first()", ["official"]),
    ("text.div", []),
    ("@2026-11-22T10:00", ["2026-11-22T10:00"]),
    ("@T09", ["T09"]),
    ("// nothing\n1 /* nor here */ + 1", [2]),
    ("10.5 'mg' is Quantity", [True]),
]
VARIABLES = [
    ("%resource.gender", ["female"]),
    ("%rootResource.gender", ["female"]),
    ("name.where(%context.gender = 'female').count()", [2]),
    ("%ucum", ["http://unitsofmeasure.org"]),
    ("%loinc", ["http://loinc.org"]),
    ("%`vs-administrative-gender`", ["http://hl7.org/fhir/ValueSet/administrative-gender"]),
    ("%'ext-patient-birthTime'", ["http://hl7.org/fhir/StructureDefinition/patient-birthTime"]),
    ("%unknown", FhirPathEvaluationError),
    ("name.given.select($index)", [0, 1, 2, 3]),
]
TABLE = [*EQUALITY, *COMPARISON, *TYPES, *COLLECTIONS, *LOGIC, *MATH, *LITERALS, *VARIABLES]


@pytest.mark.parametrize(("expression", "expected"), TABLE, ids=[row[0] for row in TABLE])
def test_an_operator_gives_what_its_section_says(expression: str, expected: Any) -> None:
    """https://hl7.org/fhirpath/N1/#operations"""
    if expected is FhirPathEvaluationError:
        with pytest.raises(FhirPathEvaluationError):
            compile_(expression)(PATIENT, environment=PLAIN)
    else:
        assert shown(compile_(expression)(PATIENT, environment=PLAIN)) == expected


@pytest.mark.parametrize(
    ("expression", "grouped"),
    [
        ("a or b and c", "a or (b and c)"),
        ("a implies b or c", "a implies (b or c)"),
        ("a implies b implies c", "(a implies b) implies c"),
        ("a = b and c", "(a = b) and c"),
        ("a | b = c", "(a | b) = c"),
        ("a + b | c", "(a + b) | c"),
        ("a < b = c", "(a < b) = c"),
        ("a in b = c", "a in (b = c)"),
        ("a is Patient = b", "(a is Patient) = b"),
        ("a + b * c & d", "(a + (b * c)) & d"),
        ("-a.b", "-(a.b)"),
    ],
)
def test_operators_bind_in_the_order_of_the_table(expression: str, grouped: str) -> None:
    """https://hl7.org/fhirpath/N1/#operator-precedence"""
    assert compile_(expression).syntax == compile_(grouped).syntax
