"""hub demo load | run."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from hub.cli.common import DataDir, MongodbUrl, Reason, in_hub, said_clearly, settings_with
from hub.cli.saying import stderr
from hub.demo.accounts import Login, people_of
from hub.demo.clients import COMPLIANCE, EHR, visitor
from hub.demo.leaflet import Leaflet, typed
from hub.demo.load import REASON, Advance, Done, is_loaded, load, steps
from hub.demo.plan import PAIRED_FROM, Demo
from hub.demo.serving import ended_by_signals, is_ready, served
from hub.demo.signals import PARIS
from hub.settings import Settings
from hub.store.embedded.files import layout
from hub.store.embedded.locks import mutex
from hub.wiring import Hub

app = typer.Typer(no_args_is_help=True)

PATIENTS_MAX = 999
DAYS_MAX = 1_000

Patients = Annotated[int, typer.Option("--patients", min=1, max=PATIENTS_MAX, help="How many patients.")]
Days = Annotated[int, typer.Option("--days", min=1, max=DAYS_MAX, help="How many days of readings.")]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Another seed invents other people.")]


@app.command("load")
def load_(
    patients: Patients = 20,
    days: Days = 30,
    seed: Seed = 1,
    until: Annotated[str | None, typer.Option("--until", help="First day without readings, 2026-01-31; default: today.")] = None,
    reason: Reason = None,
    data_dir: DataDir = None,
    mongodb_url: MongodbUrl = None,
) -> None:
    """Load invented patients, consents, devices and readings; what is there already is not loaded again."""
    demo = demo_of(patients=patients, days=days, seed=seed, until=until)

    async def act(hub: Hub) -> tuple[Done, list[Login]]:
        with told(demo) as advance:
            done = await load(hub, demo, reason, advance)
        return done, await people_of(hub, demo.seed, reason or REASON)

    with alone(settings_with(data_dir=data_dir, mongodb_url=mongodb_url)):
        done, people = in_hub(data_dir, mongodb_url, act)
    shown = {**done.to_json(), "people": [asdict(one) for one in people]}
    typer.echo(json.dumps(shown, indent=2, ensure_ascii=False))


@app.command("run")
def run(
    host: Annotated[str | None, typer.Option("--host", help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option("--port", help="Port of FHIR, OAuth, ingest and the pages.")] = None,
    data_dir: DataDir = None,
    patients: Annotated[int, typer.Option("--patients", min=1, max=PATIENTS_MAX, hidden=True)] = 20,
    days: Annotated[int, typer.Option("--days", min=1, max=DAYS_MAX, hidden=True)] = 30,
    seed: Annotated[int, typer.Option("--seed", min=0, hidden=True)] = 1,
) -> None:
    """Serve a hub with demo data and say how to use it; Ctrl-C or SIGTERM ends it in order."""
    settings = settings_with(host=host, port=port, data_dir=data_dir)
    demo = demo_of(patients=patients, days=days, seed=seed, until=None)

    async def act(hub: Hub) -> Leaflet:
        if not await is_loaded(hub, demo):
            with told(demo) as advance:
                await load(hub, demo, None, advance)
        return await leaflet(hub, settings, demo)

    flags = ["--host", settings.host, "--port", str(settings.port), "--data-dir", str(settings.data_dir)]
    with ended_by_signals(), served(flags) as server:
        if not is_ready(server):
            raise typer.Exit(1)
        with alone(settings):
            told_of = in_hub(data_dir, None, act)
        typer.echo(told_of.text())
        raise typer.Exit(server.wait())


async def leaflet(hub: Hub, settings: Settings, demo: Demo) -> Leaflet:
    """Register who may look, and write down how."""
    keys = {part.name: settings.data_dir / f"{part.name}.pem" for part in (EHR, COMPLIANCE)}
    ehr = await visitor(hub, EHR, keys[EHR.name], REASON)
    compliance = await visitor(hub, COMPLIANCE, keys[COMPLIANCE.name], REASON)
    here, scripts = Path.cwd(), Path(sys.executable).parent
    return Leaflet(
        base_url=settings.origin,
        hub=typed(scripts / "hub", here),
        python=typed(Path(sys.executable), here),
        data_dir=typed(settings.data_dir, here),
        ehr=ehr.client_id,
        ehr_key=typed(keys[EHR.name], here),
        compliance=compliance.client_id,
        compliance_key=typed(keys[COMPLIANCE.name], here),
        people=tuple(await people_of(hub, demo.seed, REASON)),
    )


@contextmanager
def alone(settings: Settings) -> Iterator[None]:
    """One load at a time: two would not double anything, but one of them could fail on what the other is just making."""
    with said_clearly(), mutex(layout(settings.data_dir).data_dir / "demo.lock"):
        yield


def demo_of(*, patients: int, days: int, seed: int, until: str | None) -> Demo:
    """What was asked for, if it can be had."""
    today = datetime.now(PARIS).date()
    try:
        last = today if until is None else date.fromisoformat(until)
    except ValueError:
        raise typer.BadParameter("--until: write the day as 2026-01-31") from None
    if last > today:
        raise typer.BadParameter("--until: readings of days that are not over yet would be refused as being in the future")
    demo = Demo(seed=seed, patients=patients, days=days, until=last)
    if demo.first < PAIRED_FROM:
        raise typer.BadParameter(f"--days: the devices of the demo are paired from {PAIRED_FROM} on")
    return demo


@contextmanager
def told(demo: Demo) -> Iterator[Advance]:
    """A progress bar on stderr."""
    columns = (TextColumn("demo data"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=stderr, transient=True) as progress:
        task = progress.add_task("demo data", total=steps(demo))
        advance: Callable[[int], None] = lambda count: progress.advance(task, count)  # noqa: E731
        yield advance
