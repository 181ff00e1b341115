"""Decimal text and conversion. https://hl7.org/fhir/R4/datatypes.html#decimal"""

import math
from decimal import Decimal
from fractions import Fraction

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_profiles.catalogue import MEASURES
from fhir_profiles.units import Conversion, is_decimal

CONVERSIONS = st.sampled_from(
    sorted(
        {
            unit.conversion
            for measure in MEASURES.values()
            for component in (measure.components.values() if measure.components else (measure,))
            for unit in component.units.values()
        },
        key=repr,
    )
)
TEXTS = st.from_regex(r"-?(0|[1-9][0-9]{0,5})(\.[0-9]{1,6})?", fullmatch=True)


def exactly(conversion: Conversion, text: str) -> Fraction:
    """The naive twin, in fractions."""
    return (Fraction(text) + Fraction(conversion.add)) * Fraction(conversion.multiply) / Fraction(conversion.divide)


@pytest.mark.parametrize(
    ("key", "component", "unit", "given_", "stored"),
    [
        ("blood-pressure", "systolic", "kPa", "18.9", "141.8"),
        ("blood-pressure", "diastolic", "kPa", "11.0", "82.5"),
        ("body-weight", None, "[lb_av]", "163.42", "74.126"),
        ("body-weight", None, "g", "74126", "74.126"),
        ("body-height", None, "m", "1.930", "193.0"),
        ("body-height", None, "[in_i]", "71.0", "180.3"),
        ("body-temperature", None, "[degF]", "98.6", "37.00"),
        ("body-temperature", None, "[degF]", "-40", "-40.0"),
        ("body-temperature", None, "K", "310.15", "37.00"),
        ("oxygen-saturation", None, "1", "0.97", "97"),
        ("pulse-wave-velocity", None, "cm/s", "712", "7.12"),
    ],
)
def test_known_conversions(key: str, component: str | None, unit: str, given_: str, stored: str) -> None:
    measure = MEASURES[key] if component is None else MEASURES[key].components[component]
    assert measure.units[unit].conversion.text(Decimal(given_)) == stored


def test_glucose_in_moles_compares_with_glucose_in_grams() -> None:
    """1 mmol/L of glucose is 18.01559 mg/dL, from its molar mass."""
    conversion = MEASURES["glucose-capillary"].units["mmol/L"].conversion
    assert conversion.forward(Decimal("5.5")) == Decimal("99.085745")
    assert conversion.backward(Decimal("99.085745")) == Decimal("5.5")


@given(conversion=CONVERSIONS, text=TEXTS)
def test_conversion_is_exact_and_rounded_once(conversion: Conversion, text: str) -> None:
    """Half away from zero at the decimal place of the result, computed in fractions for comparison."""
    result = conversion.text(Decimal(text))
    unit = 10 ** len(result.partition(".")[2])
    exact = exactly(conversion, text) * unit
    rounded = math.floor(abs(exact) + Fraction(1, 2))
    assert Fraction(result) * unit == (rounded if exact > 0 else -rounded)


@given(conversion=CONVERSIONS, text=TEXTS)
def test_two_neighbouring_readings_stay_two(conversion: Conversion, text: str) -> None:
    """Rounding never merges values that the device told apart by one step of its last digit."""
    value = Decimal(text)
    step = Decimal((0, (1,), int(value.as_tuple().exponent)))
    assert conversion.text(value) != conversion.text(value + step)


@given(conversion=CONVERSIONS, text=TEXTS)
def test_the_way_back_leads_to_the_start(conversion: Conversion, text: str) -> None:
    back = conversion.backward(conversion.forward(Decimal(text)))
    assert abs(Fraction(back) - Fraction(text)) < Fraction(1, 10**60)


@given(text=TEXTS)
def test_what_is_decimal_text_is_a_json_number_with_the_same_digits(text: str) -> None:
    assert is_decimal(text)
    assert orjson.dumps(orjson.Fragment(text)).decode() == text
    orjson.loads(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " 1",
        "1 ",
        "+1",
        ".5",
        "5.",
        "01",
        "1,5",
        "NaN",
        "Infinity",
        "0x10",
        "1e",
        "1_000",
        "--1",
        "١",
        "1\n",
        "1" * 25,
        "1e100",
        '1,"x":2',
    ],
)
def test_what_is_no_json_number_is_no_decimal_text(text: str) -> None:
    """What passes here is written into JSON as it stands, so nothing else may pass."""
    assert not is_decimal(text)
