"""The differential test can fail: the hub broken in one place after the other is noticed among the searches of a seeded run.

https://hl7.org/fhir/R4/search.html; docs/differential.md lists the places.
"""

from pathlib import Path

import pytest

from hub.store.embedded import Endpoint
from tests.e2e.differential.breaks import BREAKS
from tests.e2e.differential.compare import in_process
from tests.e2e.differential.run import Case, first_difference
from tests.e2e.differential.store import opened_store
from tests.e2e.differential.test_differential import PER_STORE, SEED

SELDOM = {"composite_tuple": "composite"}
"""What shows in few searches: more are gone through, and only those asked that are of this kind."""


async def test_each_break_is_noticed(clean_database: Endpoint, tmp_path: Path) -> None:
    """Within the searches that a run of the tests puts to one store, or some more where it seldom shows."""
    async with opened_store(tmp_path, clean_database, f"{SEED} 0") as store:
        noticed = {}
        for name, break_it in BREAKS.items():
            with pytest.MonkeyPatch.context() as patch:
                break_it(patch)
                only = SELDOM.get(name, "")
                cases = (Case(SEED, 0, number) for number in range(PER_STORE * (5 if only else 1)))
                noticed[name] = await first_difference(cases, store, in_process(store), only)
    assert [name for name, number in noticed.items() if number is None] == [], noticed
