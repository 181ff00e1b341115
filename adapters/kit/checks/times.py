"""The fault table of times: what an adapter may do with a time is to say what the device said.

Cases are made by exchanging the time's text in a record's own bytes for another of the same form, and by the product's simulator.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from adapters.iso_time import device_time
from adapters.kit.checks import simulation
from adapters.kit.literal import ZULU, clocked, counted, dated, is_count, moment, replaced
from adapters.kit.rule import Fixture, NotApplicable, Outcome, Subject, Unproven
from adapters.reading import DeviceTime, Reading
from adapters.refusal import ItemRefused

_OFFSET = re.compile(r"(?:[+-]\d{2}:?\d{2}|[+-]\d{2})(?:\[.*\])?")
_OFFSET_AT_END = re.compile(r"(?P<sign>[+-])(?P<hours>\d{2}):?(?P<minutes>\d{2})$")
_BESIDE = re.compile(r"\d (?P<said>[+-]?\d+(?:\.\d+)?|[A-Z][A-Za-z_]+(?:/[A-Za-z0-9_+-]+){1,2})$")
_COUNT = re.compile(r"[+-]?\d{1,6}(?:\.\d+)?")
_MSH_ZONE = re.compile(rb"MSH\|(?:[^|\r\n]*\|){5}\d{8,14}(?:\.\d+)?[+-]\d{4}")
"""HL7 v2.6, 2.A.22: the zone of MSH-7 holds for the times of a message that say none."""
DRIFT = timedelta(minutes=10)
PARIS = ZoneInfo("Europe/Paris")
LAST_SUNDAY_OF_OCTOBER = (2025, 10, 26)
PLACES_MAX = 20
"""Readings on which a case is tried; the rest of a fixture is the same code."""
YEARS = {"year 0": 0, "1970": 1970, "the future": 2999}


def zone_proven(subject: Subject) -> Iterator[str]:
    """An instant needs a zone in the device's own words: Z, UTC, an offset, a zone's name, or a count since an epoch.

    Where the maker says elsewhere that its times are UTC, the manifest says where (`utc_by`), and such a time is nothing but UTC.
    """
    zoned = False
    for fixture, reading in subject.readings():
        for time in (reading.time, reading.end):
            if time is None or time.kind not in {"utc", "offset"}:
                continue
            zoned = True
            if not _proven(subject, reading, time):
                yield f"{fixture.name} {reading.pointer}: the time's text names no zone, so none may be made up; its kind is `local`"
            elif not _agrees(time):
                yield f"{fixture.name} {reading.pointer}: the instant has another offset than the text says"
    if not zoned:
        raise NotApplicable("no time of the fixtures is an instant")


def _proven(subject: Subject, reading: Reading, time: DeviceTime) -> bool:
    if _names_zone(time.text) or _said_beside(time.text) is not None or _MSH_ZONE.match(reading.raw):
        return True
    return bool(subject.adapter.manifest.utc_by) and _is_utc(time)


def _is_utc(time: DeviceTime) -> bool:
    """The text, taken as UTC, is the instant: of a time in UTC that is shown with the wearer's offset, too."""
    try:
        read = device_time(time.text)
    except ItemRefused:  # another form than ISO 8601: nothing to compare
        return True
    return read.wall is None or time.instant is None or read.wall == time.instant.astimezone(UTC).replace(tzinfo=None)


def _names_zone(text: str) -> bool:
    tail = text[10:] if len(text) > len("2024-05-06") else ""
    return is_count(text) or ZULU.search(text[-4:]) is not None or _OFFSET.search(tail) is not None


def _said_beside(text: str) -> str | None:
    """What stands behind a clock that has no zone of its own: an offset as a count, or the name of a zone."""
    found = _BESIDE.search(text)
    return None if found is None or _names_zone(text[: found.start("said")].rstrip()) else found["said"]


def _agrees(time: DeviceTime) -> bool:
    if time.kind != "offset" or time.instant is None:
        return True
    offset, beside = time.instant.utcoffset() or timedelta(0), _said_beside(time.text)
    if beside is not None:
        return _means(beside, time.instant.replace(tzinfo=None), offset)
    found = _OFFSET_AT_END.search(time.text[10:])
    if found is None:
        return True
    stated = timedelta(hours=int(found["hours"]), minutes=int(found["minutes"]))
    return offset == (-stated if found["sign"] == "-" else stated)


def _means(word: str, wall: datetime, offset: timedelta) -> bool:
    """A count of seconds, minutes or hours (mail and JavaScript count it the other way round), or a zone that had this offset then."""
    if _COUNT.fullmatch(word):
        return abs(offset) in {abs(timedelta(**{unit: float(word)})) for unit in ("seconds", "minutes", "hours")}
    try:
        zone = ZoneInfo(word)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return offset in {wall.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1)}


def leap_day(subject: Subject) -> Iterator[str]:
    """29 February is a day in 2024 and none in 2023; it never becomes another."""
    yield from _cases(
        subject,
        lambda time: dated(time, 2024, 2, 29),
        lambda then, _: (then.month, then.day) == (2, 29),
        "29 February 2024",
        written=[datetime(2024, 2, 29, 12, 0, tzinfo=PARIS)],
    )
    yield from _cases(subject, lambda time: dated(time, 2023, 2, 29), lambda _, __: False, "29 February 2023", needed=False)


def extreme_years(subject: Subject) -> Iterator[str]:
    """Refused, kept waiting or read as written; never replaced by a year that somebody thinks more likely."""
    for name, year in YEARS.items():
        text = _with_year(year)
        written = [datetime(year, 6, 15, 12, 0, tzinfo=PARIS)] if year else []
        yield from _cases(subject, text, lambda then, _, year=year: then.year == year, name, needed=bool(year), written=written)  # type: ignore[misc]


def repeated_hour(subject: Subject) -> Iterator[str]:
    """The hour that comes twice: a wall clock stays one (the hub asks), an offset decides; nobody picks the first."""
    year, month, day = LAST_SUNDAY_OF_OCTOBER
    times = [reading.time for _, reading in subject.readings() if reading.time is not None]
    if times and all(is_count(time.text) or time.kind in {"utc", "ticks"} for time in times):
        raise NotApplicable("every time is an instant, and none of those comes twice")

    def text(time: DeviceTime) -> str | None:
        made = dated(time, year, month, day) if clocked(time, 2, 30) is not None else None
        return None if made is None else clocked(DeviceTime(kind=time.kind, text=made), 2, 30)

    def right(then: datetime, time: DeviceTime) -> bool:
        return (then.hour, then.minute) == (2, 30) and (time.kind != "local" or time.instant is None)

    twice = [datetime(year, month, day, 2, 30, tzinfo=PARIS, fold=fold) for fold in (0, 1)]
    yield from _cases(subject, text, right, "02:30 in the night in which summer time ends", written=twice)


def drift(subject: Subject) -> Iterator[str]:
    """A clock that is ten minutes off is the device's, and is passed on as it is; whether to correct it is for the hub."""
    for shift in (DRIFT, -DRIFT):
        yield from _shifted(subject, shift)


def _shifted(subject: Subject, shift: timedelta) -> Iterator[str]:
    def text(time: DeviceTime) -> str | None:
        then = moment(time)
        if (count := counted(time, shift)) is not None or then is None:
            return count
        return clocked(time, (then + shift).hour, (then + shift).minute) if (then + shift).date() == then.date() else None

    tried = 0
    for fixture, reading, made in _changed(subject, text):
        for now, before in _pairs(subject, fixture, reading, made):
            tried += 1
            if now - before != shift:
                yield f"{fixture.name} {reading.pointer}: a clock ten minutes off came out with another shift"
    simulator = simulation.simulator_of(subject)
    if simulator is not None:
        yield from simulation.timed(subject, simulator, "a clock ten minutes off", [simulation.FIRST + shift])
    elif not tried:
        raise Unproven("no time of the fixtures could be moved in its record's bytes, and there is no simulator")


def _pairs(subject: Subject, fixture: Fixture, reading: Reading, made: bytes) -> Iterator[tuple[datetime, datetime]]:
    """The time of what is read now, and what it was before the record was changed."""
    before = None if reading.time is None else moment(reading.time)
    for other in _alike(subject.decode(made, fixture.context), reading):
        now = None if other.time is None else moment(other.time)
        if now is not None and before is not None:
            yield now, before


def _with_year(year: int) -> Callable[[DeviceTime], str | None]:
    def text(time: DeviceTime) -> str | None:
        then = moment(time)
        return None if then is None else dated(time, year, then.month, 1 if then.day > 28 else then.day)  # noqa: PLR2004 - every month has 28

    return text


def _cases(
    subject: Subject,
    text: Callable[[DeviceTime], str | None],
    right: Callable[[datetime, DeviceTime], bool],
    name: str,
    *,
    needed: bool = True,
    written: Sequence[datetime] = (),
) -> Iterator[str]:
    """Each reading with another time: what comes out has that time or is not a reading. An adapter that fails is found out, too.

    written  times that the product's simulator writes, where it has one
    """
    tried = 0
    for fixture, reading, made in _changed(subject, text):
        tried += 1
        outcome = subject.decode(made, fixture.context)
        if outcome.crash:
            yield f"{fixture.name} {reading.pointer}: {name}: {outcome.crash} came out"
        for other in _alike(outcome, reading):
            then = None if other.time is None else moment(other.time)
            if other.time is not None and then is not None and not right(then, other.time):
                yield f"{fixture.name} {reading.pointer}: {name}: the time was changed"
    simulator = simulation.simulator_of(subject)
    if simulator is not None:
        yield from simulation.timed(subject, simulator, name, written)
    elif needed and not tried:
        raise Unproven(
            "the fixtures' times do not stand in their records' bytes in a form that the kit can rewrite, and there is no simulator"
        )


def _changed(subject: Subject, text: Callable[[DeviceTime], str | None]) -> Iterator[tuple[Fixture, Reading, bytes]]:
    tried = 0
    for fixture, reading in subject.readings():
        new = None if reading.time is None else text(reading.time)
        made = None if reading.time is None or new is None else replaced(reading.raw, reading.time.text, new)
        if made is not None and tried < PLACES_MAX:
            tried += 1
            yield fixture, reading, made


def _alike(outcome: Outcome, reading: Reading) -> list[Reading]:
    return [other for other in outcome.readings if other.measure == reading.measure]
