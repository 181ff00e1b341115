"""Pairings opened: which device and which patient, by reference, and how the patient uses the device."""

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


async def is_worn(services: Services, device_row: str, patients: tuple[bytes, ...], now_us: int) -> bool:
    """Has one of these patients the device now, or will have it?"""
    for pairing in await services.store.pairings_of(patients):
        if pairing.to_us is None or pairing.to_us > now_us:
            references = await open_pairing(services, pairing)
            if references["device"] == device_row:
                return True
    return False
