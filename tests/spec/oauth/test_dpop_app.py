"""An app of people whose tokens are bound by DPoP: code, refresh token and userinfo. RFC 9449 sections 5, 7 and 10.

For a client that acts by itself: test_dpop_bound; the check alone: test_dpop.
"""

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest
from joserfc.jwk import ECKey

from hub.people.sessions import SignedIn
from security.oauth.client import dpop_proof
from tests.support.caller import Caller, http_client
from tests.support.fixtures import Running
from tests.support.resources import patient
from tests.support.smart import SmartApp, signed_in_as, smart_app

SCOPE = "openid fhirUser offline_access patient/Patient.rs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """An app that proves `key` with whatever it posts, and somebody who uses it."""

    app: SmartApp
    key: ECKey
    person: SignedIn
    patient: str

    def proof(self, method: str, path: str, **more: Any) -> str:
        return proof(self.key, method, f"{self.app.origin}{path}", **more)

    def get(self, path: str, token: str) -> httpx.Response:
        headers = {"Authorization": f"DPoP {token}", "DPoP": self.proof("GET", path, token=token)}
        return self.app.http.get(path, headers=headers)

    def tokens(self, **changed: Any) -> dict[str, Any]:
        return self.app.tokens(self.person, patient=self.patient, **changed)


def proof(key: ECKey, method: str, url: str, **more: Any) -> str:
    return dpop_proof(key, method, url, time.time_ns() // 1_000, secrets.token_urlsafe(16), **more)


@contextmanager
def proving(running: Running, key: ECKey) -> Iterator[httpx.Client]:
    """Every POST bears a proof made for it."""
    with http_client(running.process.url) as http:

        def prove(request: httpx.Request) -> None:
            if request.method == "POST":
                request.headers["DPoP"] = proof(key, "POST", str(request.url))

        http.event_hooks["request"] = [prove]
        yield http


@pytest.fixture(scope="module")
def bound(running: Running, ehr: Caller) -> Iterator[Bound]:
    key, made = ECKey.generate_key("P-256", private=True), ehr.create(patient())
    with proving(running, key) as http:
        app = smart_app(http, running.backstage, SCOPE, binding="dpop")
        person = signed_in_as(running.backstage, "patient", f"Patient/{made['id']}")
        yield Bound(app=app, key=key, person=person, patient=made["id"])


def test_the_tokens_of_a_code_are_bound_to_the_key_that_redeems_it(bound: Bound) -> None:
    """Section 5: token_type DPoP; section 7: not as Bearer."""
    tokens = bound.tokens()
    assert tokens["token_type"] == "DPoP"
    path = f"/fhir/Patient/{bound.patient}"
    assert bound.get(path, tokens["access_token"]).status_code == 200
    assert bound.app.get(path, tokens["access_token"]).status_code == 401


def test_userinfo_asks_for_a_proof_too(bound: Bound) -> None:
    """Section 7; OpenID Connect Core 5.3: it is a protected resource as any other."""
    token = bound.tokens()["access_token"]
    assert bound.get("/oauth/userinfo", token).status_code == 200
    assert bound.app.get("/oauth/userinfo", token).status_code == 401


def test_a_public_clients_refresh_token_is_good_with_its_key_alone(bound: Bound, running: Running) -> None:
    """Section 5: else whoever steals it could bind new tokens to a key of their own."""
    refresh = bound.tokens()["refresh_token"]
    thief = ECKey.generate_key("P-256", private=True)
    with proving(running, thief) as http:
        stolen = replace(bound.app, http=http).refresh(refresh)
    assert (stolen.status_code, stolen.json()["error"]) == (400, "invalid_grant")
    without = replace(bound.app, http=running.http).refresh(refresh)
    assert (without.status_code, without.json()["error"]) == (400, "invalid_dpop_proof")
    again = bound.app.refreshed(refresh)
    assert bound.get(f"/fhir/Patient/{bound.patient}", again["access_token"]).status_code == 200


def test_a_code_that_was_asked_for_with_a_key_is_redeemed_with_it_alone(bound: Bound, running: Running) -> None:
    """Section 10: dpop_jkt in the authorization request."""
    code = bound.app.code(bound.person, patient=bound.patient, dpop_jkt=bound.key.thumbprint())
    with proving(running, ECKey.generate_key("P-256", private=True)) as http:
        stolen = replace(bound.app, http=http).redeem(code)
    assert (stolen.status_code, stolen.json()["error"]) == (400, "invalid_grant")


def test_a_pushed_request_with_a_proof_binds_its_code(bound: Bound, running: Running) -> None:
    """Section 10.1: the proof at PAR is as good as dpop_jkt."""
    pushed = bound.app.posted("/oauth/par", bound.app.parameters())
    assert pushed.status_code == 201, pushed.text
    uri = pushed.json()["request_uri"]
    only = dict.fromkeys(bound.app.parameters(), None) | {"client_id": bound.app.id, "request_uri": uri}
    code = bound.app.code(bound.person, patient=bound.patient, **only)
    with proving(running, ECKey.generate_key("P-256", private=True)) as http:
        assert replace(bound.app, http=http).redeem(code).json()["error"] == "invalid_grant"


def test_discovery_says_how_tokens_can_be_bound(http: httpx.Client) -> None:
    """Section 5.1."""
    said = http.get("/.well-known/oauth-authorization-server").json()
    assert said["dpop_signing_alg_values_supported"] == ["ES256", "ES384", "RS256"]
