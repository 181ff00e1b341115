"""Certificate and address of the client where a proxy ends TLS: Client-Cert and X-Forwarded-For, from HUB_PROXY_NETWORKS alone.

https://www.rfc-editor.org/rfc/rfc9440. From anybody else Client-Cert is taken out before anything looks at it; from a proxy the
certificate of its own connection says nothing about the client. A header that comes twice, or cannot be read, is no certificate. Without
the address everybody would be one sender, and wrong passwords of one would have all the others wait (`hub.people.addresses`).
"""

from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

import structlog
from starlette.types import ASGIApp, Receive, Scope, Send

from security.oauth.binding import X5T, thumbprint

HEADER: Final = b"client-cert"
CHAIN: Final = b"client-cert-chain"
FORWARDED: Final = b"x-forwarded-for"
HEADER_MAX_BYTES: Final = 16_384
DER_SEQUENCE: Final = 0x30

WRITTEN_BY_PROXIES: Final = frozenset({HEADER, FORWARDED, b"forwarded", b"x-real-ip"})
UNNAMED: Final = (
    "requests come through a proxy that HUB_PROXY_NETWORKS does not name: the log has its address for everybody's, and who types wrong "
    "passwords has all others wait"
)

Network = IPv4Network | IPv6Network
log = structlog.get_logger()


class Watched:
    """Has a header that proxies write come from where none is named? Said once in the log of each process, and by /readyz from then on.

    Anybody can write such a header, so it changes nothing but what is said; no address is told, for it may be a person's.
    """

    def __init__(self, *, unnamed: bool = False) -> None:
        """`unnamed`: it is known from the settings already."""
        self.unnamed = False
        if unnamed:
            self._say()

    def see(self, headers: Iterable[tuple[bytes, bytes]]) -> None:
        """Of a request from no proxy."""
        if not self.unnamed and not WRITTEN_BY_PROXIES.isdisjoint(name for name, _ in headers):
            self._say()

    def _say(self) -> None:
        self.unnamed = True
        log.warning("proxy_not_named", hint=UNNAMED)


class Proxied:
    """Goes around the whole application, so that nobody meets the header but here."""

    def __init__(self, app: ASGIApp, networks: Sequence[Network], watched: Watched | None = None) -> None:
        self._app = app
        self._networks = tuple(networks)
        self._watched = watched or Watched()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            is_proxy = self._is_proxy(scope.get("client"))
            if not is_proxy:
                self._watched.see(scope["headers"])
            lines = [value for name, value in scope["headers"] if name == HEADER]
            if lines:
                scope["headers"] = [(name, value) for name, value in scope["headers"] if name not in (HEADER, CHAIN)]
            if is_proxy:
                scope["extensions"] = {**scope.get("extensions", {}), "tls": {X5T: certificate(lines)}}
                scope["client"] = self._sender([value for name, value in scope["headers"] if name == FORWARDED]) or scope["client"]
        await self._app(scope, receive, send)

    def _is_proxy(self, client: tuple[str, int] | None) -> bool:
        if not self._networks:
            return False
        try:
            address = ip_address(client[0]) if client else None
        except ValueError:
            return False
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        return address is not None and any(address in network for network in self._networks)

    def _sender(self, lines: Sequence[bytes]) -> tuple[str, int] | None:
        """The last address that is no proxy of ours: what stands before it was written by whoever has that address. None without one."""
        for text in reversed(b",".join(lines).decode("latin-1").split(",")):
            sender = (text.strip(), 0)
            if not self._is_proxy(sender):
                return sender if _is_address(sender[0]) else None
        return None


def _is_address(text: str) -> bool:
    """Without a zone: that is a name on somebody else's machine."""
    if "%" in text:
        return False
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def certificate(lines: Sequence[bytes]) -> str | None:
    """base64url SHA-256 of the certificate that the header holds, a byte sequence of RFC 8941 section 3.3.5; None for anything else."""
    if len(lines) != 1 or len(lines[0]) > HEADER_MAX_BYTES:
        return None
    text = lines[0].strip()
    if len(text) < 3 or text[:1] != b":" or text[-1:] != b":":  # noqa: PLR2004 (two colons and something between them)
        return None
    try:
        der = b64decode(text[1:-1], validate=True)
    except NotBase64:
        return None
    return thumbprint(der) if der[:1] == bytes([DER_SEQUENCE]) else None
