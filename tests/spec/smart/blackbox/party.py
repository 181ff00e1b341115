"""An app as RFC 6749 and SMART App Launch 2.2 describe it: asks by the browser, redeems, refreshes, introspects, revokes."""

import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx

from tests.spec.smart.blackbox.assertions import assertion
from tests.spec.smart.blackbox.target import Registration

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
Json = dict[str, Any]


def challenge_of(verifier: str) -> str:
    """RFC 7636 section 4.2, S256."""
    return urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def query_of(url: str) -> dict[str, str]:
    """The parameters of a URL; each once."""
    found = parse_qs(urlsplit(url).query, keep_blank_values=True, strict_parsing=bool(urlsplit(url).query))
    assert all(len(values) == 1 for values in found.values()), url
    return {name: values[0] for name, values in found.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """An authorization request: where it goes, its parameters, and what the app keeps for itself."""

    endpoint: str
    parameters: dict[str, str]
    verifier: str = field(repr=False)

    @property
    def url(self) -> str:
        return f"{self.endpoint}?{urlencode(self.parameters)}"

    @property
    def state(self) -> str:
        return self.parameters["state"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """One registered app at one authorization server, with what it discovered there."""

    http: httpx.Client
    discovered: Json
    fhir: str
    registration: Registration

    @property
    def client_id(self) -> str:
        return self.registration.client_id

    def request(self, scope: str, *, launch: str | None = None, **changed: str) -> Request:
        """`changed` replaces parameters; an empty one leaves it out."""
        verifier = secrets.token_urlsafe(48)
        parameters = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.registration.redirect_uri,
            "scope": scope,
            "state": secrets.token_urlsafe(24),
            "aud": self.fhir,
            "code_challenge": challenge_of(verifier),
            "code_challenge_method": "S256",
            **({"launch": launch} if launch is not None else {}),
            **changed,
        }
        kept = {name: value for name, value in parameters.items() if value}
        return Request(endpoint=self.discovered["authorization_endpoint"], parameters=kept, verifier=verifier)

    def assertion(self, **changed: Any) -> str:
        key = self.registration.key
        assert key is not None
        return assertion(self.client_id, key, self.discovered["token_endpoint"], kid=self.registration.kid, **changed)

    def proof(self) -> tuple[dict[str, str], httpx.BasicAuth | None]:
        """How this client proves itself: fields of the form, and the header's credentials."""
        known = self.registration
        if known.secret is not None:
            return {}, httpx.BasicAuth(known.client_id, known.secret)
        if known.key is not None:
            return {"client_assertion_type": ASSERTION_TYPE, "client_assertion": self.assertion()}, None
        return {"client_id": known.client_id}, None

    def post(self, endpoint: str, form: dict[str, str], *, headers: dict[str, str] | None = None, prove: bool = True) -> httpx.Response:
        """A form sent to one of the server's endpoints; an empty field leaves it out."""
        fields, auth = self.proof() if prove else ({}, None)
        sent = {name: value for name, value in {**fields, **form}.items() if value}
        return self.http.post(self.discovered[endpoint], data=sent, headers=headers, auth=auth)

    def redeem(self, code: str, request: Request, *, headers: dict[str, str] | None = None, **changed: str) -> httpx.Response:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": request.parameters.get("redirect_uri", self.registration.redirect_uri),
            "code_verifier": request.verifier,
            **changed,
        }
        return self.post("token_endpoint", form, headers=headers)

    def refresh(self, refresh_token: str, scope: str = "", **changed: str) -> httpx.Response:
        return self.post("token_endpoint", {"grant_type": "refresh_token", "refresh_token": refresh_token, "scope": scope, **changed})

    def by_itself(self, scope: str, **changed: str) -> httpx.Response:
        """SMART Backend Services."""
        return self.post("token_endpoint", {"grant_type": "client_credentials", "scope": scope, **changed})

    def introspect(self, token: str) -> httpx.Response:
        return self.post("introspection_endpoint", {"token": token})

    def revoke(self, token: str) -> httpx.Response:
        return self.post("revocation_endpoint", {"token": token})

    def read(self, token: str, path: str, **more: Any) -> httpx.Response:
        return self.http.get(f"{self.fhir}/{path}", headers={"Authorization": f"Bearer {token}"}, **more)
