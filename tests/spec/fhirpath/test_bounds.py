"""Whoever wrote the expression, it ends soon. https://hl7.org/fhirpath/N1/"""

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_profiles.fhirpath import FhirPathError, FhirPathEvaluationError, FhirPathSyntaxError, TooCostlyError, compile_
from fhir_profiles.fhirpath.lexer import EXPRESSION_CHARS_MAX
from fhir_profiles.fhirpath.parser import DEPTH_MAX
from tests.spec.fhirpath.given import PATIENT

PIECES = st.sampled_from(
    [
        "name",
        "given",
        "use",
        ".",
        "(",
        ")",
        "[",
        "]",
        "0",
        "1.5",
        "'a'",
        "and",
        "or",
        "implies",
        "=",
        "!=",
        "~",
        "|",
        "+",
        "-",
        "*",
        "/",
        "&",
        "is",
        "as",
        "Patient",
        "String",
        "exists()",
        "where(",
        "empty()",
        "first()",
        "count()",
        "$this",
        "%resource",
        "{}",
        "@2026",
        ",",
        "in",
        "contains",
        "mod",
        "div",
        "not()",
        "'mg'",
        "children()",
        "descendants()",
        "repeat(",
        "iif(",
        "toString()",
        "matches(",
    ]
)


@pytest.mark.parametrize(
    "expression",
    [
        *(
            "",
            "name.",
            "name(",
            ".name",
            "name name",
            "(name",
            "name)",
            "'open",
            "`open",
            "1 +",
            "@2026-13",
            "@T25:00",
            "name.unknown()",
            "#",
        ),
        *(
            "name.where()",
            "name.first(1)",
            "name is",
            "name is 1",
            "ofType(1)",
            "is System.Unknown",
            "$that",
            "a and",
            "name.exists(",
            "{1}",
        ),
        *("'a'.matches('(')", "'a'.matches('(?=b)')", "'a'.replaceMatches('(a)\\\\1', 'x')", "name is Other.Type", "1 is System.Unknown"),
    ],
)
def test_what_is_no_expression_is_refused_when_it_is_compiled(expression: str) -> None:
    with pytest.raises(FhirPathSyntaxError):
        compile_(expression)


@pytest.mark.parametrize(
    "expression",
    [
        "(" * 1000 + "1" + ")" * 1000,
        "name" + ".name" * 1000,
        "1" + " + 1" * 1000,
        "-" * 1000 + "1",
        "name" + "[0]" * 1000,
        "1" * (EXPRESSION_CHARS_MAX + 1),
    ],
)
def test_an_expression_beyond_the_bounds_is_refused(expression: str) -> None:
    with pytest.raises(FhirPathSyntaxError):
        compile_(expression)


@pytest.mark.parametrize(
    "expression", ["name" + ".name" * (DEPTH_MAX - 2), "1" + " + 1" * (DEPTH_MAX - 2), "(" * (DEPTH_MAX - 1) + "1" + ")" * (DEPTH_MAX - 1)]
)
def test_an_expression_within_the_bounds_runs(expression: str) -> None:
    assert compile_(expression).holds(PATIENT) in {True, False}


def test_a_pattern_that_would_backtrack_takes_no_time() -> None:
    """https://hl7.org/fhirpath/N1/#matchesregex-string-boolean"""
    assert compile_("('a' & text).matches('^(a+)+$')")({"text": "a" * 5_000 + "b"}) == [False]


def test_descendants_of_descendants_end() -> None:
    wide: dict[str, Any] = {"resourceType": "Basic", "extension": [{"url": "x", "extension": [{"url": "y"}] * 40}] * 40}
    with pytest.raises(TooCostlyError):
        compile_("descendants().select(%resource.descendants().select(%resource.descendants()))")(wide)


def test_a_text_does_not_grow_without_end() -> None:
    with pytest.raises(FhirPathEvaluationError):
        compile_("(1|2|3|4|5|6|7|8).aggregate($total & $total & $total & $total & $total & $total & $total & $total, 'a')")({})


def test_no_error_repeats_a_value() -> None:
    for expression in ("gender < 1", "name.given.single()", "gender + 1", "1.startsWith(gender)"):
        with pytest.raises(FhirPathEvaluationError) as refused:
            compile_(expression)(PATIENT)
        assert "female" not in str(refused.value)


@given(st.lists(PIECES, max_size=12).map(" ".join))
def test_any_expression_is_evaluated_or_refused(expression: str) -> None:
    try:
        compile_(expression)(PATIENT)
        compile_(expression).holds(PATIENT)
    except FhirPathError:
        pass


@given(st.text(max_size=40))
def test_any_text_is_compiled_or_refused(text: str) -> None:
    with contextlib.suppress(FhirPathSyntaxError):
        compile_(text)
