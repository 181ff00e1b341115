"""What a simulator writes has exactly the fates that the kit expects, in the hub's pipeline with a real database. DEVICES 6.2, step 4."""

from collections import Counter
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from adapters.discovery import adapters
from adapters.kit.checks.simulation import sender_names
from adapters.kit.simulation import FAULTS, TIME_ZONE, Batch, NoSense, Plan, batches
from adapters.kit.writing import Writer, sort
from hub.cli.kit.simulate import pair
from hub.errors import FhirError
from hub.ingest.intake import Parcel, take_in
from hub.ingest.sender import Senders
from hub.store.embedded import Endpoint
from tests.adapters.kit_adapter import Good
from tests.support.backstage import Account, new_client
from tests.support.inprocess import InProcess, in_process
from tests.support.resources import patient

OURS = sorted(name for name, one in adapters().items() if type(one).__module__.startswith("adapters."))
NAMES_ITS_OFFSET = {"aecg", "ans", "apple-ecg", "cied", "connected-bed", "phd", "pocd", "scp-ecg"}
WALL_CLOCK = {"edf", "wfdb"}
"""Of the recordings and of what sends FHIR: what a measurement in the hour that comes twice becomes there."""


def plan(name: str, **changed: Any) -> Plan:
    said = {"patients": 1, "days": 2, "seed": 5, "until": date(2026, 6, 20), "faults": frozenset(FAULTS)}
    return Plan(adapter=adapters()[name], **{**said, **changed})


async def fates(hub: InProcess, account: Account, of: Plan, batch: Batch) -> Mapping[str, int]:
    """Of one payload; one of which nothing can be read counts as one refused."""

    async def find(_: str) -> Any:
        return account.client

    services = hub.hub.services
    repository = await Senders(services=services, find_client=find).repository(account.id)
    parcel = Parcel(
        adapter=of.adapter,
        payload=batch.payload,
        device=of.device(batch.patient) if sender_names(of.simulator) else None,
        time_zone=TIME_ZONE if of.adapter.manifest.needs_time_zone else None,
    )
    try:
        async with repository.recording("ingest") as recording:
            return Counter(answer.fate for answer in await take_in(repository, recording, parcel))
    except FhirError:
        return {"refused": 1}


@pytest.mark.parametrize("name", OURS)
async def test_every_fault_has_the_fate_that_is_expected(name: str, clean_database: Endpoint, tmp_path: Path) -> None:
    """Duplicates are duplicates, corrected values are corrected, garbage is refused and takes nothing good with it."""
    simulated = plan(name)
    async with in_process(tmp_path, clean_database) as hub:
        account = await hub.register(new_client("vendor", "system/*.cruds", consent_default="opt-out", recorder=True))
        headers = {**hub.authorization(account, "system/*.cruds"), "Content-Type": "application/json"}
        person = (await hub.http.post("/fhir/Patient", json=patient(), headers=headers)).json()["id"]
        await pair(hub.hub, simulated, [f"Patient/{person}"])
        for batch in batches(simulated):
            found = await fates(hub, account, simulated, batch)
            if batch.expected is None:
                assert set(found) <= {"refused", "quarantined"}, batch.what
            else:
                assert found == batch.expected, batch.what


@pytest.mark.parametrize("name", sorted(NAMES_ITS_OFFSET | WALL_CLOCK))
def test_only_a_clock_without_a_zone_waits_in_the_hour_that_comes_twice(name: str) -> None:
    (batch,) = (one for one in batches(plan(name)) if one.what == "summer-time")
    assert batch.expected == {"quarantined" if name in WALL_CLOCK else "stored": 1}


@pytest.mark.parametrize(
    ("fault", "days", "sorts"), [("late", 1, 2), ("reordered", 1, 1)], ids=["nothing is later than one day", "one reading has no order"]
)
def test_a_fault_that_a_plan_cannot_show_is_refused_by_its_name(fault: Any, days: int, sorts: int) -> None:
    adapter = Good()
    adapter.simulator = Writer(sorts=[sort("heart-rate", "/min")] * sorts, unit="U-{}", record=lambda *_: "", payload=lambda _: b"")
    said = {"adapter": adapter, "patients": 1, "seed": 1, "until": date(2026, 6, 20), "faults": frozenset({fault})}
    with pytest.raises(NoSense, match=f"^{fault}: "):
        Plan(days=days, **said)
    assert Plan(days=2, **said).faults == {fault}
