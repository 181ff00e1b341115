"""FHIR search behind the one door: restriction inside the query, pages full, totals exact for what the caller sees.

https://hl7.org/fhir/R4/search.html. Tokens narrow, opened resources decide: every row that leaves has been opened and
has passed the re-check of the search and of consent.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from hub.errors import FhirError
from hub.recording import Recording
from hub.repository.reading import AUDIT_BASIS, POLICY_ONLY, Resource, basis_of, touched
from hub.repository.rights import Rights
from hub.repository.visibility import PatientRules, Visible
from hub.search.compile import Asked, compartments, matches, narrow
from hub.search.missing import MODIFIER
from hub.search.page import Cursor
from hub.search.parse import Criterion, Search
from hub.search.predicate import EVERYTHING, AllOf, AnyOf, HasToken, IdIs, Not, Predicate, all_of
from hub.search.sort import opened_sort_key, row_order
from hub.services import Services
from hub.store.protocol import Finding, Order, Snapshot, Stored
from security.context import AccessContext

OPENED_MAX = 100_000
CHUNK_ROWS = 200
PATIENT_ONLY = frozenset({"Patient", "Consent", "Observation"})
"""Types whose rows name other patients only through what is re-checked after opening."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    stored: Stored
    resource: Resource
    content: Mapping[str, Any]
    basis: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One page. `more` is the position after which the next page begins, or None."""

    matches: tuple[Match, ...]
    total: int | None
    more: tuple[Any, ...] | None
    started_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A search ready to run: what the store is asked, in which order, and whether its answer needs counting by hand."""

    search: Search
    finding: Finding
    order: Order | None
    exact: bool
    visible: Visible
    now_us: int
    started_us: int


class _NamesOthersError(Exception):
    """A row names a patient who does not permit: the query could not know, so the page is filled row by row."""


class Searching:
    """Searches for one caller."""

    def __init__(self, caller: AccessContext, services: Services, rights: Rights) -> None:
        self._caller = caller
        self._services = services
        self._rights = rights

    async def search(self, search: Search, cursor: Cursor | None, recording: Recording) -> Found:
        scope, scope_exact = self._rights.predicate(search.type, "s")
        async with self._services.store.snapshot() as snapshot:
            plan = await self._plan(search, scope, cursor, snapshot, scope_exact=scope_exact)
            try:
                found = await self._page(plan, cursor, snapshot)
            except _NamesOthersError:
                plan = replace(plan, exact=False)
                found = await self._page(plan, cursor, snapshot)
            if search.count_only or search.total == "accurate":
                found = replace(found, total=await self._total(plan, snapshot))
        for match in found.matches:
            recording.touch(touched(match.stored, match.content, match.basis))
        for patient in compartments(plan.finding.predicate) or ():
            recording.aim_patient(patient)
        return found

    async def _plan(self, search: Search, scope: Predicate, cursor: Cursor | None, snapshot: Snapshot, *, scope_exact: bool) -> Plan:
        services, now_us = self._services, self._services.clock()
        # What the search asks is asked as of its first page; what the caller may see is decided as of now.
        started_us = now_us if cursor is None else cursor.started_us
        narrowing = narrow(search, token=services.blind.token, patient_token=services.blind.patient, now_us=started_us)
        asked = self._rows(search.type, all_of([self._leaner(search.type, narrowing.predicate), scope]))
        named = compartments(asked) if search.type in PATIENT_ONLY else None
        visible = await self._visible(search.type, named, snapshot, now_us)
        finding = Finding(
            type=search.type,
            predicate=asked,
            restriction=visible.predicate,
            # A search that names its patient knows the rules of that patient alone; others a row names are asked after
            # opening it (`_basis`).
            others_within=visible.permitted if named is None and search.type not in POLICY_ONLY else None,
        )
        exact = narrowing.exact and scope_exact and visible.exact
        return Plan(
            search=search, finding=finding, order=_order(search), exact=exact, visible=visible, now_us=now_us, started_us=started_us
        )

    async def _visible(self, type: str, named: frozenset[bytes] | None, snapshot: Snapshot, now_us: int) -> Visible:
        if type in POLICY_ONLY:
            return Visible(predicate=EVERYTHING, permitted=frozenset(), exact=True)
        return await self._rights.visibility.visible(snapshot, named, now_us)

    async def _page(self, plan: Plan, cursor: Cursor | None, snapshot: Snapshot) -> Found:
        if plan.search.count_only:
            return Found(matches=(), total=None, more=None, started_us=plan.started_us)
        if plan.order is None:
            return await self._sorted_page(plan, cursor, snapshot)
        after = None if cursor is None else (cursor.position[0], str(cursor.position[-1]))
        wanted = plan.search.page_size + 1
        page: list[Match] = []
        async for match in self._matches(plan, replace(plan.order, after=after), wanted if plan.exact else None, snapshot):
            page.append(match)
            if len(page) == wanted:
                break
        return _cut(page, plan, lambda match: _position(match.stored, plan.order))

    async def _sorted_page(self, plan: Plan, cursor: Cursor | None, snapshot: Snapshot) -> Found:
        """A sort key that only the opened resource shows: open what is visible, sort, and cut."""

        def key(match: Match) -> tuple[Any, ...]:
            return opened_sort_key(plan.search, match.content)

        all_matches = [match async for match in self._matches(plan, Order(field="id"), None, snapshot)]
        all_matches.sort(key=key)
        start = 0
        if cursor is not None:
            shown, last = int(str(cursor.position[0])), str(cursor.position[-1])
            # The row after which to go on is found by its id; if it is gone, by the number of rows already shown.
            places = [place for place, match in enumerate(all_matches) if match.stored.id == last]
            start = places[0] + 1 if places else shown
        rest = all_matches[start : start + plan.search.page_size + 1]
        return _cut(rest, plan, lambda match: (start + plan.search.page_size, match.stored.id))

    async def _total(self, plan: Plan, snapshot: Snapshot) -> int:
        if plan.exact and not await self._others_undecided(plan, snapshot):
            return await snapshot.count(plan.finding)
        plan = replace(plan, exact=False)
        count = 0
        async for _ in self._matches(plan, Order(field="id"), None, snapshot):
            count += 1
        return count

    async def _others_undecided(self, plan: Plan, snapshot: Snapshot) -> bool:
        """Are there rows that name patients whose rules the query does not know?"""
        if plan.finding.others_within is not None or plan.search.type in POLICY_ONLY:
            return False
        return await snapshot.count(replace(plan.finding, naming_others=True), limit=1) > 0

    async def _matches(self, plan: Plan, order: Order, limit: int | None, snapshot: Snapshot) -> AsyncIterator[Match]:
        """Rows the caller may see and asked for, opened and re-checked, in the store's order."""
        opened = 0
        chunk: list[Stored] = []
        size = min(limit or CHUNK_ROWS, CHUNK_ROWS)
        async for stored in snapshot.find(plan.finding, order, limit):
            chunk.append(stored)
            if len(chunk) < size:
                continue
            opened += len(chunk)
            for match in await self._open(chunk, plan, snapshot):
                yield match
            chunk = []
            if opened > OPENED_MAX:
                raise FhirError(
                    "too-costly",
                    f"This search would open more than {OPENED_MAX} resources; narrow it by patient, code or date.",
                )
        for match in await self._open(chunk, plan, snapshot):
            yield match

    async def _open(self, chunk: list[Stored], plan: Plan, snapshot: Snapshot) -> list[Match]:
        vault = self._services.vault
        patients = {patient for stored in chunk for patient in (stored.patient, *stored.others) if patient}
        keys = await vault.keys([stored.patient for stored in chunk])
        rules = {} if plan.search.type in POLICY_ONLY else await self._rules(patients, plan, snapshot)
        found = []
        for stored in chunk:
            if stored.patient not in keys:
                continue  # its key has been destroyed: nobody can read it any more
            json = vault.open(keys[stored.patient], stored)
            content = orjson.loads(json)
            basis = self._basis(stored, content, rules, plan)
            if basis is None or not self._asked_for(content, plan):
                continue
            resource = Resource(type=stored.type, id=content["id"], version=stored.version, updated_us=stored.updated_us, json=json)
            found.append(Match(stored=stored, resource=resource, content=content, basis=basis))
        return found

    async def _rules(self, patients: set[bytes], plan: Plan, snapshot: Snapshot) -> Mapping[bytes, PatientRules]:
        """In words, of everybody whom these rows concern, as of the same moment as the query."""
        unknown = patients - plan.visible.rules.keys()
        if not unknown:
            return plan.visible.rules
        grants = await snapshot.grants(sorted(unknown))
        return {**plan.visible.rules, **await self._rights.visibility.opened(grants.values())}

    def _basis(self, stored: Stored, content: Mapping[str, Any], rules: Mapping[bytes, PatientRules], plan: Plan) -> str | None:
        """The second decision, in words. Where the query promised an exact answer, a disagreement is an error."""
        if plan.search.type in POLICY_ONLY:
            return AUDIT_BASIS
        concerned = [patient for patient in (stored.patient, *stored.others) if patient]
        decisions = [
            self._rights.visibility.decide(rules[patient], content, "access", plan.now_us) for patient in concerned if patient in rules
        ]
        if len(decisions) < len(concerned) or not all(decision.permit for decision in decisions):
            if plan.exact and stored.others and plan.finding.others_within is None:
                raise _NamesOthersError
            if plan.visible.exact and not stored.others:
                raise FhirError("exception", "Two evaluations of consent disagree; nothing was disclosed.")
            return None
        return basis_of(decisions[0]) if decisions else "scope"

    def _asked_for(self, content: Mapping[str, Any], plan: Plan) -> bool:
        base = self._services.base_url
        if not matches(_criteria(plan.search), content, now_us=plan.started_us, base=base):
            return False
        return self._rights.scopes_match(plan.search.type, "s", content)

    def _leaner(self, type: str, predicate: Predicate) -> Predicate:
        """Without the token of the type where another token narrows more: one of them is enough for the index."""
        of_type = HasToken(frozenset({self._services.blind.token("_type", type)}))
        if not isinstance(predicate, AllOf):
            return predicate
        rest = tuple(part for part in predicate.parts if part != of_type)
        return all_of(rest) if any(isinstance(part, HasToken) for part in rest) else predicate

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


def _criteria(search: Search) -> Search | Sequence[Asked]:
    """Whose record it is, the row of the log says for sure; a refused attempt names the patient by pseudonym alone."""
    if search.type not in POLICY_ONLY:
        return search
    return [one for one in search.criteria if not isinstance(one, Criterion) or one.parameter.where != "p" or one.modifier == MODIFIER]


def _position(stored: Stored, order: Order | None) -> tuple[Any, ...]:
    if order is None or order.field == "id":
        return (None, stored.id)
    return (stored.start_us if order.field == "d" else stored.updated_us, stored.id)


def _order(search: Search) -> Order | None:
    """The one field by which the store can sort, ties by id; None if opened resources have to tell."""
    fields = row_order(search)
    if fields is None or len(fields) > 2:  # noqa: PLR2004
        return None
    field, descending = fields[0]
    asked = dict(search.sort).get("_id") if field != "id" else None
    return Order(field=field, descending=descending, ids_descending=asked)


def _cut(page: list[Match], plan: Plan, position: Any) -> Found:
    size = plan.search.page_size
    more = position(page[size - 1]) if len(page) > size else None
    return Found(matches=tuple(page[:size]), total=None, more=more, started_us=plan.started_us)
