"""HTTP as FHIR uses it: negotiation, preferences, bodies, headers. Nothing here knows a resource type.

https://hl7.org/fhir/R4/http.html
"""

import asyncio
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response

from hub.errors import FhirError
from hub.instants import from_http_date, http_date
from hub.rendering import FHIR_JSON, resource_of
from hub.repository.precondition import Precondition
from hub.repository.reading import Resource

ETAG = re.compile(r'\s*(?:W/)?"([1-9][0-9]{0,8})"\s*')
PREFERENCE = re.compile(r'\s*([^\s=]+)\s*(?:=\s*"?([^\s"]*)"?)?\s*')
CODINGS = frozenset({"", "identity", "gzip"})
PRIVATE = {"Cache-Control": "private, no-store", "X-Content-Type-Options": "nosniff"}
"""Nobody between us and the caller keeps health data (ASVS 14.3.2)."""


RETURNS = frozenset({"minimal", "representation", "OperationOutcome"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    """The Prefer header. https://hl7.org/fhir/R4/http.html#ops, https://hl7.org/fhir/R4/search.html#errors"""

    returning: str = "representation"
    lenient: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What came in, reduced to what interactions and the log may use."""

    request_id: str
    method: str
    path: str
    query: str
    headers: Headers
    client_request_id: str | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)


BODY_S = 120.0
"""How long a body may take to come, however steadily: what it is decided by was looked up when it began."""


def overdue(seconds: float) -> FhirError:
    """For a body that was not whole in time."""
    return FhirError(
        "structure", f"The body was not at its end after {seconds:.0f} seconds; send it again, over a faster line or in parts."
    )


async def read_body(request: Request, limit: int) -> bytes:
    """The body, unpacked, never more than `limit` bytes of it in memory. Raises FhirError too-long, media-type, structure.

    https://www.rfc-editor.org/rfc/rfc9110#section-8.4: gzip, or as it is
    """
    coding = request.headers.get("content-encoding", "").strip().lower()
    if coding not in CODINGS:
        raise FhirError("media-type", "Content-Encoding may be gzip or absent.", expression="http.Content-Encoding")
    too_long = FhirError("too-long", f"The body is longer than {limit} bytes.")
    if int(request.headers.get("content-length") or 0) > limit:
        raise too_long
    parts, size = [], 0
    try:
        async with asyncio.timeout(BODY_S):
            async for part in request.stream():
                size += len(part)
                if size > limit:
                    raise too_long
                parts.append(part)
    except TimeoutError:
        raise overdue(BODY_S) from None
    body = b"".join(parts)
    return gunzip(body, limit) if coding == "gzip" else body


def gunzip(body: bytes, limit: int) -> bytes:
    """Never more than `limit` bytes come out, whatever the input promises."""
    unpacker = zlib.decompressobj(wbits=31)
    try:
        plain = unpacker.decompress(body, limit + 1)
    except zlib.error:
        raise FhirError("structure", "The body says gzip and is not.", expression="http.Content-Encoding") from None
    if len(plain) > limit:
        raise FhirError("too-long", f"The unpacked body is longer than {limit} bytes.")
    if not unpacker.eof or unpacker.unused_data:
        raise FhirError("structure", "The gzip body is cut off, or something follows it.", expression="http.Content-Encoding")
    return plain


def parse_resource(type: str, content_type: str, body: bytes) -> dict[str, object]:
    """A resource that says it is of this type, in JSON or XML. Raises FhirError; never repeats what it got."""
    content = resource_of(content_type, body)
    if content.get("resourceType") != type:
        raise FhirError("structure", f"The body must be a resource of the type in the URL, {type}.", expression=type)
    return content


def preferences(headers: Headers, *, otherwise: str = "representation") -> Preferences:
    """https://www.rfc-editor.org/rfc/rfc7240#section-2: in one header or several, names in any case; the first of a name counts.

    otherwise  what comes back where `return` says nothing that R4 knows
    """
    said: dict[str, str] = {}
    for part in ",".join(headers.getlist("prefer")).replace(";", ",").split(","):
        found = PREFERENCE.fullmatch(part)
        if found is not None:
            said.setdefault(found[1].lower(), found[2] or "")
    returning = said.get("return", "")
    return Preferences(
        returning=returning if returning in RETURNS else otherwise,
        lenient=said.get("handling") == "lenient",
    )


def precondition(headers: Headers) -> Precondition:
    """If-Match and If-None-Match of a write, each `*` or versions separated by commas.

    Raises FhirError precondition for an If-Match that no version can match; an If-None-Match of the kind forbids nothing.
    """
    if_match, if_none_match = _listed(headers, "if-match"), _listed(headers, "if-none-match")
    wanted = None if if_match is None or if_match.strip() == "*" else versions(if_match)
    if wanted is not None and not wanted:
        raise FhirError("precondition", 'If-Match must be * or versions, written W/"1", separated by commas.', expression="http.If-Match")
    absent = if_none_match is not None and if_none_match.strip() == "*"
    unwanted = frozenset[int]() if if_none_match is None or absent else versions(if_none_match)
    return Precondition(wanted=wanted, exists=if_match is not None, unwanted=unwanted, absent=absent)


def _listed(headers: Headers, name: str) -> str | None:
    """https://www.rfc-editor.org/rfc/rfc9110#section-5.3: several lines of a list are one list."""
    lines = headers.getlist(name)
    return ",".join(lines) if lines else None


def versions(etags: str) -> frozenset[int]:
    """Those of a list of entity tags that can be versions; empty if one of the list is no entity tag of ours."""
    found = [ETAG.fullmatch(one) for one in etags.split(",")]
    return frozenset(int(one[1]) for one in found if one) if all(found) else frozenset()


def etag(version: int) -> str:
    """https://hl7.org/fhir/R4/http.html#versioning: the version id as a weak validator."""
    return f'W/"{version}"'


class ResourceResponse(Response):
    """Of one resource; a batch tells when it was changed more exactly than a header can."""

    updated_us: int = 0


def resource_response(
    resource: Resource,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    media_type: str | None = FHIR_JSON,
) -> ResourceResponse:
    """A resource with its version and time. https://hl7.org/fhir/R4/http.html#versioning. No format is claimed for no content.

    media_type  None where the headers say what the body is
    """
    content = resource.json if body is None else body
    made = ResourceResponse(
        content,
        status_code=status,
        media_type=media_type if content else None,
        headers={
            "ETag": etag(resource.version),
            "Last-Modified": http_date(resource.updated_us),
            **PRIVATE,
            **(headers or {}),
        },
    )
    made.updated_us = resource.updated_us
    return made


def read_response(headers: Headers, resource: Resource, body: bytes | None = None) -> Response:
    """What was read, or 304 for a client that has it already. https://hl7.org/fhir/R4/http.html#cread"""
    if not is_known(headers, resource):
        return resource_response(resource, body=body)
    # https://www.rfc-editor.org/rfc/rfc9110#section-15.4.5: as the answer with the content would have it
    return resource_response(resource, status=304, body=b"", headers={"Vary": "Accept"})


def is_known(headers: Headers, resource: Resource) -> bool:
    """RFC 9110 13.1.2, 13.1.3: where If-None-Match is given, it alone counts; a date that is none is passed over."""
    etags = ",".join(headers.getlist("if-none-match"))
    if etags:
        known = (ETAG.fullmatch(one) for one in etags.split(","))
        return etags.strip() == "*" or any(one is not None and int(one[1]) == resource.version for one in known)
    since_s = from_http_date(headers.get("if-modified-since", ""))
    return since_s is not None and resource.updated_us // 1_000_000 <= since_s


def json_response(body: bytes, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(body, status_code=status, media_type=FHIR_JSON, headers={**PRIVATE, **(headers or {})})
