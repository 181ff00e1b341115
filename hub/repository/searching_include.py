"""What comes along with a page of matches: `_include`, `_revinclude`, with `:iterate`.

https://hl7.org/fhir/R4/search.html#include. Each resource is decided anew, by scope and by the consent of all whom it
concerns, in the snapshot of the search: what may not be seen is not there, as for any search. Nothing is cut off: more
than INCLUDED_MAX is refused with a hint. One query for each hop forwards, one search for each reverse include of a hop.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace

import orjson

from hub.errors import FhirError
from hub.repository.reading import POLICY_ONLY, Resource, basis_of
from hub.repository.rights import READ_OR_SEARCH, Rights
from hub.repository.searching_join import Moment
from hub.repository.searching_plan import Planner
from hub.repository.searching_rows import Match, Rows
from hub.repository.visibility import PatientRules
from hub.search.asked import Include, Search
from hub.search.canonicals import Canonical, age
from hub.search.follow import Referred, by_url, followed, named, referring
from hub.search.parameters import RESOURCE_TYPES
from hub.search.references import with_slash
from hub.search.resolve import one_of
from hub.services import Services
from hub.store.protocol import Order, Stored

INCLUDED_MAX = 2_000
Key = tuple[str, str, int]
"""Type, id and version: a resource is there once for each version."""


class Includes:
    """Includes for one caller."""

    def __init__(self, services: Services, rights: Rights, planner: Planner, rows: Rows) -> None:
        self._services = services
        self._rights = rights
        self._planner = planner
        self._rows = rows

    async def along(
        self, includes: Sequence[Include], matches: Sequence[Match], rules: Mapping[bytes, PatientRules], moment: Moment
    ) -> tuple[Match, ...]:
        """What the includes bring along with the matches, hop by hop, each once.

        rules  what is known already of what patients permit, as of the same moment
        """
        there = {_key(one) for one in matches}
        found: list[Match] = []
        fresh, active = list(matches), list(includes)
        while fresh and active:
            more = await self._hop(active, fresh, rules, moment)
            new = {_key(one): one for one in more if _key(one) not in there}
            fresh = [new[key] for key in sorted(new)]  # in an order that nothing hidden has a part in
            there |= new.keys()
            found += fresh
            _bounded(len(found))
            active = [one for one in includes if one.iterate]
        return tuple(found)

    async def _hop(
        self, includes: Sequence[Include], fresh: Sequence[Match], rules: Mapping[bytes, PatientRules], moment: Moment
    ) -> list[Match]:
        base = with_slash(self._services.base_url)
        ahead = {one for include in includes if not include.reverse for match in fresh for one in followed(include, match.content, base)}
        found = await self._forwards(ahead, rules, moment) if ahead else []
        found += await self._by_url(
            {one for include in includes if not include.reverse for match in fresh for one in named(include, match.content)}, moment
        )
        for include in includes:
            search = referring(include, [match.content for match in fresh]) if include.reverse else None
            if search is not None and self._rights.covers(search.type, "s"):
                found += await self._matches(search, moment)
        return found

    async def _forwards(self, ahead: Iterable[Referred], rules: Mapping[bytes, PatientRules], moment: Moment) -> list[Match]:
        reached = [one for one in ahead if self._rights.covers(one.type, READ_OR_SEARCH)]
        found = [match for type in POLICY_ONLY for match in await self._by_id(type, reached, moment)]
        names = {one: self._row_names(one) for one in reached if one.type not in POLICY_ONLY}
        rows = {row.row: row for row in await moment.snapshot.rows(sorted(set().union(*names.values())), lean=True)} if names else {}
        hit = {one: rows[name] for one, those in names.items() for name in those if name in rows}
        current = await self._decided(list(rows.values()), rules, moment, absent=len(hit) < len(names))
        now = {row.row for one, row in hit.items() if one.version in (None, row.version)}
        found += [match for match in current if match.stored.row in now]
        # An older version is shown only to who may see the current one.
        visible = {match.stored.row for match in current}
        older = [(row.row, one.version) for one, row in hit.items() if one.version not in (None, row.version) and row.row in visible]
        if older:
            found += await self._decided(await moment.snapshot.versions(older), rules, moment)
        return found

    async def _by_url(self, ahead: Iterable[tuple[str, Canonical]], moment: Moment) -> list[Match]:
        """What canonical URLs lead to: the version that is named, else the latest. It is searched for, which takes the scope for that."""
        wanted: dict[str, set[Canonical]] = {}
        for type, one in ahead:
            if self._rights.covers(type, "s"):
                wanted.setdefault(type, set()).add(one)
        found = []
        for type, those in sorted(wanted.items()):
            matches = await self._matches(by_url(type, {one.url for one in those}), moment)
            found += [match for one in sorted(those, key=str) if (match := latest(one, matches)) is not None]
        return found

    def _row_names(self, one: Referred) -> list[str]:
        return [f"{one.type}/{id}" for id in self._services.row_ids(one.type, one.id)]

    async def _by_id(self, type: str, reached: Iterable[Referred], moment: Moment) -> list[Match]:
        """What lies elsewhere is searched for."""
        ids = frozenset(one.id for one in reached if one.type == type)
        if not ids or not self._rights.covers(type, "s"):
            return []
        return await self._matches(Search(type=type, criteria=(one_of(ids, RESOURCE_TYPES[type]),)), moment)

    async def _matches(self, search: Search, moment: Moment) -> list[Match]:
        plan = replace(await self._planner.plan(search, moment.snapshot, moment.started_us, role="include"), exact=False)
        found = []
        async with aclosing(self._rows.matches(plan, Order(field="id"), None, moment.snapshot)) as matches:
            async for match in matches:
                found.append(match)
                _bounded(len(found))
        return found

    async def _decided(
        self, rows: Sequence[Stored], known: Mapping[bytes, PatientRules], moment: Moment, *, absent: bool = False
    ) -> list[Match]:
        """Opened, and let through by consent and scope. `absent`: something was not there, which must cost as much as hidden."""
        visibility, now_us = self._rights.visibility, self._services.clock()
        unknown = {patient for row in rows for patient in visibility.concerned(row)} - known.keys()
        if absent:
            unknown.add(self._services.blind.token("nobody", "included"))
        grants = await moment.snapshot.grants(sorted(unknown)) if unknown else {}
        rules = {**known, **await visibility.opened(grants.values())}
        keys = await self._services.vault.keys([row.patient for row in rows])
        found = []
        for row in rows:
            concerned = visibility.concerned(row)
            if row.patient not in keys or not all(patient in rules for patient in concerned):
                continue
            json = self._services.vault.open(keys[row.patient], row)
            content = orjson.loads(json)
            decisions = [visibility.decide(rules[patient], content, "access", now_us) for patient in concerned]
            # A reference is followed as by a read or as by a search for the id: either scope opens it.
            if all(one.permit for one in decisions) and self._rights.readable(row.type, content, row):
                resource = Resource(type=row.type, id=content["id"], version=row.version, updated_us=row.updated_us, json=json)
                basis = basis_of(decisions[0]) if decisions else "scope"
                found.append(Match(stored=row, resource=resource, content=content, basis=basis))
        return found


def latest(canonical: Canonical, matches: Iterable[Match]) -> Match | None:
    """Which of these a canonical URL means. https://hl7.org/fhir/R4/references.html#canonical"""
    return max((one for one in matches if canonical.is_of(one.content)), key=lambda one: age(one.content), default=None)


def _key(match: Match) -> Key:
    return match.resource.type, match.resource.id, match.resource.version


def _bounded(found: int) -> None:
    if found > INCLUDED_MAX:
        raise FhirError(
            "too-costly",
            f"More than {INCLUDED_MAX} resources would come along with this page; ask for fewer with _count, or search for them.",
        )
