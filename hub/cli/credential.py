"""hub device credential invite | add | rotate | revoke | list: units that send by themselves."""

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from adapters.discovery import adapters
from hub.cli.client_key import HOUR_US, HOURS_MAX, Jwks, KeyOut, shown_keys, with_key_out
from hub.cli.common import DataDir, Json, MongodbUrl, Reason, in_hub
from hub.cli.saying import table
from hub.ingest.registrar import Registrar
from hub.ingest.units import CODE_BYTES, Invitation, Invitations, Unit, identifier_of, new_code
from hub.instants import fhir_instant
from hub.operator import Operator, OperatorError
from hub.store.protocol import Unit as Writes
from hub.wiring import Hub
from security.oauth.clients import Client
from security.oauth.rotation import rotated

app = typer.Typer(no_args_is_help=True)
MINUTE_US = 60_000_000
REGISTER = "/oauth/register"

Adapter = Annotated[str, typer.Argument(help="As `hub adapters list` names it.")]
Identifier = Annotated[str, typer.Argument(help="The unit as the vendor identifies it, e.g. its serial number.")]
Owner = Annotated[str, typer.Option("--client-id", help="The vendor's client in whose name the unit sends.")]
Signed = Annotated[bool, typer.Option("--signed", help="Each of its batches bears a signature (detached JWS, RFC 7797).")]
Minutes = Annotated[int, typer.Option("--minutes", min=1, max=1_440, help="How long the code is good.")]
Overlap = Annotated[
    int, typer.Option("--overlap-hours", min=0, max=HOURS_MAX, help="How long the old keys stay good; 0 ends them at once.")
]
CredentialId = Annotated[str, typer.Argument(metavar="ID", help="As `hub device credential list` shows it.")]


@app.command("invite")
def invite(
    adapter: Adapter,
    identifier: Identifier,
    client_id: Owner,
    signed: Signed = False,
    minutes: Minutes = 15,
    reason: Reason = None,
    data_dir: DataDir = None,
    mongodb_url: MongodbUrl = None,
) -> None:
    """A code with which the unit enrols itself, once; prints it once and never again."""
    _known(adapter)

    async def act(hub: Hub) -> dict[str, Any]:
        unit = await _unit(hub, adapter, identifier, client_id, signed)
        await Registrar(hub.services, hub.oauth).require_none(unit)
        return await _invited(hub, Invitation(owner=client_id, adapter=adapter, identifier=identifier, signs=signed), minutes, reason)

    _print(data_dir, mongodb_url, act)


@app.command("add")
def add(
    adapter: Adapter,
    identifier: Identifier,
    client_id: Owner,
    key_out: KeyOut = None,
    jwks: Jwks = None,
    signed: Signed = False,
    reason: Reason = None,
    data_dir: DataDir = None,
    mongodb_url: MongodbUrl = None,
) -> None:
    """Register the public key of a unit, as it was read from it or made for it."""
    _known(adapter)

    def added(public: dict[str, Any]) -> Any:
        async def act(hub: Hub) -> dict[str, Any]:
            unit = await _unit(hub, adapter, identifier, client_id, signed)
            async with Operator(hub, reason).recording("credential-add") as recording:
                made = await Registrar(hub.services, hub.oauth).add(unit, public, recording)
            return await _shown(hub, made)

        return in_hub(data_dir, mongodb_url, _said(act))

    with_key_out(key_out, jwks, added)


@app.command("rotate")
def rotate(
    id: CredentialId,
    key_out: KeyOut = None,
    jwks: Jwks = None,
    by_invitation: Annotated[
        bool, typer.Option("--invite", help="Print a code with which the unit registers its next key itself.")
    ] = False,
    overlap_hours: Overlap = 24,
    minutes: Minutes = 15,
    reason: Reason = None,
    data_dir: DataDir = None,
    mongodb_url: MongodbUrl = None,
) -> None:
    """New keys; the old ones stay good for a while, so that nothing that is under way is lost."""
    overlap_us = overlap_hours * HOUR_US
    if by_invitation:
        if key_out is not None or jwks is not None:
            raise typer.BadParameter("--invite leaves the key to the unit: give neither --key-out nor --jwks")

        async def act(hub: Hub) -> dict[str, Any]:
            found = await Registrar(hub.services, hub.oauth).unit(id)
            return await _invited(hub, await _again(hub, found, overlap_us), minutes, reason)

        _print(data_dir, mongodb_url, act)
        return

    def changed(public: dict[str, Any]) -> Any:
        async def act(hub: Hub) -> dict[str, Any]:
            await Registrar(hub.services, hub.oauth).unit(id)
            now = hub.services.clock()
            made = await Operator(hub, reason).change_client(
                "credential-rotate", id, lambda client: rotated(client, public, now + overlap_us, now)
            )
            return await _shown(hub, made)

        return in_hub(data_dir, mongodb_url, _said(act))

    with_key_out(key_out, jwks, changed)


@app.command("revoke")
def revoke(id: CredentialId, reason: Reason = None, data_dir: DataDir = None, mongodb_url: MongodbUrl = None) -> None:
    """End a credential, of a unit that is lost or retired: from its next request on every process refuses it."""

    async def act(hub: Hub) -> dict[str, Any]:
        await Registrar(hub.services, hub.oauth).unit(id)
        now = hub.services.clock()
        await Operator(hub, reason).change_client("credential-revoke", id, lambda client: replace(client, revoked_us=now))
        return {"client_id": id, "revoked": True}

    _print(data_dir, mongodb_url, act)


@app.command("list")
def list_(as_json: Json = False, reason: Reason = None, data_dir: DataDir = None, mongodb_url: MongodbUrl = None) -> None:
    """Every unit that has, or had, a credential."""

    async def act(hub: Hub) -> list[dict[str, Any]]:
        async with Operator(hub, reason).recording("credential-list"):
            found = await hub.oauth.of_units()
        return [await _shown(hub, one) for one in found]

    found = in_hub(data_dir, mongodb_url, act)
    if as_json:
        typer.echo(json.dumps(found, indent=2))
        return
    columns = ["client_id", "adapter", "identifier", "owner", "signed", "state"]
    shown = [{**one, "state": "revoked" if one["revoked"] else "active"} for one in found]
    table("Credentials of units", columns, [[str(one[column]) for column in columns] for one in shown])


def _known(adapter: str) -> None:
    if adapter not in adapters():
        raise typer.BadParameter(f"there is no adapter of this name; there are: {', '.join(sorted(adapters()))}")


async def _unit(hub: Hub, adapter: str, identifier: str, client_id: str, signed: bool) -> Unit:
    owner = await Registrar(hub.services, hub.oauth).owner(client_id)
    return Unit(owner=owner, adapter=adapter, identifier=identifier, signs=signed)


async def _again(hub: Hub, client: Client, overlap_us: int) -> Invitation:
    if client.unit is None:
        raise OperatorError("this is no unit's credential")
    return Invitation(
        owner=client.unit.owner,
        adapter=client.unit.adapter,
        identifier=await identifier_of(hub.services, client),
        signs=client.signs,
        credential=client.client_id,
        overlap_us=overlap_us,
    )


async def _invited(hub: Hub, invitation: Invitation, minutes: int, reason: str | None) -> dict[str, Any]:
    code = new_code(os.urandom(CODE_BYTES))
    expires_us = hub.services.clock() + minutes * MINUTE_US
    async with Operator(hub, reason).recording("credential-invite") as recording:
        note = await Invitations(hub.services).invite(code, invitation, expires_us)
        await recording.commit(Writes(notes=[note]), writes=())
    return {"code": code, "expires": fhir_instant(expires_us), "path": REGISTER}


async def _shown(hub: Hub, client: Client) -> dict[str, Any]:
    counted = await hub.oauth.find_client(client.client_id)
    unit = client.unit
    return {
        **shown_keys(client),
        "adapter": None if unit is None else unit.adapter,
        "identifier": await identifier_of(hub.services, client),
        "owner": None if unit is None else unit.owner,
        "scope": client.scopes,
        "signed": client.signs,
        "created": fhir_instant(client.created_us),
        "revoked": counted is None or counted.revoked_us is not None,
    }


def _said(act: Any) -> Any:
    """With what a person can act on, where something cannot be done."""

    async def said(hub: Hub) -> Any:
        try:
            return await act(hub)
        except ValueError as error:
            raise OperatorError(str(error)) from error

    return said


def _print(data_dir: Path | None, mongodb_url: str | None, act: Any) -> None:
    typer.echo(json.dumps(in_hub(data_dir, mongodb_url, _said(act)), indent=2))
