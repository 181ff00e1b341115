"""A token endpoint with everything around it in memory, and a client that can be made to misbehave in one point."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

from joserfc import jws
from joserfc.jwk import ECKey, RSAKey

from security.oauth.access_token import TokenClaims, verify
from security.oauth.client import token_form
from security.oauth.clients import Client
from security.oauth.signing_keys import SigningKey, SigningKeys
from security.oauth.token_endpoint import TokenDependencies, TokenResponse, issue
from security.scopes import Query

NOW_US = 1_788_000_000_000_000
TOKEN_URL = "https://hub.example.org/oauth/token"
FHIR_BASE = "https://hub.example.org/fhir"
ISSUER = "https://hub.example.org"
JWKS_URI = "https://vendor.example.org/jwks.json"


def jwk(key: ECKey | RSAKey, **members: str) -> dict[str, Any]:
    return dict(key.as_dict(private=False, kid=key.thumbprint(), **members))


@dataclass
class World:
    """What stands outside the endpoint, in memory."""

    key: ECKey | RSAKey
    now_us: int = NOW_US
    keys: SigningKeys = field(default_factory=lambda: SigningKeys(SigningKey.generate()))
    clients: dict[str, Client] = field(default_factory=dict)
    published: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    used: dict[bytes, int] = field(default_factory=dict)
    ids: count = field(default_factory=count)  # type: ignore[type-arg]

    async def find_client(self, client_id: str) -> Client | None:
        return self.clients.get(client_id)

    async def fetch_jwks(self, client: Client, _kid: str | None, _proves: object) -> Mapping[str, Any]:
        return self.published[str(client.jwks_uri)]

    async def consume_jti(self, key: bytes, exp_us: int) -> bool:
        fresh = key not in self.used
        self.used[key] = exp_us
        return fresh

    def check_scope_query(self, resource_type: str, query: Query) -> None:
        if (resource_type, {name for name, _ in query}) != ("Observation", {"category"}):
            raise ValueError(resource_type)

    def dependencies(self) -> TokenDependencies:
        return TokenDependencies(
            find_client=self.find_client,
            fetch_jwks=self.fetch_jwks,
            consume_jti=self.consume_jti,
            check_scope_query=self.check_scope_query,
            signing_keys=lambda: self.keys,
            issuer=ISSUER,
            audience=FHIR_BASE,
            token_urls=(TOKEN_URL,),
            now_us=lambda: self.now_us,
            new_id=lambda: f"id-{next(self.ids)}",
        )

    def register(self, **changes: Any) -> Client:
        """The client of the tests, as registered; `changes` say what is different."""
        client = replace(self.clients["client-1"], **changes)
        self.clients["client-1"] = client
        return client

    def assertion(self, *, key: Any = None, alg: str = "", header: dict[str, Any] | None = None, **claims: Any) -> str:
        """A good assertion of the client, but for the given header members and claims (None leaves one out)."""
        key = key or self.key
        alg = alg or {"EC": "ES384", "RSA": "RS384"}[self.key.key_type]
        members = {"alg": alg, "typ": "JWT", "kid": self.key.thumbprint(), **(header or {})}
        content = {
            "iss": "client-1",
            "sub": "client-1",
            "aud": TOKEN_URL,
            "exp": self.now_us // 1_000_000 + 300,
            "jti": f"jti-{next(self.ids)}",
            **claims,
        }
        return signed(without_none(members), without_none(content), key)

    async def ask(self, assertion: str | None = None, scope: str = "system/*.rs", **changes: str | None) -> TokenResponse:
        """One token request; `changes` say what is different in the form."""
        form = {**token_form(assertion or self.assertion(), scope), **changes}
        return await issue(without_none(form), dependencies=self.dependencies())

    def read(self, token: str) -> TokenClaims:
        return verify(token, keys=self.keys, issuer=ISSUER, audience=FHIR_BASE, now_us=self.now_us)


def without_none(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


def signed(header: Mapping[str, Any], claims: Mapping[str, Any], key: Any) -> str:
    """Signs anything with any algorithm, unchecked: what an attacker's library does."""
    content = f"{part(header)}.{part(claims)}"
    return f"{content}.{base64url(jws.JWSRegistry.algorithms[header['alg']].sign(content.encode(), key))}"


def part(members: Mapping[str, Any]) -> str:
    return base64url(json.dumps(dict(members)).encode())


def base64url(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def world_of(key: ECKey | RSAKey) -> World:
    client = Client(
        client_id="client-1",
        name="test client",
        scopes="system/*.cruds",
        organization="Organization/o1",
        purpose="TREAT",
        consent_default="opt-in",
        recorder=False,
        importer=False,
        jwks={"keys": [jwk(key)]},
        jwks_uri=None,
        created_us=NOW_US,
    )
    return World(key=key, clients={"client-1": client})
