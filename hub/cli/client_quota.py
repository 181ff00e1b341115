"""hub client quota: what a client may send in a minute, seen and changed."""

import json
from dataclasses import replace
from typing import Annotated, Any

import typer

from hub.authenticate import caller_of
from hub.cli.common import DataDir, MongodbUrl, Reason, in_hub
from hub.ingest.quota import allowance_of
from hub.operator import Operator, OperatorError
from hub.wiring import Hub
from security.oauth.clients import Client

UNKNOWN = "there is no client of this id; hub client list shows them"

Default = Annotated[bool, typer.Option("--default", help="Take away numbers of its own: what holds for everybody holds for it.")]
Requests = Annotated[int | None, typer.Option("--requests-per-minute", min=1, help="Requests of ingest.")]
Items = Annotated[int | None, typer.Option("--items-per-minute", min=1, help="Items of ingest.")]


def quota(
    client_id: Annotated[str, typer.Argument()],
    requests_per_minute: Requests = None,
    items_per_minute: Items = None,
    default: Default = False,
    reason: Reason = None,
    data_dir: DataDir = None,
    mongodb_url: MongodbUrl = None,
) -> None:
    """Show a client's quota and what is left of it at this moment; with numbers, change it from its next request on."""
    if default and (requests_per_minute is not None or items_per_minute is not None):
        raise typer.BadParameter("--default takes the client's own numbers away; leave it out to give others")
    change = default or requests_per_minute is not None or items_per_minute is not None

    async def act(hub: Hub) -> dict[str, Any]:
        if change:
            operator = Operator(hub, reason)
            client = await operator.change_client(
                "client-quota", client_id, lambda one: changed(one, requests_per_minute, items_per_minute)
            )
        else:
            client = await seen(hub, client_id)
        return await shown(hub, client)

    typer.echo(json.dumps(in_hub(data_dir, mongodb_url, act), indent=2))


async def shown(hub: Hub, client: Client) -> dict[str, Any]:
    services = hub.services
    allowance = allowance_of(caller_of(client, client.granted, client.purpose, services.new_id()), services)
    left = await services.store.quotas.look(client.client_id, allowance, services.clock())
    return {
        "client_id": client.client_id,
        "requests_per_minute": allowance.requests,
        "items_per_minute": allowance.items,
        "own": client.requests_per_minute is not None or client.items_per_minute is not None,
        "requests_left": int(left.requests),
        "items_left": int(left.items),
    }


def changed(client: Client, requests: int | None, items: int | None) -> Client:
    """With these numbers, those not given as they were; without any of its own where none is given."""
    if requests is None and items is None:
        return replace(client, requests_per_minute=None, items_per_minute=None)
    return replace(client, requests_per_minute=requests or client.requests_per_minute, items_per_minute=items or client.items_per_minute)


async def seen(hub: Hub, client_id: str) -> Client:
    async with Operator(hub).recording("client-list"):
        client = await hub.oauth.registration(client_id)
        if client is None:
            raise OperatorError(UNKNOWN)
    return client
