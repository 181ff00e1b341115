"""HL7 CardX CIED, https://hl7.org/fhir/uv/cardx-cied, and its public example in shared/samples."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.cied import adapter
from adapters.idco import adapter as idco
from adapters.kit.rules import faults, parses_alone, place_free
from adapters.reading import Coded, Quantity, Reading
from tests.support.payloads import SAMPLES, needs_samples

FIXTURE = Path(__file__).parent / "fixtures" / "cied" / "interrogation.json"
MDC = "urn:iso:std:iso:11073:10101"
INSTANCE = "http://hl7.org/fhir/uv/cardx-cied/StructureDefinition/instance-idco"
VOLTAGE = ("721344", "MDC_IDC_MSMT_BATTERY_VOLTAGE")


def component(code: str, display: str | None = None, instance: int | None = None, **value: Any) -> dict[str, Any]:
    coding = {"system": MDC, "code": code} | ({"display": display} if display else {})
    numbered = {} if instance is None else {"extension": [{"url": INSTANCE, "valueInteger": instance}]}
    return {"code": {"coding": [coding]}} | numbered | value


def volts(value: float) -> dict[str, Any]:
    return {"valueQuantity": {"value": value, "system": "http://unitsofmeasure.org", "code": "V"}}


def read(*components: dict[str, Any], **fields: Any) -> list[Any]:
    observation = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": MDC, "code": "720908"}]},
        "component": components,
    }
    return list(adapter.decode(json.dumps(observation | fields).encode()))


@needs_samples
def test_the_example_of_the_guide_is_what_its_components_say() -> None:
    """Values as printed in the guide's example; settings and what has no time of its own have none."""
    items = list(adapter.decode((SAMPLES / "fhir-cied" / "Observation-IDCOExample2.json").read_bytes()))
    readings = [item for item in items if isinstance(item, Reading)]
    said = [
        (item.measure, item.source_id, item.value.value if isinstance(item.value, Quantity) else item.value.code)
        for item in readings
        if isinstance(item.value, Quantity | Coded)
    ]
    assert said == [
        ("cied-battery-status", "1", "754113"),
        ("cied-battery-voltage", "1", "6.2"),
        ("cied-battery-impedance", "1", "2450"),
        ("cied-battery-longevity", "1", "38"),
        ("cied-battery-percentage", "1", "75"),
        ("cied-battery-longevity-timeframe", "1", "754115"),
        ("cied-battery-percentage-timeframe", "1", "754115"),
        ("cied-charge-time", None, "9.4"),
        ("cied-charge-energy", None, "30"),
        ("cied-charge-type", None, "754177"),
        ("cied-ra-lead-status", None, "754241"),
        ("cied-ra-sensing-max", None, "2.6"),
        ("cied-ra-sensing-min", None, "2.2"),
        ("cied-ra-sensing-mean", None, "2.5"),
        ("cied-ra-sensing-polarity", None, "754305"),
        ("cied-ra-threshold", None, "0.7"),
        ("cied-ra-threshold-pulse-width", None, "0.5"),
        ("cied-ra-threshold-method", None, "754371"),
        ("cied-ra-threshold-polarity", None, "754306"),
        ("cied-ra-impedance", None, "530"),
        ("cied-ra-impedance-polarity", None, "754306"),
        ("cied-zone-type", "1", "754945"),
        ("cied-zone-status", "1", "755009"),
        ("cied-zone-detection-interval", "1", "300"),
        ("cied-zone-atp-type-1", "1", "755073"),
        ("cied-zone-atp-type-1", "1", "755073"),
        ("cied-zone-atp-sequences-1", "1", "1"),
        ("cied-zone-shock-energy-1", "1", "0.6"),
        ("cied-zone-shocks-1", "1", "1"),
        ("cied-zone-shock-energy-2", "1", "0.6"),
        ("cied-zone-shocks-2", "1", "1"),
        ("cied-zone-shock-energy-3", "1", "41"),
        ("cied-zone-shocks-3", "1", "1"),
        ("cied-zone-type", "2", "754946"),
        ("cied-zone-status", "2", "755011"),
        ("cied-zone-detection-interval", "2", "375"),
    ]
    times = {item.measure: None if item.time is None else item.time.text for item in readings}
    assert times["cied-battery-voltage"] == "2019-10-16T12:12:29-09:00"
    assert times["cied-charge-time"] == "2018-03-21T12:12:29-09:00"
    assert times["cied-ra-impedance"] == "2019-03-21T12:12:29-09:00"
    assert times["cied-zone-status"] is None
    left = [item.code for item in items if not isinstance(item, Reading)]
    assert left == ["unknown-measure"] * 5


def test_an_implant_is_named_as_idco_names_it() -> None:
    """One pairing serves both: the same space and the same form."""
    (first, *_) = adapter.decode(FIXTURE.read_bytes())
    assert first.device == "EXA/MODEL:ICD-9/SERIAL:0001"
    assert adapter.manifest.identifier_system == idco.manifest.identifier_system


def test_the_time_of_a_battery_is_that_of_the_same_battery() -> None:
    dated = [component("721216", instance=number, valueDateTime=f"2026-05-0{number}T03:00:00+02:00") for number in (1, 2)]
    items = read(
        *dated, component(*VOLTAGE, 2, **volts(3.1)), component(*VOLTAGE, 3, **volts(3.1)), effectiveDateTime="2026-05-04T00:00:00Z"
    )
    assert [(item.source_id, item.time.text) for item in items] == [("2", "2026-05-02T03:00:00+02:00"), ("3", "2026-05-04T00:00:00Z")]


@pytest.mark.parametrize(
    ("one", "code"),
    [
        (component("721344", "MDC_IDC_MSMT_BATTERY_IMPEDANCE", **volts(3)), "code-name-mismatch"),
        (component("721344", "Battery Impedance MDC_IDC_MSMT_BATTERY_IMPEDANCE", **volts(3)), "code-name-mismatch"),
        (component("721408", **volts(3)), "code-unit-mismatch"),
        (component("721344", valueQuantity={"value": 3}), "unit-unknown"),
        (component("721344", valueString="Ada Lovelace"), "value-type"),
        (component("731776", valueCodeableConcept={"coding": [{"system": MDC, "code": "755010"}]}), "unknown-value-code"),
    ],
)
def test_what_contradicts_itself_or_is_not_known_is_answered(one: dict[str, Any], code: str) -> None:
    refused, good = read(one, component(*VOLTAGE, **volts(3.1)))
    assert (refused.code, refused.pointer) == (code, "/component/0")
    assert isinstance(good, Reading)
    assert "Lovelace" not in str(refused)


@settings(deadline=None, max_examples=30)
@given(data=st.data())
def test_any_order_and_any_repetition_of_components_give_the_same_readings(data: st.DataObject) -> None:
    whole = json.loads(FIXTURE.read_bytes())
    place = next(index for index, entry in enumerate(whole["entry"]) if entry["resource"]["resourceType"] == "Observation")
    components = whole["entry"][place]["resource"]["component"]

    def readings() -> set[str]:
        items = list(adapter.decode(json.dumps(whole).encode()))
        assert all(faults(item) == () for item in items)
        assert all(parses_alone(adapter.decode, item) for item in items if isinstance(item, Reading) or item.keep)
        return {repr(place_free(item)) for item in items if isinstance(item, Reading)}

    before = readings()
    whole["entry"][place]["resource"]["component"] = data.draw(st.permutations([*components, data.draw(st.sampled_from(components))]))
    assert readings() == before
