"""What a payload says about the parts of a unit: what it consists of, and what measures in it, with its state and its alarm limits.

IEEE 11073-10201: an MDS is the unit, with VMDs and channels in it, and metrics in those. An adapter that can say it has `device_trees`
beside `decode`, as pure as that.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from adapters.contract import NO_CONTEXT, Context
from adapters.reading import Coded

OperationalState = Literal["on", "off", "standby"]
CalibrationState = Literal["not-calibrated", "calibration-required", "calibrated", "unspecified"]
"""https://hl7.org/fhir/R4/valueset-metric-operational-status.html, https://hl7.org/fhir/R4/valueset-metric-calibration-state.html"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A VMD or a channel.

    path    its place in the unit, as the unit numbers it
    parent  the place of what it is a part of; None: of the unit itself
    """

    path: str
    parent: str | None
    type: Coded


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Between which values the unit raises no alarm: decimal text in a UCUM unit; None where there is no limit.

    of  what is limited, where the metric has several values
    """

    of: Coded
    low: str | None
    high: str | None
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """What measures one thing.

    source_id    that of the readings that it gives, and `measure` their key: so they find it
    parent       the place of the part that it belongs to; None: the unit itself
    unit         UCUM code, None where it gives codes
    calibration  None where nothing is said of it
    """

    source_id: str
    measure: str
    parent: str | None
    type: Coded
    unit: str | None = None
    state: OperationalState = "on"
    calibration: CalibrationState | None = None
    limits: tuple[Limits, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceTree:
    """The parts of one unit that a payload speaks of; others may be there as well.

    device  the unit's identifier in the adapter's own space
    """

    device: str
    parts: tuple[Part, ...]
    metrics: tuple[Metric, ...]


@runtime_checkable
class DescribesParts(Protocol):
    """An adapter whose payloads say something about the parts of units."""

    def device_trees(self, payload: bytes, context: Context = NO_CONTEXT) -> Iterable[DeviceTree]:
        """Yield what is said, in the order of the payload. Raises Unreadable before the first, or never."""
        ...
