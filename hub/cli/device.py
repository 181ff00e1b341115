"""hub device pair | unpair | list."""

import json
from typing import Annotated

import typer

from adapters.contract import Manifest
from adapters.discovery import adapters
from hub.cli import confirm, credential, enrol
from hub.cli.common import DataDir, Json, MongodbUrl, Reason, in_hub
from hub.cli.saying import table
from hub.ingest.wearing import USER_INDEX_MAX, USER_INDEX_MIN, Use
from hub.instants import fhir_instant, from_person, now_us
from hub.operator import Operator, Paired
from hub.wiring import Hub

app = typer.Typer(no_args_is_help=True)
app.command("enrol")(enrol.enrol)
app.add_typer(credential.app, name="credential", help="Units that send by themselves, and how they prove themselves.")
app.add_typer(confirm.app, name="confirm", help="Readings of which a person has to say whose they are.")
LIST_MAX = 100_000

AdapterName = Annotated[str, typer.Argument(help="As `hub adapters list` names it.")]
UserIndex = Annotated[
    int | None, typer.Option("--user-index", min=USER_INDEX_MIN, max=USER_INDEX_MAX, help="Under which the unit knows this patient.")
]
Identifier = Annotated[str, typer.Argument(help="The unit as the vendor identifies it, e.g. its serial number.")]


@app.command("pair")
def pair(
    adapter: AdapterName,
    identifier: Identifier,
    patient: Annotated[str, typer.Option("--patient", help="Patient/ID")],
    from_: Annotated[str | None, typer.Option("--from", help="2026-01-31 or with time; default: now.")] = None,
    to: Annotated[str | None, typer.Option("--to", help="End, not included; default: open.")] = None,
    user_index: UserIndex = None,
    shared: Annotated[
        bool, typer.Option("--shared", help="Others use it too and it does not tell them apart: a person confirms each reading.")
    ] = False,
    reason: Reason = None,
    data_dir: DataDir = None,
    mongodb_url: MongodbUrl = None,
) -> None:
    """Bind a unit to a patient for a period; registers the unit if it is new."""
    manifest = known(adapter)
    from_us, to_us = now_us() if from_ is None else moment(from_, "--from"), None if to is None else moment(to, "--to")
    if to_us is not None and to_us <= from_us:
        raise typer.BadParameter("--to must be after --from")
    if shared and user_index is not None:
        raise typer.BadParameter("--shared is for units that do not tell their users apart: they have no --user-index")

    async def act(hub: Hub) -> Paired:
        return await Operator(hub, reason).pair(
            system=manifest.identifier_system,
            manufacturer=manifest.manufacturer,
            product=manifest.product,
            identifier=identifier,
            patient=patient,
            from_us=from_us,
            to_us=to_us,
            use=Use(user_index=user_index, shared=shared),
        )

    made = in_hub(data_dir, mongodb_url, act)
    typer.echo(json.dumps({"device": made.device, "patient": patient, "registered": made.registered, "pairing": made.pairing}))


@app.command("unpair")
def unpair(
    adapter: AdapterName,
    identifier: Identifier,
    to: Annotated[str | None, typer.Option("--to", help="When it ended; default: now.")] = None,
    patient: Annotated[str | None, typer.Option("--patient", help="Whose pairing ends, where several patients have the unit.")] = None,
    user_index: UserIndex = None,
    reason: Reason = None,
    data_dir: DataDir = None,
    mongodb_url: MongodbUrl = None,
) -> None:
    """End the pairing that is open; what was read before stays where it is."""
    manifest = known(adapter)
    to_us = now_us() if to is None else moment(to, "--to")

    async def act(hub: Hub) -> int:
        return await Operator(hub, reason).unpair(
            system=manifest.identifier_system, identifier=identifier, to_us=to_us, patient=patient, user_index=user_index
        )

    typer.echo(json.dumps({"ended": in_hub(data_dir, mongodb_url, act)}))


@app.command("list")
def list_(as_json: Json = False, reason: Reason = None, data_dir: DataDir = None, mongodb_url: MongodbUrl = None) -> None:
    """Every pairing: device, patient, period."""

    async def act(hub: Hub) -> list[dict[str, object]]:
        return await Operator(hub, reason).pairings(LIST_MAX)

    found = [
        {
            "device": one["device"],
            "patient": one["patient"],
            "from": _shown(one["from_us"]),
            "to": _shown(one["to_us"]),
            "user_index": one.get("user"),
            "shared": one.get("shared", False),
            "pairing": one["pairing"],
        }
        for one in in_hub(data_dir, mongodb_url, act)
    ]
    if as_json:
        typer.echo(json.dumps(found, indent=2))
    else:
        columns = ["device", "patient", "from", "to", "user_index", "shared"]
        table("Pairings", columns, [["" if one[column] in (None, False) else str(one[column]) for column in columns] for one in found])


def known(adapter: str) -> Manifest:
    found = adapters().get(adapter)
    if found is None:
        raise typer.BadParameter(f"there is no adapter of this name; there are: {', '.join(sorted(adapters()))}")
    return found.manifest


def moment(text: str, flag: str) -> int:
    try:
        return from_person(text)
    except ValueError as error:
        raise typer.BadParameter(f"{flag}: {error}") from None


def _shown(us: object) -> str | None:
    return fhir_instant(us) if isinstance(us, int) else None
