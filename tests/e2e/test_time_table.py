"""Every cell of the table of times (docs/times.md) by HTTP: what is stored has the time that it says, what waits has the code.

DESIGN 7, DEVICES 6.4.
"""

from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import pytest

from adapters.reading import TimeKind
from tests.support.backstage import Backstage
from tests.support.caller import Caller, resources
from tests.support.payloads import identifier_system, weight
from tests.support.resources import patient
from tests.support.times import ADAPTER, ROWS, Row, Sent, payload, written

Json = dict[str, Any]
CELLS = [(row, kind) for row in ROWS for kind in row.cells]


def effective(observation: Json) -> str:
    period = observation.get("effectivePeriod")
    return observation["effectiveDateTime"] if period is None else f"{period['start']}/{period['end']}"


def post(ehr: Caller, kind: TimeKind, sent: Sent, unit: str) -> tuple[Json, str]:
    """The answer to the one reading, and what is expected of it."""
    text, expected = written(kind, sent, datetime.now(UTC))
    asked = {"device": unit} if kind != "ticks" else {}
    zone = {} if sent.zone is None else {"timeZone": sent.zone}
    (answer,) = ehr.fates(ADAPTER[kind], payload(kind, text, unit=unit), **asked, **zone)
    return answer, expected


@pytest.mark.parametrize(("row", "kind"), CELLS, ids=[f"{row.fault.split(':')[0]}-{kind}" for row, kind in CELLS])
def test_each_cell_of_the_table_ends_as_it_says(ehr: Caller, backstage: Backstage, row: Row, kind: TimeKind) -> None:
    """Everything that is stored and nothing else is found; what waits is answered with its code and a hint."""
    person = ehr.create(patient())["id"]
    unit = sha256(person.encode()).digest()[:8].hex("-").upper() if kind == "ticks" else f"clock-{person}"
    backstage.pair(identifier_system(ADAPTER[kind]), unit, f"Patient/{person}", from_us=-(10**16))
    stored = []
    for sent in row.cells[kind]:
        answer, expected = post(ehr, kind, sent, unit)
        if sent.is_stored:
            assert (answer["fate"], answer.get("code")) == ("stored", None)
            stored.append(expected)
        else:
            assert (answer["fate"], answer["code"]) == ("quarantined", sent.becomes)
            assert answer["hint"]
    found = resources(ehr.search(f"Observation?patient={person}&_count=50"))
    assert sorted(effective(one) for one in found) == sorted(stored)


def test_what_waited_for_its_zone_is_stored_when_it_is_replayed_with_one(ehr: Caller, backstage: Backstage) -> None:
    """DEVICES 6.5: replay after a fix. The time is that of the zone which is stated now."""
    person = ehr.create(patient())["id"]
    unit = f"clock-{person}"
    backstage.pair(identifier_system("open-mhealth"), unit, f"Patient/{person}", from_us=0)
    (waits,) = ehr.fates("open-mhealth", payload("local", "2025-07-01T08:00:00"), device=unit)
    assert waits["code"] == "time-zone-missing"
    (stored,) = ehr.fates("open-mhealth", payload("local", "2025-07-01T08:00:00"), device=unit, timeZone="Europe/Paris")
    assert stored["fate"] == "stored"
    (found,) = resources(ehr.search(f"Observation?patient={person}"))
    assert effective(found) == "2025-07-01T08:00:00+02:00"


@pytest.mark.parametrize(("seconds", "code"), [(0, "no-time"), (86_400, "time-not-set")])
def test_a_count_that_was_never_set_is_no_moment(ehr: Caller, backstage: Backstage, seconds: int, code: str) -> None:
    """Counts since 1970 are the commonest instants; zero is what a program writes that has none."""
    person = ehr.create(patient())["id"]
    backstage.pair(identifier_system("withings"), f"scale-{person}", f"Patient/{person}", from_us=0)
    (answer,) = ehr.fates("withings", weight(70_000, date=seconds), device=f"scale-{person}")
    assert (answer["fate"], answer["code"]) == ("quarantined", code)
