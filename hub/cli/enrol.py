"""hub device enrol: what a unit does with its one-time code, for gateways that run this, and to try it out."""

import json
from pathlib import Path
from typing import Annotated

import httpx
import typer

from hub.cli.key_files import write_private
from hub.cli.saying import fail
from hub.cli.token import TIMEOUT_S, BaseUrl
from security.oauth.clients import new_client_keys

REGISTER = "/oauth/register"


def enrol(
    base_url: BaseUrl,
    code: Annotated[str, typer.Option("--code", envvar="HUB_ENROLMENT_CODE", help="As `hub device credential invite` printed it.")],
    key_out: Annotated[Path, typer.Option("--key-out", help="Make a key pair and write the private key here (0600).")],
) -> None:
    """Make a key pair, register its public half with a one-time code, and print the client_id that came of it."""
    pem, public = new_client_keys()
    write_private(key_out, pem)
    try:
        answer = _registered(base_url, code, public)
    except BaseException:
        key_out.unlink(missing_ok=True)  # a key that nobody registered would only stand in the way of the next try
        raise
    typer.echo(json.dumps(answer, indent=2))


def _registered(base_url: str, code: str, public: dict[str, object]) -> dict[str, object]:
    try:
        with httpx.Client(timeout=TIMEOUT_S, trust_env=False) as client:
            url = f"{base_url.rstrip('/')}{REGISTER}"
            answer = client.post(url, json={"jwks": public}, headers={"Authorization": f"Bearer {code}"})
    except httpx.HTTPError as error:
        fail(f"the hub at {base_url} does not answer ({type(error).__name__})")
    body: dict[str, object] = answer.json()
    if answer.is_error:
        fail(f"{body.get('error')}: {body.get('error_description')}" if "error" in body else f"HTTP {answer.status_code}")
    return {"client_id": body["client_id"], "scope": body["scope"]}
