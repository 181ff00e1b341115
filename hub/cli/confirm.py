"""hub device confirm list | assign | reject."""

import json
from typing import Annotated, Any

import typer

from hub.cli.common import DataDir, Json, MongodbUrl, Reason, in_hub
from hub.cli.saying import table
from hub.ingest.confirm import assign as assign_to
from hub.ingest.confirm import disown, find, to_confirm
from hub.ingest.fates import Answer
from hub.ingest.sender import Senders
from hub.operator import Operator, user_name
from hub.wiring import Hub

app = typer.Typer(no_args_is_help=True)

ItemId = Annotated[str, typer.Argument(metavar="ID", help="As `hub device confirm list` shows it.")]


@app.command("list")
def list_(as_json: Json = False, reason: Reason = None, data_dir: DataDir = None, mongodb_url: MongodbUrl = None) -> None:
    """Readings of which the unit does not say whose they are, and who had it then; values are not shown."""

    async def act(hub: Hub) -> list[dict[str, Any]]:
        async with Operator(hub, reason).recording("confirm-list") as recording:
            found = await to_confirm(hub.services)
            for binding in {binding.patient: binding for one in found for binding in one.among}.values():
                recording.aim_patient(binding.patient)
        return [one.to_json() for one in found]

    found = in_hub(data_dir, mongodb_url, act)
    if as_json:
        typer.echo(json.dumps(found, indent=2))
        return
    columns = ["id", "measure", "time", "device", "userIndex", "candidates"]
    shown = [{**one, "candidates": ", ".join(each["patient"] for each in one["candidates"])} for one in found]
    table("To confirm", columns, [[str("" if one[column] is None else one[column]) for column in columns] for one in shown])


@app.command("assign")
def assign(
    id: ItemId,
    patient: Annotated[str, typer.Option("--patient", help="Patient/ID, one who had the unit then.")],
    reason: Reason = None,
    data_dir: DataDir = None,
    mongodb_url: MongodbUrl = None,
) -> None:
    """Store it for this patient, if the patient permits; prints its fate."""
    if not patient.startswith("Patient/"):
        raise typer.BadParameter("--patient is written Patient/ID")

    async def act(hub: Hub) -> Answer:
        senders = Senders(services=hub.services, find_client=hub.oauth.find_client, user=user_name())
        async with Operator(hub, reason).recording("confirm-assign") as recording:
            return await assign_to(hub.services, await find(hub.services, id), patient, recording, senders.repository)

    typer.echo(json.dumps(in_hub(data_dir, mongodb_url, act).to_json()))


@app.command("reject")
def reject(id: ItemId, reason: Reason = None, data_dir: DataDir = None, mongodb_url: MongodbUrl = None) -> None:
    """It is of nobody whom the unit is paired with, a guest's: nobody is asked about it again."""

    async def act(hub: Hub) -> None:
        async with Operator(hub, reason).recording("confirm-reject") as recording:
            await disown(hub.services, id, recording)

    in_hub(data_dir, mongodb_url, act)
    typer.echo(json.dumps({"id": id, "rejected": True}))
