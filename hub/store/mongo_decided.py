"""Is what units were decided by still as it was? Asked in the transaction that writes them, of those that may have missed something."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase

from hub.store import documents
from hub.store.protocol import Decided, Pairing, Unit
from security.context import Registered

Document = dict[str, Any]
Owned = Sequence[tuple[int, Decided]]
"""What units were decided by, each with the index of its unit."""


async def changed(
    database: AsyncDatabase[Document], units: Sequence[Unit], indices: Iterable[int], session: AsyncClientSession
) -> set[int]:
    """Indices, of these, of the units that have to be decided anew."""
    owned = [(index, decided) for index in indices if (decided := units[index].decided) is not None]
    found = set[int]()
    for kind in _KINDS:
        found |= await kind(database, owned, session)
    return found


async def _rules(database: AsyncDatabase[Document], owned: Owned, session: AsyncClientSession) -> set[int]:
    now = await _versions(database, "grants", {patient for _, one in owned for patient in one.rules}, session)
    return _differing(owned, lambda one: one.rules, now)


async def _notes(database: AsyncDatabase[Document], owned: Owned, session: AsyncClientSession) -> set[int]:
    now = await _versions(database, "notes", {key for _, one in owned for key in one.notes}, session)
    return _differing(owned, lambda one: one.notes, now)


async def _pairings(database: AsyncDatabase[Document], owned: Owned, session: AsyncClientSession) -> set[int]:
    units = {unit for _, one in owned for unit in one.pairings}
    now: dict[bytes, set[Pairing]] = defaultdict(set)
    if units:
        async for found in database["pairings"].find({"dv": {"$in": sorted(units)}}, session=session):
            pairing = documents.pairing(found)
            now[pairing.device].add(pairing)
    return {index for index, one in owned if any(now[unit] != known for unit, known in one.pairings.items())}


async def _callers(database: AsyncDatabase[Document], owned: Owned, session: AsyncClientSession) -> set[int]:
    ids = {id for _, one in owned for caller in one.callers for id in caller.ids}
    now = await _versions(database, "oauth_clients", ids, session, field="revision")

    def is_as_it_was(caller: Registered) -> bool:
        return caller.revision == sum(now.get(id, 0) for id in caller.ids)

    return {index for index, one in owned if not all(is_as_it_was(caller) for caller in one.callers)}


_KINDS: tuple[Callable[[AsyncDatabase[Document], Owned, AsyncClientSession], Awaitable[set[int]]], ...] = (
    _rules,
    _pairings,
    _callers,
    _notes,
)


async def _versions(
    database: AsyncDatabase[Document], collection: str, ids: set[Any], session: AsyncClientSession, field: str = "v"
) -> Mapping[Any, int]:
    """By id, of those that are there."""
    if not ids:
        return {}
    cursor = database[collection].find({"_id": {"$in": sorted(ids)}}, {field: 1}, session=session)
    return {found["_id"]: int(found.get(field) or 0) async for found in cursor}


def _differing(owned: Owned, known: Callable[[Decided], Mapping[bytes, int]], now: Mapping[bytes, int]) -> set[int]:
    return {index for index, one in owned if any(now.get(key, 0) != version for key, version in known(one).items())}
