"""What goes into a shape and what comes out: stored resources in, entries and reasons out. Pure values.

Numbers of the JSON keep their digits (`hub.numbers`), and nothing here changes one that it passes on.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
Resource = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A stored Observation, and what its element `device` leads to, as far as the caller may see it."""

    observation: Resource
    device: Resource | None = None
    metric: Resource | None = None

    @property
    def reference(self) -> str:
        return f"Observation/{self.observation['id']}"


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """Whose measurements they are, and for whom they are put into a shape.

    base        address of the FHIR API, to which relative references are made absolute
    patient     the stored Patient
    pseudonym   who the person is for this caller, who learns no more
    source      OID of the software that sends, "urn:oid:…"; None where the shape wants none
    now_us      the time, us since 1970
    number      decimal text -> a JSON number that keeps these digits when it is written
    from_us, until_us  what was asked for: from when on, and before when (None: no bound)
    chunk_hours length of a chunk
    seen_us     reference of a device or sensor: when the newest of its measurements came
    behind      references of the devices of Observations that come behind these, in the order of time; None: there are none
    """

    base: str
    patient: Resource
    pseudonym: str
    now_us: int
    number: Callable[[str], Any] = float
    source: str | None = None
    from_us: int | None = None
    until_us: int | None = None
    chunk_hours: int = 24
    seen_us: Mapping[str, int] = field(default_factory=dict)
    behind: frozenset[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    url: str
    resource: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What has no place in the shape, or lost something on the way: which, and why. No value of a resource is repeated."""

    reference: str
    text: str
    lost: bool = True


@dataclass(slots=True, kw_only=True)
class Shaped:
    """Of what was asked for: entries, what they refer to, and what has no place."""

    matches: list[Entry] = field(default_factory=list)
    along: dict[str, Entry] = field(default_factory=dict)
    left: list[Left] = field(default_factory=list)

    def bring(self, entry: Entry) -> None:
        self.along.setdefault(entry.url, entry)


class NoPlace(Exception):
    """The Observation has no place in the shape; the text says why."""
