"""Random searches of random stores, answered by the hub and by a naive evaluator over plain text that shares no code with it.

https://hl7.org/fhir/R4/search.html, read as docs/search.md and docs/consent.md read it; docs/differential.md says what is covered.
"""

import os
from pathlib import Path

from hub.store.embedded import Endpoint
from tests.e2e.differential.run import run

CASES = int(os.environ.get("HUB_DIFFERENTIAL_CASES", "2400"))
SEED = int(os.environ.get("HUB_DIFFERENTIAL_SEED", "20261129"))
PER_STORE = 800


async def test_the_hub_answers_every_search_as_the_naive_evaluator_does(clean_database: Endpoint, tmp_path: Path) -> None:
    """Matches, their order, totals, pages there and back, what comes along, and nothing of what is not permitted."""
    report = await run(clean_database, tmp_path, seed=SEED, cases=CASES, per_store=PER_STORE)
    assert not report.differences, "\n\n".join(("the hub and the naive evaluator differ", *report.differences))
    assert report.cases == CASES
    assert report.answered > CASES / 4, "too few of the searches find anything"
