"""Units take the standing of their product: what they are searched by is a copy of what the product says (docs/adr/0015)."""

from collections.abc import Sequence
from typing import Final

from fhir_profiles.product import Product
from fhir_profiles.unit import with_standing
from hub.recording import Recording, Touched, write_of
from hub.repository.patientless import patientless
from hub.services import Services
from hub.store.protocol import Replace, Unit
from hub.units.registered import each, opened

TOGETHER_MAX: Final = 500
"""Devices of one transaction."""


async def behind(services: Services, definition: str, product: Product) -> list[str]:
    """The rows of its units that say something else. `definition`: "DeviceDefinition/id"."""
    return [
        one.row
        async for one in each(services, "Device")
        if one.content.get("definition", {}).get("reference") == definition and with_standing(one.content, product) is not one.content
    ]


async def follow(services: Services, rows: Sequence[str], product: Product, recording: Recording) -> int:
    """New versions of these Devices, with their record, in one transaction; how many there were. Raises Conflict."""
    recording.forget()
    unit, key = Unit(), await services.vault.key(None)
    for stored in (await services.store.currents(rows)).values():
        before = await opened(services, stored)
        content = with_standing(before.content, product)
        if content is before.content:
            continue
        services.check(content)
        new = patientless(services, key, stored.row, stored.version + 1, content, before.content["id"], services.clock())
        unit.replaces = [*unit.replaces, Replace(new=new._replace(others=stored.others), old=stored)]
    for one in unit.replaces:
        new, basis = one.new, "operator"
        recording.touch(
            Touched(reference=new.row, version=new.version, patient=None, patient_reference=None, basis=basis, others=new.others)
        )
    await recording.commit(unit, writes=[write_of(one.new) for one in unit.replaces])
    return len(unit.replaces)
