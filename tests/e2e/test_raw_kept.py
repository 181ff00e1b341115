"""What is kept of a reading as it came goes after HUB_RAW_DAYS: the reading stays, and cannot be derived anew.

docs/adr/0017-rederivation.md; DEVICES 6.5: raw kept encrypted N days. DESIGN law 2: what goes is on record.
"""

import re
from dataclasses import replace
from typing import Any

import pytest

from hub.errors import FhirError
from hub.ingest.sweeping import Sweeper, Swept
from hub.operator import Operator
from hub.outcomes import unavailable
from hub.recording import Recording
from tests.support.backstage import Backstage
from tests.support.caller import Caller
from tests.support.payloads import identifier_system, weight
from tests.support.rederiving import Bench, stored, tenfold
from tests.support.resources import patient

DAY_US = 86_400_000_000


@pytest.fixture
def person(ehr: Caller) -> str:
    return str(ehr.create(patient())["id"])


@pytest.fixture
def bench(ehr: Caller, backstage: Backstage, person: str) -> Bench:
    backstage.pair(identifier_system("withings"), f"scale-{person}", f"Patient/{person}", from_us=0)
    return Bench(backstage, ehr.account, "withings", tenfold)


def sweep(backstage: Backstage, days: int) -> Swept:
    """As of so many days from now."""
    hub = backstage.hub
    services = replace(hub.services, clock=lambda: hub.services.clock() + days * DAY_US)
    operator = Operator(hub, "tests")
    return backstage.run(Sweeper(services, lambda kind, path, query: operator.recording(kind, path=path, query=query)).run())


def kept(backstage: Backstage, row: str) -> list[bool]:
    """Of every version, the oldest first: is the raw item there?"""
    database: Any = backstage.admin["hub"]
    past = list(database["history"].find({"_id": {"$regex": f"^{row}/"}}).sort("_id", 1))
    return ["r" in one for one in (*past, database["resources"].find_one({"_id": row}))]


def test_raw_items_go_when_their_time_is_over_and_readings_stay(bench: Bench, ehr: Caller, backstage: Backstage, person: str) -> None:
    """Those of older versions too, with the record of it."""
    (reference,) = stored(bench.ingest(weight(70_000), device=f"scale-{person}"))
    bench.apply(bench.plan(person))
    days = backstage.hub.services.settings.raw_days
    sweep(backstage, days - 1)
    assert kept(backstage, reference) == [True, True]
    swept: list[Swept] = []
    records = backstage.recorded_by(lambda: swept.append(sweep(backstage, days + 1)))
    assert kept(backstage, reference) == [False, False]
    assert swept[0].raw >= 2
    assert "raw-sweep" in {one.kind for one in records}
    assert ehr.get(reference).json()["valueQuantity"]["value"] == 70
    assert ehr.get(f"{reference}/_history/1").json()["valueQuantity"]["value"] == 70
    assert dict(bench.plan(person).kinds) == {}, "there is nothing to read again"
    assert [one.fate for one in bench.ingest(weight(70_000), device=f"scale-{person}", by=bench.mended)] == ["duplicate"]


def test_what_comes_after_a_sweep_is_kept_for_its_own_time(bench: Bench, backstage: Backstage, person: str) -> None:
    sweep(backstage, 0)
    (reference,) = stored(bench.ingest(weight(71_000), device=f"scale-{person}"))
    sweep(backstage, 1)
    assert kept(backstage, reference) == [True]


def test_nothing_is_swept_while_the_log_takes_no_record_of_it(bench: Bench, backstage: Backstage, person: str) -> None:
    """Law 2: what is about to go, from when to when and how many, is said before the first goes."""
    (reference,) = stored(bench.ingest(weight(72_000), device=f"scale-{person}"))
    hub, said = backstage.hub, list[str]()
    services = replace(hub.services, clock=lambda: hub.services.clock() + (hub.services.settings.raw_days + 1) * DAY_US)

    def full(kind: str, path: str, query: str) -> Recording:
        if kind != "raw-sweep":
            return Operator(hub, "tests").recording(kind, path=path, query=query)
        said.append(query)
        raise unavailable()

    with pytest.raises(FhirError):
        backstage.run(Sweeper(services, full).run())
    assert kept(backstage, reference) == [True]
    assert re.fullmatch(r"since=.+&before=.+&items=[1-9]\d*", said[0])
    records = backstage.recorded_by(lambda: sweep(backstage, hub.services.settings.raw_days + 1))
    assert kept(backstage, reference) == [False]
    assert "raw-sweep" in {one.kind for one in records}
