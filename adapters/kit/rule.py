"""What a rule of the conformance kit is, what it looks at and what it answers. Pure: the bench that runs adapters comes in.

DEVICES 6.4. A rule is a row; `adapters.kit.rulebook` has them all.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from adapters.contract import Adapter, Context, Unreadable
from adapters.reading import Item, Reading

Status = Literal["pass", "fail", "exempt", "not-applicable", "unproven"]
"""not-applicable: nothing of that kind is in the format; unproven: the kit could not make the case out of the fixtures."""

Severity = Literal["error", "warning"]
Level = Literal["bronze", "silver", "gold"]
LEVELS: tuple[Level, ...] = ("bronze", "silver", "gold")
KIT_VERSION = "1.2.0"
HINTS_MAX = 5


class Unproven(Exception):
    """Raised by a check that could not make its case; says why."""


class NotApplicable(Exception):
    """Raised by a check whose subject the format does not have; says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixture:
    """One payload as the vendor sends it, and what stands beside it.

    expected  what a person read in the vendor's documentation or on the device, one object per reading; None if not there
    names     of persons, all invented, that stand in the payload; empty if nobody said
    golden    the FHIR that is to come out, one resource per reading; None if not there
    context   what the sender says with it
    """

    name: str
    payload: bytes
    expected: Sequence[Mapping[str, Any]] | None = None
    golden: Sequence[Any] | None = None
    names: Sequence[str] = ()
    context: Context = field(default_factory=Context)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one payload.

    items    in order; empty if it was refused as a whole, or if the adapter failed
    refusal  of the whole payload
    crash    name of the exception that came out and should not have, "TooSlow" or "MemoryError" among them; "" if none
    said     what the adapter printed or logged
    seconds  of the processor for decoding
    grown    bytes by which the process was larger at most than when the adapter began
    """

    items: tuple[Item, ...] = ()
    refusal: Unreadable | None = None
    crash: str = ""
    said: str = ""
    seconds: float = 0.0
    grown: int = 0

    @property
    def readings(self) -> tuple[Reading, ...]:
        return tuple(item for item in self.items if isinstance(item, Reading))


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """What the hub makes of a reading.

    resource  as parsed JSON with the digits of its decimals kept, or None while it waits
    doubt     why it waits: a code of the hub; "" if it does not
    problems  what R4, and the profiles that the resource claims or has to follow, find wrong with it
    """

    resource: Any = None
    doubt: str = ""
    problems: tuple[str, ...] = ()


class Bench(Protocol):
    """Runs an adapter under watch, and builds FHIR as the hub does: what the kit itself, being pure, cannot."""

    def decode(self, adapter: Adapter, payload: bytes, context: Context) -> Outcome: ...

    def build(self, reading: Reading) -> Built: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """An adapter under examination, with its fixtures and the bench."""

    adapter: Adapter
    fixtures: Sequence[Fixture]
    bench: Bench
    cache: dict[str, Outcome] = field(default_factory=dict)

    def decode(self, payload: bytes, context: Context | None = None) -> Outcome:
        return self.bench.decode(self.adapter, payload, context or Context())

    def outcome(self, fixture: Fixture) -> Outcome:
        """Of a fixture as it is; decoded once."""
        if fixture.name not in self.cache:
            self.cache[fixture.name] = self.decode(fixture.payload, fixture.context)
        return self.cache[fixture.name]

    def readings(self) -> Iterable[tuple[Fixture, Reading]]:
        for fixture in self.fixtures:
            for reading in self.outcome(fixture).readings:
                yield fixture, reading


Check = Callable[[Subject], Iterable[str]]
"""Yields what is wrong, each with its place and what to do; nothing if all is well. May raise Unproven or NotApplicable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One row. `level` is the lowest level that asks for it."""

    id: str
    group: str
    text: str
    level: Level
    severity: Severity
    check: Check


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    rule: Rule
    status: Status
    hints: tuple[str, ...] = ()
    """What is wrong, why it could not be shown, or the reason of the exemption."""
