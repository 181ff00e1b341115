"""Polling of vendors' clouds: what patients granted is read page by page, and how far is written with the readings.

The cursor and the readings of a page are one transaction, so whatever is killed in between, the next poll asks for the first
page that is not durable: nothing is lost, nothing is stored twice, and the cursor says what is so (law 5). Before each
question it is asked anew whether the patient permits that this client collects anything of what the cloud has (law 1): where not,
the cloud is not even called. What was measured while the patient had withdrawn is not kept, for it is the hub that fetches it.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import orjson
import structlog

from adapters.contract import Manifest
from fhir_profiles.building import build, resource_type
from fhir_profiles.catalogue import MEASURES
from fhir_profiles.measurement import AbsentValue, Measurement
from hub.errors import FhirError
from hub.ingest.backoff import backoff_s
from hub.ingest.clouds import Call, CloudRefused, Credentials, Feed
from hub.ingest.fates import Answer
from hub.ingest.intake import Parcel, known_adapter, require_sender, take_in
from hub.ingest.links import Link, Links
from hub.ingest.quota import admit, charge
from hub.ingest.sender import SenderGone, Senders
from hub.ingest.wakes import KIND as WAKE
from hub.ingest.wakes import wake_name
from hub.ingest.watch import pause
from hub.notebook import Notebook, Page
from hub.outbound import Outbound
from hub.repository import Repository
from hub.repository.consents_then import ConsentsThen
from hub.store.protocol import Conflict, NoteWrite, Unavailable, Unit

log = structlog.get_logger()

PAGES_MAX = 200
"""Of one link in one turn: the others want theirs."""
RENEWING_US = 120_000_000
"""For so long others leave a link alone whose tokens somebody asks for; a call takes at most half a minute."""
EARLY_US = 60_000_000
"""Tokens are renewed so long before they end."""
BACKOFF_FACTOR = 60
"""A cloud that refuses is asked again after half a minute at first, and after an hour at last."""
PROBED_AT = "2000-01-01T00:00:00Z"


@dataclass(frozen=True, slots=True, kw_only=True)
class At:
    """Where a cloud is, and who the hub is there."""

    base: str
    own: Credentials


class Renewing(Exception):
    """Another process asks for this link's tokens, or has just read it."""


class Poller:
    """told    fates of what a link's turn brought
    chance  between 0 and 1, so that links do not all come back at once
    """

    def __init__(
        self,
        senders: Senders,
        outbound: Outbound,
        clouds: Mapping[str, At],
        *,
        told: Callable[[Counter[str]], None],
        chance: Callable[[], float],
    ) -> None:
        self._senders, self._services, self._outbound = senders, senders.services, outbound
        self._clouds, self._told, self._chance = clouds, told, chance
        self._links = Links(senders.services)
        self._wakes = Notebook(senders.services, WAKE)
        self._stopped: set[bytes] = set()

    async def run(self, interval_s: float, look_s: float | None, stop: asyncio.Event) -> None:
        """Each link about every `interval_s`, sooner when it was pinged; with `look_s` None every link that is due, once.

        While the store is away nothing is asked, and the next look tries again; a single look raises Unavailable or Conflict.
        """
        while not stop.is_set():
            try:
                await self._look(interval_s, stop, every=look_s is None)
            except (Unavailable, Conflict) as error:
                if look_s is None:
                    raise
                log.warning("poll_pauses", error=type(error).__name__)
            if look_s is None:
                return
            await pause(stop, look_s)

    async def _look(self, interval_s: float, stop: asyncio.Event, *, every: bool) -> None:
        for page, link in await self._links.all():
            if stop.is_set():
                return
            if link.fault is not None:
                self._tell_stopped(page, link.fault)
            elif link.cloud in self._clouds and (every or await self._is_due(link)):
                await self._turn(page, link, interval_s)

    def _tell_stopped(self, page: Page, fault: str) -> None:
        """Once: `hub poll list` says it each time. Others go on."""
        if page.key not in self._stopped:
            self._stopped.add(page.key)
            log.error("poll_stopped", reason=fault)

    async def _is_due(self, link: Link) -> bool:
        """A ping is used up before the cloud is asked: one that comes meanwhile counts for the next turn."""
        woken = False
        for adapter in dict.fromkeys(feed.adapter for feed in link.feeds):
            wake = await self._wakes.read(wake_name(link.client, adapter, link.user))
            if wake.content:
                await self._services.store.commit(Unit(forgotten=[wake.key]))
                woken = True
        return woken or link.due_us <= self._services.clock()

    async def _turn(self, page: Page, link: Link, interval_s: float) -> None:
        """One link's feeds. Whatever goes wrong stays this link's, and the others go on.

        Where some feeds could be read the link comes again at its usual time; where none could, it waits longer each time.
        """
        fates: Counter[str] = Counter()
        due_us = self._services.clock() + int(interval_s * 1_000_000 * (0.9 + self._chance() / 5))
        try:
            faults, read = await self._feeds(page, link, due_us, fates)
        except Renewing:
            log.info("poll_waits", cloud=link.cloud)  # somebody else is at this link, with new tokens in a moment
        except (Unavailable, SenderGone, KeyError) as error:  # the last: the link is not there any more
            log.warning("poll_failed", cloud=link.cloud, error=type(error).__name__)
            await self._later(link, None, [error])
        else:
            if faults:
                await self._later(link, due_us if read else None, faults)
        self._told(fates)

    async def _feeds(self, page: Page, link: Link, due_us: int, fates: Counter[str]) -> tuple[list[Exception], int]:
        """Each feed on its own: the faults of those that could not be read, and how many could be.

        Raises Renewing, Unavailable, SenderGone, and KeyError where the link is gone: those concern all feeds.
        """
        faults: list[Exception] = []
        feeds, read = link.feeds, 0
        for feed in feeds:
            try:
                page, link = await self._pages(page, link, feed, due_us if feed == feeds[-1] else None, fates)
                read += 1
            except (Renewing, Unavailable, SenderGone):
                raise
            except Exception as error:  # noqa: BLE001 - of an adapter, too: it must not stand before other feeds and patients
                log.warning("poll_failed", cloud=link.cloud, feed=feed.name, error=type(error).__name__, code=_code(error))
                faults.append(error)
                page, link = await self._links.read(link)  # pages before the fault have moved it
                if link.ended or link.renewing_us > self._services.clock():
                    break  # a mark that is left: there are no new tokens, and no feed can do without
        return faults, read

    async def _pages(self, page: Page, link: Link, feed: Feed, due_us: int | None, fates: Counter[str]) -> tuple[Page, Link]:
        """One feed of a link. `due_us`: when the link is read next, known with its last feed."""
        for _ in range(PAGES_MAX):
            page, link, answers, more = await self._page(page, link, feed, due_us)
            fates.update(answer.fate for answer in answers)
            if not more:
                break
        return page, link

    async def _page(self, page: Page, link: Link, feed: Feed, due_us: int | None) -> tuple[Page, Link, Sequence[Answer], bool]:
        """One question and its answer, durable with its cursor when it returns."""
        repository = await self._senders.repository(link.client)
        async with repository.recording("ingest") as recording:
            require_sender(repository)
            await admit(repository.caller, self._services)
            adapter = known_adapter(feed.adapter)
            if not await permits(repository, self._links.patient(link), link.patient, adapter.manifest):
                recording.aim_patient(self._links.patient(link))
                raise FhirError("forbidden", "The patient does not permit it, or the client's scopes do not cover it.")
            page, link = await self._renewed(page, link)
            now_us, before = self._services.clock(), link.cursor_of(feed)
            base, token = self._clouds[link.cloud].base, link.tokens.access
            body = await self._asked(feed.ask(base, token, before, now_us))
            cursor, more = feed.following(body, before, now_us)
            details = [await self._asked(call) for call in feed.details(base, token, body, before)]
            after = replace(link.moved(feed, cursor), failures=0, why=None, due_us=now_us if more or due_us is None else due_us)
            written: list[NoteWrite] = []

            async def beside(_: Sequence[Answer]) -> Sequence[NoteWrite]:
                written[:] = [await self._links.write(page, after)]
                return written

            parcel = Parcel(adapter=adapter, payload=feed.payload(body, before, details), device=link.device)
            then = ConsentsThen(self._services, repository.rights.visibility)
            answers = await take_in(repository, recording, parcel, beside, then)
        await charge(repository.caller, self._services, len(answers))
        return replace(page, note=written[0].new), after, answers, more

    async def _renewed(self, page: Page, link: Link) -> tuple[Page, Link]:
        """With an access token that is good for a while. New tokens are durable before they are used: the old ones may be void.

        A refresh token may be good once (RFC 6749 section 10.4), so whoever asks says so before, in the link's own note: of several
        processes one writes it, and the others leave the link alone. Raises Renewing.
        """
        now_us = self._services.clock()
        if link.tokens.expires_us - EARLY_US > now_us:
            return page, link
        if link.renewing_us > now_us:
            raise Renewing
        page, link = await self._written(page, replace(link, renewing_us=now_us + RENEWING_US))
        at = self._clouds[link.cloud]
        body = await self._asked(link.row.renewing(at.base, at.own, link.tokens))
        return await self._written(page, replace(link, tokens=link.row.renewed(body, link.tokens, now_us), renewing_us=0))

    async def _written(self, page: Page, link: Link) -> tuple[Page, Link]:
        """Raises Renewing where somebody else has written meanwhile."""
        write = await self._links.write(page, link)
        try:
            await self._services.store.commit(Unit(notes=[write]))
        except Conflict:
            raise Renewing from None
        return replace(page, note=write.new), link

    async def _asked(self, call: Call) -> bytes:
        answer = await self._outbound.call(call.url, form=call.form, token=call.token)
        if answer.status != 200:  # noqa: PLR2004 (RFC 9110)
            raise CloudRefused(f"HTTP {answer.status}", expired=answer.status == 401)  # noqa: PLR2004
        return answer.body

    async def _later(self, link: Link, due_us: int | None, faults: Sequence[Exception]) -> None:
        """From what is durable: a page before may have moved the cursor. A refused token is renewed next time.

        due_us  when it is read next; None to wait longer after each failure
        """
        try:
            page, link = await self._links.read(link)
            failures = link.failures + 1
            if due_us is None:
                due_us = self._services.clock() + int(backoff_s(failures, self._chance()) * BACKOFF_FACTOR * 1_000_000)
            expired = any(isinstance(fault, CloudRefused) and fault.expired for fault in faults)
            tokens = replace(link.tokens, expires_us=0) if expired else link.tokens
            why = ", ".join(dict.fromkeys(_code(fault) or type(fault).__name__ for fault in faults))
            changed = replace(link, failures=failures, why=why, due_us=due_us, tokens=tokens, renewing_us=0)
            await self._services.store.commit(Unit(notes=[await self._links.write(page, changed)]))
        except (Conflict, Unavailable, KeyError) as error:
            log.warning("poll_not_noted", error=type(error).__name__)


def _code(error: Exception) -> str | None:
    """What may be told of a fault: never the text of an error that nobody foresaw, which may quote what was measured."""
    if isinstance(error, FhirError):
        return error.code
    return str(error) if isinstance(error, CloudRefused) else None


async def permits(repository: Repository, patient: bytes, reference: str, manifest: Manifest) -> bool:
    """May this client collect, of this patient, any of what the adapter can give? Asked anew each time: nothing is remembered."""
    rules = await repository.rights.visibility.rules(patient)
    if rules is None or rules.deleted:
        return False
    now_us = repository.services.clock()
    for measure in manifest.measures:
        if MEASURES[measure].medication is None:
            made = Measurement(measure=measure, patient=reference, device=None, effective=PROBED_AT, value=AbsentValue(reason="unknown"))
            content = orjson.loads(build(made, id="probe", version=1, last_updated=PROBED_AT))
            covered = repository.rights.scopes_match(resource_type(made), "c", content)
            if covered and repository.rights.visibility.decide(rules, content, "collect", now_us).permit:
                return True
    return False
