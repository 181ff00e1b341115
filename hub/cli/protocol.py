"""HTTP as it comes in, bounded: uvicorn's protocol takes heads of any length, before anybody is known.

https://www.rfc-editor.org/rfc/rfc9112#section-3, https://www.rfc-editor.org/rfc/rfc6585#section-5. What is refused here never was
a request: nothing was asked of anybody's data, and no record is written.
"""

import asyncio
from http import HTTPStatus
from typing import Any, Final, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from hub import outcomes
from hub.errors import FhirError
from hub.rendering import FHIR_JSON
from security.oauth.binding import X5T, thumbprint

HEAD_BYTES_MAX: Final = 65_536
"""Of the request line and all headers together."""
_SLICE_BYTES: Final = 16_384
"""What is parsed before it is asked again how long the head is."""
_LINGER_S: Final = 1
_LONG_URL: Final = FhirError("uri-too-long", f"The URL is longer than {HEAD_BYTES_MAX} bytes; send a search as a form (POST _search).")
_LONG_HEAD: Final = FhirError("head-too-long", f"The headers are longer than {HEAD_BYTES_MAX} bytes together.")
_NO_HTTP: Final = FhirError("structure", "This is not HTTP/1.1 as the hub can read it.")


class BoundedHttp(HttpToolsProtocol):
    """A connection."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._in_head, self._head_bytes, self._over = True, 0, False
        self._tls: dict[str, Any] | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """https://www.rfc-editor.org/rfc/rfc8705#section-3: what the connection proved is known for all of its requests."""
        super().connection_made(transport)
        tls = transport.get_extra_info("ssl_object")
        shown = None if tls is None else tls.getpeercert(binary_form=True)
        self._tls = None if shown is None else {"tls": {X5T: thumbprint(shown)}}

    def data_received(self, data: bytes) -> None:
        for start in range(0, len(data), _SLICE_BYTES):
            if self._over:
                return
            part = data[start : start + _SLICE_BYTES]
            super().data_received(part)
            if self._in_head:
                self._head_bytes += len(part)
            if self._in_head and self._head_bytes > HEAD_BYTES_MAX:
                self._refuse(_LONG_HEAD if self.headers else _LONG_URL)

    def on_message_begin(self) -> None:
        self._in_head, self._head_bytes = True, 0
        super().on_message_begin()
        if self._tls is not None:
            cast("dict[str, Any]", self.scope)["extensions"] = self._tls

    def on_headers_complete(self) -> None:
        self._in_head = False
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 (one answer for every fault)
        self._refuse(_NO_HTTP)

    def _refuse(self, error: FhirError) -> None:
        """The connection ends; while an earlier request of it is being answered, nothing can be said in between.

        What still comes is thrown away for a while: a connection that is closed over it takes our answer back.
        """
        earlier: RequestResponseCycle | None = self.cycle
        if not self._over and (earlier is None or earlier.response_complete):
            self.transport.write(_answer(error))
        self._over = True
        self.loop.call_later(_LINGER_S, self.transport.close)


def _answer(error: FhirError) -> bytes:
    status, body = HTTPStatus(outcomes.status(error)), outcomes.body(error)
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}",
        f"content-type: {FHIR_JSON}",
        f"content-length: {len(body)}",
        "cache-control: no-store",
        "connection: close",
        "",
        "",
    )
    return "\r\n".join(head).encode() + body
