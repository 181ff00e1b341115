"""What a device says of its clock -> PHD's coincident time stamp: an Observation about the device, with both times.

http://hl7.org/fhir/uv/phd/StructureDefinition/PhdCoincidentTimeStampObservation: value is the time of the device, effective that of
the gateway at the same moment, subject the device, device the gateway. No reading's time is changed by it.
"""

from datetime import datetime, timedelta
from typing import Any, Final

from fhir_profiles.canonical import BASE, MDC

PROFILE: Final = f"{BASE}/StructureDefinition/phd-coincident-time-stamp"
GATEWAY_SYSTEM: Final = f"{BASE}/gateway"
HALF_HOUR_S: Final = 1_800


def coincident_time_stamp(*, device: str, gateway: str, at: datetime, ahead_s: int) -> dict[str, Any]:
    """An Observation without id.

    device, gateway  "Device/id"
    at       when the two clocks were compared, by the gateway; with its zone
    ahead_s  the device's wall clock minus the gateway's, in seconds
    """
    return {
        "resourceType": "Observation",
        "meta": {"profile": [PROFILE]},
        "status": "final",
        "code": {"coding": [{"system": MDC, "code": "67975", "display": "MDC_ATTR_TIME_ABS"}], "text": "Absolute time"},
        "subject": {"reference": device},
        "effectiveDateTime": _written(at),
        "valueDateTime": _written(at + timedelta(seconds=ahead_s)),
        "device": {"reference": gateway},
    }


def gateway_device() -> dict[str, Any]:
    """The hub as PHD's gateway (PhgDevice), without id."""
    return {
        "resourceType": "Device",
        "identifier": [{"system": GATEWAY_SYSTEM, "value": "hds-hub"}],
        "status": "active",
        "deviceName": [{"name": "hds-hub", "type": "user-friendly-name"}],
        "type": {"coding": [{"system": MDC, "code": "531981", "display": "MDC_MOC_VMS_MDS_AHD"}], "text": "Gateway"},
    }


def zone_and_drift(ahead_s: int) -> tuple[int, int]:
    """Of a difference of clocks: whole half hours, which may be another time zone, and what is left, which is drift; in seconds."""
    zone_s = (ahead_s + HALF_HOUR_S // 2) // HALF_HOUR_S * HALF_HOUR_S
    return zone_s, ahead_s - zone_s


def _written(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
