"""How long a client waits, and what is in hand at once. DEVICES 6.5: 429 with Retry-After, quota per vendor."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from hub.ingest.intake import Parcel, known_adapter
from hub.ingest.quota import wait_s
from hub.notebook import Notebook
from hub.store.embedded import Endpoint
from hub.store.protocol import Allowance, Spent, Unit
from hub.turns import Full, Room
from tests.support.inprocess import in_process

A_MINUTE = Allowance(requests=60, items=600)
HOUR_S = 3_600


@pytest.mark.parametrize(
    ("left", "seconds"),
    [
        ({"requests": 0.0, "items": 600.0}, 1),
        ({"requests": -1.5, "items": 600.0}, 3),
        ({"requests": 60.0, "items": 0.0}, 1),
        ({"requests": 60.0, "items": -599.0}, 60),
        ({"requests": 60.0, "items": -1_000_000.0}, 600),
    ],
)
def test_it_waits_until_there_is_something_left_again(left: Mapping[str, float], seconds: int) -> None:
    """RFC 9110 10.2.3, in seconds, rounded up; ten minutes at most."""
    assert wait_s(A_MINUTE, Spent(admitted=False, **left)) == seconds


def test_there_is_room_until_there_is_none() -> None:
    room = Room()
    with room.take(60, 100), room.take(40, 100), pytest.raises(Full), room.take(1, 100):
        pass
    with room.take(60, 100):
        pass


def test_what_is_larger_than_the_room_comes_in_alone() -> None:
    room = Room()
    with room.take(200, 100), pytest.raises(Full), room.take(1, 100):
        pass


async def test_a_bucket_fills_with_time_and_never_beyond_a_minutes_worth(tmp_path: Path, clean_database: Endpoint) -> None:
    async with in_process(tmp_path, clean_database) as hub:
        quotas, minute = hub.hub.services.store.quotas, 60_000_000
        allowed = Allowance(requests=2, items=10)
        seen = [(await quotas.ask("c", allowed, moment)).admitted for moment in (0, 0, 0, minute // 2, minute // 2, 100 * minute)]
        assert seen == [True, True, False, True, False, True]
        await quotas.owe("c", 30)
        assert [(await quotas.ask("c", allowed, 100 * minute + late)).admitted for late in (minute, 2 * minute, 3 * minute)] == [
            False,
            False,
            True,
        ]


async def test_a_note_is_forgotten_when_its_time_is_over(tmp_path: Path, clean_database: Endpoint) -> None:
    """Also where the database has not thrown it away yet; then it is written anew in its place."""
    async with in_process(tmp_path, clean_database, controlled=True) as hub:
        services, notebook = hub.hub.services, Notebook(hub.hub.services, "answer")
        expires_us = services.clock() + HOUR_S * 1_000_000
        await services.store.commit(Unit(notes=[await notebook.write(await notebook.read("a"), {"said": 1}, expires_us)]))
        assert (await notebook.read("a")).content == {"said": 1}
        hub.turn.take(HOUR_S)
        page = await notebook.read("a")
        assert page.content == {}
        await services.store.commit(Unit(notes=[await notebook.write(page, {"said": 2}, expires_us * 2)]))
        assert (await notebook.read("a")).content == {"said": 2}


def test_a_parcel_says_how_it_was_sent() -> None:
    parcel = Parcel(adapter=known_adapter("withings"), payload=b"", device="d", time_zone="UTC")
    assert (parcel.sent.manifest.name, parcel.sent.device, parcel.sent.time_zone) == ("withings", "d", "UTC")
