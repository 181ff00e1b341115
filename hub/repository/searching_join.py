"""Chains and reverse chains: searches inside a search, innermost first.

https://hl7.org/fhir/R4/search.html#chaining and #has. Each inner search is one by this caller like any other, with its own
scope and its own restriction, in the same snapshot: what is hidden decides nothing. What it finds becomes a plain
criterion of the search around it (`hub.search.resolve`). Nothing is cut off: more than an inner search may find is refused.
"""

from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from dataclasses import dataclass, replace

from hub.errors import FhirError
from hub.recording import Recording
from hub.repository.reading import POLICY_ONLY
from hub.repository.rights import Rights
from hub.repository.searching_plan import Plan, Planner, Role, apart
from hub.repository.searching_rows import Match, Rows
from hub.search.asked import Chain, Criterion, Has, Search
from hub.search.canonicals import Canonical, latest, leading_to
from hub.search.follow import by_url, canonical_types
from hub.search.parameters import RESOURCE_TYPES, Parameter
from hub.search.predicate import EVERYTHING, PatientIs, Predicate
from hub.search.references import with_slash
from hub.search.resolve import answered, canonicals, patients_answered, pending, targets
from hub.search.value import Resource
from hub.services import Services
from hub.store.protocol import Order, Snapshot

FOUND_MAX = 1_000
"""Resources that one inner search may find, or that may be referred to by what it finds."""
PATIENTS_MAX = 100_000
"""Patients that a reverse chain may find without opening anything."""
OWNER = "Patient"


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What all searches of one request share: the snapshot, the record in the making, when the first page was asked for (us)."""

    snapshot: Snapshot
    recording: Recording
    started_us: int

    def aim(self, plan: Plan) -> None:
        """The request is about what it looks up by name, found or not, seen or not."""
        for patient in plan.aimed:
            self.recording.aim_patient(patient)
        for nobody in plan.in_vain:
            self.recording.aim_nobody(nobody)


class Joins:
    """Resolves for one caller."""

    def __init__(self, services: Services, rights: Rights, planner: Planner, rows: Rows) -> None:
        self._services = services
        self._rights = rights
        self._planner = planner
        self._rows = rows

    def require(self, search: Search) -> None:
        """A scope to search every type on the way, before anything is looked up. Raises `forbidden`.

        The answer depends on the token and the question alone, so it tells nothing of what is stored; leaving a type out
        in silence would make a narrower answer look whole (docs/search.md).
        """
        for type in _types(search):
            self._rights.require(type, "s")

    async def joined(self, search: Search, moment: Moment) -> Search:
        """The search with its chains replaced by what they found."""
        chains = pending(search)
        if not chains:
            return search
        criteria = list(search.criteria)
        for place, one in chains.items():
            criteria[place] = await (self._chain(one, search, moment) if isinstance(one, Chain) else self._has(one, search, moment))
        return replace(search, criteria=tuple(criteria))

    async def _chain(self, chain: Chain, search: Search, moment: Moment) -> Criterion:
        answer: set[str] = set()
        count = 0
        for type, inner in chain.targets.items():
            found = await self._found(inner, moment, "chain", before=count)
            count += len(found)
            if canonical_types(chain.parameter):
                versions = await self._of_urls(type, {one["url"] for one in found if "url" in one}, moment, "chain")
                answer |= leading_to(frozenset(one["id"] for one in found), versions)
            else:
                answer.update(f"{type}/{one['id']}" for one in found)
        return answered(chain, frozenset(answer), RESOURCE_TYPES[search.type])

    async def _found(self, inner: Search, moment: Moment, role: Role, *, before: int = 0) -> list[Resource]:
        """All that an inner search finds. Raises `too-costly` for more than may be found, `before` counted in."""
        found: list[Resource] = []
        plan = await self._plan(inner, moment, role=role)
        async with aclosing(self._matches(plan, moment)) as matches:
            async for match in matches:
                found.append(match.content)
                _bounded(before + len(found), FOUND_MAX)
        return found

    async def _of_urls(self, type: str, urls: set[str], moment: Moment, role: Role) -> list[Resource]:
        """Every version of these canonical URLs that the caller may see: which of them is meant depends on the others."""
        return await self._found(by_url(type, urls), moment, role) if urls else []

    async def _has(self, has: Has, search: Search, moment: Moment) -> Criterion:
        row = RESOURCE_TYPES[search.type]
        among = await self._among(search, moment) if _tells_patients(has, search) else EVERYTHING
        plan = await self._plan(has.inner, moment, among, role="reverse chain")
        if _tells_patients(has, search) and plan.decided:
            return patients_answered(await self._patients(plan, moment), self._services.blind.patient, row)
        if canonical_types(has.parameter):
            return answered(has, await self._meant(has, search.type, moment), row)
        found: set[str] = set()
        base, prefix = with_slash(self._services.base_url), f"{search.type}/"
        async with aclosing(self._matches(plan, moment)) as matches:
            async for match in matches:
                referred = targets(has.parameter, match.content, base)
                found.update(one.removeprefix(prefix) for one in referred if one.startswith(prefix))
                _bounded(len(found), FOUND_MAX)
        return answered(has, frozenset(found), row)

    async def _meant(self, has: Has, type: str, moment: Moment) -> frozenset[str]:
        """Ids of the resources of a type whose canonical URLs the inner search's resources name."""
        named: set[Canonical] = set()
        plan = await self._plan(has.inner, moment, role="reverse chain")
        async with aclosing(self._matches(plan, moment)) as matches:
            async for match in matches:
                named |= canonicals(has.parameter, match.content)
                _bounded(len(named), FOUND_MAX)
        versions = await self._of_urls(type, {one.url for one in named}, moment, "reverse chain")
        meant = (latest(one, versions) for one in named)
        return frozenset(one["id"] for one in meant if one is not None)

    async def _patients(self, plan: Plan, moment: Moment) -> frozenset[bytes]:
        """In whose compartments the matches lie."""
        sure, rest = apart(plan)
        patients, opened = set(await moment.snapshot.patients(sure, PATIENTS_MAX + 1)), set[bytes]()
        for finding in rest:
            async with aclosing(self._matches(replace(plan, finding=finding), moment)) as matches:
                async for match in matches:
                    if match.stored.patient is not None:
                        opened.add(match.stored.patient)
                    _bounded(len(opened), FOUND_MAX)
        patients |= opened
        _bounded(len(patients), PATIENTS_MAX)
        return frozenset(patients)

    async def _plan(self, inner: Search, moment: Moment, among: Predicate = EVERYTHING, *, role: Role) -> Plan:
        joined = await self.joined(inner, moment)
        plan = await self._planner.plan(joined, moment.snapshot, moment.started_us, among=among, role=role)
        moment.aim(plan)
        return plan

    async def _matches(self, plan: Plan, moment: Moment) -> AsyncGenerator[Match, None]:
        """What decides about others is not returned; the log says whose data was used (law 2).

        Row by row: one may name patients whose rules the query did not know.
        """
        async with aclosing(self._rows.matches(replace(plan, exact=False), Order(field="id"), None, moment.snapshot)) as matches:
            async for match in matches:
                moment.recording.aim(match.stored)
                yield match

    async def _among(self, search: Search, moment: Moment) -> Predicate:
        """The patients that the other criteria leave, where that is known at once: the inner search need look at no others."""
        plain = replace(search, criteria=tuple(one for one in search.criteria if not isinstance(one, Chain | Has)))
        patients = await self._planner.candidates(plain, moment.snapshot, moment.started_us)
        return EVERYTHING if patients is None else PatientIs(patients)


def _tells_patients(has: Has, search: Search) -> bool:
    """Is whom these resources refer to the patient in whose compartment they lie, and nobody else?"""
    return search.type == OWNER and has.type not in POLICY_ONLY and _is_compartment(has.parameter, has.type)


def _is_compartment(parameter: Parameter, type: str) -> bool:
    space = RESOURCE_TYPES[type].compartment_space
    return parameter.where == "p" and space is not None and parameter.spaces == (space,)


def _types(search: Search) -> Iterator[str]:
    yield search.type
    for one in pending(search).values():
        for inner in one.targets.values() if isinstance(one, Chain) else (one.inner,):
            yield from _types(inner)


def _bounded(found: int, limit: int) -> None:
    if found > limit:
        raise FhirError(
            "too-costly", f"A chained part of this search finds more than {limit} resources; narrow it, or search in two steps."
        )
