"""What a conditional interaction finds: nothing, one, or too many; and who holds the claim over its criteria.

https://hl7.org/fhir/R4/http.html#ccreate. A match that is hidden is no match (law 3). A claim is a unique key over type and
criteria, written in the same transaction as the resource, so that of many who ask at once exactly one creates (DESIGN 6).
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from hub.errors import FhirError
from hub.recording import Recording
from hub.repository.reading import Reading, Resource
from hub.repository.rights import Rights
from hub.repository.searching import Match, Searching
from hub.search.asked import Criterion
from hub.search.compile import matches, narrow
from hub.search.conditional import canonical
from hub.search.parse import Search
from hub.search.predicate import AllOf, HasGlobal
from hub.services import Services
from hub.store.protocol import Stored

SPACE = "claim"
NONE = frozenset[str]()


@dataclass(frozen=True, slots=True, kw_only=True)
class Unclaimed:
    """Nothing matches. `holder`: the row that the claim points to all the same; it is hidden, gone, or changed."""

    key: bytes
    holder: str | None


class Matching:
    """Finds matches for one caller."""

    def __init__(self, services: Services, rights: Rights, reading: Reading, searching: Searching) -> None:
        self._services = services
        self._rights = rights
        self._reading = reading
        self._searching = searching

    async def at_most(self, search: Search, limit: int, recording: Recording, but: frozenset[str] = NONE) -> Sequence[Match]:
        """Matches without those of the ids `but`, no more than `limit`."""
        found = await self._searching.some(search, limit + len(but), recording)
        return [match for match in found if match.resource.id not in but][:limit]

    async def one(self, search: Search, recording: Recording, but: frozenset[str] = NONE) -> Match | None:
        """`but`: ids that count no more. Raises FhirError multiple-matches; forbidden for who may not search the type."""
        found = await self.at_most(search, 2, recording, but)
        if len(found) > 1:
            raise FhirError(
                "multiple-matches",
                f"More than one {search.type} matches the criteria; make them narrower.",
                expression=f"http.{search.used[0][0]}",
            )
        return found[0] if found else None

    async def claimed(self, search: Search, recording: Recording, but: frozenset[str] = NONE) -> Match | Unclaimed:
        """As `one`, and the claim where there is none: a search may lag a little behind what was just committed."""
        found = await self._looked_up(search, but) or await self.one(search, recording, but)
        if found is not None:
            return found
        key = self._services.blind.once(SPACE, canonical(search))
        holder = await self._services.store.claim(key)
        held = await self._held(search, holder or f"{search.type}/{self._services.blind.id(SPACE, canonical(search))}")
        return held if held is not None and held.resource.id not in but else Unclaimed(key=key, holder=holder)

    async def _held(self, search: Search, holder: str) -> Match | None:
        """The claim's holder, if it matches and may be seen. Asked for nobody too: that must take as long as for somebody hidden."""
        stored = await self._services.store.current(holder)
        if stored is None:
            await self._rights.visibility.rules(self._services.blind.token("nobody", holder))
            return None
        return await self._seen(search, stored)

    async def _looked_up(self, search: Search, but: frozenset[str]) -> Match | None:
        """The only match, where the criteria name what few rows bear (an identifier): no more is asked than for a read.

        None where a search has to tell: there is none, or more than one. The search then asks the same whether that is so
        because of what is hidden (law 3); here, too, somebody's rules are asked for in any case.
        """
        token = self._token(search)
        rows = None if token is None else await self._services.store.carriers(token)
        if token is None or rows is None:
            return None
        bearing = [row for row in rows if row.type == search.type]
        seen: list[Match | None] = []
        nobody = self._services.blind.token("nobody", search.type)
        await self._rights.visibility.rules(nobody, self._see(search, bearing, seen))
        found = [match for match in seen if match is not None and match.resource.id not in but]
        return found[0] if len(found) == 1 else None

    async def _see(self, search: Search, rows: Sequence[Stored], into: list[Match | None]) -> None:
        """All at once; the one that there mostly is, without a task of its own."""
        if len(rows) == 1:
            into.append(await self._seen(search, rows[0]))
        elif rows:
            into.extend(await asyncio.gather(*(self._seen(search, row) for row in rows)))

    def _token(self, search: Search) -> bytes | None:
        """A token that every match bears, by which rows are found whatever patient they belong to."""
        if not all(isinstance(one, Criterion) for one in search.criteria):
            return None
        blind = self._services.blind
        asked = narrow(search, token=blind.token, patient_token=blind.patient, now_us=self._services.clock()).predicate
        for part in asked.parts if isinstance(asked, AllOf) else (asked,):
            if isinstance(part, HasGlobal) and len(part.any_of) == 1:
                return next(iter(part.any_of))
        return None

    async def _seen(self, search: Search, stored: Stored) -> Match | None:
        """The row, if it matches and may be seen."""
        try:
            opened = await self._reading.open(stored, "access", "s")
        except FhirError:
            return None
        if not matches(search, opened.content, now_us=self._services.clock(), base=self._services.base_url):
            return None
        resource = Resource(
            type=stored.type, id=opened.content["id"], version=stored.version, updated_us=stored.updated_us, json=opened.json
        )
        return Match(stored=stored, resource=resource, content=opened.content, basis=opened.touched.basis)
