"""GET /console/units: which units of devices somebody should look at. Nothing on it says whose they are."""

from collections.abc import Sequence
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from hub.console.words import Language
from hub.desk import Desk
from hub.desk.unit_words import FINDING_WORDS, UNIT_WORDS
from hub.errors import FhirError
from hub.instants import fhir_instant
from hub.units.judge import FINDINGS, Finding, counts, findings
from hub.units.listing import UnitView, views

ROWS_MAX: Final = 500
ALL: Final = "all"
MINUTE_US, HOUR_US, DAY_US = 60_000_000, 3_600_000_000, 86_400_000_000
SPANS: Final = ((DAY_US, "d", "j"), (HOUR_US, "h", "h"), (MINUTE_US, "min", "min"))

Found = tuple[UnitView, tuple[Finding, ...]]


async def units(request: Request, desk: Desk) -> Response:
    """`?finding=`: only these; `all`: every unit; without: those with something the matter. `&unit=`: whose name has this in it."""
    asked, sought = request.query_params.get("finding", ""), request.query_params.get("unit", "").strip()
    if asked and asked != ALL and asked not in FINDINGS:
        raise FhirError("invalid", f"finding is one of {', '.join((*FINDINGS, ALL))}.")
    async with desk.recording("device-status"):
        now_us = desk.services.clock()
        everything = await views(desk.services, now_us)
    found = [(view, findings(view, now_us)) for view in everything]
    wanted = [one for one in found if (asked == ALL or (asked in one[1] if asked else one[1])) and _named(one[0], sought)]
    told = counts(everything, now_us)
    return desk.page(
        "units.html",
        {**UNIT_WORDS, **FINDING_WORDS},
        asked=asked,
        sought=sought,
        counts=[(finding, told[finding]) for finding in FINDINGS],
        registered=told["registered"],
        paired=told["paired"],
        rows=[_row(view, one, now_us, desk.language) for view, one in _by_weight(wanted)[:ROWS_MAX]],
        left_out=max(0, len(wanted) - ROWS_MAX),
    )


def _named(view: UnitView, sought: str) -> bool:
    """A part of how its maker or its product is called, or of its own name; upper and lower case alike."""
    names = (view.identifier, view.name, view.manufacturer, view.model, view.product.name if view.product else None)
    return any(sought.casefold() in name.casefold() for name in names if name)


def _by_weight(found: Sequence[Found]) -> list[Found]:
    """What is silent or expired first; then by what has been silent longest."""
    return sorted(found, key=lambda one: (not {"silent", "expired"} & set(one[1]), -len(one[1]), one[0].state.seen_us or 0))


def _row(view: UnitView, told: Sequence[Finding], now_us: int, language: Language) -> dict[str, Any]:
    state = view.state
    return {
        "identifier": view.identifier,
        "product": view.product.name if view.product else view.name,
        "manufacturer": view.manufacturer,
        "findings": told,
        "status": view.status,
        "paired": view.paired,
        "seen": None if state.seen_us is None else fhir_instant(state.seen_us),
        "ago": None if state.seen_us is None else ago(now_us - state.seen_us, language),
        "battery": f"{state.battery_percent} %" if state.battery_percent is not None else None,
        "battery_level": state.battery_level,
        "clock": None if state.clock_ahead_s is None else f"{state.clock_ahead_s:+d} s",
        "expires": None if view.expires is None else view.expires[:16].replace("T", " "),
        "firmware": view.versions.get("firmware"),
    }


def ago(span_us: int, language: Language) -> str:
    """The largest unit that makes at least one: "3 d", "2 h"; French says "3 j"."""
    for size_us, english, french in SPANS:
        if span_us >= size_us:
            return f"{span_us // size_us} {french if language == 'fr' else english}"
    return "< 1 min"
