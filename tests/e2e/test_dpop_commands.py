"""hub token --dpop and hub ingest --dpop, with a client that gets no other tokens."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.backstage import Account, new_client
from tests.support.caller import asked_alone
from tests.support.fixtures import Running
from tests.support.process import invoke

WEIGHT = b'{"status":0,"body":{"timezone":"Europe/Paris","measuregrps":[]}}'


@pytest.fixture(scope="module")
def account(running: Running, tmp_path_factory: pytest.TempPathFactory) -> tuple[Account, Path]:
    made = new_client("dpop-commands", "system/*.cruds")
    account = running.backstage.register(replace(made, client=replace(made.client, binding="dpop")))
    key = tmp_path_factory.mktemp("keys") / "client.pem"
    key.write_bytes(account.key)
    return account, key


def flags(running: Running, account: tuple[Account, Path]) -> list[str]:
    return ["--base-url", running.process.url, "--client-id", account[0].id, "--key", str(account[1])]


def test_headers_for_one_request_are_printed_and_taken(running: Running, account: tuple[Account, Path], tmp_path: Path) -> None:
    """`hub token … --dpop FILE --proof "GET URL"`, for curl -H @-; the key is made once and kept."""
    url, key = f"{running.process.url}/fhir/Observation", tmp_path / "dpop.pem"
    for _ in range(2):
        done = invoke("token", *flags(running, account), "--dpop", str(key), "--proof", f"GET {url}?_count=1")
        assert done.code == 0, done.err
        headers = dict(line.split(": ", 1) for line in done.out.splitlines())
        assert asked_alone("GET", f"{url}?_count=1", headers=headers).status_code == 200
    assert key.stat().st_mode & 0o077 == 0


def test_without_a_key_the_hub_says_what_it_misses(running: Running, account: tuple[Account, Path]) -> None:
    done = invoke("token", *flags(running, account))
    assert (done.code, "invalid_dpop_proof" in done.err) == (1, True)
    assert invoke("token", *flags(running, account), "--proof", "GET x").code == 2


def test_readings_are_sent_in_with_a_key_of_the_command(running: Running, account: tuple[Account, Path], tmp_path: Path) -> None:
    """Each file bears a proof of its own."""
    files = [tmp_path / name for name in ("a.json", "b.json")]
    for file in files:
        file.write_bytes(WEIGHT)
    assert invoke("ingest", "withings", *map(str, files), *flags(running, account), "--dpop").code == 0
    assert invoke("ingest", "withings", str(files[0]), *flags(running, account)).code == 1


def test_a_key_file_of_another_kind_is_refused(running: Running, account: tuple[Account, Path]) -> None:
    done = invoke("token", *flags(running, account), "--dpop", str(account[1]))
    assert (done.code, "P-256" in done.err) == (1, True)
