"""POST /oauth/clients over HTTP: an app registers itself and waits; by command and by HTTP it is not there before it is approved.

https://www.rfc-editor.org/rfc/rfc7591#section-3
"""

import base64
import json
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest

from hub.limits import LIMITS
from hub.operator import OperatorError
from hub.registrations import Registrations
from hub.search.scope_query import check_scope_query
from hub.settings import Settings
from security.oauth.clients import Client
from tests.support.caller import http_client
from tests.support.fixtures import Running
from tests.support.process import HubProcess
from tests.support.signing_in import forget_addresses

pytestmark = pytest.mark.database
BACK = "https://app.example.org/back"
NAMES = count()
Json = dict[str, Any]


def description(**changes: Any) -> Json:
    said = {
        "client_name": f"Diary {next(NAMES)}",
        "redirect_uris": [BACK],
        "scope": "launch/patient patient/*.rs openid",
        "token_endpoint_auth_method": "client_secret_basic",
        **changes,
    }
    return {name: value for name, value in said.items() if value is not ...}


@pytest.fixture
def registrations(running: Running) -> Registrations:
    return Registrations(running.backstage.hub, check_scope_query, "tests")


@pytest.fixture(autouse=True)
def many(running: Running) -> Iterator[None]:
    """This file registers more than one address may in an hour: what was counted of it, or of another file, is forgotten."""
    forget_addresses(running.backstage, LIMITS)
    yield
    forget_addresses(running.backstage, LIMITS)


def register(http: httpx.Client, **changes: Any) -> Json:
    answer = http.post("/oauth/clients", json=description(**changes))
    assert answer.status_code == 201, answer.text
    return answer.json()


def ask_token(http: httpx.Client, client_id: str, secret: str) -> httpx.Response:
    basic = base64.b64encode(f"{client_id}:{secret}".encode()).decode()
    return http.post(
        "/oauth/token", data={"grant_type": "client_credentials", "scope": "system/*.rs"}, headers={"Authorization": f"Basic {basic}"}
    )


def test_an_app_is_told_its_id_and_its_secret_once(http: httpx.Client, running: Running) -> None:
    """RFC 7591 section 3.2.1: 201, not to be stored, client_secret_expires_at beside a secret."""
    answer = http.post("/oauth/clients", json=description(client_name="Heart diary"))
    body = answer.json()
    assert answer.status_code == 201
    assert answer.headers["cache-control"] == "no-store"
    assert body["client_id"].startswith("heart-diary-")
    assert len(body["client_secret"]) == 43
    assert body["client_secret_expires_at"] == 0
    assert body["redirect_uris"] == [BACK]
    assert body["approved"] is False
    assert "client_secret" not in register(http, token_endpoint_auth_method="none")
    notes = list(running.backstage.admin["hub"]["notes"].find({"kd": "oauth-registration"}))
    assert notes
    assert body["client_secret"] not in str(notes)
    assert "Heart diary" not in str(notes), "sealed"


def test_before_it_is_approved_it_is_as_if_it_were_not_there(http: httpx.Client, registrations: Registrations, running: Running) -> None:
    """Ours: the same answer as for a client that never was; after the approval its secret is good."""
    made = register(http)
    unknown = ask_token(http, "nobody-12345678", "s" * 43)
    waiting = ask_token(http, made["client_id"], made["client_secret"])
    assert (waiting.status_code, waiting.json()) == (unknown.status_code, unknown.json())
    assert waiting.json()["error"] == "invalid_client"
    client = running.backstage.run(registrations.approve(made["client_id"], scope="patient/Observation.rs openid"))
    assert (client.pending, client.scopes) == (False, "openid patient/Observation.rs")
    assert client.organization.startswith("Organization/")
    assert ask_token(http, made["client_id"], made["client_secret"]).json()["error"] != "invalid_client"
    assert ask_token(http, made["client_id"], "s" * 43).json()["error"] == "invalid_client"


def test_what_was_decided_is_decided(http: httpx.Client, registrations: Registrations, running: Running) -> None:
    """One approval, one refusal: neither twice, nor the one after the other; and no approval gives more than was asked for."""
    one, other = register(http)["client_id"], register(http)["client_id"]
    with pytest.raises(OperatorError, match="narrow"):
        running.backstage.run(registrations.approve(one, scope="patient/*.cruds"))
    running.backstage.run(registrations.approve(one))
    running.backstage.run(registrations.refuse(other))
    for act in (registrations.approve(one), registrations.refuse(one), registrations.approve(other), registrations.refuse(other)):
        with pytest.raises(OperatorError, match="waits"):
            running.backstage.run(act)
    waiting = {found.client.client_id for found in running.backstage.run(registrations.all()).waiting}
    assert not {one, other} & waiting


def test_each_registration_and_each_decision_is_on_record(http: httpx.Client, registrations: Registrations, running: Running) -> None:
    """DESIGN 2, law 2."""
    answer = http.post("/oauth/clients", json=description())
    (record,) = running.backstage.records(answer.headers["x-request-id"])
    assert (record.kind, record.outcome) == ("client-register", "0")
    assert answer.json()["client_id"] in json.dumps(record.event)
    refused = http.post("/oauth/clients", json=description(redirect_uris=["javascript:alert(1)"]))
    (record,) = running.backstage.records(refused.headers["x-request-id"])
    assert (record.kind, record.outcome) == ("client-register", "4")
    (record, *_) = running.backstage.recorded_by(lambda: running.backstage.run(registrations.approve(answer.json()["client_id"])))
    assert (record.kind, record.outcome) == ("client-approve", "0")


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"redirect_uris": ["https://good.example@evil.example/"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["data:text/html,x"]}, "invalid_redirect_uri"),
        ({"scope": "patient/*.rs system/*.rs"}, "invalid_client_metadata"),
        ({"software_statement": "e.e.e"}, "invalid_software_statement"),
        ({"client_name": "a" * 500}, "invalid_client_metadata"),
    ],
    ids=str,
)
def test_a_refusal_has_the_word_of_the_standard_and_repeats_nothing(http: httpx.Client, changes: Json, error: str) -> None:
    """RFC 7591 section 3.2.2."""
    answer = http.post("/oauth/clients", json=description(**changes))
    assert (answer.status_code, answer.json()["error"]) == (400, error)
    assert "evil" not in answer.text


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b'{"client_name": "a"} x', b"{" + b'"a":' * 9_000], ids=lambda body: body[:12].decode()
)
def test_what_is_no_description_is_refused(http: httpx.Client, body: bytes) -> None:
    answer = http.post("/oauth/clients", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 413)
    assert "error" in answer.json()
    assert http.post("/oauth/clients", data={"client_name": "a"}).json()["error"] == "invalid_client_metadata"


def test_an_address_registers_so_many_in_an_hour(http: httpx.Client) -> None:
    """Ours: 429 and Retry-After; what is refused for its form does not count."""
    answers = [http.post("/oauth/clients", json=description()) for _ in range(21)]
    assert [one.status_code for one in answers[:20]] == [201] * 20
    assert answers[20].status_code == 429
    assert 0 < int(answers[20].headers["retry-after"]) <= 3_600


def test_an_app_that_nobody_approves_is_forgotten(http: httpx.Client, registrations: Registrations, running: Running) -> None:
    """Ours: a sealed note with an end, which the database throws away by itself."""
    made = register(http)
    found = [one for one in running.backstage.run(registrations.all()).waiting if one.client.client_id == made["client_id"]]
    days = (found[0].expires_us - found[0].client.created_us) / 86_400_000_000
    assert round(days) == Settings.model_fields["registration_days"].default
    notes = running.backstage.admin["hub"]["notes"]
    key = running.backstage.hub.services.blind.token("note-oauth-registration", made["client_id"])
    stored = notes.find_one({"_id": key})
    assert stored is not None
    assert "x" in stored


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[HubProcess, Path]]:
    """A hub that asks for an initial access token and lets two apps wait."""
    folder = tmp_path_factory.mktemp("strict")
    token = folder / "token"
    token.write_text("initial-token\n")
    settings = {"HUB_REGISTRATION_TOKEN_FILE": str(token), "HUB_REGISTRATIONS_WAITING_MAX": "2"}
    process = HubProcess(folder / "data", **settings).start()
    yield process, token
    process.stop()


def test_an_initial_access_token_is_asked_for_where_the_settings_say_so(strict: tuple[HubProcess, Path]) -> None:
    """RFC 7591 section 3: without it, 401; and no more wait than may."""
    process, token = strict
    with http_client(process.url) as http:
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic initial-token"}):
            answer = http.post("/oauth/clients", json=description(), headers=headers)
            assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")
            assert answer.headers["www-authenticate"].startswith("Bearer")
        good = {"Authorization": "Bearer initial-token"}
        answers = [http.post("/oauth/clients", json=description(), headers=good) for _ in range(3)]
        assert [one.status_code for one in answers] == [201, 201, 429]
        token.write_text("")
        assert http.post("/oauth/clients", json=description()).status_code == 401, "an empty file lets nobody in"


def test_a_secret_is_exchanged_and_the_old_one_is_good_no_more(http: httpx.Client, registrations: Registrations, running: Running) -> None:
    """Ours: from the next request on, on every process."""
    made = register(http)
    running.backstage.run(registrations.approve(made["client_id"]))
    client, secret = running.backstage.run(registrations.rotate_secret(made["client_id"]))
    assert isinstance(client, Client)
    assert ask_token(http, made["client_id"], made["client_secret"]).json()["error"] == "invalid_client"
    assert ask_token(http, made["client_id"], secret).json()["error"] != "invalid_client"
