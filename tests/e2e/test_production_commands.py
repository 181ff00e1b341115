"""Commands against a hub of the production profile, which gives a system client bound tokens alone and asks for nonces. SECURITY 1.5."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from hub.cli.kit import simulate
from hub.cli.prover import Prover
from security.oauth.compact import peek_with_key
from tests.support.process import Done, HubProcess

FAULTS = "duplicates,corrected,garbage"
SCOPE = "system/Patient.crs system/Observation.cr"


@pytest.fixture(scope="module")
def production(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProcess]:
    process = HubProcess(tmp_path_factory.mktemp("production") / "data", HUB_PROFILE="production", HUB_DPOP_NONCE="true").start()
    try:
        yield process
    finally:
        process.stop()


@pytest.fixture(scope="module")
def account(production: HubProcess, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    key = tmp_path_factory.mktemp("keys") / "client.pem"
    flags = ("--binding", "dpop", "--recorder", "--consent-default", "opt-out", "--key-out", str(key))
    made = production.invoke("client", "add", "simulator", "--scope", SCOPE, *flags)
    assert made.code == 0, made.err
    return ["--base-url", production.url, "--client-id", made.json()["client_id"], "--key", str(key)]


def simulated(production: HubProcess, account: list[str], *flags: str) -> Done:
    plan = ("--patients", "2", "--days", "2", "--faults", FAULTS)
    return production.command("adapters", "simulate", "withings", *plan, *account, *flags, "--json")


def test_a_simulation_binds_its_tokens_to_a_key_of_its_own(production: HubProcess, account: list[str], tmp_path: Path) -> None:
    """RFC 9449: a proof for each request, with the nonce that the hub asks for; patients made, units paired, fates as expected."""
    refused = simulated(production, account)
    assert (refused.code, "DPoP" in refused.err) == (1, True)
    done = simulated(production, account, "--dpop")
    assert done.code == 0, done.out + done.err
    assert {what: one["unexpected"] for what, one in done.json().items()} == {"readings": 0, "duplicates": 0, "corrected": 0, "garbage": 0}


def test_a_simulation_that_outlives_a_nonce_goes_on_with_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    """RFC 9449 section 9: a resource may ask for another nonce at any time; the same request is sent again with it."""
    nonces: list[object] = []

    def hub(request: httpx.Request) -> httpx.Response:
        proof, _ = peek_with_key(request.headers["DPoP"], max_chars=4_096)
        nonces.append(proof.claims.get("nonce"))
        if nonces[-1] != "fresh":
            return httpx.Response(401, headers={"DPoP-Nonce": "fresh"})
        return httpx.Response(201, json={"id": "p-1"})

    monkeypatch.setattr(simulate, "fetch_token", lambda *_, **__: "token")
    with httpx.Client(transport=httpx.MockTransport(hub)) as http:
        sender = simulate.Sender(http, "http://hub.example", "client", Path("client.pem"), Prover.fresh())
        assert sender.patient(1, 1) == "Patient/p-1"
    assert nonces == [None, "fresh"]
