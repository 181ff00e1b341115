"""Certificates of clients: RFC 8705 section 2 (they prove the client) and section 3 (they bind its tokens), at a hub that ends TLS,
and by RFC 9440 behind a proxy that does.
"""

import ssl
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.requests import Request

from hub.proxied import HEADER_MAX_BYTES, Proxied
from hub.sender import certificate_of
from security.oauth.binding import thumbprint
from security.oauth.compact import peek
from tests.support.backstage import Account, Backstage, new_client
from tests.support.caller import TIMEOUT_S, Caller
from tests.support.mllp import Pair, certificate
from tests.support.process import HubProcess


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """A hub that speaks TLS and looks at certificates, and two clients' certificates that it trusts."""

    process: HubProcess
    backstage: Backstage
    hub: Pair
    own: Pair
    others: Pair

    @contextmanager
    def connected(self, shown: Pair | None) -> Iterator[httpx.Client]:
        context = ssl.create_default_context(cafile=self.hub.certificate)
        if shown is not None:
            context.load_cert_chain(shown.certificate, shown.key)
        with httpx.Client(base_url=self.process.url, timeout=TIMEOUT_S, trust_env=False, verify=context) as http:
            yield http

    def register(self, name: str, **changes: Any) -> Account:
        account = new_client(name, "system/*.rs")
        return self.backstage.register(replace(account, client=replace(account.client, **changes)))


def named(pair: Pair) -> str:
    return thumbprint(ssl.PEM_cert_to_DER_cert(pair.certificate.read_text()))


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tls]:
    folder = tmp_path_factory.mktemp("mtls")
    hub, own, others = (certificate(folder, name) for name in ("hub", "own", "others"))
    trusted = folder / "clients.pem"
    trusted.write_bytes(own.certificate.read_bytes() + others.certificate.read_bytes())
    flags = ("--tls-cert", str(hub.certificate), "--tls-key", str(hub.key), "--tls-client-ca", str(trusted))
    process = HubProcess(folder / "data", *flags, secure=True).start()
    try:
        with Backstage(process.data_dir, process.url) as backstage:
            yield Tls(process=process, backstage=backstage, hub=hub, own=own, others=others)
    finally:
        process.stop()


def test_a_token_asked_for_with_a_certificate_is_bound_to_it(tls: Tls) -> None:
    """Section 3.1: cnf x5t#S256; the type stays Bearer."""
    account = tls.register("mtls-bound", binding="mtls")
    with tls.connected(tls.own) as http:
        answer = Caller(http, account).ask_token()
    assert (answer.status_code, answer.json()["token_type"]) == (200, "Bearer")
    assert peek(answer.json()["access_token"], max_chars=8_192).claims["cnf"] == {"x5t#S256": named(tls.own)}


def test_an_ehr_opens_launches_by_its_certificate(tls: Tls) -> None:
    """Section 2: the proof is the certificate; with it the form is looked at, without it nothing is."""
    account = tls.register(
        "mtls-launcher", authentication="tls_client_auth", certificate=named(tls.own), jwks=None, launcher=True, binding="mtls"
    )
    answers = []
    for shown in (tls.own, tls.others, None):
        with tls.connected(shown) as http:
            answers.append(http.post("/oauth/launch", data={"client_id": account.id}).json()["error"])
    assert answers == ["invalid_request", "invalid_client", "invalid_client"]


def test_a_bound_token_is_good_over_a_connection_with_the_same_certificate_only(tls: Tls) -> None:
    """Section 3: else 401 invalid_token."""
    account = tls.register("mtls-checked", binding="mtls")
    with tls.connected(tls.own) as http:
        token = Caller(http, account).token
        assert Caller(http, account, token=token).get("Observation").status_code == 200
    for shown in (None, tls.others):
        with tls.connected(shown) as http:
            answer = Caller(http, account, token=token).get("Observation")
            assert (answer.status_code, "invalid_token" in answer.headers["www-authenticate"]) == (401, True)


def test_a_client_that_is_bound_to_a_certificate_gets_no_token_without_it(tls: Tls) -> None:
    """Section 3.4; a registered thumbprint names the one that will do."""
    free, fixed = tls.register("mtls-any", binding="mtls"), tls.register("mtls-fixed", binding="mtls", certificate=named(tls.own))
    for account, shown, good in ((free, None, False), (fixed, tls.others, False), (fixed, tls.own, True)):
        with tls.connected(shown) as http:
            answer = Caller(http, account).ask_token()
            assert (answer.status_code == 200) is good, answer.text


def test_a_client_proves_itself_by_its_registered_certificate(tls: Tls) -> None:
    """Section 2.1 (tls_client_auth), by thumbprint: no assertion, no secret."""
    changes = {"authentication": "tls_client_auth", "certificate": named(tls.own), "jwks": None, "binding": "mtls"}
    account = tls.register("mtls-proved", **changes)
    form = {"grant_type": "client_credentials", "client_id": account.id, "scope": "system/*.rs"}
    for shown, status in ((tls.own, 200), (tls.others, 401), (None, 401)):
        with tls.connected(shown) as http:
            assert http.post("/oauth/token", data=form).status_code == status


def test_discovery_says_that_certificates_are_taken(tls: Tls) -> None:
    """Section 3.3, RFC 8414 section 2: this hub sees the certificates of its clients."""
    with tls.connected(None) as http:
        said = http.get("/fhir/.well-known/smart-configuration").json()
    assert said["tls_client_certificate_bound_access_tokens"] is True
    assert "tls_client_auth" in said["token_endpoint_auth_methods_supported"]


def test_a_certificate_that_nobody_trusts_ends_the_connection(tls: Tls, tmp_path: Path) -> None:
    """Section 2: what is not proved is not looked at."""
    with tls.connected(certificate(tmp_path, "unknown")) as http, pytest.raises(httpx.TransportError):
        http.get("/livez")


def test_the_header_of_a_proxy_means_nothing_from_somebody_else(tls: Tls) -> None:
    """RFC 9440 section 2.4: here no proxy is configured."""
    account = tls.register("mtls-header", binding="mtls")
    der = b64encode(ssl.PEM_cert_to_DER_cert(tls.own.certificate.read_text())).decode()
    with tls.connected(None) as http:
        assert Caller(http, account).ask_token(headers={"Client-Cert": f":{der}:"}).status_code == 400
    with tls.connected(tls.own) as http:
        token = Caller(http, account).token
    with tls.connected(None) as http:
        assert Caller(http, account, token=token).get("Observation", headers={"Client-Cert": f":{der}:"}).status_code == 401


DER = b"\x30\x03\x02\x01\x05"
SHOWN = b":" + b64encode(DER) + b":"
PROXY, ELSEWHERE = ("10.4.0.7", 1), ("10.5.0.7", 1)


async def seen(client: tuple[str, int] | None, *lines: bytes, own: str | None = None) -> tuple[str | None, list[bytes]]:
    """What the application sees of a request: the certificate, and the names of headers."""
    found: list[tuple[str | None, list[bytes]]] = []

    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        found.append((certificate_of(Request(scope)), [name for name, _ in scope["headers"]]))

    async def nothing(*_: Any) -> Any:
        return None

    headers = [(b"accept", b"*/*"), *((b"client-cert", line) for line in lines)]
    extensions = {} if own is None else {"tls": {"x5t#S256": own}}
    scope = {"type": "http", "client": client, "headers": headers, "extensions": extensions}
    await Proxied(app, [ip_network("10.4.0.0/24"), ip_network("fd00::/8")])(scope, nothing, nothing)
    return found[0]


@pytest.mark.parametrize("client", [PROXY, ("::ffff:10.4.0.7", 1), ("fd00::1", 1)])
async def test_a_proxy_says_which_certificate_the_client_has(client: tuple[str, int]) -> None:
    """RFC 9440 section 2.2: a byte sequence of the DER."""
    assert await seen(client, SHOWN) == (thumbprint(DER), [b"accept"])


@pytest.mark.parametrize("client", [ELSEWHERE, None, ("unix", 0), ("fe80::1", 1)])
async def test_from_anybody_else_the_header_is_taken_out(client: tuple[str, int] | None) -> None:
    """RFC 9440 section 2.4: the certificate of the connection is all that counts."""
    assert await seen(client, SHOWN) == (None, [b"accept"])
    assert await seen(client, SHOWN, own="own") == ("own", [b"accept"])


@pytest.mark.parametrize(
    "lines",
    [
        (),
        (SHOWN, SHOWN),
        (b"",),
        (b":",),
        (b"::",),
        (b64encode(DER),),
        (b":" + b64encode(DER),),
        (b":not base64:",),
        (b":" + b64encode(b"text") + b":",),
        (SHOWN + b", " + SHOWN,),
        (b":" + b64encode(DER + bytes(HEADER_MAX_BYTES)) + b":",),
    ],
    ids=range(11),
)
async def test_what_is_not_one_readable_certificate_is_none(lines: tuple[bytes, ...]) -> None:
    """RFC 9440 section 2.2; the certificate of the proxy's own connection is not the client's."""
    assert await seen(PROXY, *lines, own="of-the-proxy") == (None, [b"accept"])
