"""hub device status | watch: how units do."""

import json
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from hub.cli.common import DataDir, Json, MongodbUrl, Reason, in_hub
from hub.cli.saying import table
from hub.instants import fhir_instant
from hub.registry import Registry
from hub.units.judge import FINDINGS, Finding
from hub.units.listing import UnitView
from hub.units.watch import Round
from hub.wiring import Hub

Found = tuple[UnitView, tuple[Finding, ...]]


def status(
    finding: Annotated[list[str] | None, typer.Option("--finding", help=f"Only units with one of these: {', '.join(FINDINGS)}.")] = None,
    product: Annotated[str | None, typer.Option("--product", help="Only units of this product.")] = None,
    as_json: Json = False,
    reason: Reason = None,
    data_dir: DataDir = None,
    mongodb_url: MongodbUrl = None,
) -> None:
    """How every unit does: last seen, battery, clock, what is the matter with it."""
    wanted = set(finding or ())
    if unknown := wanted - set(FINDINGS):
        raise typer.BadParameter(f"--finding: there is no {min(unknown)}; there are: {', '.join(FINDINGS)}")

    async def act(hub: Hub) -> Sequence[Found]:
        return await Registry(hub, reason).status()

    found = [row(view, told) for view, told in in_hub(data_dir, mongodb_url, act) if not wanted or wanted & set(told)]
    found = [one for one in found if product is None or one["product"] == product]
    if as_json:
        typer.echo(json.dumps(found, indent=2))
    else:
        columns = ["device", "product", "status", "seen", "battery", "clock", "expires", "findings"]
        table("Units", columns, [[_cell(one[column]) for column in columns] for one in found])


def watch(reason: Reason = None, data_dir: DataDir = None, mongodb_url: MongodbUrl = None) -> None:
    """Look after the units now: who is silent becomes unknown, who is not any more becomes active. A serving hub does it by itself."""

    async def act(hub: Hub) -> Round:
        return await Registry(hub, reason).watch()

    done = in_hub(data_dir, mongodb_url, act)
    changed = [{"device": one.device, "product": one.product, "status": one.status} for one in done.changed]
    typer.echo(json.dumps({"units": dict(done.counts), "changed": changed}))


def row(view: UnitView, told: Sequence[Finding]) -> dict[str, Any]:
    """For people and scripts. Times in UTC; clock: seconds by which the device's is ahead."""
    state = view.state
    return {
        "device": view.reference,
        "identifier": view.identifier,
        "product": view.product.key if view.product else None,
        "status": view.status,
        "paired": view.paired,
        "seen": None if state.seen_us is None else fhir_instant(state.seen_us),
        "battery": f"{state.battery_percent} %" if state.battery_percent is not None else state.battery_level,
        "clock": state.clock_ahead_s,
        "versions": dict(view.versions),
        "expires": view.expires,
        "findings": list(told),
    }


def _cell(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value)
