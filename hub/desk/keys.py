"""/console/keys: the keys that sign tokens. New ones are announced here; what is in haste, or leaked, is for `hub keys`."""

from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from hub.desk import Desk
from hub.desk.sure import sure
from hub.desk.user_words import KEY_WORDS
from hub.instants import fhir_instant
from hub.operator import OperatorError
from security.oauth.key_schedule import Standing

PATH: Final = "/console/keys"


async def keys(request: Request, desk: Desk) -> Response:
    """Which sign, which verify and until when. No key is shown."""
    async with desk.recording("keys-status"):
        rows = [_row(one) for one in desk.hub.keyring.standings()]
    told = "rotate" if request.query_params.get("told") == "rotate" else None
    return desk.page("keys.html", KEY_WORDS, rows=rows, told=told)


async def ask_keys(_: Request, desk: Desk) -> Response:
    """Is it meant?"""
    async with desk.recording("keys-status"):
        return sure(desk, KEY_WORDS, title="do-rotate-keys", what="sure-rotate-keys", name="", act=f"{PATH}/rotate", back=PATH)


async def rotate_keys(_: Request, desk: Desk) -> Response:
    """Successors are announced. Refused where they are already."""
    async with desk.operator.recording("keys-rotate", path="/keys/signing") as recording:
        try:
            await desk.hub.keyring.rotate(recording)
        except ValueError as error:
            raise OperatorError(str(error)) from error
    return desk.done(f"{PATH}?told=rotate")


def _row(one: Standing) -> dict[str, Any]:
    until = None if one.until_us is None else fhir_instant(one.until_us)
    return {"kid": one.kid, "algorithm": one.algorithm, "state": one.state, "signs": fhir_instant(one.signs_us), "until": until}
