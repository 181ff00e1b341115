"""Units as people look at them: what each is, how it does, whether somebody has it. Nothing about whom."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fhir_profiles.product import NO_PRODUCT, Product
from fhir_profiles.unit import standing_of, versions_of
from hub.services import Services
from hub.store.protocol import Pairing
from hub.units.registered import Opened, each, products, unit_token
from hub.units.state import NOTHING_KNOWN, UNITS_MAX, UnitState, UnitStates


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitView:
    """identifier  as its vendor identifies it
    paired      somebody has it now; since_us: from when on, None: always or nobody
    updated_us  when its Device was last written
    """

    row: str
    reference: str
    identifier: str
    name: str
    manufacturer: str | None
    model: str | None
    status: str
    standing: tuple[str, ...]
    versions: Mapping[str, str]
    expires: str | None
    product: Product | None
    state: UnitState
    paired: bool
    since_us: int | None
    updated_us: int

    @property
    def limits(self) -> Product:
        return self.product or NO_PRODUCT


async def views(services: Services, now_us: int) -> list[UnitView]:
    """Every unit that was registered or paired; other Devices, which clients wrote, are none of the registry's."""
    known, states = await products(services), UnitStates(services)
    pages, held = await states.all(), _held(await services.store.all_pairings(UNITS_MAX), now_us)
    found: list[UnitView] = []
    claimed = [(one, token) async for one in each(services, "Device") if (token := _token(services, one)) is not None]
    rows = await services.store.claims([token for _, token in claimed])
    for one, token in claimed:
        if rows.get(token) == one.row:
            page = pages.get(states.key(one.row))
            found.append(_view(one, known, NOTHING_KNOWN if page is None else page.state, held.get(token)))
    return found


def _held(pairings: Sequence[Pairing], now_us: int) -> dict[bytes, Pairing]:
    """By unit: the pairing that is open now."""
    return {
        pairing.device: pairing
        for pairing in pairings
        if (pairing.from_us is None or pairing.from_us <= now_us) and (pairing.to_us is None or pairing.to_us > now_us)
    }


def _token(services: Services, device: Opened) -> bytes | None:
    """The registry's own identifier is the first."""
    first: Mapping[str, str] = next(iter(device.content.get("identifier", ())), {})
    return unit_token(services, first["system"], first["value"]) if "system" in first and "value" in first else None


def _view(device: Opened, known: Mapping[str, Product], state: UnitState, pairing: Pairing | None) -> UnitView:
    content = device.content
    return UnitView(
        row=device.row,
        reference=device.reference,
        identifier=content["identifier"][0]["value"],
        name=next((one["name"] for one in content.get("deviceName", ()) if "name" in one), ""),
        manufacturer=content.get("manufacturer"),
        model=content.get("modelNumber"),
        status=content.get("status", "active"),
        standing=tuple(standing_of(content)),
        versions=versions_of(content),
        expires=content.get("expirationDate"),
        product=known.get(content.get("definition", {}).get("reference", "")),
        state=state,
        paired=pairing is not None,
        since_us=None if pairing is None else pairing.from_us,
        updated_us=device.stored.updated_us,
    )
