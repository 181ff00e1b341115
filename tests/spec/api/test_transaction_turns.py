"""A large transaction does not keep the process to itself: others get their turn in the middle of it. DESIGN 6."""

import asyncio
from pathlib import Path

from hub.store.embedded import Endpoint
from hub.turns import BREATH_ITEMS
from tests.spec.api.test_transaction import bundle, entry
from tests.support.backstage import new_client
from tests.support.inprocess import in_process
from tests.support.resources import organization
from tests.support.suspensions import each_await

ENTRIES = 40 * BREATH_ITEMS


async def test_others_get_a_turn_every_few_entries(tmp_path: Path, clean_database: Endpoint) -> None:
    """Nothing of these entries asks the database for anything, so without a breath they would be one long piece of work."""
    async with in_process(tmp_path, clean_database) as hub:
        account = await hub.register(new_client("large", "system/*.cruds"))
        headers = {**hub.authorization(account, "system/*.cruds"), "Content-Type": "application/fhir+json"}

        async def awaits(entries: int) -> int:
            numbers = [0]
            body = bundle(*[entry("POST", "Organization", organization()) for _ in range(entries)])
            with each_await(numbers.append):
                answer = await asyncio.create_task(hub.http.post("/fhir", json=body, headers=headers))
            assert answer.status_code == 200, answer.text
            return numbers[-1]

        await awaits(1)  # what is done once in a process
        assert await awaits(ENTRIES) - await awaits(1) >= ENTRIES / BREATH_ITEMS
