"""Taking the demo through the hub's own doors: nothing is stored here that the repository or the pipeline did not decide.

People and consents are created as a registered importer would create them, under ids that follow from the seed, and are
found again by these; readings are what the adapters read from the vendors' payloads, and duplicates the second time.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from adapters.discovery import adapters
from hub.demo import people
from hub.demo.clients import RECORDER, VENDOR, acting, resident
from hub.demo.consents import consents
from hub.demo.plan import Batch, Demo, Device, batches, devices, paired_from_us
from hub.demo.signals import ZONE
from hub.ingest import doubt, fates
from hub.ingest.devices import device_token
from hub.ingest.fates import Answer
from hub.ingest.pipeline import Pipeline, Sent
from hub.operator import Operator
from hub.store.protocol import Claim, Unit
from hub.wiring import Hub
from security.oauth.clients import Client

T = TypeVar("T")

AT_ONCE: Final = 4
"""What is under way together is committed together; more than this only takes memory."""
REASON: Final = "demo load"
NOTES: Mapping[str, str] = {
    fates.NOT_PAIRED: "Readings of patients who refuse, whose consent has expired or who gave none: answered like those of a device "
    "that is not paired. They wait in quarantine; no Observation of them exists.",
    doubt.TIME_AMBIGUOUS.code: "Local times that happened twice, as summer time ended: the devices of the demo do not say which was meant.",
}
"""Why items of the demo wait; nothing else in it should."""

Advance = Callable[[int], None]


@dataclass(slots=True, kw_only=True)
class Done:
    """What a load came to. Counts only: fates by kind of consent, codes of what waits, resources made and found again."""

    demo: Demo
    created: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    fates: Counter[str] = field(default_factory=Counter)
    waiting: Counter[str] = field(default_factory=Counter)
    by_consent: dict[str, Counter[str]] = field(default_factory=dict)

    def note(self, batch: Batch, answers: Iterable[Answer]) -> None:
        kind = self.by_consent.setdefault(batch.device.one.role.consent, Counter())
        for answer in answers:
            self.fates[answer.fate] += 1
            kind[answer.fate] += 1
            if answer.fate == "quarantined":
                self.waiting[answer.code or ""] += 1

    def to_json(self) -> dict[str, Any]:
        demo = self.demo
        roles = Counter(one.role.consent for one in people.people(demo.seed, demo.patients))
        return {
            "seed": demo.seed,
            "patients": demo.patients,
            "days": demo.days,
            "until": demo.until.isoformat(),
            "created": dict(sorted(self.created.items())),
            "found": dict(sorted(self.found.items())),
            "readings": {fate: self.fates[fate] for fate in ("stored", "duplicate", "corrected", "quarantined", "refused")},
            "quarantined": dict(sorted(self.waiting.items())),
            "by_consent": {kind: {"patients": count, **sorted_counts(self.by_consent.get(kind))} for kind, count in sorted(roles.items())},
            "notes": {code: note for code, note in NOTES.items() if code in self.waiting},
        }


def sorted_counts(counts: Counter[str] | None) -> dict[str, int]:
    return dict(sorted((counts or {}).items()))


def steps(demo: Demo) -> int:
    """How many steps `advance` will be told of: one a patient, one a day of a device."""
    return demo.patients + sum(len(batch.days) for batch in batches(demo))


async def is_loaded(hub: Hub, demo: Demo) -> bool:
    """Has a load of this seed and size come to its end here before, whatever its days were?"""
    return await hub.services.store.claim(_mark(hub, demo)) is not None


async def load(hub: Hub, demo: Demo, reason: str | None, advance: Advance) -> Done:
    """Load what is not there yet. Raises FhirError, OperatorError or Unavailable; what was loaded before that stays."""
    why = reason or REASON
    done = Done(demo=demo)
    async with Operator(hub, why).recording("demo-load") as recording:
        loader = Loader(hub, done, await resident(hub, RECORDER, why), await resident(hub, VENDOR, why), why)
        for house in people.houses():
            await loader.put(house)
        await _each(people.people(demo.seed, demo.patients), loader.enrol, advance)
        await _each(batches(demo), loader.send, advance)
        if not await is_loaded(hub, demo):
            mark = Claim(key=_mark(hub, demo), value=demo.until.isoformat())
            await recording.commit(Unit(claims=[mark]), writes=())
    return done


class Loader:
    """The acts of a load, each under the client whose act it is."""

    def __init__(self, hub: Hub, done: Done, recorder: Client, vendor: Client, reason: str) -> None:
        self._hub = hub
        self._done = done
        self._recorder = recorder
        self._vendor = vendor
        self._reason = reason

    async def put(self, resource: people.Resource) -> None:
        """Create the resource under its id; what is there already stays as it is, changes and deletions made meanwhile included."""
        type, id = resource["resourceType"], resource["id"]
        if await self._hub.services.resolve(type, id, deleted=True) is not None:
            self._done.found[type] += 1
            return
        repository = acting(self._hub, self._recorder, "update", self._reason)
        await repository.update(type, id, resource)
        self._done.created[type] += 1

    async def enrol(self, one: people.Person) -> int:
        """A patient with consents and paired devices; one step."""
        await self.put(people.patient(one))
        for consent in consents(one):
            await self.put(consent)
        for device in devices(one):
            await self._pair(device)
        return 1

    async def send(self, batch: Batch) -> int:
        """One payload, as its vendor would send it; a step for each day."""
        adapter = adapters()[batch.device.kind.adapter]
        repository = acting(self._hub, self._vendor, "ingest", self._reason)
        async with repository.recording("ingest") as recording:
            repository.rights.require("Observation", "c")
            sent = Sent(manifest=adapter.manifest, device=None, time_zone=ZONE)
            answers = await Pipeline(repository, sent, recording).run(list(adapter.decode(batch.body())))
        self._done.note(batch, answers)
        return len(batch.days)

    async def _pair(self, device: Device) -> None:
        system = adapters()[device.kind.adapter].manifest.identifier_system
        services = self._hub.services
        if await services.store.pairings(device_token(services, system, device.identifier)):
            self._done.found["pairing"] += 1
            return
        await Operator(self._hub, self._reason).pair(
            system=system,
            manufacturer=device.kind.maker,
            product=device.kind.product,
            identifier=device.identifier,
            patient=device.one.reference,
            from_us=paired_from_us(),
            to_us=None,
        )
        self._done.created["pairing"] += 1


async def _each(things: Iterable[T], act: Callable[[T], Awaitable[int]], advance: Advance) -> None:
    """Some at once; the first failure ends all."""
    ahead = iter(things)

    async def work() -> None:
        for thing in ahead:
            advance(await act(thing))

    async with _ended([asyncio.create_task(work()) for _ in range(AT_ONCE)]) as tasks:
        await asyncio.gather(*tasks)


@asynccontextmanager
async def _ended(tasks: list[asyncio.Task[None]]) -> AsyncIterator[list[asyncio.Task[None]]]:
    """No task goes on after this, not even when another one failed."""
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _mark(hub: Hub, demo: Demo) -> bytes:
    return hub.services.blind.token("demo-load", f"{demo.seed}|{demo.patients}|{demo.days}")
