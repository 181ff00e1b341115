"""An app that asks a person, as a browser brings it: an authorization request with PKCE, and what comes back at its redirect_uri."""

from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Self
from urllib.parse import parse_qs, urlencode, urlsplit

from security.browser_session import new_secret
from tests.support.backstage import Account
from tests.support.caller import asked_alone
from tests.support.persons import REDIRECT
from tests.support.process import HubProcess


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """One request of an app."""

    process: HubProcess
    app: Account
    scope: str
    verifier: str = field(default_factory=new_secret)
    state: str = field(default_factory=new_secret)
    more: tuple[tuple[str, str], ...] = ()
    redirect_uri: str = REDIRECT

    @property
    def path(self) -> str:
        """Where the app leads the browser to."""
        challenge = urlsafe_b64encode(sha256(self.verifier.encode()).digest()).rstrip(b"=").decode()
        query = {
            "response_type": "code",
            "client_id": self.app.id,
            "redirect_uri": self.redirect_uri,
            "scope": self.scope,
            "state": self.state,
            "aud": f"{self.process.url}/fhir",
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            **dict(self.more),
        }
        return f"/oauth/authorize?{urlencode(query)}"

    def waiting(self) -> str:
        """The secret under which the request waits for its person."""
        answer = asked_alone("GET", self.process.url + self.path)
        assert answer.status_code == 303, answer.text
        location = urlsplit(answer.headers["location"])
        assert location.path == "/account/authorize", answer.headers["location"]
        return parse_qs(location.query)["request"][0]

    def answer(self, url: str) -> dict[str, str]:
        """What a redirect to the app says; it answers this request, and nobody else's (RFC 9207)."""
        assert url.startswith(f"{self.redirect_uri}?"), url
        said = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        assert (said.pop("state"), said.pop("iss")) == (self.state, self.process.url)
        return said


PAGE = b"<!doctype html><html lang=en><title>app</title><link rel=icon href=data:,><h1>The app</h1>"


class AppServer:
    """An app's own address on this machine: notes what browsers ask it for, and answers with a page. Use as a context manager."""

    def __init__(self) -> None:
        arrived = self.arrived = list[str]()

        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                arrived.append(self.path)
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.send_header("Content-Length", str(len(PAGE)))
                self.end_headers()
                self.wfile.write(PAGE)

            def log_message(self, format: str, *args: object) -> None:
                """Not here."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    @property
    def redirect_uri(self) -> str:
        return f"{self.url}/callback"

    @property
    def launch_url(self) -> str:
        return f"{self.url}/launch"

    @property
    def last(self) -> str:
        """The address at which a browser arrived last."""
        return self.url + self.arrived[-1]

    def __enter__(self) -> Self:
        Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
