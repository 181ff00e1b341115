"""Pairings opened: which device and which patient, by reference, and how the patient uses the device."""

from collections.abc import Iterable
from typing import Any

import orjson

from hub.services import Services
from hub.store.protocol import Pairing
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


async def is_worn(services: Services, device_row: str, patients: tuple[bytes, ...], now_us: int) -> bool:
    """Has one of these patients the device now, or will have it?"""
    open_then = [one for one in await services.store.pairings_of(patients) if one.to_us is None or one.to_us > now_us]
    return any(said["device"] == device_row for _, said in await readable(services, open_then))
