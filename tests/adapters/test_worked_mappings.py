"""Mappings that come with the hub, each read to the values that stand in its fixture: DEVICES 5 (seed devices), 2.11."""

from importlib.resources import files
from pathlib import Path

import pytest

from adapters.discovery import adapters
from adapters.reading import Absent, Coded, Item, Quantity, Reading, Rejected, Samples, Value
from hub.cli.kit.bench import written
from hub.ingest.doubt import Doubt

FIXTURES = Path(__file__).parent / "fixtures"
WORKED = {
    "chronolife": "session.json",
    "multisense": "batch.json",
    "circular": "export.csv",
    "textile": "logger.csv",
    "neurostimulator": "session.xml",
    "connected-bed": "ward.json",
}
every_mapping = pytest.mark.parametrize(("name", "fixture"), WORKED.items())


def items(name: str) -> list[Item]:
    return list(adapters()[name].decode((FIXTURES / name.replace("-", "_") / WORKED[name]).read_bytes()))


def value_said(value: Value | None) -> str:
    match value:
        case Quantity():
            return f"{value.value} {value.unit}"
        case Absent():
            return f"absent {value.reason}"
        case Coded():
            return value.code
        case Samples():
            return f"{value.data} x{value.factor} {value.unit} every {value.period_ms} ms"
    return ""


def said(name: str) -> list[str]:
    """One line an item: what it is, and its value or fate."""
    lines = []
    for item in items(name):
        if isinstance(item, Rejected):
            lines.append(f"{item.code} {'kept' if item.keep else 'refused'}")
        else:
            parts = [f"{key}={value_said(value)}" for key, value in sorted(item.components.items())]
            lines.append(" ".join([item.measure, value_said(item.value), *parts, *item.quality]).replace("  ", " "))
    return lines


def test_a_session_of_the_t_shirt() -> None:
    assert said("chronolife") == [
        "heart-rate-ecg 64.0 /min",
        "heart-rate-ecg absent not-performed no-sensor-contact",
        "respiratory-rate-thoracic 14.5 /min questionable",
        "skin-temperature 33.10 Cel",
        "skin-temperature absent error",
        "steps 412 {steps} not-medical",
        "unknown-measure kept",
        "ecg-lead-i -3 0 12 180 E -24 x2.4 uV every 5 ms",
        "respiration-waveform 8112 8120 8133 x0.01 Ohm every 50 ms",
    ]
    assert {item.device for item in items("chronolife")} == {"KEESENSE-0042"}


def test_a_night_in_a_connected_bed() -> None:
    """DEVICES 5: weight by the bed, rates without contact, leaving it as an event."""
    assert said("connected-bed") == [
        "body-weight 74.30 kg",
        "body-weight 61.0 kg questionable",
        "heart-rate 58 /min",
        "respiratory-rate absent not-performed",
        "unknown-measure kept",
        "bed-event edge-of-bed",
        "bed-event bed-exit in-alarm",
        "bed-event bed-entry",
        "unknown-measure kept",
    ]
    assert {item.device for item in items("connected-bed")} == {"BED-0042"}


def test_a_batch_of_the_patch() -> None:
    assert said("multisense") == [
        "heart-rate-ecg 71 /min",
        "respiratory-rate 15 /min",
        "oxygen-saturation 97 % questionable",
        "skin-temperature 33.45 Cel",
        "plethysmogram 512 530 E 511 x1 1 every 20 ms",
        "ecg-lead-i -2 0 40 -10 x0.005 mV every 4 ms",
        "unknown-field kept",
        "heart-rate-ecg absent error",
        "respiratory-rate 16 /min",
        "oxygen-saturation absent error",
        "skin-temperature absent error",
        "not-worn refused",
        "time-not-readable kept",
        "heart-rate-ecg 67 /min",
    ]
    assert [item.device for item in items("multisense")][-2:] == ["MS-0", "MS-0"]


def test_an_export_of_the_ring() -> None:
    assert said("circular") == [
        "heart-rate 58 /min",
        "heart-rate absent not-performed",
        "oxygen-saturation 96.5 %",
        "skin-temperature 34.20 Cel",
        "heart-rate-variability-rmssd 41.7 ms",
        "sleep-stage deep",
        "unknown-value-code kept",
        "makers-score refused",
        "unknown-measure kept",
        "no-time kept",
    ]
    assert {item.device for item in items("circular")} == {"CR2-0009"}


def test_a_file_of_the_textile() -> None:
    assert said("textile") == [
        "heart-rate-ecg 72 /min",
        "skin-temperature 33.5 Cel",
        "respiratory-rate 14.0 /min",
        "heart-rate-ecg absent not-a-number",
        "skin-temperature 33.6 Cel",
        "heart-rate-ecg absent not-performed",
        "unknown-record kept",
        "zone-not-readable kept",
        "blood-pressure diastolic=79 mm[Hg] systolic=121 mm[Hg]",
        "incomplete-group kept",
    ]


def test_a_report_of_the_stimulator() -> None:
    assert said("neurostimulator") == [
        "neurostimulator-battery 78 %",
        "neurostimulation-amplitude 2.40 mA",
        "neurostimulation-amplitude 1.9 mA",
        "neurostimulation-pulse-width 60 us",
        "neurostimulation-frequency 130 Hz",
        "planned-setting refused",
        "unknown-measure kept",
        "unit-unknown kept",
    ]


@every_mapping
def test_what_a_mapping_gives_becomes_the_fhir_beside_its_fixture(name: str, fixture: str) -> None:
    """In the form that the kit writes, as of adapters in code."""
    golden = FIXTURES / name.replace("-", "_") / f"{fixture}.fhir.json"
    made = [one.decode() for item in items(name) if isinstance(item, Reading) and not isinstance(one := written(item), Doubt)]
    assert made == golden.read_text("utf-8").removeprefix("[\n").removesuffix("\n]\n").split(",\n")
    assert len(made) == len([item for item in items(name) if isinstance(item, Reading)])


@every_mapping
def test_a_mapping_comes_with_its_page_and_says_that_its_evidence_is_synthetic(name: str, fixture: str) -> None:
    assert fixture
    assert {"__init__.py", "README.md", "mapping.yaml"} <= {
        path.name for path in files("adapters").joinpath(name.replace("-", "_")).iterdir()
    }
    assert adapters()[name].manifest.evidence == "synthetic"
