"""What PCD-01 says of the parts of a unit: OBX-4 as a tree, OBX-7 as alarm limits, OBX-8 as state. IHE PCD TF volume 2, appendix B.8."""

from pathlib import Path

import pytest

from adapters.device_tree import DescribesParts, DeviceTree
from adapters.pcd01 import adapter
from adapters.pcd01.limits import alarm_limits
from adapters.reading import Coded, Reading
from tests.support.payloads import SAMPLES, needs_samples

FIXTURES = Path(__file__).parent / "fixtures" / "pcd01"
RATE = Coded(system="urn:iso:std:iso:11073:10101", code="147842", display="MDC_ECG_HEART_RATE")


def trees(name: str) -> list[DeviceTree]:
    return list(adapter.device_trees((FIXTURES / f"{name}.hl7").read_bytes()))


def test_a_pump_has_a_module_and_its_channels_and_a_metric_for_what_each_reports() -> None:
    (tree,) = trees("pump")
    assert tree.device == "AC-DE-48-23-45-67-AB-CD"
    assert [(part.path, part.parent, part.type.code) for part in tree.parts] == [
        ("1.1.0.0", None, "69986"),
        ("1.1.1.0", "1.1.0.0", "126978"),
        ("1.1.2.0", "1.1.0.0", "126978"),
    ]
    assert [(metric.source_id, metric.measure, metric.parent, metric.unit) for metric in tree.metrics] == [
        ("1.1.1.1", "pump-status", "1.1.1.0", None),
        ("1.1.1.2", "pump-rate", "1.1.1.0", "mL/h"),
        ("1.1.1.3", "pump-volume-remaining", "1.1.1.0", "mL"),
        ("1.1.2.1", "pump-status", "1.1.2.0", None),
        ("1.1.2.2", "pump-rate", "1.1.2.0", "mL/h"),
    ]


@pytest.mark.parametrize("name", ["monitor", "pump", "bed", "ventilator", "waveform"])
def test_every_reading_finds_its_metric(name: str) -> None:
    """By the source id and the measure that both have."""
    told = {(tree.device, metric.source_id, metric.measure) for tree in trees(name) for metric in tree.metrics}
    readings = [item for item in adapter.decode((FIXTURES / f"{name}.hl7").read_bytes()) if isinstance(item, Reading)]
    assert {(reading.device, reading.source_id, reading.measure) for reading in readings} == told
    assert isinstance(adapter, DescribesParts)


def test_nobody_s_name_is_in_a_tree() -> None:
    assert "Lovelace" not in str([tree for name in ("monitor", "pump", "bed") for tree in trees(name)])


@needs_samples
def test_the_tree_of_the_public_message_is_what_its_rows_say() -> None:
    (tree,) = adapter.device_trees((SAMPLES / "hl7v2-pcd01" / "monitor-ihe-pcd01.hl7").read_bytes())
    assert [(part.type.display, part.parent) for part in tree.parts] == [
        ("MDC_DEV_ECG_RESP_VMD", None),
        ("MDC_DEV_CARD_RATE_CHAN", "1.2.0.0"),
    ]
    rate, rhythm = tree.metrics
    assert (rate.measure, rate.parent, [(one.low, one.high, one.unit) for one in rate.limits]) == (
        "heart-rate-ecg",
        "1.2.1.0",
        [("50", "120", "/min")],
    )
    assert (rhythm.measure, rhythm.parent, rhythm.limits) == ("ecg-rhythm", "1.2.0.0", ())


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("50-120", "50", "120"),
        ("-2.5--0.50", "-2.5", "-0.50"),
        (">50", "50", None),
        (">= 50", "50", None),
        ("<120", None, "120"),
        ("<=0120", None, "120"),
        ("50-", "50", None),
        (" 36.0-38.5 ", "36.0", "38.5"),
    ],
)
def test_a_range_is_read_in_every_form_that_hl7_has(text: str, low: str | None, high: str | None) -> None:
    """HL7 v2.6, OBX-7: lower-upper, >lower, <upper."""
    limits = alarm_limits(text, RATE, "/min")
    assert limits is not None
    assert (limits.low, limits.high, limits.unit) == (low, high, "/min")


@pytest.mark.parametrize("text", ["", "-", "normal", "50 to 120", "50-120 Lovelace", "1e3-2", "5" * 40 + "-1", "٥-٦"])
def test_what_is_no_range_is_no_limit(text: str) -> None:
    assert alarm_limits(text, RATE, "/min") is None
