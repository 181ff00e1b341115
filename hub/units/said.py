"""What a payload says of one unit, and the state that follows from it. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from adapters.device_facts import DeviceFacts
from adapters.reading import DeviceTime
from hub.instants import from_datetime
from hub.units.state import UnitState

SEEN_EVERY_US = 300_000_000
"""How often it is written down that a unit was seen; `fhir_profiles.product.SILENCE_MIN_S` is three times as long."""
CLOCK_STEP_S = 5
CLOCK_EVERY_US = 86_400_000_000
VERSIONS = ("firmware", "software", "hardware")
TEXT_CHARS_MAX = 200
PERCENT_MAX = 101
"""Of a battery that is said in words alone: any percentage is the better word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """The last word of each; None: not said. Times in microseconds since 1970 UTC.

    names  manufacturer, modelNumber and serialNumber, as FHIR calls them
    at_us  when it was said; seen_us: when the unit last measured or reported
    """

    versions: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict, repr=False)
    battery_percent: int | None = None
    battery_level: str | None = None
    clock_ahead_s: int | None = None
    at_us: int
    seen_us: int

    @property
    def fingerprint(self) -> tuple[object, ...]:
        """Equal for what says nothing new: a clock is never read twice with the same difference."""
        clock = None if self.clock_ahead_s is None else self.clock_ahead_s // CLOCK_STEP_S
        versions, names = tuple(sorted(self.versions.items())), tuple(sorted(self.names.items()))
        return versions, names, self.battery_percent, self.battery_level, clock


def said_of(facts: Iterable[DeviceFacts], received_us: int) -> Said:
    """Of one unit, in the order of the payload. What lies in the future was not seen yet."""
    made = Said(at_us=0, seen_us=0)
    for one in facts:
        at_us = _moment(one.said_at, received_us) or received_us
        seen_us = _moment(one.last_seen, received_us) or at_us
        given = {name: text for name in VERSIONS if (text := getattr(one, name))}
        names = {"manufacturer": one.manufacturer, "modelNumber": one.model, "serialNumber": one.serial_number}
        made = replace(
            made,
            versions={**made.versions, **_short(given)},
            names={**made.names, **_short({name: text for name, text in names.items() if text})},
            battery_percent=made.battery_percent if one.battery_percent is None else one.battery_percent,
            battery_level=made.battery_level if one.battery_level is None else one.battery_level,
            clock_ahead_s=made.clock_ahead_s if one.clock_ahead_s is None else one.clock_ahead_s,
            at_us=max(made.at_us, at_us),
            seen_us=max(made.seen_us, seen_us),
        )
    return made


def after(state: UnitState, *, seen_us: int | None, said: Said | None, received_us: int) -> UnitState:
    """The state once this was received, in whatever order: an older word does not take the place of a newer one, and of two at the same
    moment the lower battery and the larger difference of clocks counts.
    """
    latest = max((us for us in (state.seen_us, seen_us, None if said is None else said.seen_us) if us), default=None)
    made = replace(state, seen_us=latest, heard_us=received_us, known_us=state.known_us or received_us)
    if said is None:
        return made
    if (said.battery_percent is not None or said.battery_level is not None) and _battery(said) > _battery(state):
        made = replace(made, battery_percent=said.battery_percent, battery_level=said.battery_level, battery_us=said.at_us)
    if said.clock_ahead_s is not None and (said.at_us, said.clock_ahead_s) > (state.clock_us or 0, state.clock_ahead_s or 0):
        made = replace(made, clock_ahead_s=said.clock_ahead_s, clock_us=said.at_us)
    return made


def _battery(one: Said | UnitState) -> tuple[int, int, str]:
    at_us = one.at_us if isinstance(one, Said) else one.battery_us or 0
    return at_us, -(PERCENT_MAX if one.battery_percent is None else one.battery_percent), one.battery_level or ""


def clock_is_news(state: UnitState) -> bool:
    """Is what was said last of the clock to be kept as an Observation?"""
    if state.clock_ahead_s is None or state.clock_us is None:
        return False
    if state.told_ahead_s is None or state.told_us is None:
        return True
    return abs(state.clock_ahead_s - state.told_ahead_s) >= CLOCK_STEP_S or state.clock_us - state.told_us >= CLOCK_EVERY_US


def _moment(time: DeviceTime | None, received_us: int) -> int | None:
    """Only what the device or its vendor says in an absolute time; a wall clock without a zone says no moment."""
    if time is None or time.instant is None:
        return None
    return min(from_datetime(time.instant), received_us)


def _short(texts: Mapping[str, str]) -> dict[str, str]:
    """A version is a word, not a text."""
    return {name: text.strip() for name, text in texts.items() if text.strip() and len(text) <= TEXT_CHARS_MAX and text.isprintable()}
