"""hub device register | show | units | retire | exchange: what a unit is, and which one takes its place."""

import json
from typing import Annotated

import typer

from fhir_profiles import eui
from fhir_profiles.udi import BadUdi, Udi, parse_udi
from fhir_profiles.unit import UnitNames
from hub.cli.common import DataDir, Json, MongodbUrl, Reason, in_hub
from hub.cli.device import AdapterName, Identifier, known, moment
from hub.cli.saying import table
from hub.instants import fhir_instant, now_us
from hub.registry import Exchanged, Registry
from hub.units.listing import UnitView
from hub.wiring import Hub

ProductKey = Annotated[str, typer.Option("--product", help="As `hub product list` names it.")]
UdiText = Annotated[str | None, typer.Option("--udi", help="The UDI as printed on the unit: (01)…, +… or =/….")]
Serial = Annotated[str | None, typer.Option("--serial", help="Serial number, if the identifier is another one.")]
Eui64 = Annotated[str | None, typer.Option("--eui64", help="IEEE EUI-64 (system id), e.g. 74-E8-FF-FE-FF-05-1C-00.")]
Bluetooth = Annotated[str | None, typer.Option("--bluetooth", help="Bluetooth address, e.g. 00-1C-05-FF-E8-74.")]
Expires = Annotated[str | None, typer.Option("--expires", help="Not to be worn from then on; default: what product and UDI say.")]


def register(
    adapter: AdapterName,
    identifier: Identifier,
    product: ProductKey,
    udi: UdiText = None,
    serial: Serial = None,
    eui64: Eui64 = None,
    bluetooth: Bluetooth = None,
    expires: Expires = None,
    reason: Reason = None,
    data_dir: DataDir = None,
    mongodb_url: MongodbUrl = None,
) -> None:
    """Register a unit of a product, or say of which product a unit is that is paired already."""
    names = names_of(adapter, identifier, udi, serial, eui64, bluetooth)
    until = _until(expires)

    async def act(hub: Hub) -> str:
        return await Registry(hub, reason).register(names, product, expires=until)

    typer.echo(json.dumps({"device": in_hub(data_dir, mongodb_url, act), "product": product}))


def show(
    adapter: AdapterName, identifier: Identifier, reason: Reason = None, data_dir: DataDir = None, mongodb_url: MongodbUrl = None
) -> None:
    """The Device of a unit, as FHIR."""
    system = known(adapter).identifier_system

    async def act(hub: Hub) -> dict[str, object]:
        return await Registry(hub, reason).show(system, identifier)

    typer.echo(json.dumps(in_hub(data_dir, mongodb_url, act), indent=2, ensure_ascii=False))


def units(as_json: Json = False, reason: Reason = None, data_dir: DataDir = None, mongodb_url: MongodbUrl = None) -> None:
    """Every unit: product, standing, whether somebody has it. `hub device list` lists who."""

    async def act(hub: Hub) -> list[UnitView]:
        return await Registry(hub, reason).units()

    found = [_row(one) for one in in_hub(data_dir, mongodb_url, act)]
    if as_json:
        typer.echo(json.dumps(found, indent=2))
    else:
        columns = ["device", "identifier", "product", "standing", "status", "paired", "expires"]
        table("Units", columns, [[str(one[column] or "") for column in columns] for one in found])


def retire(
    adapter: AdapterName, identifier: Identifier, reason: Reason = None, data_dir: DataDir = None, mongodb_url: MongodbUrl = None
) -> None:
    """Take a unit out of use: its Device becomes inactive. What it measured stays, and what it still sends of that time is taken."""
    system = known(adapter).identifier_system

    async def act(hub: Hub) -> str:
        return await Registry(hub, reason).retire(system, identifier)

    typer.echo(json.dumps({"device": in_hub(data_dir, mongodb_url, act), "status": "inactive"}))


def exchange(
    adapter: AdapterName,
    old: Annotated[str, typer.Argument(help="The unit that is taken off.")],
    new: Annotated[str, typer.Argument(help="The unit that takes its place.")],
    at: Annotated[str | None, typer.Option("--at", help="When; default: now.")] = None,
    product: Annotated[str | None, typer.Option("--product", help="Of the new unit; default: that of the old one.")] = None,
    udi: UdiText = None,
    serial: Serial = None,
    eui64: Eui64 = None,
    bluetooth: Bluetooth = None,
    expires: Expires = None,
    reason: Reason = None,
    data_dir: DataDir = None,
    mongodb_url: MongodbUrl = None,
) -> None:
    """A new unit for whoever has the old one: one pairing ends and another begins at the same instant."""
    names = names_of(adapter, new, udi, serial, eui64, bluetooth)
    at_us, until = now_us() if at is None else moment(at, "--at"), _until(expires)

    async def act(hub: Hub) -> Exchanged:
        return await Registry(hub, reason).exchange((names.system, old), names, at_us=at_us, key=product, expires=until)

    done = in_hub(data_dir, mongodb_url, act)
    made = {"old": done.old, "new": done.new, "at": fhir_instant(done.at_us), "expires": done.expires, "pairings": list(done.pairings)}
    typer.echo(json.dumps(made))


def names_of(adapter: str, identifier: str, udi: str | None, serial: str | None, eui64: str | None, bluetooth: str | None) -> UnitNames:
    """Raises typer.BadParameter for what is no such name."""
    try:
        return UnitNames(
            system=known(adapter).identifier_system,
            identifier=identifier,
            serial=serial,
            eui_64=None if eui64 is None else eui.eui_64(eui64),
            bluetooth=None if bluetooth is None else eui.eui_48(bluetooth),
            udi=None if udi is None else _udi(udi),
        )
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def _udi(text: str) -> Udi:
    try:
        return parse_udi(text)
    except BadUdi as error:
        raise typer.BadParameter(f"--udi: {error}") from None


def _until(text: str | None) -> str | None:
    return None if text is None else fhir_instant(moment(text, "--expires"))


def _row(view: UnitView) -> dict[str, object]:
    return {
        "device": view.reference,
        "identifier": view.identifier,
        "product": view.product.key if view.product else None,
        "standing": ", ".join(view.standing) or None,
        "status": view.status,
        "paired": "yes" if view.paired else None,
        "expires": view.expires,
    }
