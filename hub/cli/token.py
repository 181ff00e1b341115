"""hub token: an access token for a backend service, to try things out."""

import secrets
import time
from pathlib import Path
from typing import Annotated

import httpx
import typer

from hub.cli.common import fail
from security.oauth.client import DEFAULT_SCOPE, client_assertion, token_form

TIMEOUT_S = 10

BaseUrl = Annotated[str, typer.Option("--base-url", help="Where the hub answers, e.g. http://127.0.0.1:8000")]
ClientId = Annotated[str, typer.Option("--client-id", help="As `hub client add` printed it.")]
Key = Annotated[Path, typer.Option("--key", help="The client's private key, PEM.")]


def token(
    base_url: BaseUrl,
    client_id: ClientId,
    key: Key,
    scope: Annotated[str, typer.Option("--scope", help="What to ask for; the hub narrows it to what is registered.")] = DEFAULT_SCOPE,
) -> None:
    """Print an access token (SMART Backend Services, private_key_jwt)."""
    typer.echo(fetch_token(base_url, client_id, key, scope))


def fetch_token(base_url: str, client_id: str, key: Path, scope: str = DEFAULT_SCOPE) -> str:
    """Ask the hub where its token endpoint is, sign an assertion for it, and return the token."""
    try:
        with httpx.Client(timeout=TIMEOUT_S, trust_env=False) as client:
            found = client.get(f"{base_url.rstrip('/')}/fhir/.well-known/smart-configuration")
            found.raise_for_status()
            endpoint = str(found.json()["token_endpoint"])
            assertion = client_assertion(client_id, key.read_bytes(), endpoint, time.time_ns() // 1_000, secrets.token_urlsafe(24))
            answer = client.post(endpoint, data=token_form(assertion, scope))
    except httpx.HTTPError as error:
        fail(f"the hub at {base_url} does not answer ({type(error).__name__})")
    except (OSError, ValueError) as error:
        fail(f"the key cannot be used: {error}")
    body = answer.json()
    if answer.is_error:
        fail(f"{body.get('error')}: {body.get('error_description')}")
    return str(body["access_token"])
