"""hub keys: what there is, and the change of the keys that sign tokens."""

import json
from collections.abc import Awaitable
from typing import Annotated, Any, Literal

import typer

from hub.cli.client_key import KID_FROM_DASH
from hub.cli.common import DataDir, Json, MongodbUrl, Reason, in_hub
from hub.cli.saying import table
from hub.instants import fhir_instant
from hub.operator import Operator, OperatorError
from hub.wiring import Hub
from security.oauth.key_schedule import Standing

app = typer.Typer(no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Keys that seal the data, and those that sign tokens."""


@app.command("status")
def status(as_json: Json = False, data_dir: DataDir = None, mongodb_url: MongodbUrl = None) -> None:
    """Which key wraps, how many data keys there are, which keys sign the log's heads and tokens. No key is shown."""

    async def act(hub: Hub) -> tuple[dict[str, str | int], list[Standing]]:
        async with Operator(hub).recording("keys-status"):
            found: dict[str, str | int] = {
                "kms_key": hub.kms_key,
                "data_keys": await hub.count_keys(),
                "audit_head_public_key": hub.head_key.public_key().public_bytes_raw().hex(),
                "token_signing_key": hub.signing_keys.current.kid,
                "id_token_signing_key": hub.signing_keys.identity.kid,
            }
            return found, hub.keyring.standings()

    found, standings = in_hub(data_dir, mongodb_url, act)
    if as_json:
        typer.echo(json.dumps({**found, "signing_keys": [_shown(one) for one in standings]}, indent=2))
        return
    table("Keys", ["what", "value"], [[name, str(value)] for name, value in found.items()])
    _tell(standings)


@app.command("rotate")
def rotate(
    what: Annotated[Literal["signing"], typer.Argument(help="signing: the keys that sign access tokens and id_tokens.")],
    now: Annotated[
        bool, typer.Option("--now", help="In a few seconds, though who keeps the key set cannot know the new keys yet.")
    ] = False,
    reason: Reason = None,
    as_json: Json = False,
    data_dir: DataDir = None,
    mongodb_url: MongodbUrl = None,
) -> None:
    """Announce new keys; they sign when everybody can know them, and the old ones verify until their tokens have expired."""

    async def act(hub: Hub) -> list[Standing]:
        async with Operator(hub, reason).recording("keys-rotate", path=f"/keys/{what}") as recording:
            await _or_fail(hub.keyring.rotate(recording, haste=now))
        return hub.keyring.standings()

    _say(in_hub(data_dir, mongodb_url, act), as_json=as_json)


@app.command("withdraw", context_settings=KID_FROM_DASH)
def withdraw(
    kid: Annotated[str, typer.Argument(help="As `hub keys status` names it.")],
    reason: Reason = None,
    as_json: Json = False,
    data_dir: DataDir = None,
    mongodb_url: MongodbUrl = None,
) -> None:
    """A signing key that somebody else may have: what it signed is refused by every process within about a second."""

    async def act(hub: Hub) -> list[Standing]:
        async with Operator(hub, reason).recording("keys-rotate", path="/keys/signing", query=f"kid={kid}") as recording:
            await _or_fail(hub.keyring.withdraw(recording, kid))
        return hub.keyring.standings()

    _say(in_hub(data_dir, mongodb_url, act), as_json=as_json)


async def _or_fail(changing: Awaitable[None]) -> None:
    try:
        await changing
    except ValueError as error:
        raise OperatorError(str(error)) from error


def _say(standings: list[Standing], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"signing_keys": [_shown(one) for one in standings]}, indent=2))
    else:
        _tell(standings)


def _tell(standings: list[Standing]) -> None:
    rows = [[one.kid, one.algorithm, one.state, *_times(one)] for one in standings]
    table("Keys that sign tokens", ["kid", "algorithm", "state", "signs from", "gone at"], rows)


def _shown(one: Standing) -> dict[str, Any]:
    signs, until = _times(one)
    return {"kid": one.kid, "algorithm": one.algorithm, "state": one.state, "signs": signs, "until": until or None}


def _times(one: Standing) -> tuple[str, str]:
    return fhir_instant(one.signs_us), "" if one.until_us is None else fhir_instant(one.until_us)
