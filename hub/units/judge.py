"""How a unit does, by the limits of its product. Pure: the same view at the same time gives the same findings."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final, Literal, get_args

from fhir_profiles.clock import zone_and_drift
from fhir_profiles.product import Product
from fhir_profiles.unit import end_of
from hub.instants import from_datetime
from hub.units.listing import UnitView
from hub.units.state import UnitState

Finding = Literal["silent", "drifting", "other-zone", "low-battery", "expiring", "expired"]
FINDINGS: Final[tuple[Finding, ...]] = get_args(Finding)
SECOND_US: Final = 1_000_000
EXPIRING_US: Final = 2 * 86_400 * SECOND_US
"""So long before a sensor may not be worn any more somebody should have the next one."""


def findings(view: UnitView, now_us: int) -> tuple[Finding, ...]:
    """What somebody should look at. Of a unit that is out of use nothing."""
    if view.status in ("inactive", "entered-in-error"):
        return ()
    zone_s, _ = zone_and_drift(view.state.clock_ahead_s or 0)
    expires_us = None if view.expires is None else from_datetime(end_of(view.expires))
    told: Mapping[Finding, bool] = {
        "silent": view.paired and now_us - waited_since(view) > view.limits.silence_s * SECOND_US,
        "drifting": is_drifting(view.state, view.limits),
        "other-zone": zone_s != 0,
        "low-battery": _is_low(view),
        "expiring": expires_us is not None and now_us < expires_us <= now_us + EXPIRING_US,
        "expired": expires_us is not None and expires_us <= now_us,
    }
    return tuple(finding for finding in FINDINGS if told[finding])


def is_drifting(state: UnitState, limits: Product) -> bool:
    """Is its clock off by more than its product allows, whole half hours left aside?"""
    return abs(zone_and_drift(state.clock_ahead_s or 0)[1]) > limits.drift_s


def waited_since(view: UnitView) -> int:
    """From when on silence counts: a unit that is new, or new with somebody, has had no time to speak yet."""
    return max(view.state.seen_us or 0, view.since_us or 0, view.state.known_us or view.updated_us)


def counts(views: Iterable[UnitView], now_us: int) -> dict[str, int]:
    """How many units, how many that somebody has, and how many of each finding. For metrics: no names."""
    made: Counter[str] = Counter(dict.fromkeys(("registered", "paired", *FINDINGS), 0))
    for view in views:
        made.update(["registered", *(["paired"] if view.paired else []), *findings(view, now_us)])
    return dict(made)


def _is_low(view: UnitView) -> bool:
    percent = view.state.battery_percent
    return view.state.battery_level == "low" if percent is None else percent <= view.limits.battery_low
