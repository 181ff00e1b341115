"""hub keys status."""

import json

import typer

from hub.cli.common import DataDir, Json, MongodbUrl, in_hub, table
from hub.operator import Operator
from hub.wiring import Hub

app = typer.Typer(no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Keys that seal the data."""


@app.command("status")
def status(as_json: Json = False, data_dir: DataDir = None, mongodb_url: MongodbUrl = None) -> None:
    """Which key wraps, how many data keys there are, which key signs the log's heads. No key is shown."""

    async def act(hub: Hub) -> dict[str, str | int]:
        async with Operator(hub).recording("keys-status"):
            return {
                "kms_key": hub.kms_key,
                "data_keys": await hub.count_keys(),
                "audit_head_public_key": hub.head_key.public_key().public_bytes_raw().hex(),
                "token_signing_key": hub.signing_keys.current.kid,
            }

    found = in_hub(data_dir, mongodb_url, act)
    if as_json:
        typer.echo(json.dumps(found, indent=2))
    else:
        table("Keys", ["what", "value"], [[name, str(value)] for name, value in found.items()])
