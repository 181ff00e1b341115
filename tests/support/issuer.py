"""An OpenID provider of the tests: a real HTTP server with real keys that signs whoever it is told to in, and lies where a test asks it to.

OpenID Connect Core 1.0, Discovery 1.0; it checks PKCE (RFC 7636), the client's secret and that a code is used once.
"""

import base64
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

Json = dict[str, Any]
CLIENT_ID, SECRET = "hub at the provider", "s:cret/of+tests"


def pkce(verifier: str) -> str:
    return base64.urlsafe_b64encode(sha256(verifier.encode()).digest()).decode().rstrip("=")


@dataclass
class Issuer:
    """`who`: claims of whoever sits at it. `lie` changes the claims of an id_token before it is signed; `answer` those of the redirect."""

    url: str = ""
    who: Json = field(default_factory=dict)
    lie: Callable[[Json], Json] = lambda claims: claims
    answer: Callable[[Json], Json] = lambda given: given
    sign: Callable[["Issuer", Json], str] = lambda issuer, claims: issuer.signed(claims)
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, parameters={"kid": "one", "use": "sig", "alg": "RS256"}))
    asked: list[Json] = field(default_factory=list)
    codes: dict[str, Json] = field(default_factory=dict)
    discovered: int = 0
    """How often its discovery document was fetched."""

    def signed(self, claims: Json, key: RSAKey | None = None, **header: Any) -> str:
        return jwt.encode({"alg": "RS256", "kid": "one", **header}, claims, key or self.key)

    def discovery(self) -> Json:
        paths = {"authorization_endpoint": "/authorize", "token_endpoint": "/token", "jwks_uri": "/jwks"}
        return {
            "issuer": self.url,
            **{name: self.url + path for name, path in paths.items()},
            "authorization_response_iss_parameter_supported": True,
        }

    def authorize(self, given: Json) -> str:
        """Where the browser is led back to: whoever sits there agrees at once."""
        self.asked.append(given)
        code = secrets.token_urlsafe(16)
        self.codes[code] = given
        back = self.answer({"code": code, "state": given["state"], "iss": self.url})
        return f"{given['redirect_uri']}?{urlencode(back)}"

    def token(self, form: Json, authorization: str) -> Json | None:
        asked = self.codes.pop(form.get("code", ""), None)
        basic = base64.b64decode(authorization.removeprefix("Basic ")).decode().split(":")
        if asked is None or [unquote_plus(one) for one in basic] != [CLIENT_ID, SECRET]:
            return None
        if pkce(form["code_verifier"]) != asked["code_challenge"] or form["redirect_uri"] != asked["redirect_uri"]:
            return None
        access, now = secrets.token_urlsafe(16), int(time.time())
        half = base64.urlsafe_b64encode(sha256(access.encode()).digest()[:16]).decode().rstrip("=")
        claims = {"iss": self.url, "aud": asked["client_id"], "exp": now + 60, "iat": now, "nonce": asked["nonce"], "at_hash": half}
        return {"access_token": access, "token_type": "Bearer", "id_token": self.sign(self, self.lie({**claims, **self.who}))}

    def honest(self) -> None:
        """As it was made."""
        self.lie, self.answer, self.sign = Issuer.lie, Issuer.answer, Issuer.sign


@contextmanager
def issuing() -> Iterator[Issuer]:
    issuer = Issuer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            given = {name: value for name, (value,) in parse_qs(parts.query).items()}
            if parts.path == "/authorize":
                self._answer(302, {}, location=issuer.authorize(given))
            elif parts.path == "/jwks":
                self._answer(200, {"keys": [issuer.key.as_dict(private=False)]})
            elif parts.path == "/.well-known/openid-configuration":
                issuer.discovered += 1
                self._answer(200, issuer.discovery())
            else:
                self._answer(404, {})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {name: value for name, (value,) in parse_qs(body).items()}
            tokens = issuer.token(form, self.headers.get("Authorization", ""))
            self._answer(400 if tokens is None else 200, tokens or {"error": "invalid_grant"})

        def _answer(self, status: int, document: Json, location: str | None = None) -> None:
            body = json.dumps(document).encode()
            self.send_response(status)
            if location:
                self.send_header("Location", location)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    issuer.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield issuer
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
