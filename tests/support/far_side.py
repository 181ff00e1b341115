"""A server on this machine that stands for somebody else's: it answers as it likes, and another issuer's keys with tokens to match."""

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from joserfc.jwk import ECKey, RSAKey

from tests.spec.oauth.world import signed, without_none

Answer = Callable[["Asked"], None]


@dataclass(slots=True)
class Asked:
    """One connection with its request's head. `sent`: bytes that the other side took."""

    socket: socket.socket
    head: bytes
    sent: int = 0

    def send(self, data: bytes) -> None:
        """Raises OSError when the other side has gone."""
        self.socket.sendall(data)
        self.sent += len(data)


@dataclass(slots=True, kw_only=True)
class FarSide:
    port: int
    asked: list[Asked] = field(default_factory=list)

    def url(self, path: str = "/jwks", host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"


@contextmanager
def far_side(answer: Answer) -> Iterator[FarSide]:
    """Each connection in a thread of its own; `answer` ends with an OSError when nobody listens any longer."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        made = FarSide(port=listening.getsockname()[1])

        def serve(connected: socket.socket) -> None:
            with connected, contextlib.suppress(OSError):
                head = b""
                while b"\r\n\r\n" not in head:
                    part = connected.recv(65_536)
                    if not part:
                        return
                    head += part
                one = Asked(connected, head)
                made.asked.append(one)
                answer(one)

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connected, _ = listening.accept()
                    threading.Thread(target=serve, args=(connected,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield made


def whole(body: bytes, *headers: str, status: str = "200 OK") -> Answer:
    """An ordinary answer."""
    head = "".join(f"{line}\r\n" for line in (f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers))
    return lambda asked: asked.send(head.encode() + b"\r\n" + body)


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignIssuer:
    """An authorization server that is not the hub: keys of both kinds behind a real URL, and tokens signed with them."""

    at: FarSide
    issuer: str
    audience: str
    ec: ECKey
    rsa: RSAKey

    def row(self, **changes: Any) -> dict[str, Any]:
        """Of HUB_ISSUERS."""
        given = {
            "issuer": self.issuer,
            "audience": self.audience,
            "jwks_uri": self.at.url(),
            "algorithms": ["ES256", "RS256"],
            "clients": {},
            "scopes": "system/*.rs",
        }
        return {**given, **changes}

    def token(self, *, key: ECKey | RSAKey | None = None, header: dict[str, Any] | None = None, **claims: Any) -> str:
        """A good token, but for the given header members and claims (None leaves one out)."""
        used, now_s = key or self.ec, int(time.time())
        members = {"typ": "at+jwt", "alg": "RS256" if isinstance(used, RSAKey) else "ES256", "kid": used.thumbprint(), **(header or {})}
        content = {
            "iss": self.issuer,
            "aud": self.audience,
            "sub": "their-client",
            "client_id": "their-client",
            "scope": "system/*.rs",
            "iat": now_s,
            "exp": now_s + 300,
            "jti": f"foreign-{time.time_ns()}",
            **claims,
        }
        return signed(without_none(members), without_none(content), used)


@contextmanager
def foreign_issuer(audience: str, issuer: str = "https://idp.example.org") -> Iterator[ForeignIssuer]:
    ec, rsa = ECKey.generate_key("P-256", private=True), RSAKey.generate_key(2048, private=True)
    keys = [dict(key.as_dict(private=False, kid=key.thumbprint(), use="sig")) for key in (ec, rsa)]
    with far_side(whole(json.dumps({"keys": keys}).encode(), "Content-Type: application/json", "Cache-Control: max-age=60")) as at:
        yield ForeignIssuer(at=at, issuer=issuer, audience=audience, ec=ec, rsa=rsa)
