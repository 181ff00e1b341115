"""What the devices of an invented patient measure on one day: plausible, and the same whenever it is asked.

A day's values depend on the patient and on the day alone, so that a later load, or one over more days, finds the same
readings again. Days are those of Europe/Paris.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from math import exp, sin, tau
from random import Random
from typing import Final
from zoneinfo import ZoneInfo

from hub.demo.chance import chance
from hub.demo.people import Person

ZONE: Final = "Europe/Paris"
PARIS: Final = ZoneInfo(ZONE)

SENSOR_MINUTES: Final = 15
SENSOR_DAYS: Final = 14
"""How long a glucose sensor is worn; a new one says nothing while it warms up."""
WARM_UP_MINUTES: Final = 60
SENSOR_RANGE_MG_DL: Final = (40, 500)
SCANS_MAX: Final = 5

WEIGHING_LEFT_OUT: Final = 0.07
EVENING_LEFT_OUT: Final = 0.12
IRREGULAR_PULSE: Final = 0.01

_MEALS: Final = ((7.5, 0.8), (12.6, 1.0), (19.6, 1.1))
"""Hour of a meal and how much it counts."""
_MEAL_WIDTH_HOURS: Final = 1.1
_PEAK_AFTER_HOURS: Final = 1.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighing:
    at: datetime
    weight_g: int
    fat_per_mille: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pressure:
    """mm[Hg] and beats per minute."""

    at: datetime
    systolic: int
    diastolic: int
    pulse: int
    irregular: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Glucose:
    """`scan`: the patient held a telephone to the sensor; else the sensor's own quarter-hourly value."""

    at: datetime
    mg_dl: int
    scan: bool


def weighings(one: Person, day: date) -> list[Weighing]:
    """One in the morning; on some days none."""
    random = chance(one.seed, one.number, "scale", day)
    if random.random() < WEIGHING_LEFT_OUT:
        return []
    body = chance(one.seed, one.number, "body")
    height_m = body.gauss(1.64 if one.female else 1.76, 0.05)
    normal_kg = one.role.tendency.body_mass_index * height_m**2 * body.uniform(0.95, 1.05)
    swing_kg = 0.9 * _wave(day.toordinal(), 61, body) + 0.35 * _wave(day.toordinal(), 17, body)
    fat = 0.29 if one.female else 0.21
    return [
        Weighing(
            at=_between(day, 6.4, 8.2, random),
            weight_g=round((normal_kg + swing_kg + random.gauss(0, 0.18)) * 1000),
            fat_per_mille=round(1000 * (fat + 0.01 * (one.role.tendency.body_mass_index - 24)) + random.gauss(0, 2)),
        )
    ]


def pressures(one: Person, day: date) -> list[Pressure]:
    """One in the morning and, on most days, one in the evening, a little lower."""
    random = chance(one.seed, one.number, "cuff", day)
    made = [_pressure(one, _between(day, 6.6, 8.6, random), 4, random)]
    if random.random() >= EVENING_LEFT_OUT:
        made.append(_pressure(one, _between(day, 19.2, 21.4, random), -3, random))
    return made


def glucose(one: Person, day: date) -> list[Glucose]:
    """A value each quarter of an hour, and some scans; a day that loses or gains an hour has fewer or more of them."""
    random = chance(one.seed, one.number, "sensor", day)
    body = chance(one.seed, one.number, "body")
    meals = [(hour + random.gauss(0, 0.3), much * random.uniform(0.7, 1.3)) for hour, much in _MEALS]
    shift, phase = body.randrange(SENSOR_MINUTES), body.randrange(SENSOR_DAYS)
    worn = list(_quarters(day, shift, warm_up=day.toordinal() % SENSOR_DAYS == phase))
    scans = sorted(random.sample(worn, random.randint(2, SCANS_MAX)))
    return [
        *(Glucose(at=at, mg_dl=_mg_dl(one, at, meals, random), scan=False) for at in worn),
        *(Glucose(at=at, mg_dl=_mg_dl(one, at, meals, random), scan=True) for at in scans),
    ]


def _pressure(one: Person, at: datetime, shift: int, random: Random) -> Pressure:
    usual, common = one.role.tendency, random.gauss(0, 5)
    return Pressure(
        at=at,
        systolic=round(usual.systolic + shift + common + random.gauss(0, 4)),
        diastolic=round(usual.diastolic + shift / 2 + common / 2 + random.gauss(0, 3)),
        pulse=round(usual.pulse + random.gauss(0, 4)),
        irregular=random.random() < IRREGULAR_PULSE,
    )


def _mg_dl(one: Person, at: datetime, meals: list[tuple[float, float]], random: Random) -> int:
    hour = _hour(at)
    eaten = sum(much * exp(-(((hour - meal - _PEAK_AFTER_HOURS) / _MEAL_WIDTH_HOURS) ** 2)) for meal, much in meals)
    usual, days = one.role.tendency, at.timestamp() / 86_400
    drift = 0.1 * usual.fasting * (sin(tau * days / 0.37 + one.number) + sin(tau * days / 1.9 + one.seed))
    low, high = SENSOR_RANGE_MG_DL
    return min(high, max(low, round(usual.fasting + usual.meal * eaten + drift + random.gauss(0, 2))))


def _quarters(day: date, shift: int, *, warm_up: bool) -> Iterator[datetime]:
    """In UTC, so that each exists once whatever the clocks do; in the second hour after ten a new sensor warms up."""
    at = _local(day, time()).astimezone(UTC) + timedelta(minutes=shift)
    end = _local(day + timedelta(days=1), time()).astimezone(UTC)
    changed = _local(day, time(10)).astimezone(UTC)
    while at < end:
        if not warm_up or not changed <= at < changed + timedelta(minutes=WARM_UP_MINUTES):
            yield at
        at += timedelta(minutes=SENSOR_MINUTES)


def _between(day: date, from_hour: float, to_hour: float, random: Random) -> datetime:
    """To the second, in UTC. Only hours of the day, in which no clock is changed."""
    seconds = round(random.uniform(from_hour, to_hour) * 3600)
    return _local(day, time(seconds // 3600, seconds // 60 % 60, seconds % 60)).astimezone(UTC)


def _local(day: date, clock: time) -> datetime:
    return datetime.combine(day, clock, PARIS)


def _hour(at: datetime) -> float:
    wall = at.astimezone(PARIS)
    return wall.hour + wall.minute / 60


def _wave(day: int, period_days: int, body: Random) -> float:
    return sin(tau * (day / period_days + body.random()))
