"""A mapping with a mistake, readings that it stored, and plans with the mapping that is mended. Used by tests of re-derivation."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from adapters.contract import NO_CONTEXT, Adapter, Context, Manifest, Source, Streaming
from adapters.discovery import adapters
from adapters.reading import Item, Quantity, Reading
from hub.ingest.fates import Answer
from hub.ingest.pipeline import Pipeline, Sent
from hub.ingest.rederive.applying import Applied, Applier
from hub.ingest.rederive.derive import Asked
from hub.ingest.rederive.derived import Derived
from hub.ingest.rederive.plan import Plan, Planner, Window
from hub.ingest.sender import Senders
from tests.support.backstage import Account, Backstage

Mistake = Callable[[Reading], Item]


@dataclass(frozen=True)
class Mapping:
    """An adapter with another version, and a mistake in each reading."""

    real: Adapter
    version: str
    mistake: Mistake = lambda reading: reading

    @property
    def manifest(self) -> Manifest:
        return replace(self.real.manifest, version=self.version)

    def decode(self, payload: bytes, context: Context = NO_CONTEXT) -> Iterable[Item]:
        for item in self.real.decode(payload, context):
            yield self.mistake(item) if isinstance(item, Reading) else item


@dataclass(frozen=True)
class StreamingMapping(Mapping):
    """Of an adapter that reads in pieces."""

    def decode_stream(self, source: Source, context: Context = NO_CONTEXT) -> Iterator[Item]:
        assert isinstance(self.real, Streaming)
        for item in self.real.decode_stream(source, context):
            yield self.mistake(item) if isinstance(item, Reading) else item


@dataclass(slots=True)
class Bench:
    """One adapter, mended and with its mistake, and one sender. `kind`: how the mended one reads."""

    backstage: Backstage
    account: Account
    adapter: str
    mistake: Mistake = lambda reading: reading
    shown: list[Derived] = field(default_factory=list)
    kind: type[Mapping] = Mapping

    @property
    def wrong(self) -> Mapping:
        return Mapping(adapters()[self.adapter], "0.9.0", self.mistake)

    @property
    def mended(self) -> Mapping:
        return self.kind(adapters()[self.adapter], "9.0.0")

    @property
    def senders(self) -> Senders:
        hub = self.backstage.hub
        return Senders(services=hub.services, find_client=hub.oauth.find_client, user="tests", reason="tests")

    def ingest(self, payload: bytes, *, device: str | None = None, zone: str | None = None, by: Adapter | None = None) -> list[Answer]:
        mapping = by or self.wrong
        sent = Sent(manifest=mapping.manifest, device=device, time_zone=zone)
        items = list(mapping.decode(payload, Context(device=device)))

        async def run() -> list[Answer]:
            repository = await self.senders.repository(self.account.id)
            async with repository.recording("ingest") as recording:
                return await Pipeline(repository, sent, recording).run(items)

        return self.backstage.run(run())

    def plan(self, patient: str, *, by: Adapter | None = None, since_us: int = 0, until_us: int | None = None, **asked: Any) -> Plan:
        self.shown.clear()
        services = self.backstage.hub.services
        until_us = services.clock() + 1_000_000 if until_us is None else until_us
        window = Window(since_us=since_us, until_us=until_us, patient=f"Patient/{patient}")
        planner = Planner(services, self.senders, Asked(adapter=by or self.mended, **asked), window)
        return self.backstage.run(planner.run(self.shown.append))

    def apply(self, plan: Plan, *, by: Adapter | None = None, retract: bool = False) -> Applied:
        services = self.backstage.hub.services
        again = Plan.from_bytes(plan.to_bytes(services), services)
        return self.backstage.run(Applier(services, self.senders, again, by or self.mended, retract=retract).run())


def stored(answers: Sequence[Answer]) -> list[str]:
    assert {one.fate for one in answers} == {"stored"}, answers
    return [one.resource or "" for one in answers]


def tenfold(reading: Reading) -> Reading:
    """A scale that was read with the wrong power of ten."""
    value = reading.value
    assert isinstance(value, Quantity)
    return replace(reading, value=Quantity(value=f"{value.value}0", unit=value.unit))


def later(reading: Reading) -> Reading:
    """A clock read an hour off: another time, so another key."""
    assert reading.time is not None
    assert reading.time.instant is not None
    moved = reading.time.instant + timedelta(hours=1)
    return replace(reading, time=replace(reading.time, instant=moved, text=f"{reading.time.text}+1h"))


def shifted(by: Callable[[str], timedelta]) -> Mistake:
    """The wall times of a LibreView export off by so much, from the time of day that is right: the end of an interval for its start."""

    def mistake(reading: Reading) -> Reading:
        assert reading.time is not None
        assert reading.time.wall is not None
        wall = reading.time.wall + by(f"{reading.time.wall:%H:%M}")
        return replace(reading, time=replace(reading.time, wall=wall, text=wall.strftime("%d-%m-%Y %H:%M")))

    return mistake
