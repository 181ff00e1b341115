"""Whatever the order, the portions and the repetitions in which readings arrive, they end in the same state.

DESIGN 7: current is the value with the latest source-modified time, then the larger hash; nothing that was sent is lost.
DEVICES 6.5: late, out of order, duplicated, duplicated with another value.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from pymongo import MongoClient

from adapters.discovery import adapters
from hub.operator import Operator
from hub.store.embedded import Endpoint
from tests.support.backstage import Backstage, new_client
from tests.support.caller import Caller, resources
from tests.support.inprocess import in_process
from tests.support.payloads import WEIGHT, group, identifier_system, withings
from tests.support.resources import patient

START_S = 1_750_000_000
HOUR_S = 3_600
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Sent:
    """A reading: which one (an hour), its value in grams, and when the source changed it last (None: it does not say)."""

    hour: int
    grams: int
    modified: int | None

    def group(self) -> Json:
        more = {} if self.modified is None else {"modified": START_S + 1_000_000 + self.modified}
        return group(self.hour, (WEIGHT, self.grams, -3), date=START_S + self.hour * HOUR_S, **more)


@st.composite
def _sets(draw: st.DrawFn) -> list[Sent]:
    """Readings of up to three hours. At one time of change a reading has one value; an earlier value may come back."""
    made = []
    for hour in range(draw(st.integers(1, 3))):
        times = draw(st.lists(st.sampled_from([None, 1, 2, 3, 4]), min_size=1, max_size=4, unique=True))
        made += [Sent(hour, draw(st.sampled_from([70_000, 71_000, 72_000])), modified) for modified in times]
    return made


@st.composite
def _arrivals(draw: st.DrawFn) -> tuple[list[Sent], list[list[Sent]]]:
    """A set of readings, and a way in which it may arrive: in any order, some again, in any portions."""
    everything = draw(_sets())
    repeated = [*everything, *draw(st.lists(st.sampled_from(everything), max_size=4))]
    ordered = draw(st.permutations(repeated))
    portions: list[list[Sent]] = [[]]
    for one in ordered:
        if portions[-1] and draw(st.booleans()):
            portions.append([])
        portions[-1].append(one)
    return everything, portions


@settings(max_examples=40, deadline=None)
@given(arrivals=_arrivals())
def test_any_way_of_arriving_ends_in_the_same_state(
    ehr: Caller, backstage: Backstage, arrivals: tuple[list[Sent], list[list[Sent]]]
) -> None:
    """One Observation for each reading; its value is the one the source changed last; every value is in its history."""
    everything, portions = arrivals
    person = ehr.create(patient())["id"]
    unit = f"order-{person}"
    backstage.pair(identifier_system("withings"), unit, f"Patient/{person}", from_us=0)
    answered = [item for portion in portions for item in ehr.fates("withings", withings(*(one.group() for one in portion)), device=unit)]
    assert {item["fate"] for item in answered} <= {"stored", "duplicate", "corrected"}
    found = resources(ehr.search(f"Observation?patient={person}&_sort=date&_total=accurate"))
    assert [round(one["valueQuantity"]["value"] * 1_000) for one in found] == expected(everything)
    for one, hour in zip(found, sorted({sent.hour for sent in everything}), strict=True):
        values = {version_value(ehr, one["id"], version) for version in range(1, int(one["meta"]["versionId"]) + 1)}
        assert values == {sent.grams for sent in everything if sent.hour == hour}


def expected(everything: Sequence[Sent]) -> list[int]:
    """By the hour: the value that was changed last; None is before every time."""
    last = {}
    for one in sorted(everything, key=lambda sent: sent.modified or 0):
        last[one.hour] = one.grams
    return [last[hour] for hour in sorted(last)]


def version_value(ehr: Caller, id: str, version: int) -> int:
    answer = ehr.get(f"Observation/{id}/_history/{version}")
    assert answer.status_code == 200
    return round(answer.json()["valueQuantity"]["value"] * 1_000)


async def test_values_of_one_moment_are_settled_by_their_hash_and_not_by_their_arrival(
    clean_database: Endpoint, admin: MongoClient[Json], tmp_path: Path
) -> None:
    """The same patient, device and readings in every order, each time on an empty store: the hash decides alike."""
    readings = [Sent(0, 70_000, 1), Sent(0, 71_000, 1), Sent(0, 72_000, None), Sent(0, 70_000, None)]
    manifest = adapters()["withings"].manifest
    async with in_process(tmp_path, clean_database) as hub:
        account = await hub.register(new_client("vendor", "system/*.cruds", consent_default="opt-out", recorder=True))
        headers = dict(hub.authorization(account, "system/*.cruds"))
        person = (await hub.http.post("/fhir/Patient", json=patient(), headers={**headers, "Content-Type": "application/json"})).json()[
            "id"
        ]
        await Operator(hub.hub).pair(
            system=manifest.identifier_system,
            manufacturer="unknown",
            product="scale",
            identifier="unit",
            patient=f"Patient/{person}",
            from_us=0,
            to_us=None,
        )
        states = set()
        for order in permutations(readings):
            for one in order:
                answer = await hub.http.post("/ingest/withings?device=unit", content=withings(one.group()), headers=headers)
                assert answer.status_code == 200
            (entry,) = (await hub.http.get(f"/fhir/Observation?patient={person}", headers=headers)).json()["entry"]
            states.add(json.dumps(entry["resource"]["valueQuantity"]))
            for collection, wanted in (("resources", {"t": "Observation"}), ("history", {"t": "Observation"})):
                admin["hub"][collection].delete_many(wanted)
    assert len(states) == 1
