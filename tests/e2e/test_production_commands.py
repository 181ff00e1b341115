"""Commands against a hub of the production profile, which gives a system client bound tokens alone and asks for nonces. SECURITY 1.5."""

from collections.abc import Iterator
from pathlib import Path

import pytest

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
