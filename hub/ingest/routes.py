"""POST /ingest/{adapter}, GET /quarantine, POST /quarantine/{id}/replay: the vendor's side of the hub over HTTP.

A batch is answered item by item with 200; 4xx only when nothing could be read (DESIGN 4).
"""

from collections.abc import Mapping

import orjson
from starlette.requests import Request
from starlette.responses import Response

from adapters.contract import Manifest
from hub import outcomes
from hub.errors import FhirError
from hub.http import PRIVATE, read_body
from hub.ingest.fates import array, ndjson
from hub.ingest.idempotency import HEADER, REPLAYED, Outcome, key_of, take_in_once
from hub.ingest.intake import Parcel, known_adapter, require_sender, take_in
from hub.ingest.quota import admit, charge, room_for
from hub.ingest.replay import list_waiting, replay_items
from hub.repository import Repository

NDJSON = "application/x-ndjson"
UNSAID = frozenset({"", "application/octet-stream"})
PARAMETERS = frozenset({"device", "timeZone"})
LIST_MAX = 1_000


async def ingest(request: Request, repository: Repository) -> Response:
    """The vendor's bytes as they are; one object per item back, in the payload's order."""
    async with repository.recording("ingest") as recording:
        require_sender(repository)
        adapter = known_adapter(request.path_params["adapter"])
        asked, media_type = query_of(request), media_type_of(request, adapter.manifest)
        key = key_of(request.headers.get(HEADER))
        await admit(repository.caller, repository.services)
        with room_for(request, repository.services):
            payload = await read_body(request, repository.services.settings.max_ingest_bytes)
            parcel = Parcel(
                adapter=adapter, payload=payload, device=asked.get("device"), time_zone=asked.get("timeZone"), media_type=media_type
            )
            if key is None:
                outcome = Outcome(answers=await take_in(repository, recording, parcel))
            else:
                outcome = await take_in_once(repository, recording, parcel, key)
        if not outcome.replayed:
            await charge(repository.caller, repository.services, len(outcome.answers))
    return _response(request, outcome)


async def quarantine(request: Request, repository: Repository) -> Response:
    """What of this client's items waits, and why; nothing of their values."""
    query_of(request)
    async with repository.recording("quarantine-list"):
        require_sender(repository)
        waiting = await list_waiting(repository, LIST_MAX)
    return Response(orjson.dumps(waiting), media_type="application/json", headers=PRIVATE)


async def replay(request: Request, repository: Repository) -> Response:
    """Take waiting items through the pipeline again, after the cause is mended; `{id}` may be `all`."""
    async with repository.recording("quarantine-replay") as recording:
        require_sender(repository)
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
    return _response(request, Outcome(answers=answers))


def query_of(request: Request) -> Mapping[str, str]:
    """Device and timeZone; a misspelt parameter is refused, or a zone would silently be missing."""
    for name in request.query_params:
        if name not in PARAMETERS:
            raise FhirError("invalid", f"The parameters are {', '.join(sorted(PARAMETERS))}; there is an unknown one.")
    return request.query_params


def media_type_of(request: Request, manifest: Manifest) -> str | None:
    """Without its parameters, in lower case (RFC 9110 section 8.3.1); None where it is not said. Raises FhirError media-type.

    https://www.rfc-editor.org/rfc/rfc9110#section-8.3: without a Content-Type a recipient may look at the body itself, and
    application/octet-stream says no more than that these are bytes.
    """
    said = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if said in UNSAID:
        return None
    if said not in manifest.media_types and _plainly(said) not in manifest.media_types:
        read = ", ".join(manifest.media_types)
        raise FhirError("media-type", f"The adapter {manifest.name} reads {read}; send its type, or none.", expression="http.Content-Type")
    return said


def _plainly(media_type: str) -> str:
    """What a structured suffix says of the syntax: application/fhir+json is JSON (RFC 6839)."""
    before, plus, suffix = media_type.rpartition("+")
    return f"{before.partition('/')[0]}/{suffix}" if plus else media_type


def _response(request: Request, outcome: Outcome) -> Response:
    headers = {**PRIVATE, **({REPLAYED: "true"} if outcome.replayed else {})}
    if NDJSON in request.headers.get("accept", ""):
        return Response(ndjson(outcome.answers), media_type=NDJSON, headers=headers)
    return Response(array(outcome.answers), media_type="application/json", headers=headers)
