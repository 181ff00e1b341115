"""Parts of a unit as R4 has them. https://hl7.org/fhir/R4/devicemetric.html, https://hl7.org/fhir/R4/device.html"""

from typing import Any

import pytest

from fhir_profiles import r4
from fhir_profiles.canonical import MDC
from fhir_profiles.device_tree import ALARM_LIMITS, device_metric, part_device
from fhir_profiles.measurement import Coding

RATE = Coding(system=MDC, code="147842", display="MDC_ECG_HEART_RATE")


def metric(**changed: Any) -> dict[str, Any]:
    said: dict[str, Any] = {"unit": "/min", "state": "on", "calibration": None, "limits": ()}
    return device_metric(identifier="u/1.2.1.1", type=RATE, source="Device/u", parent="Device/c", **said | changed)


@pytest.mark.parametrize(
    "made",
    [
        part_device(identifier="u/1.2.0.0", type=Coding(system=MDC, code="69798", display="MDC_DEV_ECG_VMD"), parent="Device/u"),
        metric(),
        metric(unit=None, state="off", calibration="not-calibrated"),
        metric(limits=((RATE, "50", "120", "/min"), (RATE, None, "0.5", "/min"))),
    ],
)
def test_what_is_made_is_valid_r4(made: dict[str, Any]) -> None:
    assert r4.check(made) == ()


def test_what_is_not_said_is_not_written() -> None:
    assert metric(unit=None).keys().isdisjoint({"unit", "calibration", "extension", "measurementPeriod"})


def test_a_limit_keeps_its_side_and_its_unit() -> None:
    (limit,) = metric(limits=((RATE, None, "120", "/min"),))["extension"]
    assert limit["url"] == ALARM_LIMITS
    assert limit["extension"][1]["valueRange"] == {"high": {"value": 120, "system": "http://unitsofmeasure.org", "code": "/min"}}


def test_a_limit_that_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="decimal"):
        metric(limits=((RATE, "low", None, "/min"),))
