"""hub webhook add | rotate | revoke | list."""

import json
import os
from dataclasses import replace
from typing import Annotated

import typer

from hub.cli.common import DataDir, Json, MongodbUrl, Reason, in_hub
from hub.cli.device import known
from hub.cli.running import Client, Device, TimeZone
from hub.cli.saying import table
from hub.ingest.hooks import HOUR_US, SCHEMES, Hook, Hooks, Secret
from hub.operator import Operator, OperatorError
from hub.store.protocol import Unit
from hub.wiring import Hub
from security.webhooks import SECRET_BYTES, new_secret

app = typer.Typer(no_args_is_help=True)
UNKNOWN = "there is no such webhook, or it has been revoked; hub webhook list shows them"

HookId = Annotated[str, typer.Argument(metavar="HOOK", help="As `hub webhook add` printed it.")]


@app.command("add")
def add(
    adapter: Annotated[str, typer.Argument(help="As `hub adapters list` names it.")],
    client_id: Client,
    scheme: Annotated[
        str, typer.Option("--scheme", help="hmac: a shared secret. jws: the client's own key. ping: not signed, asks to poll.")
    ],
    device: Device = None,
    time_zone: TimeZone = None,
    reason: Reason = None,
    data_dir: DataDir = None,
    mongodb_url: MongodbUrl = None,
) -> None:
    """Set a webhook up; prints JSON with its path and, once and never again, its secret."""
    known(adapter)
    if scheme not in SCHEMES:
        raise typer.BadParameter(f"--scheme is one of {', '.join(SCHEMES)}")
    secret = new_secret(os.urandom(SECRET_BYTES)) if scheme == "hmac" else None

    async def act(hub: Hub) -> Hook:
        client = await hub.oauth.find_client(client_id)
        if client is None or client.revoked_us is not None or client.unit is not None:
            raise OperatorError("there is no such client, or it has been revoked; hub client list shows them")
        made = Hook(
            id=hub.services.new_id(),
            adapter=adapter,
            client=client_id,
            scheme=scheme,
            device=device,
            time_zone=time_zone,
            secrets=(Secret(secret=secret),) if secret else (),
        )
        await _written(hub, made, "webhook-add", reason)
        return made

    made = in_hub(data_dir, mongodb_url, act)
    typer.echo(json.dumps({**_shown(made), **({"secret": secret} if secret else {})}, indent=2))


@app.command("rotate")
def rotate(
    hook_id: HookId,
    overlap_hours: Annotated[int, typer.Option("--overlap-hours", min=0, max=720, help="How long the old secret stays good.")] = 24,
    reason: Reason = None,
    data_dir: DataDir = None,
    mongodb_url: MongodbUrl = None,
) -> None:
    """A new secret; the old one stays good for a while, so that the vendor can change its side."""
    secret = new_secret(os.urandom(SECRET_BYTES))

    async def act(hub: Hub) -> Hook:
        _, before = await Hooks(hub.services).find(hook_id)
        if before is None or before.scheme != "hmac":
            raise OperatorError(UNKNOWN if before is None else "only a webhook with a shared secret has one to change")
        now_us = hub.services.clock()
        made = replace(before, secrets=before.rotated(secret, now_us + overlap_hours * HOUR_US, now_us))
        await _written(hub, made, "webhook-rotate", reason)
        return made

    typer.echo(json.dumps({**_shown(in_hub(data_dir, mongodb_url, act)), "secret": secret}, indent=2))


@app.command("revoke")
def revoke(hook_id: HookId, reason: Reason = None, data_dir: DataDir = None, mongodb_url: MongodbUrl = None) -> None:
    """End a webhook: its next call is refused."""

    async def act(hub: Hub) -> None:
        _, before = await Hooks(hub.services).find(hook_id)
        if before is None:
            raise OperatorError(UNKNOWN)
        await _written(hub, replace(before, secrets=(), revoked=True), "webhook-revoke", reason)

    in_hub(data_dir, mongodb_url, act)
    typer.echo(json.dumps({"hook": hook_id, "revoked": True}))


@app.command("list")
def list_(as_json: Json = False, data_dir: DataDir = None, mongodb_url: MongodbUrl = None) -> None:
    """Every webhook; secrets are not shown."""

    async def act(hub: Hub) -> list[Hook]:
        async with Operator(hub).recording("webhook-list"):
            return await Hooks(hub.services).all()

    hooks = in_hub(data_dir, mongodb_url, act)
    if as_json:
        typer.echo(json.dumps([_shown(one) for one in hooks], indent=2))
        return
    rows = [[one.id, one.adapter, one.client, one.scheme, "revoked" if one.revoked else "active"] for one in hooks]
    table("Webhooks", ["hook", "adapter", "client", "scheme", "state"], rows)


async def _written(hub: Hub, hook: Hook, kind: str, reason: str | None) -> None:
    """The hook and the record of who did it, in one transaction."""
    hooks = Hooks(hub.services)
    page, _ = await hooks.find(hook.id)
    async with Operator(hub, reason).recording(kind) as recording:
        await recording.commit(Unit(notes=[await hooks.write(page, hook)]), writes=())


def _shown(hook: Hook) -> dict[str, object]:
    return {
        "hook": hook.id,
        "path": f"/webhooks/{hook.adapter}?hook={hook.id}",
        "adapter": hook.adapter,
        "client_id": hook.client,
        "scheme": hook.scheme,
        "device": hook.device,
        "time_zone": hook.time_zone,
        "revoked": hook.revoked,
    }
