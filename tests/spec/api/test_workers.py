"""Several worker processes are one hub: what one has seen, all know.

SECURITY 1.3 (48, 53); https://www.rfc-editor.org/rfc/rfc7523#section-3 (7).
"""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace

import httpx
import pytest

from tests.support.backstage import Account, Backstage, new_client
from tests.support.caller import Caller, http_client
from tests.support.outcomes import refused
from tests.support.process import HubProcess
from tests.support.resources import consent, observation, organization, patient

READERS = 6
ASKED = 12
"""Who ask at once, each on a new connection: the kernel gives it to one of the workers."""
ROUNDS_MAX = 100
STARTED_S_MAX, UNDER_WAY_S = 240, 0.5


@dataclass(frozen=True, slots=True)
class Two:
    """A hub of two workers."""

    process: HubProcess
    backstage: Backstage
    account: Account
    chains: frozenset[bytes]
    """The one that each process begins with; a second one of the same process comes with the first rush of reads (ADR 5)."""

    @property
    def token(self) -> str:
        with http_client(self.process.url) as http:
            return Caller(http, self.account).token

    def at_once(self, act: Callable[[Caller], httpx.Response], token: str | None = None) -> list[httpx.Response]:
        with ExitStack() as stack, ThreadPoolExecutor(ASKED) as threads:
            clients = [stack.enter_context(http_client(self.process.url)) for _ in range(ASKED)]
            return list(threads.map(act, [Caller(one, self.account, token=token) for one in clients]))

    def until_both_answered(self, ask: Callable[[], list[httpx.Response]]) -> None:
        """Each process writes chains of its own, which tell who answered."""
        seen: set[bytes] = set()
        for _ in range(ROUNDS_MAX):
            ids = [answer.headers["x-request-id"] for answer in ask()]
            seen |= {found["w"] for found in self.backstage.admin["hub_audit"]["records"].find({"r": {"$in": ids}}, {"w": 1})}
            if self.chains <= seen:
                return
        raise AssertionError("one worker answered everything")


def begun(backstage: Backstage) -> frozenset[bytes]:
    """The chains of both workers: each records its start before it answers."""
    deadline = time.monotonic() + STARTED_S_MAX
    while time.monotonic() < deadline:
        found = frozenset(backstage.admin["hub_audit"]["records"].distinct("w"))
        if len(found) == 2:
            return found
        time.sleep(0.05)
    raise AssertionError("only one worker has started")


def lasting(holds: Callable[[], bool], otherwise: str) -> None:
    """Half a second, and on a busy machine as long as it takes until it holds."""
    began = time.monotonic()
    while time.monotonic() < began + UNDER_WAY_S or not holds():
        assert time.monotonic() < began + STARTED_S_MAX, otherwise
        time.sleep(0.05)


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    process = HubProcess(tmp_path_factory.mktemp("two") / "data", "--workers", "2").start()
    try:
        with Backstage(process.data_dir, process.url) as backstage:
            chains = begun(backstage)
            yield Two(process, backstage, backstage.register(new_client("client", "system/*.cruds")), chains)
    finally:
        assert process.stop() == 0


def test_an_assertion_that_is_replayed_to_all_workers_succeeds_once(two: Two) -> None:
    """48: exactly one of many who come with the same jti, on whatever process."""

    def ask() -> list[httpx.Response]:
        with http_client(two.process.url) as http:
            assertion = Caller(http, two.account).assertion()
        answers = two.at_once(lambda caller: caller.ask_token(client_assertion=assertion))
        refusals = [answer.json()["error"] for answer in answers if answer.status_code != 200]
        assert refusals == ["invalid_client"] * (ASKED - 1)
        return answers

    two.until_both_answered(ask)


def test_a_token_of_one_worker_holds_at_the_other_until_the_client_is_revoked(two: Two) -> None:
    """53: then it is refused on its next request by each of them, also by one that verified it a moment ago."""
    account = two.backstage.register(new_client("revoked", "system/*.cruds"))
    mine = replace(two, account=account)
    token = mine.token

    def ask() -> list[httpx.Response]:
        answers = mine.at_once(lambda caller: caller.get("Organization?_count=1"), token)
        assert {answer.status_code for answer in answers} == {200}
        return answers

    two.until_both_answered(ask)
    two.backstage.revoke(account)

    def ask_again() -> list[httpx.Response]:
        answers = mine.at_once(lambda caller: caller.get("Organization?_count=1"), token)
        for answer in answers:
            refused(answer, 401, "login")
        return answers

    two.until_both_answered(ask_again)


def test_what_one_worker_wrote_the_other_reads_at_once(two: Two) -> None:
    """FHIR.md 2b: read your writes, whichever process is asked."""
    token = two.token

    def ask() -> list[httpx.Response]:
        made = two.at_once(lambda caller: caller.post("Organization", organization()), token)[0].json()
        answers = two.at_once(lambda caller: caller.get(f"Organization/{made['id']}"), token)
        assert {answer.status_code for answer in answers} == {200}
        return answers

    two.until_both_answered(ask)


def test_of_many_updates_of_one_version_one_succeeds(two: Two) -> None:
    """http.html#concurrency, across processes."""
    token = two.token

    def ask() -> list[httpx.Response]:
        made = two.at_once(lambda caller: caller.post("Organization", organization()), token)[0].json()
        names = iter(map(str, range(ASKED)))
        answers = two.at_once(
            lambda caller: caller.put(f"Organization/{made['id']}", {**made, "name": next(names)}, headers={"If-Match": 'W/"1"'}), token
        )
        assert sorted(answer.status_code for answer in answers) == [200] + [412] * (ASKED - 1)
        return answers

    two.until_both_answered(ask)


def test_a_withdrawal_holds_for_every_request_that_begins_after_it(two: Two) -> None:
    """SECURITY 2.6 (3), the revocation race: reads and searches go on all the time, on both workers; once the withdrawal is
    acknowledged, none that begins sees anything.
    """
    ehr = two.backstage.register(new_client("ehr", "system/*.cruds", consent_default="opt-out", recorder=True))
    stranger = two.backstage.register(new_client("stranger", "system/*.cruds"))
    with http_client(two.process.url) as http, ThreadPoolExecutor(READERS) as threads:
        recorder = Caller(http, ehr)
        person = recorder.create(patient())["id"]
        reading = recorder.create(observation(person))["id"]
        agreed = recorder.create(consent(person))
        token, stop = Caller(http, stranger).token, threading.Event()

        seen: list[tuple[float, bool]] = []

        def go_on(_: int) -> None:
            while not stop.is_set():
                with http_client(two.process.url) as own:
                    caller = Caller(own, stranger, token=token)
                    for query in (f"Observation/{reading}", f"Observation?patient={person}", f"Patient?_id={person}"):
                        began = time.monotonic()
                        answer = caller.get(query)
                        seen.append((began, '"valueQuantity"' in answer.text or '"family"' in answer.text))

        running = [threads.submit(go_on, number) for number in range(READERS)]
        try:
            lasting(lambda: any(shown for _, shown in seen), "nobody has seen anything")  # some are under way
            recorder.update(agreed, status="inactive")
            withdrawn = time.monotonic()
            lasting(lambda: sum(began > withdrawn for began, _ in seen) > READERS, "nobody goes on")  # others begin afterwards
        finally:
            stop.set()
        for one in running:
            one.result()
    assert any(shown for began, shown in seen if began < withdrawn)
    assert sum(began > withdrawn for began, _ in seen) > READERS
    assert not any(shown for began, shown in seen if began > withdrawn)


def test_the_chains_of_all_workers_verify(two: Two) -> None:
    """DESIGN 6: each writer process has its chain."""
    token = two.token
    two.until_both_answered(lambda: two.at_once(lambda caller: caller.post("Organization", organization()), token))
    done = two.process.command("audit", "verify", "--json")
    assert (done.code, done.json()["findings"]) == (0, [])
