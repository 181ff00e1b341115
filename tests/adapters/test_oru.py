"""Plain ORU with LOINC. HL7 v2.5.1 chapter 7; DEVICES 2.9."""

from pathlib import Path
from typing import Any

import pytest

from adapters.oru import adapter
from adapters.oru.mapping import ROWS, Row
from adapters.reading import Absent, Quantity, Reading, Rejected
from fhir_profiles.canonical import LOINC
from fhir_profiles.catalogue import MEASURES
from tests.support.payloads import SAMPLES, needs_samples

WARD = Path(__file__).parent / "fixtures" / "oru" / "ward.hl7"


def items() -> list[Any]:
    return list(adapter.decode(WARD.read_bytes()))


def test_results_with_loinc_codes_are_read() -> None:
    pressure, rate, temperature = [item for item in items() if isinstance(item, Reading)]
    assert pressure.components == {"systolic": Quantity(value="124", unit="mm[Hg]"), "diastolic": Quantity(value="81", unit="mm[Hg]")}
    assert (pressure.device, pressure.time.text, pressure.preliminary) == ("CUFF-9", "20260301100000+0100", False)
    assert (rate.measure, rate.value, rate.preliminary) == ("heart-rate", Quantity(value="66", unit="/min"), True)
    assert (temperature.value, temperature.quality) == (Absent(reason="unsupported"), ("below-range",))


def test_what_is_not_read_is_reported() -> None:
    found = [(item.code, item.keep, item.pointer) for item in items() if isinstance(item, Rejected)]
    assert found == [("unit-unknown", True, "row 8"), ("unknown-measure", True, "row 9"), ("value-type", False, "row 10")]


@needs_samples
def test_the_public_sample_has_no_number_with_a_unit_and_each_result_is_answered() -> None:
    """Its two results of 8867-4 are a reference to a picture and "27~25" without unit; the others are codes and documents."""
    found: list[Any] = list(adapter.decode((SAMPLES / "hl7v2-oru" / "ORU-R01-01.hl7").read_bytes()))
    assert [item.code for item in found] == ["value-type", "value-type", "value-type", "value-type", "value-repeated"]
    assert all(b"Huckleberry" not in item.raw and b"Zafar" not in item.raw for item in found)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.loinc)
def test_each_row_has_a_code_of_its_measure(row: Row) -> None:
    measure = MEASURES[row.measure]
    part = measure if row.component is None else measure.components[row.component]
    codings = [*part.codings, *(coding for unit in part.units.values() for coding in unit.codings)]
    assert row.loinc in {coding.code for coding in codings if coding.system == LOINC}
