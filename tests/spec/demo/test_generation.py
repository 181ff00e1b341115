"""What the demo invents: the same for a seed, marked as invented, and written as the vendors write it (DESIGN 4, `hub demo load`)."""

import re
from datetime import date, timedelta
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.discovery import adapters
from adapters.reading import Reading
from hub.demo import signals
from hub.demo.cast import CAST, Role
from hub.demo.consents import PROVISIONS, consents
from hub.demo.payloads import blood_pressure_frame
from hub.demo.people import FAMILY, HTEST, INS_DEMO, Person, houses, ins, patient, people, person
from hub.demo.plan import KINDS, batches, devices
from hub.ingest.normalise import Doubt, normalise
from hub.instants import from_datetime
from hub.wiring import check
from security.consent import problems
from tests.spec.demo.given import JUNE, demo

GUIDE = Path(__file__).resolve().parents[3] / "docs/guides/first-steps.md"
RECEIVED_US = from_datetime(signals.weighings(person(1, 1), JUNE)[0].at) + 400 * 86_400_000_000

SEEDS = st.integers(0, 10_000)
NUMBERS = st.integers(1, 60)
DAYS = st.dates(date(2021, 1, 1), date(2026, 12, 31))


def resources(one: Person) -> list[dict[str, Any]]:
    return [patient(one), *consents(one)]


def items(wanted: Any) -> list[Any]:
    """What the adapters read from every payload of a load."""
    return [item for batch in batches(wanted) for item in adapters()[batch.device.kind.adapter].decode(batch.body())]


@given(SEEDS, NUMBERS, DAYS)
def test_the_same_seed_invents_the_same(seed: int, number: int, day: date) -> None:
    """DESIGN 4: demo data is deterministic for a seed."""
    one, again = person(seed, number), person(seed, number)
    assert resources(one) == resources(again)
    assert [*devices(one)] == [*devices(again)]
    assert signals.glucose(one, day) == signals.glucose(again, day)
    assert signals.pressures(one, day) == signals.pressures(again, day)
    assert signals.weighings(one, day) == signals.weighings(again, day)


def test_another_seed_invents_other_people_and_values() -> None:
    """DESIGN 4: … and only for that seed."""
    one, other = person(1, 1), person(2, 1)
    assert patient(one)["name"] != patient(other)["name"]
    assert ins(one) != ins(other)
    assert signals.pressures(one, JUNE) != signals.pressures(other, JUNE)


def test_no_day_is_like_the_next() -> None:
    """DESIGN 4: plausible readings: other values at other times of day."""
    one = person(1, 1)
    days = [[(made.at.time(), made.systolic, made.pulse) for made in signals.pressures(one, JUNE + timedelta(days=n))] for n in range(3)]
    assert len({str(day) for day in days}) == 3
    glucose = [[made.mg_dl for made in signals.glucose(one, JUNE + timedelta(days=n))] for n in range(3)]
    assert len({str(day) for day in glucose}) == 3
    weights = {made.weight_g for n in range(10) for made in signals.weighings(one, JUNE + timedelta(days=n))}
    assert len(weights) > 5


def test_more_patients_or_more_days_leave_the_others_as_they_are() -> None:
    """DESIGN 7: a larger load finds the readings of a smaller one again, as duplicates."""
    small = {(one.id, item.measure, item.device, item.time.text, item.value) for one, item in attributed(demo(patients=4, days=2))}
    large = {(one.id, item.measure, item.device, item.time.text, item.value) for one, item in attributed(demo(patients=9, days=12))}
    assert small < large


def attributed(wanted: Any) -> list[tuple[Person, Reading]]:
    return [
        (batch.device.one, item)
        for batch in batches(wanted)
        for item in adapters()[batch.device.kind.adapter].decode(batch.body())
        if isinstance(item, Reading)
    ]


@pytest.mark.parametrize("one", [*people(1, len(CAST)), person(7, 123)], ids=lambda one: one.id)
def test_what_is_invented_is_valid_and_says_that_it_is_invented(one: Person) -> None:
    """https://hl7.org/fhir/R4/valueset-security-labels.html: HTEST is the label of test health data."""
    for resource in (*resources(one), *houses()):
        check(resource)
        assert resource["meta"]["security"] == [HTEST]


@given(SEEDS, NUMBERS)
def test_the_health_identifier_is_one_that_nobody_has(seed: int, number: int) -> None:
    """SECURITY 5.2: 1.2.250.1.213.1.4.11 is the space for demonstrations; the key is 97 less the rest by 97."""
    one = person(seed, number)
    identifier = patient(one)["identifier"][0]
    assert identifier["system"] == INS_DEMO == "urn:oid:1.2.250.1.213.1.4.11"
    value = identifier["value"]
    assert re.fullmatch(r"[12]\d{4}00\d{8}", value)
    assert (int(value[:13]) + int(value[13:])) % 97 == 0


def test_people_of_one_seed_are_told_apart() -> None:
    """Law 3 rests on identifiers that are not shared by accident."""
    everybody = [*people(1, 200)]
    assert len({ins(one) for one in everybody}) == len(everybody)
    assert len({device.identifier for one in everybody for device in devices(one)}) == sum(len(one.role.devices) for one in everybody)
    assert len({one.family for one in everybody}) > len(FAMILY) / 2


@pytest.mark.parametrize("role", CAST, ids=lambda role: role.consent)
def test_a_consent_is_one_that_the_hub_can_decide_by(role: Role) -> None:
    """docs/consent.md: what cannot be enforced to the letter is refused."""
    one = next(one for one in people(1, len(CAST)) if one.role is role)
    assert [problem for consent in consents(one) for problem in problems(consent)] == []


def test_each_kind_of_decision_is_in_the_cast_and_most_permit_everybody() -> None:
    """DESIGN 4: patients with consents, also some who refuse."""
    kinds = [role.consent for role in CAST]
    assert set(kinds) == set(PROVISIONS)
    assert kinds.count("everyone") > len(CAST) / 2


@pytest.mark.parametrize("kind", KINDS)
def test_every_reading_of_a_payload_is_understood_by_the_adapter(kind: Any) -> None:
    """DESIGN 7: payload -> readings, none refused, none in doubt, each naming its device and time."""
    wanted = demo(days=3)
    for batch in batches(wanted):
        if batch.device.kind is not KINDS[kind]:
            continue
        for item in adapters()[batch.device.kind.adapter].decode(batch.body()):
            assert isinstance(item, Reading)
            assert item.device == batch.device.identifier
            made = normalise(item, time_zone=signals.ZONE, patient="Patient/x", device="Device/x", received_us=RECEIVED_US)
            assert not isinstance(made, Doubt)


@pytest.mark.parametrize("until", [date(2026, 6, 2), date(2026, 6, 5), date(2026, 6, 13)])
def test_a_few_days_at_the_beginning_of_a_month_are_read_day_first(until: date) -> None:
    """adapters/libreview/README.md: 05-06 is two dates unless the sender says which comes first."""
    wanted = demo(patients=2, days=1, until=until)
    days = {item.time.wall.date() for item in items(wanted) if isinstance(item, Reading) and item.time and item.time.wall}
    assert days == {wanted.first}


@given(SEEDS, NUMBERS, DAYS)
def test_values_are_plausible(seed: int, number: int, day: date) -> None:
    """DESIGN 4: plausible readings."""
    one = person(seed, number)
    assert all(35_000 < made.weight_g < 160_000 and 50 < made.fat_per_mille < 600 for made in signals.weighings(one, day))
    assert all(70 < made.systolic < 220 and 35 < made.diastolic < 140 and 40 < made.pulse < 130 for made in signals.pressures(one, day))
    assert all(made.diastolic < made.systolic for made in signals.pressures(one, day))
    assert all(40 <= made.mg_dl <= 500 for made in signals.glucose(one, day))


@given(SEEDS, NUMBERS, DAYS)
def test_readings_lie_within_their_day_and_no_two_of_a_kind_in_one_minute(seed: int, number: int, day: date) -> None:
    """DESIGN 7: a reading is told by its device's time text; two in one would be one and its correction."""
    one = person(seed, number)
    glucose = signals.glucose(one, day)
    assert all(
        made.at.astimezone(signals.PARIS).date() == day for made in chain(glucose, signals.pressures(one, day), signals.weighings(one, day))
    )
    assert len({(made.at.replace(second=0), made.scan) for made in glucose}) == len(glucose)


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 6, 1), 24), (date(2026, 10, 25), 25)])
def test_a_day_has_as_many_quarters_as_it_has(day: date, hours: int) -> None:
    """Directive 2000/84/EC: clocks change on the last Sundays of March and October. https://www.iana.org/time-zones"""
    counts = {len(set(quarters(one, day))) for one in people(1, 60)}
    assert counts == {4 * hours, 4 * hours - signals.WARM_UP_MINUTES // signals.SENSOR_MINUTES}


def quarters(one: Person, day: date) -> list[Any]:
    return [made.at for made in signals.glucose(one, day) if not made.scan]


def test_the_hour_that_happens_twice_is_in_doubt_and_the_rest_is_not() -> None:
    """DESIGN 7: the repeated hour goes to quarantine; LibreView writes local times without a zone."""
    wanted = demo(patients=2, days=1, until=date(2026, 10, 26))
    doubts = [
        made.code
        for item in items(wanted)
        if isinstance(made := normalise(item, time_zone=signals.ZONE, patient="Patient/x", device="Device/x", received_us=2**62), Doubt)
    ]
    assert set(doubts) == {"time-ambiguous"}
    assert len(doubts) >= 8


def test_a_frame_is_the_one_that_the_supplement_describes() -> None:
    """Bluetooth GATT Specification Supplement, Blood Pressure Measurement; SFLOAT of IEEE 11073-20601, by hand."""
    one = signals.Pressure(at=signals.pressures(person(1, 3), JUNE)[0].at, systolic=121, diastolic=79, pulse=64, irregular=True)
    at = one.at.astimezone(signals.PARIS)
    stamp = f"EA07 06 0F {at.hour:02X} {at.minute:02X} {at.second:02X}"
    assert blood_pressure_frame(one) == bytes.fromhex(f"16 7900 4F00 5D00 {stamp} 4000 0400")


def test_the_guide_tells_who_decided_what() -> None:
    """docs/guides/first-steps.md, section 3: the table is that of the cast."""
    words = {
        "everyone": "everybody may see, for treatment",
        "refuses": "refuses",
        "expired": "permitted once, expired at the end of 2024",
        "none": "decided nothing",
        "hospital": "only the demo's hospital",
        "elsewhere": "only another clinic",
        "vital-signs": "only vital signs",
        "glucose": "only glucose",
    }
    told = {row[1]: row[0] for row in re.findall(r"^\| ([\d, ]+) \| ([^|]+) \|", GUIDE.read_text(), re.MULTILINE)}
    cast = {
        text: ", ".join(str(number) for number, role in enumerate(CAST, start=1) if role.consent == kind) for kind, text in words.items()
    }
    assert told == cast
