"""Forged and misused tokens against a running hub: RFC 8725 (JWT best practice), RFC 6750 section 5, OWASP ASVS 5.0 9.1 and 9.2.

Each attack begins with what an attacker can have: a good token of somebody, the published keys, keys of their own.
"""

import base64
import hmac
import json
import secrets
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc.jwk import ECKey, OctKey, RSAKey

from security.oauth.access_token import TOKEN_MAX_CHARS
from security.oauth.client import dpop_proof
from security.oauth.compact import peek, sign
from tests.spec.oauth.world import base64url, signed
from tests.support.caller import Caller
from tests.support.fixtures import Running

OWN = ECKey.generate_key("P-256", private=True)
OWN_RSA = RSAKey.generate_key(2048, private=True)
Json = dict[str, Any]


def parts(token: str) -> tuple[Json, Json, str]:
    seen = peek(token, max_chars=TOKEN_MAX_CHARS)
    return dict(seen.header), dict(seen.claims), token.rpartition(".")[2]


def compact(header: object, claims: object, signature: str) -> str:
    return ".".join((base64url(json.dumps(header).encode()), base64url(json.dumps(claims).encode()), signature))


def status(http: httpx.Client, token: str, scheme: str = "Bearer") -> int:
    return http.get("/fhir/Observation?_count=0", headers={"Authorization": f"{scheme} {token}"}).status_code


@pytest.fixture
def token(ehr: Caller) -> str:
    """One that is good for a while: the tests of a file may last longer than that."""
    return ehr.token


def test_the_token_that_is_tampered_with_is_good_as_it_is(http: httpx.Client, token: str) -> None:
    """Else nothing below would show anything."""
    assert status(http, token) == 200


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "nOnE", "", " none", "none\x00", None, 0, [], ["none"]], ids=repr)
@pytest.mark.parametrize("keep", [True, False], ids=["with its signature", "without"])
def test_a_token_that_says_it_needs_no_signature_is_refused(http: httpx.Client, token: str, alg: object, *, keep: bool) -> None:
    """RFC 8725 section 2.1, in every spelling."""
    header, claims, signature = parts(token)
    for scope in (claims["scope"], "system/*.cruds system/AuditEvent.rs"):
        assert status(http, compact({**header, "alg": alg}, {**claims, "scope": scope}, signature if keep else "")) == 401


def published(http: httpx.Client) -> list[Json]:
    keys: list[Json] = http.get("/oauth/jwks").json()["keys"]
    return keys


def as_secrets(jwk: Json) -> list[bytes]:
    """The ways in which libraries were made to take a public key for a secret."""
    key = (RSAKey if jwk["kty"] == "RSA" else ECKey).import_key(jwk).raw_value
    forms = (PublicFormat.SubjectPublicKeyInfo,) if jwk["kty"] == "EC" else (PublicFormat.SubjectPublicKeyInfo, PublicFormat.PKCS1)
    return [
        *(key.public_bytes(encoding, form) for encoding in (Encoding.PEM, Encoding.DER) for form in forms),
        json.dumps(jwk).encode(),
        json.dumps(jwk, separators=(",", ":"), sort_keys=True).encode(),
        jwk.get("n", jwk.get("x", "")).encode(),
    ]


@pytest.mark.parametrize("alg", ["HS256", "HS384", "HS512"])
def test_the_published_key_is_no_secret_to_sign_with(http: httpx.Client, token: str, alg: str) -> None:
    """RFC 8725 section 2.1: algorithm confusion, with both published keys, under both names."""
    header, claims, _ = parts(token)
    keys = published(http)
    for jwk in keys:
        for secret in as_secrets(jwk):
            for kid in {header["kid"], jwk["kid"]}:
                content = compact({**header, "alg": alg, "kid": kid}, claims, "").rstrip(".")
                tag = hmac.digest(secret, content.encode(), f"sha{alg[2:]}")  # by hand: libraries refuse to sign like this by now
                assert status(http, f"{content}.{base64url(tag)}") == 401


def own_jwk(key: ECKey | RSAKey) -> Json:
    return dict(key.as_dict(private=False, kid="mine"))


@pytest.mark.parametrize(
    "header",
    [
        {"jwk": own_jwk(OWN)},
        {"jwk": own_jwk(OWN), "kid": "mine"},
        {"jwk": json.dumps(own_jwk(OWN)), "kid": "mine"},
        {"x5c": [base64.b64encode(b"certificate").decode()], "kid": "mine"},
        {"x5u": "https://evil.example/cert.pem", "kid": "mine"},
        {"x5t": "AAAA", "x5t#S256": "AAAA", "kid": "mine"},
        {"jku": "https://evil.example/jwks.json", "kid": "mine"},
        {"jku": "http://169.254.169.254/latest/meta-data/", "kid": "mine"},
        {"crit": ["exp"], "exp": 1},
        {"b64": False, "crit": ["b64"]},
        {"zip": "DEF"},
        {"enc": "A128GCM", "alg": "dir"},
        {"cty": "JWT"},
    ],
    ids=",".join,
)
def test_a_key_that_comes_with_the_token_is_nobodys(http: httpx.Client, token: str, header: Json) -> None:
    """RFC 8725 section 3.10; ASVS 9.1.3."""
    good, claims, _ = parts(token)
    members = {**good, **header}
    for key, alg in ((OWN, "ES256"), (OWN_RSA, "RS256")):
        content = f"{base64url(json.dumps({**members, 'alg': alg}).encode())}.{base64url(json.dumps(claims).encode())}"
        signature = signed({"alg": alg}, {"of": content}, key).rpartition(".")[2]
        assert status(http, f"{content}.{signature}") == 401


@pytest.mark.parametrize(
    "kid",
    [
        "../../../../dev/null",
        "/proc/self/environ",
        "file:///etc/passwd",
        "' UNION SELECT 'secret' --",
        '{"$gt": ""}',
        "$where",
        "| id",
        "x" * 5_000,
        "\u202e\u0000\ufeff",
        "\U0001f511" * 100,
        "\ud800",
        "",
        {"$ne": None},
        ["a", "b"],
        7,
        None,
    ],
    ids=lambda kid: ascii(kid)[:24],
)
def test_a_kid_is_a_name_and_nothing_else(http: httpx.Client, token: str, kid: object) -> None:
    """RFC 8725 section 3.10: no path, no query, no command; whatever it is, the answer is the same and quick."""
    header, claims, signature = parts(token)
    for key in (OWN, OctKey.import_key(b"\x00" * 32)):
        alg = "ES256" if key is OWN else "HS256"
        forged = compact({**header, "alg": alg, "kid": kid}, claims, signature)
        assert status(http, forged) == 401


def assertion(ehr: Caller, _: Running) -> str:
    return ehr.assertion()


def proof(ehr: Caller, _: Running) -> str:
    now_us = time.time_ns() // 1_000
    return dpop_proof(OWN, "GET", f"{ehr.base}/Observation", now_us, secrets.token_urlsafe(8), token=ehr.token)


def id_token(ehr: Caller, running: Running) -> str:
    """As the hub itself signs them, with every claim that an access token has."""
    key = running.backstage.hub.signing_keys.identity
    return sign({"typ": "JWT", "kid": key.kid}, parts(ehr.token)[1], key.private, "RS256")


def same_key_other_type(ehr: Caller, running: Running) -> str:
    key = running.backstage.hub.signing_keys.current
    return sign({"typ": "JWT", "kid": key.kid}, parts(ehr.token)[1], key.private, "ES256")


def no_type(ehr: Caller, running: Running) -> str:
    key = running.backstage.hub.signing_keys.current
    return sign({"kid": key.kid}, parts(ehr.token)[1], key.private, "ES256")


def other_audience(ehr: Caller, running: Running) -> str:
    key = running.backstage.hub.signing_keys.current
    return sign({"typ": "at+jwt", "kid": key.kid}, {**parts(ehr.token)[1], "aud": ehr.account.id}, key.private, "ES256")


def page_link(_: Caller, running: Running) -> str:
    return running.backstage.hub.services.page_key.hex()


@pytest.mark.parametrize("other", [assertion, proof, id_token, same_key_other_type, no_type, other_audience, page_link])
@pytest.mark.parametrize("scheme", ["Bearer", "DPoP"])
def test_what_was_made_for_another_use_is_no_access_token(
    http: httpx.Client, ehr: Caller, running: Running, other: Callable[[Caller, Running], str], scheme: str
) -> None:
    """RFC 8725 sections 2.8, 3.11, 3.12; ASVS 9.2.2: a client's assertion, a DPoP proof, an id_token, a secret of the hub."""
    assert status(http, other(ehr, running), scheme) == 401


@pytest.mark.parametrize("other", [proof, id_token, same_key_other_type], ids=lambda one: one.__name__)
def test_what_was_made_for_another_use_is_no_assertion(ehr: Caller, running: Running, other: Callable[[Caller, Running], str]) -> None:
    """RFC 7523 section 3; RFC 8725 section 3.11."""
    for shown in (other(ehr, running), ehr.token):
        answer = ehr.ask_token(client_assertion=shown)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


@pytest.mark.parametrize("other", [assertion, id_token, same_key_other_type], ids=lambda one: one.__name__)
def test_what_was_made_for_another_use_is_no_proof(ehr: Caller, running: Running, other: Callable[[Caller, Running], str]) -> None:
    """RFC 9449 section 4.3: typ dpop+jwt."""
    for shown in (other(ehr, running), ehr.token, "", "a.b.c"):
        answer = ehr.ask_token(headers={"DPoP": shown})
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_dpop_proof")


def test_a_token_in_the_url_opens_nothing(http: httpx.Client, token: str) -> None:
    """RFC 6750 section 5.3: URLs are written down; without a header it is no token, beside one it is a mistake."""
    assert http.get(f"/fhir/Observation?access_token={token}").status_code == 401
    doubled = http.get(f"/fhir/Observation?access_token={token}", headers={"Authorization": f"Bearer {token}"})
    assert doubled.status_code == 400
    assert token not in doubled.text


def test_a_token_in_a_form_or_a_cookie_opens_nothing(http: httpx.Client, token: str) -> None:
    """RFC 6750 section 2.2 is not offered."""
    assert http.post("/fhir/Observation/_search", data={"access_token": token}).status_code == 401
    assert http.get("/fhir/Observation", headers={"Cookie": f"access_token={token}"}).status_code == 401


@pytest.mark.parametrize("chars", [TOKEN_MAX_CHARS + 1, 30_000])
def test_a_token_of_great_length_costs_a_look_at_its_length(http: httpx.Client, token: str, chars: int) -> None:
    """CVE-2025-61920 of another implementation: oversized JOSE."""
    header, _, _ = parts(token)
    for forged in ("x" * chars, f"{'a' * chars}.b.c", compact(header, {"x": "y" * chars}, "s"), "." * chars):
        assert status(http, forged) == 401


@pytest.mark.parametrize("shape", [".", "..", "...", "a", "a.b", "a.b.c.d", "a.b.c.d.e", "e30.e30.", ".e30.e30", "é.é.é", "%00.%00.%00"])
def test_what_is_no_token_is_refused(http: httpx.Client, shape: str) -> None:
    """RFC 7515 section 7.1; RFC 7516 (five parts) is not spoken."""
    headers = [(b"Authorization", b"Bearer " + shape.encode())]
    assert http.get("/fhir/Observation", headers=headers).status_code == 401


@pytest.mark.parametrize("change", [{"exp": 9_999_999_999}, {"scope": "system/AuditEvent.rs"}, {"client_id": "another"}, {"cnf": {}}])
def test_a_claim_that_was_changed_breaks_the_signature(http: httpx.Client, token: str, change: Json) -> None:
    """RFC 7515 section 5.2."""
    header, claims, signature = parts(token)
    assert status(http, compact(header, {**claims, **change}, signature)) == 401
