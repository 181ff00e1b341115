"""The token endpoint over HTTP: SMART Backend Services, SECURITY 1.3 (46 to 50, 53).

https://hl7.org/fhir/smart-app-launch/STU2.2/backend-services.html, https://www.rfc-editor.org/rfc/rfc6749#section-5
"""

import json
import threading
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
from joserfc.jwk import ECKey, RSAKey

from security.oauth.clients import Client, new_client_keys
from security.oauth.compact import sign
from security.oauth.jwks import private_key
from tests.support.backstage import Account, Backstage
from tests.support.caller import Caller
from tests.support.fixtures import Running
from tests.support.outcomes import refused
from tests.support.resources import ABSENT

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
Json = dict[str, Any]


def no(answer: httpx.Response, error: str, *, status: tuple[int, ...] = (400, 401)) -> None:
    """RFC 6749 5.2: an error in JSON, never cached."""
    assert answer.status_code in status, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert body["error"] == error, body
    assert "access_token" not in body


def test_a_signed_assertion_gets_a_token(ehr: Caller) -> None:
    """49, 23, 24: access_token, token_type Bearer, numeric expires_in of at most five minutes, scope; no-store."""
    answer = ehr.ask_token()
    body = answer.json()
    assert answer.status_code == 200
    assert (answer.headers["cache-control"], answer.headers["pragma"]) == ("no-store", "no-cache")
    assert body["token_type"] == "Bearer"
    assert 0 < body["expires_in"] <= 300
    assert body["scope"] == "system/*.cruds"
    assert ehr.http.get("/fhir/Organization", headers={"Authorization": f"Bearer {body['access_token']}"}).status_code == 200


def test_the_scheme_of_the_header_is_read_in_any_case(ehr: Caller) -> None:
    """RFC 9110 11.1: the scheme is case-insensitive."""
    assert ehr.http.get("/fhir/Organization", headers={"Authorization": f"bEARER {ehr.token}"}).status_code == 200


def test_no_more_is_granted_than_was_registered_and_asked(ehr: Caller, auditor: Caller) -> None:
    """RFC 6749 3.3: narrowed to the registration, and told."""
    assert ehr.narrowed("system/Observation.rs system/AuditEvent.rs").ask_token().json()["scope"] == "system/Observation.rs"
    assert ehr.narrowed("system/Observation.read").ask_token().json()["scope"] == "system/Observation.rs"
    assert auditor.ask_token().json()["scope"] == "system/AuditEvent.rs"
    no(auditor.narrowed("system/Patient.rs").ask_token(), "invalid_scope")


@pytest.mark.parametrize(
    "scope",
    [
        "patient/*.rs",
        "user/*.rs",
        "openid",
        "launch",
        "nonsense",
        "system/Nonsense.rs",
        "system/*.sr",
        "system/Observation.rs?code:in=x",
        "",
        "system/*.rs  x",
    ],
)
def test_a_scope_that_cannot_be_granted_is_refused(ehr: Caller, scope: str) -> None:
    no(ehr.narrowed(scope).ask_token(), "invalid_scope")


@pytest.mark.parametrize("scope", ["system/Observation.rs?nonsense=x", "system/*.rs?category=x", "system/Observation.rs?date=never"])
def test_a_scope_that_the_hub_could_not_enforce_is_refused(ehr: Caller, scope: str) -> None:
    """SMART 2.2: better no token than one whose query would be left out."""
    no(ehr.narrowed(scope).ask_token(), "invalid_scope")


def test_another_grant_type_is_refused(ehr: Caller) -> None:
    """46"""
    no(ehr.ask_token(grant_type="password"), "unsupported_grant_type", status=(400,))
    no(ehr.ask_token(grant_type="authorization_code"), "unauthorized_client", status=(400,))
    no(ehr.ask_token(grant_type=""), "invalid_request", status=(400,))


def test_another_way_to_prove_oneself_is_refused(ehr: Caller) -> None:
    """47"""
    no(ehr.ask_token(client_assertion_type="urn:other"), "invalid_client")
    no(ehr.ask_token(client_assertion_type=""), "invalid_client")
    no(ehr.ask_token(client_assertion=""), "invalid_client")
    no(ehr.ask_token(client_secret="x"), "invalid_request")


def signed(caller: Caller, *, header: Json | None = None, key: bytes | None = None, **claims: Any) -> str:
    """An assertion with other claims than it should have; None leaves one out."""
    own, algorithm = private_key(key or caller.account.key)
    right = {"iss": caller.account.id, "sub": caller.account.id, "aud": f"{caller.base.removesuffix('/fhir')}/oauth/token"}
    right |= {"exp": int(time.time()) + 240, "jti": f"jti-{time.time_ns()}"}
    kid = private_key(caller.account.key)[0].thumbprint()
    wanted = {name: value for name, value in {**right, **claims}.items() if value is not None}
    return sign({"typ": "JWT", "kid": kid, **(header or {})}, wanted, own, algorithm)


def test_the_way_these_tests_sign_is_right(ehr: Caller) -> None:
    """The set-up of the refusals below succeeds but for the one thing under test."""
    assert ehr.ask_token(client_assertion=signed(ehr)).status_code == 200


WRONG: dict[str, Callable[[Caller], str]] = {
    "signed by another key": lambda caller: signed(caller, key=new_client_keys()[0]),
    "unknown kid": lambda caller: signed(caller, header={"kid": "nonsense"}),
    "no exp": lambda caller: signed(caller, exp=None),
    "expired": lambda caller: signed(caller, exp=int(time.time()) - 1),
    "lives for an hour": lambda caller: signed(caller, exp=int(time.time()) + 3_600),
    "for another server": lambda caller: signed(caller, aud="https://elsewhere.example/oauth/token"),
    "for the FHIR base": lambda caller: signed(caller, aud=caller.base),
    "no aud": lambda caller: signed(caller, aud=None),
    "no jti": lambda caller: signed(caller, jti=None),
    "another subject": lambda caller: signed(caller, sub="other"),
    "another issuer": lambda caller: signed(caller, iss="other", sub="other"),
    "key from the header": lambda caller: signed(caller, header={"jku": "https://evil.example/jwks"}),
    "not yet": lambda caller: signed(caller, nbf=int(time.time()) + 60),
    "cut off": lambda caller: signed(caller)[:-4],
    "altered": lambda caller: altered(signed(caller)),
    "unsigned": lambda caller: unsigned(signed(caller)),
    "nonsense": lambda _: "nonsense",
    "too long": lambda caller: signed(caller, x="x" * 9_000),
}


def altered(assertion: str) -> str:
    header, claims, signature = assertion.split(".")
    body = json.loads(urlsafe_b64decode(claims + "=="))
    return f"{header}.{encoded({**body, 'exp': body['exp'] + 1})}.{signature}"


def unsigned(assertion: str) -> str:
    header, claims, _ = assertion.split(".")
    return f"{encoded({**json.loads(urlsafe_b64decode(header + '==')), 'alg': 'none'})}.{claims}."


def encoded(value: Json) -> str:
    return urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


@pytest.mark.parametrize("what", WRONG)
def test_who_does_not_prove_itself_gets_nothing(ehr: Caller, what: str) -> None:
    """48: bad signature, kid, aud, exp, jti: invalid_client."""
    no(ehr.ask_token(client_assertion=WRONG[what](ehr)), "invalid_client")


def test_strangers_learn_neither_clients_nor_keys(ehr: Caller, another: Callable[..., Caller], backstage: Backstage) -> None:
    """ASVS 10: unknown client, revoked client, unknown key and wrong signature are answered alike."""
    revoked = another()
    backstage.revoke(revoked.account)
    answers = [
        ehr.ask_token(client_assertion=signed(ehr, iss="nobody", sub="nobody")),
        revoked.ask_token(),
        ehr.ask_token(client_assertion=signed(ehr, header={"kid": "nonsense"})),
        ehr.ask_token(client_assertion=signed(ehr, key=new_client_keys()[0])),
    ]
    assert len({(answer.status_code, answer.content) for answer in answers}) == 1


def test_an_assertion_is_good_once(ehr: Caller) -> None:
    """48: jti never seen before."""
    assertion = ehr.assertion()
    assert ehr.ask_token(client_assertion=assertion).status_code == 200
    no(ehr.ask_token(client_assertion=assertion), "invalid_client")


def test_the_same_jti_of_another_client_is_another(ehr: Caller, reader: Caller) -> None:
    """RFC 7523 3: unique for its issuer."""
    jti = f"shared-{time.time_ns()}"
    assert ehr.ask_token(client_assertion=ehr.assertion(jti=jti)).status_code == 200
    assert reader.ask_token(client_assertion=reader.assertion(jti=jti)).status_code == 200


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", ""])
def test_the_request_is_a_form(http: httpx.Client, content_type: str) -> None:
    no(http.post("/oauth/token", content=b"{}", headers={"Content-Type": content_type}), "invalid_request", status=(400,))


@pytest.mark.parametrize("body", [b"\xff=x", b"grant_type=a&grant_type=b", b"&".join(b"a%d=x" % n for n in range(50)), b"x" * 40_000])
def test_a_form_that_cannot_be_read_is_refused(http: httpx.Client, body: bytes) -> None:
    """RFC 6749 3.2: a parameter given twice, too many, too long, not UTF-8: invalid_request."""
    no(
        http.post("/oauth/token", content=body, headers={"Content-Type": "application/x-www-form-urlencoded"}),
        "invalid_request",
        status=(400,),
    )


def test_parameters_in_the_url_are_not_read(ehr: Caller) -> None:
    """RFC 6749 3.2: parameters go in the body; in a URL they would end up in logs."""
    answer = ehr.http.post(
        "/oauth/token",
        params={
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": ehr.assertion(),
            "scope": "system/*.rs",
        },
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    no(answer, "invalid_request")


@pytest.mark.parametrize(
    "tampered", ["", "x", "Bearer", "Basic abc", "Bearer a.b.c", "Token {token}", "Bearer {token}x", "Bearer x{token}"]
)
def test_what_is_no_token_of_ours_opens_nothing(ehr: Caller, tampered: str) -> None:
    """50; RFC 6750."""
    answer = ehr.http.get("/fhir/Organization", headers={"Authorization": tampered.format(token=ehr.token)})
    refused(answer, 401, "login")


def test_a_token_with_another_scope_written_into_it_opens_nothing(auditor: Caller) -> None:
    """RFC 9068: the signature covers the claims."""
    header, claims, signature = auditor.token.split(".")
    body = json.loads(urlsafe_b64decode(claims + "=="))
    forged = f"{header}.{encoded({**body, 'scope': 'system/*.cruds'})}.{signature}"
    refused(auditor.http.get("/fhir/Organization", headers={"Authorization": f"Bearer {forged}"}), 401, "login")


def test_an_assertion_is_no_access_token(ehr: Caller) -> None:
    """RFC 8725 3.11: what was made for one use is not taken for another."""
    refused(ehr.http.get("/fhir/Organization", headers={"Authorization": f"Bearer {ehr.assertion()}"}), 401, "login")


@pytest.mark.parametrize("where", ["access_token={token}", "token={token}", "access_token={token}&_id=x"])
def test_a_token_in_the_url_is_refused(ehr: Caller, where: str) -> None:
    """FHIR.md 4b (13): URLs end up in logs and histories."""
    refused(ehr.http.get(f"/fhir/Organization?{where.format(token=ehr.token)}"), 401, "login")
    assert ehr.get(f"Organization?{where.format(token=ehr.token)}").status_code == 400


@pytest.mark.parametrize(
    "path", ["Organization", f"Organization/{ABSENT}", f"Organization/{ABSENT}/_history", f"Patient/{ABSENT}/$everything", "/quarantine"]
)
def test_a_token_in_the_url_is_refused_beside_the_header_too(ehr: Caller, path: str) -> None:
    """RFC 6750 3.1: "uses more than one method for including an access token" is an invalid request, whatever is asked for."""
    refused(ehr.get(f"{path}?access_token={ehr.token}"), 400, "invalid", expression="http.access_token")


def test_a_revoked_client_is_refused_from_its_next_request_on(another: Callable[..., Caller], backstage: Backstage) -> None:
    """53; ASVS 8.3.2: changes take effect immediately, also for tokens that have not expired."""
    client = another()
    assert client.get("Organization?_count=1").status_code == 200
    backstage.revoke(client.account)
    refused(client.get("Organization?_count=1"), 401, "login")
    refused(client.get(f"Observation/{ABSENT}"), 401, "login")
    no(client.ask_token(), "invalid_client")


@pytest.fixture
def jwks_server() -> Iterator[tuple[str, Json]]:
    """A place on this machine where a client keeps its keys (HUB_JWKS_ALLOW_LOOPBACK)."""
    keys: Json = {"keys": []}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(keys).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/jwks.json", keys
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("kind", ["ES384", "RS384"])
def test_a_client_may_keep_its_keys_at_a_url_and_change_them(running: Running, jwks_server: tuple[str, Json], kind: str) -> None:
    """SMART 2.2: JWKS by URL; RS384 and ES384; a key that is taken away proves nothing any more."""
    url, published = jwks_server
    account = Account(client=keyed(f"jwks-{kind}", url), key=made_key(kind))
    caller = running.caller(account)
    public = private_key(account.key)[0]
    published["keys"] = [{**public.as_dict(private=False), "kid": public.thumbprint()}]
    assert caller.ask_token().status_code == 200, caller.ask_token().text
    published["keys"] = []
    no(caller.ask_token(), "invalid_client")


def made_key(kind: str) -> bytes:
    key = ECKey.generate_key("P-384", auto_kid=True) if kind == "ES384" else RSAKey.generate_key(2048, auto_kid=True)
    return key.as_pem(private=True)


def keyed(name: str, url: str) -> Client:
    return Client(
        client_id=name,
        name=name,
        scopes="system/Organization.rs",
        organization="",
        purpose="TREAT",
        consent_default="opt-in",
        recorder=False,
        importer=False,
        jwks=None,
        jwks_uri=url,
        created_us=0,
    )
