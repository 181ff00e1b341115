"""hub rederive plan | apply."""

import json
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from adapters.discovery import UnknownAdapter, adapter, adapters
from hub.cli.common import DataDir, MongodbUrl, Reason, in_hub
from hub.cli.saying import fail, stderr
from hub.ingest.rederive.applying import Applied, Applier
from hub.ingest.rederive.derive import Asked
from hub.ingest.rederive.plan import BadPlan, Plan, Planner, Window
from hub.ingest.rederive.report import private, reporting
from hub.ingest.sender import Senders
from hub.instants import from_person, now_us
from hub.operator import OperatorError, user_name
from hub.wiring import Hub

app = typer.Typer(no_args_is_help=True)
PARTLY: Final = 3
"""Exit code: done but for what is counted as left. 1 is a failure, 2 wrong use."""


@app.command("plan")
def plan(
    name: Annotated[str, typer.Option("--adapter", help="Whose readings are read again.")],
    out: Annotated[Path, typer.Option("--out", help="The plan, a new file; no value is in it.")],
    report: Annotated[
        Path | None, typer.Option("--report", help="The differences, a new file: .html for a page, else JSON. Health data.")
    ] = None,
    version: Annotated[str | None, typer.Option("--version", help="Only what this version of the mapping read.")] = None,
    patient: Annotated[str | None, typer.Option("--patient", help="Only readings of Patient/ID.")] = None,
    since: Annotated[str | None, typer.Option("--since", help="Stored at this time or later.")] = None,
    until: Annotated[str | None, typer.Option("--until", help="Stored before this time.")] = None,
    client: Annotated[str | None, typer.Option("--client", help="Who sent what was kept before it was noted who did.")] = None,
    time_zone: Annotated[str | None, typer.Option("--time-zone", help="Its IANA zone, for the same.")] = None,
    reason: Reason = None,
    data_dir: DataDir = None,
    mongodb_url: MongodbUrl = None,
) -> None:
    """Read an adapter's items again and say what would change. Nothing is written but the log; prints counts as JSON."""
    try:
        asked = Asked(adapter=adapter(name), mapping_version=version, client=client, time_zone=time_zone)
        window = Window(since_us=_moment(since) or 0, until_us=_moment(until) or now_us() + 1, patient=patient)
    except UnknownAdapter as error:
        fail(str(error))
    for path in (out, report):
        if path is not None and path.exists():
            fail(f"{path} is there already; name a new file")

    async def act(hub: Hub) -> Plan:
        planner = Planner(hub.services, _senders(hub, reason), asked, window)
        with _progress() as progress, reporting(report) as shown, private(out) as file:
            task = progress.add_task("read again", total=await planner.total())
            made = await planner.run(shown.add, lambda count: progress.advance(task, count))
            shown.end(made.summary())
            file.write(made.to_bytes(hub.services))
        return made

    typer.echo(json.dumps(in_hub(data_dir, mongodb_url, act).summary(), indent=2))


@app.command("apply")
def apply(
    file: Annotated[Path, typer.Argument(metavar="PLAN", help="From `hub rederive plan`.")],
    retract: Annotated[bool, typer.Option("--retract", help="Enter in error what comes to nothing now.")] = False,
    reason: Reason = None,
    data_dir: DataDir = None,
    mongodb_url: MongodbUrl = None,
) -> None:
    """Do what a plan says, where nothing has changed since; new versions, history stays. Prints counts as JSON.

    May be interrupted at any time: the same command again goes on. Exit code 3 says that something was left undone: it differs from the
    plan, was refused, or is stuck.
    """
    try:
        plain = file.read_bytes()
    except OSError as error:
        fail(f"{file} cannot be read: {error.strerror}")

    async def act(hub: Hub) -> Applied:
        try:
            found = Plan.from_bytes(plain, hub.services)
            applier = Applier(hub.services, _senders(hub, reason), found, adapters().get(found.adapter), retract=retract)
        except BadPlan as error:
            raise OperatorError(str(error)) from error
        with _progress() as progress:
            task = progress.add_task("derived anew", total=len(found.rows))
            return await applier.run(lambda count: progress.advance(task, count))

    applied = in_hub(data_dir, mongodb_url, act)
    typer.echo(json.dumps(applied.to_json(), indent=2))
    if not applied.is_whole:
        raise typer.Exit(PARTLY)


def _senders(hub: Hub, reason: str | None) -> Senders:
    return Senders(services=hub.services, find_client=hub.oauth.find_client, user=user_name(), reason=reason)


def _moment(text: str | None) -> int | None:
    if text is None:
        return None
    try:
        return from_person(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def _progress() -> Progress:
    columns: Any = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=stderr, transient=True)
