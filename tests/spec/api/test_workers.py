"""Several worker processes are one hub: what one has seen, all know.

SECURITY 1.3 (48, 53); https://www.rfc-editor.org/rfc/rfc7523#section-3 (7).
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import httpx
import pytest

from tests.support.backstage import Account, Backstage, new_client
from tests.support.caller import Caller, http_client
from tests.support.outcomes import refused
from tests.support.process import HubProcess
from tests.support.resources import organization

ASKED = 12
"""Connections that ask at once: spread over both workers by the kernel."""


@dataclass(frozen=True, slots=True)
class Two:
    process: HubProcess
    backstage: Backstage
    account: Account


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    process = HubProcess(tmp_path_factory.mktemp("two") / "data", "--workers", "2").start()
    try:
        with Backstage(process.data_dir, process.url) as backstage:
            account = backstage.register(new_client("client", "system/*.cruds"))
            yield Two(process, backstage, account)
    finally:
        assert process.stop() == 0


@pytest.fixture
def callers(two: Two) -> Iterator[list[Caller]]:
    """Each with a connection of its own."""
    clients = [http_client(two.process.url) for _ in range(ASKED)]
    yield [Caller(client, two.account) for client in clients]
    for client in clients:
        client.close()


def at_once(callers: list[Caller], act: object) -> list[httpx.Response]:
    with ThreadPoolExecutor(len(callers)) as threads:
        return list(threads.map(act, callers))  # type: ignore[arg-type]


def writers(two: Two, answers: list[httpx.Response]) -> set[bytes]:
    """Which processes answered: each writes a chain of its own."""
    ids = [answer.headers["x-request-id"] for answer in answers]
    return {found["w"] for found in two.backstage.admin["hub_audit"]["records"].find({"r": {"$in": ids}}, {"w": 1})}


def test_an_assertion_that_is_replayed_to_all_workers_succeeds_once(two: Two, callers: list[Caller]) -> None:
    """48: exactly one of many who come with the same jti, on whatever process."""
    seen: set[bytes] = set()
    for _ in range(10):
        assertion = callers[0].assertion()
        answers = at_once(callers, lambda caller, same=assertion: caller.ask_token(client_assertion=same))
        assert sorted(answer.status_code for answer in answers) == [200] + [answers[0].status_code if answers[0].is_error else 401] * (
            ASKED - 1
        )
        seen |= writers(two, answers)
        if len(seen) == 2:
            break
    assert len(seen) == 2, "both workers were asked"


def test_a_token_of_one_worker_holds_at_the_other(two: Two, callers: list[Caller]) -> None:
    token = callers[0].token
    answers = at_once(callers, lambda caller: caller.http.get("/fhir/Organization", headers={"Authorization": f"Bearer {token}"}))
    assert {answer.status_code for answer in answers} == {200}


def test_a_revoked_client_is_refused_on_its_next_request_by_every_worker(two: Two, callers: list[Caller]) -> None:
    """53: also by a worker that has verified the token a moment ago."""
    account = two.backstage.register(new_client("revoked", "system/*.cruds"))
    mine = [Caller(caller.http, account) for caller in callers]
    token = mine[0].token
    headers = {"Authorization": f"Bearer {token}"}
    seen: set[bytes] = set()
    while len(seen) < 2:
        answers = at_once(mine, lambda caller: caller.http.get("/fhir/Organization", headers=headers))
        assert {answer.status_code for answer in answers} == {200}
        seen |= writers(two, answers)
    two.backstage.revoke(account)
    for answer in at_once(mine, lambda caller: caller.http.get("/fhir/Organization", headers=headers)):
        refused(answer, 401, "login")


def test_what_one_worker_wrote_the_other_reads_at_once(callers: list[Caller]) -> None:
    """FHIR.md 2b: read your writes, whichever process is asked."""
    made = callers[0].create(organization())
    answers = at_once(callers, lambda caller: caller.get(f"Organization/{made['id']}"))
    assert {answer.status_code for answer in answers} == {200}


def test_of_many_updates_of_one_version_one_succeeds(callers: list[Caller]) -> None:
    """http.html#concurrency, across processes."""
    made = callers[0].create(organization())
    answers = at_once(callers, lambda caller: caller.put(f"Organization/{made['id']}", made, headers={"If-Match": 'W/"1"'}))
    assert sorted(answer.status_code for answer in answers) == [200] + [412] * (ASKED - 1)


def test_the_chains_of_all_workers_verify(two: Two, callers: list[Caller]) -> None:
    """DESIGN 6: each writer process has its chain."""
    at_once(callers, lambda caller: caller.create(organization()))
    done = two.process.command("audit", "verify", "--json")
    assert (done.code, done.json()["findings"]) == (0, [])
