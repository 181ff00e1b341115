"""docs/shapes.md: what it shows is what comes out, and its table is current. DEVICES 1.2, 1.6 and 1.7."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from fhir_profiles.catalogue import MEASURES
from fhir_profiles.shapes import ans, hddt, phd
from fhir_profiles.shapes.kept import About, Kept
from fhir_profiles.shapes.overview import overview, shaped
from hub import numbers

PAGE = Path(__file__).resolve().parents[3] / "docs" / "shapes.md"
STORED, PHD, ANS, HDDT = (numbers.loads(text.encode()) for text in re.findall(r"```json\n(.*?)```", PAGE.read_text(), re.DOTALL))
DEVICE = {
    "resourceType": "Device",
    "id": "b2A",
    "identifier": [{"system": "urn:oid:1.2.840.10004.1.1.1.0.0.1.0.0.1.2680", "value": "74-E8-FF-FE-FF-05-1C-00"}],
    "manufacturer": "Exemple",
    "modelNumber": "B1",
    "specialization": [{"systemType": {"coding": [{"system": "urn:iso:std:iso:11073:10101", "code": "528399"}]}, "version": "1"}],
}
INS = {"system": "urn:oid:1.2.250.1.213.1.4.10", "value": "279035121518989"}
ABOUT = About(
    base="https://hub.example/fhir",
    patient={
        "resourceType": "Patient",
        "id": "7Zp",
        "identifier": [{"system": "urn:oid:1.2.250.1.213.1.4.10", "value": "279035121518989"}],
    },
    pseudonym="k3Jq",
    now_us=int(datetime(2026, 3, 1, 12, tzinfo=UTC).timestamp()) * 1_000_000,
    number=numbers.number,
    source="urn:oid:1.2.250.1.99999.7",
    chunk_hours=1,
)


def same(made: Any, shown: Any) -> bool:
    """To the digit."""
    return numbers.canonical(made) == numbers.canonical(shown)


def glucose(minute: int, **value: Any) -> Kept:
    made = {
        "resourceType": "Observation",
        "id": f"g{minute}",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "99504-3"}]},
        "effectiveDateTime": f"2026-03-01T12:{minute:02d}:00+01:00",
        "device": {"reference": "Device/c5"},
        **value,
    }
    return Kept(observation=made, device={**DEVICE, "id": "c5"})


def value(text: str) -> dict[str, Any]:
    return {"valueQuantity": {"value": numbers.number(text), "system": "http://unitsofmeasure.org", "code": "mg/dL"}}


def below() -> dict[str, Any]:
    base = "http://hds-hub.invalid/fhir"
    flag = {"system": f"{base}/CodeSystem/measurement-quality", "code": "below-range"}
    reason = {"system": "http://terminology.hl7.org/CodeSystem/data-absent-reason", "code": "unsupported"}
    quality = [{"url": f"{base}/StructureDefinition/measurement-quality", "valueCoding": flag}]
    return {"extension": quality, "dataAbsentReason": {"coding": [reason]}}


def test_the_page_shows_what_a_measurement_becomes() -> None:
    kept = [Kept(observation=STORED, device=DEVICE)]
    assert same(phd.shaped(kept, ABOUT, "1").matches[0].resource, PHD)
    assert same(ans.shaped(kept, ABOUT).matches[0].resource, ANS)


def test_the_page_shows_what_values_of_a_sensor_become() -> None:
    kept = [glucose(0, **value("112")), glucose(5, **value("108.0")), glucose(10, **below()), glucose(20, **value("101"))]
    chunk, begun = hddt.shaped(kept, ABOUT).matches
    assert same(chunk.resource, HDDT)
    assert begun.resource["dataAbsentReason"]["coding"][0]["code"] == "temp-unknown", "of the hour that has just begun"


def test_the_table_is_current() -> None:
    """To renew it: everything after its last paragraph is what python -m fhir_profiles.shapes.overview prints."""
    assert PAGE.read_text().endswith(f"a test keeps it current.\n\n{overview()}\n")


@pytest.mark.parametrize("key", MEASURES)
def test_each_measure_has_a_profile_or_a_reason_in_each_shape(key: str) -> None:
    for text in shaped(key).values():
        assert text.startswith("`") or len(text) > len("no: ")
