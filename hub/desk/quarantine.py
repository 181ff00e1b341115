"""GET and POST /console/quarantine: what waits, by cause and over time; let in again, or given up with a reason.

Values are shown by one form alone, which asks for a reason and is recorded as a look at health data.
"""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from hub.console.words import in_language
from hub.desk import Desk
from hub.desk.quarantine_chart import HEIGHT, WIDTH, Seen, chart
from hub.desk.quarantine_words import CAUSES, QUARANTINE_WORDS
from hub.errors import FhirError
from hub.ingest.quarantine import REASON_MAX, counted, discard, looked_at, named, summaries, wanted
from hub.ingest.replay import REPLAY_MAX, How, pages, replay_as_sent
from hub.ingest.sender import Senders
from hub.instants import fhir_instant

PATH: Final = "/console/quarantine"
PAGE_ITEMS: Final = 25
DAY_US: Final = 86_400_000_000
DAYS_MAX: Final = 36_500
FILTERS: Final = ("adapter", "code", "client", "older")
AFTER: Final = re.compile(r"([0-9]{1,18})-([0-9A-Za-z]{22})")
FATES: Final = ("stored", "corrected", "duplicate", "quarantined", "refused", "discarded")
ITEM: Final = re.compile(r"[0-9A-Za-z]{22}")


async def quarantine(request: Request, desk: Desk) -> Response:
    """The page: `?adapter=`, `code`, `client`, `older` (days) narrow it; `after` goes on from an item."""
    given = {name: value for name in FILTERS if (value := request.query_params.get(name, "").strip())}
    asked = _asked(desk, given)
    store = desk.services.store.quarantine
    async with desk.recording("quarantine-list"):
        everything = wanted(now_us=desk.services.clock())
        causes = await counted(desk.services, replace(asked, code=None))
        days = [Seen(one.day, one.code, one.items) for one in await store.days(everything)]
        found = list(await store.page(replace(asked, after=_after(request.query_params.get("after"))), PAGE_ITEMS + 1))
        items = await summaries(desk.services, found[:PAGE_ITEMS], sender=True)
        total, here = await store.count(everything), await store.count(asked)
        oldest = await store.page(everything, 1)
    last = found[PAGE_ITEMS - 1] if len(found) > PAGE_ITEMS else None
    return desk.page(
        "quarantine.html",
        QUARANTINE_WORDS,
        given=given,
        kept=urlencode({**given, "lang": desk.language}),
        keep=f"{urlencode(given)}&" if given else "",
        causes=[_linked(one, given) for one in causes],
        said=_causes(desk),
        chart=chart(days, desk.services.clock()),
        size=(WIDTH, HEIGHT),
        items=items,
        total=total,
        here=here,
        oldest=fhir_instant(oldest[0].received_us) if oldest else None,
        after=None if last is None else f"{last.received_us}-{last.id}",
        outcome=_outcome(request.query_params),
        more=request.query_params.get("more") == "1",
        reason_max=REASON_MAX,
    )


async def act(_: Request, desk: Desk) -> Response:
    """POST: `act` is replay, discard or look; of `item`, or of all that the filters of the form name."""
    form = desk.form
    if reason := form.get("reason", "").strip()[:REASON_MAX]:
        desk.facts.reason = reason
    match form.get("act"):
        case "replay":
            return await _replay(desk)
        case "discard":
            return await _discard(desk)
        case "look":
            return await _look(desk)
    raise FhirError("invalid", "act is replay, discard or look.")


async def _replay(desk: Desk) -> Response:
    asked = _meant(desk)
    how = How(device=desk.form.get("device", "").strip() or None, time_zone=desk.form.get("zone", "").strip() or None)
    find, who = desk.hub.oauth.find_client, desk.signed.user
    senders = Senders(services=desk.services, find_client=find, user=who, reason=desk.facts.reason)
    told: Counter[str] = Counter()
    done = 0
    async for count, answers in replay_as_sent(senders, asked, how):
        told += Counter(answer.fate for answer in answers)
        done += count
    return _done(desk, told, more=done >= REPLAY_MAX)


async def _discard(desk: Desk) -> Response:
    asked, done = _meant(desk), 0
    _require_reason(desk)
    async for page in pages(desk.services, asked, REPLAY_MAX):
        desk.facts.query = named(page)
        async with desk.recording("quarantine-discard") as recording:
            done += await discard(recording, desk.services, page)
    return _done(desk, Counter({"discarded": done}), more=done >= REPLAY_MAX)


async def _look(desk: Desk) -> Response:
    _require_reason(desk)
    asked = _meant(desk)
    found = await desk.services.store.quarantine.page(asked, 1) if asked.ids else ()
    if not found:
        raise FhirError("not-found", "This item does not wait any more.")
    desk.facts.query = named(found)
    async with desk.recording("quarantine-read") as recording:
        shown = await looked_at(recording, desk.services, found[0])
    return desk.page("quarantine_item.html", QUARANTINE_WORDS, item=shown, said=_causes(desk), kept=urlencode({"lang": desk.language}))


def _require_reason(desk: Desk) -> None:
    if not desk.form.get("reason", "").strip():
        raise FhirError("required", "Say why: the reason goes into the log.")


def _meant(desk: Desk) -> wanted:
    """What a form is about: one item, or what its filters name; a form that names nothing is about nothing."""
    item = desk.form.get("item", "")
    if item:
        if ITEM.fullmatch(item) is None:
            raise FhirError("not-found", "This item does not wait any more.")
        return wanted(now_us=desk.services.clock(), ids=(item,))
    given = {name: value for name in FILTERS if (value := desk.form.get(name, "").strip())}
    if not given:
        raise FhirError("required", "Say which items: a cause, an adapter, a sender or an age.")
    return _asked(desk, given)


def _asked(desk: Desk, given: Mapping[str, str]) -> wanted:
    now_us, older = desk.services.clock(), given.get("older")
    if older is not None and (not older.isdecimal() or int(older) > DAYS_MAX):
        raise FhirError("value", "The age is a number of days.")
    until_us = None if older is None else now_us - int(older) * DAY_US
    return wanted(now_us=now_us, client=given.get("client"), adapter=given.get("adapter"), code=given.get("code"), until_us=until_us)


def _after(given: str | None) -> tuple[int, str] | None:
    found = AFTER.fullmatch(given or "")
    return None if found is None else (int(found[1]), found[2])


def _linked(one: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, Any]:
    fields = {**given, "adapter": one["adapter"], "code": one["code"]}
    return {**one, "fields": fields, "query": urlencode(fields)}


def _causes(desk: Desk) -> dict[str, str]:
    return {code: in_language(desk.language, both) for code, both in CAUSES.items()}


def _done(desk: Desk, told: Counter[str], *, more: bool) -> Response:
    counts = {fate: str(told[fate]) for fate in FATES if told[fate]} or {"discarded": "0"}
    return desk.done(f"{PATH}?{urlencode({**counts, **({'more': '1'} if more else {})})}")


def _outcome(given: Mapping[str, str]) -> list[tuple[str, int]]:
    """What the form before this page has done, as the address says it; numbers alone."""
    return [(fate, int(value)) for fate in FATES if (value := given.get(fate, "")).isdecimal() and len(value) < len("1000000000")]
