"""From a search to what the store is asked: the question over tokens, and inside it what this caller may see.

DESIGN 6: the permission goes inside the query, before any limit. Where the question names its patients, the rules of
those are asked for; where it names rows that can be looked up across patients (an identifier, an id, what a reference or a
code says), the rules of those whom these rows concern; else the grants of all patients are joined (docs/adr/0007, 0012).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Literal, TypeVar

from hub.repository.reading import POLICY_ONLY
from hub.repository.rights import Rights
from hub.repository.visibility import Visible
from hub.search.aims import rows_named
from hub.search.asked import Search
from hub.search.compile import Narrowing, narrow
from hub.search.predicate import EVERYTHING, AllOf, AnyOf, HasGlobal, HasToken, IdIs, Naming, Not, Predicate, all_of
from hub.search.reach import Reach, reach
from hub.search.sort import row_order
from hub.services import Services
from hub.store.protocol import Finding, Order, Snapshot

NAMED_MAX = 190
"""Patients whose rules are asked for one by one; beyond that the grants of all are joined. So many ranges of its index (with
one of nobody's rows) MongoDB merges in order; it sorts everything in memory from 200 on (internalQueryMaxScansToExplode)."""
CARRYING_MAX = 3
"""Criteria whose tokens are tried in turn, until one leads to few enough patients."""
CARRIERS_MAX = 200
"""Rows looked up across patients to learn whose rules to ask for; beyond that the grants of all are joined."""


Role = Literal["search", "chain", "reverse chain", "include"]
Item = TypeVar("Item")


@dataclass(slots=True)
class Tally:
    """What a search went through, of what its caller may see; never of what it may not (law 3).

    seen   rows that came up, up to the last that was asked for
    found  of them, what matches
    """

    seen: int = 0
    found: int = 0

    def counted(self, opened: Iterable[Item | None]) -> Iterator[Item]:
        """Those that are asked for; None is one that may be seen and is not."""
        for one in opened:
            self.seen += 1
            if one is not None:
                self.found += 1
                yield one

    def clear(self) -> None:
        self.seen = self.found = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A search ready to run: what the store is asked, and in which order.

    decided  tokens tell what matches and lies within the scope
    exact    and what may be seen: the store's answer needs no further decision
    whole    the rows are for who may write them again
    aimed    whom that concerns which was looked up by an id or an identifier, hidden or not
    in_vain  nobody, in place of those of them who are not there (law 3)
    """

    search: Search
    finding: Finding
    order: Order | None
    decided: bool
    exact: bool
    visible: Visible
    now_us: int
    started_us: int
    role: Role = "search"
    whole: bool = False
    aimed: frozenset[bytes] = frozenset()
    in_vain: frozenset[bytes] = frozenset()
    tally: Tally = field(default_factory=Tally)

    @property
    def named(self) -> frozenset[bytes]:
        """The patients whom the question names, found or not."""
        found = reach(self.finding.predicate)
        return frozenset() if found is None else found.patients


def apart(plan: Plan) -> tuple[Finding, tuple[Finding, ...]]:
    """What the store can tell the number of, and the rest, which has to be decided row by row; no row is in two of them.

    So whoever is hidden all but wholly has no part in how the others are counted, nor in what is refused as too much (law 3).
    """
    finding, visible = plan.finding, plan.visible
    if plan.search.type in POLICY_ONLY:
        return finding, ()
    within = finding.others_within
    sure = replace(finding, restriction=visible.sure, others_within=frozenset() if within is None else within - visible.partly)
    # Who permits in part, and nothing that is asked for, is counted like somebody who is not there (law 3).
    in_part = bool(visible.partly) or visible.silent
    rest = [replace(finding, restriction=visible.unsure)] if in_part else []
    if within is None:
        rest.append(replace(finding, restriction=visible.sure, naming_others=True))
    elif in_part:
        naming = all_of([finding.predicate, Naming(visible.partly)])
        rest.append(replace(finding, restriction=visible.sure, predicate=naming))
    return sure, tuple(rest)


class Planner:
    """Plans for one caller."""

    def __init__(self, services: Services, rights: Rights) -> None:
        self._services = services
        self._rights = rights
        self._of_all: tuple[Snapshot, Visible] | None = None
        self.made: list[Plan] = []
        """Every plan of this request, in the order in which they ran: for who wants it explained."""

    async def plan(
        self, search: Search, snapshot: Snapshot, started_us: int, *, among: Predicate = EVERYTHING, role: Role = "search"
    ) -> Plan:
        """A search without chains, as this caller may run it. Raises `forbidden` without a scope.

        started_us  when the first page was asked for: `ap` means the same on every page
        among       what is known of the rows besides
        role        what it is there for, should somebody ask
        """
        scope, scope_exact = self._rights.predicate(search.type, "s")
        now_us = self._services.clock()
        narrowing = self._narrow(search, started_us)
        asked = self._rows(search.type, all_of([among, self._leaner(search.type, narrowing.predicate), scope]))
        visible, others_known, looked_up = await self._visible(search.type, asked, snapshot, now_us)
        finding = Finding(
            type=search.type,
            predicate=asked,
            restriction=visible.predicate,
            # A search that names its patient knows the rules of that patient alone; others a row names are asked after
            # opening it (`hub.repository.searching_rows`).
            others_within=visible.permitted if others_known else None,
        )
        decided = narrowing.exact and scope_exact
        aimed, in_vain = (frozenset[bytes](), frozenset[bytes]()) if looked_up is None else self._aimed(search, looked_up)
        plan = Plan(
            search=search,
            finding=finding,
            order=_order(search),
            decided=decided,
            exact=decided and visible.exact,
            visible=visible,
            now_us=now_us,
            started_us=started_us,
            role=role,
            aimed=aimed,
            in_vain=in_vain,
        )
        self.made.append(plan)
        return plan

    async def candidates(self, search: Search, snapshot: Snapshot, started_us: int) -> frozenset[bytes] | None:
        """The patients, hidden or not, to whom a search may lead, where it names or looks up a few; None if it does not say."""
        asked = self._rows(search.type, self._narrow(search, started_us).predicate)
        found = reach(asked)
        return None if found is None else await self._reached(search.type, found, snapshot)

    async def _reached(self, type: str, found: Reach, snapshot: Snapshot) -> frozenset[bytes] | None:
        patients = found.patients
        if found.look_up is not None:
            concerned = await snapshot.concerned(type, found.look_up, CARRIERS_MAX)
            if concerned is None:
                return None
            patients |= concerned
        if not found.carrying:
            return patients
        for tokens in found.carrying[:CARRYING_MAX]:
            carriers = await snapshot.carriers(tokens, NAMED_MAX)
            if carriers is not None:
                return patients | carriers
        return None

    def _narrow(self, search: Search, now_us: int) -> Narrowing:
        blind = self._services.blind
        return narrow(search, token=blind.token, patient_token=blind.patient, now_us=now_us)

    def _aimed(self, search: Search, looked_up: frozenset[bytes]) -> tuple[frozenset[bytes], frozenset[bytes]]:
        """Those and nobody: together as many for who is hidden as for who is absent."""
        names = rows_named(search)
        if not names:
            return frozenset(), frozenset()
        return looked_up, frozenset(self._services.blind.token("nobody", name) for name in names[len(looked_up) :])

    async def _visible(self, type: str, asked: Predicate, snapshot: Snapshot, now_us: int) -> tuple[Visible, bool, frozenset[bytes] | None]:
        """What may be seen; whether that tells of all patients whom the rows may concern; and whom those concern that were looked up."""
        if type in POLICY_ONLY:
            return Visible(predicate=EVERYTHING, permitted=frozenset()), False, None
        visibility, found = self._rights.visibility, reach(asked)
        patients = None if found is None else await self._reached(type, found, snapshot)
        if found is None or patients is None or len(patients) > NAMED_MAX:
            return await self._visible_of_all(snapshot, now_us), True, None
        if found.named:
            return await visibility.of_patients(snapshot, patients, now_us), False, None
        # Somebody's rules are always asked for: found for nobody must take as long as found for somebody hidden (law 3).
        nobody = self._services.blind.token("nobody", type)
        visible = await visibility.of_patients(snapshot, patients | {nobody}, now_us, patientless=True)
        return visible, not (found.patients or found.carrying), None if found.carrying else patients

    async def _visible_of_all(self, snapshot: Snapshot, now_us: int) -> Visible:
        """The same for each search of one moment."""
        if self._of_all is None or self._of_all[0] is not snapshot:
            self._of_all = snapshot, await self._rights.visibility.of_all(snapshot, now_us)
        return self._of_all[1]

    def _leaner(self, type: str, predicate: Predicate) -> Predicate:
        """Without the token of the type where another token narrows more: one of them is enough for the index."""
        of_type = HasToken(frozenset({self._services.blind.token("_type", type)}))
        if not isinstance(predicate, AllOf):
            return predicate
        rest = tuple(part for part in predicate.parts if part != of_type)
        return all_of(rest) if any(isinstance(part, HasToken | HasGlobal) for part in rest) else predicate

    def _rows(self, type: str, predicate: Predicate) -> Predicate:
        """Logical ids as the rows bear them: those brought by importers are keyed."""
        match predicate:
            case IdIs(any_of) if type not in POLICY_ONLY:
                return IdIs(frozenset(row for id in any_of for row in self._services.row_ids(type, id)))
            case AllOf(parts):
                return AllOf(tuple(self._rows(type, part) for part in parts))
            case AnyOf(parts):
                return AnyOf(tuple(self._rows(type, part) for part in parts))
            case Not(part):
                return Not(self._rows(type, part))
            case _:
                return predicate


def _order(search: Search) -> Order | None:
    """The one field by which the store can sort, ties by id; None if opened resources have to tell."""
    fields = row_order(search)
    if fields is None or len(fields) > 2:  # noqa: PLR2004
        return None
    field, descending = fields[0]
    asked = dict(search.sort).get("_id") if field != "id" else None
    return Order(field=field, descending=descending, ids_descending=asked)
