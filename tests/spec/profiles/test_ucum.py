"""Units. https://ucum.org/ucum, https://hl7.org/fhir/R4/search.html#quantity"""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_profiles import ucum
from fhir_profiles.catalogue import MEASURES

VALUES = st.decimals(min_value="-1e6", max_value="1e6", allow_nan=False, places=3)
CODES = sorted(ucum._UNITS)


@pytest.mark.parametrize(
    "code",
    [
        *(
            "1",
            "%",
            "mm[Hg]",
            "Cel",
            "[degF]",
            "/min",
            "{beats}/min",
            "{score}",
            "10*3/uL",
            "10*-6",
            "10^3",
            "mmol/L",
            "mg/dL",
            "kg/m2",
            "cm[H2O]",
        ),
        *(
            "g/kg/(8.h){shift}",
            "mL/min/{1.73_m2}",
            "[iU]/L",
            "U/(10.g){feces}",
            "m/s2",
            "B[10.nV]",
            "dB",
            "[in_i'H2O]",
            "umol/(10*6.{RBC})",
        ),
    ],
)
def test_codes_that_devices_and_laboratories_use_are_ucum(code: str) -> None:
    """UCUM 2.1"""
    assert ucum.is_valid(code)


@pytest.mark.parametrize(
    "code",
    [
        *(
            "",
            "mmHg",
            "bpm",
            "beats/min",
            "µg",
            "kkg",
            "g//L",
            "/",
            "g/",
            "(g",
            "g)",
            "m{a}2",
            "(m)2",
            "mg dL",
            "{a",
            "[unknown]",
            "m0",
            "m+",
            "0",
        ),
        *("m[Hg", "c%", "m" * 201, "(" * 9 + "m" + ")" * 9, "10*1000", "k[in_i]"),
    ],
)
def test_what_only_looks_like_a_unit_is_not(code: str) -> None:
    """UCUM 2.1; a prefix only before a metric unit, one prefix only."""
    assert not ucum.is_valid(code)
    assert ucum.canonical(Decimal(1), code) is None


@pytest.mark.parametrize(
    ("value", "code", "expected", "canonical"),
    [
        ("37", "Cel", "310.15", "K"),
        ("98.6", "[degF]", "310.15", "K"),
        ("-40", "[degF]", "233.15", "K"),
        ("120", "mm[Hg]", "15998640", "g.m-1.s-2"),
        ("16", "kPa", "16000000", "g.m-1.s-2"),
        ("5", "%", "0.05", "1"),
        ("1", "{score}", "1", "1"),
        ("60", "/min", "1", "s-1"),
        ("60", "{beats}/min", "1", "s-1"),
        ("4.5", "10*3/uL", "4500000000000", "m-3"),
        ("5", "mmol/L", "5", "m-3.mol"),
        ("90", "mg/dL", "900", "g.m-3"),
        ("150", "[lb_av]", "68038.8555", "g"),
        ("1", "[ft_i]", "0.3048", "m"),
        ("7.4", "[pH]", "7.4", "[pH]"),
        ("2", "m/s2", "2", "m.s-2"),
        ("2", "m/s/s", "2", "m.s-2"),
        ("2", "m/(s.s)", "2", "m.s-2"),
        ("1", "Cel/s", "1", "K.s-1"),
    ],
)
def test_a_value_has_an_exact_canonical_form(value: str, code: str, expected: str, canonical: str) -> None:
    """https://hl7.org/fhir/R4/search.html#quantity: compared in canonical units"""
    assert ucum.canonical(Decimal(value), code) == (Decimal(expected), canonical)


def test_mass_and_amount_of_substance_do_not_meet() -> None:
    """A factor between mg/dL and mmol/L depends on the substance."""
    one, other = ucum.canonical(Decimal(1), "mmol/L"), ucum.canonical(Decimal(1), "mg/dL")
    assert one is not None
    assert other is not None
    assert one[1] != other[1]


def test_arbitrary_units_meet_only_themselves() -> None:
    """UCUM 3.2"""
    one, other = ucum.canonical(Decimal(1), "[iU]/mL"), ucum.canonical(Decimal(1), "[arb'U]/mL")
    assert one is not None
    assert other is not None
    assert one[1] != other[1]


@given(code=st.sampled_from(CODES), value=VALUES)
def test_every_unit_of_the_table_has_a_canonical_form(code: str, value: Decimal) -> None:
    found = ucum.canonical(value, code)
    assert found is not None
    assert ucum.canonical(found[0], found[1]) == found


@given(one=st.sampled_from(CODES), other=st.sampled_from(CODES), value=VALUES)
def test_products_and_quotients_undo_each_other(one: str, other: str, value: Decimal) -> None:
    """UCUM 2.2: a.b/b is a, as a difference where a is a temperature."""
    ratio, plain = ucum.unit(f"{one}.{other}/{other}"), ucum.unit(one)
    assert ratio is not None
    assert plain is not None
    assert (ratio.factor, ratio.dimensions) == (plain.factor, plain.dimensions)


@given(st.text(max_size=30))
def test_any_text_gets_an_answer(text: str) -> None:
    assert ucum.is_valid(text) in {True, False}


def test_the_units_of_our_own_measures_are_ucum() -> None:
    assert [code for measure in MEASURES.values() for code in measure.units if not ucum.is_valid(code)] == []
