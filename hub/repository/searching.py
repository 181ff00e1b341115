"""FHIR search behind the one door: restriction inside the query, pages full, totals exact for what the caller sees.

https://hl7.org/fhir/R4/search.html. Tokens narrow, opened resources decide: every row that leaves has been opened and
has passed the re-check of the search and of consent.
"""

from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from operator import sub

from hub import outcomes
from hub.recording import Recording
from hub.repository.explaining import explanation
from hub.repository.reading import POLICY_ONLY
from hub.repository.rights import Rights
from hub.repository.searching_include import Includes
from hub.repository.searching_join import Joins, Moment
from hub.repository.searching_pages import Page, Placed, Walked, along, cut, walk
from hub.repository.searching_plan import Plan, Planner, Tally, apart
from hub.repository.searching_rows import Match, Rows
from hub.repository.visibility import PatientRules
from hub.search.aims import patients_named
from hub.search.asked import Include, Search
from hub.search.page import Cursor, Position
from hub.search.parse import TYPES
from hub.search.predicate import EVERYTHING, Predicate
from hub.search.resolve import pending
from hub.services import Services
from hub.store.protocol import Finding, Order, Snapshot

__all__ = ["Found", "Match", "Searching"]

PARTS = ("chains, consents and plan", "rows", "what comes along")
"""Of a search, in the order in which they run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One page, and what comes along with it. `after` and `before`: the positions of the pages next to it, or None.

    times_us  how long the parts of a search of one type took, by name
    """

    matches: tuple[Match, ...]
    included: tuple[Match, ...]
    total: int | None
    after: Position | None
    before: Position | None
    started_us: int
    times_us: Mapping[str, int] = field(default_factory=dict)


class Searching:
    """Searches for one caller."""

    def __init__(self, services: Services, rights: Rights) -> None:
        self._services = services
        self._rights = rights
        self._planner = Planner(services, rights)
        self._rows = Rows(services, rights)
        self._joins = Joins(services, rights, self._planner, self._rows)
        self._includes = Includes(services, rights, self._planner, self._rows)

    def require(self, search: Search) -> None:
        """The scopes that it needs. Raises FhirError forbidden."""
        self._joins.require(search)

    async def search(self, search: Search, cursor: Cursor | None, recording: Recording, within: Predicate = EVERYTHING) -> Found:
        """A page of one type's matches. `within`: what is known of the rows besides, without which the answer were the same."""
        self._joins.require(search)
        async with self._services.store.snapshot() as snapshot:
            moment, clock = self._moment(snapshot, recording, cursor), self._services.clock
            times_us = [clock()]
            plan = await self._plan(search, moment, within)
            times_us.append(clock())
            walked, total = await self._walk(plan, cursor, search.page_size + 1, moment)
            times_us.append(clock())
            found = await self._found(cut(walked.found, search.page_size, cursor), total, search.includes, plan.visible.rules, moment)
            times_us.append(clock())
            return replace(found, times_us=dict(zip(PARTS, map(sub, times_us[1:], times_us), strict=True)))

    def explained(self, found: Found) -> tuple[str, ...]:
        """How the search that found this ran, in words."""
        return explanation(self._planner.made, found.times_us, self._services)

    async def search_all(self, asked: Search, cursor: Cursor | None, recording: Recording, within: Predicate = EVERYTHING) -> Found:
        """A page of a search over several types (`Search.each`): type by type in the order of their names.

        https://hl7.org/fhir/R4/http.html#vsearch. The total, where asked for, is that of all types.
        """
        searches = self._permitted(asked)
        async with self._services.store.snapshot() as snapshot:
            moment, size = self._moment(snapshot, recording, cursor), asked.page_size
            there = await snapshot.types() | POLICY_ONLY
            found: list[Placed] = []
            # What a chain is refused for must not depend on whether there is something hidden of the type around it (law 3).
            asked_of = [search for search in searches if search.type in there or pending(search)]
            for one, here in along(asked_of, cursor):
                if len(found) <= size:
                    plan = await self._plan(replace(one, total="none"), moment, within)
                    walked, _ = await self._walk(plan, here, size + 1 - len(found), moment)
                    found += [((one.type, *place), match) for place, match in walked.found]
            total = None
            if _totalled(asked):
                totals = [await self._total(await self._plan(one, moment, within), snapshot) for one in asked_of]
                total = sum(totals)
            includes = dict.fromkeys(include for one in searches for include in one.includes)
            return await self._found(cut(found, size, cursor), total, tuple(includes), {}, moment)

    def _permitted(self, asked: Search) -> list[Search]:
        """Types that the request names need a scope each; where it names none, those with a scope are meant."""
        named = any(name == TYPES for name, _ in asked.used)
        searches = [one for one in asked.each if named or self._rights.covers(one.type, "s")]
        if not searches:
            raise outcomes.forbidden()
        for one in searches:
            self._joins.require(one)
        return sorted(searches, key=lambda one: one.type)

    async def some(self, search: Search, limit: int, recording: Recording) -> tuple[Match, ...]:
        """At most `limit` of what matches and this caller may see, in no order: what a conditional interaction asks.

        They are not recorded as returned: what becomes of them is for the interaction to say (`Match.touched`).
        https://hl7.org/fhir/R4/http.html#ccreate
        """
        self._joins.require(search)
        found: list[Match] = []
        async with self._services.store.snapshot() as snapshot:
            plan = replace(await self._plan(search, self._moment(snapshot, recording)), exact=False, whole=True)
            async with aclosing(self._rows.matches(plan, Order(field="id"), None, snapshot, first=limit)) as matches:
                async for match in matches:
                    found.append(match)
                    if len(found) == limit:
                        break
        return tuple(found)

    def _moment(self, snapshot: Snapshot, recording: Recording, cursor: Cursor | None = None) -> Moment:
        # What the search asks is asked as of its first page; what the caller may see is decided as of now.
        started_us = self._services.clock() if cursor is None else cursor.started_us
        return Moment(snapshot=snapshot, recording=recording, started_us=started_us)

    async def _plan(self, search: Search, moment: Moment, within: Predicate = EVERYTHING) -> Plan:
        joined = await self._joins.joined(search, moment)
        plan = await self._planner.plan(joined, moment.snapshot, moment.started_us, among=within)
        moment.aim(plan)
        for patient in (*plan.named, *map(self._services.blind.patient, patients_named(search))):  # found or not
            moment.recording.aim_patient(patient)
        return plan

    async def _walk(self, plan: Plan, cursor: Cursor | None, wanted: int, moment: Moment) -> tuple[Walked, int | None]:
        walked = Walked() if plan.search.count_only else await walk(plan, cursor, wanted, moment.snapshot, self._rows)
        if not _totalled(plan.search):
            return walked, None
        return walked, await self._total(plan, moment.snapshot) if walked.total is None else walked.total

    async def _found(
        self, page: Page, total: int | None, includes: Sequence[Include], rules: Mapping[bytes, PatientRules], moment: Moment
    ) -> Found:
        included = await self._includes.along(includes, page.matches, rules, moment)
        for match in (*page.matches, *included):
            moment.recording.touch(match.touched)
        return Found(
            matches=page.matches, included=included, total=total, after=page.after, before=page.before, started_us=moment.started_us
        )

    async def _total(self, plan: Plan, snapshot: Snapshot) -> int:
        if not plan.decided:
            return await self._counted(plan.finding, plan, snapshot)
        sure, rest = apart(plan)
        total = await snapshot.count(sure)
        for finding in rest:
            total += await self._counted(finding, plan, snapshot)
        return total

    async def _counted(self, finding: Finding, plan: Plan, snapshot: Snapshot) -> int:
        """Row by row."""
        plan = replace(plan, finding=finding, exact=False, tally=Tally())
        count = 0
        async for _ in self._rows.matches(plan, Order(field="id"), None, snapshot):
            count += 1
        return count


def _totalled(search: Search) -> bool:
    """R4 lets an estimate be as good as the server likes."""
    return search.count_only or search.total in ("accurate", "estimate")
