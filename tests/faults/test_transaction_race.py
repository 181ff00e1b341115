"""Many clients send the same transaction at once, to two processes: exactly one of each resource.

FHIR.md 0.2: conditional creates race in every server looked at. DESIGN 6: the claim over the criteria is written in the same
MongoDB transaction. The number of rounds is HUB_RACE_ROUNDS (docs/faults.md says what a long run gave).
"""

import os
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import httpx
import pytest

from tests.spec.api.test_transaction import bundle, upload
from tests.support.backstage import Backstage, new_client
from tests.support.caller import Caller, http_client
from tests.support.process import HubProcess

CLIENTS = 32
ROUNDS = int(os.environ.get("HUB_RACE_ROUNDS", "8"))


@pytest.fixture(scope="module")
def callers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Caller]]:
    """Each on a connection of its own: the kernel gives it to one of the two workers."""
    process = HubProcess(tmp_path_factory.mktemp("race") / "data", "--workers", "2").start()
    try:
        with Backstage(process.data_dir, process.url) as backstage, ExitStack() as stack:
            account = backstage.register(new_client("gateway", "system/*.cruds", consent_default="opt-out", recorder=True))
            with http_client(process.url) as http:
                token = Caller(http, account).token
            yield [Caller(stack.enter_context(http_client(process.url)), account, token=token) for _ in range(CLIENTS)]
    finally:
        assert process.stop() == 0


def locations(answer: httpx.Response) -> tuple[str, ...]:
    assert answer.status_code == 200, answer.text
    return tuple(entry["response"]["location"].partition("/_history/")[0] for entry in answer.json()["entry"])


@pytest.mark.fault
def test_of_many_same_transactions_one_creates_and_all_others_find(callers: list[Caller]) -> None:
    """HL7 PHD: a gateway sends again what it is not sure of; every answer names the same three resources."""
    with ThreadPoolExecutor(CLIENTS) as threads:
        for number in range(ROUNDS):
            key = f"race-{number}"
            answers = list(threads.map(lambda caller, key=key: caller.post("/fhir", bundle(*upload(key))), callers))
            found = Counter(map(locations, answers))
            assert len(found) == 1, found
            statuses = Counter(tuple(entry["response"]["status"][:3] for entry in answer.json()["entry"]) for answer in answers)
            assert statuses == {("201",) * 3: 1, ("200",) * 3: CLIENTS - 1}
            for type, value in (("Patient", key), ("Observation", f"{key}-o"), ("Device", f"{key}-d")):
                bundle_found = callers[0].search(f"{type}?identifier=urn:gateway|{value}&_total=accurate")
                assert bundle_found["total"] == 1
