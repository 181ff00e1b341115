"""POST /ingest/{adapter}: the vendor's side of the hub over HTTP; what waits is in `quarantine_routes`.

A batch is answered item by item with 200; 4xx only when nothing could be read (DESIGN 4).
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response

from adapters.contract import Manifest
from hub.errors import FhirError
from hub.http import PRIVATE, read_body
from hub.ingest.fates import Answer, array, ndjson
from hub.ingest.idempotency import HEADER, REPLAYED, Outcome, key_of, said_of, take_in_once
from hub.ingest.intake import Parcel, known_adapter, require_sender, take_in
from hub.ingest.quota import admit, charge, room_for
from hub.ingest.receiving import receive
from hub.ingest.signed import is_signed, require_signature
from hub.ingest.units import require_adapter
from hub.ingest.upload import Answering, Upload, is_upload, space_for
from hub.recording import Recording
from hub.repository import Repository

NDJSON = "application/x-ndjson"
UNSAID = frozenset({"", "application/octet-stream"})
PARAMETERS = frozenset({"device", "timeZone"})


async def ingest(request: Request, repository: Repository) -> Response:
    """The vendor's bytes as they are; one object per item back, in the payload's order.

    What an upload holds is handed to its answer when the record is durable: an answer that is never sent lets go of nothing.
    """
    async with AsyncExitStack() as held:
        made = await _recorded(request, repository, held)
        if isinstance(made, Answering):
            made.held = held.pop_all()
    return made


async def _recorded(request: Request, repository: Repository, held: AsyncExitStack) -> Response:
    """`held` gets what an upload needs until it is answered."""
    async with repository.recording("ingest") as recording:
        require_sender(repository)
        adapter = known_adapter(request.path_params["adapter"])
        require_adapter(repository.caller, adapter.manifest.name)
        asked, media_type = query_of(request), media_type_of(request, adapter.manifest)
        key = key_of(request.headers.get(HEADER))
        parcel = Parcel(adapter=adapter, payload=b"", device=asked.get("device"), time_zone=asked.get("timeZone"), media_type=media_type)
        await admit(repository.caller, repository.services)
        if not is_signed(request, repository.caller) and is_upload(request, parcel, repository.services.settings):
            return await _uploaded(request, repository, recording, parcel, key, held)
        with room_for(request, repository.services):
            payload = await read_body(request, repository.services.settings.max_ingest_bytes)
            await repository.standing.look()
            await require_signature(request, repository.caller, payload)
            outcome = await _taken_in(repository, recording, replace(parcel, payload=payload), key)
    return _response(request, outcome)


async def _taken_in(repository: Repository, recording: Recording, parcel: Parcel, key: str | None) -> Outcome:
    if key is None:
        outcome = Outcome(answers=await take_in(repository, recording, parcel))
    else:
        outcome = await take_in_once(repository, recording, parcel, key)
    if not outcome.replayed:
        await charge(repository.caller, repository.services, len(outcome.answers))
    return outcome


async def _uploaded(
    request: Request, repository: Repository, recording: Recording, parcel: Parcel, key: str | None, held: AsyncExitStack
) -> Response:
    """Through the spool; what turns out to be short goes the way of everything that is."""
    services, settings = repository.services, repository.services.settings
    spool = held.enter_context(space_for(request, repository, said_of(parcel)))
    await receive(request, spool, settings.max_upload_bytes)
    await repository.standing.look()
    if spool.size <= settings.max_ingest_bytes:
        payload = await asyncio.to_thread(spool.read_at, 0, spool.size)
        return _response(request, await _taken_in(repository, recording, replace(parcel, payload=payload), key))
    upload = Upload(repository, parcel, spool, key)
    held.callback(upload.close)
    await held.enter_async_context(services.turns.of(upload.turn))
    first = await upload.part(recording)
    is_replayed, lines = upload.replayed, NDJSON in request.headers.get("accept", "")
    made = Answering(_all(first, upload.rest()), lines=lines)
    made.headers.update({**_headers(replayed=is_replayed), "Content-Type": NDJSON if lines else "application/json"})
    return made


async def _all(first: Sequence[Answer], rest: AsyncIterator[Sequence[Answer]]) -> AsyncIterator[Sequence[Answer]]:
    yield first
    async for part in rest:
        yield part


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


def answered(request: Request, answers: Sequence[Answer]) -> Response:
    """One object per item, as an array or line by line."""
    return _response(request, Outcome(answers=list(answers)))


def _response(request: Request, outcome: Outcome) -> Response:
    headers = _headers(replayed=outcome.replayed)
    if NDJSON in request.headers.get("accept", ""):
        return Response(ndjson(outcome.answers), media_type=NDJSON, headers=headers)
    return Response(array(outcome.answers), media_type="application/json", headers=headers)


def _headers(*, replayed: bool) -> dict[str, str]:
    return {**PRIVATE, **({REPLAYED: "true"} if replayed else {})}
