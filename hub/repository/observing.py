"""Operations over many Observations behind the one door: $stats walks them, $lastn asks group by group.

https://hl7.org/fhir/R4/observation-operations.html. Searches like any other: the caller's scope and the patients' consent are
inside each query, and each resource that counts has been opened and decided on.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from hub.recording import Recording
from hub.repository.lastn import grouped, last_by_code
from hub.repository.searching import Searching
from hub.repository.searching_join import Moment
from hub.repository.searching_pages import walk
from hub.repository.searching_rows import Match
from hub.search.asked import Pair, Search
from hub.search.parse import parse_search
from hub.store.protocol import Order

Take = Callable[[Mapping[str, Any]], bool]
"""Gets each Observation; says whether it is shown itself."""
NEWEST_FIRST = Order(field="d", descending=True)


class Observing(Searching):
    """Searches for one caller, and what is made of many Observations."""

    async def gather(self, search: Search, take: Take, recording: Recording) -> None:
        """Hand everything that matches and may be seen to `take`, the newest first. Raises FhirError too-costly."""
        self._joins.require(search)
        async with self._services.store.snapshot() as snapshot:

            def shown(match: Match) -> bool:
                recording.aim(match.stored)  # whose data was used, though it is no part of the answer
                return take(match.content)

            for match in await self._all(search, self._moment(snapshot, recording), shown):
                recording.touch(match.touched)

    async def lastn(self, search: Search, most: int, recording: Recording) -> list[list[Match]]:
        """The newest `most` of each group, the newest group first."""
        self._joins.require(search)
        async with self._services.store.snapshot() as snapshot:
            moment = self._moment(snapshot, recording)

            async def find(more: Sequence[Pair], count: int) -> Sequence[Match]:
                return await self._newest(search, more, count, moment)

            groups = await last_by_code(find, most)
            if groups is None:
                groups = grouped(await self._all(search, moment, lambda _: True), most)
        for match in (match for group in groups for match in group):
            recording.touch(match.touched)
        return groups

    async def heard(self, patient: str, devices: Iterable[str], recording: Recording) -> dict[str, int]:
        """By device when the newest of its Observations of this patient came, us since 1970."""
        heard: dict[str, int] = {}
        async with self._services.store.snapshot() as snapshot:
            moment = self._moment(snapshot, recording)
            for device in devices:
                pairs = [("subject", f"Patient/{patient}"), ("device", device), ("_sort", "-_lastUpdated")]
                asked = parse_search("Observation", pairs, lenient=False, base=self._services.base_url)
                plan = replace(await self._plan(asked, moment), exact=False)
                for _, match in (await walk(plan, None, 1, moment.snapshot, self._rows)).found:
                    recording.aim(match.stored)
                    heard[device] = match.stored.updated_us
        return heard

    async def _newest(self, search: Search, more: Sequence[Pair], count: int, moment: Moment) -> Sequence[Match]:
        pairs = [*search.used, *more, ("_sort", "-date")]
        asked = parse_search(search.type, pairs, lenient=False, base=self._services.base_url)
        plan = replace(await self._plan(asked, moment), exact=False)
        return [match for _, match in (await walk(plan, None, count, moment.snapshot, self._rows)).found]

    async def _all(self, search: Search, moment: Moment, kept: Callable[[Match], bool]) -> list[Match]:
        plan = replace(await self._plan(search, moment), exact=False)
        async with aclosing(self._rows.matches(plan, NEWEST_FIRST, None, moment.snapshot)) as matches:
            return [match async for match in matches if kept(match)]
