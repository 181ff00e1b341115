"""A transaction behind the one door: every step decided and prepared, then all of them durable at once, or none.

https://hl7.org/fhir/R4/http.html#trules: DELETE, POST, PUT and PATCH, GET, in this order whatever the order of the entries.
One unit, one commit, the records inside (DESIGN 6). Whoever came second does the whole of it again.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from hub.errors import FhirError, Issue, Unprocessable
from hub.recording import Recording
from hub.repository.attempt import Apply, Attempt, Done
from hub.repository.deleting import Deleting
from hub.repository.matching import Matching, Unclaimed
from hub.repository.precondition import ANY, Precondition
from hub.repository.preparing import Means, require_recorder
from hub.repository.reading import Resource
from hub.repository.redoing import redoing
from hub.repository.searching import Match
from hub.search.conditional import canonical, criteria
from hub.search.links import conditional_references, linked
from hub.search.parse import Search

Method = Literal["DELETE", "POST", "PUT", "PATCH", "GET", "HEAD"]
ORDER: Mapping[Method, int] = {"DELETE": 0, "POST": 1, "PUT": 2, "PATCH": 2, "GET": 3, "HEAD": 3}
FIRST = ("Patient", "Consent")
"""Written before the others of their kind: what they permit holds for the rest of the transaction."""
READS = ("GET", "HEAD")
LETTER: Mapping[Method, str] = {"POST": "c", "PUT": "u", "PATCH": "u", "DELETE": "d", "GET": "r", "HEAD": "r"}
KIND: Mapping[str, str] = {"created": "create", "updated": "update", "patched": "patch", "deleted": "delete"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One entry, understood. `search`: criteria instead of an id; `version`: of a vread."""

    place: int
    method: Method
    type: str
    id: str | None = None
    version: int | None = None
    content: Mapping[str, Any] | None = None
    apply: Apply | None = None
    search: Search | None = None
    on: Precondition = ANY
    full_url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of an entry. `version`: of a deletion, which leaves no resource."""

    how: str
    resource: Resource | None = None
    version: int | None = None


class Transacting:
    """Transactions of one caller."""

    def __init__(self, means: Means, matching: Matching, deleting: Deleting) -> None:
        self._means = means
        self._matching = matching
        self._deleting = deleting

    async def run(
        self, steps: Sequence[Step], recording: Recording, aside: Callable[[str], Recording], provenance: Mapping[str, Any] | None
    ) -> dict[int, Outcome]:
        """By place. `aside` gives a further record of the same request, of another kind; `provenance` goes along.

        Raises FhirError for the first step that cannot be done; then nothing of the transaction is.
        """
        _refuse_same_targets(steps)
        for step in steps:
            with _at(step):
                self._require(step)
        if provenance is not None:
            self._means.rights.require("Provenance", "c")
        return await redoing(
            lambda: _Round(self._means, self._matching, self._deleting, recording, aside).run(steps, provenance),
            _about(steps),
            self._means.services.turns,
        )

    def _require(self, step: Step) -> None:
        self._means.rights.require(step.type, LETTER[step.method])
        if step.method == "POST" or (step.type == "Consent" and step.method not in READS):
            require_recorder(self._means.caller, step.type)
        if step.method == "DELETE":
            self._deleting.require(step.type)


class _Round:
    """One try at a transaction."""

    def __init__(
        self, means: Means, matching: Matching, deleting: Deleting, recording: Recording, aside: Callable[[str], Recording]
    ) -> None:
        self._means = means
        self._matching = matching
        self._deleting = deleting
        self._recording = recording
        self._aside = aside
        self._attempt = Attempt(means, matching, recording)
        self._told: dict[str, str] = {}
        self._found: dict[int, Match | Unclaimed] = {}
        self._ids: dict[int, str] = {}

    async def run(self, steps: Sequence[Step], provenance: Mapping[str, Any] | None) -> dict[int, Outcome]:
        await self._resolve(steps)
        outcomes: dict[int, Outcome] = {}
        hows: list[str] = []
        for step in sorted(steps, key=_turn):
            with _at(step):
                before = len(self._attempt.pending.made)
                outcomes[step.place] = await self._do(step)
                hows += [outcomes[step.place].how] * (len(self._attempt.pending.made) - before)
        if provenance is not None and hows:
            await self._attempt.tell_of(provenance)
            hows += ["created"] * (len(self._attempt.pending.made) - len(hows))
        await self._commit(hows)
        return outcomes

    async def _resolve(self, steps: Sequence[Step]) -> None:
        """What each entry will be called, before anything is written: matches of criteria, and new ids."""
        claimed: set[str] = set()
        for step in steps:
            with _at(step):
                await self._call(step, claimed)
        for reference in {one for step in steps for one in conditional_references(step.content)}:
            self._told[reference] = await self._conditional(reference, steps)

    async def _call(self, step: Step, claimed: set[str]) -> None:
        if step.search is not None and step.method in ("POST", "PUT"):
            text = canonical(step.search)
            if text in claimed:
                raise FhirError("invalid", "Another entry has the same criteria; each may be given once.")
            claimed.add(text)
            self._found[step.place] = await self._matching.claimed(step.search, self._recording)
        found = self._found.get(step.place)
        if isinstance(found, Match):
            self._ids[step.place] = found.resource.id
        elif step.method == "POST" or (step.method == "PUT" and step.id is None):
            self._ids[step.place] = self._means.services.new_id()
        elif step.id is not None:
            self._ids[step.place] = step.id
        if step.full_url is not None and step.place in self._ids:
            self._told[step.full_url] = f"{step.type}/{self._ids[step.place]}"

    async def _conditional(self, reference: str, steps: Sequence[Step]) -> str:
        """https://hl7.org/fhir/R4/http.html#trules: exactly one must match, or the whole transaction fails."""
        step = next(one for one in steps if reference in conditional_references(one.content))
        type, _, query = reference.partition("?")
        with _at(step):
            search = criteria(type, query, base=self._means.services.base_url, where="A conditional reference")
            found = await self._matching.one(search, self._recording)
            if found is None:
                raise FhirError("precondition", f"A conditional reference to a {type} matches nothing.")
            self._recording.touch(found.touched)
            return f"{type}/{found.resource.id}"

    async def _do(self, step: Step) -> Outcome:
        match step.method:
            case "DELETE":
                return await self._delete(step)
            case "POST":
                return self._outcome(await self._create(step))
            case "PUT":
                return self._outcome(await self._update(step))
            case "PATCH":
                return await self._patch(step)
            case _:
                return await self._read(step)

    def _outcome(self, done: Done) -> Outcome:
        """What was found and not written is shown all the same, and so it is recorded."""
        if done.made is None:
            self._recording.touch(done.touched)
        return Outcome(how=done.how, resource=done.resource)

    def _linked(self, step: Step) -> dict[str, Any]:
        content: dict[str, Any] = linked(step.content, step.full_url, self._told) if self._told else dict(step.content or {})
        return content

    async def _create(self, step: Step) -> Done:
        found = self._found.get(step.place)
        if isinstance(found, Match):
            return Done(how="found", resource=found.resource, touched=found.touched)
        done = await self._attempt.create(step.type, self._linked(step), id=self._ids[step.place])
        if found is not None:
            self._attempt.claim(found, done)
        return done

    async def _update(self, step: Step) -> Done:
        content, found = self._linked(step), self._found.get(step.place)
        if step.id is not None:
            return await self._attempt.update(step.type, step.id, content, step.on)
        if isinstance(found, Match):
            return await self._attempt.update_match(step.type, content, found, step.on)
        if not isinstance(found, Unclaimed):
            raise FhirError("invalid", "PUT needs an id or criteria in its url.")
        return await self._attempt.create_unmatched(step.type, content, found, step.on, id=self._ids[step.place])

    async def _patch(self, step: Step) -> Outcome:
        id = step.id or (await self._only(step)).resource.id
        if step.apply is None:
            raise FhirError("invalid", "PATCH needs a patch: a Parameters resource, or a Binary with a JSON Patch.")
        done = await self._attempt.patch(step.type, id, step.apply, step.on)
        return replace(self._outcome(done), how="patched" if done.how == "updated" else done.how)

    async def _delete(self, step: Step) -> Outcome:
        id = step.id or (await self._only(step)).resource.id
        version = await self._deleting.step(step.type, id, step.on, self._attempt.pending, self._recording)
        return Outcome(how="deleted", version=version)

    async def _only(self, step: Step) -> Match:
        found = None if step.search is None else await self._matching.one(step.search, self._recording)
        if found is None:
            raise FhirError("not-found", "Nothing matches the criteria.")
        return found

    async def _read(self, step: Step) -> Outcome:
        """What this transaction has written is read as it will be; everything else as it is."""
        for made in self._attempt.pending.made:
            if (made.stored.type, made.id) == (step.type, step.id) and step.version in (None, made.stored.version):
                if made.stored.deleted:
                    raise FhirError("deleted", "This resource is deleted by the same transaction.")
                return Outcome(how="read", resource=made.resource)
        reading = self._means.reading
        if step.version is not None:
            return Outcome(how="read", resource=await reading.vread(step.type, str(step.id), step.version, self._recording))
        return Outcome(how="read", resource=await reading.read(step.type, str(step.id), self._recording))

    async def _commit(self, hows: Sequence[str]) -> None:
        """Each kind of write has its own record beside that of the transaction."""
        made = self._attempt.pending.made
        if not made:
            return
        beside: dict[str, Recording] = {}
        for one, how in zip(made, hows, strict=True):
            kind = KIND.get(how, "update")
            if kind not in beside:
                beside[kind] = self._aside(kind)
            beside[kind].touch(one.touched)
        await self._attempt.commit_all(tuple(beside.values()))


def _turn(step: Step) -> tuple[int, int]:
    return ORDER[step.method], FIRST.index(step.type) if step.type in FIRST else len(FIRST)


def _about(steps: Sequence[Step]) -> set[str]:
    """What these may meet others over, named as single writes name it: so nobody waits for a transaction about something else."""
    about: set[str] = set()
    for step in steps:
        if step.method in READS:
            continue
        if step.search is not None:
            about.add(canonical(step.search))
        elif step.id is not None:
            about.add(f"{step.type}/{step.id}")
        elif step.type == "Consent":
            about.add(step.type)  # two that are new may change the rules of one patient
    return about


def _refuse_same_targets(steps: Sequence[Step]) -> None:
    """https://hl7.org/fhir/R4/http.html#trules: a resource may be written once."""
    written: set[tuple[str, str]] = set()
    urls: set[str] = set()
    for step in steps:
        if step.full_url is not None and step.full_url in urls and step.method not in READS:
            raise FhirError("invalid", "Two entries have the same fullUrl.", expression=f"Bundle.entry[{step.place}].fullUrl")
        if step.full_url is not None:
            urls.add(step.full_url)
        if step.method in ("PUT", "PATCH", "DELETE") and step.id is not None:
            if (step.type, step.id) in written:
                raise FhirError("invalid", "Another entry writes the same resource.", expression=f"Bundle.entry[{step.place}].request.url")
            written.add((step.type, step.id))


class _at:  # noqa: N801 (reads as a word: with _at(step))
    """Says which entry an error is about."""

    def __init__(self, step: Step) -> None:
        self._place = step.place

    def __enter__(self) -> None:
        return None

    def __exit__(self, _: type[BaseException] | None, error: BaseException | None, __: object) -> None:
        if isinstance(error, FhirError):
            raise at_entry(error, self._place) from error


def at_entry(error: FhirError, place: int) -> FhirError:
    entry = f"Bundle.entry[{place}]"
    issues = [
        Issue(code=one.code, text=one.text, expression=f"{entry}.resource.{one.expression}" if one.expression else entry)
        for one in error.issues
    ]
    return (Unprocessable if isinstance(error, Unprocessable) else FhirError).of(issues)
