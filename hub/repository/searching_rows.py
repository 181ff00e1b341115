"""The rows of a planned search, opened and re-checked: what leaves has passed the search and consent a second time.

Tokens narrow, opened resources decide (docs/search.md).
"""

from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing
from typing import Any, NamedTuple

import orjson

from hub.errors import FhirError
from hub.recording import Touched
from hub.repository.reading import AUDIT_BASIS, POLICY_ONLY, Resource, basis_of, touched
from hub.repository.rights import Rights
from hub.repository.searching_plan import Plan
from hub.repository.visibility import PatientRules
from hub.search.asked import Criterion, Search
from hub.search.compile import Asked, test
from hub.search.missing import MODIFIER
from hub.services import Services
from hub.store.protocol import Order, Snapshot, Stored
from security.consent import Decider

OPENED_MAX = 100_000
"""Resources that a search opens and that its caller may see; what the query lets through and turns out hidden does not count (law 3)."""
CHUNK_ROWS = 200


class Match(NamedTuple):
    stored: Stored
    resource: Resource
    content: Mapping[str, Any]
    basis: str

    @property
    def touched(self) -> Touched:
        """For the log: returned or used, and by what right."""
        return touched(self.stored, self.content, self.basis)


class NamesOthersError(Exception):
    """A row names a patient who does not permit: the query could not know, so the page is filled row by row."""


class Rows:
    """Opens for one caller."""

    def __init__(self, services: Services, rights: Rights) -> None:
        self._services = services
        self._rights = rights

    async def matches(
        self, plan: Plan, order: Order, limit: int | None, snapshot: Snapshot, first: int = CHUNK_ROWS
    ) -> AsyncGenerator[Match, None]:
        """What the caller may see and asked for, in the store's order. `first`: rows to open at once to begin with."""
        left = OPENED_MAX
        async with aclosing(self._opened(plan, order, limit, snapshot, first)) as chunks:
            async for chunk in chunks:
                for match in plan.tally.counted(_bounded(chunk, left)):
                    yield match
                left -= len(chunk)

    async def _opened(
        self, plan: Plan, order: Order, limit: int | None, snapshot: Snapshot, first: int
    ) -> AsyncGenerator[list[Match | None], None]:
        """What may be seen, some at a time; None for what was not asked for."""
        chunk, size = list[Stored](), min(limit or first, first, CHUNK_ROWS)
        async with aclosing(snapshot.find(plan.finding, order, limit, lean=not plan.whole)) as batches:
            async for batch in batches:
                chunk += batch
                while len(chunk) >= size:
                    yield await self.open(chunk[:size], plan, snapshot)
                    chunk, size = chunk[size:], CHUNK_ROWS
        yield await self.open(chunk, plan, snapshot)

    async def open(self, chunk: Sequence[Stored], plan: Plan, snapshot: Snapshot) -> list[Match | None]:
        """Each row that the caller may see, in order; None for one that was not asked for."""
        vault = self._services.vault
        patients = {patient for stored in chunk for patient in self._rights.visibility.concerned(stored)}
        keys = await vault.keys([stored.patient for stored in chunk])
        rules = {} if plan.search.type in POLICY_ONLY else await self._rules(patients, plan, snapshot)
        decide, now_us = self._rights.visibility.decider, plan.now_us
        deciders = {patient: decide(rules[patient], "access", now_us) for patient in patients if patient in rules}
        found: list[Match | None] = []
        asked_for = test(_criteria(plan.search), now_us=plan.started_us, base=self._services.base_url)
        within_scope = self._rights.scopes_test(plan.search.type, "s")
        for stored in chunk:
            if stored.patient not in keys:
                continue  # its key has been destroyed: nobody can read it any more
            json = vault.open(keys[stored.patient], stored)
            content = orjson.loads(json)
            basis = self._basis(stored, content, deciders, plan)
            if basis is None or not within_scope(content, stored):
                continue
            if not asked_for(content):
                found.append(None)
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

    def _basis(self, stored: Stored, content: Mapping[str, Any], deciders: Mapping[bytes, Decider], plan: Plan) -> str | None:
        """The second decision, in words. Where the query promised an exact answer, a disagreement is an error."""
        if plan.search.type in POLICY_ONLY:
            return AUDIT_BASIS
        concerned = self._rights.visibility.concerned(stored)
        decisions = [deciders[patient](content) for patient in concerned if patient in deciders]
        if len(decisions) < len(concerned) or not all(decision.permit for decision in decisions):
            if plan.exact and stored.others and plan.finding.others_within is None:
                raise NamesOthersError
            if plan.visible.exact and not stored.others:
                raise FhirError("exception", "Two evaluations of consent disagree; nothing was disclosed.")
            return None
        return basis_of(decisions[0]) if decisions else "scope"


def _bounded(seen: Sequence[Match | None], left: int) -> Iterator[Match | None]:
    """One by one, so that what is hidden has no part in where it ends. Raises FhirError too-costly."""
    yield from seen[:left]
    if len(seen) > left:
        raise FhirError("too-costly", f"This search would open more than {OPENED_MAX} resources; narrow it by patient, code or date.")


def _criteria(search: Search) -> Search | Sequence[Asked]:
    """Whose record it is, the row of the log says for sure; a refused attempt names the patient by pseudonym alone."""
    if search.type not in POLICY_ONLY:
        return search
    return [one for one in search.criteria if not isinstance(one, Criterion) or one.parameter.where != "p" or one.modifier == MODIFIER]
