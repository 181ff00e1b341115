"""What a payload says about devices rather than about persons: names, versions, battery, clock.

An adapter that can say it has `device_facts` beside `decode`, as pure as that. The same words as in FHIR's Device.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from adapters.contract import NO_CONTEXT, Context
from adapters.reading import DeviceTime

BatteryLevel = Literal["low", "medium", "high"]
"""Where the vendor says no percentage."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceFacts:
    """What is said of one unit at one time; None is "not said".

    device           the unit's identifier in the adapter's own space, or None if the payload does not say
    identifiers      further names of the unit, as words such as "EUI-64 74-E8-FF-FE-FF-05-1C-00"
    kind             of device, in the vendor's word
    battery_percent  charge, 0 to 100; battery_level where only a word is given
    clock_ahead_s    the device's wall clock minus that of the receiver, in seconds; whole hours may be another time zone
    said_at          when it was said, if that is known
    last_seen        when the unit last measured or reported
    """

    device: str | None
    kind: str | None = None
    manufacturer: str | None = None
    model: str | None = None
    serial_number: str | None = None
    firmware: str | None = None
    hardware: str | None = None
    software: str | None = None
    identifiers: tuple[str, ...] = ()
    battery_percent: int | None = None
    battery_level: BatteryLevel | None = None
    clock_ahead_s: int | None = None
    time_zone: str | None = None
    said_at: DeviceTime | None = None
    last_seen: DeviceTime | None = None
    pointer: str


@runtime_checkable
class DescribesDevices(Protocol):
    """An adapter whose payloads say something about devices.

    facts_marks  a payload in which none of these bytes stand says nothing about devices and is not read for it; b"" is in all
    """

    facts_marks: tuple[bytes, ...]

    def device_facts(self, payload: bytes, context: Context = NO_CONTEXT) -> Iterable[DeviceFacts]:
        """Yield what is said, in the order of the payload. Raises Unreadable before the first, or never; passes over what is no fact."""
        ...
