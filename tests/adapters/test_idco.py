"""IDCO (IHE PCD-09): an interrogation of a cardiac implant. DEVICES 1.4 and 2.9; synthetic messages."""

from pathlib import Path
from typing import Any

from adapters.idco import adapter
from adapters.reading import Absent, Coded, Quantity, Reading, Rejected

SESSION = Path(__file__).parent / "fixtures" / "idco" / "session.hl7"
MDC = "urn:iso:std:iso:11073:10101"


def items() -> list[Any]:
    return list(adapter.decode(SESSION.read_bytes()))


def test_a_session_is_read() -> None:
    found = {item.measure: item for item in items() if isinstance(item, Reading)}
    assert found["cied-battery-voltage"].value == Quantity(value="3.02", unit="V")
    assert found["cied-battery-longevity"].value == Quantity(value="96", unit="mo")
    assert found["cied-ra-impedance"].value == Quantity(value="530", unit="Ohm")
    assert (found["cied-charge-time"].value, found["cied-charge-time"].quality) == (Absent(reason="unsupported"), ("above-range",))
    assert found["cied-zone-type"].value == Coded(system=MDC, code="754946", display="MDC_IDC_ENUM_ZONE_TYPE_Zone_VT")
    assert found["cied-zone-detection-interval"].source_id == "1"


def test_the_implant_is_named_by_maker_model_and_serial_number() -> None:
    """PID-3 holds the patient's numbers beside it; they are not looked at."""
    assert {item.device for item in items()} == {"MDT/MODEL:D284DRG/SERIAL:PZC600368S"}
    assert all(b"IPP-4711" not in item.raw for item in items())


def test_a_time_of_its_own_goes_before_that_of_the_session() -> None:
    first, second, *_ = items()
    assert (first.time.text, second.time.text) == ("20260301092500+0100", "20260301093000+0100")


def test_what_is_not_read_is_reported() -> None:
    """A number with another's name, a code with another's name, a time, a report that lies elsewhere."""
    found = [(item.code, item.keep) for item in items() if isinstance(item, Rejected)]
    assert found == [
        ("unknown-value-code", False),
        ("code-name-mismatch", True),
        ("unknown-measure", False),
        ("document-not-read", False),
    ]
