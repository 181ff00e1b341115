"""Parts of a unit -> FHIR R4 Device and DeviceMetric. https://hl7.org/fhir/R4/devicemetric.html, after HL7's guide Point of Care Devices.

Pure. Ids come from whoever stores them; what is not said is not written.
"""

from collections.abc import Callable
from typing import Any, Final

from fhir_profiles.canonical import BASE, UCUM
from fhir_profiles.measurement import Coding
from fhir_profiles.observation import coding_json
from fhir_profiles.units import is_decimal

PART_SYSTEM: Final = f"{BASE}/NamingSystem/device-part"
"""System of the identifier of a part: the unit's identifier, a slash, its place in the unit or the source of its readings."""
ALARM_LIMITS: Final = f"{BASE}/StructureDefinition/alarm-limits"

Json = dict[str, Any]
Range = tuple[Coding, str | None, str | None, str]
"""What is limited, low and high as decimal text, UCUM unit."""


def part_device(*, identifier: str, type: Coding, parent: str) -> Json:
    """A VMD or a channel. `parent`: "Device/id" of what it is a part of."""
    return {
        "resourceType": "Device",
        "identifier": [{"system": PART_SYSTEM, "value": identifier}],
        "status": "active",
        "type": {"coding": [coding_json(type)]},
        "parent": {"reference": parent},
    }


def device_metric(
    *,
    identifier: str,
    type: Coding,
    source: str,
    parent: str,
    unit: str | None,
    state: str,
    calibration: str | None,
    limits: tuple[Range, ...],
    decimal: Callable[[str], float] = float,
) -> Json:
    """What measures one thing.

    source  "Device/id" of the unit; parent of the part, or the unit
    state   https://hl7.org/fhir/R4/valueset-metric-operational-status.html; calibration as valueset-metric-calibration-state
    decimal a number of its text, with the digits kept where that is wanted
    Raises ValueError for a limit that is no decimal.
    """
    made: Json = {
        "resourceType": "DeviceMetric",
        "identifier": [{"system": PART_SYSTEM, "value": identifier}],
        "type": {"coding": [coding_json(type)]},
        "source": {"reference": source},
        "parent": {"reference": parent},
        "operationalStatus": state,
        "category": "measurement",
    }
    if limits:
        made["extension"] = [_limits(one, decimal) for one in limits]
    if unit is not None:
        made["unit"] = {"coding": [{"system": UCUM, "code": unit}]}
    if calibration is not None:
        made["calibration"] = [{"state": calibration}]
    return made


def _limits(given: Range, decimal: Callable[[str], float]) -> Json:
    of, low, high, unit = given
    ends = {name: _quantity(value, unit, decimal) for name, value in (("low", low), ("high", high)) if value is not None}
    return {
        "url": ALARM_LIMITS,
        "extension": [{"url": "of", "valueCoding": coding_json(of)}, {"url": "range", "valueRange": ends}],
    }


def _quantity(value: str, unit: str, decimal: Callable[[str], float]) -> Json:
    if not is_decimal(value):
        raise ValueError("a limit is not the text of a decimal")
    return {"value": decimal(value) if "." in value else int(value), "system": UCUM, "code": unit}
