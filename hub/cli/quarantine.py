"""hub quarantine list | replay."""

import json
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from hub.authenticate import caller_of
from hub.cli.common import DataDir, Json, MongodbUrl, Reason, in_hub, table
from hub.ingest.fates import Answer
from hub.ingest.replay import REPLAY_MAX, open_waiting, replay_items, summary
from hub.operator import Operator, OperatorError, user_name
from hub.recording import RequestFacts
from hub.repository import Repository
from hub.wiring import Hub

app = typer.Typer(no_args_is_help=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class How:
    """What the person says about the items that go through again."""

    reason: str | None
    device: str | None
    time_zone: str | None


@app.command("list")
def list_(as_json: Json = False, reason: Reason = None, data_dir: DataDir = None, mongodb_url: MongodbUrl = None) -> None:
    """What waits and why; values are not shown."""

    async def act(hub: Hub) -> list[dict[str, Any]]:
        async with Operator(hub, reason).recording("quarantine-list"):
            found = await hub.services.store.quarantined(None, REPLAY_MAX)
            return [{**summary(one, await open_waiting(hub.services, one)), "client": one.client} for one in found]

    found = in_hub(data_dir, mongodb_url, act)
    if as_json:
        typer.echo(json.dumps(found, indent=2))
    else:
        columns = ["id", "client", "adapter", "code", "pointer", "received"]
        table("Quarantine", columns, [[str(one[column]) for column in columns] for one in found])


@app.command("replay")
def replay(
    ids: Annotated[list[str] | None, typer.Argument(help="Ids from `hub quarantine list`.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All that waits.")] = False,
    device: Annotated[str | None, typer.Option("--device", help="The unit, where the payload did not say it.")] = None,
    time_zone: Annotated[str | None, typer.Option("--time-zone", help="IANA zone of wall-clock times.")] = None,
    reason: Reason = None,
    data_dir: DataDir = None,
    mongodb_url: MongodbUrl = None,
) -> None:
    """Take items through the pipeline again, as the client that sent them; one JSON line per item."""
    if bool(ids) == everything:
        raise typer.BadParameter("give ids, or --all")
    how = How(reason=reason, device=device, time_zone=time_zone)

    async def act(hub: Hub) -> list[Answer]:
        return await replay_for_clients(hub, None if everything else ids, how)

    for answer in in_hub(data_dir, mongodb_url, act):
        typer.echo(json.dumps(answer.to_json()))


async def replay_for_clients(hub: Hub, ids: list[str] | None, how: How) -> list[Answer]:
    """Each item is decided as if its sender sent it now: the operator lends no rights of its own."""
    store = hub.services.store
    found = await store.quarantined(None, REPLAY_MAX) if ids is None else await store.quarantined_items(ids)
    if ids is not None and len(found) < len(set(ids)):
        raise OperatorError("not all of these ids wait; hub quarantine list shows what does")
    answers: list[Answer] = []
    for client_id in sorted({one.client for one in found}):
        repository = await _as_client(hub, client_id, how)
        async with repository.recording("quarantine-replay") as recording:
            answers += await replay_items(
                repository,
                recording,
                ids=[one.id for one in found if one.client == client_id],
                device=how.device,
                time_zone=how.time_zone,
            )
    return answers


async def _as_client(hub: Hub, client_id: str, how: How) -> Repository:
    client = await hub.oauth.find_client(client_id)
    if client is None or client.revoked_us is not None:
        raise OperatorError(f"client {client_id} has been revoked; its items can no longer be stored in its name")
    request_id = hub.services.new_id()
    caller = caller_of(client, client.granted, client.purpose, request_id)
    facts = RequestFacts(request_id=request_id, interaction="quarantine-replay", user=user_name(), reason=how.reason)
    return Repository(caller, hub.services, facts)
