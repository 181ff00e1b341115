"""hub watch: files that are put into a folder are taken in."""

import json
from pathlib import Path
from typing import Annotated

import typer

from hub.cli.common import DataDir, MongodbUrl, in_hub
from hub.cli.device import known
from hub.cli.running import Client, Device, TimeZone, stopping
from hub.cli.saying import fail
from hub.ingest.folder import Folder
from hub.ingest.intake import known_adapter
from hub.ingest.sender import SenderGone, Senders
from hub.ingest.watch import Mapping, Taken, Watch
from hub.operator import user_name
from hub.wiring import Hub

SETTLE_S = 2.0
INTERVAL_S = 1.0


def watch(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Files put here are taken in; DIR/done and DIR/refused get them.")],
    adapter: Annotated[str, typer.Option("--adapter", help="As `hub adapters list` names it.")],
    client_id: Client,
    device: Device = None,
    time_zone: TimeZone = None,
    once: Annotated[bool, typer.Option("--once", help="Take in what is there, and end.")] = False,
    settle: Annotated[float, typer.Option("--settle", min=0, help="Seconds of rest before a file counts as whole.")] = SETTLE_S,
    interval: Annotated[float, typer.Option("--interval", min=0.01, help="Seconds between two looks.")] = INTERVAL_S,
    data_dir: DataDir = None,
    mongodb_url: MongodbUrl = None,
) -> None:
    """Take in files until stopped; one JSON line for each on stdout, its items' answers beside the file."""
    known(adapter)

    async def act(hub: Hub) -> None:
        senders = Senders(services=hub.services, find_client=hub.oauth.find_client, user=user_name())
        await senders.repository(client_id)
        mapping = Mapping(adapter=known_adapter(adapter), client=client_id, device=device, time_zone=time_zone)
        with stopping() as stop:
            await Watch(senders, Folder(directory, settle), mapping, _told).run(None if once else interval, stop)

    try:
        in_hub(data_dir, mongodb_url, act)
    except SenderGone as error:
        fail(str(error))
    except OSError as error:
        fail(f"{directory}: {error.strerror}")


def _told(taken: Taken) -> None:
    """Without its name, which may be a person's: standard output often ends in a log."""
    typer.echo(json.dumps({"state": taken.state, "fates": dict(taken.fates)}))
