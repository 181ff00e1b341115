"""Pairings opened: which device and which patient, by reference, and how the patient uses the device."""

from collections.abc import Iterable, Sequence
from math import inf
from typing import Any

import orjson

from hub.search.index import index
from hub.services import Services
from hub.store.protocol import Pairing, Stored
from hub.vault import PAIRING_TYPE


async def open_pairing(services: Services, pairing: Pairing) -> dict[str, Any]:
    """`device` and `patient`; `user`: the index under which the patient uses it, `shared`: with others whom it cannot tell apart."""
    key = await services.vault.key(pairing.patient)
    plain = services.vault.open_sealed(key, PAIRING_TYPE, pairing.id, 1, pairing.patient, pairing.sealed)
    found: dict[str, Any] = orjson.loads(plain)
    return found


async def readable(services: Services, pairings: Iterable[Pairing]) -> list[tuple[Pairing, dict[str, Any]]]:
    """Those that can be opened, with what they say. Whose key is destroyed has been erased, and with it whose the unit was."""
    found = []
    for pairing in pairings:
        try:
            found.append((pairing, await open_pairing(services, pairing)))
        except KeyError:
            continue
    return found


async def erased(services: Services, rows: Sequence[str], wearers: Iterable[bytes] = ()) -> frozenset[bytes]:
    """Whose key is destroyed, of those who have had a unit: `wearers`, and whom the rows of it and of its parts bear.

    Not who is named by what a row says: that stays hidden, for it speaks of them (tests/spec/api/test_access_erased.py). The key store is
    asked, whatever is remembered: who has a key is asked for consent.
    """
    found = (await services.store.currents(rows, deleted=True)).values() if rows else ()
    borne = sorted({one for stored in found for one in stored.others} | set(wearers))
    gone = set(borne) - (await services.vault.keys_afresh(borne, inf)).keys()
    return frozenset(gone - {one for stored in found for one in await _named(services, stored)}) if gone else frozenset()


async def _named(services: Services, stored: Stored) -> frozenset[bytes]:
    key = await services.vault.key(stored.patient)
    plain = services.vault.open(key, stored) if stored.deleted is None else services.vault.open_deleted(key, stored, stored.deleted)
    blind = services.blind
    said = index(orjson.loads(plain), token=blind.token, patient_token=blind.patient, base=services.base_url)
    return frozenset(map(blind.patient, said.named))


async def is_worn(services: Services, device_row: str, patients: tuple[bytes, ...], now_us: int) -> bool:
    """Has one of these patients the device now, or will have it?"""
    open_then = [one for one in await services.store.pairings_of(patients) if one.to_us is None or one.to_us > now_us]
    return any(said["device"] == device_row for _, said in await readable(services, open_then))
