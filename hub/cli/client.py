"""hub client add | list | revoke; quota lies beside it."""

import json
import secrets
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from hub.app import check_scope_query
from hub.cli import client_key
from hub.cli.client_key import read_jwks, write_private
from hub.cli.client_quota import quota
from hub.cli.common import DataDir, Json, MongodbUrl, Reason, in_hub, table
from hub.instants import fhir_instant, now_us
from hub.operator import Operator
from hub.wiring import Hub
from security.context import PolicyDefault
from security.oauth.clients import Client, new_client_keys
from security.scopes import Scopes, ScopeSyntax

app = typer.Typer(no_args_is_help=True)
app.add_typer(client_key.app, name="key", help="The keys by which a client proves itself.")
app.command("quota")(quota)

PURPOSES = ("TREAT", "HPAYMT", "HOPERAT", "HRESCH", "PUBHLTH", "PATRQT", "HMARKT")
"""http://terminology.hl7.org/CodeSystem/v3-ActReason, the broadest codes: Consents are matched by equality, so a client
with a narrower purpose could pass a deny of the broader one."""

RequestsPerMinute = Annotated[
    int | None, typer.Option("--requests-per-minute", min=1, help="Requests of ingest; default: HUB_INGEST_REQUESTS_PER_MINUTE.")
]
ItemsPerMinute = Annotated[
    int | None, typer.Option("--items-per-minute", min=1, help="Items of ingest; default: HUB_INGEST_ITEMS_PER_MINUTE.")
]
Organization = Annotated[str | None, typer.Option("--organization", help="Organization/ID it acts for, or the name of a new one.")]


@app.command("add")
def add(
    name: Annotated[str, typer.Argument(help="What people call the application.")],
    scope: Annotated[str, typer.Option("--scope", help='SMART scopes, e.g. "system/*.rs".')],
    organization: Organization = None,
    purpose: Annotated[str, typer.Option("--purpose", help="Purpose of use, a code of v3-ActReason.")] = "TREAT",
    consent_default: Annotated[
        str, typer.Option("--consent-default", help="opt-in: no consent means no data. opt-out: care within the organisation.")
    ] = "opt-in",
    recorder: Annotated[bool, typer.Option("--recorder", help="May create Patient and Consent.")] = False,
    importer: Annotated[bool, typer.Option("--importer", help="May bring its own ids.")] = False,
    administrator: Annotated[bool, typer.Option("--administrator", help="May have it explained how a search runs.")] = False,
    confirmer: Annotated[bool, typer.Option("--confirmer", help="May say whose readings of shared units are.")] = False,
    requests_per_minute: RequestsPerMinute = None,
    items_per_minute: ItemsPerMinute = None,
    key_out: Annotated[Path | None, typer.Option("--key-out", help="Make a key pair and write the private key here (0600).")] = None,
    jwks: Annotated[str | None, typer.Option("--jwks", help="The client's public keys: a file or an https URL.")] = None,
    reason: Reason = None,
    data_dir: DataDir = None,
    mongodb_url: MongodbUrl = None,
) -> None:
    """Register a client; prints JSON with client_id."""
    scopes = _scopes(scope)
    if consent_default not in ("opt-in", "opt-out"):
        raise typer.BadParameter("--consent-default is opt-in or opt-out")
    if purpose not in PURPOSES:
        raise typer.BadParameter(f"--purpose is one of {', '.join(PURPOSES)}")
    if (key_out is None) == (jwks is None):
        raise typer.BadParameter("give either --key-out (the hub makes a key) or --jwks (the client has its own)")
    public, uri = _keys(key_out, jwks)
    reference = organization if organization and organization.startswith("Organization/") else ""
    client = Client(
        client_id=f"{_slug(name)}-{secrets.token_hex(4)}",
        name=name,
        scopes=scopes,
        organization=reference,
        purpose=purpose,
        consent_default=cast("PolicyDefault", consent_default),
        recorder=recorder,
        importer=importer,
        jwks=public,
        jwks_uri=uri,
        created_us=now_us(),
        administrator=administrator,
        confirmer=confirmer,
        requests_per_minute=requests_per_minute,
        items_per_minute=items_per_minute,
    )

    async def act(hub: Hub) -> Client:
        return await Operator(hub, reason).add_client(client, None if reference else organization)

    try:
        made = in_hub(data_dir, mongodb_url, act)
    except BaseException:
        if key_out is not None:
            key_out.unlink(missing_ok=True)  # a key without a client would only stand in the way of the next try
        raise
    typer.echo(json.dumps(_shown(made), indent=2))


@app.command("list")
def list_(as_json: Json = False, data_dir: DataDir = None, mongodb_url: MongodbUrl = None) -> None:
    """Every client that was ever registered."""

    async def act(hub: Hub) -> list[Client]:
        async with Operator(hub).recording("client-list"):
            return await hub.oauth.clients()

    clients = in_hub(data_dir, mongodb_url, act)
    if as_json:
        typer.echo(json.dumps([_shown(client) for client in clients], indent=2))
        return
    rows = [
        [one.client_id, one.name, one.scopes, one.purpose, one.consent_default, "revoked" if one.revoked_us else "active"]
        for one in clients
    ]
    table("Clients", ["client_id", "name", "scopes", "purpose", "consent", "state"], rows)


@app.command("revoke")
def revoke(
    client_id: Annotated[str, typer.Argument()],
    reason: Reason = None,
    data_dir: DataDir = None,
    mongodb_url: MongodbUrl = None,
) -> None:
    """End a client: from its next request on, its tokens are refused by every process."""

    async def act(hub: Hub) -> bool:
        return await Operator(hub, reason).revoke_client(client_id)

    in_hub(data_dir, mongodb_url, act)
    typer.echo(json.dumps({"client_id": client_id, "revoked": True}))


def _scopes(text: str) -> str:
    try:
        scopes = Scopes.parse(text)
        for scope in scopes.items:
            check_scope_query(scope.resource_type, scope.query)
    except (ScopeSyntax, ValueError) as error:
        raise typer.BadParameter(f"--scope: {error}") from None
    return scopes.text()


def _keys(key_out: Path | None, jwks: str | None) -> tuple[dict[str, Any] | None, str | None]:
    """Public keys inline, or where they are. A private key that the hub made is written once and not kept."""
    if key_out is not None:
        pem, public = new_client_keys()
        write_private(key_out, pem)
        return public, None
    if jwks is not None and "://" in jwks:
        if not jwks.startswith(("https://", "http://")):
            raise typer.BadParameter("--jwks: a URL must be https (http on this machine, for trying things out)")
        return None, jwks
    return read_jwks(Path(str(jwks))), None


def _slug(name: str) -> str:
    return "".join(letter if letter.isalnum() and letter.isascii() else "-" for letter in name.lower()).strip("-")[:32] or "client"


def _shown(client: Client) -> dict[str, Any]:
    return {
        "client_id": client.client_id,
        "name": client.name,
        "scope": client.scopes,
        "organization": client.organization,
        "purpose": client.purpose,
        "consent_default": client.consent_default,
        "recorder": client.recorder,
        "importer": client.importer,
        "administrator": client.administrator,
        "confirmer": client.confirmer,
        "requests_per_minute": client.requests_per_minute,
        "items_per_minute": client.items_per_minute,
        "created": fhir_instant(client.created_us),
        "revoked": None if client.revoked_us is None else fhir_instant(client.revoked_us),
    }
