"""Products and units as they lie in the store: DeviceDefinitions and Devices of nobody, opened.

For operators and the hub's own watch; a client reads them like any resource, by scope and consent.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from fhir_profiles.product import NO_PRODUCT, PRODUCT_SYSTEM, Product, product_of
from hub import numbers
from hub.search.predicate import EVERYTHING
from hub.services import Services
from hub.store.protocol import Finding, Order, Stored
from hub.turns import breath
from hub.units.state import UNITS_MAX


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A current row with its content."""

    stored: Stored
    content: dict[str, Any]

    @property
    def row(self) -> str:
        return self.stored.row

    @property
    def reference(self) -> str:
        """As others name it; the row's id is keyed where an importer brought it."""
        return f"{self.stored.type}/{self.content['id']}"


def unit_token(services: Services, system: str, identifier: str) -> bytes:
    """The pseudonym of a unit; unique in `claims`, so that one unit is one Device."""
    return services.blind.token("device-unit", f"{system}|{identifier}")


def product_token(services: Services, key: str) -> bytes:
    return services.blind.token("product", f"{PRODUCT_SYSTEM}|{key}")


async def opened(services: Services, stored: Stored) -> Opened:
    key = await services.vault.key(stored.patient)
    return Opened(stored=stored, content=numbers.loads(services.vault.open(key, stored)))


async def unit(services: Services, row: str) -> Opened | None:
    stored = await services.store.current(row)
    return None if stored is None else await opened(services, stored)


async def product(services: Services, key: str) -> tuple[Opened, Product] | None:
    row = await services.store.claim(product_token(services, key))
    found = None if row is None else await unit(services, row)
    said = None if found is None else product_of(found.content)
    return None if found is None or said is None else (found, said)


async def limits(services: Services, device: Mapping[str, Any]) -> Product:
    """By which a unit is watched: its product's, or the usual ones."""
    row = device.get("definition", {}).get("reference", "")
    found = await unit(services, row) if row.startswith("DeviceDefinition/") else None
    return (None if found is None else product_of(found.content)) or NO_PRODUCT


async def products(services: Services) -> dict[str, Product]:
    """Of the registry, by reference."""
    found = {one.reference: product_of(one.content) async for one in each(services, "DeviceDefinition")}
    return {reference: one for reference, one in found.items() if one is not None}


async def each(services: Services, type: str) -> AsyncIterator[Opened]:
    """Every current resource of the type, in the order of their ids."""
    finding = Finding(type=type, predicate=EVERYTHING, restriction=EVERYTHING)
    number = 0
    async with services.store.snapshot() as snapshot, aclosing(snapshot.find(finding, Order(field="id"), UNITS_MAX, lean=True)) as batches:
        async for batch in batches:
            for stored in batch:
                number += 1
                await breath(number)
                yield await opened(services, stored)
