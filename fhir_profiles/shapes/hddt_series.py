"""Glucose of sensors -> chunks of HDDT, sensor by sensor. Pure. https://gematik.de/fhir/hddt, Retrieving Data."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Final

from fhir_profiles.canonical import BASE, DATA_ABSENT_REASON, LOINC, UCUM
from fhir_profiles.catalogue import QUALITY
from fhir_profiles.shapes.chunks import ABOVE, BELOW, MILLISECOND_US, MISSING, Chunk, Reading, Series, Window, chunk, window_of, windows
from fhir_profiles.shapes.hddt_device import Devices, changes_us
from fhir_profiles.shapes.kept import About, Entry, Json, Kept, Left, NoPlace, Resource
from fhir_profiles.shapes.parts import Span, codings, decimal_of, decimal_text, extension, flags, follow, instant, named
from fhir_profiles.shapes.tables import HddtMeasure

PAIRING: Final = f"{BASE}/pairing"
TREND: Final = f"{BASE}/StructureDefinition/glucose-trend"
EMPTY_MAX: Final = 31
"""Chunks without any value told in a row: a sensor that was silent for longer leaves a gap."""
OUTSIDE: Final = {"below-range": BELOW, "above-range": ABOVE}
LIMITS: Final = {"at-lower-limit": "lowerLimit", "at-upper-limit": "upperLimit"}
COMPARED: Final = {"<": BELOW, "<=": BELOW, ">": ABOVE, ">=": ABOVE}
Key = tuple[str, str, str, str]
"""Device, sensor, code and security labels: what shares them may share a chunk."""


@dataclass(slots=True, kw_only=True)
class Sensor:
    """One sensor's readings in one unit, and what was said of them."""

    first: Kept
    measure: HddtMeasure
    loinc: str
    series: Series = field(default_factory=Series)
    limits: dict[str, Any] = field(default_factory=dict)
    flagged: list[tuple[int, str]] = field(default_factory=list)
    trends: int = 0

    @property
    def reference(self) -> str:
        """Of the device, as the Observation names it."""
        return str(self.first.observation["device"]["reference"])


@dataclass(slots=True, kw_only=True)
class Sensors:
    """All sensors of one answer."""

    devices: Devices
    by_key: dict[Key, Sensor] = field(default_factory=dict)
    left: list[Left] = field(default_factory=list)

    def take(self, kept: Kept, measure: HddtMeasure, between: Span) -> None:
        """Raises NoPlace for what cannot stand in a chunk."""
        stored = kept.observation
        if kept.device is None:
            raise NoPlace("it names no device that this caller may see")
        loinc = next(code for code in codings(stored["code"], LOINC) if code in measure.units)
        readings = list(_readings(stored, measure.units[loinc], between))
        metric = "" if kept.metric is None else str(kept.metric["id"])
        labels = " ".join(sorted(str(one.get("code")) for one in stored.get("meta", {}).get("security", ())))
        sensor = self.by_key.setdefault((str(kept.device["id"]), metric, loinc, labels), Sensor(first=kept, measure=measure, loinc=loinc))
        sensor.series.readings += readings
        sensor.trends += extension(stored, TREND) is not None
        for flag in flags(stored):
            if flag in LIMITS and "valueQuantity" in stored:
                sensor.limits[LIMITS[flag]] = stored["valueQuantity"]["value"]
            elif flag not in OUTSIDE:
                sensor.flagged.append((between.start_us, flag))

    def chunks(self) -> Iterator[tuple[int, Entry]]:
        """Each with the time of its start."""
        for sensor in self.by_key.values():
            sensor.series.readings.sort(key=lambda one: one.at_us)
        for sensor in self.by_key.values():
            try:
                yield from self._of(sensor)
            except NoPlace as why:
                self.left.append(Left(reference=sensor.first.reference, text=f"{why}; so with all values of this sensor"))

    def _of(self, sensor: Sensor) -> Iterator[tuple[int, Entry]]:
        about, empty = self.devices.about, 0
        changes = () if sensor.first.metric is None else changes_us(sensor.first.metric)
        sensor.series = replace(sensor.series, changes_us=[*changes, *self._successors(sensor)])
        if sensor.trends:
            self._tell(sensor, f"{sensor.trends} values said which way the glucose goes; a chunk has no place for it")
        for window, readings in _by_window(sensor.series, about):
            made = chunk(window, [one for one in readings if about.until_us is None or one.at_us < about.until_us])
            empty = empty + 1 if made.is_empty else 0
            if not _asked(window, about) or empty > EMPTY_MAX:
                continue
            self._told(sensor, made)
            yield window.start_us, self._entry(sensor, made)
        if empty > EMPTY_MAX:
            self._tell(sensor, f"of the chunks without any value the first {EMPTY_MAX} are here")

    def _successors(self, sensor: Sensor) -> Iterator[int]:
        """When another sensor began after this one had ended, within the same chunk: a change of the device ends it."""
        hours = self.devices.about.chunk_hours
        mine = sensor.series.readings
        for other in self.by_key.values():
            theirs = other.series.readings
            if other.loinc != sensor.loinc or other.reference == sensor.reference or not (mine and theirs):
                continue
            for before, after in ((mine, theirs), (theirs, mine)):
                if before[-1].at_us < after[0].at_us and window_of(before[-1].at_us, hours) == window_of(after[0].at_us, hours):
                    yield after[0].at_us

    def _entry(self, sensor: Sensor, made: Chunk) -> Entry:
        about, window, stored = self.devices.about, made.window, sensor.first.observation
        url = f"urn:uuid:{named('hddt', about.pseudonym, 'chunk', sensor.reference, sensor.loinc, str(window.start_us))}"
        resource: Json = {
            "resourceType": "Observation",
            "meta": {"profile": [sensor.measure.profile]},
            "status": _status(made, sensor, about),
            "category": stored.get("category", []),
            "code": stored["code"],
            "subject": {"identifier": {"system": PAIRING, "value": about.pseudonym}},
            "effectivePeriod": {"start": instant(window.start_us), "end": instant(window.end_us)},
            "device": {"reference": self.devices.of(sensor.first, "chunk", window.start_us)},
        }
        if "security" in stored.get("meta", {}):
            resource["meta"]["security"] = stored["meta"]["security"]
        if made.is_empty:
            resource["dataAbsentReason"] = {"coding": [{"system": DATA_ABSENT_REASON, "code": "temp-unknown"}]}
        else:
            resource["valueSampledData"] = _sampled(made, sensor, about)
        resource = {name: one for name, one in resource.items() if one != []}
        said = Counter(flag for at, flag in sensor.flagged if window.start_us <= at < window.end_us)
        if said:
            resource["note"] = [{"text": "; ".join(f"{QUALITY.get(flag, flag)}: {count}" for flag, count in sorted(said.items()))}]
        follow(resource, sensor.measure.profile)
        return Entry(url=url, resource=resource)

    def _told(self, sensor: Sensor, made: Chunk) -> None:
        if made.crowded:
            self._tell(sensor, f"{made.crowded} values share their time with another one, and a chunk has one place for both")
        if made.moved_us:
            seconds = Decimal(made.moved_us) / 1_000_000
            since = instant(made.window.start_us)
            self._tell(sensor, f"times from {since} on are rounded to steps, by {seconds.normalize():f} s at most", lost=False)

    def _tell(self, sensor: Sensor, text: str, *, lost: bool = True) -> None:
        self.left.append(Left(reference=sensor.first.reference, text=f"{text} (all values of its sensor)", lost=lost))


def _readings(stored: Resource, unit: str, between: Span) -> Iterator[Reading]:
    if "valueSampledData" in stored:
        yield from _sampled_readings(stored["valueSampledData"], unit, between.start_us)
        return
    quantity = stored.get("valueQuantity")
    if quantity is None or "value" not in quantity:
        marks = [OUTSIDE[flag] for flag in flags(stored) if flag in OUTSIDE]
        yield Reading(between.start_us, marks[0] if marks else MISSING)
        return
    if quantity.get("system") != UCUM or quantity.get("code") != unit:
        raise NoPlace("its unit is not the one that its LOINC code stands for")
    yield Reading(between.start_us, COMPARED.get(quantity.get("comparator", ""), plain(decimal_text(quantity["value"]))))


def _sampled_readings(data: Mapping[str, Any], unit: str, start_us: int) -> Iterator[Reading]:
    """A strip that is stored as one, value by value in the unit itself."""
    if data["origin"].get("code") != unit or data.get("dimensions", 1) != 1:
        raise NoPlace("its unit is not the one that its LOINC code stands for")
    origin, factor = decimal_of(data["origin"]["value"]), decimal_of(data.get("factor", 1))
    step_us = int(decimal_of(data["period"]) * MILLISECOND_US)
    for index, text in enumerate(data.get("data", "").split()):
        if text != MISSING:
            value = text if text in (BELOW, ABOVE) else format(Decimal(text) * factor + origin, "f")
            yield Reading(start_us + index * step_us, value)


def plain(text: str) -> str:
    """Without an exponent, which SampledData does not know."""
    return format(Decimal(text), "f") if "e" in text.lower() else text


def _by_window(series: Series, about: About) -> Iterator[tuple[Window, Sequence[Reading]]]:
    """Each window with its readings; behind the last one that which has begun and in which nothing has come yet."""
    readings, at, last = series.readings, 0, None
    for window in windows(series, about.chunk_hours):
        start = at
        while at < len(readings) and readings[at].at_us < window.end_us:
            at += 1
        last = window
        yield window, readings[start:at]
    if last is None or about.behind is not None or last != window_of(last.start_us, about.chunk_hours):
        return
    coming = window_of(last.end_us, about.chunk_hours)
    if coming.start_us <= about.now_us < coming.end_us and (about.until_us is None or coming.start_us < about.until_us):
        yield coming, ()


def _asked(window: Window, about: About) -> bool:
    return (about.from_us is None or window.end_us > about.from_us) and (about.until_us is None or window.start_us < about.until_us)


def _status(made: Chunk, sensor: Sensor, about: About) -> str:
    """Final once it is full, once a later value has come, or once the calibration or the sensor was changed."""
    window = made.window
    if made.is_empty or (about.until_us is not None and window.start_us < about.until_us < window.end_us):
        return "preliminary"
    whole = window_of(window.start_us, about.chunk_hours)
    closed = window.end_us < whole.end_us
    later = sensor.reference in (about.behind or ()) or sensor.series.readings[-1].at_us >= window.end_us
    return "final" if closed or (window.end_us <= about.now_us and (later or made.full)) else "preliminary"


def _sampled(made: Chunk, sensor: Sensor, about: About) -> Json:
    unit = sensor.measure.units[sensor.loinc]
    period = Decimal(made.step_us) / MILLISECOND_US
    written: Json = {
        "origin": {"value": 0, "unit": unit, "system": UCUM, "code": unit},
        "period": int(period) if period == int(period) else about.number(f"{period:f}"),
        **sensor.limits,
        "dimensions": 1,
        "data": " ".join(made.texts),
    }
    return written
