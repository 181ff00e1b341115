"""HL7 Point of Care Devices, https://hl7.org/fhir/uv/pocd, and its public example in shared/samples."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.contract import Unreadable
from adapters.kit.rules import faults, parses_alone
from adapters.pocd import adapter
from adapters.reading import Absent, Reading, Samples
from tests.support.payloads import SAMPLES, needs_samples

FIXTURES = Path(__file__).parent / "fixtures" / "pocd"
MONITOR = "00-1C-05-02-00-00-00-01"
EMPTY = "<Bundle xmlns='http://hl7.org/fhir'><type value='collection'/></Bundle>"


@needs_samples
def test_the_leads_of_the_guide_s_ecg_are_strips_in_the_scaling_of_the_device() -> None:
    """126 samples of 8 ms; 500 is 0 mV, as origin -0.5 and factor 0.001 say."""
    items = list(adapter.decode((SAMPLES / "fhir-pocd" / "Observation-ECGSampleArrayObservation.xml").read_bytes()))
    assert [item.measure for item in items if isinstance(item, Reading)] == ["ecg-lead-i", "ecg-lead-ii", "ecg-lead-iii"]
    for item in items:
        assert isinstance(item, Reading)
        assert isinstance(item.value, Samples)
        assert (item.value.origin, item.value.factor, item.value.period_ms, item.value.unit) == ("-0.5", "0.001", "8", "mV")
        assert item.value.data.startswith("500 500 500")
        assert (item.time and item.time.text, item.end and item.end.text) == ("2021-07-09T11:33:23+02:00", "2021-07-09T11:33:24+02:00")
    peaks = [max(map(int, item.value.data.split())) for item in items if isinstance(item, Reading) and isinstance(item.value, Samples)]
    assert peaks == [1100, 1500, 900]


def test_the_tree_leads_from_a_metric_to_the_unit_that_has_an_identifier() -> None:
    items = list(adapter.decode((FIXTURES / "monitor.json").read_bytes()))
    assert [(item.measure, item.device) for item in items if isinstance(item, Reading)] == [
        ("heart-rate-ecg", MONITOR),
        ("blood-pressure", MONITOR),
        ("ecg-lead-ii", MONITOR),
        ("ecg-rhythm", MONITOR),
    ]
    pressure = items[1]
    assert isinstance(pressure, Reading)
    assert pressure.components["mean"] == Absent(reason="error")


def test_metrics_have_their_place_their_limits_and_their_calibration() -> None:
    """HL7 PoCD: parent is a channel, limits an extension of type alarm-limits in units of IEEE 11073; the last calibration counts."""
    (tree,) = adapter.device_trees((FIXTURES / "monitor.json").read_bytes())
    assert [(part.path, part.parent, part.type.code) for part in tree.parts] == [("vmd", None, "69798"), ("chan", "vmd", "69799")]
    rate, pressure, *_ = tree.metrics
    assert (rate.source_id, rate.measure, rate.parent, rate.unit, rate.calibration) == (
        "hr",
        "heart-rate-ecg",
        "chan",
        "/min",
        "calibrated",
    )
    assert [(one.low, one.high, one.unit) for one in rate.limits] == [("40", "180.5", "/min")]
    assert (pressure.source_id, pressure.calibration, pressure.limits) == ("nbp", None, ())


def test_every_reading_finds_its_metric() -> None:
    payload = (FIXTURES / "monitor.json").read_bytes()
    told = {(tree.device, metric.source_id, metric.measure) for tree in adapter.device_trees(payload) for metric in tree.metrics}
    readings = [item for item in adapter.decode(payload) if isinstance(item, Reading)]
    assert {(item.device, item.source_id, item.measure) for item in readings} == told
    assert all(parses_alone(adapter.decode, item) for item in readings)


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4) | st.sampled_from(["on", "Device/mds", "Device/vmd", "264864", "low"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["coding", "system", "code", "value", "url", "reference", "state", "valueQuantity"]), inner, max_size=4
        )
    ),
    max_leaves=10,
)


@settings(deadline=None, max_examples=150)
@given(
    place=st.sampled_from(range(1, 7)),
    name=st.sampled_from(["id", "type", "parent", "source", "extension", "calibration", "unit"]),
    value=ODD,
)
def test_whatever_stands_in_a_device_or_a_metric_gives_trees_or_none(place: int, name: str, value: Any) -> None:
    document = json.loads((FIXTURES / "monitor.json").read_bytes())
    document["entry"][place]["resource"][name] = value
    payload = json.dumps(document).encode()
    for tree in adapter.device_trees(payload):
        assert tree.device == MONITOR
    for item in adapter.decode(payload):
        assert faults(item) == ()


def test_xml_says_what_json_says() -> None:
    """https://hl7.org/fhir/R4/xml.html; what is kept of an item is JSON."""
    (item,) = adapter.decode((FIXTURES / "monitor.xml").read_bytes())
    assert isinstance(item, Reading)
    (again,) = adapter.decode(item.raw)
    assert isinstance(again, Reading)
    assert (again.value, again.device, json.loads(item.raw)["type"]) == (item.value, MONITOR, "collection")


@pytest.mark.parametrize(
    "payload",
    [
        "<a>",
        "<Bundle/>",
        f"<!DOCTYPE b [<!ENTITY e 'x'>]>{EMPTY}",
    ],
)
def test_what_is_no_fhir_in_xml_is_refused_as_a_whole(payload: str) -> None:
    with pytest.raises(Unreadable) as refusal:
        list(adapter.decode(payload.encode()))
    assert (refusal.value.code, refusal.value.__context__) == ("not-fhir-xml", None)


def test_only_what_says_something_of_a_unit_is_a_fact() -> None:
    """A channel without a name of its own is part of the tree, and no fact."""
    (fact,) = adapter.device_facts((FIXTURES / "monitor.json").read_bytes())
    assert (fact.device, fact.model, fact.serial_number) == (MONITOR, "Bedside 5", "B-77")
