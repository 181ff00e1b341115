"""A unit whose sender counts up beyond every place: what is kept of it has an end, and no reading names what is not there. docs/adr/0021

https://hl7.org/fhir/R4/references.html: a reference to something of this server is to something that is there.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from hub.ingest import parts
from hub.ingest.parts import UnitParts
from hub.operator import Operator
from hub.store.embedded import Endpoint
from tests.support.backstage import Account, new_client
from tests.support.held import PATIENCE_S, Held
from tests.support.inprocess import InProcess, in_process
from tests.support.payloads import identifier_system
from tests.support.resources import patient

Json = dict[str, Any]
ALL = "system/*.cruds"
EUI, DASHED = "00FB0000000000F1", "00-FB-00-00-00-00-00-F1"
MAX = 6
"""One module, and a channel with a metric for each rate: three of them do not fit."""


@dataclass(slots=True)
class Bed:
    """A monitor at a bed; `minute` makes each message another one."""

    hub: InProcess
    account: Account
    minute: int = 0

    @property
    def headers(self) -> dict[str, str]:
        return dict(self.hub.authorization(self.account, ALL))

    async def send(self, *channels: int, state: str = "") -> list[Json]:
        """A heart rate of each of these channels; the Observations as they are stored."""
        self.minute += 1
        answer = await self.hub.http.post("/ingest/pcd01", content=message(self.minute, channels, state), headers=self.headers)
        assert {one["fate"] for one in answer.json()} == {"stored"}, answer.text
        return [await self.read(one["resource"]) for one in answer.json()]

    async def read(self, reference: str) -> Json:
        answer = await self.hub.http.get(f"/fhir/{reference}", headers=self.headers)
        assert answer.status_code == 200, reference
        found: Json = answer.json()
        return found

    async def named(self, *channels: int, state: str = "") -> list[str]:
        """Types of what the readings name; each of it is there, and what it is a part of, too."""
        types = []
        for reading in await self.send(*channels, state=state):
            above: Json | None = reading["device"]
            types.append(str(reading["device"]["reference"]).partition("/")[0])
            while above is not None:
                above = (await self.read(above["reference"])).get("parent")
        return types


def message(minute: int, channels: tuple[int, ...], state: str) -> bytes:
    at = f"20260301{10 + minute // 60:02}{minute % 60:02}00+0100"
    rows = [
        "MSH|^~\\&|GW|ICU|HUB|HDS|20260301101502+0100||ORU^R01^ORU_R01|M-1|P|2.6|||AL|NE||UNICODE UTF-8",
        f"OBR|1||M-1|69965^MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS^MDC|||{at}",
        f"OBX|1||69965^MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS^MDC|1.0.0.0|||||||X|||||||{EUI}^^{EUI}^EUI-64",
        "OBX|2||69798^MDC_DEV_ECG_VMD^MDC|1.2.0.0|||||||X",
    ]
    for channel in channels:
        rows.append(f"OBX|{len(rows)}||70739^MDC_DEV_CARD_RATE_CHAN^MDC|1.2.{channel}.0|||||||X")
        place = f"1.2.{channel}.1"
        rows.append(f"OBX|{len(rows)}|NM|147842^MDC_ECG_HEART_RATE^MDC|{place}|{60 + channel}|264864^MDC_DIM_BEAT_PER_MIN^MDC||{state}|||F")
    return "\r".join(rows).encode()


@pytest.fixture
async def bed(tmp_path: Path, clean_database: Endpoint, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bed]:
    monkeypatch.setattr(parts, "PARTS_MAX", MAX)
    async with in_process(tmp_path, clean_database) as hub:
        account = await hub.register(new_client("gateway", ALL, consent_default="opt-out", recorder=True))
        made = await hub.http.post("/fhir/Patient", json=patient(), headers=hub.authorization(account, ALL))
        await Operator(hub.hub, "tests").pair(
            system=identifier_system("pcd01"),
            manufacturer="unknown",
            product="x",
            identifier=DASHED,
            patient=f"Patient/{made.json()['id']}",
            from_us=0,
            to_us=None,
        )
        yield Bed(hub, account)


async def test_a_part_beyond_the_last_is_not_kept_and_its_readings_name_the_unit(bed: Bed) -> None:
    """Those that are kept go on, with what they say of themselves."""
    assert await bed.named(1, 2) == ["DeviceMetric", "DeviceMetric"]
    assert await bed.named(3) == ["Device"]
    assert await bed.named(1, 3, state="OFF") == ["DeviceMetric", "Device"]
    kept = await bed.send(1)
    assert (await bed.read(kept[0]["device"]["reference"]))["operationalStatus"] == "on"


async def test_a_part_for_which_others_took_the_last_place_meanwhile_is_not_named(bed: Bed, monkeypatch: pytest.MonkeyPatch) -> None:
    """Heard while there was room, written when there is none: decided anew."""
    await bed.send(1)
    real, others = UnitParts.grown, [2]

    async def grown(self: UnitParts) -> Any:
        if others:
            await bed.send(others.pop())
        return await real(self)

    monkeypatch.setattr(UnitParts, "grown", grown)
    assert await bed.named(3) == ["Device"]


async def test_of_two_who_take_the_last_place_at_once_one_has_it(bed: Bed, tmp_path: Path, clean_database: Endpoint) -> None:
    await bed.send(1)
    async with in_process(tmp_path, clean_database) as other:
        held = Held(bed.hub)
        held.before()
        waiting = asyncio.ensure_future(bed.named(3))
        await asyncio.wait_for(held.arrived.wait(), PATIENCE_S)
        assert await Bed(other, bed.account, minute=30).named(2) == ["DeviceMetric"]
        held.open.set()
        assert await waiting == ["Device"]


@given(said=some.lists(some.lists(some.integers(1, 5), min_size=1, max_size=3, unique=True), min_size=1, max_size=6))
def test_whatever_a_sender_counts_up_nothing_new_hangs_on_what_is_left_out(said: list[list[int]]) -> None:
    """The parts that are planned are those known or those that fit, and none has a parent that is neither known nor planned."""
    known: set[str] = set()
    for channels in said:
        planned = {row: parts.Planned(row, {"parent": {"reference": parent}}) for row, parent in tree(channels).items()}
        new = planned.keys() - known
        heard = UnitParts.__new__(UnitParts)
        heard._leaves = {("unit", row, "rate"): row for row in planned if row.startswith("DeviceMetric/")}
        if len(known) + len(new) > MAX:
            heard._leave_out(planned, new)
        there = known | planned.keys()
        assert len(there) <= MAX
        assert set(heard._leaves.values()) <= there
        assert all(one.content["parent"]["reference"] in there | {"Device/unit"} for one in planned.values())
        known = there


def tree(channels: list[int]) -> dict[str, str]:
    """Rows with their parents. A metric that is plugged in elsewhere hangs on another channel than before."""
    made = {"Device/module": "Device/unit"}
    for place, channel in enumerate(channels):
        made[f"Device/channel-{channel}"] = "Device/module"
        made[f"DeviceMetric/{place}"] = f"Device/channel-{channel}"
    return made
