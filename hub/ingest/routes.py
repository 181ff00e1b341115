"""POST /ingest/{adapter}, GET /quarantine, POST /quarantine/{id}/replay: the vendor's side of the hub over HTTP.

A batch is answered item by item with 200; 4xx only when nothing could be read (DESIGN 4).
"""

import asyncio
from collections.abc import Mapping

import orjson
from starlette.requests import Request
from starlette.responses import Response

from adapters.contract import Adapter, Context, Unreadable
from adapters.discovery import adapters
from hub import outcomes
from hub.errors import FhirError
from hub.http import PRIVATE, read_body
from hub.ingest.fates import Answer, array, ndjson
from hub.ingest.pipeline import Pipeline, Sent
from hub.ingest.replay import list_waiting, replay_items
from hub.repository import Repository

NDJSON = "application/x-ndjson"
PARAMETERS = frozenset({"device", "timeZone"})
LIST_MAX = 1_000


async def ingest(request: Request, repository: Repository) -> Response:
    """The vendor's bytes as they are; one object per item back, in the payload's order."""
    async with repository.recording("ingest") as recording:
        repository.rights.require("Observation", "c")
        adapter = known_adapter(request.path_params["adapter"])
        asked = query_of(request)
        said = Context(media_type=_media_type(request), device=asked.get("device"))
        payload = await read_body(request, repository.services.settings.max_ingest_bytes)
        try:
            # In a thread: a payload that takes seconds to read must not hold up everybody else.
            items = await asyncio.to_thread(lambda: list(adapter.decode(payload, said)))
        except Unreadable as error:
            raise FhirError("structure", f"{error.code}: {error}", expression=error.pointer or None) from error
        sent = Sent(manifest=adapter.manifest, device=asked.get("device"), time_zone=asked.get("timeZone"))
        answers = await Pipeline(repository, sent, recording).run(items)
    return _response(request, answers)


async def quarantine(request: Request, repository: Repository) -> Response:
    """What of this client's items waits, and why; nothing of their values."""
    query_of(request)
    async with repository.recording("quarantine-list"):
        repository.rights.require("Observation", "c")
        waiting = await list_waiting(repository, LIST_MAX)
    return Response(orjson.dumps(waiting), media_type="application/json", headers=PRIVATE)


async def replay(request: Request, repository: Repository) -> Response:
    """Take waiting items through the pipeline again, after the cause is mended; `{id}` may be `all`."""
    async with repository.recording("quarantine-replay") as recording:
        repository.rights.require("Observation", "c")
        asked, id = query_of(request), request.path_params["id"]
        answers = await replay_items(
            repository,
            recording,
            ids=None if id == "all" else [id],
            device=asked.get("device"),
            time_zone=asked.get("timeZone"),
        )
        if id != "all" and not answers:
            raise outcomes.absent()
    return _response(request, answers)


def known_adapter(name: str) -> Adapter:
    found = adapters().get(name)
    if found is None:
        raise FhirError("not-found", f"There is no adapter of this name; there are: {', '.join(sorted(adapters()))}.")
    return found


def query_of(request: Request) -> Mapping[str, str]:
    """Device and timeZone; a misspelt parameter is refused, or a zone would silently be missing."""
    for name in request.query_params:
        if name not in PARAMETERS:
            raise FhirError("invalid", f"The parameters are {', '.join(sorted(PARAMETERS))}; there is an unknown one.")
    return request.query_params


def _media_type(request: Request) -> str | None:
    """Without its parameters, in lower case (RFC 9110 section 8.3.1)."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower() or None


def _response(request: Request, answers: list[Answer]) -> Response:
    if NDJSON in request.headers.get("accept", ""):
        return Response(ndjson(answers), media_type=NDJSON, headers=PRIVATE)
    return Response(array(answers), media_type="application/json", headers=PRIVATE)
