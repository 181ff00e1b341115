"""The conformance resources that come with the hub, stored like any others before the first request is answered.

Each lies under its reserved id, sealed with the system's key, written in one unit with its records: whoever starts first
stores them, whoever starts at the same time finds them there, and a start that finds the set it ships costs one read.
What another release ships differently becomes a new version; what it ships no longer stays, and is like any resource then.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

from fhir_profiles import shipped
from hub import outcomes
from hub.recording import Recording, Touched, write_of
from hub.repository.patientless import patientless
from hub.repository.preparing import with_meta
from hub.services import Services
from hub.store.protocol import Claim, Conflict, Replace, Stored, Unit
from security.envelope import DataKey

SPACE, NAME = "shipped", "conformance"
ROWS_AT_ONCE = 1_000
TRIES_MAX, LOOKS_MAX, WAIT_S = 6, 10, 1.0
"""For a hub that starts at the same moment, on a machine with other things to do: whoever comes second looks now and then whether the
other one is done, for doing the work anew each time would take from the other one what it needs to end."""


async def store_shipped(services: Services, recording: Callable[[], Recording]) -> int:
    """How many were written. Raises FhirError transient if the store or the log takes nothing at this moment.

    recording  makes the record of the load
    """
    digest, key = shipped.digest(), services.blind.once(SPACE, NAME)
    known = await services.store.claim(key)
    if known == digest:
        return 0
    async with recording() as record:
        for _ in range(TRIES_MAX):
            try:
                return await _store(services, record, Claim(key=key, value=digest, holder=known))
            except Conflict:  # another hub starts, too, and may ship the same
                record.forget()
                known = await _awaited(services, key, digest)
                if known == digest:
                    return 0
        raise outcomes.unavailable()


async def _awaited(services: Services, key: bytes, digest: str) -> str | None:
    """What is said to be stored: the digest, as soon as it is, or what there is after some time."""
    known: str | None = None
    for _ in range(LOOKS_MAX):
        await asyncio.sleep(WAIT_S)
        known = await services.store.claim(key)
        if known == digest:
            break
    return known


async def _store(services: Services, record: Recording, claim: Claim) -> int:
    """All of it in one unit, the claim that says so included. Raises Conflict."""
    now_us, key = services.clock(), await services.vault.key(None)
    wanted = {f"{one['resourceType']}/{services.brought_id(one['resourceType'], one['id'])}": one for one in shipped.resources()}
    before = await _current(services, list(wanted))
    inserts: list[Stored] = []
    replaces: list[Replace] = []
    for row, resource in wanted.items():
        old = before.get(row)
        if old is not None and _is_same(services, key, old, resource):
            continue
        new = patientless(services, key, row, 1 if old is None else old.version + 1, resource, resource["id"], now_us)
        record.touch(_touched(resource, new))
        if old is None:
            inserts.append(new)
        else:
            replaces.append(Replace(new=new, old=old))
    written = [*inserts, *(one.new for one in replaces)]
    await record.commit(Unit(inserts=inserts, replaces=replaces, claims=(claim,)), writes=[write_of(one) for one in written])
    return len(written)


async def _current(services: Services, rows: Sequence[str]) -> Mapping[str, Stored]:
    """What lies under the reserved ids, deleted or not."""
    found: dict[str, Stored] = {}
    for start in range(0, len(rows), ROWS_AT_ONCE):
        found |= await services.store.currents(rows[start : start + ROWS_AT_ONCE], deleted=True)
    return found


def _is_same(services: Services, key: DataKey, old: Stored, resource: Mapping[str, Any]) -> bool:
    if old.deleted:
        return False
    content: Mapping[str, Any] = orjson.loads(services.vault.open(key, old))
    return content == with_meta(resource, resource["id"], old.version, old.updated_us)


def _touched(resource: Mapping[str, Any], stored: Stored) -> Touched:
    return Touched(
        reference=f"{stored.type}/{resource['id']}", version=stored.version, patient=None, patient_reference=None, basis="operator"
    )
