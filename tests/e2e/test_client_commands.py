"""Registrations of apps by command: hub client add --app, list, show, change, approve, refuse, secret rotate, revoke."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from tests.support.fixtures import Running
from tests.support.process import Done

pytestmark = pytest.mark.database
BACK = "https://diary.example.org/back"
NUMBERS = count()
Add = Callable[..., Done]


@pytest.fixture
def add(running: Running, tmp_path: Path) -> Add:
    def add(*arguments: str, scope: str = "launch/patient patient/*.rs") -> Done:
        places = {"tmp": tmp_path, "certificate": tmp_path / "certificate.pem"}
        given = [one.format(**places) for one in arguments]
        return running.process.invoke("client", "add", f"Diary {next(NUMBERS)}", "--app", "--scope", scope, *given)

    return add


def certificate(path: Path) -> str:
    key = generate_private_key(SECP256R1())
    name, now = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "app.example.org")]), datetime.now(UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(7)
    made = made.not_valid_before(now).not_valid_after(now + timedelta(days=1))
    signed = made.sign(key, SHA256())
    path.write_bytes(signed.public_bytes(Encoding.PEM))
    return base64.urlsafe_b64encode(signed.fingerprint(SHA256())).rstrip(b"=").decode()


def test_a_public_app_is_registered_shown_described_anew_and_revoked(running: Running, add: Add) -> None:
    """SMART App Launch 2.2, register app with EHR: redirect URIs, launch URL, scopes."""
    hub = running.process
    made = add("--public", "--redirect-uri", BACK, "--launch-url", "https://diary.example.org/launch", "--reason", "tests").json()
    assert made["scope"] == "launch/patient patient/*.rs"
    assert made["token_endpoint_auth_method"] == "none"
    assert made["grant_types"] == ["authorization_code", "refresh_token"]
    assert made["origins"] == ["https://diary.example.org"]
    assert made["organization"].startswith("Organization/")
    shown = hub.invoke("client", "show", made["client_id"]).json()
    assert (shown["redirect_uris"], shown["pending"]) == ([BACK], False)
    changed = hub.invoke("client", "change", made["client_id"], "--redirect-uri", "https://new.example.org/b", "--name", "New diary").json()
    assert (changed["name"], changed["redirect_uris"], changed["origins"]) == (
        "New diary",
        ["https://new.example.org/b"],
        ["https://new.example.org"],
    )
    assert changed["initiate_login_uri"] == "https://diary.example.org/launch"
    assert hub.invoke("client", "change", made["client_id"], "--redirect-uri", "http://new.example.org/b").code == 1
    assert hub.invoke("client", "change", made["client_id"]).code == 2
    assert hub.invoke("client", "revoke", made["client_id"]).code == 0
    assert hub.invoke("client", "change", made["client_id"], "--name", "x").code == 1
    assert made["client_id"] in {one["client_id"] for one in hub.invoke("client", "list", "--json").json()}


def test_a_secret_is_written_once_and_exchanged(running: Running, add: Add, tmp_path: Path) -> None:
    """The hub keeps a hash alone; the file is readable by its owner only."""
    hub, one, other = running.process, tmp_path / "one", tmp_path / "other"
    done = add("--secret-out", "{tmp}/one", "--redirect-uri", BACK)
    made = done.json()
    assert (len(one.read_text()), one.stat().st_mode & 0o777) == (43, 0o600)
    assert one.read_text() not in done.out + json.dumps(hub.invoke("client", "show", made["client_id"]).json())
    stored = running.backstage.admin["hub"]["oauth_clients"].find_one({"_id": made["client_id"]})
    assert stored is not None
    assert one.read_text() not in str(stored)
    assert hub.invoke("client", "secret", "rotate", made["client_id"], "--secret-out", str(other)).code == 0
    assert other.read_text() not in (one.read_text(), "")
    assert hub.invoke("client", "secret", "rotate", made["client_id"], "--secret-out", str(other)).code == 2, "never overwritten"


def test_an_app_with_a_key_or_a_certificate(add: Add, tmp_path: Path) -> None:
    """RFC 7523 and RFC 8705: what it proves itself by, and what its tokens are bound to."""
    thumbprint = certificate(tmp_path / "certificate.pem")
    keyed = add("--key-out", "{tmp}/key.pem", "--redirect-uri", BACK, "--binding", "dpop", "--par-required").json()
    assert (keyed["token_endpoint_auth_method"], keyed["dpop_bound_access_tokens"]) == ("private_key_jwt", True)
    assert keyed["require_pushed_authorization_requests"] is True
    certified = add("--certificate", "{certificate}", "--binding", "mtls", "--redirect-uri", BACK).json()
    assert (certified["token_endpoint_auth_method"], certified["certificate"]) == ("tls_client_auth", thumbprint)
    gateway = add("--public", "--grant", "device", "--grant", "refresh_token", scope="patient/Observation.cruds offline_access").json()
    assert gateway["grant_types"] == ["urn:ietf:params:oauth:grant-type:device_code", "refresh_token"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("--redirect-uri", BACK),
        ("--public", "--key-out", "{tmp}/k", "--redirect-uri", BACK),
        ("--public", "--secret-out", "{tmp}/s", "--redirect-uri", BACK),
        ("--public",),
        ("--public", "--redirect-uri", "http://diary.example.org/back"),
        ("--public", "--redirect-uri", "https://good.example@evil.example/"),
        ("--public", "--redirect-uri", "javascript:alert(1)"),
        ("--public", "--redirect-uri", BACK, "--origin", "https://diary.example.org/"),
        ("--public", "--redirect-uri", BACK, "--grant", "implicit"),
        ("--public", "--redirect-uri", BACK, "--grant", "client_credentials"),
        ("--public", "--redirect-uri", BACK, "--binding", "mtls"),
        ("--public", "--redirect-uri", BACK, "--binding", "tls"),
        ("--secret-out", "{tmp}/s", "--redirect-uri", "https://diary.example.org/*"),
        ("--certificate", "{certificate}", "--redirect-uri", BACK),
    ],
    ids=" ".join,
)
def test_what_does_not_fit_registers_nobody_and_leaves_no_file(
    running: Running, add: Add, arguments: tuple[str, ...], tmp_path: Path
) -> None:
    """Wrong use is exit code 2 (DESIGN 4)."""
    (tmp_path / "certificate.pem").write_text("no certificate")
    before = running.backstage.admin["hub"]["oauth_clients"].count_documents({})
    assert add(*arguments).code == 2
    assert running.backstage.admin["hub"]["oauth_clients"].count_documents({}) == before
    assert [path.name for path in tmp_path.iterdir()] == ["certificate.pem"]


def test_options_of_apps_need_the_word_app(running: Running, tmp_path: Path) -> None:
    """A backend that is registered as before is what it was before: same words, same answer."""
    hub = running.process
    backend = ("client", "add", "backend", "--scope", "system/*.rs", "--key-out")
    assert hub.invoke(*backend, str(tmp_path / "a"), "--redirect-uri", BACK).code == 2
    made: dict[str, Any] = hub.invoke(*backend, str(tmp_path / "b")).json()
    assert "redirect_uris" not in made
    assert list(made)[:3] == ["client_id", "name", "scope"]
    assert hub.invoke("client", "add", "x", "--scope", "patient/*.rs openid", "--key-out", str(tmp_path / "c")).code == 2


def test_an_app_that_registered_itself_is_approved_or_refused_by_command(running: Running, http: httpx.Client) -> None:
    """RFC 7591; the reason goes into the log."""
    hub = running.process
    said = {"client_name": "Waiting", "redirect_uris": [BACK], "scope": "patient/*.rs openid", "token_endpoint_auth_method": "none"}
    one, other = (http.post("/oauth/clients", json=said).json()["client_id"] for _ in range(2))
    assert {one, other} <= {found["client_id"] for found in hub.invoke("client", "list", "--pending", "--json").json()}
    assert one not in {found["client_id"] for found in hub.invoke("client", "list", "--json").json()}
    assert hub.invoke("client", "show", one).json()["pending"] is True
    assert hub.invoke("client", "approve", one, "--scope", "user/*.rs").code == 1
    approved = hub.invoke("client", "approve", one, "--scope", "patient/Observation.rs", "--reason", "looked at").json()
    assert approved["scope"] == "patient/Observation.rs"
    assert hub.invoke("client", "refuse", other).json() == {"client_id": other, "refused": True}
    assert not {one, other} & {found["client_id"] for found in hub.invoke("client", "list", "--pending", "--json").json()}
    assert hub.invoke("client", "approve", other).code == 1
