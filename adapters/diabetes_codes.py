"""Codes of ours that products for diabetes share: trends of glucose, modes and events of pumps. Tests hold them against the CodeSystems."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from adapters.reading import Coded

_CODE_SYSTEM: Final = "http://hds-hub.invalid/fhir/CodeSystem"


def _codes(name: str, displays: Mapping[str, str]) -> Mapping[str, Coded]:
    return MappingProxyType(
        {code: Coded(system=f"{_CODE_SYSTEM}/{name}", code=code, display=display) for code, display in displays.items()}
    )


TREND: Final = _codes(
    "glucose-trend",
    {
        "rising-very-fast": "Rising very fast",
        "rising-fast": "Rising fast",
        "rising": "Rising",
        "steady": "Steady",
        "falling": "Falling",
        "falling-fast": "Falling fast",
        "falling-very-fast": "Falling very fast",
        "not-determinable": "Not determinable",
    },
)
MODE: Final = _codes(
    "insulin-delivery-mode",
    {
        "automated": "Automated",
        "automated-raised-target": "Automated, with a raised target",
        "scheduled": "As programmed",
        "temporary": "Temporary, set by the person",
        "suspended": "Suspended",
        "resumed": "Resumed",
    },
)
EVENT: Final = _codes(
    "insulin-pump-event",
    {
        "reservoir-change": "Reservoir changed",
        "clock-change": "Clock set",
        "alarm-low-insulin": "Alarm: little insulin left",
        "alarm-no-insulin": "Alarm: no insulin left",
        "alarm-low-power": "Alarm: battery low",
        "alarm-no-power": "Alarm: battery empty",
        "alarm-occlusion": "Alarm: occlusion",
        "alarm-no-delivery": "Alarm: no delivery",
        "alarm-auto-off": "Alarm: switched itself off",
        "alarm-over-limit": "Alarm: over the limit of delivery",
        "alarm-other": "Alarm: another one",
    },
)
