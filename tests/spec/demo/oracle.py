"""What a client ought to see of the demo, told from what was invented and from what each patient decided.

Knows neither payloads nor adapters nor the decision: a second opinion on all of them.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, timedelta

from hub.demo import signals
from hub.demo.cast import ConsentKind
from hub.demo.people import Person, people
from hub.demo.plan import Demo
from tests.spec.demo.given import Seen

HOSPITAL, CLINIC = "Organization/demo-hospital", "Organization/demo-clinic"
WEIGHT, FAT, PRESSURE, PULSE, GLUCOSE = "29463-7", "41982-0", "85354-9", "8867-4", "99504-3"
ALL_CODES = frozenset({WEIGHT, FAT, PRESSURE, PULSE, GLUCOSE})
VITAL_SIGNS = frozenset({WEIGHT, PRESSURE, PULSE})
NOTHING: frozenset[str] = frozenset()

MAY_SEE: Mapping[ConsentKind, tuple[frozenset[str] | None, frozenset[str]]] = {
    "everyone": (None, ALL_CODES),
    "refuses": (None, NOTHING),
    "expired": (None, NOTHING),
    "none": (None, NOTHING),
    "hospital": (frozenset({HOSPITAL}), ALL_CODES),
    "elsewhere": (frozenset({CLINIC}), ALL_CODES),
    "vital-signs": (None, VITAL_SIGNS),
    "glucose": (None, frozenset({GLUCOSE})),
}
"""Of a client that asks for treatment: for which organisations (None: any) it may see which measures."""

COLLECTED = {kind for kind, (_, codes) in MAY_SEE.items() if codes}


def measured(demo: Demo) -> Iterator[tuple[Person, Seen]]:
    """Every Observation that the devices of the demo could give."""
    for one in people(demo.seed, demo.patients):
        for device in one.role.devices:
            for number in range(demo.days):
                yield from ((one, made) for made in _of_day(one, device, demo, number))


def visible(demo: Demo, organization: str) -> set[Seen]:
    return {made for one, made in measured(demo) if may_see(one, organization, made[1])}


def may_see(one: Person, organization: str, code: str) -> bool:
    organizations, codes = MAY_SEE[one.role.consent]
    return code in codes and (organizations is None or organization in organizations)


def _of_day(one: Person, device: str, demo: Demo, number: int) -> Iterator[Seen]:
    day, patient = demo.first + timedelta(days=number), one.reference
    match device:
        case "withings-scale":
            for scale in signals.weighings(one, day):
                at = scale.at.astimezone(UTC)
                yield patient, WEIGHT, at, (str(scale.weight_g / 1000),)
                yield patient, FAT, at, (str(scale.fat_per_mille / 10),)
        case "libre-sensor":
            for sensor in signals.glucose(one, day):
                yield patient, GLUCOSE, sensor.at.astimezone(UTC).replace(second=0), (str(sensor.mg_dl),)
        case _:
            for cuff in signals.pressures(one, day):
                at, mean = cuff.at.astimezone(UTC), round(cuff.diastolic + (cuff.systolic - cuff.diastolic) / 3)
                three = (str(cuff.systolic), str(cuff.diastolic), str(mean))
                yield patient, PRESSURE, at, three if device == "ble-cuff" else three[:2]
                yield patient, PULSE, at, (str(cuff.pulse),)
