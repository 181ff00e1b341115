"""Stored Device and DeviceMetric -> those of gematik HDDT. Pure.

The status is that of the whole way from the device to here: unknown, once nothing has come for longer than what is usual.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from fhir_profiles.canonical import MDC, UCUM
from fhir_profiles.shapes.kept import About, Entry, Json, Kept, NoPlace, Resource
from fhir_profiles.shapes.parts import codings, follow, moment_us, named, only
from fhir_profiles.shapes.tables import HDDT_DELAY_S, HDDT_DEVICE_TYPES, HDDT_PROFILES, Kind

SNOMED: Final = "http://snomed.info/sct"
DEVICE, SENSOR = f"{HDDT_PROFILES}hddt-personal-health-device", f"{HDDT_PROFILES}hddt-sensor-type-and-calibration-status"
REGISTRY: Final = "hiis.bfarm.de"
OF_DEVICE: Final = (
    "manufacturer",
    "manufactureDate",
    "expirationDate",
    "lotNumber",
    "serialNumber",
    "deviceName",
    "modelNumber",
    "version",
)
OF_SENSOR: Final = ("type", "operationalStatus", "color", "category", "measurementPeriod")


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """A state of a sensor's calibration and since when (us since 1970; None: nobody said)."""

    since_us: int | None
    entry: Mapping[str, Any]


@dataclass(slots=True, kw_only=True)
class Devices:
    """What measured, for one answer: each device and each state of a sensor once."""

    about: About
    made: dict[str, Entry] = field(default_factory=dict)

    def of(self, kept: Kept, kind: Kind, at_us: int) -> str:
        """The full URL of what `Observation.device` leads to: the sensor in the state it had then, or the device. Raises NoPlace."""
        if kept.device is None:
            raise NoPlace("it names no device that this caller may see")
        device = self._device(kept.device, kind, _heard_us(kept, self.about))
        if kept.metric is None:
            return device
        return self._sensor(kept.metric, device, state_at(kept.metric, at_us))

    def _device(self, stored: Resource, kind: Kind, heard_us: int | None) -> str:
        url = f"urn:uuid:{named('hddt', self.about.pseudonym, 'Device', str(stored['id']))}"
        if url not in self.made:
            resource = _device(stored, kind, self.about, heard_us)
            self.made[url] = Entry(url=url, resource=resource)
        return url

    def _sensor(self, stored: Resource, device: str, state: Calibration | None) -> str:
        since = "" if state is None else f"{state.since_us} {state.entry['state']}"
        url = f"urn:uuid:{named('hddt', self.about.pseudonym, 'DeviceMetric', str(stored['id']), since)}"
        if url not in self.made:
            self.made[url] = Entry(url=url, resource=_sensor(stored, device, state))
        return url


def _heard_us(kept: Kept, about: About) -> int | None:
    """When it was heard of last, under its own name or that of its sensor."""
    names = [f"{one['resourceType']}/{one['id']}" for one in (kept.device, kept.metric) if one is not None]
    return max((about.seen_us[name] for name in names if name in about.seen_us), default=None)


def _device(stored: Resource, kind: Kind, about: About, heard_us: int | None) -> Json:
    made: Json = {"resourceType": "Device", "meta": {"profile": [DEVICE]}, **dict(only(stored, OF_DEVICE))}
    made["status"] = _status(stored, kind, about, heard_us)
    made["type"] = {"coding": [{"system": SNOMED, "code": _type(stored, kind)}]}
    definition = stored.get("definition", {}).get("reference", "")
    if REGISTRY in definition:
        made["definition"] = {"reference": definition}
    follow(made, DEVICE)
    return made


def _status(stored: Resource, kind: Kind, about: About, heard_us: int | None) -> str:
    """What the registry says, but for what has been silent too long."""
    status = str(stored.get("status", "active"))
    silent = heard_us is None or about.now_us - heard_us > HDDT_DELAY_S[kind] * 1_000_000
    return "unknown" if status == "active" and silent else status


def _type(stored: Resource, kind: Kind) -> str:
    """A type that is one of the guide's already, one for the specialization, or one for what was measured."""
    known = set(HDDT_DEVICE_TYPES.values())
    said = [code for code in codings(stored.get("type"), SNOMED) if code in known]
    specialized = [code for one in stored.get("specialization", ()) for code in codings(one.get("systemType"), MDC)]
    return next(iter([*said, *(HDDT_DEVICE_TYPES[code] for code in specialized if code in HDDT_DEVICE_TYPES)]), HDDT_DEVICE_TYPES[kind])


def _sensor(stored: Resource, device: str, state: Calibration | None) -> Json:
    made: Json = {"resourceType": "DeviceMetric", "meta": {"profile": [SENSOR]}, **dict(only(stored, OF_SENSOR))}
    if codings(stored.get("unit"), UCUM):
        made["unit"] = stored["unit"]
    made["source"] = {"reference": device}
    if state is not None:
        made["calibration"] = [dict(state.entry)]
    follow(made, SENSOR)
    return made


def calibrations(metric: Resource) -> Iterator[Calibration]:
    """The states that are told with their time, in order, behind the one without."""
    told = [one for one in metric.get("calibration", ()) if "state" in one]
    found = [Calibration(since_us=moment_us(one["time"]) if "time" in one else None, entry=one) for one in told]
    yield from sorted(found, key=lambda one: -1 if one.since_us is None else one.since_us)


def state_at(metric: Resource, at_us: int) -> Calibration | None:
    """The last state that began by then; where the first is told later, none is known."""
    began = [one for one in calibrations(metric) if one.since_us is None or one.since_us <= at_us]
    return began[-1] if began else None


def changes_us(metric: Resource) -> Sequence[int]:
    """When the state became another one."""
    found, before = [], None
    for one in calibrations(metric):
        if one.since_us is not None and one.entry["state"] != before:
            found.append(one.since_us)
        before = one.entry["state"]
    return found
