"""hub client key add | list | retire: the keys of a client changed while it goes on working."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from hub.cli.common import DataDir, Json, MongodbUrl, Reason, in_hub
from hub.cli.key_files import read_jwks, write_private
from hub.cli.saying import table
from hub.instants import fhir_instant, now_us
from hub.operator import Operator, OperatorError
from hub.wiring import Hub
from security.oauth.clients import Client, new_client_keys
from security.oauth.rotation import keys_of, retired, with_keys

app = typer.Typer(no_args_is_help=True)
HOUR_US = 3_600_000_000
HOURS_MAX = 8_760

ClientId = Annotated[str, typer.Argument(metavar="CLIENT_ID", help="As `hub client list` shows it.")]
KeyOut = Annotated[Path | None, typer.Option("--key-out", help="Make a key pair and write the private key here (0600).")]
Jwks = Annotated[Path | None, typer.Option("--jwks", help="A file with public keys.")]
KID_FROM_DASH = {"ignore_unknown_options": True}
"""A thumbprint (RFC 7638) in base64url may begin with a dash, and is then no option."""
OverlapHours = Annotated[int, typer.Option("--after-hours", min=0, max=HOURS_MAX, help="How long it stays good; 0 ends it at once.")]


@app.command("add")
def add(
    client_id: ClientId,
    key_out: KeyOut = None,
    jwks: Jwks = None,
    reason: Reason = None,
    data_dir: DataDir = None,
    mongodb_url: MongodbUrl = None,
) -> None:
    """One more key beside those that are good; `retire` ends the old one."""
    with_key_out(key_out, jwks, lambda public: _added(client_id, public, reason, data_dir, mongodb_url))


@app.command("retire", context_settings=KID_FROM_DASH)
def retire(
    client_id: ClientId,
    kid: Annotated[str, typer.Argument(metavar="KID", help="As `hub client key list` shows it.")],
    after_hours: OverlapHours = 24,
    reason: Reason = None,
    data_dir: DataDir = None,
    mongodb_url: MongodbUrl = None,
) -> None:
    """End a key. From then on every process refuses it, and the tokens that it was used to obtain."""

    async def act(hub: Hub) -> Client:
        now = hub.services.clock()
        return await Operator(hub, reason).change_client(
            "client-key-retire", client_id, lambda client: retired(client, kid, now + after_hours * HOUR_US, now)
        )

    typer.echo(json.dumps(shown_keys(in_hub(data_dir, mongodb_url, act)), indent=2))


@app.command("list")
def list_(client_id: ClientId, as_json: Json = False, data_dir: DataDir = None, mongodb_url: MongodbUrl = None) -> None:
    """The keys of a client, and until when each is good."""

    async def act(hub: Hub) -> Client:
        async with Operator(hub).recording("client-key-list"):
            found = await hub.oauth.registration(client_id)
            if found is None:
                raise OperatorError("there is no client of this id; hub client list shows them")
        return found

    found = shown_keys(in_hub(data_dir, mongodb_url, act))["keys"]
    if as_json:
        typer.echo(json.dumps(found, indent=2))
    else:
        columns = ["kid", "kty", "good", "until"]
        table("Keys", columns, [["" if one[column] is None else str(one[column]) for column in columns] for one in found])


def with_key_out(key_out: Path | None, jwks: Path | None, act: Any) -> None:
    """`act` on the public keys; what it gives is printed. A private key is written once, and taken back if nothing came of it."""
    if (key_out is None) == (jwks is None):
        raise typer.BadParameter("give either --key-out (the hub makes a key) or --jwks (the client has its own)")
    if key_out is None:
        typer.echo(json.dumps(act(read_jwks(Path(str(jwks)))), indent=2))
        return
    pem, public = new_client_keys()
    write_private(key_out, pem)
    try:
        made = act(public)
    except BaseException:
        key_out.unlink(missing_ok=True)  # a key that nobody registered would only stand in the way of the next try
        raise
    typer.echo(json.dumps(made, indent=2))


def shown_keys(client: Client) -> dict[str, Any]:
    """Public keys by name; nothing else of them is of use to a person."""
    now = now_us()
    return {
        "client_id": client.client_id,
        "keys": [
            {
                "kid": one["kid"],
                "kty": one["kty"],
                "good": client.holds(one["kid"], now),
                "until": None if one["until_us"] is None else fhir_instant(one["until_us"]),
            }
            for one in keys_of(client)
        ],
    }


def _added(client_id: str, public: dict[str, Any], reason: str | None, data_dir: Path | None, mongodb_url: str | None) -> dict[str, Any]:
    async def act(hub: Hub) -> Client:
        now = hub.services.clock()
        return await Operator(hub, reason).change_client("client-key-add", client_id, lambda client: with_keys(client, public, now))

    return shown_keys(in_hub(data_dir, mongodb_url, act))
