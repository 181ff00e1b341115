"""CORS: whose pages may read what the hub answers.

https://fetch.spec.whatwg.org/#http-cors-protocol, https://hl7.org/fhir/smart-app-launch/STU2.2/conformance.html. Any origin for
discovery, the origins of `HUB_CORS_ORIGINS` and those of registered apps for tokens and FHIR, nobody for anything else, nor for the page
where a person is asked (RFC 9700 section 2.6). Never with credentials: a caller is who its token says, and no cookie is set. A preflight
bears no token, so an origin is permitted for all of it; which data a page gets is decided by the token alone.
"""

from collections.abc import Awaitable, Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

DISCOVERY = frozenset(
    {
        "/fhir/metadata",
        "/fhir/.well-known/smart-configuration",
        "/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server",
        "/oauth/jwks",
        "/brands",
        "/openapi.json",
    }
)
REGISTERED = ("/fhir", "/oauth")
PEOPLE = frozenset({"/oauth/authorize"})
"""A browser is led there; no page calls it."""
METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE"
"""Of all routes: which of them a path offers is said by its own answer, which the page may read."""
REQUEST_HEADERS = (
    "Accept, Authorization, Content-Encoding, Content-Type, DPoP, If-Match, If-Modified-Since, If-None-Exist, If-None-Match, Prefer, "
    "X-Provenance, X-Request-Id, X-Security-Context"
)
RESPONSE_HEADERS = (
    "Allow, Content-Location, DPoP-Nonce, ETag, Last-Modified, Location, Retry-After, WWW-Authenticate, X-Correlation-Id, X-Request-Id, "
    "X-Security-Context"
)
REMEMBERED_S = 600
ORIGIN_MAX_BYTES = 300
"""A host name has 253 at most."""

Headers = list[tuple[bytes, bytes]]


class Cors:
    """Goes around the whole application, so that errors and unknown paths are read like any other answer.

    origins     of the setting
    registered  is this the origin of a registered app?
    """

    def __init__(self, app: ASGIApp, origins: tuple[str, ...], registered: Callable[[str], Awaitable[bool]]) -> None:
        self._app = app
        self._origins = frozenset(origin.encode() for origin in origins)
        self._registered = registered

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = await self._headers(scope) if scope["type"] == "http" else None
        if headers is None:
            await self._app(scope, receive, send)
        elif is_preflight(scope):
            await answer_preflight(headers, send)
        else:
            await self._app(scope, receive, with_headers(send, headers))

    async def _headers(self, scope: Scope) -> Headers | None:
        """What to say about origins in the answer to this request; None for what no page from elsewhere is told."""
        path: str = scope["path"]
        if path in DISCOVERY:
            return allowed(b"*")
        if not path.startswith(REGISTERED) or path in PEOPLE:
            return None
        origin = header(scope, b"origin")
        # https://fetch.spec.whatwg.org/#cors-protocol-and-http-caches: with or without an Origin in this very request.
        vary = [(b"vary", b"Origin")]
        return vary + allowed(origin) if origin is not None and await self._may(origin) else vary

    async def _may(self, origin: bytes) -> bool:
        """Compared byte by byte (https://fetch.spec.whatwg.org/#concept-cors-check)."""
        return origin in self._origins or (len(origin) <= ORIGIN_MAX_BYTES and await self._registered(origin.decode("latin-1")))


def allowed(origin: bytes) -> Headers:
    return [(b"access-control-allow-origin", origin), (b"access-control-expose-headers", RESPONSE_HEADERS.encode())]


def header(scope: Scope, name: bytes) -> bytes | None:
    return next((value for key, value in scope["headers"] if key == name), None)


def is_preflight(scope: Scope) -> bool:
    """https://fetch.spec.whatwg.org/#cors-preflight-request"""
    return (
        scope["method"] == "OPTIONS"
        and header(scope, b"origin") is not None
        and header(scope, b"access-control-request-method") is not None
    )


async def answer_preflight(headers: Headers, send: Send) -> None:
    """204, the same for a path that exists and one that does not; without permission for an origin that has none."""
    may = any(name == b"access-control-allow-origin" for name, _ in headers)
    permission = [
        (b"access-control-allow-methods", METHODS.encode()),
        (b"access-control-allow-headers", REQUEST_HEADERS.encode()),
        (b"access-control-max-age", str(REMEMBERED_S).encode()),
    ]
    await send({"type": "http.response.start", "status": 204, "headers": headers + (permission if may else [])})
    await send({"type": "http.response.body", "body": b""})


def with_headers(send: Send, headers: Headers) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), *headers]
        await send(message)

    return sending
