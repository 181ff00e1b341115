"""A short run of what `python -m tests.fuzz` does at length (docs/fuzzing.md): nothing that is sent makes the hub fail, hang or lie.

FHIR.md 4b.11: an OperationOutcome on every 4xx, never 5xx for a client's fault, limits of size and depth.
"""

import asyncio
import json
from random import Random

import httpx
import pytest

from hub.wiring import check
from tests.fuzz.mutations import mutated, walked
from tests.fuzz.requests import Request, Requests
from tests.fuzz.resources import CANARY, Maker
from tests.fuzz.run import Fuzzer, Report, fuzz, problems
from tests.support.backstage import new_client
from tests.support.fixtures import Running

SEED = 20_261_129
CLIENTS, EACH = 4, 300


def test_whatever_is_sent_is_answered_in_order(running: Running) -> None:
    """operationoutcome.html, http.html: no 5xx, no hang, every refusal an OperationOutcome of R4 that repeats no value; what was
    acknowledged is there."""
    report = Report()
    fuzzers = [
        Fuzzer(
            caller=running.caller(
                new_client(f"fuzz-{number}", "system/*.cruds", consent_default="opt-out", recorder=True, importer=number % 2 == 1)
            ),
            seed=SEED + number,
            report=report,
        )
        for number in range(CLIENTS)
    ]
    asyncio.run(fuzz(fuzzers, EACH))
    assert report.problems == []
    assert report.sent == CLIENTS * EACH
    done = sum(count for key, count in report.statuses.items() if key.split()[1] in ("200", "201"))
    assert done > report.sent / 20, "almost everything was refused: what is sent has drifted away from what the hub takes"


def test_the_same_seed_sends_the_same() -> None:
    """A crash that was found once is found again."""
    one, again = (Requests(Random(SEED), {"Patient": ["Patient/x"]}, "Patient/x") for _ in range(2))
    assert [one.next() for _ in range(200)] == [again.next() for _ in range(200)]


@pytest.mark.parametrize("type", ["Patient", "Observation", "Device", "Flag", "Encounter"])
def test_what_is_made_before_it_is_damaged_is_often_valid(type: str) -> None:
    """Else only the first check of a write would ever be reached."""
    valid = 0
    for seed in range(30):
        made = Maker(Random(seed), {"Patient": ["Patient/x"]}).resource(type, "Patient/x")
        try:
            check(made)
        except Exception:  # noqa: BLE001, S112 - counted
            continue
        valid += 1
    assert valid >= 10


def test_damage_changes_something_and_leaves_the_original_alone() -> None:
    """One thing at a time, so that one rule at a time is met."""
    made = Maker(Random(1), {}).resource("Observation", "Patient/x")
    before = json.dumps(made)
    changed = [json.dumps(mutated(Random(seed), made)) for seed in range(40)]
    assert json.dumps(made) == before
    assert sum(one != before for one in changed) > 30
    assert walked({"a": [{}, {"b": 1}]}) == [{"a": [{}, {"b": 1}]}, [{}, {"b": 1}], {}, {"b": 1}]


@pytest.mark.parametrize(
    ("status", "body", "problem"),
    [
        (500, {}, "500"),
        (400, {"resourceType": "Patient"}, "no OperationOutcome"),
        (
            400,
            {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "mine", "diagnostics": "x"}]},
            "no issue of R4: mine",
        ),
        (
            422,
            {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "required", "diagnostics": "x"}]},
            "names no place",
        ),
        (
            404,
            {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "not-found", "diagnostics": CANARY}]},
            "repeats",
        ),
    ],
)
def test_an_answer_that_must_not_come_is_seen(status: int, body: object, problem: str) -> None:
    """The net is whole: each kind of bad answer is caught by it."""
    answer = httpx.Response(status, json=body, headers={"Content-Type": "application/fhir+json"})
    assert any(problem in one for one in problems(Request(kind="read", method="GET", path="x"), answer))
