"""A Binary as the bytes that it holds, in their own format: how they are asked for, answered and sent.

https://hl7.org/fhir/R4/binary.html#rest: unless FHIR is asked for by name, a read answers the content; what is sent is the content,
but for a Binary itself, and `X-Security-Context` says whose it is.
"""

import base64
import re
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

import orjson
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from hub.errors import FhirError
from hub.http import is_known, parse_resource, resource_response
from hub.rendering import FHIR_JSON, FHIR_XML, FORMAT_OF, Wanted, is_ours, type_of, wanted, weight_of
from hub.repository import Repository
from hub.repository.attempt import ALL, Elements
from hub.repository.content import stored_content
from hub.repository.reading import Resource

BINARY: Final = "Binary"
CONTEXT: Final = "X-Security-Context"
ELEMENTS: Elements = frozenset({"contentType", "_contentType", "data", "_data"})
"""What bytes and their format say of a Binary. The rest of it they cannot say, so an update by bytes leaves it."""

_FORMAL: Final = frozenset({FHIR_JSON, FHIR_XML, "application/json+fhir", "application/xml+fhir"})
"""Names that mean FHIR and nothing else. The generic ones, and wildcards, may as well mean the content."""
_OF_A_RESOURCE: Final = ("_format", "_summary", "_elements")
"""Who asks for a format of FHIR or for elements asks for the resource."""

_NAME: Final = r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}"
_WORD: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_MEDIA_TYPE: Final = re.compile(rf'{_NAME}/{_NAME}(?: ?; ?{_WORD}=(?:{_WORD}|"[ !#-\[\]-~]*"))*', re.ASCII)
"""RFC 6838 4.2 and RFC 9110 8.3.1, without escapes."""
_UNKNOWN: Final = "application/octet-stream"
_REFERENCE: Final = re.compile(r"[!-~]+", re.ASCII)

_HARMLESS: Final[Mapping[str, str]] = {
    "Content-Disposition": "attachment",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Vary": "Accept",
}
"""A page or a drawing that somebody stored must not run in a browser under the hub's name. https://www.w3.org/TR/CSP3/#directive-sandbox"""


def wanted_of_binary(request: Request) -> Wanted:
    """How a Binary is written, should it be answered as a resource. Raises FhirError not-acceptable where its bytes would not do either."""
    try:
        return wanted(request)
    except FhirError:
        if _asks_for_resource(request) or not may_be_bytes(request.headers.get("accept", "")):
            raise
        return Wanted()


def answered_as_bytes(request: Request, resource: Resource) -> Response | None:
    """The content of a Binary, for a caller who takes that rather than the resource; None otherwise and for every other type."""
    if resource.type != BINARY or _asks_for_resource(request):
        return None
    content: Mapping[str, Any] = orjson.loads(resource.json)
    if not prefers_bytes(request.headers.get("accept", ""), content["contentType"]) and _is_writable(request):
        return None
    headers = {**_HARMLESS, **_context(content)}
    if is_known(request.headers, resource):
        return resource_response(resource, status=304, headers=headers, body=b"")
    body = base64.b64decode(content.get("data", ""))
    return resource_response(resource, headers={**headers, "Content-Type": _sent_as(content["contentType"])}, body=body, media_type=None)


async def answered_in_pieces(request: Request, resource: Resource, repository: Repository) -> Response | None:
    """As `answered_as_bytes`, for a Binary whose bytes lie beside it: they are sent as they are opened. None for every other.

    As a resource it is answered without `data`.
    """
    if resource.type != BINARY or _asks_for_resource(request):
        return None
    content: Mapping[str, Any] = orjson.loads(resource.json)
    stored = stored_content(content)
    if stored is None or (not prefers_bytes(request.headers.get("accept", ""), content["contentType"]) and _is_writable(request)):
        return None
    headers = {**_HARMLESS, **_context(content)}
    if is_known(request.headers, resource):
        return resource_response(resource, status=304, headers=headers, body=b"")
    made = StreamingResponse(await _begun(repository.content(resource, stored)))
    made.headers.update(
        {**resource_response(resource, headers=headers, body=b"").headers, "Content-Type": _sent_as(content["contentType"])}
    )
    made.headers["Content-Length"] = str(stored.size_bytes)
    return made


async def _begun(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The same, with the first piece at hand: what has none is absent while that can still be said."""
    first = await anext(pieces)

    async def all_of_them() -> AsyncIterator[bytes]:
        yield first
        async for piece in pieces:
            yield piece

    return all_of_them()


def prefers_bytes(accept: str, content_type: str) -> bool:
    """Content or resource? FHIR by its own names counts as much as it weighs, and before the content where both weigh the same.

    The generic names (application/json, application/xml) mean the content if that is of such a type, and FHIR only where the content
    is not accepted. Who accepts neither is answered the content: R4 asks for FHIR by name, and RFC 9110 12.5.1 leaves it to the server.
    """
    offers = [type_of(one) for one in accept.split(",")] if accept.strip() else [("*/*", {})]
    formal = max((weight_of(more) for type, more in offers if type in _FORMAL and is_ours(more)), default=0.0)
    content = _weight_of_content(type_of(content_type)[0], offers)
    if formal and formal >= content:
        return False
    return bool(content) or not any(weight_of(more) for type, more in offers if type in FORMAT_OF and is_ours(more))


def may_be_bytes(accept: str) -> bool:
    """Is there anything in it that could mean a content?"""
    offers = map(type_of, accept.split(","))
    return not accept.strip() or any(type not in _FORMAL and weight_of(more) for type, more in offers)


def sent_resource(request: Request, type: str, body: bytes, id: str | None = None) -> tuple[dict[str, Any], Elements]:
    """What a body comes to, and the elements that it speaks of: all of a resource (empty), or those of a Binary's bytes.

    id  that of the URL, which bytes cannot bring
    Raises FhirError; never repeats what it got.
    """
    headers = request.headers
    content_type, context = headers.get("content-type", ""), headers.get(CONTEXT)
    if type != BINARY or (type_of(content_type)[0] in FORMAT_OF and (context is None or _is_binary(content_type, body))):
        content = parse_resource(type, content_type, body)
        return (content if type != BINARY or context is None else _in_context(content, context)), ALL
    made: dict[str, Any] = {"resourceType": BINARY, "contentType": _format_of_bytes(content_type)}
    made |= {} if id is None else {"id": id}
    made |= {"data": base64.b64encode(body).decode()} if body else {}
    return (made if context is None else _in_context(made, context)), ELEMENTS


def _format_of_bytes(content_type: str) -> str:
    """As the sender names it, without needless space."""
    named = " ".join(content_type.split())
    if not _MEDIA_TYPE.fullmatch(named):
        raise FhirError("media-type", "Say in Content-Type what the bytes are, as type/subtype.", expression="http.Content-Type")
    return named


def _in_context(content: dict[str, Any], context: str) -> dict[str, Any]:
    known = content.get("securityContext")
    if known is None:
        return {**content, "securityContext": {"reference": context}}
    if not isinstance(known, dict) or known.get("reference") != context:
        text = f"{CONTEXT} and securityContext of the Binary differ; send one of them."
        raise FhirError("invalid", text, expression=f"http.{CONTEXT}")
    return content


def _is_binary(content_type: str, body: bytes) -> bool:
    """The special case of R4: the body is the resource and not a content."""
    try:
        parse_resource(BINARY, content_type, body)
    except FhirError:
        return False
    return True


def _asks_for_resource(request: Request) -> bool:
    return bool(request.scope["query_string"]) and any(name in request.query_params for name in _OF_A_RESOURCE)


def _is_writable(request: Request) -> bool:
    """Could the resource be written as the caller asks?"""
    try:
        wanted(request)
    except FhirError:
        return False
    return True


def _weight_of_content(type: str, offers: list[tuple[str, Mapping[str, str]]]) -> float:
    """The weight of what says most exactly whether such a content is accepted."""
    for name in (type, f"{type.partition('/')[0]}/*", "*/*"):
        weights = [weight_of(more) for offer, more in offers if offer == name]
        if weights:
            return max(weights)
    return 0.0


def _sent_as(content_type: str) -> str:
    """A stored Binary may call its format anything; a header may not."""
    return content_type if _MEDIA_TYPE.fullmatch(content_type) else _UNKNOWN


def _context(content: Mapping[str, Any]) -> dict[str, str]:
    reference = str(content.get("securityContext", {}).get("reference", ""))
    return {CONTEXT: reference} if _REFERENCE.fullmatch(reference) else {}
