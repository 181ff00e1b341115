"""Tokens of other authorization servers, accepted as configured and in no other way.

RFC 9068 section 4, RFC 8725; against a second issuer whose keys lie behind a real HTTP server.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import ECKey, OctKey

from hub.issuers import BadIssuers, issuers_of
from security.oauth.issuers import LIFETIME_MAX_S, read_issuers
from tests.support.backstage import Account, new_client
from tests.support.caller import Caller
from tests.support.far_side import ForeignIssuer, foreign_issuer
from tests.support.fixtures import Running
from tests.support.inprocess import ORIGIN, InProcess, in_process
from tests.support.process import free_port, invoke

AUDIENCE = f"{ORIGIN}/fhir"
NOW_S = int(time.time())
AHEAD_S = 864_000
"""Days: an hour from the import of the file is over before a slow run comes to it."""


@pytest.fixture(scope="module")
def issuer() -> Iterator[ForeignIssuer]:
    with foreign_issuer(AUDIENCE) as opened:
        yield opened


@pytest.fixture(scope="module")
def account(running: Running) -> Account:
    """Registered for less than the issuer's ceiling."""
    return running.backstage.register(new_client("foreign-mapped", "system/Observation.rs system/Patient.cruds"))


@pytest.fixture(scope="module")
def leaving(running: Running) -> Account:
    """Revoked by the test that is about it."""
    return running.backstage.register(new_client("foreign-revoked", "system/*.rs"))


@pytest.fixture(scope="module")
def researcher(running: Running) -> Account:
    return running.backstage.register(new_client("foreign-research", "system/*.rs", purpose="HRESCH"))


@pytest.fixture
async def hub(
    running: Running, issuer: ForeignIssuer, account: Account, researcher: Account, leaving: Account, tmp_path: Path
) -> AsyncIterator[InProcess]:
    """The application on the data of the hub of all tests, with this issuer configured."""
    clients = {"their-client": account.id, "their-researcher": researcher.id, "their-nobody": "not-registered", "their-leaving": leaving.id}
    asked = {"purpose_claim": "purpose", "purposes": {"care": "TREAT"}, "issuer": "https://purposes.example.org"}
    rows = [issuer.row(clients=clients), issuer.row(clients=clients, **asked)]
    file = tmp_path / "issuers.json"
    file.write_text(json.dumps(rows))
    settings = {"issuers": file, "jwks_allow_loopback": True}
    async with in_process(running.process.data_dir, running.backstage.endpoint, **settings) as opened:
        yield opened


async def status(hub: InProcess, token: str, path: str = "/fhir/Observation", scheme: str = "Bearer") -> int:
    return (await hub.http.get(path, headers={"Authorization": f"{scheme} {token}"})).status_code


async def test_a_token_of_a_configured_issuer_stands_for_the_registered_client(hub: InProcess, issuer: ForeignIssuer) -> None:
    """With either kind of key; the audience may be one of several."""
    for key in (issuer.ec, issuer.rsa):
        assert await status(hub, issuer.token(key=key)) == 200
    assert await status(hub, issuer.token(aud=["https://elsewhere.example.org", AUDIENCE])) == 200


async def test_its_scopes_end_at_the_ceiling_and_at_the_registration(hub: InProcess, issuer: ForeignIssuer) -> None:
    """The least of three: token, issuer's ceiling, registration."""
    everything = issuer.token(scope="openid system/*.cruds user/*.cruds")
    assert await status(hub, everything, "/fhir/Patient") == 200
    assert await status(hub, everything, "/fhir/Device") == 403
    headers = {"Authorization": f"Bearer {everything}", "Content-Type": "application/fhir+json"}
    made = await hub.http.post("/fhir/Patient", headers=headers, content=b'{"resourceType":"Patient"}')
    assert made.status_code == 403


async def test_the_record_says_which_issuer_vouched_for_whom(
    hub: InProcess, issuer: ForeignIssuer, account: Account, running: Running, auditor: Caller
) -> None:
    """BALP OAUTHaccessTokenUse.Comprehensive: iss and subject are who.identifier; a token of the hub itself has none there."""
    answers = [
        await hub.http.get("/fhir/Observation", headers={"Authorization": f"Bearer {issuer.token()}"}),
        await hub.http.get("/fhir/Observation", headers=hub.authorization(account, "system/Observation.rs")),
    ]
    foreign, own = (running.backstage.records(answer.headers["x-request-id"])[0] for answer in answers)
    (asking,) = [agent for agent in foreign.event["agent"] if agent["requestor"]]
    vouched = {"system": issuer.issuer, "value": "their-client"}
    assert asking["who"] == {"reference": account.organization, "identifier": vouched}
    assert issuer.issuer not in str(own.event)
    asked = {"agent:identifier": f"{issuer.issuer}|their-client", "altid": account.id}
    found = auditor.get("AuditEvent", params=asked).json()["entry"]
    assert foreign.event["id"] in {one["resource"]["id"] for one in found}
    assert own.event["id"] not in {one["resource"]["id"] for one in found}
    asked_for = ("--issuer", issuer.issuer, "--client", account.id, "--reason", "tests")
    rows = (await asyncio.to_thread(running.process.invoke, "audit", "query", *asked_for, "--json")).json()
    assert {row["issuer"] for row in rows} == {issuer.issuer}
    assert foreign.event["id"] in {row["id"] for row in rows}


async def test_whom_an_issuer_vouched_for_in_vain_is_recorded_with_it(hub: InProcess, issuer: ForeignIssuer, running: Running) -> None:
    """SECURITY 3.5: denied attempts, too; what no signature says is not believed and not recorded."""
    refused = await hub.http.get("/fhir/Observation", headers={"Authorization": f"Bearer {issuer.token(client_id='their-nobody')}"})
    forged = issuer.token(key=ECKey.generate_key("P-256", private=True), header={"kid": issuer.ec.thumbprint()})
    unproved = await hub.http.get("/fhir/Observation", headers={"Authorization": f"Bearer {forged}"})
    (record,) = running.backstage.records(refused.headers["x-request-id"])
    assert {"system": issuer.issuer, "value": "their-nobody"} in [agent["who"].get("identifier") for agent in record.event["agent"]]
    (other,) = running.backstage.records(unproved.headers["x-request-id"])
    assert (refused.status_code, unproved.status_code, issuer.issuer in str(other.event)) == (401, 401, False)


def test_no_issuer_lies_in_clear_in_the_log(issuer: ForeignIssuer, running: Running) -> None:
    """Law 4: by keyed token and inside the seal, as clients do."""
    for document in running.backstage.admin["hub_audit"]["records"].find().sort("t", -1).limit(200):
        assert issuer.issuer not in str(document)
        assert "their-client" not in str(document)


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://other.example.org"},
        {"iss": None},
        {"iss": ORIGIN},
        {"aud": "https://other.example.org/fhir"},
        {"aud": None},
        {"aud": []},
        {"exp": NOW_S - 1},
        {"exp": None},
        {"exp": True},
        {"exp": NOW_S + 2 * LIFETIME_MAX_S},
        {"iat": None},
        {"iat": NOW_S + AHEAD_S, "exp": NOW_S + AHEAD_S + 300},
        {"nbf": NOW_S + AHEAD_S},
        {"client_id": None},
        {"client_id": "unknown"},
        {"client_id": ["their-client"]},
        {"client_id": "their-nobody"},
        {"scope": None},
        {"scope": "openid profile"},
        {"scope": "patient/*.rs user/*.rs"},
        {"scope": "system/AuditEvent.rs"},
        {"scope": "system/*.rx"},
        {"authorization": "a-1"},
        {"cnf": "x"},
        {"cnf": {"jwk": {}}},
        {"cnf": {"kid": "x"}},
        {"cnf": {"x5t#S256": "x"}},
        {"cnf": {"jkt": "x"}},
    ],
    ids=",".join,
)
async def test_a_claim_that_is_not_as_configured_makes_the_token_invalid(
    hub: InProcess, issuer: ForeignIssuer, claims: dict[str, Any]
) -> None:
    """RFC 9068 section 4; a token that is bound in a way the request does not show is refused (RFC 7800 section 3.1)."""
    assert await status(hub, issuer.token(**claims)) == 401


@pytest.mark.parametrize(
    "header",
    [{"typ": "JWT"}, {"typ": None}, {"typ": "dpop+jwt"}, {"kid": "unknown"}, {"kid": None}, {"jwk": {}}, {"x5u": "https://evil.example"}],
    ids=str,
)
async def test_a_header_that_is_not_as_configured_makes_the_token_invalid(
    hub: InProcess, issuer: ForeignIssuer, header: dict[str, Any]
) -> None:
    """RFC 8725 sections 3.10, 3.11."""
    assert await status(hub, issuer.token(header=header)) == 401


async def test_a_signature_of_another_key_or_by_another_algorithm_is_refused(hub: InProcess, issuer: ForeignIssuer) -> None:
    """RFC 8725 sections 2.1, 3.1: of the kinds that are configured, and never the public key as a secret."""
    other = ECKey.generate_key("P-256", private=True)
    assert await status(hub, issuer.token(key=other, header={"kid": issuer.ec.thumbprint()})) == 401
    assert await status(hub, issuer.token(key=issuer.rsa, header={"alg": "RS384"})) == 401
    secret = OctKey.import_key(json.dumps(dict(issuer.rsa.as_dict(private=False))).encode())
    assert await status(hub, issuer.token(key=secret, header={"alg": "HS256", "kid": issuer.rsa.thumbprint()})) == 401  # type: ignore[arg-type]


async def test_a_key_set_that_the_token_names_is_never_fetched(hub: InProcess, issuer: ForeignIssuer) -> None:
    """RFC 8725 section 3.10: a jku is no way to bring one's own keys."""
    with foreign_issuer(AUDIENCE) as evil:
        forged = evil.token(header={"jku": evil.at.url()})
        assert await status(hub, forged) == 401
        assert evil.at.asked == []


async def test_a_purpose_is_said_where_it_is_asked_for_and_is_the_registrations(hub: InProcess, issuer: ForeignIssuer) -> None:
    """GDPR Art. 5(1)(b): a token for care opens nothing that is registered for research."""
    said = {"iss": "https://purposes.example.org"}
    assert await status(hub, issuer.token(**said, purpose="care")) == 200
    for claims in ({}, {"purpose": "research"}, {"purpose": 5}, {"purpose": "care", "client_id": "their-researcher"}):
        assert await status(hub, issuer.token(**said, **claims)) == 401


async def test_a_client_that_was_revoked_here_is_revoked_whoever_vouches_for_it(
    hub: InProcess, issuer: ForeignIssuer, running: Running, leaving: Account
) -> None:
    """Whether the client still exists is asked of the registry at each request, not of the token."""
    token = issuer.token(client_id="their-leaving")
    assert await status(hub, token) == 200
    running.backstage.revoke(leaving)
    assert await status(hub, token) == 401


async def test_what_is_remembered_of_our_own_tokens_is_not_asked_of_others(hub: InProcess, account: Account) -> None:
    """A hub with other issuers takes its own tokens as before."""
    answer = await hub.http.get("/fhir/Observation", headers=hub.authorization(account, "system/Observation.rs"))
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"issuer": ORIGIN},
        {"issuer": None},
        {"audience": ""},
        {"jwks_uri": "file:///etc/passwd"},
        {"algorithms": []},
        {"algorithms": ["none"]},
        {"algorithms": ["HS256"]},
        {"algorithms": "ES256"},
        {"clients": {}},
        {"clients": {"a": 5}},
        {"scopes": "user/*.rs"},
        {"scopes": "system/*.*.*"},
        {"purposes": {"a": "TREAT"}},
        {"purpose_claim": "p"},
        {"trust": "everything"},
    ],
    ids=str,
)
def test_a_row_that_says_something_else_is_refused_with_a_reason(issuer: ForeignIssuer, changes: dict[str, Any]) -> None:
    """Ours: nothing is accepted by a default or by a member that nobody reads."""
    with pytest.raises(ValueError, match=r"row 1|issuer"):
        read_issuers([issuer.row(**{"clients": {"a": "b"}, **changes})], ORIGIN)


@pytest.mark.parametrize("content", ["", "{}", "[5]", "secret", None], ids=str)
def test_a_file_that_cannot_be_used_is_refused_without_repeating_it(tmp_path: Path, content: str | None) -> None:
    """Law 4: an error text says nothing of what a file holds."""
    file = tmp_path / "issuers.json"
    if content is not None:
        file.write_text(content)
    with pytest.raises(BadIssuers) as caught:
        issuers_of(file, ORIGIN)
    assert "secret" not in str(caught.value)


def test_one_issuer_comes_once(issuer: ForeignIssuer) -> None:
    """Two rows could disagree."""
    row = issuer.row(clients={"a": "b"})
    with pytest.raises(ValueError, match="once"):
        read_issuers([row, row], ORIGIN)
    (known,) = read_issuers([row], ORIGIN)
    assert replace(known) == known


def test_a_hub_with_a_file_that_it_cannot_use_says_so_before_it_starts_anything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """DESIGN 4: errors go to stderr with exit code 1."""
    file = tmp_path / "issuers.json"
    file.write_text('[{"issuer": "https://idp.example.org"}]')
    monkeypatch.setenv("HUB_ISSUERS", str(file))
    done = invoke("serve", "--port", str(free_port()), "--data-dir", str(tmp_path / "data"))
    assert (done.code, "row 1" in done.err) == (1, True)
    assert not (tmp_path / "data" / "mongodb").exists()
