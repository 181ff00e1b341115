"""hub token: an access token for a backend service, to try things out."""

import secrets
import time
from pathlib import Path
from typing import Annotated

import httpx
import typer

from hub.cli.prover import Prover
from hub.cli.saying import fail
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
    dpop: Annotated[
        Path | None, typer.Option("--dpop", help="Bind the token to the key in this file (PEM, made if it is not there).")
    ] = None,
    assertion: Annotated[
        bool, typer.Option("--assertion", help="Print a signed assertion instead, to prove the client at another endpoint with; good once.")
    ] = False,
    proof: Annotated[
        str | None, typer.Option("--proof", help='With --dpop: print the headers of one request instead, e.g. "GET http://…/fhir/Patient".')
    ] = None,
) -> None:
    """Print an access token (SMART Backend Services, private_key_jwt)."""
    method, _, url = (proof or "").partition(" ")
    if proof is not None and (dpop is None or not url):
        raise typer.BadParameter("--proof is a method and a URL, and goes with --dpop")
    if assertion:
        typer.echo(fetch_assertion(base_url, client_id, key))
        return
    prover = None if dpop is None else Prover.of_file(dpop)
    given = fetch_token(base_url, client_id, key, scope, prover)
    if prover is None or proof is None:
        typer.echo(given)
        return
    for name, value in prover.headers(method, url, given).items():
        typer.echo(f"{name}: {value}")


def fetch_token(base_url: str, client_id: str, key: Path, scope: str = DEFAULT_SCOPE, prover: Prover | None = None) -> str:
    """Ask the hub where its token endpoint is, sign an assertion for it, and return the token; of a prover it is bound to its key."""
    try:
        with httpx.Client(timeout=TIMEOUT_S, trust_env=False) as client:
            endpoint = _token_endpoint(client, base_url)
            pem = key.read_bytes()

            def ask() -> httpx.Response:
                assertion = _assertion(client_id, pem, endpoint)
                headers = {} if prover is None else prover.proof("POST", endpoint)
                return client.post(endpoint, data=token_form(assertion, scope), headers=headers)

            answer = ask()
            if prover is not None and prover.asked_again(answer):
                answer = ask()
    except httpx.HTTPError as error:
        fail(f"the hub at {base_url} does not answer ({type(error).__name__})")
    except (OSError, ValueError) as error:
        fail(f"the key cannot be used: {error}")
    body = answer.json()
    if answer.is_error:
        fail(f"{body.get('error')}: {body.get('error_description')}")
    return str(body["access_token"])


def fetch_assertion(base_url: str, client_id: str, key: Path) -> str:
    """A signed assertion for the hub (RFC 7523). Its audience is the token endpoint, whichever endpoint it is shown to."""
    try:
        with httpx.Client(timeout=TIMEOUT_S, trust_env=False) as client:
            return _assertion(client_id, key.read_bytes(), _token_endpoint(client, base_url))
    except httpx.HTTPError as error:
        fail(f"the hub at {base_url} does not answer ({type(error).__name__})")
    except (OSError, ValueError) as error:
        fail(f"the key cannot be used: {error}")


def _token_endpoint(client: httpx.Client, base_url: str) -> str:
    found = client.get(f"{base_url.rstrip('/')}/fhir/.well-known/smart-configuration")
    found.raise_for_status()
    return str(found.json()["token_endpoint"])


def _assertion(client_id: str, pem: bytes, endpoint: str) -> str:
    return client_assertion(client_id, pem, endpoint, time.time_ns() // 1_000, secrets.token_urlsafe(24))
