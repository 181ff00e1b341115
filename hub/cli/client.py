"""hub client add | list | revoke; the other commands lie beside it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from hub.cli import client_app, client_key, client_registered
from hub.cli.client_quota import quota
from hub.cli.common import DataDir, Json, MongodbUrl, Reason, in_hub
from hub.cli.saying import table
from hub.instants import fhir_instant, now_us
from hub.operator import Operator
from hub.registrations import Registered, Registrations
from hub.search.scope_query import check_scope_query
from hub.wiring import Hub
from security.oauth.clients import Client, new_client_id
from security.scopes import Scopes, ScopeSyntax

app = typer.Typer(no_args_is_help=True)
app.add_typer(client_key.app, name="key", help="The keys by which a client proves itself.")
app.command("quota")(quota)

PURPOSES = ("TREAT", "HPAYMT", "HOPERAT", "HRESCH", "PUBHLTH", "PATRQT", "HMARKT")
"""http://terminology.hl7.org/CodeSystem/v3-ActReason, the broadest codes: Consents are matched by equality, so a client
with a narrower purpose could pass a deny of the broader one."""

AS_GIVEN = (
    *("name", "purpose", "consent_default", "recorder", "importer", "administrator", "confirmer"),
    *("requests_per_minute", "items_per_minute"),
)
"""Fields of `Client` that are what was typed."""

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
    app: client_app.IsApp = False,
    redirect_uri: client_app.RedirectUris = None,
    launch_url: client_app.LaunchUrl = None,
    origin: client_app.Origins = None,
    public: client_app.Public = False,
    secret_out: client_app.SecretOut = None,
    grant: client_app.Grants = None,
    homepage: client_app.Homepage = None,
    policy_uri: client_app.PolicyUri = None,
    logo_uri: client_app.LogoUri = None,
    contact: client_app.Contact = None,
    par_required: client_app.ParRequired = False,
    binding: client_app.BoundTo = "none",
    certificate: client_app.Certificate = None,
    introspector: client_app.Introspector = False,
    launcher: client_app.Launcher = False,
    reason: Reason = None,
    data_dir: DataDir = None,
    mongodb_url: MongodbUrl = None,
) -> None:
    """Register a client: a backend with a key or, with --app, an app through which people act. Prints JSON with client_id."""
    _add(locals())


def _add(given: Mapping[str, Any]) -> None:
    """`given`: the parameters of `add`, by name."""
    name, organization, key_out, data = given["name"], given["organization"], given["key_out"], (given["data_dir"], given["mongodb_url"])
    options = client_app.options_of(given)
    scopes = given["scope"] if options.app else _scopes(given["scope"])
    if given["consent_default"] not in ("opt-in", "opt-out"):
        raise typer.BadParameter("--consent-default is opt-in or opt-out")
    if given["purpose"] not in PURPOSES:
        raise typer.BadParameter(f"--purpose is one of {', '.join(PURPOSES)}")
    reference = organization if organization and organization.startswith("Organization/") else ""
    described = {
        "client_id": new_client_id(name),
        "scopes": scopes,
        "organization": reference,
        "created_us": now_us(),
        **{field: given[field] for field in AS_GIVEN},
        **client_app.app_fields(options),
    }
    proof = client_app.proof_of(options, key_out, given["jwks"])
    try:
        client = _described({**described, **proof.fields})

        async def act(hub: Hub) -> Client:
            return await Operator(hub, given["reason"]).add_client(client, None if reference else organization)

        made = in_hub(*data, act)
    except BaseException:
        proof.take_back()
        raise
    typer.echo(json.dumps(shown(made), indent=2))


def _described(fields: dict[str, Any]) -> Client:
    try:
        client = Client(**fields)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    return client if client.app is None else client_app.registrable_app(client)


@app.command("list")
def list_(
    as_json: Json = False,
    pending: Annotated[bool, typer.Option("--pending", help="Only apps that registered themselves and wait to be approved.")] = False,
    data_dir: DataDir = None,
    mongodb_url: MongodbUrl = None,
) -> None:
    """Every client that was ever registered; with --pending those that wait to be approved."""

    async def act(hub: Hub) -> Registered:
        return await Registrations(hub, check_scope_query).all()

    found = in_hub(data_dir, mongodb_url, act)
    if as_json:
        shown_all = [client_registered.pending(one) for one in found.waiting] if pending else [shown(client) for client in found.clients]
        typer.echo(json.dumps(shown_all, indent=2))
        return
    if pending:
        waiting = [[one.client.client_id, one.client.name, one.client.scopes, fhir_instant(one.expires_us)] for one in found.waiting]
        table("Apps that wait", ["client_id", "name", "scopes", "until"], waiting)
        return
    rows = [
        [one.client_id, one.name, one.scopes, one.purpose, one.consent_default, "revoked" if one.revoked_us else "active"]
        for one in found.clients
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


def shown(client: Client) -> dict[str, Any]:
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
        **client_app.shown_app(client),
    }


client_registered.commands(app, shown)
