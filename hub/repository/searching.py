"""FHIR search behind the one door: restriction inside the query, pages full, totals exact for what the caller sees.

https://hl7.org/fhir/R4/search.html. Tokens narrow, opened resources decide: every row that leaves has been opened and
has passed the re-check of the search and of consent.
"""

from contextlib import aclosing
from dataclasses import dataclass, replace

from hub.recording import Recording
from hub.repository.rights import Rights
from hub.repository.searching_include import Includes
from hub.repository.searching_join import Joins, Moment, others_undecided
from hub.repository.searching_pages import Page, page
from hub.repository.searching_plan import Plan, Planner
from hub.repository.searching_rows import Match, NamesOthersError, Rows
from hub.search.asked import Search
from hub.search.compile import compartments
from hub.search.page import Cursor, Position
from hub.services import Services
from hub.store.protocol import Order, Snapshot

__all__ = ["Found", "Match", "Searching"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One page, and what comes along with it. `after` and `before`: the positions of the pages next to it, or None."""

    matches: tuple[Match, ...]
    included: tuple[Match, ...]
    total: int | None
    after: Position | None
    before: Position | None
    started_us: int


class Searching:
    """Searches for one caller."""

    def __init__(self, services: Services, rights: Rights) -> None:
        self._services = services
        self._planner = Planner(services, rights)
        self._rows = Rows(services, rights)
        self._joins = Joins(services, rights, self._planner, self._rows)
        self._includes = Includes(services, rights, self._planner, self._rows)

    async def search(self, search: Search, cursor: Cursor | None, recording: Recording) -> Found:
        self._joins.require(search)
        async with self._services.store.snapshot() as snapshot:
            moment = self._moment(snapshot, recording, cursor)
            plan = await self._plan(search, moment)
            try:
                made = await self._page(plan, cursor, snapshot)
            except NamesOthersError:
                plan = replace(plan, exact=False)
                made = await self._page(plan, cursor, snapshot)
            total = await self._asked_total(plan, made, snapshot)
            included = await self._includes.along(search.includes, made.matches, plan.visible.rules, moment)
        for match in (*made.matches, *included):
            recording.touch(match.touched)
        _aim(plan, recording)
        return Found(matches=made.matches, included=included, total=total, after=made.after, before=made.before, started_us=plan.started_us)

    async def some(self, search: Search, limit: int, recording: Recording) -> tuple[Match, ...]:
        """At most `limit` of what matches and this caller may see, in no order: what a conditional interaction asks.

        They are not recorded as returned: what becomes of them is for the interaction to say (`Match.touched`).
        https://hl7.org/fhir/R4/http.html#ccreate
        """
        self._joins.require(search)
        found: list[Match] = []
        async with self._services.store.snapshot() as snapshot:
            plan = replace(await self._plan(search, self._moment(snapshot, recording)), exact=False)
            async with aclosing(self._rows.matches(plan, Order(field="id"), None, snapshot, first=limit)) as matches:
                async for match in matches:
                    found.append(match)
                    if len(found) == limit:
                        break
        _aim(plan, recording)
        return tuple(found)

    def _moment(self, snapshot: Snapshot, recording: Recording, cursor: Cursor | None = None) -> Moment:
        # What the search asks is asked as of its first page; what the caller may see is decided as of now.
        started_us = self._services.clock() if cursor is None else cursor.started_us
        return Moment(snapshot=snapshot, recording=recording, started_us=started_us)

    async def _plan(self, search: Search, moment: Moment) -> Plan:
        return await self._planner.plan(await self._joins.joined(search, moment), moment.snapshot, moment.started_us)

    async def _page(self, plan: Plan, cursor: Cursor | None, snapshot: Snapshot) -> Page:
        if plan.search.count_only:
            return Page()
        return await page(plan, cursor, snapshot, self._rows)

    async def _asked_total(self, plan: Plan, made: Page, snapshot: Snapshot) -> int | None:
        if not plan.search.count_only and plan.search.total != "accurate":
            return None
        return await self._total(plan, snapshot) if made.total is None else made.total

    async def _total(self, plan: Plan, snapshot: Snapshot) -> int:
        if plan.exact and not await others_undecided(plan, snapshot):
            return await snapshot.count(plan.finding)
        plan = replace(plan, exact=False)
        count = 0
        async for _ in self._rows.matches(plan, Order(field="id"), None, snapshot):
            count += 1
        return count


def _aim(plan: Plan, recording: Recording) -> None:
    """Patients whom the search names are aimed at, found or not."""
    for patient in compartments(plan.finding.predicate) or ():
        recording.aim_patient(patient)
