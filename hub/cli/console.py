"""hub console open."""

from typing import Annotated
from urllib.parse import urlencode

import typer

from hub.cli.common import DataDir, MongodbUrl, Reason, in_hub, settings_with
from hub.operator import Operator, user_name
from hub.sessions import new_code
from hub.wiring import Hub

app = typer.Typer(no_args_is_help=True)


@app.callback()
def group() -> None:
    """Pages for those who run the hub."""


@app.command("open")
def open_(
    reason: Reason = None,
    base_url: Annotated[str | None, typer.Option("--base-url", help="Where the hub answers; by default where its settings say.")] = None,
    data_dir: DataDir = None,
    mongodb_url: MongodbUrl = None,
) -> None:
    """Print a link that opens the console once, within five minutes, under your name."""

    async def act(hub: Hub) -> str:
        async with Operator(hub, reason).recording("console-link") as recording:
            return await new_code(hub.services, user_name(), reason, recording)

    code = in_hub(data_dir, mongodb_url, act)
    origin = (base_url or settings_with(data_dir=data_dir, mongodb_url=mongodb_url).origin).rstrip("/")
    typer.echo(f"{origin}/console/sign-in?{urlencode({'code': code})}")
