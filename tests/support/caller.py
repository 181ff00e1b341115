"""A client that speaks HTTP with a hub: gets its tokens as SMART Backend Services asks, sends them along."""

import secrets
import ssl
import time
from typing import Any

import httpx

from security.oauth.client import client_assertion, token_form
from tests.support.backstage import Account

FHIR_JSON = "application/fhir+json"
TOKEN_REUSED_S = 200
TIMEOUT_S = 180
TLS = ssl.create_default_context()
"""Made once: each client would read the machine's certificates anew."""
EVERYTHING = "system/*.cruds system/AuditEvent.rs"
Json = dict[str, Any]


def http_client(url: str) -> httpx.Client:
    return httpx.Client(base_url=url, timeout=TIMEOUT_S, trust_env=False, verify=TLS)


def asked_alone(method: str, url: str, **more: Any) -> httpx.Response:
    """Over a connection of its own, and with all the time that a busy machine needs: httpx by itself gives up after five seconds."""
    options: dict[str, Any] = {"timeout": TIMEOUT_S, "trust_env": False, "verify": TLS, **more}
    return httpx.request(method, url, **options)


class Caller:
    """One client at one hub. `narrowed` asks for tokens of a narrower scope."""

    def __init__(self, http: httpx.Client, account: Account, scope: str = EVERYTHING, *, token: str | None = None) -> None:
        self.http, self.account, self.scope = http, account, scope
        self._token = None if token is None else (time.monotonic(), token)

    def narrowed(self, scope: str) -> "Caller":
        return Caller(self.http, self.account, scope)

    @property
    def base(self) -> str:
        """The FHIR base."""
        return f"{str(self.http.base_url).rstrip('/')}/fhir"

    @property
    def token(self) -> str:
        if self._token is None or time.monotonic() - self._token[0] > TOKEN_REUSED_S:
            answer = self.ask_token()
            assert answer.status_code == 200, answer.text
            self._token = time.monotonic(), answer.json()["access_token"]
        return self._token[1]

    def assertion(self, **changed: Any) -> str:
        url = f"{str(self.http.base_url).rstrip('/')}/oauth/token"
        given = {"now_us": time.time_ns() // 1_000, "jti": secrets.token_urlsafe(24), **changed}
        return client_assertion(self.account.id, self.account.key, url, **given)

    def ask_token(self, headers: dict[str, str] | None = None, **changed: str) -> httpx.Response:
        """The token request; `changed` replaces form fields, an empty one leaves it out."""
        form = {**token_form(self.assertion() if "client_assertion" not in changed else "", self.scope), **changed}
        return self.http.post("/oauth/token", data={name: value for name, value in form.items() if value}, headers=headers)

    def request(self, method: str, path: str, *, headers: dict[str, str] | None = None, **more: Any) -> httpx.Response:
        """`path` is taken under /fhir unless it begins with a slash or is a whole URL."""
        url = path if path.startswith(("/", "http")) else f"/fhir/{path}"
        return self.http.request(method, url, headers={"Authorization": f"Bearer {self.token}", **(headers or {})}, **more)

    def get(self, path: str, **more: Any) -> httpx.Response:
        return self.request("GET", path, **more)

    def post(self, path: str, body: Json | bytes | str, *, headers: dict[str, str] | None = None) -> httpx.Response:
        return self._send("POST", path, body, headers)

    def put(self, path: str, body: Json | bytes | str, *, headers: dict[str, str] | None = None) -> httpx.Response:
        return self._send("PUT", path, body, headers)

    def create(self, resource: Json) -> Json:
        """The resource as it is stored."""
        answer = self.post(resource["resourceType"], resource)
        assert answer.status_code == 201, answer.text
        made: Json = answer.json()
        return made

    def update(self, resource: Json, **changed: Any) -> Json:
        answer = self.put(f"{resource['resourceType']}/{resource['id']}", {**resource, **changed})
        assert answer.status_code == 200, answer.text
        made: Json = answer.json()
        return made

    def search(self, query: str, **more: Any) -> Json:
        """The Bundle of `Type?query`."""
        answer = self.get(query, **more)
        assert answer.status_code == 200, answer.text
        bundle: Json = answer.json()
        return bundle

    def found(self, query: str) -> list[str]:
        """Ids of the first page, in order."""
        return ids(self.search(query))

    def pages(self, query: str) -> list[Json]:
        """Every page, by the next links."""
        made = [self.search(query)]
        while (following := link(made[-1], "next")) is not None:
            made.append(self.search(following))
        return made

    def ingest(self, adapter: str, payload: bytes, *, headers: dict[str, str] | None = None, **query: str) -> httpx.Response:
        return self.request("POST", f"/ingest/{adapter}", content=payload, params=query, headers=headers)

    def fates(self, adapter: str, payload: bytes, **query: str) -> list[Json]:
        answer = self.ingest(adapter, payload, **query)
        assert answer.status_code == 200, answer.text
        made: list[Json] = answer.json()
        return made

    def _send(self, method: str, path: str, body: Json | bytes | str, headers: dict[str, str] | None) -> httpx.Response:
        sent = {"Content-Type": FHIR_JSON, **(headers or {})}
        if isinstance(body, dict):
            return self.request(method, path, json=body, headers=sent)
        return self.request(method, path, content=body, headers=sent)


def resources(bundle: Json) -> list[Json]:
    """The matches, without outcomes that go along."""
    return [entry["resource"] for entry in bundle.get("entry", ()) if entry["search"]["mode"] == "match"]


def ids(bundle: Json) -> list[str]:
    return [resource["id"] for resource in resources(bundle)]


def link(bundle: Json, relation: str) -> str | None:
    return next((str(one["url"]) for one in bundle["link"] if one["relation"] == relation), None)
