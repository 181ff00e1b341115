"""What is done with a registration that is there, or that waits.

hub client show | change | approve | refuse | secret rotate | registration-token rotate | registration-token end
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from hub.cli import client_app
from hub.cli.common import DataDir, MongodbUrl, Reason, in_hub
from hub.cli.key_files import write_private
from hub.instants import fhir_instant
from hub.oauth.self_registered import SelfRegistered
from hub.registrations import Registrations
from hub.search.scope_query import check_scope_query
from hub.wiring import Hub
from security.oauth.clients import App, Client
from security.oauth.registration import metadata

secret = typer.Typer(no_args_is_help=True)
registration_token = typer.Typer(no_args_is_help=True)

ClientId = Annotated[str, typer.Argument(metavar="CLIENT_ID", help="As `hub client list` shows it.")]
Scope = Annotated[str | None, typer.Option("--scope", help="Fewer scopes than it asked for.")]
Organization = Annotated[str | None, typer.Option("--organization", help="Organization/ID it acts for, or the name of a new one.")]

Shown = Callable[[Client], dict[str, Any]]


@secret.callback()
def group() -> None:
    """The secret by which a client proves itself, where it has one."""


@registration_token.callback()
def token_group() -> None:
    """The token by which an app looks after its own registration (RFC 7592)."""


def commands(app: typer.Typer, shown: Shown) -> None:
    """Put them beside the others. `shown`: how a client is shown."""
    app.add_typer(secret, name="secret")
    app.add_typer(registration_token, name="registration-token")
    app.command("show")(_show(shown))
    app.command("approve")(_approve(shown))
    app.command("refuse")(refuse)
    app.command("change")(_change(shown))


def pending(one: SelfRegistered) -> dict[str, Any]:
    """Of an app that waits."""
    created, expires = fhir_instant(one.client.created_us), fhir_instant(one.expires_us)
    return {"client_id": one.client.client_id, **metadata(one.client), "created": created, "expires": expires, "pending": True}


def _show(shown: Shown) -> Callable[..., None]:
    def show(client_id: ClientId, data_dir: DataDir = None, mongodb_url: MongodbUrl = None) -> None:
        """Everything about a client, or about an app that waits to be approved; no secret."""

        async def act(hub: Hub) -> tuple[Client, str | None]:
            registrations = Registrations(hub, check_scope_query)
            found = await registrations.show(client_id)
            return found, await registrations.last_used(found)

        found, used = in_hub(data_dir, mongodb_url, act)
        typer.echo(
            json.dumps(
                {
                    **shown(found),
                    **_more(found),
                    "last_used": used,
                    "pending": found.pending,
                    "registration_token": found.registration_token is not None,
                },
                indent=2,
            )
        )

    return show


def _more(client: Client) -> dict[str, Any]:
    said = {name: value for name, value in metadata(client).items() if name not in ("client_name", "scope")}
    return said if client.app is not None else {"grant_types": said["grant_types"], "token_endpoint_auth_method": client.authentication}


def _approve(shown: Shown) -> Callable[..., None]:
    def approve(
        client_id: ClientId,
        scope: Scope = None,
        organization: Organization = None,
        reason: Reason = None,
        data_dir: DataDir = None,
        mongodb_url: MongodbUrl = None,
    ) -> None:
        """Let an app that registered itself work from now on, with the scopes it asked for or fewer."""

        async def act(hub: Hub) -> Client:
            return await Registrations(hub, check_scope_query, reason).approve(client_id, scope=scope, organization=organization)

        typer.echo(json.dumps(shown(in_hub(data_dir, mongodb_url, act)), indent=2))

    return approve


def refuse(client_id: ClientId, reason: Reason = None, data_dir: DataDir = None, mongodb_url: MongodbUrl = None) -> None:
    """Forget an app that registered itself and waits."""

    async def act(hub: Hub) -> None:
        await Registrations(hub, check_scope_query, reason).refuse(client_id)

    in_hub(data_dir, mongodb_url, act)
    typer.echo(json.dumps({"client_id": client_id, "refused": True}))


def _change(shown: Shown) -> Callable[..., None]:
    def change(
        client_id: ClientId,
        name: Annotated[str | None, typer.Option("--name", help="What people call it.")] = None,
        scope: Annotated[str | None, typer.Option("--scope", help="What it may ask for from now on.")] = None,
        redirect_uri: client_app.RedirectUris = None,
        launch_url: client_app.LaunchUrl = None,
        origin: client_app.Origins = None,
        homepage: client_app.Homepage = None,
        policy_uri: client_app.PolicyUri = None,
        logo_uri: client_app.LogoUri = None,
        contact: client_app.Contact = None,
        reason: Reason = None,
        data_dir: DataDir = None,
        mongodb_url: MongodbUrl = None,
    ) -> None:
        """Describe an app anew: what is given takes the place of what was, the rest stays."""
        given = {
            "redirect_uris": _tuple(redirect_uri),
            # Whoever changes where it is led back to changes whose pages may call, unless they say it themselves.
            "origins": _tuple(origin) if origin or not redirect_uri else (),
            "launch_url": launch_url,
            "homepage": homepage,
            "policy_uri": policy_uri,
            "logo_uri": logo_uri,
            "contact": contact,
        }
        of_app = {field: value for field, value in given.items() if value is not None}
        of_client: dict[str, Any] = {field: value for field, value in {"name": name, "scopes": scope}.items() if value is not None}
        if not of_app and not of_client:
            raise typer.BadParameter("say what to change")

        def changed(client: Client) -> Client:
            if client.app is None:
                raise ValueError("this client is no app; register another one, and revoke this one")
            return replace(client, **of_client, app=App(**{**_members(client.app), **of_app}))

        async def act(hub: Hub) -> Client:
            return await Registrations(hub, check_scope_query, reason).change(client_id, changed)

        typer.echo(json.dumps(shown(in_hub(data_dir, mongodb_url, act)), indent=2))

    return change


def _members(app: App) -> dict[str, Any]:
    return {name: getattr(app, name) for name in App.__dataclass_fields__}


def _tuple(values: Sequence[str] | None) -> tuple[str, ...] | None:
    return tuple(values) if values else None


@secret.command("rotate")
def rotate(
    client_id: ClientId,
    secret_out: Annotated[Path, typer.Option("--secret-out", help="Write the new secret here (0600), once.")],
    reason: Reason = None,
    data_dir: DataDir = None,
    mongodb_url: MongodbUrl = None,
) -> None:
    """Another secret; the old one is good no more from then on."""
    if secret_out.exists():
        raise typer.BadParameter("--secret-out: the file exists already; a key or a secret is never overwritten")

    async def act(hub: Hub) -> str:
        return (await Registrations(hub, check_scope_query, reason).rotate_secret(client_id))[1]

    made = in_hub(data_dir, mongodb_url, act)
    write_private(secret_out, made.encode(), "--secret-out")
    typer.echo(json.dumps({"client_id": client_id, "rotated": True}))


@registration_token.command("rotate")
def rotate_token(
    client_id: ClientId,
    token_out: Annotated[Path, typer.Option("--token-out", help="Write the new token here (0600), once.")],
    reason: Reason = None,
    data_dir: DataDir = None,
    mongodb_url: MongodbUrl = None,
) -> None:
    """Another token; the one before, which may have leaked or been lost, is good no more. The registration stays as it is."""
    if token_out.exists():
        raise typer.BadParameter("--token-out: the file exists already; a key or a secret is never overwritten")

    async def act(hub: Hub) -> str:
        return (await Registrations(hub, check_scope_query, reason).rotate_token(client_id))[1]

    made = in_hub(data_dir, mongodb_url, act)
    write_private(token_out, made.encode(), "--token-out")
    typer.echo(json.dumps({"client_id": client_id, "rotated": True}))


@registration_token.command("end")
def end_token(client_id: ClientId, reason: Reason = None, data_dir: DataDir = None, mongodb_url: MongodbUrl = None) -> None:
    """From now on only an administrator changes this registration, which goes on."""

    async def act(hub: Hub) -> None:
        await Registrations(hub, check_scope_query, reason).end_token(client_id)

    in_hub(data_dir, mongodb_url, act)
    typer.echo(json.dumps({"client_id": client_id, "ended": True}))
