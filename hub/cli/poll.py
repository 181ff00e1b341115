"""hub poll run | invite | link | list | unlink."""

import json
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from hub.app import outbound_policy
from hub.cli.common import DataDir, Json, MongodbUrl, Reason, in_hub, settings_with
from hub.cli.device import moment
from hub.cli.running import Client, Device, stopping
from hub.cli.saying import fail, table
from hub.errors import FhirError
from hub.ingest.clouds import CLOUDS, Cloud, Tokens
from hub.ingest.granting import Granting, Invitation
from hub.ingest.links import Link, Links
from hub.ingest.polling import At, Poller
from hub.ingest.registered import registered
from hub.ingest.sender import Senders
from hub.instants import fhir_instant, now_us
from hub.operator import Operator, OperatorError, user_name
from hub.outbound import Outbound
from hub.settings import Settings
from hub.store.protocol import Unit
from hub.wiring import Hub

app = typer.Typer(no_args_is_help=True)
INTERVAL_S = 900.0
LOOK_S = 2.0

CloudName = Annotated[str, typer.Argument(metavar="CLOUD", help=", ".join(CLOUDS))]
User = Annotated[str, typer.Option("--user", help="The patient's id at the cloud.")]
Since = Annotated[
    str | None, typer.Option("--since", help="From when on it is read; default: from where the last link left off, else from now on.")
]


@app.command("run")
def run(
    once: Annotated[bool, typer.Option("--once", help="Read every link once, and end.")] = False,
    interval: Annotated[float, typer.Option("--interval", min=1, help="Seconds between two readings of a link.")] = INTERVAL_S,
    data_dir: DataDir = None,
    mongodb_url: MongodbUrl = None,
) -> None:
    """Read what is new at the clouds until stopped; one JSON line for each link's turn on stdout."""
    settings = settings_with(data_dir=data_dir, mongodb_url=mongodb_url)
    clouds = _clouds(settings)
    if not clouds:
        raise typer.BadParameter("no cloud is set up: HUB_WITHINGS_CLIENT_ID or HUB_DEXCOM_CLIENT_ID, each with its secret's file")

    async def act(hub: Hub) -> None:
        senders = Senders(services=hub.services, find_client=hub.oauth.find_client, user=user_name())
        async with Outbound(outbound_policy(settings)) as outbound:
            with stopping() as stop:
                poller = Poller(senders, outbound, clouds, told=_told, chance=random.random)
                await poller.run(interval, None if once else LOOK_S, stop)

    in_hub(data_dir, mongodb_url, act)


@app.command("link")
def link(
    cloud: CloudName,
    client_id: Client,
    user: User,
    patient: Annotated[str, typer.Option("--patient", help="Patient/ID")],
    tokens: Annotated[Path, typer.Option("--tokens", help="The cloud's token answer (JSON with refresh_token), of the patient's consent.")],
    since: Since = None,
    device: Device = None,
    feed: Annotated[list[str] | None, typer.Option("--feed", help="What is read besides; may be given several times.")] = None,
    reason: Reason = None,
    data_dir: DataDir = None,
    mongodb_url: MongodbUrl = None,
) -> None:
    """Keep what a patient granted, sealed under the patient's key; it is read from the next turn on."""
    _row(cloud, feed)
    since_us = None if since is None else moment(since, "--since")
    made = Link(
        cloud=cloud,
        user=user,
        client=client_id,
        patient=patient,
        tokens=Tokens(access="", refresh=_refresh_token(tokens), expires_us=0),
        device=device,
    )

    async def act(hub: Hub) -> Link:
        links = Links(hub.services)
        await _require(hub, client_id, patient)
        return await _linked(hub, links, made, feed or (), since_us, reason)

    linked = in_hub(data_dir, mongodb_url, act)
    typer.echo(json.dumps({"cloud": cloud, "patient": patient, "linked": True, "cursors": _cursors(linked)}))


@app.command("invite")
def invite(
    cloud: CloudName,
    client_id: Client,
    patient: Annotated[str, typer.Option("--patient", help="Patient/ID")],
    since: Since = None,
    device: Device = None,
    feed: Annotated[list[str] | None, typer.Option("--feed", help="What is read besides; may be given several times.")] = None,
    reason: Reason = None,
    data_dir: DataDir = None,
    mongodb_url: MongodbUrl = None,
) -> None:
    """Print the path of a page on which the patient links an account in a browser; good once, for two days."""
    row = _row(cloud, feed)
    invitation = Invitation(
        cloud=row.name,
        client=client_id,
        patient=patient,
        feeds=tuple(feed or ()),
        since_us=None if since is None else moment(since, "--since"),
        invited_us=now_us(),
        device=device,
        user=user_name(),
        reason=reason,
    )

    async def act(hub: Hub) -> str:
        await _require(hub, client_id, patient)
        async with Operator(hub, reason).recording("cloud-link") as recording:
            return await Granting(hub.services).invite(invitation, recording)

    word = in_hub(data_dir, mongodb_url, act)
    typer.echo(json.dumps({"cloud": cloud, "patient": patient, "path": f"/clouds/link?invitation={word}"}))


def _row(cloud: str, feeds: list[str] | None) -> Cloud:
    row = CLOUDS.get(cloud)
    if row is None:
        raise typer.BadParameter(f"the cloud is one of {', '.join(CLOUDS)}")
    if {*(feeds or ())} - {one.name for one in row.further}:
        raise typer.BadParameter(f"--feed of {cloud} is one of {', '.join(one.name for one in row.further)}")
    return row


async def _require(hub: Hub, client_id: str, patient: str) -> None:
    client = await hub.oauth.find_client(client_id)
    if client is None or client.revoked_us is not None:
        raise OperatorError("there is no such client, or it has been revoked; hub client list shows them")
    if not patient.startswith("Patient/") or await hub.services.store.grant(hub.services.blind.patient(patient[8:])) is None:
        raise OperatorError("this patient is not stored in this hub; write it as Patient/ID")


@app.command("list")
def list_(as_json: Json = False, data_dir: DataDir = None, mongodb_url: MongodbUrl = None) -> None:
    """Every link that is read: whose, in whose name, how far, and when next. Tokens are not shown."""

    async def act(hub: Hub) -> list[dict[str, Any]]:
        links = Links(hub.services)
        async with Operator(hub).recording("cloud-list") as recording:
            found = [link for _, link in await links.all()]
            for link in found:
                recording.aim_patient(links.patient(link))
        return [_shown(link) for link in found]

    found = in_hub(data_dir, mongodb_url, act)
    if as_json:
        typer.echo(json.dumps(found, indent=2))
        return
    columns = ["cloud", "user", "client_id", "patient", "due", "failures", "why"]
    table("Links", columns, [[str(one[column] or "") for column in columns] for one in found])


def _shown(link: Link) -> dict[str, Any]:
    return {
        "cloud": link.cloud,
        "user": link.user,
        "client_id": link.client,
        "patient": link.patient,
        "device": link.device,
        "cursors": _cursors(link),
        "due": None if link.fault else fhir_instant(link.due_us),
        "failures": link.failures,
        "why": f"stopped: {link.fault}; link it anew" if link.fault else link.why,
    }


def _cursors(link: Link) -> dict[str, dict[str, Any]]:
    """How far each feed has been read, those too that this hub has no word for."""
    said = {link.cloud: link.cursor, **link.further}
    return {feed: {name: one for name, one in cursor.items() if name != "seen"} for feed, cursor in said.items()}


@app.command("unlink")
def unlink(
    cloud: CloudName, client_id: Client, user: User, reason: Reason = None, data_dir: DataDir = None, mongodb_url: MongodbUrl = None
) -> None:
    """End a link: its tokens are thrown away, what was read stays."""

    async def act(hub: Hub) -> None:
        links = Links(hub.services)
        found = [one for _, one in await links.all() if (one.cloud, one.client, one.user) == (cloud, client_id, user)]
        if not found:
            raise OperatorError("there is no such link")
        ended = replace(found[0], ended=True, tokens=Tokens(access="", refresh="", expires_us=0))
        await _ended(hub, links, ended, reason)

    in_hub(data_dir, mongodb_url, act)
    typer.echo(json.dumps({"cloud": cloud, "linked": False}))


async def _linked(hub: Hub, links: Links, made: Link, feeds: Sequence[str], since_us: int | None, reason: str | None) -> Link:
    """With the record of who did it, which names the patient."""
    try:
        async with Operator(hub, reason).recording("cloud-link") as recording:
            recording.aim_patient(links.patient(made))
            page, link = await links.begun(made, feeds, since_us, hub.services.clock())
            await recording.commit(Unit(notes=[await links.write(page, link)]), writes=())
    except FhirError as error:
        raise OperatorError(str(error)) from error
    return link


async def _ended(hub: Hub, links: Links, link: Link, reason: str | None) -> None:
    try:
        async with Operator(hub, reason).recording("cloud-unlink") as recording:
            recording.aim_patient(links.patient(link))
            await recording.commit(Unit(notes=[await links.write(await links.page(link), link)]), writes=())
    except FhirError as error:
        raise OperatorError(str(error)) from error


def _refresh_token(path: Path) -> str:
    try:
        found = json.loads(path.read_text())
    except OSError as error:
        fail(f"{path}: {error.strerror}")
    except ValueError:
        fail(f"{path} is not JSON")
    token = found.get("refresh_token") or found.get("body", {}).get("refresh_token") if isinstance(found, dict) else None
    if not isinstance(token, str):
        fail(f"{path} has no refresh_token")
    return token


def _clouds(settings: Settings) -> dict[str, At]:
    try:
        return registered(settings)
    except OSError as error:
        fail(f"{error.filename}: {error.strerror}")


def _told(fates: Counter[str]) -> None:
    typer.echo(json.dumps({"fates": dict(fates)}))
