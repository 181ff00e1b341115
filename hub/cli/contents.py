"""hub contents sweep."""

import json
from dataclasses import asdict

import typer

from hub.cli.common import DataDir, MongodbUrl, Reason, in_hub
from hub.ingest.sweeping import Sweeper, Swept
from hub.operator import Operator
from hub.wiring import Hub

app = typer.Typer(no_args_is_help=True)


@app.callback()
def group() -> None:
    """A group, though it has one command."""


@app.command("sweep")
def sweep(reason: Reason = None, data_dir: DataDir = None, mongodb_url: MongodbUrl = None) -> None:
    """Take away now what goes by itself: expired items of quarantine, pieces that nothing names, raw items whose time is over."""

    async def act(hub: Hub) -> Swept:
        operator = Operator(hub, reason)
        return await Sweeper(hub.services, lambda kind, path, query: operator.recording(kind, path=path, query=query)).run()

    typer.echo(json.dumps(asdict(in_hub(data_dir, mongodb_url, act))))
