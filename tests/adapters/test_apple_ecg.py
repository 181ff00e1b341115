"""DEVICES 2.6 and https://developer.apple.com/documentation/healthkit/hkelectrocardiogram."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.apple_ecg import adapter
from adapters.apple_ecg.mapping import CLASSES
from adapters.contract import Unreadable
from adapters.limits import SAMPLES_MAX
from adapters.reading import Reading, Samples
from fhir_profiles.catalogue import MEASURES

FIXTURES = Path(__file__).parent / "fixtures" / "apple_ecg"


def file(
    *samples: str,
    recorded: str = "2025-07-14 09:00:00 +0200",
    kind: str = "Sinus Rhythm",
    rate: str = "512 hertz",
    lead: str = "Lead I",
    unit: str = "µV",
) -> bytes:
    head = [
        'Name,"Ada Lovelace"',
        'Date of Birth,"10 Dec 1915"',
        f"Recorded Date,{recorded}",
        f"Classification,{kind}",
        "Symptoms,",
        'Device,"Watch6,7"',
        f'Sample Rate,"{rate}"',
        "",
        f"Lead,{lead}",
        f"Unit,{unit}",
        "",
    ]
    return "\n".join([*head, *(samples or ("1.5", "-2.25", "3"))]).encode()


def parse(*samples: str, **head: str) -> list[Any]:
    return list(adapter.decode(file(*samples, **head)))


def test_the_samples_are_microvolts_as_they_were_written() -> None:
    strip, _ = parse("-83.145", "0.000", "12")
    assert (strip.measure, strip.value.data, strip.value.unit) == ("ecg-lead-i", "-83.145 0.000 12", "uV")


def test_a_decimal_comma_is_a_decimal_point() -> None:
    assert parse("-83,145", "0,5")[0].value.data == "-83.145 0.5"


@pytest.mark.parametrize(
    ("rate", "period"),
    [
        ("512 hertz", "1.953125"),
        ("512.844 hertz", "1.94991069409021"),
        ("512,844 hertz", "1.94991069409021"),
        ("500 Hz", "2"),
        ("1000 Hertz", "1"),
    ],
)
def test_the_distance_of_samples_follows_from_the_rate(rate: str, period: str) -> None:
    value = parse(rate=rate)[0].value
    assert value.period_ms == period
    assert abs(Decimal(period) * Decimal(rate.split(maxsplit=1)[0].replace(",", ".")) - 1000) < Decimal("1e-11")


def test_a_strip_lasts_as_long_as_its_samples() -> None:
    strip, _ = parse(*["1"] * 15_360)
    assert strip.end.text == "2025-07-14T07:00:30.000Z"


def test_the_offset_of_the_exporting_phone_changes_nothing() -> None:
    """As in export.xml: an export of another season writes another offset for the same instant."""
    summer, winter = parse()[0], parse(recorded="2025-07-14 08:00:00 +0100")[0]
    assert summer.time == winter.time
    assert summer.time.instant == datetime(2025, 7, 14, 7, tzinfo=UTC)


@pytest.mark.parametrize("text", CLASSES)
def test_each_class_is_a_code_of_the_catalogue(text: str) -> None:
    value = parse(kind=text.title())[1].value
    assert (value.system, value.code) in MEASURES["ecg-classification"].codes


def test_a_class_nobody_knows_is_kept_and_the_strip_is_read() -> None:
    strip, kind = parse(kind="Sinusni ritam")
    assert isinstance(strip, Reading)
    assert (kind.code, kind.keep) == ("unknown-value-code", True)


@pytest.mark.parametrize("name", ["english.csv", "french.csv"])
def test_headings_in_any_language_are_read_by_the_form_of_their_values(name: str) -> None:
    strip, kind = adapter.decode((FIXTURES / name).read_bytes())
    assert isinstance(strip, Reading)
    assert isinstance(strip.value, Samples)
    assert isinstance(kind, Reading)
    assert strip.value.data.count(" ") == 255
    assert strip.value.data.startswith("600.000 3.138 ")


@pytest.mark.parametrize("name", ["english.csv", "french.csv"])
def test_name_birth_date_and_symptoms_are_not_kept(name: str) -> None:
    said = repr(list(adapter.decode((FIXTURES / name).read_bytes())))
    assert "Ada" not in said
    assert "1915" not in said
    assert "Palpitations" not in said


@pytest.mark.parametrize(
    ("head", "code"),
    [
        ({"lead": "Lead II"}, "unknown-measure"),
        ({"lead": "Arm"}, "unknown-measure"),
        ({"unit": "V"}, "unknown-measure"),
        ({"rate": "fast"}, "rate-unknown"),
        ({"rate": "0 hertz"}, "rate-unknown"),
        ({"recorded": "2025-02-30 09:00:00 +0200"}, "time-not-readable"),
    ],
)
def test_a_strip_whose_head_does_not_say_enough_is_kept(head: dict[str, str], code: str) -> None:
    strip = parse(**head)[0]
    assert (strip.code, strip.keep) == (code, True)


@pytest.mark.parametrize("bad", ["abc", "1.5.2", "--3", "1e5", "1,5,2", "٣"])
def test_one_sample_that_is_no_number_costs_the_strip(bad: str) -> None:
    """A gap that nobody sees would move everything behind it."""
    strip, kind = parse("1", bad, "2")
    assert (strip.code, strip.keep) == ("value-not-a-number", True)
    assert isinstance(kind, Reading)


def test_a_strip_longer_than_any_watch_records_is_kept() -> None:
    assert parse(*["1"] * (SAMPLES_MAX + 1))[0].code == "value-missing"


@pytest.mark.parametrize("payload", [b"x", b"Name,Ada", b"\xff\xfeN\x00", b"Recorded Date,yesterday\n1\n2\n"])
def test_what_is_no_ecg_is_refused_as_a_whole(payload: bytes) -> None:
    with pytest.raises(Unreadable) as refusal:
        adapter.decode(payload)
    assert refusal.value.code in {"not-apple-ecg", "encoding"}
    assert refusal.value.__context__ is None


@settings(deadline=None)
@given(st.lists(st.decimals(-5000, 5000, places=3, allow_nan=False), min_size=1, max_size=50), st.booleans())
def test_every_sample_keeps_its_value(samples: list[Decimal], comma: bool) -> None:
    written = [f"{sample:f}".replace(".", "," if comma else ".") for sample in samples]
    assert [Decimal(sample) for sample in parse(*written)[0].value.data.split(" ")] == samples
