"""What the entries of a transaction are about, told before anything of it is written: ids, links, conditional references.

https://hl7.org/fhir/R4/http.html#trules. Criteria are resolved in the order in which the entries take effect: what is deleted by
the same transaction matches no more, what it creates or changes is asked as it will be. No resource is written twice.
"""

from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hub import numbers
from hub.errors import FhirError
from hub.recording import Recording
from hub.repository.matching import Matching, Unclaimed
from hub.repository.preparing import Means
from hub.repository.searching import Match
from hub.repository.steps import OF_URL, READS, Step, at
from hub.search.compile import matches
from hub.search.conditional import canonical, criteria
from hub.search.links import is_conditional, is_urn, linked, may_lead_elsewhere, references_in
from hub.search.parse import Criterion, Search
from hub.turns import breath

CHANGES = ("PUT", "PATCH")
References = Sequence[tuple[str, str]]
"""Places of an entry, and what is referred to there."""
CONDITIONAL_MAX = 1_000
"""Different conditional references of a transaction: each is a search, and is asked of everything that the transaction writes."""


@dataclass(slots=True, kw_only=True)
class Named:
    """told   full URLs and conditional references, with the reference (Type/id) that takes their place
    found  what the criteria of an entry have found, by its place
    ids    of the resource that an entry is about, by its place
    """

    told: dict[str, str] = field(default_factory=dict)
    found: dict[int, Match | Unclaimed] = field(default_factory=dict)
    ids: dict[int, str] = field(default_factory=dict)

    def content(self, step: Step) -> dict[str, Any]:
        """Of the entry, with its links as they will be."""
        return self.linked(step, step.content)

    def linked(self, step: Step, content: Mapping[str, Any] | None) -> dict[str, Any]:
        made: dict[str, Any] = linked(content, step.full_url, self.told) if self.told else dict(content or {})
        return made


class Naming:
    """Names the entries of one try at a transaction."""

    def __init__(self, means: Means, matching: Matching, recording: Recording) -> None:
        self._means = means
        self._matching = matching
        self._recording = recording
        self._named = Named()

    async def named(self, steps: Sequence[Step]) -> Named:
        """Raises FhirError for what cannot be told, or must not be together."""
        _refuse_same_criteria(steps)
        for step in sorted(steps, key=lambda one: one.turn):
            with at(step):
                await self._call(step, steps)
        self._refuse_same_targets(steps)
        for step in steps:
            if step.full_url is not None and step.place in self._named.ids:
                self._named.told[step.full_url] = f"{step.type}/{self._named.ids[step.place]}"
        references: list[References] = []
        for number, step in enumerate(steps):
            await breath(number)
            references.append(references_in(step.content) if may_lead_elsewhere(step.content) else ())
            with at(step):
                _refuse_dangling(references[-1], step.type, self._named.told.keys())
        await self._conditional_references(steps, references)
        return self._named

    async def _call(self, step: Step, steps: Sequence[Step]) -> None:
        """The id of what the entry is about, and what its criteria find."""
        if step.search is not None:
            self._refuse_made_here(step, step.search, steps)
            await self._find(step, step.search, self._deleted(step.type, steps) if step.method != "DELETE" else frozenset())
        found = self._named.found.get(step.place)
        if isinstance(found, Match):
            self._named.ids[step.place] = found.resource.id
        elif step.method == "POST":
            self._named.ids[step.place] = self._means.services.new_id()
        elif step.id is not None:
            self._named.ids[step.place] = step.id
        elif step.method == "PUT":  # an importer may bring the id of what its criteria do not find
            brought = (step.content or {}).get("id")
            self._named.ids[step.place] = brought if isinstance(brought, str) else self._means.services.new_id()

    async def _find(self, step: Step, search: Search, but: frozenset[str]) -> None:
        if step.method in ("POST", "PUT"):
            self._named.found[step.place] = await self._matching.claimed(search, self._recording, but)
            return
        found = await self._matching.one(search, self._recording, but)
        if found is None:
            raise FhirError("not-found", "Nothing matches the criteria.")
        self._named.found[step.place] = found

    def _deleted(self, type: str, steps: Sequence[Step]) -> frozenset[str]:
        return frozenset(self._ids_of(type, [one for one in steps if one.method == "DELETE"]))

    def _ids_of(self, type: str, steps: Iterable[Step]) -> Iterator[str]:
        return (self._named.ids[one.place] for one in steps if one.type == type and one.place in self._named.ids)

    def _refuse_made_here(self, step: Step, search: Search, steps: Sequence[Step]) -> None:
        """What another entry creates comes before a change by criteria, which would write it a second time."""
        if step.method not in CHANGES or not _is_plain(search):
            return
        for other in steps:
            created = other.method == "POST" and other.type == step.type and not isinstance(self._named.found.get(other.place), Match)
            if created and self._matches(search, self._named.content(other)):
                raise FhirError("invalid", "Another entry creates what matches these criteria.", expression=OF_URL)

    def _refuse_same_targets(self, steps: Sequence[Step]) -> None:
        """http.html#trules: no resource identity, resolved ones included, is written twice."""
        written: set[tuple[str, str]] = set()
        for step in steps:
            if step.method in READS or (step.method == "POST" and isinstance(self._named.found.get(step.place), Match)):
                continue
            target = step.type, self._named.ids[step.place]
            if target in written:
                raise FhirError("invalid", "Another entry writes the same resource.", expression=f"Bundle.entry[{step.place}].request.url")
            written.add(target)

    async def _conditional_references(self, steps: Sequence[Step], references: Sequence[References]) -> None:
        """http.html#trules: they are resolved last; exactly one must match, or the whole transaction fails."""
        asked: dict[str, tuple[Step, str]] = {}
        for step, of_step in zip(steps, references, strict=True):
            for path, text in of_step:
                if is_conditional(text):
                    asked.setdefault(text, (step, f"{step.type}.{path}"))
        if len(asked) > CONDITIONAL_MAX:
            text = f"A transaction may have {CONDITIONAL_MAX} different conditional references; send several."
            raise FhirError("too-long", text, expression="Bundle.entry")
        told = {text: await self._conditional(text, step, path, steps) for text, (step, path) in asked.items()}
        self._named.told.update(told)

    async def _conditional(self, text: str, step: Step, path: str, steps: Sequence[Step]) -> str:
        type, _, query = text.partition("?")
        with at(step):
            search = self._criteria(type, query, path)
            changing = [one for one in steps if one.type == type and one.method not in (*READS, "POST")]
            stored = await self._matching.at_most(search, 2, self._recording, frozenset(self._ids_of(type, changing)))
            made = [id async for id in self._as_it_will_be(search, steps)]
            if len(stored) + len(made) != 1:
                raise _not_one(type, path, none=not (stored or made))
            for match in stored:
                self._recording.touch(match.touched)
            return f"{type}/{made[0] if made else stored[0].resource.id}"

    def _criteria(self, type: str, query: str, path: str) -> Search:
        """Of a conditional reference, which stands in the resource and not in the url."""
        try:
            return criteria(type, query, base=self._means.services.base_url, where="A conditional reference", creates=True)
        except FhirError as error:
            raise FhirError(error.code, str(error), expression=path) from None

    async def _as_it_will_be(self, search: Search, steps: Sequence[Step]) -> AsyncIterator[str]:
        """Ids of what this transaction writes and what will match."""
        for step in steps:
            if step.type == search.type and step.method in ("POST", *CHANGES):
                content = await self._content_then(step)
                if content is not None and self._matches(search, content):
                    yield self._named.ids[step.place]

    async def _content_then(self, step: Step) -> dict[str, Any] | None:
        """What the entry leaves; None for what is not written, or cannot be and will say so in its turn."""
        found = self._named.found.get(step.place)
        if step.method == "POST" and isinstance(found, Match):
            return None  # found among what is stored
        if step.method != "PATCH":
            return {**self._named.content(step), "id": self._named.ids[step.place]}
        try:
            id = self._named.ids[step.place]
            stored = await self._means.services.resolve(step.type, id)
            if stored is None or step.apply is None:
                await self._means.reading.as_if_hidden(step.type, id, self._recording)
                return None
            self._recording.aim(stored)
            opened = await self._means.reading.open(stored, "collect")
            if not self._means.rights.readable(step.type, opened.content, stored):
                return None  # criteria would ask what it says
            return self._named.linked(step, step.apply(numbers.loads(opened.json)))
        except FhirError:
            return None

    def _matches(self, search: Search, content: Mapping[str, Any]) -> bool:
        services = self._means.services
        return matches(search, content, now_us=services.clock(), base=services.base_url)


def refuse_dangling(content: Mapping[str, Any], type: str, before: Mapping[str, Any] | None = None) -> None:
    """bundle.html#references: a urn leads to the entry that has it as its fullUrl. `before`: what has stood there already."""
    _refuse_dangling(references_in(content), type, {text for _, text in references_in(before)})


def _refuse_dangling(references: References, type: str, known: Collection[str]) -> None:
    """`known`: what leads somewhere."""
    for path, text in references:
        if is_urn(text) and text not in known:
            raise FhirError("invalid", "No entry has this fullUrl.", expression=f"{type}.{path}")


def _refuse_same_criteria(steps: Sequence[Step]) -> None:
    given: set[str] = set()
    for step in steps:
        if step.search is not None and step.method in ("POST", "PUT"):
            text = canonical(step.search)
            if text in given:
                with at(step):
                    raise FhirError("invalid", "Another entry has the same criteria; each may be given once.")
            given.add(text)


def _is_plain(search: Search) -> bool:
    return all(isinstance(one, Criterion) for one in search.criteria)


def _not_one(type: str, path: str, *, none: bool) -> FhirError:
    if none:
        return FhirError("precondition", f"A conditional reference to a {type} matches nothing.", expression=path)
    return FhirError("multiple-matches", f"A conditional reference to a {type} matches more than one; make it narrower.", expression=path)
