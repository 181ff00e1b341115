"""PCD-01: IHE DEC, HL7's PoCD guide and the message in its mapping page (shared/samples). DEVICES 1.3 and 2.9.

Expected values are written down here from the messages; none is computed by the code under test.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.kit.rules import place_free
from adapters.pcd01 import adapter
from adapters.reading import Absent, Coded, Quantity, Reading, Rejected, Samples
from fhir_profiles.building import build
from fhir_profiles.measurement import Measurement
from hub.ingest.normalise import normalise
from tests.support.payloads import SAMPLES, needs_samples

FIXTURES = Path(__file__).parent / "fixtures" / "pcd01"
HEAD = r"MSH|^~\&|GW|ICU|||20260301101502+0100||ORU^R01^ORU_R01|1|P|2.6||||||UNICODE UTF-8"
PID = "PID|1||IPP-4711||Lovelace^Ada"
OBR = "OBR|1||1|69965^MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS^MDC|||20260301101500"
MDS = "OBX|1||69965^MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS^MDC|1.0.0.0|||||||X|||||||0009FBFFFF9B42B3^^0009FBFFFF9B42B3^EUI-64"
NOW_US = 1_800_000_000_000_000
EUI = "00-09-FB-FF-FF-9B-42-B3"
RATE = "NM|147842^MDC_ECG_HEART_RATE^MDC|1.2.1.1|{value}|264864^MDC_DIM_BEAT_PER_MIN^MDC||{words}|||{result}|||{time}"


def decode(*segments: str) -> list[Any]:
    return list(adapter.decode("\r".join(segments).encode()))


def rate(value: str = "60", words: str = "", result: str = "F", time: str = "", mds: str = MDS) -> Any:
    return decode(HEAD, PID, OBR, mds, "OBX|2|" + RATE.format(value=value, words=words, result=result, time=time))[0]


def fixture(name: str) -> list[Any]:
    return list(adapter.decode((FIXTURES / name).read_bytes()))


def by_measure(items: list[Any]) -> dict[str, Any]:
    return {item.measure: item for item in reversed(items) if isinstance(item, Reading)}


@needs_samples
def test_the_message_of_the_guide_is_read() -> None:
    """Heart rate 60 and a paced rhythm at 23:03:31.496, four hours behind UTC; the device is the EUI-64 of OBR-3."""
    items: list[Any] = list(adapter.decode((SAMPLES / "hl7v2-pcd01" / "monitor-ihe-pcd01.hl7").read_bytes()))
    rate, rhythm = items
    assert (rate.measure, rate.value) == ("heart-rate-ecg", Quantity(value="60", unit="/min"))
    assert rhythm.measure == "ecg-rhythm"
    assert rhythm.value.code == "MDC_ECG_PACED_RHY"
    for item in items:
        assert item.device == EUI
        assert item.time.instant.isoformat() == "2021-04-25T23:03:31.496000-04:00"
        assert not item.preliminary
    assert [item.source_id for item in items] == ["1.2.1.1", "1.2.4.20"]


def test_a_monitor_is_read() -> None:
    found = by_measure(fixture("monitor.hl7"))
    assert found["heart-rate-ecg"].value == Quantity(value="72", unit="/min")
    assert found["blood-pressure"].components == {
        "systolic": Quantity(value="118", unit="mm[Hg]"),
        "diastolic": Quantity(value="76", unit="mm[Hg]"),
        "mean": Absent(reason="error"),
    }
    assert found["blood-pressure"].time.text == "20260301101400+0100"
    assert found["arterial-pressure"].quality == ("above-device-limit", "in-alarm", "device-channel:1x13x1")
    assert found["temperature-of-probe"].value == Quantity(value="37.10", unit="Cel")
    assert {item.device for item in found.values()} == {EUI}


def test_both_channels_of_a_pump_stay_apart() -> None:
    """MDS/VMD/channel in OBX-4: the same measure at the same time twice, told apart by identity and flag."""
    items = [item for item in fixture("pump.hl7") if isinstance(item, Reading)]
    assert [(one.measure, one.source_id, one.quality) for one in items if one.measure == "pump-rate"] == [
        ("pump-rate", "1.1.1.2", ("device-channel:1x1x1",)),
        ("pump-rate", "1.1.2.2", ("device-channel:1x1x2",)),
    ]
    assert [one.value.code for one in items if one.measure == "pump-status"] == ["pump-status-infusing", "pump-status-paused"]
    assert {one.device for one in items} == {"AC-DE-48-23-45-67-AB-CD"}


def test_a_ventilator_is_read_with_the_offset_of_the_message() -> None:
    found = by_measure(fixture("ventilator.hl7"))
    assert found["ventilator-peep"].value == Quantity(value="8.0", unit="cm[H2O]")
    assert found["ventilator-minute-volume"].value == Quantity(value="6.3", unit="L/min")
    assert found["inspired-oxygen"].value == Quantity(value="40", unit="%")
    assert found["ventilator-rate"].time.instant.isoformat() == "2026-03-01T10:15:00+02:00"


def test_a_bed_is_read_and_its_own_events_are_reported() -> None:
    items = fixture("bed.hl7")
    weights = [item for item in items if isinstance(item, Reading) and item.measure == "body-weight"]
    assert [item.value for item in weights] == [Quantity(value="74.2", unit="kg"), Quantity(value="74.3", unit="kg")]
    assert [item.time.wall.isoformat() for item in weights] == ["2026-03-01T10:15:00", "2026-03-01T10:20:00"]
    assert [item.code for item in items if isinstance(item, Rejected)] == ["unknown-measure"]


def test_a_waveform_is_a_strip_with_the_scaling_of_its_facets() -> None:
    """250 a second is 4 ms; what the facet calls invalid and what is empty are no samples."""
    wave, without_rate = fixture("waveform.hl7")
    assert wave.value == Samples(data="-10 -10 -5 E 1 14 E 2", period_ms="4", unit="mV", factor="0.005", lower="-5000", upper="5000")
    assert without_rate.code == "sample-rate-missing"


@pytest.mark.parametrize(
    ("word", "flag"),
    [
        ("QUES", "questionable"),
        ("CAL", "calibration-ongoing"),
        ("TEST", "test-data"),
        ("DEMO", "test-data"),
        ("VAL", "validated"),
        ("EARLY", "early-indication"),
        ("ALACT", "in-alarm"),
        ("ALINH", "alarms-off"),
        (">", "above-range"),
        ("<", "below-range"),
    ],
)
def test_status_words_become_flags(word: str, flag: str) -> None:
    """HL7 PoCD, mapping of PCD-01, OBX-8."""
    item = rate(words=word)
    assert (item.value, item.quality[0]) == (Quantity(value="60", unit="/min"), flag)


@pytest.mark.parametrize(
    ("word", "reason"), [("INV", "error"), ("NAV", "temp-unknown"), ("BUSY", "temp-unknown"), ("OFF", "not-performed"), ("NI", "unknown")]
)
@pytest.mark.parametrize("value", ["", "60"])
def test_words_for_no_value_give_the_reason_and_never_the_number(word: str, reason: str, value: str) -> None:
    assert rate(value=value, words=word, result="X").value == Absent(reason=reason)  # type: ignore[arg-type]


@pytest.mark.parametrize(("result", "preliminary"), [("R", True), ("P", True), ("F", False), ("C", False)])
def test_what_nobody_reviewed_is_preliminary(result: str, preliminary: bool) -> None:
    """HL7 table 0085."""
    assert rate(result=result).preliminary is preliminary


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"words": "WHAT"}, "status-unknown"),
        ({"result": "Z"}, "status-unknown"),
        ({"result": "W"}, "result-withdrawn"),
        ({"value": ""}, "value-missing"),
        ({"value": "60~61"}, "value-repeated"),
        ({"value": "sixty"}, "value-not-a-number"),
        ({"time": "yesterday"}, "time-not-readable"),
        ({"mds": MDS.replace("0009FBFFFF9B42B3", "Ada")}, "device-not-readable"),
    ],
)
def test_what_is_doubtful_is_reported_and_never_guessed(changed: dict[str, str], code: str) -> None:
    item = rate(**changed)
    assert isinstance(item, Rejected)
    assert (item.code, item.pointer) == (code, "row 5")


def test_a_bad_row_takes_no_good_one_with_it() -> None:
    rows = [RATE.format(value=value, words="", result="F", time="") for value in ("60", "x", "61")]
    items = decode(HEAD, PID, OBR, MDS, *(f"OBX|{place}|{row}" for place, row in enumerate(rows)))
    assert [type(item) for item in items] == [Reading, Rejected, Reading]


def test_another_message_is_refused_and_nothing_of_it_kept() -> None:
    item = decode(HEAD.replace("ORU^R01^ORU_R01", "ADT^A01"), PID)[0]
    assert (item.code, item.keep) == ("message-type", False)
    assert b"Lovelace" not in item.raw


@pytest.mark.parametrize("type", ["TX", "FT", "XPN", "ED", "CWE", "ST"])
def test_what_a_person_may_have_written_is_not_kept(type: str) -> None:
    """Law 4: names stand in free text, and in the words of codes that nobody knows."""
    row = f"OBX|2|{type}|147842^MDC_ECG_HEART_RATE^MDC|1.2.1.1|^Lovelace^L||||||F"
    item = decode(HEAD, PID, OBR, MDS, row)[0]
    assert not item.keep
    assert b"Lovelace" not in item.raw


def test_a_serial_number_alone_is_no_device() -> None:
    """The space of identifiers is that of EUI-64; the hub then asks the sender for the device."""
    assert rate(mds=MDS.replace("0009FBFFFF9B42B3^^0009FBFFFF9B42B3^EUI-64", "SN-12345")).device is None


def test_the_tree_holds_for_the_whole_message() -> None:
    row = "OBX|2|" + RATE.format(value="60", words="", result="F", time="")
    items = decode(HEAD, PID, OBR, MDS, row, OBR.replace("101500", "101600"), row)
    assert [item.device for item in items] == [EUI, EUI]


def test_coded_words_need_a_pair_that_belongs_together() -> None:
    row = "OBX|2|CWE|184508^MDC_PUMP_STAT^MDC|1.1.1.1|{}||||||R"
    good, bad = decode(HEAD, OBR, MDS, row.format("^pump-status-kvo"), row.format("pump-status-kvo^pump-status-paused^MDC"))
    assert isinstance(good.value, Coded)
    assert bad.code == "unknown-value-code"


@given(order=st.permutations(range(6)), cut=st.integers(1, 5))
def test_any_order_and_any_splitting_give_the_same_set(order: list[int], cut: int) -> None:
    rows = [
        f"OBX|1|NM|147842^MDC_ECG_HEART_RATE^MDC|1.2.1.{place}|{60 + place}|264864^MDC_DIM_BEAT_PER_MIN^MDC|||||F" for place in range(1, 7)
    ]
    whole = {repr(place_free(item)) for item in decode(HEAD, OBR, MDS, *rows)}
    shuffled = [rows[place] for place in order]
    parts = decode(HEAD, OBR, MDS, *shuffled[:cut], HEAD, OBR, MDS, *shuffled[cut:])
    assert {repr(place_free(item)) for item in parts} == whole


def test_test_data_says_so_in_its_security_label() -> None:
    """HL7 PoCD, OBX-8: TEST and DEMO are HTEST, so that nobody takes them for a patient's."""
    measured = normalise(rate(words="DEMO"), time_zone="Europe/Paris", patient="Patient/p", device="Device/d", received_us=NOW_US)
    assert isinstance(measured, Measurement)
    resource = json.loads(build(measured, id="o", version=1, last_updated="2026-03-01T10:15:00Z"))
    assert [label["code"] for label in resource["meta"]["security"]] == ["HTEST"]
    assert {part.get("valueString") for part in resource["extension"]} == {None, "1x2x1"}
