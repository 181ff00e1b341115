"""Transport. https://hl7.org/fhir/smart-app-launch/STU2.2/backend-services.html: all exchanges SHALL be secured by TLS 1.2 or later.

The tests' own hub speaks plain HTTP on this machine, so one with a certificate is started beside it. Of another server that does, somebody
else ends TLS, and this file is left out (conftest.py).
"""

import socket
import ssl
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx
import pytest

from tests.spec.smart.blackbox.target import Target

CONNECT_S = 60
ENDPOINTS = ("/oauth/authorize", "/oauth/token")


@dataclass(frozen=True, slots=True)
class Place:
    host: str
    port: int
    authority: str | None


@pytest.fixture(scope="module")
def place(target: Target, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    url = urlsplit(target.origin)
    if url.scheme == "https":
        yield Place(str(url.hostname), url.port or 443, None)
        return
    from tests.support.mllp import certificate
    from tests.support.process import HubProcess

    folder = tmp_path_factory.mktemp("smart-tls")
    pair = certificate(folder, "hub")
    process = HubProcess(folder / "data", "--tls-cert", str(pair.certificate), "--tls-key", str(pair.key)).start()
    try:
        yield Place("127.0.0.1", process.port, str(pair.certificate))
    finally:
        process.stop()


def handshake(place: Place, version: ssl.TLSVersion) -> str | None:
    """The protocol that was agreed on when the client offers this one alone."""
    context = ssl.create_default_context(cafile=place.authority)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # old versions are offered on purpose
        context.minimum_version = context.maximum_version = version
    context.set_ciphers("ALL:@SECLEVEL=0")
    with socket.create_connection((place.host, place.port), CONNECT_S) as raw, context.wrap_socket(raw, server_hostname=place.host) as wire:
        return wire.version()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=lambda one: one.name)
def test_tls_1_2_and_later_are_spoken(place: Place, version: ssl.TLSVersion) -> None:
    """13. SMART 2.2 backend-services: TLS V1.2 or a more recent version of TLS."""
    assert handshake(place, version) == version.name.replace("_", ".")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1], ids=lambda one: one.name)
def test_older_versions_are_refused(place: Place, version: ssl.TLSVersion) -> None:
    """13. RFC 8996: TLS 1.0 and TLS 1.1 MUST NOT be used; for authorize and token as for all else."""
    with pytest.raises((ssl.SSLError, ConnectionError)):
        handshake(place, version)


@pytest.mark.parametrize("path", ENDPOINTS)
def test_no_answer_comes_in_clear(place: Place, path: str) -> None:
    """13. RFC 6749 sections 3.1 and 3.2: the authorization server MUST require TLS at both endpoints."""
    with socket.create_connection((place.host, place.port), CONNECT_S) as raw:
        raw.sendall(f"GET {path} HTTP/1.1\r\nHost: {place.host}\r\n\r\n".encode())
        raw.settimeout(CONNECT_S)
        try:
            answer = raw.recv(64)
        except ConnectionError:
            answer = b""
    assert not answer.startswith(b"HTTP/1.1 2")
    assert not answer.startswith(b"HTTP/1.1 3")


def test_cookies_go_over_tls_alone(place: Place) -> None:
    """Beyond: ASVS 5.0 3.3.1, RFC 6265bis section 4.1.3: Secure, and a name with the prefix that binds it to this host."""
    context = ssl.create_default_context(cafile=place.authority)
    with httpx.Client(verify=context, trust_env=False, timeout=CONNECT_S) as client:
        answer = client.get(f"https://{place.host}:{place.port}/account/sign-in")
    for cookie in answer.headers.get_list("set-cookie"):
        assert cookie.startswith("__Host-")
        assert "; secure" in cookie.lower()
    assert answer.headers.get_list("set-cookie")
